"""Rules on one reading of a Docker engine."""

from typing import Any

import msgspec
import pytest

from opsdash.collectors.docker.rows import Container, ContainerIdentity, EngineData, ServiceIdentity
from opsdash.collectors.docker.settings import DockerThresholds
from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.summary import LatestLine, SourceSummary
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.collectors.target import TargetId
from opsdash.tui.actions import registry
from opsdash.tui.findings.docker import findings
from opsdash.tui.findings.engine import find
from tests.support.docker_readings import (
    MIB,
    alone,
    check,
    container,
    crashes,
    docker_target,
    ended,
    engine_reading,
    engine_view,
    event,
    looping,
    unwell,
    used,
)
from tests.support.readings import MONO_S, NOW, ago

WARN, CRIT = Severity.WARN, Severity.CRIT


def found(data: EngineData, **thresholds: Any) -> tuple[Finding, ...]:
    return findings(data, docker_target(thresholds=DockerThresholds(**thresholds)))


def only(data: EngineData, **thresholds: Any) -> Finding:
    (finding,) = found(data, **thresholds)
    return finding


def test_containers_that_are_well_have_no_findings() -> None:
    well = engine_reading(
        container("web-1"),
        container("web-2", health="starting"),
        container("worker-1", health=None),
        alone("tool", state="created", started_at=None, health=None),
        container("paused-1", state="paused"),
        ended("migrate-1", 0),
        usage={container("web-1").id: used()},
    )
    assert found(well) == ()


def test_what_is_not_known_is_no_alarm() -> None:
    blank = Container(id="a" * 64, name="new", image="", state="running", service="web", project="shop")
    nothing = used(
        window_s=None, cpu_ratio=None, throttled_ratio=None, memory_bytes=None, memory_before_bytes=None
    )
    assert found(engine_reading(blank, usage={blank.id: nothing}, events_since=None)) == ()
    vanished = ended("web-1", finished_at=None, exit_code=1)
    assert found(engine_reading(vanished)) == ()


# Health


def test_an_unhealthy_container_is_told_with_what_its_check_printed() -> None:
    finding = only(engine_reading(container("web-1"), unwell("web-2", "GET /health\n  503 pool exhausted")))
    assert finding.severity is WARN
    assert finding.title == "web-2 unhealthy, 4 checks in a row failed · GET /health 503 pool exhausted"
    assert "03:12:38 UTC exit 1: GET /health 503 pool exhausted" in finding.evidence
    assert finding.place == "container"
    assert finding.identity == unwell("web-2").identity
    assert [a.action for a in finding.actions] == ["docker.restart", "docker.restart_service"]
    assert finding.actions[1].identity == ServiceIdentity("shop", "web")


@pytest.mark.parametrize(
    ("sibling", "severity"),
    [
        (container("web-1"), WARN),
        (container("web-1", health=None), WARN),
        (container("web-1", health="starting"), CRIT),
        (container("web-1", state="paused"), CRIT),
        (container("api-1"), CRIT),
        (container("web-1", project="other"), CRIT),
    ],
)
def test_it_is_critical_once_no_other_of_the_service_serves(sibling: Container, severity: Severity) -> None:
    finding = only(engine_reading(sibling, unwell("web-2")))
    assert finding.severity is severity
    assert ("nothing of shop/web serves" in finding.title) is (severity is CRIT)


def test_one_that_compose_did_not_make_may_have_others_that_we_cannot_know() -> None:
    lonely = unwell("web-2", project=None, service=None)
    assert only(engine_reading(lonely)).severity is WARN


@pytest.mark.parametrize(
    ("output", "exit_code", "cause"),
    [
        ("Health check exceeded timeout (1s)", -1, "no answer in time"),
        ("curl: (7) Failed to connect: Connection refused", 7, "nothing listens"),
        ("/bin/sh: curl: not found", 127, "not in the image"),
        ("pool exhausted", 1, None),
    ],
)
def test_the_cause_is_read_from_what_the_check_printed(
    output: str, exit_code: int, cause: str | None
) -> None:
    sick = unwell("web-1", health_log=(check(output, exit_code),))
    told = only(engine_reading(sick)).cause
    assert told is None if cause is None else cause in (told or "")


