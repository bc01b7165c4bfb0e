"""Lists and inspections of engines of every age, and of things that only resemble Docker, are understood."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.docker.listing import Inspected, Listed, container, differs, moment
from opsdash.collectors.docker.rows import Container
from tests.support.harmless import is_harmless_line

ID = "ab" * 32


def listed(**entry: Any) -> Listed:
    return msgspec.convert({"Id": ID, "State": "running", **entry}, Listed)


def inspected(**document: Any) -> Inspected:
    return msgspec.convert({"Id": ID, "Name": "/web", "State": {"Status": "running"}, **document}, Inspected)


def shown(**document: Any) -> Container:
    return container(listed(), inspected(**document))


def test_nothing_but_an_id_is_enough() -> None:
    found = container(listed(), None)
    assert (found.name, found.state, found.health, found.project) == (ID[:12], "running", None, None)
    assert (found.restart_count, found.memory_limit_bytes, found.started_at) == (None, None, None)
    assert not found.is_inspected


def test_null_where_others_have_lists_is_nothing() -> None:
    nothing = {"Names": None, "Ports": None, "Labels": None}
    assert container(listed(**nothing), None).ports == ()
    assert (
        shown(State={"Status": "running", "Health": {"Status": "starting", "Log": None}}).health == "starting"
    )
    assert shown(State={"Status": "running", "Health": None}).health is None


def test_a_container_has_its_own_name_and_not_that_of_a_link_to_it() -> None:
    assert container(listed(Names=["/web/database", "/postgres"]), None).name == "postgres"


def test_a_health_check_that_is_switched_off_is_none() -> None:
    health = {"Status": "none", "FailingStreak": 0, "Log": None}
    found = inspected(State={"Status": "running", "Health": health})
    assert container(listed(Status="Up 3 minutes"), found).health is None
    assert not differs(listed(Status="Up 3 minutes"), found)


def test_a_run_that_goes_on_has_no_exit_code_but_the_last_one() -> None:
    running = {"Status": "running", "ExitCode": 0, "FinishedAt": "0001-01-01T00:00:00Z"}
    assert shown(State=running).exit_code is None
    again = {**running, "FinishedAt": "2026-11-22T03:12:40.5Z"}
    assert container(listed(), inspected(State=again), 137).exit_code == 137
    ended = {**again, "Status": "exited", "ExitCode": 3}
    assert shown(State=ended).exit_code == 3


def test_one_that_never_ran_has_no_exit_code() -> None:
    never = {"Status": "created", "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": ""}
    found = shown(State=never)
    assert (found.exit_code, found.started_at, found.finished_at) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T03:12:40.123456789Z", "2026-11-22T03:12:40.123456+00:00"),
        ("2026-11-22T03:12:40.999999999Z", "2026-11-22T03:12:40.999999+00:00"),
        ("2026-11-22T05:12:40+02:00", "2026-11-22T05:12:40+02:00"),
        ("2026-11-22T03:12:40Z", "2026-11-22T03:12:40+00:00"),
    ],
)
def test_times_are_read_to_the_microsecond(text: str, expected: str) -> None:
    found = moment(text)
    assert found is not None
    assert found.isoformat() == expected


def test_the_label_of_a_compose_number_that_is_none_is_not_believed() -> None:
    for value in ("", "one", "-1", "²", "9" * 40):
        labels = {"com.docker.compose.container-number": value}
        assert container(listed(Labels=labels), None).number is None


@given(text=st.text())
def test_no_text_of_a_container_can_do_harm(text: str) -> None:
    labels = {f"com.docker.compose.{name}": text for name in ("project", "service", "project.working_dir")}
    entry = listed(Names=[f"/{text}"], Image=text, State=text, Status=f"Up ({text})", Labels=labels)
    check = {"Output": text, "ExitCode": 1}
    health = {"Status": text, "Log": [check]}
    state = {"Status": text, "Error": text, "Health": health}
    found = container(entry, inspected(Name=f"/{text}", State=state))
    for value in (
        found.name,
        found.image,
        found.state,
        found.project,
        found.service,
        found.error,
        found.health,
    ):
        assert value is None or is_harmless_line(value)
    for line in found.health_log[0].output.splitlines():
        assert is_harmless_line(line.replace("\t", " "))
