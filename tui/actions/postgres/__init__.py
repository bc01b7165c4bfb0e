"""Actions on PostgreSQL: on its sessions, its statements, and on the server as a whole.

    connection.py   one statement at a time, each with a deadline; the kept action connection
    waiting.py      who waits behind whom, and who is next; pure
    sighting.py     the sessions as they are now, read afresh
    describe.py     a session in words; pure
    deeds.py        what the three actions on sessions are: statement, identity, refusals; pure
    wording.py      the lines of a plan; pure
    signals.py      sends the statement and tells what zero rows mean
    follow.py       follows the effect until nobody waits
    analyze.py      EXPLAIN ANALYZE
    idle.py         sessions that are idle for too long, all at once
    instance.py     what actions on the whole server share: plan, act, follow
    log_slow.py     log_min_duration_statement, set and restored
    reset.py        the counters of pg_stat_statements
    kit.py          puts them together

Only connection.py imports psycopg, and only once it connects: the names and keys of the actions are free.
"""

from typing import TYPE_CHECKING

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import InstanceIdentity, SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.secret import Secret
from opsdash.tui.actions.action import ActionSpec
from opsdash.tui.actions.postgres.identities import AnalyzeIdentity

if TYPE_CHECKING:
    from opsdash.tui.actions.action import ActionKit

CANCEL = ActionSpec(
    name="postgres.cancel",
    kind="postgres",
    title="Cancel query",
    short="cancel",
    key="C",
    on=SessionIdentity,
)
TERMINATE = ActionSpec(
    name="postgres.terminate",
    kind="postgres",
    title="Terminate session",
    short="terminate",
    key="K",
    on=SessionIdentity,
)
TERMINATE_ROOT = ActionSpec(
    name="postgres.terminate_root",
    kind="postgres",
    title="Terminate root blocker",
    short="terminate",
    key="K",
    on=SessionIdentity,
)


def _values(on: msgspec.Struct, answer: str) -> AnalyzeIdentity:
    assert isinstance(on, StatementId)
    return AnalyzeIdentity(on, Secret(answer))


ANALYZE = ActionSpec(
    name="postgres.analyze",
    kind="postgres",
    title="EXPLAIN ANALYZE (executes it)",
    short="analyze",
    key="E",
    on=StatementId,
    asks='values of $1, $2, … as a JSON list, as in ["A-17", 2]; [] for none',
    answered=_values,
)
ANALYZE_SESSION = ActionSpec(
    name="postgres.analyze_session",
    kind="postgres",
    title="EXPLAIN ANALYZE its statement (executes it again)",
    short="analyze",
    key="E",
    on=SessionIdentity,
)


def _typed(on: msgspec.Struct, answer: str) -> InstanceIdentity:
    assert isinstance(on, InstanceIdentity)
    return InstanceIdentity(on.started_at, answer.strip())


LOG_SLOW = ActionSpec(
    name="postgres.log_min_duration",
    kind="postgres",
    title="Set log_min_duration_statement",
    short="log slow",
    key="L",
    on=InstanceIdentity,
    asks="log statements that take longer than (ms; 0 logs all, -1 none)",
    answered=_typed,
)
RESTORE_LOG_SLOW = ActionSpec(
    name="postgres.restore_log_min_duration",
    kind="postgres",
    title="Restore log_min_duration_statement",
    short="restore",
    key="R",
    on=InstanceIdentity,
)
RESET_STATEMENTS = ActionSpec(
    name="postgres.reset_statements",
    kind="postgres",
    title="Reset pg_stat_statements",
    short="reset",
    key="X",
    on=InstanceIdentity,
)

TERMINATE_IDLE = ActionSpec(
    name="postgres.terminate_idle",
    kind="postgres",
    title="Terminate idle sessions",
    short="terminate",
    key="I",
    on=InstanceIdentity,
    asks='"idle-tx 10" or "idle 60" (minutes), then an application if only its own',
    answered=_typed,
)

SPECS: tuple[ActionSpec, ...] = (
    CANCEL,
    TERMINATE,
    TERMINATE_ROOT,
    ANALYZE,
    ANALYZE_SESSION,
    TERMINATE_IDLE,
    LOG_SLOW,
    RESTORE_LOG_SLOW,
    RESET_STATEMENTS,
)


def make_kit(clock: Clock) -> "ActionKit":
    """The three actions and the connections they are sent over. Connects to nothing yet."""
    from opsdash.tui.actions.postgres.kit import PostgresKit

    return PostgresKit(clock)
