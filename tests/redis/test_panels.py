"""What panels say of readings made by hand, at every width and height."""

from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from opsdash.collectors.feed import TargetView
from opsdash.collectors.redis.rows import (
    Database,
    Rates,
    Recent,
    RedisData,
    Replication,
    SentinelMaster,
)
from opsdash.collectors.snapshot import Failure, FailureKind, Snapshot
from opsdash.tui.findings.redis import findings
from opsdash.widgets.lines import Line, span_text
from opsdash.widgets.panels.redis.figures import client_detail, figure_lines, keyspace_lines
from opsdash.widgets.panels.redis.overview import overview_lines
from tests.support.readings import NOW
from tests.support.redis_readings import client, errors, memory, redis_reading
from tests.support.redis_servers import redis_target

MONO_S = 1000.0


def view(name: str, data: RedisData | None = None, failure: Failure | None = None) -> TargetView:
    """What the feed holds of a target that was read once."""
    target = redis_target("redis://cache", name=name)
    if data is None and failure is None:
        return TargetView(target=target)
    snapshot: Snapshot[Any] = Snapshot(
        target=target.id,
        sequence=1,
        taken_at=NOW,
        taken_mono_s=MONO_S,
        took_s=0.01,
        data=data,
        failure=failure,
    )
    return TargetView(
        target=target,
        latest=snapshot,
        good=snapshot if data else None,
        failures=1 if failure else 0,
        reads=1,
    )


def text(line: Line) -> str:
    return "".join(span_text(span) for span in line)


def panel(views: Sequence[TargetView], width: int, height: int) -> list[str]:
    told = [f for v in views if v.data is not None for f in findings(v.data, v.target)]
    lines = overview_lines(views, told, mono_s=MONO_S, width=width, height=height)
    return [text(line) for line in lines]


FULL = redis_reading(
    memory=memory(512, policy="noeviction"),
    databases=(Database(db=0, keys=1_000_000, expires=0),),
    **errors(OOM=31),
)
DEAD = Failure(kind=FailureKind.REFUSED, reason="10.0.0.9:6379: Connection refused", hint="start it")
VIEWS = (view("cache", redis_reading()), view("sessions", FULL), view("dead", failure=DEAD), view("new"))


@pytest.mark.parametrize("width", [60, 80, 100, 132, 180, 200])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 6, 8, 20])
def test_it_fits_at_every_size_and_has_the_worst_first(width: int, height: int) -> None:
    lines = panel(VIEWS, width, height)
    assert 1 <= len(lines) <= height
    # `rule` and `fit` never cut a figure; a failure's reason may run over the edge, where it is cut
    assert all(cell_len(line) <= width for line in lines if "refused" not in line or "writes" in line)
    assert "sessions" in lines[0]


def test_in_one_line_the_worst_is_named_and_the_others_are_counted() -> None:
    (line,) = panel(VIEWS[:2], 80, 1)
    assert line.startswith("3 Cache       ✖ sessions  memory 512/512 MiB, writes refused, noeviction")
    assert line.endswith(" +1: ● 1")
    (well,) = panel([view("cache", redis_reading())], 80, 1)
    assert well.split() == ["3", "Cache", "●", "cache", "100/512", "MiB", "hit", "ratio", "97%", "over", "2s"]


def test_where_there_is_room_every_server_is_told_in_full_below_one_name_of_the_area() -> None:
    two = [view("cache", redis_reading()), view("sessions", redis_reading(memory=memory(512)))]
    told = panel(two, 132, 8)
    assert [line[:15] for line in told if line.startswith("──")] == ["── 3 Cache · ca", "── sessions · R"]
    assert sum(line.startswith("memory ") for line in told) == 2
    assert sum(line.startswith("memory ") for line in panel(two, 132, 7)) == 1


def test_a_full_server_is_told_in_plain_words_with_windows() -> None:
    lines = panel(VIEWS, 132, 12)
    assert "3 Cache · sessions · Redis 7.2.4" in lines[0]
    assert "memory 512/512 MiB" in lines[1]
    assert "noeviction: writes are refused" in lines[1]
    assert "31 writes refused in 12s" in lines[2]
    assert "hit ratio 97% over 2s" in lines[2]
    assert any(line.startswith("✖ dead") and "connection refused" in line for line in lines) or any(
        "dead" in line and "connection refused" in line for line in lines
    )
    assert any("new" in line and "waiting for the first reading" in line for line in lines)


def test_a_full_cache_is_no_alarm_and_says_why() -> None:
    lines = panel([view("cache", redis_reading(memory=memory(512)))], 132, 8)
    assert "full is normal for a cache" in lines[1]
    assert "✖" not in "".join(lines)


def test_what_is_unknown_is_never_zero() -> None:
    blank = redis_reading(
        memory=memory(
            maxmemory_bytes=None, maxmemory_policy=None, used_memory_bytes=None, counted_bytes=None
        ),
        rates=Rates(),
        recent=Recent(),
        hit_ratio=None,
        connected_clients=None,
        maxclients=None,
        blocked_clients=None,
        evicted_keys=None,
        rejected_connections=None,
        uptime_s=None,
        latency=None,
    )
    told = "\n".join([*panel([view("cache", blank)], 200, 8), *map(text, figure_lines(blank, 200))])
    assert "memory -" in told
    assert "ops -/s" in told
    assert "clients -" in told
    assert "two readings are needed" in told
    assert " 0" not in told.replace("replicas 0", "").replace(" 0.4 ms", "").replace(" 0s", "")


def test_a_sentinel_shows_what_it_watches() -> None:
    master = SentinelMaster(
        name="m1", address="10.0.0.5:6379", status="odown", replicas=2, sentinels=3, quorum="NOQUORUM"
    )
    lines = panel([view("watch", redis_reading(mode="sentinel", sentinel=(master,)))], 132, 6)
    assert "m1 odown" in lines[1]
    assert "memory" not in "".join(lines)


def test_a_replica_says_whom_it_follows() -> None:
    link = Replication(role="slave", primary_address="10.0.0.5:6379", link_status="down", link_down_for_s=95)
    data = redis_reading(replication=link, memory=memory(512, policy="noeviction"))
    told = "\n".join(panel([view("copy", data)], 132, 8))
    assert "replica of 10.0.0.5:6379, link down" in told
    assert "a replica keeps what its primary keeps" in told
    below = "\n".join(map(text, keyspace_lines(data, 100)))
    assert "link down for 1m35s" in below


def test_figures_fit_into_a_narrow_screen() -> None:
    for width in (40, 58, 78):
        assert all(cell_len(text(line)) <= width for line in figure_lines(FULL, width))


def test_a_client_is_told_in_full() -> None:
    row = client(7, flags="bx", queued=2, subscriptions=1, library="redis-py")
    told = "\n".join(map(text, client_detail(row, 100)))
    for words in ("7 · 10.2.0.31:40007 · checkout", "blocked, in MULTI", "2 commands queued", "redis-py"):
        assert words in told
