"""A pattern of paths -> the files that match, within a bounded number of looks. Runs on a thread."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase

import msgspec

from opsdash.collectors.logs.files import Files, Status

MOST_ENTRIES = 50_000
"""Of folders that one search looks at: `/**/*.log` must not walk a whole disk every few seconds."""
_MAGIC = frozenset("*?[")


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A path that matches."""

    path: str
    status: Status | None
    """None: it could not be looked at."""
    error: str | None = None
    """Then: what the system says."""
    is_link: bool = False
    is_named: bool = False
    """The pattern is this very path, without wildcards."""


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """What one search found."""

    pattern: str
    matches: tuple[Match, ...] = ()
    """By name, each path once."""
    closed: tuple[tuple[str, str], ...] = ()
    """Folders that could not be read, each with what the system says."""
    is_cut: bool = False
    """There are more entries than are looked at."""


def search(pattern: str, files: Files) -> Searched:
    """Find what matches; hidden files and folders only where the pattern names the dot.

    `**` stands for any number of folders and does not follow links to folders.
    """
    walk = _Walk()
    path = os.path.normpath(os.path.expanduser(pattern))
    is_named = not has_magic(path)
    found = dict.fromkeys(sorted(walk.paths("/", [part for part in path.split("/") if part])))
    looked = (_look(each, files, is_named=is_named) for each in found)
    return Searched(
        pattern=pattern,
        matches=tuple(match for match in looked if match is not None),
        closed=tuple(walk.closed.items()),
        is_cut=walk.left <= 0,
    )


def has_magic(text: str) -> bool:
    """Whether it is a pattern rather than a name.

    >>> has_magic("/var/log/*.log"), has_magic("/var/log/syslog")
    (True, False)
    """
    return not _MAGIC.isdisjoint(text)


def _look(path: str, files: Files, *, is_named: bool) -> Match | None:
    """None: there is no such file, or it is a folder that a wildcard happens to match."""
    try:
        is_link = os.path.islink(path)
        status = files.status(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Match(path=path, status=None, error=error.strerror or type(error).__name__, is_named=is_named)
    if status.word == "a folder" and not is_named:
        return None
    return Match(path=path, status=status, is_link=is_link, is_named=is_named)


class _Walk:
    """One search's walk through folders, and what is left of its budget."""

    def __init__(self) -> None:
        self.left = MOST_ENTRIES
        self.closed: dict[str, str] = {}

    def paths(self, folder: str, parts: list[str]) -> Iterator[str]:
        """Paths below `folder` that match `parts`; with several `**` the same path may come twice."""
        if not parts:
            yield folder
            return
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self.paths(folder, rest or ["*"])
            for entry in self._entries(folder):
                if not entry.name.startswith(".") and _is_folder(entry, follow=False):
                    yield from self.paths(entry.path, parts)
        elif not has_magic(part):
            path = os.path.join(folder, part)
            yield from self.paths(path, rest)
        else:
            for entry in self._entries(folder):
                is_hidden = entry.name.startswith(".") and not part.startswith(".")
                if is_hidden or not fnmatchcase(entry.name, part):
                    continue
                if not rest:
                    yield entry.path
                elif _is_folder(entry, follow=True):
                    yield from self.paths(entry.path, rest)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """What stands in a folder, as long as the budget lasts."""
        found: list[os.DirEntry[str]] = []
        if self.left <= 0:
            return found
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    found.append(entry)
                    self.left -= 1
                    if self.left <= 0:
                        break
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            self.closed[folder] = error.strerror or type(error).__name__
        return found


def _is_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:
        return False