def test_a_check_that_printed_nothing_is_told_by_its_exit_code() -> None:
    assert "exit 1, nothing printed" in only(engine_reading(unwell("web-1", ""))).title


def test_the_last_lines_of_trouble_stand_beside_it() -> None:
    sick = unwell("web-1")
    line = LatestLine(number=7, at=NOW.timestamp(), level=Level.ERROR, text="pool exhausted: 60/60")
    log = SourceSummary(
        name="web-1",
        identity=sick.id,
        format="plain",
        first=0,
        end=8,
        dropped=0,
        held_bytes=100,
        watched_since=NOW.timestamp() - 60,
        latest=(LatestLine(number=8, at=NOW.timestamp(), level=None, text="tick"),),
        latest_trouble=(line,),
    )
    assert "it printed: pool exhausted: 60/60" in only(engine_reading(sick, logs=(log,))).evidence


# Restart loops


def test_a_restart_loop_is_counted_from_the_engines_events_with_its_window() -> None:
    loop = looping("web-2", 137, oom_killed=True)
    finding = only(
        engine_reading(
            container("web-1"), loop, events=tuple(crashes(loop, 580, 400, 200, 60, oom=True, exit_code=137))
        )
    )
    assert finding.severity is WARN
    assert finding.rule == "docker.restarts"
    assert (
        finding.title == "web-2 restarting, restarted 4 times since 03:03 (engine's events) · "
        "exit 137 OOMKilled"
    )
    assert finding.short == "web-2 4 restarts/10m, OOMKilled"
    assert "started again at 03:03:01, 03:06:01, 03:09:21, 03:11:41 UTC" in finding.evidence
    assert "4 restarts since it was created or started by hand, policy unless-stopped" in finding.evidence
    assert finding.cause == "it needs more than its limit of 256 MiB, or it leaks"
    assert finding.basis == "engine's events"
    assert finding.actions[0].action == "docker.memory"


def test_a_container_that_runs_between_two_crashes_loops_as_well() -> None:
    now_up = container("web-2", restart_count=3, exit_code=1, finished_at=ago(60), started_at=ago(59))
    data = engine_reading(container("web-1"), now_up, events=tuple(crashes(now_up, 500, 300, 60)))
    assert only(data).title == "web-2 restarted 3 times since 03:04 (engine's events) · exit 1"


@pytest.mark.parametrize(
    ("seconds", "is_told"), [((500, 300, 60), True), ((700, 300, 60), False), ((300, 60), False)]
)
def test_it_takes_three_within_ten_minutes(seconds: tuple[float, ...], is_told: bool) -> None:
    now_up = container("web-2", restart_count=len(seconds))
    assert bool(found(engine_reading(now_up, events=tuple(crashes(now_up, *seconds))))) is is_told


def test_where_events_are_forgotten_the_engines_count_of_a_young_container_tells() -> None:
    young = looping("web-2", 3, restart_count=11, created_at=ago(180))
    data = engine_reading(container("web-1"), young, events=tuple(crashes(young, 40)), events_since=ago(60))
    finding = only(data)
    assert finding.title == "web-2 restarting, restarted 11 times since 03:09 (engine's count) · exit 3"
    old = looping("web-2", 3, restart_count=11, created_at=ago(700))
    data = engine_reading(container("web-1"), old, events=tuple(crashes(old, 40)), events_since=ago(60))
    assert only(data).title == "web-2 waits for its next start after 11 restarts · exit 3"


