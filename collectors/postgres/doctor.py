"""`opsdash doctor` for one PostgreSQL server: logs in as each role, one after the other, and only reads."""

import asyncio
import os
import pwd
from collections.abc import Iterator

import psycopg

from opsdash.collectors.diagnosis import Check, Diagnosis, advice, missing, ok
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.postgres import decode
from opsdash.collectors.postgres.client import Connection, Purpose, connect, shut, translate
from opsdash.collectors.postgres.doctor_checks import (
    Setup,
    acting_checks,
    acting_without_own_role,
    monitor_checks,
)
from opsdash.collectors.postgres.doctor_login import login_checks
from opsdash.collectors.postgres.dsn import secret_keys
from opsdash.collectors.postgres.params import dsn_of, stated
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.postgres.statements import statement
from opsdash.collectors.postgres.transport import Transport, transport_check
from opsdash.collectors.target import Target

DEADLINE_S = 5.0
"""How long the server may take to answer, connecting apart."""


async def diagnose(target: Target) -> Diagnosis:
    """Look at what works and what is missing; at most one session at a time. Never raises TargetError."""
    settings = target.settings
    assert isinstance(settings, PostgresSettings)
    try:
        monitor, transport = await _look(target, Purpose.DRILL)
    except TargetError as error:
        user = _user(target, Purpose.DRILL)
        checks = tuple(login_checks(error, "login", user=user, grants="pg_monitor"))
        return Diagnosis(failure=error.failure(), checks=checks)
    acts = target.environment.actions != "deny"
    checks = (
        *monitor_checks(monitor, also_acts=acts and settings.act_dsn is None),
        *transport_check(transport),
        *await _acting(target, settings, monitor),
        *_passwords(settings),
    )
    return Diagnosis(checks=checks, summary=f"PostgreSQL {monitor.version.split()[0]}")


async def _acting(target: Target, settings: PostgresSettings, monitor: Setup) -> tuple[Check, ...]:
    if target.environment.actions == "deny":
        return (ok("acting", 'the configuration says actions = "deny": no role is needed'),)
    if settings.act_dsn is None:
        return (acting_without_own_role(monitor),)
    try:
        act, _ = await _look(target, Purpose.ACT)
    except TargetError as error:
        said = f"the role of act_dsn does not get in: {error.reason}"
        user = _user(target, Purpose.ACT)
        return (
            missing("acting", said + (f"; {error.hint}" if error.hint else "")),
            *login_checks(error, "acting", user=user, grants="pg_signal_backend, pg_read_all_stats"),
        )
    return tuple(acting_checks(act, monitor))


def _user(target: Target, purpose: Purpose) -> str:
    """Whom libpq says it is: what the DSN, its service file or PGUSER states, else the system's user."""
    settings = target.settings
    assert isinstance(settings, PostgresSettings)
    named: str | None
    try:
        named = stated(target.id, dsn_of(settings, purpose)).get("user")
    except TargetError:
        named = None
    return named or os.environ.get("PGUSER") or pwd.getpwuid(os.geteuid()).pw_name


def _passwords(settings: PostgresSettings) -> Iterator[Check]:
    for key, dsn in (("dsn", settings.dsn), ("act_dsn", settings.act_dsn or "")):
        if secret_keys(dsn):
            yield advice(
                "password",
                f"{key} itself holds a password: password_env, password_file or password_command "
                "would only say where it is",
            )


async def _look(target: Target, purpose: Purpose) -> tuple[Setup, Transport]:
    """Log in, ask once, leave.

    Raises:
        TargetError: It could not be asked.
    """
    connection = await connect(target, purpose)
    loop = asyncio.get_running_loop()
    watchdog = loop.call_later(DEADLINE_S, shut, connection)
    try:
        cursor = connection.cursor(binary=True)
        await cursor.execute(statement("doctor"))
        rows = await cursor.fetchall()
        return Setup(*decode.texts(rows[0])), _transport(connection)
    except psycopg.Error as error:
        if watchdog.when() <= loop.time():
            raise TimedOut(
                target.id, f"no answer within {DEADLINE_S:g} s", hint="the server or the network hangs"
            ) from error
        raise translate(target.id, error) from error.with_traceback(None)
    finally:
        watchdog.cancel()
        await connection.close()


def _transport(connection: Connection) -> Transport:
    options = {option.keyword: option.val for option in connection.pgconn.info}
    return Transport(
        host=connection.info.host,
        hostaddr=connection.info.hostaddr,
        has_tls=bool(connection.pgconn.ssl_in_use),
        sslmode=(options.get(b"sslmode") or b"prefer").decode(),
    )
