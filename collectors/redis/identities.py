"""What actions on a Redis hit. Each names the run of the server, so that a restarted one is told apart."""

import msgspec


class ServerIdentity(msgspec.Struct, frozen=True):
    """One run of a server."""

    run_id: str
    """As INFO says it: new with every start. Empty where the server hides it."""

    def __str__(self) -> str:
        return "server"


class DatabaseIdentity(ServerIdentity, frozen=True):
    """One numbered database of it; what acts on the server can be asked for here too."""

    db: int = 0

    def __str__(self) -> str:
        return f"db{self.db}"


class PurgeIdentity(msgspec.Struct, frozen=True):
    """The keys of one database that match a pattern, as SCAN understands it."""

    run_id: str
    db: int
    pattern: str

    def __str__(self) -> str:
        return f"db{self.db} {self.pattern}"


class SettingIdentity(msgspec.Struct, frozen=True):
    """A setting of the server and the value it is to get, as a person typed it."""

    run_id: str
    name: str
    """maxmemory or maxmemory-policy."""
    value: str
    former: str | None = None
    """What it was when the plan was read; None before there is one."""

    def __str__(self) -> str:
        return self.name


class ClientIdentity(msgspec.Struct, frozen=True):
    """One client's connection. The server counts its ids up and never gives one twice in a run."""

    run_id: str
    id: int

    def __str__(self) -> str:
        return f"client {self.id}"
