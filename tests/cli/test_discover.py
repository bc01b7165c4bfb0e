"""Targets that the environment's variables name."""

import pytest

from opsdash.collectors.discover import Discovery, discover
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Environment


def look(**variables: str) -> Discovery:
    return discover(variables, Environment())


def named(found: Discovery) -> list[tuple[str, str, str]]:
    """(name, dsn, source) of each target."""
    return [
        (target.name, target.settings.dsn, target.source)
        for target in found.targets
        if isinstance(target.settings, PostgresSettings)
    ]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://me:hunter2@db.internal/orders", "db.internal/orders"),
        ("postgres://db.internal:5432/orders", "db.internal/orders"),
        ("postgresql://db.internal:6432/orders", "db.internal:6432/orders"),
        ("postgresql://me@10.0.0.1,10.0.0.2/orders", "10.0.0.1+1/orders"),
        ("postgresql:///orders?host=/run/postgresql", "local/orders"),
        ("postgresql://", "local"),
        ("host=db user=me password=hunter2", "db"),
        ("service=orders", "orders"),
    ],
)
def test_a_database_url_is_named_by_its_host_and_database(url: str, name: str) -> None:
    found = look(DATABASE_URL=url)
    assert named(found) == [(name, url, "DATABASE_URL")]
    assert found.notes == (f"found postgres {name} in DATABASE_URL",)


def test_the_driver_in_an_sqlalchemy_url_is_left_out() -> None:
    url = "postgresql+psycopg://me@db/orders"
    assert named(look(DATABASE_URL=url)) == [("db/orders", "postgresql://me@db/orders", "DATABASE_URL")]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://me:hunter2@db/x", "it names mysql, which is not PostgreSQL"),
        ("sqlite:///hunter2.db", "it names sqlite, which is not PostgreSQL"),
        ("hunter2", "expected postgresql://user@host/database or key=value pairs"),
        ("postgresql://[hunter2/x", "the host in the URI cannot be read"),
    ],
)
def test_what_is_skipped_is_told_with_the_reason_and_without_the_value(url: str, reason: str) -> None:
    found = look(DATABASE_URL=url)
    assert found.targets == ()
    assert found.notes == (f"skipped DATABASE_URL: {reason}",)


@pytest.mark.parametrize(
    ("variables", "name", "source"),
    [
        (
            {"PGHOST": "db", "PGDATABASE": "orders", "PGPASSWORD": "hunter2"},
            "db/orders",
            "PGHOST, PGDATABASE",
        ),
        ({"PGHOST": "/run/postgresql", "PGPORT": "5433"}, "local:5433", "PGHOST, PGPORT"),
        ({"PGSERVICE": "orders", "PGHOST": "db"}, "orders", "PGSERVICE, PGHOST"),
        ({"PGHOSTADDR": "10.0.0.1"}, "10.0.0.1", "PGHOSTADDR"),
        ({"PGDATABASE": "orders"}, "local/orders", "PGDATABASE"),
    ],
)
def test_libpqs_own_variables_name_a_server(variables: dict[str, str], name: str, source: str) -> None:
    assert named(look(**variables)) == [(name, "", source)]


def test_a_user_or_password_alone_names_no_server() -> None:
    found = look(PGUSER="me", PGPASSWORD="hunter2")
    assert found.targets == ()
    assert "no server is named" in found.notes[0]


def test_a_server_named_twice_is_one_target() -> None:
    found = look(DATABASE_URL="postgresql://db/orders", PGHOST="db", PGDATABASE="orders")
    assert [name for name, _, _ in named(found)] == ["db/orders"]
    assert "skipped PGHOST, PGDATABASE: it is the server that DATABASE_URL names" in found.notes


def test_nothing_found_says_what_was_looked_for() -> None:
    found = look(HOME="/root", PGHOST="")
    assert found.targets == ()
    assert found.looked_for[:2] == ("DATABASE_URL", "PGSERVICE")


def test_a_name_holds_no_control_characters() -> None:
    (target,) = look(PGHOST="db\x1b[2J").targets
    assert target.name == "db␛[2J"


def test_nobody_stated_the_environment_of_a_discovered_target() -> None:
    (target,) = look(DATABASE_URL="postgresql://db/orders").targets
    assert target.environment.label == "env unknown"
    assert target.environment.production
