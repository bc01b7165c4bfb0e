"""What became of the wish to see a plan, as a value."""

import msgspec

from opsdash.collectors.postgres.index_hints import Hint
from opsdash.collectors.postgres.plan import Plan


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the wish to see a plan."""

    sql: str | None
    """The whole statement on one line, literals masked; None: it is gone."""
    plan: Plan | None = None
    why_not: str | None = None
    """Why there is no plan, in the server's words, and what would help; None when there is one."""
    parameters: int = 0
    """How many parameters it has: their values were not looked at."""
    hints: tuple[Hint, ...] = ()
    database: str | None = None
    role: str | None = None
    """As whom it was planned: another role's search_path and settings may give another plan."""
