"""Whether what crosses the network can be read or answered by somebody else. Pure."""

import ipaddress
from collections.abc import Iterator

import msgspec

from opsdash.collectors.diagnosis import Check, advice, ok


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """How an open connection reaches its server."""

    host: str
    """A name, an address or the folder of a socket."""
    hostaddr: str
    """The address; "" for a socket."""
    has_tls: bool
    sslmode: str
    """libpq's: disable, allow, prefer, require, verify-ca or verify-full."""


def transport_check(transport: Transport) -> Iterator[Check]:
    """At most one check: nothing is said of a connection that stays on this machine.

    >>> far = Transport(host="db", hostaddr="10.0.0.1", has_tls=False, sslmode="prefer")
    >>> [check.text for check in transport_check(far)]
    ['not encrypted: what is read crosses the network in the clear; sslmode=verify-full would refuse that']
    >>> list(transport_check(Transport(host="db", hostaddr="127.0.0.1", has_tls=False, sslmode="prefer")))
    []
    """
    if not transport.has_tls:
        if not _is_here(transport):
            yield advice(
                "TLS",
                "not encrypted: what is read crosses the network in the clear; "
                "sslmode=verify-full would refuse that",
            )
    elif transport.sslmode == "verify-full":
        yield ok("TLS", "encrypted, and the server's certificate and name are verified")
    elif transport.sslmode == "verify-ca":
        yield advice("TLS", "encrypted, and the certificate verified, but not its name: sslmode=verify-full")
    else:
        yield advice(
            "TLS",
            f"encrypted, but nobody verifies who answers (sslmode={transport.sslmode}): "
            "sslmode=verify-full, with sslrootcert naming the CA's certificate (or =system)",
        )


def _is_here(transport: Transport) -> bool:
    """Whether the server is on this machine: a socket or a loopback address."""
    if not transport.hostaddr:
        return transport.host.startswith(("/", "@"))
    return ipaddress.ip_address(transport.hostaddr.partition("%")[0]).is_loopback
