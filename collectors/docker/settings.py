"""What the configuration says of one Docker engine. Imports no client library."""

from typing import Annotated

import msgspec

from opsdash.collectors.docker.address import Address, parse

Ratio = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class DockerThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule fires. `[docker.thresholds]` below a `[[docker]]` table."""

    memory_warn_ratio: Ratio = 0.90
    """Share of a container's memory limit in use, without the page cache that could be given back."""
    memory_crit_ratio: Ratio = 0.98
    """The same, critical."""
    throttled_warn_ratio: Ratio = 0.25
    """Share of the CPU quota's periods in which a container was held back."""
    restarts: Count = 3
    """Restarts within `restarts_within_s` that make a restart loop."""
    restarts_within_s: Amount = 600.0
    """The time in which they are counted."""
    exited_within_s: Amount = 3600.0
    """How long an exit with an error is worth a finding."""


class DockerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[docker]]` table, but for the keys that every kind has (name, interval, environment, …)."""

    host: str | None = None
    """unix:///var/run/docker.sock, tcp://host:2376, or ssh://user@host. None: the local socket."""
    context: str | None = None
    """The name of one of the docker client's contexts, in place of `host`."""
    ca_file: str | None = None
    """Certificates to trust instead of the system's, over TCP. PEM.

    TCP is encrypted where one of these three is stated, or the port is 2376.
    """
    cert_file: str | None = None
    """Our own certificate, which an engine with --tlsverify asks for. PEM."""
    key_file: str | None = None
    """Its key. PEM."""
    label: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """Only containers that have this label, `name` or `name=value`. None: all of the engine."""
    logs: bool = True
    """Whether the logs of running containers are followed."""
    thresholds: DockerThresholds = DockerThresholds()

    def mistakes(self) -> tuple[tuple[str, str], ...]:
        """What is wrong beyond the types, as (key, what was expected); no text repeats a value."""
        files = [key for key in ("ca_file", "cert_file", "key_file") if getattr(self, key) is not None]
        if self.context is not None:
            if self.host is not None:
                return (("context", "only one of host and context can be used"),)
            return tuple((key, "the context states its own certificates") for key in files)
        try:
            address = parse(self.host)
        except ValueError as error:
            return (("host", str(error)),)
        if address.scheme != "tcp":
            return tuple((key, "needs a tcp:// host") for key in files)
        if self.key_file is not None and self.cert_file is None:
            return (("key_file", "needs cert_file"),)
        return ()

    @property
    def filters(self) -> dict[str, list[str]]:
        """Which containers are meant, as the engine's lists and events take it; empty: all."""
        return {} if self.label is None else {"label": [self.label]}

    def has_tls(self, address: Address) -> bool:
        """Whether the connection to `address` is encrypted by TLS."""
        stated = self.ca_file or self.cert_file
        return address.scheme == "tcp" and (stated is not None or address.port == 2376)

    def inline_secrets(self) -> tuple[str, ...]:
        """The keys whose value itself holds a secret: none may."""
        return ()

    def commands(self) -> tuple[str, ...]:
        """The keys that name a program to run: ssh is always the same one."""
        return ()
