"""`opsdash check` on real servers, as a person or a monitoring system runs it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from opsdash.tui.demo.servers import PostgresServer
from tests.cli.run_opsdash import LIMIT_S, run_opsdash, write_config


def table(name: str, dsn: str, extra: str = "") -> str:
    return f'[[postgres]]\nname = "{name}"\ndsn = "{dsn}"\n{extra}\n'


def check(folder: Path, *tables: str, as_json: bool = False) -> "subprocess.CompletedProcess[str]":
    path = write_config(folder, "\n".join(tables))
    return run_opsdash("check", "--config", str(path), *(["--json"] if as_json else []), home=folder)


@pytest.fixture
def nobody_listens() -> Iterator[int]:
    """A port that is taken and on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def never_answers() -> Iterator[int]:
    """A port that accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def idle_in_transaction(pg18: PostgresServer) -> Iterator[int]:
    """The pid of a session that has been left in its transaction."""
    with psycopg.connect(pg18.dsn(), application_name="forgotten") as connection:
        connection.execute("select 1")
        yield connection.info.backend_pid


def test_a_healthy_server_is_ok(any_pg: PostgresServer, tmp_path: Path) -> None:
    ended = check(tmp_path, table("orders", any_pg.dsn(), 'environment = "staging"'))
    assert (ended.returncode, ended.stderr) == (0, "")
    line, total = ended.stdout.splitlines()
    assert line.startswith(f"● ok        orders  staging · PostgreSQL {any_pg.major}.")
    assert total.startswith("0 findings on 1 target, read at ")


def test_a_dead_server_is_critical_and_hides_no_other(
    pg18: PostgresServer, nobody_listens: int, tmp_path: Path
) -> None:
    dead = table("dead", f"host=127.0.0.1 port={nobody_listens}")
    ended = check(tmp_path, dead, table("orders", pg18.dsn()))
    assert ended.returncode == 2
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("✖ critical  dead    env unknown · connection refused")
    assert any(line.startswith("● ok        orders") for line in lines)
    assert "check that the server runs" in ended.stdout


def test_a_server_that_never_answers_is_critical_within_its_deadline(
    pg18: PostgresServer, never_answers: int, tmp_path: Path
) -> None:
    hung = table("hung", f"host=127.0.0.1 port={never_answers}")
    ended = check(tmp_path, hung, table("orders", pg18.dsn()), as_json=True)
    report = json.loads(ended.stdout)
    assert ended.returncode == 2
    assert report["targets"][0]["failure"]["kind"] == "timed out"
    assert report["targets"][1]["status"] == "ok"


def test_not_being_let_in_is_unknown(pg18: PostgresServer, tmp_path: Path) -> None:
    ended = check(tmp_path, table("orders", pg18.dsn(user="nobody_of_that_name")))
    assert ended.returncode == 3
    assert ended.stdout.startswith("? unknown   orders")
    assert 'role "nobody_of_that_name" does not exist' in ended.stdout


def test_a_forgotten_transaction_is_a_warning_with_evidence(
    pg18: PostgresServer, idle_in_transaction: int, tmp_path: Path
) -> None:
    thresholds = "[postgres.thresholds]\nidle_in_transaction_s = 0"
    ended = check(tmp_path, table("orders", pg18.dsn(), thresholds))
    assert ended.returncode == 1
    assert "▲ warning   orders" in ended.stdout
    assert str(idle_in_transaction) in ended.stdout
    assert "forgotten" in ended.stdout


def test_critical_wins_over_unknown_and_that_over_warning(
    pg18: PostgresServer, idle_in_transaction: int, nobody_listens: int, tmp_path: Path
) -> None:
    warning = table("warned", pg18.dsn(), "[postgres.thresholds]\nidle_in_transaction_s = 0")
    unknown = table("unknown", pg18.dsn(user="nobody_of_that_name"))
    critical = table("dead", f"host=127.0.0.1 port={nobody_listens}")
    assert check(tmp_path, warning, unknown).returncode == 3
    assert check(tmp_path, warning, unknown, critical).returncode == 2


def test_the_json_document_has_the_same_with_stable_names(
    pg18: PostgresServer, idle_in_transaction: int, nobody_listens: int, tmp_path: Path
) -> None:
    thresholds = "[postgres.thresholds]\nidle_in_transaction_s = 0"
    dead = table("dead", f"host=127.0.0.1 port={nobody_listens}", "production = true")
    ended = check(tmp_path, table("orders", pg18.dsn(), thresholds), dead, as_json=True)
    report = json.loads(ended.stdout)
    assert (report["status"], report["exit_code"]) == ("critical", ended.returncode) == ("critical", 2)
    orders, broken = report["targets"]
    assert (orders["name"], orders["kind"], orders["status"]) == ("orders", "postgres", "warning")
    assert orders["environment"] == {"name": None, "production": True}
    assert orders["failure"] is None
    assert idle_in_transaction in [session["pid"] for session in orders["data"]["sessions"]]
    assert broken["environment"] == {"name": "production", "production": True}
    assert broken["failure"]["kind"] == "connection refused"
    assert broken["data"] is None
    for finding in report["findings"]:
        assert {"severity", "target", "kind", "rule", "title", "evidence", "cause", "basis"} <= set(finding)
    assert [finding["severity"] for finding in report["findings"]] == ["critical", "warning"]


@pytest.fixture
def hostile_session(pg18: PostgresServer) -> Iterator[str]:
    """A role whose name is meant for the terminal, with a transaction left open."""
    role = "red\x1b[31m\x9b2J\u202e"
    with psycopg.connect(pg18.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
        with psycopg.connect(pg18.dsn(), user=role) as session:
            session.execute("select 1")
            yield role
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_that_a_terminal_acts_upon_is_printed(
    as_json: bool, pg18: PostgresServer, hostile_session: str, tmp_path: Path
) -> None:
    thresholds = "[postgres.thresholds]\nidle_in_transaction_s = 0"
    ended = check(tmp_path, table("orders", pg18.dsn(), thresholds), as_json=as_json)
    assert ended.returncode == 1
    assert "red␛[31m" in ended.stdout
    assert all(character.isprintable() or character == "\n" for character in ended.stdout)


def test_a_password_appears_nowhere(start_scram: PostgresServer, tmp_path: Path) -> None:
    wrong = table("orders", start_scram.dsn(password="hunter2wrong"))
    for as_json in (False, True):
        ended = check(tmp_path, wrong, as_json=as_json)
        assert ended.returncode == 3
        assert "authentication failed" in ended.stdout
        assert "hunter2" not in ended.stdout + ended.stderr
    assert "hunter2" not in "".join(
        path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path.name != "opsdash.toml"
    )


@pytest.fixture
def start_scram(start_postgres: object) -> PostgresServer:
    """A server that asks for passwords."""
    server: PostgresServer = start_postgres()  # type: ignore[operator]  # the factory of conftest
    (server.data_dir / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    server.restart()
    return server


def test_targets_of_the_environment_are_checked_too(pg18: PostgresServer, tmp_path: Path) -> None:
    url = f"postgresql://postgres@127.0.0.1:{pg18.port}/postgres"
    ended = run_opsdash("check", home=tmp_path, environ={"DATABASE_URL": url})
    assert ended.returncode == 0
    assert f"127.0.0.1:{pg18.port}/postgres  env unknown" in ended.stdout


def test_no_screen_library_is_loaded(pg18: PostgresServer, tmp_path: Path) -> None:
    path = write_config(tmp_path, table("orders", pg18.dsn()))
    code = (
        "import sys; from opsdash.tui.cli import main\n"
        f"code = main(['check', '--config', {str(path)!r}])\n"
        "assert not {'textual', 'rich', 'opsdash.widgets'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_leaves_early_causes_no_traceback(
    form: list[str], pg18: PostgresServer, tmp_path: Path
) -> None:
    path = write_config(tmp_path, table("orders", pg18.dsn()))
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "opsdash", "check", *form, "--config", str(path)],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (3, "")


def test_a_narrow_encoding_replaces_glyphs_and_fails_nothing(pg18: PostgresServer, tmp_path: Path) -> None:
    path = write_config(tmp_path, table("orders", pg18.dsn()))
    ended = run_opsdash(
        "check",
        "--config",
        str(path),
        home=tmp_path,
        environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("? ok        orders")
