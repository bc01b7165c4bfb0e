"""What the configuration says of one Redis target. Imports no client library."""

from typing import Annotated

import msgspec

from opsdash.collectors.redis.address import parse

Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class RedisThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[redis.thresholds]` below a `[[redis]]` table."""

    memory_warn_ratio: Ratio = 0.80
    """Share of maxmemory in use, where a full one refuses writes."""
    memory_crit_ratio: Ratio = 0.90
    """The same, critical."""
    clients_warn_ratio: Ratio = 0.90
    """Share of maxclients that is connected."""
    blocked_clients: Count = 50
    """Clients that wait in BLPOP and its like. Queue workers do so when there is nothing to do."""
    hit_drop_ratio: Ratio = 0.20
    """How far the hit ratio of the last minute may be below the one since the start."""
    hit_min_lookups: Count = 1000
    """Lookups in the last minute below which its hit ratio says nothing."""
    replica_lag_s: Amount = 10.0
    """How far a replica may be behind."""
    slow_command_ms: Amount = 50.0
    """Time of one command whose cost grows with the data (KEYS, SMEMBERS, …)."""
    slow_within_s: Amount = 300.0
    """How far back the slow log is looked at."""


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[redis]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    url: str = "redis://localhost:6379/0"
    """rediss:// for TLS, unix:///path for a socket. The path's number is the database for actions."""
    password_env: str | None = None
    """Variable that holds the password."""
    password_file: str | None = None
    """File whose first line is the password."""
    password_command: tuple[str, ...] | None = None
    """Argument list of a program that prints the password; no shell."""
    act_username: str | None = None
    """A second ACL user, used by actions only. None: actions use the URL's."""
    act_password_env: str | None = None
    """As above, for act_username."""
    act_password_file: str | None = None
    """As above, for act_username."""
    act_password_command: tuple[str, ...] | None = None
    """As above, for act_username."""
    ca_file: str | None = None
    """Certificates to trust instead of the system's. PEM."""
    cert_file: str | None = None
    """Our own certificate, where the server asks for one. PEM."""
    key_file: str | None = None
    """Its key. PEM."""
    server_name: str | None = None
    """The name that the server's certificate is for, where it is not the URL's host."""
    memory_limit_bytes: Count | None = None
    """What its container may use: Redis itself does not know. None: only the machine's memory counts."""
    thresholds: RedisThresholds = RedisThresholds()

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected); no text repeats a value."""
        try:
            address = parse(self.url)
        except ValueError as error:
            return (("url", str(error)),)
        wrong = []
        for prefix in ("", "act_"):
            names = [f"{prefix}password_{source}" for source in ("env", "file", "command")]
            stated = [name for name in names if getattr(self, name) is not None]
            if len(stated) > 1:
                wrong.append((stated[1], f"only one of {', '.join(stated)} can be used"))
            if stated and prefix and self.act_username is None:
                wrong.append((stated[0], "needs act_username"))
        if not address.has_tls:
            tls = ("ca_file", "cert_file", "key_file", "server_name")
            wrong += [(key, "needs a rediss:// URL") for key in tls if getattr(self, key) is not None]
        if self.key_file is not None and self.cert_file is None:
            wrong.append(("key_file", "needs cert_file"))
        return tuple(wrong)

    def inline_secrets(self) -> tuple[str, ...]:
        """The keys whose value itself holds a password; only a private file may."""
        return ("url",) if parse(self.url).password else ()

    def commands(self) -> tuple[str, ...]:
        """The keys that name a program to run; only a file that nobody else can write may."""
        return tuple(key for key in ("password_command", "act_password_command") if getattr(self, key))
