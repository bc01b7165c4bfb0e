"""The patterns of a target, searched every few seconds, each on a thread of its own: folders hang too."""

import asyncio
from collections.abc import Iterator, Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.logs.files import Files
from opsdash.collectors.logs.search import MOST_ENTRIES, Match, Searched, search
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.threads import StillRunning, call_in_thread

SEARCH_EVERY_S = 2.0
"""How soon a new file is found."""
_COST_FACTOR = 50.0
"""A search that takes long is made less often: it uses at most this part of the time."""
SEARCH_LIMIT_S = 2.0
_ABSENT_S = 10.0
"""Where files matched, none may for so long before that is told: one may be on its way from here to there."""


class _Pattern:
    """One pattern, and what its last search found."""

    def __init__(self, pattern: str, key: str) -> None:
        self.pattern = pattern
        self.key = key
        self.found: Searched | None = None
        self.is_hanging = False
        self.matched_mono_s: float | None = None
        """When its last search that found a file was; None: none has."""


class Searches:
    """All patterns of one target."""

    def __init__(self, key: str, patterns: Sequence[str], files: Files, clock: Clock) -> None:
        self._patterns = tuple(_Pattern(pattern, f"search {key} {pattern}") for pattern in patterns)
        self._files = files
        self._clock = clock
        self._next_mono_s: float | None = None

    async def search(self) -> bool:
        """Search, if it is time to; ends after `SEARCH_LIMIT_S` at the latest. Returns whether it was."""
        began_mono_s = self._clock.mono_s()
        if self._next_mono_s is not None and began_mono_s < self._next_mono_s:
            return False
        await asyncio.gather(*(self._search(pattern) for pattern in self._patterns))
        ended_mono_s = self._clock.mono_s()
        took_s = 0.0 if any(p.is_hanging for p in self._patterns) else ended_mono_s - began_mono_s
        self._next_mono_s = ended_mono_s + max(SEARCH_EVERY_S, _COST_FACTOR * took_s)
        return True

    async def _search(self, pattern: _Pattern) -> None:
        try:
            pattern.found = await call_in_thread(
                lambda: search(pattern.pattern, self._files), key=pattern.key, timeout_s=SEARCH_LIMIT_S
            )
            pattern.is_hanging = False
            if pattern.found.matches:
                pattern.matched_mono_s = self._clock.mono_s()
        except (TimeoutError, StillRunning):
            pattern.is_hanging = True

    def matches(self) -> tuple[Match, ...]:
        """What the last search of each pattern found, each path once."""
        found: dict[str, Match] = {}
        for pattern in self._patterns:
            for match in pattern.found.matches if pattern.found is not None else ():
                found.setdefault(match.path, match)
        return tuple(found.values())

    def failures(self) -> Iterator[tuple[str, Failure]]:
        """Patterns and folders that give no files, or perhaps not all, and why."""
        for pattern in self._patterns:
            if pattern.is_hanging:
                yield pattern.pattern, hangs(SEARCH_LIMIT_S)
            elif pattern.found is not None:
                yield from _failures(pattern.found)
                if self._is_absent(pattern):
                    yield pattern.pattern, _absent(pattern)

    def _is_absent(self, pattern: _Pattern) -> bool:
        """Whether no file matches: from the first search on, or for some time."""
        found, matched_mono_s = pattern.found, pattern.matched_mono_s
        if found is None or found.matches or found.closed or found.is_cut:
            return False
        return matched_mono_s is None or self._clock.mono_s() - matched_mono_s >= _ABSENT_S


def hangs(limit_s: float) -> Failure:
    """A file system that does not answer."""
    return Failure(
        kind=FailureKind.TIMED_OUT,
        reason=f"no answer within {limit_s:g} s",
        hint="its file system hangs: look at the file server or the disk",
    )


def _failures(found: Searched) -> Iterator[tuple[str, Failure]]:
    for folder, reason in found.closed:
        hint = f"opsdash may not look into it for {found.pattern}; opsdash doctor says what lets it in"
        yield folder, Failure(kind=FailureKind.NO_PERMISSION, reason=reason, hint=hint)
    if found.is_cut:
        reason = f"more than {MOST_ENTRIES:,} entries to look at: there may be files that were not found"
        yield (
            found.pattern,
            Failure(kind=FailureKind.NOT_SUPPORTED, reason=reason, hint="name a narrower path"),
        )


def _absent(pattern: _Pattern) -> Failure:
    since = "yet" if pattern.matched_mono_s is None else "any more"
    hint = f"it is looked for every {SEARCH_EVERY_S:g} s; check the path if one should be there"
    return Failure(kind=FailureKind.NOT_THERE, reason=f"no file matches {since}", hint=hint)
