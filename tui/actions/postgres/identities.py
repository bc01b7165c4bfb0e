"""What actions on statements and on idle sessions hit."""

from datetime import datetime

import msgspec

from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.secret import Secret


class AnalyzeIdentity(msgspec.Struct, frozen=True):
    """A statement of pg_stat_statements, to be executed with values that a person gave."""

    statement: StatementId
    values: Secret
    """As typed. Values of statements are never recorded."""

    def __str__(self) -> str:
        return str(self.statement)


class IdleIdentity(msgspec.Struct, frozen=True):
    """A session that has been doing nothing since a moment."""

    session: SessionIdentity
    state: str
    """idle, idle in transaction, or idle in transaction (aborted)."""
    state_change: datetime

    def __str__(self) -> str:
        return str(self.session.pid)
