"""The files in docs/grants give what opsdash needs, and no more than they say: run as those very roles."""

import re
from pathlib import Path

import psycopg
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.redis.collector import RedisCollector
from opsdash.collectors.redis.commands import acl_rule
from opsdash.tui.demo.servers import PostgresServer
from tests.documents import FOLDER
from tests.support.redis_servers import RedisServer, redis_target
from tests.support.targets import postgres_target

GRANTS = FOLDER / "grants"


def statements(path: Path) -> list[str]:
    """The statements of a file, without its comments."""
    bare = re.sub(r"--[^\n]*", "", path.read_text("utf-8"))
    return [one.strip() for one in bare.split(";") if one.strip()]


@pytest.fixture
def admin(any_pg: PostgresServer) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(any_pg.dsn(), autocommit=True)


async def test_the_reading_role_sees_everything_and_may_change_nothing(
    any_pg: PostgresServer, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    for statement in statements(GRANTS / "postgres_read.sql"):
        admin.execute(statement)
    collector = PostgresCollector(postgres_target(any_pg.dsn("opsdash")), Clock())
    try:
        data = await collector.collect()
        assert data.limits == ()
        own = admin.info.backend_pid
        assert any(session.pid == own and session.is_visible for session in data.sessions)
        with psycopg.connect(any_pg.dsn("opsdash"), autocommit=True) as plain:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                plain.execute("create table public.t ()")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                plain.execute("select pg_terminate_backend(%s)", (own,))
    finally:
        await collector.close()
        admin.execute("drop role opsdash")
        admin.close()


def test_the_acting_role_may_identify_and_end_sessions_and_read_no_data(
    any_pg: PostgresServer, admin: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    for statement in (*statements(GRANTS / "postgres_act.sql"), "create role checkout login"):
        admin.execute(statement)
    admin.execute("create table held ()")
    victim = psycopg.connect(any_pg.dsn("checkout"), autocommit=True)
    try:
        with psycopg.connect(any_pg.dsn("opsdash_act"), autocommit=True) as acting:
            row = acting.execute(
                "select backend_start from pg_stat_activity where pid = %s", (victim.info.backend_pid,)
            ).fetchone()
            assert row is not None
            assert row[0] is not None
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                acting.execute("select * from held")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                acting.execute("select pg_terminate_backend(%s)", (admin.info.backend_pid,))
            assert acting.execute(
                "select pg_terminate_backend(%s)", (victim.info.backend_pid,)
            ).fetchone() == (True,)
    finally:
        victim.close()
        admin.execute("drop table held")
        admin.execute("drop role checkout, opsdash_act")
        admin.close()


async def test_the_rule_of_the_reading_redis_user_is_enough(any_redis: RedisServer) -> None:
    version = tuple(int(part) for part in any_redis.admin().info("server")["redis_version"].split(".")[:2])
    names = {"redis_read.acl": acl_rule(), "redis_act.acl": acl_rule("opsdash_act", may_act=True)}
    for name, rule in names.items():
        assert rule in (GRANTS / name).read_text("utf-8")
    words = acl_rule(version=version).replace(">CHOOSE-A-PASSWORD", ">pw").split()
    any_redis.admin().execute_command(*words)
    collector = RedisCollector(redis_target(f"redis://opsdash:pw@127.0.0.1:{any_redis.port}/0"), Clock())
    try:
        data = await collector.collect()
        assert data.limits == ()
    finally:
        await collector.close()
