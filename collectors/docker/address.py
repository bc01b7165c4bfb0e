"""Where a Docker engine is, read from what DOCKER_HOST and contexts say. Pure."""

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

import msgspec

LOCAL = "unix:///var/run/docker.sock"
_EXPECTED = "expected unix:///path, tcp://host:2376 or ssh://user@host"
_SSH_NAME = re.compile(r"[A-Za-z0-9_.%+][A-Za-z0-9_.%+-]*")
"""What may be handed to ssh: a name that begins with - would be taken for an option."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a host."""

    scheme: Literal["unix", "tcp", "ssh"]
    path: str = "/var/run/docker.sock"
    """Of the socket, for ssh on the far side; means nothing for tcp."""
    host: str = ""
    port: int | None = None
    """None: the usual one; for ssh, what its configuration says."""
    user: str | None = None
    """For ssh None: what ssh's configuration says."""

    @property
    def label(self) -> str:
        """The place as people say it.

        >>> parse(None).label, parse("tcp://db.internal").label, parse("ssh://ops@bastion:2222").label
        ('local', 'db.internal', 'ops@bastion:2222')
        >>> parse("unix:///run/user/1000/docker.sock").label
        '/run/user/1000/docker.sock'
        """
        if self.scheme == "unix":
            return "local" if self.path in ("/var/run/docker.sock", "/run/docker.sock") else self.path
        user = f"{self.user}@" if self.user else ""
        is_usual = self.port is None or (self.scheme == "tcp" and self.port in (2375, 2376))
        return f"{user}{self.host}" if is_usual else f"{user}{self.host}:{self.port}"


def parse(host: str | None) -> Address:
    """The parts of `host`; None is the local socket.

    >>> parse("tcp://10.0.0.5:2375").port, parse("tcp://[::1]:2376").host
    (2375, '::1')
    >>> parse("unix:///run/docker.sock").path, parse("ssh://ops@bastion").user
    ('/run/docker.sock', 'ops')

    Raises:
        ValueError: It is none; the text says what was expected.
    """
    try:
        parts = urlsplit(host or LOCAL)
        port = parts.port
    except ValueError as error:
        raise ValueError("the host or port in it cannot be read") from error
    if parts.password is not None or parts.query or parts.fragment:
        raise ValueError(f"{_EXPECTED}; nothing but host, port and user")
    if parts.scheme == "unix":
        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError("expected the path of a socket, as in unix:///var/run/docker.sock")
        return Address(scheme="unix", path=parts.path)
    if parts.scheme == "tcp":
        if not parts.hostname or parts.path.strip("/") or parts.username:
            raise ValueError(_EXPECTED)
        return Address(scheme="tcp", host=parts.hostname, port=port)
    if parts.scheme == "ssh":
        if not parts.hostname or not all(
            map(_SSH_NAME.fullmatch, _ssh_words(parts.hostname, parts.username))
        ):
            raise ValueError("expected ssh://user@host, with names that ssh takes")
        path = parts.path if parts.path.strip("/") else "/var/run/docker.sock"
        return Address(scheme="ssh", path=path, host=parts.hostname, port=port, user=parts.username)
    raise ValueError(_EXPECTED)


def is_ip_address(host: str) -> bool:
    """Whether `host` needs no looking up.

    >>> is_ip_address("::1"), is_ip_address("db.internal")
    (True, False)
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _ssh_words(host: str, user: str | None) -> tuple[str, ...]:
    return (host.replace(":", ""),) if user is None else (host.replace(":", ""), user)
