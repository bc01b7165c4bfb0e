"""The blocking tree of real servers: how PostgreSQL queues, and what is made of it."""

from collections.abc import Callable

from opsdash.collectors.clock import Clock
from opsdash.collectors.finding import Severity
from opsdash.collectors.postgres.blocking_rows import describe_wait
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.tui.demo.servers import PostgresServer
from opsdash.tui.findings.postgres import findings
from tests.support.lockers import Scene, target_of
from tests.support.readings import shapes


def update(row: int) -> str:
    return f"update stock set qty = qty + 1 where id = {row}"


async def test_thirty_writers_of_one_row_are_one_line_in_the_order_they_came(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "line_of_30") as scene:
        root = scene.locker("begin", update(1))
        line = [await scene.waiter(update(1), "begin") for _ in range(30)]
        (found,) = await scene.forest(waiting=30)
        assert shapes((found,)) == [(root.pid, [w.pid for w in line])]
        assert [child.place_in_line for child in found.children] == list(range(1, 31))
        assert describe_wait(found.children[0]).endswith(f"(held by {root.pid})")
        assert describe_wait(found.children[29]) == "tuple stock, 30th in line"
        assert found.session is not None
        assert found.session.is_idle_in_transaction


async def test_line_keeps_its_order_when_its_root_is_terminated(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "line_moves_up") as scene:
        root = scene.locker("begin", update(1))
        line = [await scene.waiter(update(1), "begin") for _ in range(6)]
        scene.admin(f"select pg_terminate_backend({root.pid})")
        (found,) = await scene.forest(waiting=5)
        assert shapes((found,)) == [(line[0].pid, [w.pid for w in line[1:]])]
        assert [child.place_in_line for child in found.children] == [1, 2, 3, 4, 5]


async def test_chain_of_three_locks_is_three_deep(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "chain") as scene:
        a = scene.locker("begin", update(1))
        b = await scene.waiter(update(1), "begin", update(2))
        c = await scene.waiter(update(2), "begin", update(3))
        d = await scene.waiter(update(3))
        e = await scene.waiter(update(3))
        forest = await scene.forest(waiting=4)
        assert shapes(forest) == [(a.pid, [(b.pid, [(c.pid, [d.pid, e.pid])])])]
        assert forest[0].waiters == 4


async def test_two_rows_of_one_holder_and_a_root_of_its_own(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "two_roots") as scene:
        a = scene.locker("begin", update(1), update(2))
        b = scene.locker("begin", update(3))
        first = [await scene.waiter(update(1)) for _ in range(3)]
        second = [await scene.waiter(update(2)) for _ in range(2)]
        third = await scene.waiter(update(3))
        forest = await scene.forest(waiting=6)
        assert shapes(forest) == [(a.pid, [w.pid for w in first + second]), (b.pid, [third.pid])]
        assert [n.place_in_line for n in forest[0].children] == [1, 2, 3, 1, 2]


async def test_readers_behind_an_alter_table_wait_for_who_holds_it_up(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "alter_waits") as scene:
        reader = scene.locker("begin", "select * from stock")
        alter = await scene.waiter("alter table stock add column note text")
        readers = [await scene.waiter("select * from stock") for _ in range(3)]
        (root,) = await scene.forest(waiting=4)
        assert shapes((root,)) == [(reader.pid, [alter.pid, *(r.pid for r in readers)])]
        assert [n.place_in_line for n in root.children] == [1, 2, 2, 2]
        assert describe_wait(root.children[0]) == f"relation stock AccessExclusiveLock (held by {reader.pid})"


async def test_row_that_two_share_has_its_writers_in_one_line(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "shared_row") as scene:
        sharing = [scene.locker("begin", "select * from stock where id = 1 for share") for _ in range(2)]
        line = [await scene.waiter(update(1)) for _ in range(3)]
        (root,) = await scene.forest(waiting=3)
        assert root.pid in {s.pid for s in sharing}
        assert shapes((root,)) == [(root.pid, [w.pid for w in line])]


async def test_inserts_of_one_key_all_wait_for_the_first(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "one_key") as scene:
        root = scene.locker("begin", "insert into stock values (77, 0)")
        line = [await scene.waiter("insert into stock values (77, 0)") for _ in range(3)]
        (found,) = await scene.forest(waiting=3)
        assert shapes((found,)) == [(root.pid, [w.pid for w in line])]
        assert [n.place_in_line for n in found.children] == [1, 1, 1]  # no order: all go when it ends


