"""Cancel, terminate and terminate root, on real servers; the server is asked afterwards."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import ConnectionLost, ConnectionRefused, TimedOut
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Target, TargetId, environment
from opsdash.tui.actions.action import Effect, Plan, Step
from opsdash.tui.actions.postgres.deeds import Deed
from opsdash.tui.actions.postgres.follow import Patience
from opsdash.tui.actions.postgres.kit import PostgresKit
from opsdash.tui.demo.servers import PostgresServer
from tests.support.waiting import wait_until_async

Connection = psycopg.AsyncConnection[Any]

LIMIT_S = 20.0
"""Far more than anything in here takes."""

CANCEL, TERMINATE, ROOT = "postgres.cancel", "postgres.terminate", "postgres.terminate_root"


class Stage:
    """A server with a table of two rows, an application's role and one that may act."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.table = f"stock_{uuid.uuid4().hex[:8]}"
        self.kits: list[PostgresKit] = []
        self._open: list[Connection] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.roles = [f"shop_{self.table}", f"act_{self.table}"]
        self.shop, self.act = self.roles

    async def set_up(self) -> None:
        self.admin = await self.connect("admin", user="postgres")
        await self.admin.execute(f"create table {self.table} (id int primary key, qty int)")
        await self.admin.execute(f"insert into {self.table} values (1, 100), (2, 100)")
        for role in self.roles:
            await self.admin.execute(f"create role {role} login")
        await self.admin.execute(f"grant all on {self.table} to {self.shop}")
        await self.admin.execute(f"grant pg_signal_backend, pg_read_all_stats to {self.act}")

    async def take_down(self) -> None:
        for kit in self.kits:
            await kit.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self._open:
            await connection.close()
        async with await self._connection("admin", "postgres") as admin:
            rest = "select pid from pg_stat_activity where application_name <> 'admin' and usename = any(%s)"
            await wait_until_async(lambda: self._none(admin, rest), LIMIT_S, "sessions have ended")
            await admin.execute(f"drop table {self.table}")
            for role in self.roles:
                await admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
        await admin.close()

    async def _none(self, admin: Connection, query: str) -> bool:
        return not await (await admin.execute(query.encode(), [self.roles])).fetchall()

    async def _connection(self, application_name: str, user: str) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self.server.dsn(), user=user, application_name=application_name, autocommit=True
        )

    async def connect(self, application_name: str = "checkout", user: str | None = None) -> Connection:
        connection = await self._connection(application_name, user or self.shop)
        self._open.append(connection)
        return connection

    async def holder(
        self, application_name: str = "checkout", row: int = 1, user: str | None = None
    ) -> Connection:
        """A session left idle in transaction, which holds a row."""
        connection = await self.connect(application_name, user)
        await connection.execute("begin")
        await connection.execute(f"update {self.table} set qty = qty - 1 where id = {row}")
        return connection

    async def runs(self, statements: str, application_name: str = "api", user: str | None = None) -> int:
        """Start statements in a session of their own; its pid."""
        connection = await self.connect(application_name, user)

        async def run() -> None:
            with suppress(psycopg.Error):
                await connection.execute(statements.encode())

        self._tasks.append(asyncio.create_task(run()))
        return connection.info.backend_pid

    async def waiter(self, row: int = 1) -> int:
        """A session that waits for a row, and commits once it has it; its pid."""
        update = f"update {self.table} set qty = qty - 1000 where id = {row}"
        pid = await self.runs(f"begin; {update}; commit")
        await self.waits(pid)
        return pid

    async def waits(self, pid: int) -> None:
        query = "select 1 from pg_locks where not granted and pid = %s"
        await wait_until_async(lambda: self.rows(query, pid), LIMIT_S, f"{pid} waits")

    async def is_active(self, pid: int) -> None:
        query = "select 1 from pg_stat_activity where state = 'active' and pid = %s"
        await wait_until_async(lambda: self.rows(query, pid), LIMIT_S, f"{pid} is active")

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return await (await self.admin.execute(query.encode(), values)).fetchall()

    async def quantity(self, row: int = 1) -> int:
        return int((await self.rows(f"select qty from {self.table} where id = %s", row))[0][0])

    async def identity(self, of: Connection | int) -> SessionIdentity:
        pid = of if isinstance(of, int) else of.info.backend_pid
        query = "select pid, backend_start, xact_start, query_start from pg_stat_activity where pid = %s"
        return SessionIdentity(*(await self.rows(query, pid))[0])

    async def is_alive(self, identity: SessionIdentity) -> bool:
        query = "select 1 from pg_stat_activity where pid = %s and backend_start = %s"
        return bool(await self.rows(query, identity.pid, identity.backend_start))

    def target(self, user: str | None = None, **settings: Any) -> Target:
        dsn = self.server.dsn(user=user or self.act)
        return Target(
            id=TargetId("postgres", "orders"),
            environment=environment("staging"),
            interval_s=2.0,
            settings=PostgresSettings(**{"dsn": dsn, **settings}),
            source="test",
        )

    def kit(self, **settings: Any) -> PostgresKit:
        self.kits.append(PostgresKit(Clock(), **settings))
        return self.kits[-1]

    async def plan(self, action: str, *identities: SessionIdentity, user: str | None = None) -> Plan:
        return await self.kit().actions[action].plan(self.target(user), identities, may_act=True)


