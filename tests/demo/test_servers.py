"""The servers that tests and demo run on."""

from collections.abc import Callable

import psycopg

from opsdash.tui.demo.servers import PostgresServer


def test_each_version_answers_as_what_it_is(any_pg: PostgresServer) -> None:
    with psycopg.connect(any_pg.dsn()) as connection:
        assert connection.info.server_version // 10_000 == any_pg.major
        row = connection.execute("select current_setting('data_directory')").fetchone()
        assert row == (str(any_pg.data_dir),)


def test_restarted_server_keeps_its_port_and_data(start_postgres: Callable[..., PostgresServer]) -> None:
    server = start_postgres(options={"max_connections": 17})
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create table kept ()")
    before = server.pid
    server.restart()
    assert server.pid != before
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)
        assert connection.execute("show max_connections").fetchone() == ("17",)