def test_a_loop_is_told_also_in_the_moments_in_which_it_runs() -> None:
    up = looping(
        "web-2",
        3,
        state="running",
        health="starting",
        restart_count=11,
        started_at=ago(1),
        finished_at=ago(61),
    )
    finding = only(engine_reading(up, events_since=ago(60)))
    assert finding.severity is CRIT, "it is the only one of its service, and will be gone again"
    assert finding.title == ("web-2 restarted 1s ago after 11 restarts · exit 3 · nothing of shop/web serves")
    calm = looping("web-2", 3, state="running", restart_count=11, started_at=ago(91), finished_at=ago(92))
    assert found(engine_reading(calm, events_since=ago(60))) == ()


def test_restarts_that_somebody_asked_for_are_no_loop() -> None:
    web = container("web-1", restart_count=0)
    by_hand = [
        event(web, action, for_s=for_s)
        for for_s in (400, 300, 200, 100)
        for action in ("kill", "die", "stop", "start", "restart")
    ]
    assert found(engine_reading(web, events=tuple(by_hand))) == ()
    policy_once = container("web-1", restart_count=1)
    assert found(engine_reading(policy_once, events=tuple(by_hand))) == ()


def test_one_that_waits_for_its_next_start_is_told_without_any_event() -> None:
    finding = only(engine_reading(looping("web-1", 127, restart_count=1), events_since=None))
    assert finding.severity is CRIT, "it is the only one of its service"
    assert finding.title == "web-1 waits for its next start · exit 127 · nothing of shop/web serves"
    assert finding.cause == "its command or image is wrong: it can never run"
    assert "the engine's events could not be read" in finding.evidence


# Memory


def test_a_kill_for_memory_is_told_although_it_runs_again() -> None:
    up_again = container("web-1", restart_count=1, exit_code=137, started_at=ago(40), oom_killed=False)
    finding = only(engine_reading(up_again, events=tuple(crashes(up_again, 40, oom=True, exit_code=137))))
    assert (finding.rule, finding.severity) == ("docker.oom", WARN)
    assert finding.title == "web-1 OOM-killed 40s ago, runs again, limit 256 MiB"
    assert [a.action for a in finding.actions] == ["docker.memory", "docker.restart"]


def test_a_kill_of_a_child_process_leaves_the_container_running() -> None:
    web = container("web-1")
    finding = only(engine_reading(web, events=(event(web, "oom", for_s=20),)))
    assert finding.title == "web-1 lost a process to OOM 20s ago, it goes on, limit 256 MiB"


def test_one_that_memory_ended_and_that_stays_down_is_critical_for_its_service() -> None:
    down = ended("web-1", 137, oom_killed=True)
    finding = only(engine_reading(down))
    assert (finding.rule, finding.severity) == ("docker.oom", CRIT)
    assert finding.title == "web-1 OOM-killed 30s ago, down now, limit 256 MiB · nothing of shop/web serves"
    assert found(engine_reading(ended("web-1", 137, for_s=3700, oom_killed=True))) == ()


@pytest.mark.parametrize(
    ("used_mib", "before_mib", "severity"),
    [
        (230, 230, None),
        (231, 231, WARN),
        (250, 250, WARN),
        (251, 251, CRIT),
        (256, 200, WARN),
        (200, 256, None),
        (256, None, WARN),
    ],
)
def test_memory_near_the_limit_is_critical_only_on_two_readings(
    used_mib: int, before_mib: int | None, severity: Severity | None
) -> None:
    web = container("web-1")
    usage = used(
        memory_bytes=used_mib * MIB, memory_before_bytes=None if before_mib is None else before_mib * MIB
    )
    told = found(engine_reading(web, usage={web.id: usage}))
    assert [f.severity for f in told] == ([] if severity is None else [severity])
    if severity is CRIT:
        assert told[0].title == "web-1 memory 251 MiB of 256 MiB (98.0%)"
        assert told[0].basis == "2 readings over 2s"
        assert "it may swap 256 MiB beyond that" in told[0].evidence


def test_a_container_without_a_limit_is_never_at_it() -> None:
    free = container("web-1", memory_limit_bytes=None)
    assert found(engine_reading(free, usage={free.id: used(memory_bytes=2**40)})) == ()