async def test_same_advisory_key_in_two_databases_is_two_lines(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "keys_here") as scene:
        scene.add_database("keys_there")
        take = "select pg_advisory_lock(7)"
        here, there = scene.locker(take), scene.locker(take, dbname="keys_there")
        waiting_here = [await scene.waiter(take) for _ in range(2)]
        waiting_there = await scene.waiter(take, dbname="keys_there")
        forest = await scene.forest(waiting=3)
        assert shapes(forest) == [
            (here.pid, [w.pid for w in waiting_here]),
            (there.pid, [waiting_there.pid]),
        ]
        assert [n.place_in_line for n in forest[0].children] == [1, 2]


async def test_prepared_transaction_is_found_and_its_statement_frees_the_line(
    start_postgres: Callable[..., PostgresServer],
) -> None:
    server = start_postgres(options={"max_prepared_transactions": 5})
    async with Scene(server, "two_phase") as scene:
        scene.locker("begin", update(2), "prepare transaction 'innocent'")
        scene.locker("begin", update(1), "prepare transaction 'it''s \\ 7'")
        line = [await scene.waiter(update(1)) for _ in range(3)]
        data = await scene.reading(waiting=3)
        (finding,) = findings(data, target_of(server))
        assert finding.identity is None
        assert finding.actions == ()
        assert finding.title.startswith("prepared transaction E'it''s \\\\ 7' blocks 3 sessions")
        (statement,) = [e.partition(": ")[2] for e in finding.evidence if "ROLLBACK PREPARED" in e]
        (root,) = await scene.forest(waiting=3)
        assert shapes((root,)) == [(0, [w.pid for w in line])]

        scene.locker(statement)
        assert await scene.forest(waiting=0) == ()
        assert [p.gid for p in (await scene.reading(waiting=0)).prepared] == ["innocent"]
        scene.locker("rollback prepared 'innocent'")


async def test_idle_root_of_a_real_line_is_found_with_the_actions_that_help(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "found_root") as scene:
        root = scene.locker("set application_name = 'checkout'", "begin", update(1))
        for _ in range(3):
            await scene.waiter(update(1))
        data = await scene.reading(waiting=3)
        (finding,) = [f for f in findings(data, target_of(any_pg)) if f.rule == "postgres.blocking"]
        assert finding.title.startswith(f"pid {root.pid} blocks 3 sessions, ")
        assert finding.title.endswith(" · idle in transaction · app=checkout")
        session = data.session(root.pid)
        assert session is not None
        assert [(a.action, a.identity) for a in finding.actions] == [
            ("postgres.terminate_root", session.identity)
        ]


async def test_statement_that_blocks_is_offered_to_be_cancelled_first(any_pg: PostgresServer) -> None:
    async with Scene(any_pg, "active_root") as scene:
        root = scene.locker("begin", update(1))
        root.send("select pg_sleep(600)")
        for _ in range(3):
            await scene.waiter(update(1))
        (finding,) = findings(await scene.reading(waiting=3), target_of(any_pg))
        assert [a.action for a in finding.actions] == ["postgres.cancel", "postgres.terminate_root"]
        assert finding.cause is not None
        assert finding.cause.startswith("its statement has been running for ")


async def test_role_without_rights_still_finds_the_root_and_says_what_it_may_not_see(
    any_pg: PostgresServer,
) -> None:
    async with Scene(any_pg, "few_rights") as scene:
        scene.admin("create role few_rights login")
        reader = PostgresCollector(target_of(any_pg, dbname="few_rights", user="few_rights"), Clock())
        try:
            root = scene.locker("begin", update(1))
            for _ in range(3):
                await scene.waiter(update(1))
            found = {f.rule: f for f in findings(await reader.collect(), reader.target)}
        finally:
            await reader.close()
            scene.admin("drop role few_rights")
        assert set(found) == {"postgres.blocking", "postgres.visibility"}
        assert found["postgres.blocking"].title.startswith(f"pid {root.pid} blocks 3 sessions")
        assert found["postgres.blocking"].title.endswith("state not visible to this role")
        assert found["postgres.blocking"].actions == ()
        assert found["postgres.visibility"].severity is Severity.UNKNOWN
        assert any('GRANT pg_monitor TO "few_rights"' in e for e in found["postgres.visibility"].evidence)
