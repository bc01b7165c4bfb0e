"""Who follows a server and how far behind, on a real primary with a real standby."""

from collections.abc import Callable, Iterator

import msgspec
import psycopg
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.replication_rows import Receiver, Replication, Slot, Standby
from opsdash.collectors.postgres.settings import PostgresThresholds
from opsdash.tui.demo.binaries import find_binaries
from opsdash.tui.demo.keeper_link import Keeper, server_user
from opsdash.tui.demo.servers import PostgresServer
from opsdash.tui.findings.postgres_replication import replication as rule
from opsdash.widgets.panels.postgres.replication import replication_lines
from opsdash.widgets.status import Tone
from tests.support.needs import MISSING
from tests.support.readings import TARGET, reading
from tests.support.targets import postgres_target
from tests.support.waiting import wait_until, wait_until_async

MIB = 1024 * 1024


def sql(server: PostgresServer, *statements: str) -> object:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for text in statements:
            cursor = admin.execute(text.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@pytest.fixture(params=[18, 15])
def pair(
    request: pytest.FixtureRequest, keeper: Keeper, start_postgres: Callable[..., PostgresServer]
) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A primary and a standby that streams from it."""
    primary = start_postgres(major=request.param)
    sql(primary, "select pg_create_physical_replication_slot('follower', true)")
    primary.stop()
    (primary.data_dir / "standby.signal").touch()
    binaries = find_binaries(keeper.folder, user=server_user(), major=request.param)
    standby = PostgresServer(
        keeper,
        binaries,
        name=f"standby-{primary.port}",
        options={
            "primary_conninfo": f"host=127.0.0.1 port={primary.port} user=postgres application_name=follower",
            "primary_slot_name": "follower",
        },
        template=primary.data_dir,
    )
    standby.wait_ready()
    (primary.data_dir / "standby.signal").unlink()
    primary.start()
    primary.wait_ready()
    streams = "select count(*) from pg_stat_replication where state = 'streaming'"
    wait_until(lambda: sql(primary, streams), 60, "the standby streams")
    yield primary, standby
    standby.stop()


async def replication_of(server: PostgresServer) -> Replication:
    collector = PostgresCollector(postgres_target(server.dsn()), Clock())
    try:
        found = (await collector.collect()).replication
    finally:
        await collector.close()
    assert found is not None
    assert found.limit is None
    return found


async def test_standby_lags_when_it_does_not_replay_and_both_sides_say_so(
    pair: tuple[PostgresServer, PostgresServer],
) -> None:
    primary, standby = pair
    sql(primary, "create table t (text text)", "insert into t values ('a')")

    async def caught_up() -> Standby | None:
        (found,) = (await replication_of(primary)).standbys
        return found if found.replay_bytes == 0 else None

    found = await wait_until_async(caught_up, 60, "the standby has all of it")
    assert found is not None
    assert (found.application_name, found.state, found.sync_state) == ("follower", "streaming", "async")
    assert found.client_addr == "127.0.0.1"

    sql(standby, "select pg_wal_replay_pause()")
    sql(primary, "insert into t select repeat('x', 1000) from generate_series(1, 2000)")

    async def behind() -> Standby | None:
        (found,) = (await replication_of(primary)).standbys
        return found if (found.replay_bytes or 0) > MIB and not found.flush_bytes else None

    assert await wait_until_async(behind, 60, "it has flushed what it does not replay")
    there = (await replication_of(standby)).receiver
    assert there is not None
    assert there.status == "streaming"
    assert there.sender == f"127.0.0.1:{primary.port}"
    assert there.slot_name == "follower"
    assert there.is_paused
    assert (there.unreplayed_bytes or 0) > MIB
    assert there.has_primary
    here = await replication_of(primary)
    assert here.receiver is None
    (slot,) = here.slots
    assert (slot.name, slot.is_active, slot.slot_type) == ("follower", True, "physical")

    sql(standby, "select pg_wal_replay_resume()")
    assert await wait_until_async(caught_up, 60, "it has caught up again")


async def test_slot_that_nobody_uses_keeps_wal_and_is_seen_to_grow(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    for major in (18, 15):
        if f"pg{major}" in MISSING:
            continue
        server = start_postgres(major=major, options={"wal_level": "logical"})
        sql(
            server,
            "select pg_create_physical_replication_slot('gone', true)",
            "select pg_create_logical_replication_slot('feed', 'pgoutput')",
            "select pg_create_physical_replication_slot('later')",
        )
        collector = PostgresCollector(postgres_target(server.dsn()), Clock())
        collector.look_at((), "replication")
        try:
            first = (await collector.collect()).replication
            sql(server, "create table t as select repeat('x', 1000) from generate_series(1, 3000)")
            second = (await collector.collect()).replication
        finally:
            await collector.close()
        assert first is not None
        assert first.span_s is None
        assert second is not None
        slots = {slot.name: slot for slot in second.slots}
        assert (slots["gone"].grown_bytes or 0) > MIB
        assert slots["gone"].wal_status == "reserved"
        assert (slots["feed"].plugin, slots["feed"].database) == ("pgoutput", "postgres")
        assert (slots["later"].retained_bytes, slots["later"].grown_bytes) == (None, None)
        assert not any(slot.is_active for slot in second.slots)
        assert [slot.unused_s is not None for slot in second.slots] == [server.major >= 17] * 3


def found(replication: Replication, **thresholds: int) -> list[tuple[str, str]]:
    findings = rule(reading(replication=replication), TARGET, PostgresThresholds(**thresholds))
    return [(finding.severity.word, finding.title) for finding in findings]


def test_standby_that_lags_in_time_or_bytes_is_found_and_a_caught_up_one_is_not() -> None:
    fine = Standby(pid=1, application_name="a", state="streaming", replay_bytes=0)
    late = Standby(pid=2, application_name="b", state="streaming", replay_bytes=5 * MIB, replay_lag_s=90.0)
    mute = Standby(pid=3, application_name="c", state="catchup", replay_bytes=900 * MIB)
    hidden = Standby(pid=4)
    titles = found(Replication(standbys=(fine, late, mute, hidden)))
    assert titles == [
        ("WARN", "standby b is 1m30s and 5 MiB behind · streaming"),
        ("WARN", "standby c is 900 MiB (it does not say how long) behind · catchup"),
    ]


@pytest.mark.parametrize(
    ("receiver", "words"),
    [
        (Receiver(status="streaming", unreplayed_bytes=0, replayed_s_ago=9000.0), None),
        (Receiver(status="streaming", unreplayed_bytes=8 * MIB, replayed_s_ago=3.0), None),
        (Receiver(status=None, unreplayed_bytes=0, has_primary=False), None),
        (
            Receiver(status="streaming", unreplayed_bytes=8 * MIB, replayed_s_ago=90.0, is_paused=True),
            "this standby: replay is paused · 8 MiB received and not replayed, last transaction replayed is "
            "of 1m30s ago",
        ),
        (Receiver(status=None, unreplayed_bytes=0, has_primary=True), "this standby: no WAL receiver"),
        (Receiver(status="streaming", unreplayed_bytes=900 * MIB), "this standby: replay is behind"),
        (
            Receiver(status="streaming", unreplayed_bytes=1, replayed_s_ago=90.0),
            "this standby: replay is behind",
        ),
    ],
)
def test_standby_itself_says_when_it_does_not_follow(receiver: Receiver, words: str | None) -> None:
    titles = [title for _, title in found(Replication(receiver=receiver))]
    assert len(titles) == (words is not None)
    assert all(title.startswith(words or "") for title in titles)


def test_lag_of_a_standby_by_its_own_account_has_a_time_only_while_it_has_more_to_replay() -> None:
    more = Receiver(status="streaming", unreplayed_bytes=MIB, replayed_s_ago=90.0, is_paused=True)
    done = msgspec.structs.replace(more, unreplayed_bytes=0, is_paused=False)
    lines = [replication_lines(Replication(receiver=r), PostgresThresholds())[0] for r in (more, done)]
    assert [(line.state, line.lag_s, line.is_caught_up) for line in lines] == [
        ("replay paused, streaming", 90.0, False),
        ("streaming", None, True),
    ]


def test_slot_says_for_how_long_nobody_has_used_it() -> None:
    slot = Slot(name="s", slot_type="physical", is_active=False, retained_bytes=900 * MIB, unused_s=7200.0)
    ((_, title),) = found(Replication(slots=(slot,)))
    assert title.startswith("replication slot s is not in use for 2h00m and keeps 900 MiB of WAL")
    (line,) = replication_lines(Replication(slots=(slot,)), PostgresThresholds())
    assert line.detail.endswith("for 2h00m")


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        (Slot(name="s", slot_type="physical", is_active=True, retained_bytes=900 * MIB), None),
        (Slot(name="s", slot_type="physical", is_active=False, retained_bytes=9 * MIB), None),
        (Slot(name="s", slot_type="physical", is_active=False), None),
        (
            Slot(
                name="s",
                slot_type="physical",
                is_active=False,
                retained_bytes=900 * MIB,
                grown_bytes=20 * MIB,
            ),
            "WARN replication slot s is not in use and keeps 900 MiB of WAL, growing 2 MiB/s over 10s",
        ),
        (
            Slot(name="s", slot_type="logical", is_active=False, wal_status="lost"),
            "CRIT replication slot s is lost: its WAL is gone: who used it must be built anew",
        ),
    ],
)
def test_slot_is_found_when_it_keeps_much_for_nobody_or_is_lost(slot: Slot, words: str | None) -> None:
    titles = [" ".join(title) for title in found(Replication(slots=(slot,), span_s=10.0))]
    assert titles == ([] if words is None else [words])


def test_lines_tell_unknown_lag_from_none() -> None:
    caught_up = Standby(pid=1, application_name="a", state="streaming", replay_bytes=0)
    unknown = Standby(pid=2, application_name="b", state="streaming", replay_bytes=5 * MIB)
    hidden = Standby(pid=3)
    receiver = Receiver(status=None, unreplayed_bytes=0)
    lines = replication_lines(
        Replication(standbys=(caught_up, unknown, hidden), receiver=receiver), PostgresThresholds()
    )
    assert [(line.kind, line.state, line.tone) for line in lines] == [
        ("follows", "no WAL receiver", Tone.WARN),
        ("standby", "streaming", Tone.OK),
        ("standby", "streaming", Tone.OK),
        ("standby", "not visible to this role", Tone.UNKNOWN),
    ]
    assert [(line.lag_bytes, line.lag_s, line.is_caught_up) for line in lines[1:]] == [
        (0, None, True),
        (5 * MIB, None, False),
        (None, None, False),
    ]
