"""Reads that a person asks for: one statement with its literals."""

import psycopg
import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.collector import PostgresCollector
from opsdash.collectors.postgres.drill import drill, read_source, statement_text
from opsdash.collectors.postgres.rows import PostgresData, SessionIdentity
from opsdash.tui.demo.servers import PostgresServer
from tests.support.servers import ServerPark
from tests.support.targets import postgres_target


async def read(server: PostgresServer) -> PostgresData:
    collector = PostgresCollector(postgres_target(server.dsn()), Clock())
    try:
        return await collector.collect()
    finally:
        await collector.close()


async def identity_of(server: PostgresServer, pid: int) -> SessionIdentity:
    session = (await read(server)).session(pid)
    assert session is not None
    return session.identity


async def test_literals_are_masked_in_readings_and_shown_when_asked_for(any_pg: PostgresServer) -> None:
    with psycopg.connect(any_pg.dsn()) as client:
        client.execute("select 'hunter2' as said")
        pid = client.info.backend_pid
        data = await read(any_pg)
        session = data.session(pid)
        assert session is not None
        assert session.query == "select ? as said"
        assert (
            await statement_text(postgres_target(any_pg.dsn()), session.identity)
            == "select 'hunter2' as said"
        )


async def test_another_statement_of_the_same_session_is_not_shown(any_pg: PostgresServer) -> None:
    with psycopg.connect(any_pg.dsn()) as client:
        client.execute("select 1")
        identity = await identity_of(any_pg, client.info.backend_pid)
        client.execute("select 'other'")
        assert await statement_text(postgres_target(any_pg.dsn()), identity) is None


async def test_a_session_in_another_encoding_is_shown(any_pg: PostgresServer) -> None:
    with psycopg.connect(any_pg.dsn(), autocommit=True) as admin:
        admin.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
        try:
            with psycopg.connect(any_pg.dsn(dbname="latin"), client_encoding="latin1") as client:
                client.execute("select 'caf\u00e9'")
                identity = await identity_of(any_pg, client.info.backend_pid)
                shown = await statement_text(postgres_target(any_pg.dsn()), identity)
        finally:
            admin.execute("drop database latin with (force)")
    assert shown is not None
    assert shown.startswith("select 'caf")


@pytest.mark.parametrize("major", [18, 15])
async def test_a_statement_is_shown_whatever_length_of_text_the_server_keeps(
    server_park: ServerPark, major: int
) -> None:
    server = server_park.start(major, options={"track_activity_query_size": 1500}, name="odd-length")
    target = postgres_target(server.dsn())
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as client:
            for text, is_cut in (("select 'hunter2'", False), (f"select '{'x' * 1600}'", True)):
                client.execute(text.encode())
                identity = await identity_of(server, client.info.backend_pid)
                async with drill(target) as connection:
                    source = await read_source(connection, target, identity)
                assert source is not None
                assert (source.text, source.is_cut) == (text[: 1500 - 1], is_cut)
    finally:
        server.stop()
