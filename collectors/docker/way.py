"""How an engine is reached: contexts, certificates, names and tunnels, all but connecting."""

import os
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path

import msgspec

from opsdash.collectors.docker.address import is_ip_address, parse
from opsdash.collectors.docker.contexts import read_context
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.docker.tunnel import Tunnel, open_tunnel
from opsdash.collectors.errors import NameUnknown, NotSupported, TimedOut, TlsFailed
from opsdash.collectors.target import Target, TargetId
from opsdash.collectors.threads import StillRunning, call_in_thread, resolve
from opsdash.collectors.under_way import shared

LOOK_UP_LIMIT_S = 3.0
_FILES_LIMIT_S = 3.0

LookUp = Callable[[TargetId, str, int], Awaitable[tuple[str, ...]]]
"""Target, host name and port to addresses, in the order to try."""


async def look_up_name(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    """The addresses of `host`, looked up on a thread of our own; raises NameUnknown, NameLookupHangs."""
    return await shared(
        f"look up {target} {host} {port}", lambda: resolve(target, host, port, timeout_s=LOOK_UP_LIMIT_S)
    )


class Way(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """How an engine is reached, with everything read and looked up."""

    path: str | None = None
    """Of a Unix socket, also of a tunnel's near end; None: TCP."""
    host: str = "docker"
    """What its certificate is for, and what it is called in requests."""
    addresses: tuple[str, ...] = ()
    port: int = 0
    tls: ssl.SSLContext | None = None
    tunnel: Tunnel | None = None

    @property
    def label(self) -> str:
        """The place for people."""
        if self.tunnel is not None:
            return self.tunnel.label
        return self.path or f"{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """What requests call it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def is_local(self) -> bool:
        """Whether it is a socket of this machine's own."""
        return self.path is not None and self.tunnel is None


async def find_way(target: Target, *, look_up: LookUp = look_up_name) -> Way:
    """Read contexts and certificates, look names up, open the tunnel: all but connecting.

    Raises:
        TargetError: It cannot be found; the class says why.
    """
    settings = target.settings
    assert isinstance(settings, DockerSettings)
    if settings.context is not None:
        settings = await _of_context(target.id, settings.context)
    address = parse(settings.host)
    if address.scheme == "unix":
        return Way(path=address.path)
    if address.scheme == "ssh":
        tunnel = await open_tunnel(target.id, address)
        return Way(path=str(tunnel.socket), tunnel=tunnel)
    tls = await _tls_context(target.id, settings) if settings.has_tls(address) else None
    port = address.port or (2376 if tls else 2375)
    addresses: tuple[str, ...] = (address.host,)
    if not is_ip_address(address.host):
        addresses = await look_up(target.id, address.host, port)
    if not addresses:
        raise NameUnknown(target.id, f'"{address.host}" has no address', hint="check the name")
    return Way(host=address.host, addresses=addresses, port=port, tls=tls)


async def _of_context(target: TargetId, name: str) -> DockerSettings:
    """The settings that a context of the docker client amounts to."""
    hint = f"docker context ls shows those there are; docker context inspect {name} what it says"
    key = f"context of {target}"
    try:
        found = await call_in_thread(
            lambda: read_context(name, os.environ), key=key, timeout_s=_FILES_LIMIT_S
        )
        settings = DockerSettings(
            host=found.host, ca_file=found.ca_file, cert_file=found.cert_file, key_file=found.key_file
        )
        parse(settings.host)
    except LookupError as error:
        raise NotSupported(target, str(error.args[0]), hint=hint) from error
    except ValueError as error:
        raise NotSupported(target, f"context {name}: {error}", hint=hint) from error
    except (TimeoutError, StillRunning):
        raise TimedOut(
            target, f"reading context {name} got no answer", hint="is its file system mounted?"
        ) from None
    return settings


async def _tls_context(target: TargetId, settings: DockerSettings) -> ssl.SSLContext:
    """Reads certificates from disk, so on a thread: a network home may hang."""
    files = (settings.ca_file, settings.cert_file, settings.key_file)
    key = f"certificates of {target}"
    try:
        return await shared(
            key, lambda: call_in_thread(lambda: _context(*files), key=key, timeout_s=_FILES_LIMIT_S)
        )
    except (TimeoutError, StillRunning):
        raise TlsFailed(
            target, "reading the certificates got no answer", hint="is their file system mounted?"
        ) from None
    except OSError as error:  # ssl.SSLError is one
        stated = ", ".join(k for k in ("ca_file", "cert_file", "key_file") if getattr(settings, k))
        raise TlsFailed(
            target,
            f"{stated or 'certificates'} cannot be read: {error.strerror or error}",
            hint="check the file",
        ) from error


@lru_cache(maxsize=16)
def _context(ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(Path(ca).expanduser()) if ca else None)
    if certificate is not None:
        context.load_cert_chain(Path(certificate).expanduser(), Path(key).expanduser() if key else None)
    return context
