"""What the configuration says of one PostgreSQL target. Imports no client library."""

from typing import Annotated

import msgspec

from opsdash.collectors.postgres.dsn import parts, secret_keys

Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class PostgresThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[postgres.thresholds]` below a `[[postgres]]` table."""

    connections_warn_ratio: Ratio = 0.80
    """Share of the usable connections that is in use, 0 to 1."""
    connections_crit_ratio: Ratio = 0.95
    """The same, critical."""
    waiters_warn: Count = 3
    """Sessions that wait behind one root blocker."""
    waiters_crit: Count = 10
    """The same, critical."""
    wait_warn_s: Seconds = 300.0
    """How long the longest of them waits."""
    wait_crit_s: Seconds = 600.0
    """The same, critical."""
    idle_in_transaction_s: Seconds = 300.0
    """How long a transaction may be left idle."""
    query_s: Seconds = 300.0
    """How long one statement may run."""
    statement_ratio: Ratio = 0.30
    """Share of all execution time over the last minutes that one statement takes."""
    statement_slower: Annotated[float, msgspec.Meta(ge=1)] = 3.0
    """How many times its mean of before."""
    replication_lag_s: Seconds = 60.0
    """How far the replay of a standby may be behind, in time."""
    replication_lag_bytes: Count = 256 * 1024 * 1024
    """The same in WAL that it has not replayed."""
    slot_retained_bytes: Count = 512 * 1024 * 1024
    """WAL that is kept for a slot nobody uses."""


class PostgresSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[postgres]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    dsn: str = ""
    """URI or key=value form, as libpq takes it. Empty: libpq's own environment (PGHOST, PGSERVICE, …)."""
    password_env: str | None = None
    """Variable that holds the password."""
    password_file: str | None = None
    """File whose first line is the password."""
    password_command: tuple[str, ...] | None = None
    """Argument list of a program that prints the password; no shell."""
    act_dsn: str | None = None
    """A second role, used by actions only. None: actions use `dsn`."""
    act_password_env: str | None = None
    """As above, for act_dsn."""
    act_password_file: str | None = None
    """As above, for act_dsn."""
    act_password_command: tuple[str, ...] | None = None
    """As above, for act_dsn."""
    thresholds: PostgresThresholds = PostgresThresholds()

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected); no text repeats a value."""
        wrong = []
        for key, dsn in (("dsn", self.dsn), ("act_dsn", self.act_dsn or "")):
            try:
                parts(dsn)
            except ValueError as error:
                wrong.append((key, str(error)))
        for prefix in ("", "act_"):
            names = [f"{prefix}password_{source}" for source in ("env", "file", "command")]
            stated = [name for name in names if getattr(self, name) is not None]
            if len(stated) > 1:
                wrong.append((stated[1], f"only one of {', '.join(stated)} can be used"))
        return tuple(wrong)

    def inline_secrets(self) -> tuple[str, ...]:
        """The keys whose value itself holds a password; only a private file may."""
        stated = {"dsn": self.dsn, "act_dsn": self.act_dsn or ""}
        return tuple(key for key, dsn in stated.items() if secret_keys(dsn))

    def commands(self) -> tuple[str, ...]:
        """The keys that name a program to run; only a file that nobody else can write may."""
        return tuple(key for key in ("password_command", "act_password_command") if getattr(self, key))
