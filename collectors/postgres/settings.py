"""What the configuration says of one PostgreSQL target. Imports no client library."""

import msgspec


class PostgresThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[postgres.thresholds]` below a `[[postgres]]` table."""

    connections_warn_ratio: float = 0.80
    """Share of the usable connections that is in use, 0 to 1."""
    connections_crit_ratio: float = 0.95
    waiters_warn: int = 3
    """Sessions that wait behind one root blocker."""
    waiters_crit: int = 10
    wait_warn_s: float = 300.0
    """How long the longest of them waits."""
    wait_crit_s: float = 600.0
    idle_in_transaction_s: float = 300.0
    query_s: float = 300.0


class PostgresSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[postgres]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    dsn: str = ""
    """URI or key=value form, as libpq takes it. Empty: libpq's own environment (PGHOST, PGSERVICE, …)."""
    password_env: str | None = None
    password_file: str | None = None
    password_command: tuple[str, ...] | None = None
    """Argument list of a program that prints the password; no shell."""
    act_dsn: str | None = None
    """A second role, used by actions only. None: actions use `dsn`."""
    act_password_env: str | None = None
    act_password_file: str | None = None
    act_password_command: tuple[str, ...] | None = None
    thresholds: PostgresThresholds = PostgresThresholds()
