"""What the system, TLS or an engine says when something fails -> our errors. Pure."""

import errno
import os
import ssl
from collections.abc import Iterator

import msgspec

from opsdash.collectors import errors
from opsdash.collectors.errors import BadReply, ConnectionLost, PermissionDenied, TargetError, TimedOut
from opsdash.collectors.secret import redact
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line

_LONGEST = 300
"""Characters of a reason: an engine repeats what runc and the kernel said."""

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.ETIMEDOUT)
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED)
_DENIED = (errno.EACCES, errno.EPERM)


class EngineError(BadReply):
    """The engine understood the request and could not do it: 404 gone, 409 not now, 500 see its words."""

    def __init__(self, target: TargetId, reason: str, *, status: int, hint: str | None = None) -> None:
        """Args: as its parents', and the HTTP status."""
        super().__init__(target, reason, hint=hint)
        self.status = status


class NotSent(ConnectionLost):
    """The kept connection ended before the request was sent on it."""


class _Said(msgspec.Struct):
    """The body of every refusal."""

    message: str = ""


def refused(target: TargetId, status: int, body: bytes) -> TargetError:
    """Our error for an answer of 300 or more, in the engine's words where it has any.

    >>> error = refused(TargetId("docker", "local"), 404, b'{"message": "No such container: web"}')
    >>> error.reason, error.status
    ('No such container: web', 404)
    >>> refused(TargetId("docker", "local"), 403, b"<html>Forbidden</html>").kind.value
    'no permission'
    """
    words = _words(status, body)
    if status == 401:
        return errors.AuthenticationFailed(
            target, words, hint="something in front of the engine wants a login; opsdash has none for it"
        )
    if status == 403:
        return PermissionDenied(
            target,
            words,
            hint="an authorisation plugin or a proxy before the socket does not let this through",
        )
    if status == 400 and ("too old" in words or "too new" in words):
        return errors.NotSupported(target, words, hint="the engine and opsdash have no API version in common")
    if status in (502, 503, 504):
        return ConnectionLost(
            target, words, hint="a proxy stands before the engine, which does not answer it"
        )
    return EngineError(target, words, status=status, hint="see the engine's log: journalctl -u docker")


def _words(status: int, body: bytes) -> str:
    try:
        said = msgspec.json.decode(body, type=_Said).message
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = ""
    words = redact(one_line(said)) or f"HTTP status {status}, without a reason"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from, of groups the first member."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            current = current.exceptions[0]
        else:
            current = current.__cause__ or current.__context__


def from_system(target: TargetId, where: str, error: BaseException, *, is_socket: bool) -> TargetError | None:
    """Our error for the first word of the system or of TLS among the causes of `error`; None: there is none.

    Args:
        target: Which engine.
        where: The socket's path, or address and port, for people.
        error: What a library raised.
        is_socket: Whether `where` is a path.
    """
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = one_line(cause.verify_message or str(cause))
            return errors.TlsFailed(
                target,
                f"its certificate is refused: {reason}",
                hint="check ca_file, and that the certificate is for the name in host",
            )
        if isinstance(cause, ssl.SSLError):
            return _tls(target, cause)
        if isinstance(cause, OSError) and cause.errno is not None:
            return _socket(target, where, cause) if is_socket else _network(target, where, cause)
    return None


def _tls(target: TargetId, error: ssl.SSLError) -> TargetError:
    said = error.reason or str(error)
    reason = one_line(said).replace("_", " ").lower()
    hint = "check that the engine speaks TLS on this port"
    if said in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        hint = "it does not speak TLS there: leave the certificates out, or use another port (usual is 2376)"
    elif "CERTIFICATE" in said:
        hint = "it asks for our own certificate, of a CA that it knows: cert_file and key_file"
    return errors.TlsFailed(target, f"TLS handshake failed: {reason}", hint=hint)


def _socket(target: TargetId, where: str, error: OSError) -> TargetError:
    words = f"{where}: {_reason(error)}"
    if error.errno in _DENIED:
        return PermissionDenied(
            target, words, hint="add your user to the group docker (that is as much as root), or use sudo"
        )
    if error.errno in _GONE:
        return errors.ConnectionRefused(
            target, words, hint="dockerd does not run, or listens elsewhere: see docker context ls"
        )
    return lost(target, words)


def _reason(error: OSError) -> str:
    """The system's words, also where asyncio put its own in their place.

    >>> _reason(OSError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 2375)"))
    'Connection refused'
    """
    said = error.strerror or str(error)
    if error.errno is not None and said.startswith("Connect call failed"):
        return os.strerror(error.errno)
    return one_line(said)


def _network(target: TargetId, where: str, error: OSError) -> TargetError:
    words = f"{where}: {_reason(error)}"
    if error.errno == errno.ECONNREFUSED:
        return errors.ConnectionRefused(
            target, words, hint="nothing listens there: dockerd is stopped, or the address or port is wrong"
        )
    if error.errno in _UNREACHABLE:
        return TimedOut(target, words, hint="there is no way to it from here: check route, VPN, firewall")
    return lost(target, words)


def lost(target: TargetId, reason: str) -> ConnectionLost:
    """An open connection ended."""
    return ConnectionLost(
        target, reason, hint="the engine was restarted, or something between cuts connections: see its log"
    )


def not_sent(target: TargetId, reason: str) -> NotSent:
    """The connection ended while nothing was under way, and another one was not wanted."""
    return NotSent(target, reason, hint="the engine was restarted, or something between cuts connections")


def beyond_ssh(target: TargetId, reason: str) -> TargetError:
    """The tunnel says why it carries nothing; `reason` is in ssh's words, with where it leads."""
    if "open failed" not in reason:
        return lost(target, reason)
    return errors.ConnectionRefused(
        target,
        reason,
        hint="ssh works; there dockerd does not run, or your user may not open its socket: see group docker",
    )


def no_answer(target: TargetId, path: str, limit_s: float) -> TimedOut:
    """Nothing came in time."""
    return TimedOut(
        target,
        f"no answer to {path} within {limit_s:g} s",
        hint="the engine or the network hangs: see its log, and how docker ps answers",
    )


def nonsense(target: TargetId, reason: str) -> BadReply:
    """An answer that no engine would give."""
    return BadReply(target, reason, hint="is this a Docker engine? Something else may listen there")
