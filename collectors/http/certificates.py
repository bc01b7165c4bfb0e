"""Certificates as a server sends them, read also when the handshake refuses them."""

import asyncio
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opsdash.collectors.http.rows import Certificate, Chain
from opsdash.collectors.text import one_line

if TYPE_CHECKING:
    from cryptography import x509

_MOST = 10
"""Certificates of a chain that are looked at."""


def chain_of(connection: ssl.SSLObject | ssl.SSLSocket, *, refused: str | None = None) -> Chain | None:
    """The chain that the peer of an open TLS connection sent; None when there is none, or none readable.

    Source:
        get_unverified_chain is public from Python 3.13 on; 3.11 and 3.12 have it on the inner object, and any
        other Python shows the server's own certificate only.
    """
    ders, is_leaf_only = _sent(connection)
    certificates = []
    for der in ders[:_MOST]:
        try:
            certificates.append(read_certificate(der))
        except ValueError:  # not a certificate that can be read: what came before it is shown
            break
    if not certificates:
        return None
    return Chain(certificates=tuple(certificates), is_leaf_only=is_leaf_only, refused=refused)


def _sent(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[list[bytes], bool]:
    """The certificates in DER form, and whether there may be more."""
    ask: Any = getattr(connection, "get_unverified_chain", None)
    if ask is not None:
        return list(ask()), False
    ask = getattr(getattr(connection, "_sslobj", None), "get_unverified_chain", None)
    if ask is not None:
        import _ssl

        return [found.public_bytes(_ssl.ENCODING_DER) for found in ask() or ()], False
    leaf = connection.getpeercert(binary_form=True)
    return ([leaf] if leaf else []), True


async def look_at_refused(
    host: str, port: int, server_name: str, *, base: ssl.SSLContext, refused: str
) -> Chain | None:
    """Shake hands once more without checking, only to see what was refused; nothing is sent.

    Args:
        host: Address to connect to.
        port: Port.
        server_name: As in the first handshake.
        base: The context that refused it; its own certificate and trust are not needed here.
        refused: Why, in OpenSSL's words.

    Returns:
        None when it cannot be seen: the server does not even get that far.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    context.minimum_version = base.minimum_version
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=server_name)
    except (OSError, ssl.SSLError):
        return None
    try:
        connection = writer.get_extra_info("ssl_object")
        return None if connection is None else chain_of(connection, refused=refused)
    finally:
        writer.transport.abort()


@lru_cache(maxsize=512)
def read_certificate(der: bytes) -> Certificate:
    """One certificate. The same one is seen with every probe, so it is read once.

    Raises:
        ValueError: It cannot be read.
    """
    from cryptography import x509  # 60 ms: only when there is a certificate

    certificate = x509.load_der_x509_certificate(der)
    names = _names(certificate)
    return Certificate(
        subject=_common(certificate.subject) or (names[0] if names else _name(certificate.subject)),
        issuer=_name(certificate.issuer),
        names=names,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_ca=_is_ca(certificate),
        serial=f"{certificate.serial_number:x}",
    )


def _common(name: "x509.Name") -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return one_line(str(found[0].value))[:100] if found else ""


def _name(name: "x509.Name") -> str:
    """The common name, else all of it."""
    return _common(name) or one_line(name.rfc4514_string())[:100] or "(no name)"


def _names(certificate: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    named = [*found.get_values_for_type(x509.DNSName), *found.get_values_for_type(x509.IPAddress)]
    return tuple(one_line(str(name))[:253] for name in named)


def _is_ca(certificate: "x509.Certificate") -> bool:
    from cryptography import x509

    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        return False