@pytest.fixture
async def stage(any_pg: PostgresServer) -> AsyncIterator[Stage]:
    stage = Stage(any_pg)
    await stage.set_up()
    yield stage
    await stage.take_down()


def said(plan: Plan) -> dict[str, str]:
    return {line.label: line.text for line in plan.lines}


async def perform(
    stage: Stage, plan: Plan, patience: Patience | None = None
) -> tuple[list[Effect], list[Step]]:
    """Run a plan and follow it to the end."""
    action = stage.kit(patience=patience).actions[plan.action]
    hits = await action.run(stage.target(), plan)
    steps = [step async for step in action.verify(stage.target(), plan, hits)]
    return [hit.effect for hit in hits], steps


def texts(steps: Sequence[Step]) -> list[str]:
    return [step.text for step in steps]


async def test_waiters_run_after_their_root_blocker_is_terminated(stage: Stage) -> None:
    holder = await stage.holder()
    first = await stage.waiter()
    others = [await stage.waiter() for _ in range(2)]
    plan = await stage.plan(ROOT, await stage.identity(holder))
    assert plan.refusal is None
    assert said(plan)["freed"] == f"3 wait; {first} is next and will then hold what it waits for"
    assert plan.followed == tuple(sorted([first, *others]))
    effects, steps = await perform(stage, plan)
    assert effects == [Effect.SENT]
    assert texts(steps)[0] == "session is gone"
    assert steps[-1].text == "nobody waits any more (3 sessions did)"
    assert steps[-1].is_ok
    assert steps[-1].is_final
    assert await stage.quantity() == 100 - 3000  # the holder's own update is lost, all waiters' are there


