"""`opsdash doctor` on real servers: what it says is missing, run as it stands, is missing no longer."""

import asyncio
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsdash.collectors.postgres.doctor import diagnose
from opsdash.collectors.snapshot import FailureKind
from opsdash.tui.demo.servers import PostgresServer
from tests.cli.run_opsdash import run_opsdash, write_config
from tests.support.faults import Proxy, Wire
from tests.support.targets import postgres_target

Report = dict[str, Any]


def table(dsn: str, extra: str = "", name: str = "orders") -> str:
    return f'[[postgres]]\nname = "{name}"\nenvironment = "staging"\ndsn = "{dsn}"\n{extra}\n'


def doctor(folder: Path, *tables: str, form: str = "--json") -> "subprocess.CompletedProcess[str]":
    path = write_config(folder, "\n".join(tables))
    return run_opsdash("doctor", *([form] if form else []), "--config", str(path), home=folder)


def examined(folder: Path, *tables: str) -> tuple[int, Report]:
    """The exit code, and what was said of the only target."""
    ended = doctor(folder, *tables)
    assert ended.stderr == ""
    (target,) = json.loads(ended.stdout)["targets"]
    return ended.returncode, target


def states(target: Report) -> dict[str, str]:
    return {check["subject"]: check["state"] for check in target["checks"]}


def fixes(target: Report, state: str = "missing") -> list[str]:
    """The lines that doctor says to run, but for psql's own commands."""
    found = [check["fix"]["lines"] for check in target["checks"] if check["state"] == state and check["fix"]]
    return [line for lines in found for line in lines if not line.startswith("\\")]


def run(server: PostgresServer, *statements: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement.encode())


@pytest.fixture
def roles(any_pg: PostgresServer) -> Iterator[PostgresServer]:
    """A role to read and one to act, without any rights."""
    run(any_pg, "create role ops_reads login", 'create role "Ops acts" login')
    yield any_pg
    run(any_pg, 'drop role ops_reads, "Ops acts"')


def act_dsn(server: PostgresServer) -> str:
    return f'act_dsn = "{server.dsn().replace("user=postgres", "user=" + chr(39) + "Ops acts" + chr(39))}"'


def test_a_role_without_rights_gets_the_grant_and_then_all_is_well(
    roles: PostgresServer, tmp_path: Path
) -> None:
    dsn = roles.dsn("ops_reads")
    code, target = examined(tmp_path, table(dsn))
    assert (code, target["status"]) == (1, "missing")
    assert states(target)["sessions"] == "missing"
    assert fixes(target) == ["GRANT pg_monitor TO ops_reads;"]
    run(roles, *fixes(target))
    code, target = examined(tmp_path, table(dsn))
    assert (code, target["status"]) == (0, "ok")
    assert (states(target)["login"], states(target)["sessions"]) == ("ok", "ok")
    assert states(target)["acting"] == "advice"


@pytest.mark.parametrize(
    ("held", "lacking"),
    [
        ((), ["pg_signal_backend", "pg_read_all_stats"]),
        (("pg_signal_backend",), ["pg_read_all_stats"]),
        (("pg_read_all_stats",), ["pg_signal_backend"]),
        (("pg_signal_backend", "pg_read_all_stats"), []),
    ],
)
def test_the_act_role_needs_both_grants(
    held: tuple[str, ...], lacking: list[str], roles: PostgresServer, tmp_path: Path
) -> None:
    run(roles, "grant pg_monitor to ops_reads", *(f'grant {grant} to "Ops acts"' for grant in held))
    config = table(roles.dsn("ops_reads"), act_dsn(roles))
    code, target = examined(tmp_path, config)
    assert fixes(target) == ([f'GRANT {", ".join(lacking)} TO "Ops acts";'] if lacking else [])
    assert code == (1 if lacking else 0)
    run(roles, *fixes(target))
    code, target = examined(tmp_path, config)
    assert (code, states(target)["acting"]) == (0, "ok")


