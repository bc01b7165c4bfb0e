"""Actions on PostgreSQL sessions: cancel a query, terminate a session, terminate the root blocker.

    connection.py   one statement at a time, each with a deadline; the kept action connection
    waiting.py      who waits behind whom, and who is next; pure
    sighting.py     the sessions as they are now, read afresh
    describe.py     a session in words; pure
    deeds.py        what the three actions are: statement, identity, refusals; pure
    wording.py      the lines of a plan; pure
    signals.py      sends the statement and tells what zero rows mean
    follow.py       follows the effect until nobody waits
    kit.py          puts them together

Only connection.py imports psycopg, and only once it connects: the names and keys of the actions are free.
"""

from typing import TYPE_CHECKING

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.tui.actions.action import ActionSpec

if TYPE_CHECKING:
    from opsdash.tui.actions.action import ActionKit

CANCEL = ActionSpec(
    name="postgres.cancel",
    kind="postgres",
    title="Cancel query",
    short="cancel",
    key="C",
    on=SessionIdentity,
    direct=True,
)
TERMINATE = ActionSpec(
    name="postgres.terminate",
    kind="postgres",
    title="Terminate session",
    short="terminate",
    key="K",
    on=SessionIdentity,
    direct=True,
)
TERMINATE_ROOT = ActionSpec(
    name="postgres.terminate_root",
    kind="postgres",
    title="Terminate root blocker",
    short="terminate",
    key="K",
    on=SessionIdentity,
)

SPECS: tuple[ActionSpec, ...] = (CANCEL, TERMINATE, TERMINATE_ROOT)


def make_kit(clock: Clock) -> "ActionKit":
    """The three actions and the connections they are sent over. Connects to nothing yet."""
    from opsdash.tui.actions.postgres.kit import PostgresKit

    return PostgresKit(clock)
