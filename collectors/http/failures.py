"""Exceptions of httpx and what is below it, turned into words."""

import errno
import ssl
from collections.abc import Iterator

import httpx

from opsdash.collectors.http.answer import Broken
from opsdash.collectors.http.rows import Trouble
from opsdash.collectors.secret import redact
from opsdash.collectors.text import one_line

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EHOSTDOWN)


def broken(error: httpx.HTTPError | httpx.InvalidURL, *, where: str, waited_for: str) -> Broken:
    """Why a request got no whole answer.

    Args:
        error: What httpx raised.
        where: Address and port, for people.
        waited_for: The phase it broke in, for people.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause)
        if isinstance(cause, ssl.SSLError):
            return _tls(cause)
        if isinstance(cause, OSError) and cause.errno is not None:
            return _socket(cause, where)
    said = redact(one_line(str(error)))[:160]
    if isinstance(error, httpx.TimeoutException):
        return timed_out(f"no answer from {where} in time, waiting for {waited_for}")
    if isinstance(error, httpx.RemoteProtocolError) and not _is_end(said):
        return Broken(
            trouble=Trouble.NOT_HTTP,
            reason=f"what {where} answers is not HTTP: {said}",
            hint="something else may be listening there, or it wants https",
        )
    return Broken(
        trouble=Trouble.LOST,
        reason=f"{where} ended the connection while opsdash waited for {waited_for}",
        hint="it was restarted, or something on the way cuts connections: look at its log",
    )


def timed_out(reason: str) -> Broken:
    """Nothing came in time."""
    return Broken(
        trouble=Trouble.TIMED_OUT,
        reason=reason,
        hint="it is frozen or overloaded, or the network drops what is sent",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
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


def _is_end(said: str) -> bool:
    """Whether h11 complains about an answer that ended, not about one that makes no sense.

    >>> _is_end("Server disconnected without sending a response."), _is_end("illegal status line")
    (True, False)
    """
    return "disconnected" in said or "closed connection" in said


def _certificate(error: ssl.SSLCertVerificationError) -> Broken:
    hints = {
        9: "it holds from a later date on: check both clocks",
        10: "renew it, or the intermediate that expired",
        18: "it signs itself: name it as ca_file to trust it",
        19: "its root is not known here: name it as ca_file to trust it",
        20: "its issuer is not known here: name it as ca_file, or let the server send its intermediate",
        21: "the server does not send its intermediate, or its issuer is not known here",
        62: "it is for another name: check the URL, or issue it for this name too",
        64: "it is for another address: use the name in the URL, and `connect` for the address",
    }
    return Broken(
        trouble=Trouble.CERTIFICATE,
        reason=one_line(error.verify_message or str(error)).rstrip("."),
        hint=hints.get(error.verify_code, "look at its chain"),
    )


def _tls(error: ssl.SSLError) -> Broken:
    reason = one_line(error.reason or str(error)).replace("_", " ").lower()
    hint = "check that it speaks TLS, and which versions it takes"
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        hint = "it does not speak TLS there: http:// in place of https://, or another port"
    if "CERTIFICATE_REQUIRED" in (error.reason or "") or "BAD_CERTIFICATE" in (error.reason or ""):
        hint = "it asks for our own certificate: cert_file and key_file"
    return Broken(trouble=Trouble.TLS, reason=f"TLS handshake failed: {reason}", hint=hint)


def _socket(error: OSError, where: str) -> Broken:
    words = one_line(error.strerror or str(error))
    if error.errno == errno.ECONNREFUSED:
        return Broken(
            trouble=Trouble.REFUSED,
            reason=f"{where}: connection refused",
            hint="nothing listens there: it is stopped, or the address or port is wrong",
        )
    if error.errno in _UNREACHABLE:
        return Broken(
            trouble=Trouble.UNREACHABLE,
            reason=f"{where}: {words}",
            hint="there is no way to it from here: check the route, the VPN, the firewall",
        )
    return Broken(
        trouble=Trouble.LOST,
        reason=f"{where}: {words}",
        hint="it was restarted, or something on the way cuts connections: look at its log",
    )