def test_an_act_role_that_does_not_exist_is_created_as_told(roles: PostgresServer, tmp_path: Path) -> None:
    run(roles, "grant pg_monitor to ops_reads")
    config = table(roles.dsn("ops_reads"), f'act_dsn = "{roles.dsn("ops_new")}"')
    code, target = examined(tmp_path, config)
    assert (code, target["failure"]) == (1, None)
    assert 'role "ops_new" does not exist' in "".join(check["text"] for check in target["checks"])
    run(roles, *fixes(target))
    try:
        code, target = examined(tmp_path, config)
        assert (code, states(target)["acting"]) == (0, "ok")
    finally:
        run(roles, "drop role ops_new")


def test_a_superuser_is_too_much_and_the_roles_told_instead_are_enough(
    any_pg: PostgresServer, tmp_path: Path
) -> None:
    superuser = any_pg.dsn()
    code, target = examined(tmp_path, table(superuser, f'act_dsn = "{superuser}"'))
    assert code == 1
    assert (states(target)["rights"], states(target)["acting"]) == ("missing", "missing")
    statements = fixes(target)
    run(any_pg, *statements)
    try:
        config = table(any_pg.dsn("opsdash"), f'act_dsn = "{any_pg.dsn("opsdash_act")}"')
        code, target = examined(tmp_path, config)
        assert (code, target["status"], states(target)["acting"]) == (0, "ok", "ok")
        _, again = examined(tmp_path, table(superuser))
        assert "CREATE ROLE opsdash LOGIN;" not in fixes(again), "it is there already"
    finally:
        run(any_pg, "drop role opsdash, opsdash_act")


def test_denied_actions_need_no_role(roles: PostgresServer, tmp_path: Path) -> None:
    run(roles, "grant pg_monitor to ops_reads")
    code, target = examined(tmp_path, table(roles.dsn("ops_reads"), 'actions = "deny"'))
    assert (code, states(target)["acting"]) == (0, "ok")


def test_act_dsn_of_another_server_is_found(
    pg18: PostgresServer, pg15: PostgresServer, tmp_path: Path
) -> None:
    _, target = examined(tmp_path, table(pg18.dsn(), f'act_dsn = "{pg15.dsn()}"'))
    (acting,) = [check for check in target["checks"] if check["subject"] == "acting"]
    assert (acting["state"], acting["fix"]) == ("missing", None)
    assert "another server" in acting["text"]


