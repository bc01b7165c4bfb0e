"""Which of the files that match are followed. Pure.

A file's own past is no source of its own: what was followed under one name must not come again under another.
Left out are, by their names, compressed files (`app.log.2.gz`), and the rotated ones of a file that stands
beside them: `app.log.1`, `app.log.old`, `app.log-20261122`, `app.log.2026-11-22`, `app.1.log`,
`app-2026-11-22.log` beside `app.log`. Whatever its name, a file that is being read under another name is left
out as well, and of several names of one file all but one.
"""

import os
import re
from collections.abc import Mapping, Sequence, Set

import msgspec

from opsdash.collectors.format import plural
from opsdash.collectors.logs.search import Match

MOST_FILES = 64
"""Followed at the same time."""
_IDLE_S = 600.0
"""A followed file keeps its place for so long after its last line, even where others changed later."""

_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst|lz4|lzma|Z|zip|br)(\.|-|$)")
_DATE = r"\d{4}-?\d\d-?\d\d([T_.-]?[\d.:_-]+)?"
_AFTER = re.compile(rf"([.-](\d+|{_DATE}|old|bak|prev|save|offset|rotated)|~)+$", re.IGNORECASE)
"""What stands behind the whole name of a file that was rotated away."""
_BETWEEN = re.compile(rf"(\.\d+|[._-]{_DATE})+$")
"""What stands before the extension."""


class Left(msgspec.Struct, frozen=True):
    """A file that matches and is not followed."""

    path: str
    reason: str


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the files that match."""

    followed: tuple[str, ...]
    """Paths, in the order of the matches."""
    left: tuple[Left, ...] = ()
    """Those that are not, but for a file's own past."""


def is_compressed(path: str) -> bool:
    """Whether a name says that the file is compressed.

    >>> [is_compressed(name) for name in ("a.log.1.gz", "a.log.gz.2", "a.zst", "gz.log", "a.gzip.log")]
    [True, True, True, False, False]
    """
    return _COMPRESSED.search(os.path.basename(path)) is not None


def is_past_of_another(path: str, paths: Set[str]) -> bool:
    """Whether a name says that it is the past of a file that is among `paths`.

    >>> beside = {"/l/app.log", "/l/worker.log", "/l/syslog"}
    >>> past = ("app.log.1", "app.log-20261122", "app.1.log", "app-2026-11-22.log", "syslog.old")
    >>> [is_past_of_another(f"/l/{name}", beside) for name in past]
    [True, True, True, True, True]
    >>> [is_past_of_another(path, beside) for path in ("/l/worker-1.log", "/l/api.log.1", "/l/app.log")]
    [False, False, False]
    """
    folder, name = os.path.split(path)
    bare = _AFTER.sub("", name)
    if bare != name and os.path.join(folder, bare) in paths:
        return True
    stem, extension = os.path.splitext(name)
    return bool(extension) and os.path.join(folder, _BETWEEN.sub("", stem) + extension) in paths - {path}


def choose(
    matches: Sequence[Match],
    *,
    followed: Mapping[str, float],
    read_as: Mapping[tuple[int, int], str],
    now: float,
    most: int = MOST_FILES,
) -> Chosen:
    """Choose what to follow.

    Args:
        matches: All that the search found.
        followed: Paths that are followed now, each with the Unix time of its last change.
        read_as: Identities of the files that are held open, each with the path it is read as.
        now: Unix time.
        most: How many files at the same time.
    """
    present = {match.path for match in matches} | followed.keys()
    named: dict[tuple[int, int], str] = {}
    for match in sorted(matches, key=lambda m: (m.path not in followed, not m.is_link)):
        if match.status is not None:
            named.setdefault(match.status.identity, match.path)

    def is_own(match: Match) -> bool:
        if is_compressed(match.path):
            return False
        if match.is_named or match.path in followed:
            return True
        if _is_odd(match):
            return False
        if is_past_of_another(match.path, present):
            return False
        if match.status is None:
            return True
        return (
            read_as.get(match.status.identity, match.path) == match.path
            and named[match.status.identity] == match.path
        )

    candidates = [match for match in matches if is_own(match)]
    wanted = {m.path for m in sorted(candidates, key=lambda m: _rank(m, followed, now))[:most]}
    reason = f"{plural(most, 'file')} that changed later are followed already"
    zipped = (m.path for m in matches if m.is_named and is_compressed(m.path))
    return Chosen(
        followed=tuple(match.path for match in candidates if match.path in wanted),
        left=(
            *(Left(path, "it is compressed, and only text is read") for path in zipped),
            *(Left(match.path, reason) for match in candidates if match.path not in wanted),
            *(
                Left(match.path, f"it is {match.status.word}, and only regular files are followed")
                for match in matches
                if match.status is not None and _is_odd(match) and match.path not in wanted
            ),
        ),
    )


def _is_odd(match: Match) -> bool:
    """Whether a wildcard happens to match what is no regular file."""
    return match.status is not None and not match.status.is_regular and not match.is_named


def _rank(match: Match, followed: Mapping[str, float], now: float) -> tuple[bool, float]:
    """Smaller is first: what is followed and prints, then whatever changed last."""
    changed_at = match.status.changed_at if match.status is not None else 0.0
    last = followed.get(match.path)
    return (last is None or now - max(last, changed_at) > _IDLE_S, -changed_at)
