"""Health bodies in the forms that services have, and what hostile ones may not do."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdash.collectors.http import body
from opsdash.collectors.http.condition import failed_part, syntax_error
from opsdash.collectors.http.rows import Verdict
from tests.support.harmless import is_harmless_line

FORMS: dict[str, Any] = {
    "words": {"status": "down", "checks": {"database": "down", "cache": "ok"}},
    "booleans": {"healthy": False, "checks": {"database": False, "cache": True}},
    "objects": {
        "status": "unhealthy",
        "checks": {"database": {"status": "fail", "output": "no route"}, "cache": {"status": "pass"}},
    },
    "spring": {
        "status": "DOWN",
        "components": {"database": {"status": "DOWN", "details": {"x": 1}}, "cache": {"status": "UP"}},
    },
    "health+json": {
        "status": "fail",
        "checks": {"database": [{"status": "pass"}, {"status": "fail"}], "cache": [{"status": "pass"}]},
    },
    "list": {
        "state": "critical",
        "services": [{"name": "database", "ok": False}, {"name": "cache", "ok": True}],
    },
    ".NET": {
        "status": "Unhealthy",
        "entries": {"database": {"status": "Unhealthy"}, "cache": {"status": "Healthy"}},
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_usual_form_is_understood(form: str) -> None:
    said = body.read(FORMS[form])
    assert said.verdict is Verdict.DOWN
    assert [(check.name, check.verdict) for check in said.checks] == [
        ("database", Verdict.DOWN),
        ("cache", Verdict.UP),
    ]


def test_word_that_is_not_known_is_shown_and_not_called_down() -> None:
    said = body.read({"status": "sunny", "checks": {"database": {"status": "purple"}, "version": "1.2.3"}})
    assert said.verdict is None
    assert said.word == "sunny"
    assert [(check.says, check.verdict) for check in said.checks] == [("purple", Verdict.UNKNOWN)]


def test_checks_of_one_name_are_told_apart() -> None:
    said = body.read(
        {"checks": {"db": "ok"}, "services": [{"name": "db", "ok": False}, {"name": "db", "ok": True}]}
    )
    assert [(check.name, check.says) for check in said.checks] == [
        ("db", "ok"),
        ("db (2)", "false"),
        ("db (3)", "true"),
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
health = st.dictionaries(st.sampled_from(["status", "ok", "checks", "components", "services"]), anything)


@given(health)
@settings(max_examples=200, deadline=None)
def test_no_body_breaks_the_reader_or_brings_control_characters(document: Any) -> None:
    for check in body.read(document).checks:
        assert is_harmless_line(check.name + check.says + (check.detail or ""))


@pytest.mark.parametrize(
    ("expression", "document", "said"),
    [
        ("status == 'ok'", {"status": "ok"}, None),
        ("status == 'ok' && db.ok", {"status": "ok", "db": {"ok": False}}, "db.ok failed: it is false"),
        ("queue < `10`", {"queue": 12}, "queue < `10` failed: queue is 12"),
        ("contains(tags, 'live')", {"tags": ["dead"]}, "contains(tags, 'live') failed: it is false"),
        ("contains(tags, 'live')", {}, "contains(tags, 'live') cannot be evaluated"),
        ("a == 'x' || b == 'x'", {"a": "1", "b": "2"}, "a == 'x' || b == 'x' failed: it is false"),
        ("checks[?status!='ok'] | length(@) == `0`", {"checks": [{"status": "no"}]}, "length(@) is 1"),
        ("(a && b) && c", {"a": True, "b": False, "c": True}, "(a && b) failed: it is false"),
        ("lag", {"lag": 0}, None),
        ("status == 'ok'", ["no", "object"], "status == 'ok' failed: status is null"),
        ("status == 'ok'", {"status": "x\x1b[2J" + "y" * 500}, "status is 'x␛[2Jyyy"),
    ],
)
def test_part_that_failed_is_named(expression: str, document: Any, said: str | None) -> None:
    found = failed_part(expression, document)
    assert (found is None) is (said is None)
    assert (said or "") in (found or "")
    assert len(found or "") < 200


@pytest.mark.parametrize("expression", ["status = 'ok'", "", "a ==", "f(", "'"])
def test_mistakes_in_a_condition_are_found_when_the_configuration_is_read(expression: str) -> None:
    assert "expected a JMESPath condition" in (syntax_error(expression) or "")
