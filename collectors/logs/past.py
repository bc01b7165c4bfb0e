"""A file's own past, found on the disk: what was missed between two looks may still stand there."""

import glob
import re

from opsdash.collectors.logs.choose import is_compressed, is_past_of_another
from opsdash.collectors.logs.files import Files
from opsdash.collectors.logs.search import Match, search

_MOST = 8
"""Files that are looked at."""
_NUMBERED = re.compile(r"\.\d+$")


def copies(path: str, files: Files, *, since: float) -> tuple[Match, ...]:
    """Files that may be a copy of what stood at `path` before it was truncated, the latest first.

    Args:
        path: The file.
        files: Where it is.
        since: Unix time of its last write that was seen; older ones are not looked at.
    """
    found = [match for match in _past(path, files) if _changed_at(match) >= since]
    return tuple(sorted(found, key=_changed_at, reverse=True)[:_MOST])


def rotated_since(path: str, files: Files, *, after: float) -> tuple[Match, ...]:
    """Files that stood at `path` for a time that was too short to be seen there, in their order.

    Args:
        path: The file.
        files: Where it is.
        after: Unix time of the last write to the one that was seen there last.
    """
    found = [m for m in _past(path, files) if _changed_at(m) > after and _NUMBERED.search(m.path)]
    return tuple(sorted(found, key=_changed_at)[-_MOST:])


def _past(path: str, files: Files) -> list[Match]:
    beside = search(glob.escape(path) + "[.-]*", files).matches
    return [
        match
        for match in beside
        if match.status is not None
        and match.status.is_regular
        and not is_compressed(match.path)
        and is_past_of_another(match.path, {path})
    ]


def _changed_at(match: Match) -> float:
    return match.status.changed_at if match.status is not None else 0.0