async def test_plan_says_what_is_hit_lost_freed_and_cannot_be_undone(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    plan = await stage.plan(TERMINATE, identity)
    lines = said(plan)
    assert plan.title == f"Terminate session {identity.pid}"
    assert plan.identities == (identity,)
    assert not plan.can_undo
    assert identity.backend_start is not None
    start = f"{identity.backend_start:%H:%M:%S.%f}"[:-3]
    assert (
        f"pg_terminate_backend({identity.pid}), only if it is still the same transaction" in lines["will run"]
    )
    assert f"backend_start {start}" in lines["will run"]
    assert lines["it is"].startswith(
        f"checkout · user {stage.shop} · database postgres · 127.0.0.1 · idle in tran"
    )
    assert "it has a transaction id: it may have written" in lines["lost"]
    assert lines["freed"] == "nobody waits behind it"
    assert lines["undo"].startswith("none;")
    assert "cannot be excluded" in lines["window"]
    assert next(iter(lines)) == "will run"


async def test_reading_transaction_is_said_to_have_written_nothing(stage: Stage) -> None:
    connection = await stage.connect()
    await connection.execute("begin")
    await connection.execute("select 1")
    plan = await stage.plan(TERMINATE, await stage.identity(connection))
    assert "it has written nothing" in said(plan)["lost"]


async def test_next_holder_left_idle_in_transaction_is_named_as_the_new_root(stage: Stage) -> None:
    holder = await stage.holder()
    second = await stage.connect("batch")
    lock = asyncio.create_task(
        second.execute(f"begin; update {stage.table} set qty = 0 where id = 1".encode())
    )
    await stage.waits(second.info.backend_pid)
    last = await stage.waiter()
    plan = await stage.plan(ROOT, await stage.identity(holder))
    effects, steps = await perform(stage, plan, Patience(settled_s=0.5))
    await lock
    assert effects == [Effect.SENT]
    assert steps[-1].is_final
    assert not steps[-1].is_ok
    pid = second.info.backend_pid
    assert f"{pid} is idle in transaction now · 1 still waits, behind {pid}" in steps[-1].text
    await stage.waits(last)


async def test_waiters_left_behind_a_running_session_are_told_at_the_deadline(stage: Stage) -> None:
    holder = await stage.holder()
    slow = await stage.runs(
        f"begin; update {stage.table} set qty = 0 where id = 1; select pg_sleep(60)", "batch"
    )
    await stage.waits(slow)
    await stage.waiter()
    plan = await stage.plan(TERMINATE, await stage.identity(holder))
    _, steps = await perform(stage, plan, Patience(waiters_s=0.6, settled_s=0.1))
    assert f"{slow} runs now · 1 still waits, behind {slow}" in texts(steps)
    assert steps[-1].text.startswith("session is gone, but ")
    assert not steps[-1].is_ok


async def test_waiters_that_also_wait_for_another_root_are_not_promised_to_be_freed(stage: Stage) -> None:
    first, second = await stage.holder("one", row=1), await stage.holder("two", row=2)
    holds_and_waits = await stage.connect("between")
    await holds_and_waits.execute("begin")
    query = f"lock table {stage.table} in share row exclusive mode"
    task = asyncio.create_task(holds_and_waits.execute(query.encode()))
    await stage.waits(holds_and_waits.info.backend_pid)
    plan = await stage.plan(TERMINATE, await stage.identity(first))
    freed = next(line for line in plan.lines if line.label == "freed")
    assert freed.is_warning
    assert f"also wait for {second.info.backend_pid} (two · idle in transaction" in freed.text
    task.cancel()
    with suppress(asyncio.CancelledError, psycopg.Error):
        await task


async def test_cancel_ends_the_statement_and_keeps_the_session(stage: Stage) -> None:
    pid = await stage.runs("select pg_sleep(60)")
    await stage.is_active(pid)
    identity = await stage.identity(pid)
    plan = await stage.plan(CANCEL, identity)
    assert plan.refusal is None
    assert f"pg_cancel_backend({pid}), only if it is still the same statement" in said(plan)["will run"]
    effects, steps = await perform(stage, plan)
    assert effects == [Effect.SENT]
    assert steps[-1].text.startswith("statement ended; now api · idle ")
    assert steps[-1].is_final
    assert await stage.is_alive(identity)


async def test_waiters_run_after_the_statement_that_held_them_up_is_cancelled(stage: Stage) -> None:
    pid = await stage.runs(f"begin; update {stage.table} set qty = 0 where id = 1; select pg_sleep(60)")
    await stage.is_active(pid)
    await stage.waiter()
    plan = await stage.plan(CANCEL, await stage.identity(pid))
    assert "what the statement did since" in said(plan)["lost"]
    _, steps = await perform(stage, plan)
    assert steps[-1].text == "nobody waits any more (1 session did)"
    assert await stage.quantity() == 100 - 1000


async def test_cancel_of_idle_in_transaction_is_refused_and_terminate_suggested(stage: Stage) -> None:
    plan = await stage.plan(CANCEL, await stage.identity(await stage.holder()))
    expected = "nothing is running (idle in transaction): cancel would have no effect; terminate instead"
    assert plan.refusal == expected


@pytest.mark.parametrize("action", [TERMINATE, ROOT])
async def test_another_transaction_of_the_same_session_is_not_terminated(stage: Stage, action: str) -> None:
    holder = await stage.holder()
    await stage.waiter()
    plan = await stage.plan(action, await stage.identity(holder))
    await holder.execute("rollback")
    await holder.execute("begin")
    await holder.execute(f"update {stage.table} set qty = 0 where id = 2")
    await stage.waiter(row=2)
    hits = await stage.kit().actions[action].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.CHANGED]
    assert "now checkout · idle in transaction " in hits[0].detail
    assert (await (await holder.execute("select 1")).fetchone()) == (1,)


async def test_recycled_pid_is_not_terminated(stage: Stage) -> None:
    holder = await stage.holder()
    now = await stage.identity(holder)
    assert now.backend_start is not None
    plan = await stage.plan(TERMINATE, now)
    former = msgspec.structs.replace(now, backend_start=now.backend_start - timedelta(microseconds=1))
    hits = (
        await stage.kit()
        .actions[TERMINATE]
        .run(stage.target(), msgspec.structs.replace(plan, identities=(former,)))
    )
    assert [hit.effect for hit in hits] == [Effect.GONE]
    assert f"{now.pid} is another session now: checkout" in hits[0].detail
    assert await stage.is_alive(now)
    refused = await stage.plan(TERMINATE, former)
    assert refused.refusal is not None
    assert "the session is gone" in refused.refusal


