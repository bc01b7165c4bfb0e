"""Host names of a DSN, looked up before libpq does: it would stop the whole program meanwhile."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence

from opsdash.collectors.errors import NameLookupHangs, NameUnknown, NotSupported
from opsdash.collectors.postgres.params import Params
from opsdash.collectors.target import TargetId
from opsdash.collectors.threads import resolve
from opsdash.collectors.under_way import shared

LOOK_UP_LIMIT_S = 3.0

LookUp = Callable[[TargetId, str, int], Awaitable[tuple[str, ...]]]
"""Target, host name and port to addresses, in the order to try."""


async def look_up_name(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    """The addresses of `host`, looked up on a thread of our own; raises NameUnknown, NameLookupHangs."""
    return await shared(
        f"look up {target} {host} {port}", lambda: resolve(target, host, port, timeout_s=LOOK_UP_LIMIT_S)
    )


async def with_addresses(target: TargetId, params: Params, look_up: LookUp) -> Params:
    """Add `hostaddr` where `host` is a name; one entry for each of its addresses.

    Names stay in `host`, for TLS. Sockets' folders, addresses, and what has a `hostaddr` are left alone. Of
    several names, those that have no address are left out as long as one has.

    Raises:
        NameUnknown: No name has an address.
        NameLookupHangs: The name server did not answer.
        NotSupported: Hosts and ports do not match.
    """
    hosts = params.get("host", "").split(",")
    if params.get("hostaddr") or not any(map(_is_name, hosts)):
        return params
    ports = _ports(target, params.get("port") or "5432", len(hosts))
    found = await asyncio.gather(
        *(_addresses(target, host, port, look_up) for host, port in zip(hosts, ports, strict=True))
    )
    rows = [
        (host, address, str(port))
        for host, port, addresses in zip(hosts, ports, found, strict=True)
        if not isinstance(addresses, Exception)
        for address in addresses
    ]
    if not rows:
        raise next(failure for failure in found if isinstance(failure, Exception))
    host_list, address_list, port_list = (",".join(column) for column in zip(*rows, strict=True))
    return {**params, "host": host_list, "hostaddr": address_list, "port": port_list}


def _ports(target: TargetId, stated: str, hosts: int) -> Sequence[int]:
    """The port of each host; one port may stand for all."""
    ports = stated.split(",")
    if len(ports) == 1:
        ports *= hosts
    if len(ports) != hosts or not all(port.isdecimal() for port in ports if port):
        raise NotSupported(
            target, f'port "{stated}" is not a number for each of {hosts} hosts', hint="see its DSN"
        )
    return [int(port or 5432) for port in ports]


def _is_name(host: str) -> bool:
    """Whether `host` has to be looked up.

    >>> [host for host in ("db.internal", "::1", "10.0.0.1", "/run/postgresql", "") if _is_name(host)]
    ['db.internal']
    """
    if not host or host.startswith(("/", "@")):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


async def _addresses(
    target: TargetId, host: str, port: int, look_up: LookUp
) -> tuple[str, ...] | NameUnknown | NameLookupHangs:
    """What to try for one host: an error is a value, since another host may do."""
    if not _is_name(host):
        return ("" if host.startswith(("/", "@")) else host,)
    try:
        return await look_up(target, host, port)
    except (NameUnknown, NameLookupHangs) as error:
        return error
