"""What the actions on a statement hit."""

import msgspec

from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.secret import Secret


class AnalyzeIdentity(msgspec.Struct, frozen=True):
    """A statement of pg_stat_statements, to be executed with values that a person gave."""

    statement: StatementId
    values: Secret
    """As typed. Values of statements are never recorded."""

    def __str__(self) -> str:
        return str(self.statement)
