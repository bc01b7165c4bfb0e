"""The shop's certificates, made at the start: a root, an intermediate that soon expires, and its own."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from opsdash.tui.demo.servers import HOST
from opsdash.tui.demo.stories import CA_FILE, SHOP_NAME

CHAIN_FILE, KEY_FILE = "chain.pem", "key.pem"
"""What the shop's server shows and signs with; beside `stories.CA_FILE`, which opsdash is to trust."""

_ROOT_DAYS, _INTERMEDIATE_DAYS, _SHOP_DAYS = 3650.0, 12.5, 80.0
"""The shop's own outlives the one that vouches for it: looking at that one alone, nobody sees it coming."""

_Key = ec.EllipticCurvePrivateKey


def make_certificates(folder: Path) -> None:
    """Write the root, the chain below it, and the key of the shop's own certificate into an empty folder."""
    now = datetime.now(UTC)
    root_key, intermediate_key, shop_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    issue = _Issuer("opsdash demo root", root_key, now)
    root = issue("opsdash demo root", root_key, _ROOT_DAYS, _authority(depth=1))
    intermediate = issue("opsdash demo R11", intermediate_key, _INTERMEDIATE_DAYS, _authority(depth=0))
    issue = _Issuer("opsdash demo R11", intermediate_key, now)
    shop = issue(SHOP_NAME, shop_key, _SHOP_DAYS, _server())
    (folder / CA_FILE).write_bytes(_pem(root))
    (folder / CHAIN_FILE).write_bytes(_pem(shop) + _pem(intermediate))
    with os.fdopen(os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            shop_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


class _Issuer:
    """Whoever vouches for others, by its name and key."""

    def __init__(self, name: str, key: _Key, now: datetime) -> None:
        self._name, self._key, self._now = name, key, now

    def __call__(
        self, name: str, key: _Key, days: float, extensions: tuple[x509.ExtensionType, ...]
    ) -> x509.Certificate:
        """A certificate for `key`, with all that strict clients ask for."""
        issuer, public = self._key.public_key(), key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_common_name(name))
            .issuer_name(_common_name(self._name))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(days=1))
            .not_valid_after(self._now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )
        for extension in extensions:
            is_critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
            builder = builder.add_extension(extension, critical=is_critical)
        return builder.sign(self._key, hashes.SHA256())


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _authority(depth: int) -> tuple[x509.ExtensionType, ...]:
    return (x509.BasicConstraints(ca=True, path_length=depth), _usage(signs_certificates=True))


def _server() -> tuple[x509.ExtensionType, ...]:
    return (
        x509.BasicConstraints(ca=False, path_length=None),
        _usage(signs_certificates=False),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.SubjectAlternativeName([x509.DNSName(SHOP_NAME), x509.IPAddress(IPv4Address(HOST))]),
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