@pytest.mark.parametrize(("ratio", "is_told"), [(0.24, False), (0.25, True), (None, False)])
def test_throttling_is_told_with_its_window(ratio: float | None, is_told: bool) -> None:
    web = container("web-1")
    told = found(engine_reading(web, usage={web.id: used(throttled_ratio=ratio, window_s=4.0)}))
    assert bool(told) is is_told
    if is_told:
        assert told[0].title == "web-1 held back by its CPU limit in 25% of periods over 4s, limit 0.5 CPU"


# Ends


def test_an_exit_with_an_error_is_told_with_the_codes_meaning() -> None:
    finding = only(engine_reading(container("web-2"), ended("web-1", 139)))
    assert (finding.rule, finding.severity) == ("docker.exited", WARN)
    assert finding.title == "web-1 ended 30s ago with exit 139 SIGSEGV"
    assert finding.evidence[0].startswith("exit 139 SIGSEGV, crashed")
    assert [a.action for a in finding.actions] == ["docker.start", "docker.start_service"]
    assert only(engine_reading(ended("web-1", 1))).severity is CRIT


@pytest.mark.parametrize(
    ("one", "is_told"),
    [
        (ended("web-1", 1), True),
        (ended("web-1", 1, for_s=3599), True),
        (ended("web-1", 1, for_s=3601), False),
        (ended("web-1", 0), False),
        (ended("job", 1, project=None, service=None, restart_policy="no"), False),
        (ended("job", 1, project=None, service=None, restart_policy="on-failure:5"), True),
    ],
)
def test_only_a_recent_end_of_what_was_meant_to_run_counts(one: Container, is_told: bool) -> None:
    assert bool(found(engine_reading(one))) is is_told


@pytest.mark.parametrize(
    ("actions", "is_told"),
    [
        (("kill", "die", "stop"), False),
        (("kill", "die"), False),
        (("die",), True),
        (("die", "stop", "start", "die"), True),
        ((), True),
    ],
)
def test_an_end_that_somebody_asked_for_is_no_alarm(actions: tuple[str, ...], is_told: bool) -> None:
    web = ended("web-1", 137)
    events = tuple(event(web, action, for_s=30.0) for action in actions)
    told = found(engine_reading(web, events=events))
    assert bool(told) is is_told
    if not actions:
        assert any("the engine has forgotten its end" in line for line in told[0].evidence)


def test_a_job_that_failed_is_no_outage() -> None:
    job = ended("migrate-1", 1, restart_policy="no")
    assert only(engine_reading(job)).severity is WARN
    assert only(engine_reading(job)).title == "migrate-1 ended 30s ago with exit 1"
    watched = ended("web-1", 1, restart_policy="no", health_log=(check("refused"),))
    assert only(engine_reading(watched)).severity is CRIT


def test_a_signal_long_before_its_end_did_not_end_it() -> None:
    web = ended("web-1", 1)
    events = (event(web, "kill", for_s=90), event(web, "die", for_s=30))
    assert only(engine_reading(web, events=events)).rule == "docker.exited"


def test_one_that_could_not_be_started_says_why() -> None:
    stuck = container(
        "web-1",
        state="created",
        health=None,
        started_at=None,
        created_at=ago(20),
        exit_code=127,
        error='exec: "serve": executable file not found in $PATH',
    )
    finding = only(engine_reading(stuck))
    assert finding.rule == "docker.not_started"
    assert 'could not be started: exec: "serve": executable file not found in $PATH' in finding.title


def test_a_dead_container_is_told() -> None:
    finding = only(engine_reading(container("web-1"), container("web-2", state="dead", health=None)))
    assert finding.title == "web-2 dead: the engine could not remove it"


# All together