def test_settings_that_are_told_hold_after_the_restart(
    start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres(major=18, options={"track_activities": "on"})
    run(server, "alter system set shared_preload_libraries = 'auto_explain', 'pg_prewarm'")
    run(server, "create role ops_reads login in role pg_monitor")
    run(server, "alter database postgres set track_io_timing = off")
    server.restart()
    code, target = examined(tmp_path, table(server.dsn("ops_reads")))
    assert code == 0, "advice is no fault"
    assert (states(target)["full server"], states(target)["pg_stat_statements"]) == ("advice", "advice")
    assert states(target)["I/O time"] == "advice"
    assert "ALTER SYSTEM SET track_io_timing = on;" in fixes(target, "advice")
    wanted = [line for line in fixes(target, "advice") if "opsdash_act" not in line]
    run(server, *wanted, "alter database postgres reset track_io_timing")
    server.restart()
    code, target = examined(tmp_path, table(server.dsn("ops_reads")))
    assert (states(target)["full server"], states(target)["pg_stat_statements"]) == ("ok", "ok")
    assert "I/O time" not in states(target)
    with psycopg.connect(server.dsn()) as admin:
        row = admin.execute("show shared_preload_libraries").fetchone()
        assert row == ("auto_explain, pg_prewarm, pg_stat_statements",)
    run(server, "revoke pg_use_reserved_connections from ops_reads")
    code, target = examined(tmp_path, table(server.dsn("ops_reads")))
    assert (code, fixes(target)) == (1, ["GRANT pg_use_reserved_connections TO ops_reads;"])


def test_a_role_limit_that_is_too_low_is_raised_as_told(roles: PostgresServer, tmp_path: Path) -> None:
    run(roles, "grant pg_monitor to ops_reads", "alter role ops_reads connection limit 1")
    code, target = examined(tmp_path, table(roles.dsn("ops_reads")))
    assert (code, fixes(target)) == (1, ["ALTER ROLE ops_reads CONNECTION LIMIT 3;"])
    run(roles, *fixes(target))
    assert examined(tmp_path, table(roles.dsn("ops_reads")))[0] == 0


def test_sessions_that_tell_nothing_are_found(
    start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres(major=15)
    run(server, "create role ops_reads login in role pg_monitor", "alter system set track_activities = off")
    run(server, "select pg_reload_conf()")
    code, target = examined(tmp_path, table(server.dsn("ops_reads")))
    assert (code, states(target)["activities"]) == (1, "missing")
    run(server, *fixes(target))
    assert examined(tmp_path, table(server.dsn("ops_reads")))[0] == 0


NOT_LET_IN = {
    "no such role": ((), "CREATE ROLE"),
    "no login": (("create role ops_new",), "ALTER ROLE"),
    "no connect": (
        ("create role ops_new login", "revoke connect on database postgres from public"),
        "GRANT CONNECT",
    ),
}
"""What keeps a role out: the statements that bring it about, and how the one that lets it in begins."""


@pytest.mark.parametrize("case", NOT_LET_IN)
def test_a_role_that_does_not_get_in_is_let_in_as_told(
    case: str, start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres(major=15)
    before, begins = NOT_LET_IN[case]
    run(server, *before)
    dsn = server.dsn("ops_new")
    code, target = examined(tmp_path, table(dsn))
    assert (code, target["status"]) == (3, "unreachable")
    assert target["failure"]["reason"]
    assert fixes(target)[0].startswith(begins)
    run(server, *fixes(target))
    code, target = examined(tmp_path, table(dsn))
    assert target["failure"] is None
    run(server, *fixes(target))
    assert examined(tmp_path, table(dsn))[0] == 0


def test_the_line_for_pg_hba_conf_lets_the_role_in(
    start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres(major=15)
    run(server, "create role ops_reads login password 'hunter2x' in role pg_monitor")
    hba = server.data_dir / "pg_hba.conf"
    hba.write_text("local all all trust\n")  # the server asks for one line at least
    server.restart()
    dsn = server.dsn("ops_reads", password="hunter2x")
    code, target = examined(tmp_path, table(dsn))
    assert code == 3
    (line,) = fixes(target)
    hba.write_text(f"{line}\n")
    server.restart()
    code, target = examined(tmp_path, table(dsn))
    assert (code, target["failure"], states(target)["password"]) == (0, None, "advice")


def test_a_dead_target_is_3_and_hides_no_other(pg18: PostgresServer, tmp_path: Path) -> None:
    ended = doctor(tmp_path, table("host=127.0.0.1 port=1", name="dead"), table(pg18.dsn()), form="")
    assert ended.returncode == 3
    assert "postgres/dead" in ended.stdout
    assert "  ✖ unreachable  connection refused: " in ended.stdout
    assert "  ▲ missing  rights: role postgres is a superuser" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("2 targets: 1 not reached, 1 thing missing")


@pytest.fixture
def never_answers() -> Iterator[int]:
    """A port that accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_target_that_hangs_is_told_within_its_deadline(
    pg18: PostgresServer, never_answers: int, tmp_path: Path
) -> None:
    hung = table(f"host=127.0.0.1 port={never_answers}", name="hung")
    ended = doctor(tmp_path, hung, table(pg18.dsn()))
    first, second = json.loads(ended.stdout)["targets"]
    assert (ended.returncode, first["failure"]["kind"]) == (3, "timed out")
    assert second["summary"].startswith("PostgreSQL 18.")


@pytest.mark.parametrize(
    "options", ["", "options='-c lock_timeout=0 -c statement_timeout=0'"], ids=["usual", "no limits"]
)
def test_a_catalog_that_somebody_locks_is_not_waited_for(
    options: str, start_postgres: Callable[..., PostgresServer]
) -> None:
    server = start_postgres(major=18)
    with psycopg.connect(server.dsn()) as admin:
        admin.execute("lock table pg_catalog.pg_extension in access exclusive mode")
        began = time.monotonic()
        diagnosis = asyncio.run(diagnose(postgres_target(f"{server.dsn()} {options}")))
        assert time.monotonic() - began < 30, "5 s are usual: asyncio alone would not end it"
    assert diagnosis.failure is not None
    assert diagnosis.failure.kind is FailureKind.TIMED_OUT


@pytest.mark.parametrize(
    "wire", [wire for wire in Wire if wire is not Wire.PASS], ids=lambda wire: wire.value
)
async def test_a_broken_wire_gives_a_reason_in_time(wire: Wire, pg18: PostgresServer) -> None:
    async with Proxy(pg18.port) as proxy:
        proxy.set(wire)
        target = postgres_target(f"host=127.0.0.1 port={proxy.port} user=postgres")
        async with asyncio.timeout(30):
            diagnosis = await diagnose(target)
    assert diagnosis.failure is not None
    assert diagnosis.failure.reason
    assert diagnosis.checks == ()


def test_statement_lines_stand_alone_so_that_they_can_be_pasted(
    roles: PostgresServer, tmp_path: Path
) -> None:
    lines = doctor(tmp_path, table(roles.dsn("ops_reads")), form="").stdout.splitlines()
    at = lines.index("        GRANT pg_monitor TO ops_reads;")
    assert lines[at - 1] == "      in psql on database postgres, as a superuser:"


@pytest.mark.parametrize("major", [15, 18])
def test_doctor_only_reads_and_leaves_no_session(
    major: int, start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    options = {"log_statement": "all", "log_line_prefix": "@@%a@@ ", "log_connections": "on"}
    server = start_postgres(major=major, options=options)
    run(server, "create role ops_reads login", "create role ops_acts login")
    examined(tmp_path, table(server.dsn("ops_reads"), f'act_dsn = "{server.dsn("ops_acts")}"'))
    log = server.log_path.read_text("utf-8", "replace")
    sent = re.findall(r"^@@opsdash@@ LOG:  (?:statement|execute [^:]*): (.*)$", log, re.MULTILINE)
    assert len(sent) == 2, "one for each role"
    assert all(statement.startswith("/* opsdash:doctor */ select") for statement in sent)
    with psycopg.connect(server.dsn()) as admin:
        row = admin.execute(
            "select count(*) from pg_stat_activity where application_name = 'opsdash'"
        ).fetchone()
    assert row == (0,)


def test_a_password_appears_nowhere(start_postgres: Callable[..., PostgresServer], tmp_path: Path) -> None:
    server = start_postgres(major=18)
    (server.data_dir / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    server.restart()
    for form in ("", "--json"):
        ended = doctor(tmp_path, table(server.dsn(password="hunter2wrong")), form=form)
        assert ended.returncode == 3
        assert "password authentication failed" in ended.stdout
        assert "hunter2" not in ended.stdout + ended.stderr


def test_without_targets_it_says_what_it_looked_for(tmp_path: Path) -> None:
    ended = run_opsdash("doctor", home=tmp_path, environ={"DATABASE_URL": "mysql://me:hunter2@db/x"})
    assert ended.returncode == 1
    assert "skipped DATABASE_URL: it names mysql, which is not PostgreSQL" in ended.stdout
    assert "opsdash init" in ended.stdout
    assert "hunter2" not in ended.stdout


def test_a_file_that_others_may_write_is_closed_as_told(pg18: PostgresServer, tmp_path: Path) -> None:
    path = write_config(tmp_path, table(pg18.dsn()), mode=0o666)
    ended = run_opsdash("doctor", "--config", str(path), "--json", home=tmp_path)
    (found,) = [c for c in json.loads(ended.stdout)["configuration"] if c["state"] == "missing"]
    subprocess.run(["/bin/sh", "-c", *found["fix"]["lines"]], check=True)
    assert path.stat().st_mode & 0o777 == 0o644
    ended = run_opsdash("doctor", "--config", str(path), "--json", home=tmp_path)
    assert not [c for c in json.loads(ended.stdout)["configuration"] if c["state"] == "missing"]
