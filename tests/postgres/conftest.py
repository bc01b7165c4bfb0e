"""Servers that keep pg_stat_statements, and the tables whose statements are looked into."""

import psycopg
import pytest

from opsdash.tui.demo.servers import PostgresServer
from tests.support.servers import ServerPark

_SHOP = """
create schema counted;
create extension pg_stat_statements schema counted;
create table items (id int primary key, sku text, qty int, region int);
insert into items select g, 'sku-' || g, g % 7, g % 3 from generate_series(1, 40000) g;
create table stock (item_id int references items, day date) partition by range (day);
create table stock_2025 partition of stock for values from ('2025-01-01') to ('2026-01-01');
create table stock_2026 partition of stock for values from ('2026-01-01') to ('2027-01-01');
create view cheap as select * from items where qty < 3;
analyze items, stock;
"""


def _counting(park: ServerPark, major: int) -> PostgresServer:
    options = {"shared_preload_libraries": "pg_stat_statements", "max_prepared_transactions": 2}
    server = park.start(major, options=options, name="counting")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(_SHOP.encode())
    return server


@pytest.fixture(scope="session")
def counting18(server_park: ServerPark) -> PostgresServer:
    """PostgreSQL 18 with pg_stat_statements in a schema of its own, and a table of 40,000 items."""
    return _counting(server_park, 18)


@pytest.fixture(scope="session")
def counting15(server_park: ServerPark) -> PostgresServer:
    """The same of PostgreSQL 15."""
    return _counting(server_park, 15)


@pytest.fixture(params=["counting18", "counting15"])
def counting(request: pytest.FixtureRequest) -> PostgresServer:
    """The test runs on each version."""
    server: PostgresServer = request.getfixturevalue(request.param)
    return server
