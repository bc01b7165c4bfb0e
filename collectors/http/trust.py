"""What certificates are trusted, read from disk once."""

import ssl
from functools import lru_cache
from pathlib import Path

import msgspec

from opsdash.collectors.errors import TlsFailed
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.target import TargetId
from opsdash.collectors.threads import StillRunning, call_in_thread
from opsdash.collectors.under_way import shared

_FILES_LIMIT_S = 3.0


class Trust(msgspec.Struct, frozen=True, eq=False):
    """What a handshake demands."""

    context: ssl.SSLContext


async def read_trust(target: TargetId, settings: HttpSettings) -> Trust:
    """Read the certificates that are trusted, on a thread: a network home may hang.

    Raises:
        TlsFailed: A file cannot be read.
    """
    files = (settings.ca_file, settings.cert_file, settings.key_file)
    has_tls = settings.url.startswith("https:")
    key = f"certificates of {target}" if any(files) else f"the system's certificates, TLS {has_tls}"

    def prepared() -> ssl.SSLContext:
        if has_tls:
            import cryptography.x509  # noqa: F401 - else the first probe would import it, and seem slow
        return _context(*files)

    try:
        context = await shared(key, lambda: call_in_thread(prepared, key=key, timeout_s=_FILES_LIMIT_S))
    except (TimeoutError, StillRunning):
        raise TlsFailed(
            target, "reading the certificates to trust got no answer", hint="is their file system mounted?"
        ) from None
    except OSError as error:  # ssl.SSLError is one
        stated = ", ".join(k for k in ("ca_file", "cert_file", "key_file") if getattr(settings, k))
        raise TlsFailed(
            target,
            f"{stated or 'certificates'} cannot be read: {error.strerror or error}",
            hint="check the file",
        ) from error
    return Trust(context)


@lru_cache(maxsize=64)
def _context(ca: str | None, certificate: str | None, key: str | None) -> ssl.SSLContext:
    """One context for all endpoints that trust the same: the system's certificates take 20 ms to read."""
    context = ssl.create_default_context(cafile=str(Path(ca).expanduser()) if ca else None)
    if certificate is not None:
        context.load_cert_chain(Path(certificate).expanduser(), Path(key).expanduser() if key else None)
    return context
