"""Certificates of all ages, made by hand where trustme cannot: an intermediate that expires first."""

import datetime
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Issued:
    """A key and its certificate."""

    def __init__(
        self, name: str, by: "Issued | None", *, days: float, is_ca: bool = False, names: tuple[str, ...] = ()
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = by or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - 90 * DAY)
            .not_valid_after(now() + days * DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
            builder = builder.add_extension(alternative, critical=False)
        self.certificate = builder.sign(issuer.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def server_context(folder: Path, leaf: Issued, *sent: Issued) -> ssl.SSLContext:
    """A server that sends `leaf` and then `sent`."""
    file = folder / "server.pem"
    file.write_bytes(leaf.key_pem + leaf.pem + b"".join(one.pem for one in sent))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


def issued_by(
    authority: trustme.CA, *names: str, since_days: float = -90.0, until_days: float = 365.0
) -> ssl.SSLContext:
    """A server whose certificate trustme made."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(
        *names, not_before=now() + since_days * DAY, not_after=now() + until_days * DAY
    ).configure_cert(context)
    return context