async def test_check_that_is_too_old_does_not_signal(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    parameters = {**msgspec.structs.asdict(identity), "at_most": timedelta(0)}
    rows = await stage.kit().kept(stage.target()).act(Deed.TERMINATE.statement, parameters)
    assert rows == [(None,)]
    assert await stage.is_alive(identity)


async def test_next_statement_of_a_session_is_not_cancelled(stage: Stage) -> None:
    pid = await stage.runs("select pg_sleep(60)")
    await stage.is_active(pid)
    identity = await stage.identity(pid)
    plan = await stage.plan(CANCEL, identity)
    assert identity.query_start is not None
    former = msgspec.structs.replace(identity, query_start=identity.query_start - timedelta(microseconds=1))
    kit = stage.kit()
    hits = await kit.actions[CANCEL].run(stage.target(), msgspec.structs.replace(plan, identities=(former,)))
    assert [hit.effect for hit in hits] == [Effect.CHANGED]
    await stage.is_active(pid)


async def test_session_that_ended_meanwhile_is_told_as_gone(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    plan = await stage.plan(TERMINATE, identity)
    await holder.close()

    async def is_gone() -> bool:
        return not await stage.is_alive(identity)

    await wait_until_async(is_gone, LIMIT_S, "the session has ended")
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.GONE]
    assert (await stage.plan(TERMINATE, identity)).refusal == f"{identity.pid} is gone: nothing is left to do"


async def test_transaction_that_changed_before_the_plan_is_refused_with_what_it_is_now(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    await holder.execute("rollback")
    refusal = (await stage.plan(TERMINATE, identity)).refusal
    assert refusal is not None
    assert refusal.startswith("changed since: now checkout · idle ")


async def test_root_blocker_that_waits_itself_is_refused_and_the_new_root_named(stage: Stage) -> None:
    root = await stage.holder("root", row=2)
    middle = await stage.holder("middle", row=1)
    await stage.waiter(row=1)
    task = asyncio.create_task(middle.execute(f"update {stage.table} set qty = 0 where id = 2".encode()))
    await stage.waits(middle.info.backend_pid)
    plan = await stage.plan(ROOT, await stage.identity(middle))
    assert plan.refusal is not None
    assert f"{middle.info.backend_pid} waits itself now" in plan.refusal
    assert f"root blocker is {root.info.backend_pid} (root · idle in transaction " in plan.refusal
    await root.close()
    await task


async def test_root_blocker_nobody_waits_for_any_more_is_refused_and_not_hit(stage: Stage) -> None:
    holder = await stage.holder()
    waiter = await stage.waiter()
    identity = await stage.identity(holder)
    plan = await stage.plan(ROOT, identity)
    await stage.admin.execute("select pg_terminate_backend(%s, 10000)", [waiter])
    hits = await stage.kit().actions[ROOT].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.CHANGED]
    assert hits[0].detail == f"nobody waits behind {identity.pid} any more"
    assert await stage.is_alive(identity)
    assert (await stage.plan(ROOT, identity)).refusal == hits[0].detail


async def test_role_without_pg_read_all_stats_is_told_the_grant(stage: Stage) -> None:
    holder = await stage.holder()
    identity = await stage.identity(holder)
    plan = await stage.plan(TERMINATE, identity)
    await stage.admin.execute(f"revoke pg_read_all_stats from {stage.act}")
    refused = (await stage.plan(TERMINATE, identity)).refusal
    assert refused is not None
    assert f"GRANT pg_read_all_stats TO {stage.act};" in refused
    assert "pg_signal_backend" not in refused
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.NOT_VISIBLE]
    assert hits[0].detail == f"Needed: GRANT pg_read_all_stats TO {stage.act};"
    assert await stage.is_alive(identity)


async def test_role_without_any_grant_is_told_both(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    await stage.admin.execute(f"revoke pg_read_all_stats, pg_signal_backend from {stage.act}")
    refused = (await stage.plan(TERMINATE, identity)).refusal
    assert refused is not None
    wanted = f"GRANT pg_signal_backend TO {stage.act}; GRANT pg_read_all_stats TO {stage.act};"
    assert wanted in refused


async def test_role_without_pg_signal_backend_is_refused_and_denied(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    plan = await stage.plan(TERMINATE, identity)
    await stage.admin.execute(f"revoke pg_signal_backend from {stage.act}")
    refused = (await stage.plan(TERMINATE, identity)).refusal
    assert refused is not None
    assert f"may not signal sessions of {stage.shop}" in refused
    assert f"GRANT pg_signal_backend TO {stage.act};" in refused
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), plan)
    assert [hit.effect for hit in hits] == [Effect.DENIED]
    assert hits[0].detail  # the server's words
    assert await stage.is_alive(identity)


