"""The engine that the docker client of this person would use: DOCKER_HOST, a context, or the local socket."""

import os
from collections.abc import Mapping
from pathlib import Path

from opsdash.collectors.discover import Found, Looked, Skipped
from opsdash.collectors.docker.address import LOCAL, parse
from opsdash.collectors.docker.contexts import DEFAULT, config_file, current_context
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.text import one_line

_LOOKED_FOR = ("DOCKER_HOST", "DOCKER_CONTEXT")
_SOCKET = Path(parse(LOCAL).path)


def discover(environ: Mapping[str, str], *, socket: Path = _SOCKET) -> Looked:
    """Look where the docker client looks, in its order. Nothing is connected to.

    >>> looked = discover({"DOCKER_HOST": "ssh://ops@bastion"})
    >>> [(found.name, found.source) for found in looked.found]
    [('ops@bastion', 'DOCKER_HOST')]
    >>> [skipped.reason for skipped in discover({"DOCKER_HOST": "npipe:////./pipe/docker"}).skipped]
    ['expected unix:///path, tcp://host:2376 or ssh://user@host']
    """
    try:
        if host := environ.get("DOCKER_HOST", "").strip():
            return _looked(_of_host(host, environ))
        if found := _of_context(environ):
            return _looked(found)
    except ValueError as error:
        source = "DOCKER_HOST" if environ.get("DOCKER_HOST") else one_line(str(config_file(environ)))
        return Looked(looked_for=_LOOKED_FOR, skipped=(Skipped(source=source, reason=one_line(str(error))),))
    return _local(socket)


def _looked(found: Found) -> Looked:
    return Looked(looked_for=_LOOKED_FOR, found=(found,))


def _of_host(host: str, environ: Mapping[str, str]) -> Found:
    """What DOCKER_HOST names, with the certificates of DOCKER_CERT_PATH where DOCKER_TLS_VERIFY is set."""
    address = parse(host)
    folder = Path(environ.get("DOCKER_CERT_PATH") or config_file(environ).parent)
    has_tls = bool(environ.get("DOCKER_TLS_VERIFY")) and address.scheme == "tcp"
    files = [folder / f"{name}.pem" for name in ("ca", "cert", "key")] if has_tls else []
    ca, certificate, key = [str(path) if path.exists() else None for path in files] or [None] * 3
    settings = DockerSettings(
        host=host, ca_file=ca, cert_file=certificate, key_file=key if certificate else None
    )
    source = "DOCKER_HOST, DOCKER_TLS_VERIFY" if has_tls else "DOCKER_HOST"
    return Found(name=one_line(address.label), settings=settings, source=source)


def _of_context(environ: Mapping[str, str]) -> Found | None:
    """The context that is in use, unless it is the default one; raises ValueError."""
    stated = environ.get("DOCKER_CONTEXT", "").strip()
    name = stated or current_context(environ)
    if name is None or name == DEFAULT:
        return None
    source = "DOCKER_CONTEXT" if stated else one_line(str(config_file(environ)))
    return Found(name=one_line(name), settings=DockerSettings(context=name), source=source)


def _local(socket: Path) -> Looked:
    """The usual socket, where there is one that we may open."""
    if not socket.is_socket():
        return Looked(looked_for=_LOOKED_FOR)
    if not os.access(socket, os.R_OK | os.W_OK, effective_ids=True):
        reason = "you may not open it: the group docker may, which is as much as root"
        return Looked(looked_for=_LOOKED_FOR, skipped=(Skipped(source=str(socket), reason=reason),))
    settings = DockerSettings(host=f"unix://{socket}")
    return _looked(Found(name="local", settings=settings, source=str(socket)))
