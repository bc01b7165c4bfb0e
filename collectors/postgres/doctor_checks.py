"""What a role and a server are set up for -> checks, with the statement that is missing. Pure."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from opsdash.collectors.diagnosis import Check, Fix, advice, missing, ok
from opsdash.collectors.format import plural

_RESERVED_SINCE = 160000
_SESSIONS = 2
"""How many sessions the monitor role needs at once: the kept one and a drill-down."""
_SESSIONS_TOO = 3
"""The same where actions are sent by this role as well."""
_STATEMENTS = "pg_stat_statements"


class Setup(msgspec.Struct, frozen=True):
    """The row of `queries/doctor.sql`, its columns in their order."""

    role: str
    """Quoted, as it stands in a GRANT; so is `database`."""
    database: str
    started_at: datetime
    is_in_recovery: bool
    version: str
    version_num: int
    is_superuser: bool
    role_limit: int | None
    """How many sessions the role may have at once; None: any number."""
    reads_all: bool
    signals: bool
    uses_reserved: bool | None
    """None: before 16 there is no such role."""
    sessions: int
    hidden_sessions: int
    tracks_activities: bool
    tracks_io: bool
    max_connections: int
    superuser_reserved: int
    reserved: int | None
    """reserved_connections; None before 16."""
    usual_roles: list[str]
    """Those of `opsdash` and `opsdash_act` that exist."""
    has_statements: bool
    can_have_statements: bool
    preloads_statements: bool
    preloaded: str | None
    """shared_preload_libraries; None where the role may not see it."""


def monitor_checks(setup: Setup, *, also_acts: bool) -> Iterator[Check]:
    """The role that reads, and the server.

    Args:
        setup: As the role of `dsn` sees it.
        also_acts: Whether actions are sent by this role too.
    """
    yield _amount_of_rights(setup)
    yield _visibility(setup)
    if not setup.tracks_activities:
        yield missing(
            "activities",
            "track_activities is off: no session shows what it does or waits for",
            _sql(setup, "ALTER SYSTEM SET track_activities = on;", "SELECT pg_reload_conf();"),
        )
    yield from _role_limit(setup, _SESSIONS_TOO if also_acts else _SESSIONS)
    yield _full_server(setup)
    yield _statements(setup)
    if not setup.tracks_io:
        yield advice(
            "I/O time",
            "track_io_timing is off: what statements spend on reading and writing blocks is unknown; "
            "counting it costs next to nothing on most machines, pg_test_timing tells on this one",
            _sql(setup, "ALTER SYSTEM SET track_io_timing = on;", "SELECT pg_reload_conf();"),
        )


def acting_without_own_role(setup: Setup) -> Check:
    """Actions are sent by the role that reads: usually it may not, and a second one is better."""
    if setup.is_superuser:
        return advice("acting", f"actions would be sent by superuser {setup.role}; {_second_role()}")
    if setup.signals and setup.reads_all:
        return ok(
            "acting", f"role {setup.role} may signal sessions and tell them apart; actions need no other"
        )
    return advice(
        "acting",
        f"role {setup.role} only reads, so every action is refused; {_second_role()}",
        _sql(setup, *_new_act_role(setup)),
    )


def acting_checks(act: Setup, monitor: Setup) -> Iterator[Check]:
    """The second role, which actions are sent by.

    Args:
        act: As the role of `act_dsn` sees it.
        monitor: As the role of `dsn` sees it.
    """
    if act.started_at != monitor.started_at:
        yield missing("acting", "act_dsn names another server than dsn: actions would hit what is not shown")
        return
    if act.is_superuser:
        yield missing(
            "acting",
            f"role {act.role} is a superuser, which is too much: name another role in act_dsn",
            _sql(act, *_new_act_role(act)),
        )
        return
    lacking = [
        name
        for name, has in (("pg_signal_backend", act.signals), ("pg_read_all_stats", act.reads_all))
        if not has
    ]
    if not lacking:
        yield ok("acting", f"role {act.role} logs in, may signal sessions and tell them apart")
    else:
        yield missing(
            "acting",
            f"role {act.role} lacks {' and '.join(lacking)}: {_what_for(lacking)}",
            _sql(act, f"GRANT {', '.join(lacking)} TO {act.role};"),
        )
    yield from _role_limit(act, 1)
    if act.reserved and not act.uses_reserved:
        yield missing(
            "acting on a full server",
            f"role {act.role} may not use the {act.reserved} reserved connections",
            _sql(act, f"GRANT pg_use_reserved_connections TO {act.role};"),
        )


def _amount_of_rights(setup: Setup) -> Check:
    if not setup.is_superuser:
        return ok("login", f"logs in as {setup.role} to database {setup.database}, which is no superuser")
    return missing(
        "rights",
        f"role {setup.role} is a superuser, which is too much for reading: name another role in dsn",
        _sql(setup, *_new_role(setup, "opsdash"), "GRANT pg_monitor TO opsdash;"),
    )


def _visibility(setup: Setup) -> Check:
    if setup.reads_all:
        return ok("sessions", "sessions of all roles show their state, times and query")
    return missing(
        "sessions",
        f"{setup.hidden_sessions} of {plural(setup.sessions, 'session')} show no state, times or query: "
        f"role {setup.role} is not a member of pg_monitor",
        _sql(setup, f"GRANT pg_monitor TO {setup.role};"),
    )


def _role_limit(setup: Setup, needed: int) -> Iterator[Check]:
    if setup.role_limit is not None and setup.role_limit < needed and not setup.is_superuser:
        yield missing(
            "role's limit",
            f"role {setup.role} may have {plural(setup.role_limit, 'session')} at once; "
            f"one opsdash needs {needed}, each further one as many again",
            _sql(setup, f"ALTER ROLE {setup.role} CONNECTION LIMIT {needed};"),
        )


def _full_server(setup: Setup) -> Check:
    """Whether opsdash gets in when all connections are taken."""
    kept = f"{setup.superuser_reserved} of {setup.max_connections} connections are kept for superusers"
    if setup.is_superuser:
        return ok("full server", f"{kept}, which this role is")
    if setup.version_num < _RESERVED_SINCE:
        return advice(
            "full server",
            f"{kept}; before PostgreSQL 16 no other role gets in then, but an opsdash that runs stays in",
        )
    if not setup.reserved:
        return advice(
            "full server",
            f"{kept}; none is reserved for monitoring: a full server keeps opsdash out, "
            "unless it runs already. The setting takes effect at the next restart",
            _sql(
                setup,
                "ALTER SYSTEM SET reserved_connections = 3;",
                f"GRANT pg_use_reserved_connections TO {setup.role};",
            ),
        )
    if setup.uses_reserved:
        return ok("full server", f"role {setup.role} may use the {setup.reserved} reserved connections")
    return missing(
        "full server",
        f"role {setup.role} may not use the {setup.reserved} reserved connections",
        _sql(setup, f"GRANT pg_use_reserved_connections TO {setup.role};"),
    )


def _statements(setup: Setup) -> Check:
    """pg_stat_statements, without which nothing tells what statements cost."""
    without = "statements and what they cost cannot be shown"
    if not setup.can_have_statements:
        return advice(
            _STATEMENTS, f"not installed on the server's machine (package postgresql-contrib); {without}"
        )
    create = () if setup.has_statements else (f"CREATE EXTENSION {_STATEMENTS};",)
    if setup.preloads_statements:
        if setup.has_statements:
            return ok(_STATEMENTS, f"preloaded, and created in database {setup.database}")
        return advice(
            _STATEMENTS,
            f"preloaded, but not created in database {setup.database}; {without}",
            _sql(setup, *create),
        )
    if setup.preloaded is None:
        return advice(_STATEMENTS, f"not preloaded; with pg_monitor doctor can say what to set; {without}")
    libraries = [name.strip() for name in setup.preloaded.split(",") if name.strip()] + [_STATEMENTS]
    # one text with a comma in it would be taken for one library, and the server would not start
    value = ", ".join("'" + name.strip('"').replace("'", "''") + "'" for name in libraries)
    return advice(
        _STATEMENTS,
        f"not preloaded; {without}. The setting takes effect at the next restart",
        _sql(setup, f"ALTER SYSTEM SET shared_preload_libraries = {value};", *create),
    )


def _second_role() -> str:
    return "a second role, named in act_dsn, would keep reading and acting apart"


def _new_act_role(setup: Setup) -> tuple[str, ...]:
    return (
        *_new_role(setup, "opsdash_act"),
        "GRANT pg_signal_backend, pg_read_all_stats TO opsdash_act;",
    )


def _new_role(setup: Setup, name: str) -> tuple[str, ...]:
    """The second line is psql's own: it neither shows nor logs the password that it asks for."""
    return () if name in setup.usual_roles else (f"CREATE ROLE {name} LOGIN;", f"\\password {name}")


def _what_for(lacking: list[str]) -> str:
    if "pg_signal_backend" in lacking:
        return "it may not signal sessions of other roles"
    return "it cannot tell sessions apart, so every action is refused"


def _sql(setup: Setup, *lines: str) -> Fix:
    """Lines for psql. A standby has its own settings, but its roles and extensions come from its primary."""
    where = f"in psql on database {setup.database}, as a superuser"
    if setup.is_in_recovery:
        settings = [line.startswith(("ALTER SYSTEM", "SELECT pg_reload_conf")) for line in lines]
        if not any(settings):
            where += ", on its primary (this is a standby)"
        elif not all(settings):
            where += ": ALTER SYSTEM here (this is a standby), all else on its primary"
    return Fix(where=where, lines=lines)