async def test_role_may_signal_sessions_of_its_own_without_grants(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    plan = await stage.plan(TERMINATE, identity, user=stage.shop)
    assert plan.refusal is None


async def test_superusers_session_is_refused_up_front_and_denied_by_the_server(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder("backup", user="postgres"))
    refused = (await stage.plan(TERMINATE, identity)).refusal
    expected = f"{identity.pid} is a session of the superuser postgres: only a superuser may signal it"
    assert refused == expected
    as_superuser = await stage.plan(TERMINATE, identity, user="postgres")
    assert as_superuser.refusal is None
    hits = await stage.kit().actions[TERMINATE].run(stage.target(), as_superuser)
    assert [hit.effect for hit in hits] == [Effect.DENIED]
    assert await stage.is_alive(identity)


async def test_server_processes_and_opsdash_itself_are_refused(stage: Stage) -> None:
    query = "select pid, backend_start from pg_stat_activity where backend_type = 'autovacuum launcher'"
    launcher = SessionIdentity(*(await stage.rows(query))[0])
    refused = (await stage.plan(TERMINATE, launcher)).refusal
    assert refused is not None
    assert "not a client's session but: autovacuum launcher" in refused
    ourselves = await stage.identity(await stage.connect("opsdash"))
    assert (await stage.plan(TERMINATE, ourselves)).refusal == f"{ourselves.pid} is opsdash itself"


async def test_several_sessions_are_summarised_and_told_one_by_one(stage: Stage) -> None:
    holders = [await stage.holder("checkout", row=1), await stage.holder("api", row=2)]
    idle = await stage.connect("api")
    identities = [await stage.identity(c) for c in (*holders, idle)]
    await holders[1].execute("rollback")
    plan = await stage.plan(TERMINATE, *identities)
    assert plan.title == "Terminate session: 2 sessions"
    assert plan.identities == (identities[0], identities[2])
    assert said(plan)["they are"] == "checkout 1 · api 1"
    assert "1 open transaction" in said(plan)["lost"]
    assert f"{said(plan)['left out']}".startswith("changed since: now api · idle")
    effects, steps = await perform(stage, plan)
    assert effects == [Effect.SENT, Effect.SENT]
    assert steps[-1].text == "all 2 sessions are gone"
    assert [await stage.is_alive(i) for i in identities] == [False, True, False]


async def test_plan_without_permission_to_act_is_read_with_the_monitoring_role(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    kit = stage.kit()
    nobody_listens = "host=127.0.0.1 port=1 user=x dbname=x"
    target = stage.target(act_dsn=nobody_listens)
    plan = await kit.actions[TERMINATE].plan(target, [identity], may_act=False)
    assert plan.refusal is None
    assert "not known" in said(plan)
    query = "select 1 from pg_stat_activity where usename = %s"

    async def is_closed() -> bool:
        return not await stage.rows(query, stage.act)

    await wait_until_async(is_closed, LIMIT_S, "the short-lived connection is closed")
    with pytest.raises(ConnectionRefused):
        await kit.actions[TERMINATE].plan(target, [identity], may_act=True)


async def test_hostile_text_is_harmless_and_literals_are_masked_in_a_plan(stage: Stage) -> None:
    evil = "evil \x1b]52;c;aGk=\x07\u202e [/red] " + stage.table
    names = sql.Identifier(stage.shop), sql.Identifier(evil)
    await stage.admin.execute(sql.SQL("alter role {} rename to {}").format(*names))
    stage.roles.append(evil)
    connection = await stage.connect(user=evil)
    await connection.execute("begin")
    await connection.execute("select '\x1b[2J', 'hunter2'")
    plan = await stage.plan(TERMINATE, await stage.identity(connection))
    assert said(plan)["ran last"] == "select ?, ?"
    assert "user evil \u241b]52;c;aGk=\u2407\ufffd [/red]" in said(plan)["it is"]
    assert all(char.isprintable() for line in plan.lines for char in line.text)


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """Stop every process of the server: nothing is refused, and nothing answers."""
    found = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=False)
    pids = [server.pid, *map(int, found.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
async def own_stage(start_postgres: Any) -> AsyncIterator[Stage]:
    """A stage on a server of its own, which may be frozen and restarted."""
    stage = Stage(start_postgres(major=18))
    await stage.set_up()
    yield stage
    await stage.take_down()


async def test_frozen_server_gives_an_unknown_outcome_within_the_deadline(own_stage: Stage) -> None:
    stage = own_stage
    identity = await stage.identity(await stage.holder())
    kit = stage.kit(statement_s=1.0)
    action = kit.actions[TERMINATE]
    plan = await action.plan(stage.target(), [identity], may_act=True)
    with frozen(stage.server):
        started = asyncio.get_running_loop().time()
        with pytest.raises(TimedOut, match=r"no answer within 1 s"):
            await action.run(stage.target(), plan)
        assert asyncio.get_running_loop().time() - started < 3.0


async def test_statement_given_up_on_a_frozen_server_leaves_nothing_running(own_stage: Stage) -> None:
    stage = own_stage
    kit = stage.kit()
    await kit.open(stage.target())
    before = asyncio.all_tasks()
    with frozen(stage.server):
        task = asyncio.create_task(kit.kept(stage.target()).read("select 1"))
        await asyncio.wait({task}, timeout=0.2)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=2.0)
        assert done
        await wait_until_async(lambda: asyncio.all_tasks() <= before, 2.0, "no task is left")


async def test_abort_ends_a_statement_at_once_and_the_next_one_works(stage: Stage) -> None:
    kit = stage.kit()
    await kit.open(stage.target())
    connection = kit.kept(stage.target())
    task = asyncio.create_task(connection.read("select pg_sleep(4)"))
    query = "select pid from pg_stat_activity where usename = %s and wait_event = 'PgSleep'"
    await wait_until_async(lambda: stage.rows(query, stage.act), LIMIT_S, "it sleeps")
    kit.abort()
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(task, 2.0)
    assert await connection.read("select 1") == [(1,)]
    await stage.rows("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", stage.act)


async def test_connection_that_breaks_while_acting_is_not_told_as_surely_not_done(stage: Stage) -> None:
    identity = await stage.identity(await stage.holder())
    kit = stage.kit()
    plan = await kit.actions[TERMINATE].plan(stage.target(), [identity], may_act=True)
    query = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = %s"
    assert await stage.rows(query, stage.act)
    with pytest.raises(ConnectionLost):
        await kit.actions[TERMINATE].run(stage.target(), plan)


async def test_kept_connection_comes_back_after_the_server_restarted(own_stage: Stage) -> None:
    stage = own_stage
    kit = stage.kit()
    await kit.open(stage.target())
    stage.server.stop()
    stage.server.start()
    stage.server.wait_ready()
    stage.admin = await stage.connect("admin", user="postgres")
    identity = await stage.identity(await stage.holder())
    plan = await kit.actions[TERMINATE].plan(stage.target(), [identity], may_act=True)
    assert plan.refusal is None


async def fill(stage: Stage) -> None:
    """Open sessions of the application until the server takes no more."""
    attempts = await asyncio.gather(*(stage.connect() for _ in range(12)), return_exceptions=True)
    refused = [str(attempt) for attempt in attempts if isinstance(attempt, psycopg.OperationalError)]
    assert any("slots" in text or "too many clients" in text for text in refused), attempts


async def test_kept_connection_acts_on_a_full_server(start_postgres: Any) -> None:
    options = {"max_connections": 8, "superuser_reserved_connections": 3, "reserved_connections": 0}
    stage = Stage(start_postgres(major=18, options=options))
    await stage.set_up()
    kit = stage.kit()
    await kit.open(stage.target())
    holder = await stage.holder()
    await fill(stage)
    action = kit.actions[TERMINATE]
    plan = await action.plan(stage.target(), [await stage.identity(holder)], may_act=True)
    hits = await action.run(stage.target(), plan)
    steps = [step async for step in action.verify(stage.target(), plan, hits)]
    assert [step.text for step in steps] == ["session is gone"]
    await stage.take_down()


def test_names_and_keys_of_the_actions_load_no_client_library() -> None:
    code = (
        "import sys; from opsdash.collectors.clock import Clock; from opsdash.tui.actions import postgres;"
        "postgres.make_kit(Clock()); print([m for m in sys.modules if m in ('psycopg', 'textual', 'rich')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
