"""The contexts of the docker client: where they are kept, and what one says."""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

DEFAULT = "default"
"""The context that means: no context."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One context, as far as an engine is concerned."""

    host: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


def current_context(environ: Mapping[str, str]) -> str | None:
    """The context that `docker context use` chose; None: none.

    Raises:
        ValueError: The client's configuration cannot be read; the text says why.
    """
    if not (environ.get("DOCKER_CONFIG") or environ.get("HOME")):
        return None
    path = config_file(environ)
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not JSON") from error
    name = found.get("currentContext") if isinstance(found, dict) else None
    return name if isinstance(name, str) and name not in ("", DEFAULT) else None


def config_file(environ: Mapping[str, str]) -> Path:
    """Where the docker client keeps its configuration."""
    folder = environ.get("DOCKER_CONFIG")
    return (
        Path(folder) if folder else Path(environ.get("HOME") or "~").expanduser() / ".docker"
    ) / "config.json"


def read_context(name: str, environ: Mapping[str, str]) -> Context:
    """What the context `name` says; reads files, so call it on a thread.

    Raises:
        LookupError: There is none of this name, or it cannot be read; the text says which.
    """
    path = config_file(environ)
    if not path.exists():  # without it the library would look into the working folder
        raise LookupError(f"context {name}: there is no {path}; docker context use writes it")
    from docker.context import ContextAPI  # type: ignore[import-untyped]  # no types; 70 ms, so only here

    try:
        found = ContextAPI.get_context(name)
    except Exception as error:  # the library raises this very class for a file that is no JSON
        raise LookupError(f"context {name} cannot be read: {error}") from error
    if found is None:
        raise LookupError(f"there is no context {name}")
    if not found.Host:
        raise LookupError(f"context {name} names no Docker engine")
    tls = found.TLSConfig
    certificate, key = (tls.cert or (None, None)) if tls is not None else (None, None)
    return Context(
        host=found.Host,
        ca_file=tls.ca_cert if tls is not None else None,
        cert_file=certificate,
        key_file=key,
    )