def test_the_same_on_several_of_one_service_is_told_once() -> None:
    sick = [unwell(f"web-{n}", failing_streak=n) for n in (1, 2, 3)]
    finding = only(engine_reading(*sick, container("api-1")))
    assert finding.title.startswith("3 of shop/web: web-3 unhealthy, 3 checks in a row failed")
    assert finding.short.endswith("+2")
    assert finding.evidence[-1] == "the same on web-2, web-1"
    restarts = [a.identity for a in finding.actions if a.action == "docker.restart"]
    assert {i.id for i in restarts if isinstance(i, ContainerIdentity)} == {c.id for c in sick}
    assert sum(a.action == "docker.restart_service" for a in finding.actions) == 1


def test_different_services_are_told_apart_and_keep_their_keys() -> None:
    first = found(engine_reading(unwell("web-1"), unwell("api-1")))
    again = found(engine_reading(unwell("api-1"), unwell("web-1")))
    assert len({f.key for f in first}) == 2
    assert {f.key for f in first} == {f.key for f in again}


# What it explains elsewhere


def unreachable_view(kind: str, name: str) -> TargetView:
    """A target that refuses connections."""
    target = msgspec.structs.replace(docker_target(name), id=TargetId(kind, name))
    refused = Failure(kind=FailureKind.REFUSED, reason="Connection refused")
    snapshot: Snapshot[Any] = Snapshot(
        target=target.id, sequence=1, taken_at=NOW, taken_mono_s=MONO_S, took_s=0.1, failure=refused
    )
    return TargetView(target=target, latest=snapshot, failures=3, failing_since=ago(40), reads=3)


@pytest.mark.parametrize(
    ("down", "name", "is_explained"),
    [
        (ended("shop-cache-1", 137, oom_killed=True, service="cache"), "cache", True),
        (ended("cache", 1, service="valkey"), "cache", True),
        (ended("shop-cache-1", 1, service="cache"), "sessions", False),
        (ended("shop-cache-1", 0, service="cache"), "cache", False),
    ],
)
def test_a_target_that_is_not_reached_is_explained_by_its_container(
    down: Container, name: str, is_explained: bool
) -> None:
    views = (unreachable_view("redis", name), engine_view(engine_reading(down)))
    told = find(views, now=NOW, mono_s=MONO_S)
    unreached = next(f for f in told if f.target.kind == "redis")
    assert (unreached.cause or "").startswith(f"probably because of local: {down.name} ") is is_explained
    if is_explained:
        assert unreached.short == f"connection refused for 40s · likely container {down.name}"
        assert [f.target.kind for f in told] == ["docker", "redis"], "the cause stands above"


def test_an_engine_that_is_not_reached_explains_nothing_by_itself() -> None:
    engine = unreachable_view("docker", "local")
    (finding,) = find((engine,), now=NOW, mono_s=MONO_S)
    assert "probably because" not in (finding.cause or "")


def test_every_suggested_action_is_there() -> None:
    loop, down = looping("a-1", 137, oom_killed=True), ended("b-1", 1)
    full = container("c-1")
    data = engine_reading(
        loop,
        down,
        full,
        ended("d-1", 137, oom_killed=True),
        unwell("e-1"),
        container("f-1", state="created", error="no such file", created_at=ago(5)),
        usage={full.id: used(memory_bytes=256 * MIB, throttled_ratio=1.0)},
    )
    told = found(data)
    assert len({f.rule for f in told}) == 7
    for finding in told:
        for suggested in finding.actions:
            assert isinstance(suggested.identity, registry.spec(suggested.action).on)


def test_thresholds_come_from_the_configuration() -> None:
    web = container("web-1", restart_count=1)
    data = engine_reading(web, usage={web.id: used(throttled_ratio=0.1)}, events=tuple(crashes(web, 30)))
    assert found(data) == ()
    told = found(data, restarts=1, memory_warn_ratio=0.5, memory_crit_ratio=0.6, throttled_warn_ratio=0.1)
    assert {f.rule: f.severity for f in told} == {
        "docker.restarts": CRIT,
        "docker.memory": CRIT,
        "docker.throttled": WARN,
    }
