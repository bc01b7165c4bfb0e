"""What the demo's servers hold before the story begins: roles for opsdash, a database, tables, rows."""

from pathlib import Path

import psycopg
from psycopg import sql

from opsdash.tui.demo.servers import PostgresServer

MONITOR_ROLE = "opsdash"
ACTION_ROLE = "opsdash_act"


def create_database(server: PostgresServer, name: str) -> None:
    """Create opsdash's two roles on `server`, and the database `name` with the tables of the shop."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(_statements("roles.sql"))
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with psycopg.connect(server.dsn(dbname=name)) as connection:
        connection.execute(_statements("shop.sql"))


def _statements(file: str) -> bytes:
    return Path(__file__).with_name(file).read_bytes()
