"""pg_stat_statements_reset(): all counters begin at nothing."""

from datetime import datetime

import msgspec

from opsdash.collectors.postgres.rows import InstanceIdentity
from opsdash.tui.actions.action import ActionSpec, Effect, Hit
from opsdash.tui.actions.postgres.connection import BoundedConnection, decoded, in_utc
from opsdash.tui.actions.postgres.instance import Draft, line, refused, restarted

_STATE = """/* opsdash:statements_reset_state */
select pg_postmaster_start_time(), quote_ident(current_user), quote_ident(n.nspname),
       bool_or(has_function_privilege(p.oid, 'execute'))
  from (select) always
  left join pg_extension e on e.extname = 'pg_stat_statements'
  left join pg_namespace n on n.oid = e.extnamespace
  left join pg_proc p on p.pronamespace = n.oid and p.proname = 'pg_stat_statements_reset'
 group by n.nspname
"""


class _State(msgspec.Struct, frozen=True):
    """The row of `_STATE`."""

    started_at: datetime
    role: str
    schema: str | None
    may_reset: bool | None


class ResetStatements:
    """Resets all counters; see `InstanceDeed`."""

    def __init__(self, spec: ActionSpec) -> None:
        self.spec = spec

    async def draft(
        self, connection: BoundedConnection, server: InstanceIdentity, *, knows_role: bool
    ) -> Draft:
        """What would be lost."""
        state = await _state(connection)
        against = restarted(server, state.started_at) or _lacking(state, knows_role=knows_role)
        if against is not None or state.schema is None:
            return Draft(title=self.spec.title, refusal=against)
        entries, since = await _counters(connection, state.schema)
        age = f"since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "since an unknown time"
        return Draft(
            title=self.spec.title,
            lines=(
                line("will run", f"{state.schema}.pg_stat_statements_reset(), as {state.role}"),
                line(
                    "lost", f"the counters of {entries} statements, {age}: of every database", is_warning=True
                ),
                line(
                    "affected",
                    "all who compare with before: other monitoring sees counters go down, and so does "
                    "the since-reset view",
                ),
                line("undo", "none; export the table of statements first, if it is needed (x)"),
            ),
        )

    async def send(self, connection: BoundedConnection, server: InstanceIdentity) -> Hit:
        """Reset, only if the server still runs that was looked at."""
        state = await _state(connection)
        against = restarted(server, state.started_at) or _lacking(state, knows_role=True)
        if against is not None or state.schema is None:
            return refused(server, against or "pg_stat_statements is gone")
        schema = state.schema.replace("%", "%%")  # psycopg takes it for the beginning of a parameter
        rows = await connection.act(
            f"/* opsdash:statements_reset */ select {schema}.pg_stat_statements_reset()"
            " where pg_postmaster_start_time() = %(started_at)s",
            {"started_at": server.started_at},
        )
        if not rows:
            return refused(server, "the server was restarted meanwhile")
        return Hit(identity=server, effect=Effect.SENT, detail="same server re-checked · reset")

    async def effect(self, connection: BoundedConnection, server: InstanceIdentity) -> str | None:
        """Since when the counters count now."""
        state = await _state(connection)
        if state.schema is None:
            return None
        entries, since = await _counters(connection, state.schema)
        return f"counters count since {since:%H:%M:%S} UTC, {entries} statements since" if since else None


async def _state(connection: BoundedConnection) -> _State:
    ((started_at, role, schema, may_reset),) = await connection.read(_STATE)
    return _State(in_utc(started_at) or started_at, decoded(role) or "", decoded(schema), may_reset)


async def _counters(connection: BoundedConnection, schema: str) -> tuple[int, datetime | None]:
    ((entries, since),) = await connection.read(
        "/* opsdash:statements_reset_counters */ "
        f"select (select count(*) from {schema}.pg_stat_statements(false)), "
        f"(select stats_reset from {schema}.pg_stat_statements_info)"
    )
    return entries, in_utc(since)


def _lacking(state: _State, *, knows_role: bool) -> str | None:
    """Why it cannot be done; None when it can."""
    if state.schema is None:
        return "pg_stat_statements is not in the database that opsdash is connected to"
    if knows_role and not state.may_reset:
        return (
            f"role {state.role} may not: GRANT EXECUTE ON FUNCTION {state.schema}.pg_stat_statements_reset "
            f"TO {state.role}"
        )
    return None
