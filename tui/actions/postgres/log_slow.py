"""log_min_duration_statement: set by ALTER SYSTEM and a reload, and set back to what it was."""

from collections.abc import MutableMapping
from datetime import datetime

import msgspec

from opsdash.collectors.postgres.rows import InstanceIdentity
from opsdash.collectors.target import TargetId
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, PlanLine
from opsdash.tui.actions.postgres import RESTORE_LOG_SLOW
from opsdash.tui.actions.postgres.connection import BoundedConnection, decoded, in_utc
from opsdash.tui.actions.postgres.instance import Draft, line, refused, restarted

NAME = "log_min_duration_statement"
_LOW_MS = 100
"""Below this a busy server may write more log than its disk takes."""

_STATE = """/* opsdash:log_slow_state */
select pg_postmaster_start_time(), quote_ident(current_user), s.setting::int, s.source, s.sourcefile,
       current_setting('is_superuser')::bool, current_setting('server_version_num')::int,
       has_function_privilege('pg_reload_conf()', 'execute'), pg_conf_load_time()
  from pg_settings s
 where s.name = 'log_min_duration_statement'
"""
_MAY_ALTER = """/* opsdash:log_slow_right */
select has_parameter_privilege('log_min_duration_statement', 'alter system')
"""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The setting as it is, and what our role may do about it."""

    started_at: datetime
    role: str
    value_ms: int
    source: str
    is_in_auto_conf: bool | None
    """Whether ALTER SYSTEM has set it before; None: this role may not see the file."""
    may_alter: bool
    may_reload: bool
    version_num: int
    loaded_at: datetime
    """When this session last read the settings."""

    @property
    def set_ms(self) -> int | None:
        """What ALTER SYSTEM has set, as far as it can be known; None: nothing."""
        return None if self.is_in_auto_conf is False else self.value_ms


Former = MutableMapping[TargetId, int | None]
"""What ALTER SYSTEM had set before this opsdash first changed it; None: nothing, so it is RESET."""


class LogSlow:
    """Sets it, or restores what was there before; see `InstanceDeed`."""

    def __init__(self, spec: ActionSpec, former: Former) -> None:
        self.spec = spec
        self._former = former
        self._loaded_at: dict[TargetId, datetime] = {}
        """When the acting session had last read the settings before the reload that was asked for."""

    @property
    def _restores(self) -> bool:
        return self.spec is RESTORE_LOG_SLOW

    async def draft(
        self, connection: BoundedConnection, server: InstanceIdentity, *, knows_role: bool
    ) -> Draft:
        """What would be set, and what that means."""
        state = await look(connection)
        wanted = self._wanted(connection, server)
        against = restarted(server, state.started_at) or (lacking(state) if knows_role else None)
        if isinstance(wanted, str):
            return Draft(title=self.spec.title, refusal=wanted)
        return Draft(
            title=f"Set {NAME} to {worded(wanted)}" if wanted is not None else f"Reset {NAME}",
            lines=(*_lines(state, wanted), *self._undo(state)),
            can_undo=True,
            refusal=against,
        )

    async def send(self, connection: BoundedConnection, server: InstanceIdentity) -> Hit:
        """ALTER SYSTEM, then a reload. Neither takes a condition: the server is looked at just before."""
        state = await look(connection)
        wanted = self._wanted(connection, server)
        against = restarted(server, state.started_at) or lacking(state)
        if against is not None or isinstance(wanted, str):
            return refused(server, against or str(wanted))
        await connection.act(f"/* opsdash:log_slow */ {statement_of(wanted)}", {})
        await connection.act("/* opsdash:reload */ select pg_reload_conf()", {})
        self._loaded_at[connection.target.id] = state.loaded_at
        if self._restores:
            self._former.pop(connection.target.id, None)
        else:
            self._former.setdefault(connection.target.id, state.set_ms)
        return Hit(identity=server, effect=Effect.SENT, detail=f"{statement_of(wanted)} · reloaded")

    async def effect(self, connection: BoundedConnection, server: InstanceIdentity) -> str | None:
        """What new statements are measured by, once this session has noticed the reload."""
        state = await look(connection)
        if state.loaded_at == self._loaded_at.get(connection.target.id):
            return None
        wanted = None if self._restores else milliseconds_of(server.value)
        if isinstance(wanted, int) and state.value_ms != wanted:
            return None
        if self._restores and state.is_in_auto_conf and connection.target.id not in self._former:
            return f"{NAME} is {worded(state.value_ms)}, as ALTER SYSTEM had it"
        return f"{NAME} is {worded(state.value_ms)}"

    def _undo(self, state: State) -> list[PlanLine]:
        if self._restores:
            return [line("undo", f"set it to {state.value_ms} again")]
        text = f"{statement_of(state.set_ms)}, offered by {RESTORE_LOG_SLOW.title!r} while this opsdash runs"
        found = [line("undo", text)]
        if state.is_in_auto_conf is None:
            text = f"role {state.role} may not see whether ALTER SYSTEM has set it (pg_read_all_settings)"
            found.append(line("not known", text, is_warning=True))
        return found

    def _wanted(self, connection: BoundedConnection, server: InstanceIdentity) -> int | str | None:
        """Milliseconds, None for RESET; a text says why there is nothing to set."""
        if not self._restores:
            return milliseconds_of(server.value)
        if connection.target.id not in self._former:
            return f"this opsdash has not changed {NAME}; opsdash audit show has what others set"
        return self._former[connection.target.id]


def milliseconds_of(typed: str | None) -> int | str:
    """What was typed; a text says why it is no value.

    >>> milliseconds_of("250"), milliseconds_of("-1"), milliseconds_of("250 ms")
    (250, -1, 250)
    >>> milliseconds_of("1s; drop table x")
    'expected whole milliseconds, 0 (all) or -1 (none)'
    """
    text = (typed or "").strip().removesuffix("ms").strip()
    if not (text.isascii() and text.removeprefix("-").isdigit()) or len(text) > 9 or int(text) < -1:
        return "expected whole milliseconds, 0 (all) or -1 (none)"
    return int(text)


def statement_of(wanted_ms: int | None) -> str:
    """The acting statement.

    >>> statement_of(250), statement_of(None)
    ('ALTER SYSTEM SET log_min_duration_statement = 250', 'ALTER SYSTEM RESET log_min_duration_statement')
    """
    return f"ALTER SYSTEM RESET {NAME}" if wanted_ms is None else f"ALTER SYSTEM SET {NAME} = {wanted_ms:d}"


def worded(value_ms: int) -> str:
    """A value as people read it."""
    return {-1: "-1 (off)", 0: "0 (every statement)"}.get(value_ms, f"{value_ms} ms")


async def look(connection: BoundedConnection) -> State:
    """The setting as it is now.

    Raises:
        TargetError: It could not be read.
    """
    (row,) = await connection.read(_STATE)
    started_at, role, value, source, file, is_superuser, version_num, may_reload, loaded_at = row
    may_alter = bool(is_superuser)
    if not may_alter and version_num >= 150000:
        ((may_alter,),) = await connection.read(_MAY_ALTER)
    path = decoded(file)
    from_file = decoded(source) == "configuration file"
    return State(
        started_at=in_utc(started_at) or started_at,
        role=decoded(role) or "",
        value_ms=value,
        source=decoded(source) or "",
        is_in_auto_conf=False if not from_file else path.endswith("postgresql.auto.conf") if path else None,
        may_alter=may_alter,
        may_reload=bool(may_reload),
        version_num=version_num,
        loaded_at=loaded_at,
    )


def lacking(state: State) -> str | None:
    """Which right is missing; None when none is."""
    needed = []
    if not state.may_alter and state.version_num < 150000:
        return f"role {state.role} may not: before PostgreSQL 15 only a superuser may use ALTER SYSTEM"
    if not state.may_alter:
        needed.append(f"GRANT ALTER SYSTEM ON PARAMETER {NAME} TO {state.role};")
    if not state.may_reload:
        needed.append(f"GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {state.role};")
    return f"role {state.role} may not. Needed, from a superuser: {' '.join(needed)}" if needed else None


def _lines(state: State, wanted: int | None) -> list[PlanLine]:
    found = [
        line("will run", f"{statement_of(wanted)}; then pg_reload_conf()"),
        line("now", f"{NAME} is {worded(state.value_ms)}, from: {state.source}"),
    ]
    if state.source in ("user", "database", "database user", "session"):
        text = f"our own role has it from {state.source}, which wins over this: others may have, too"
        found.append(line("not known", text, is_warning=True))
    if wanted is not None and 0 <= wanted < _LOW_MS:
        text = "on a busy server that is very much log: watch the disk, and set it back soon"
        found.append(line("costs", text, is_warning=True))
    if wanted is not None and wanted >= 0:
        found.append(line("logged", "the text of those statements, with their literals", is_warning=True))
    found += [
        line("lasts", "also over restarts: it is written into postgresql.auto.conf"),
        line("window", "look and set are two statements: what another sets in between is overwritten"),
    ]
    return found
