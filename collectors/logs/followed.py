"""One file that is followed: its lines, their counts, and why it cannot be read."""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from datetime import tzinfo

from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.collectors.lines.tally import Tally
from opsdash.collectors.logs.tail import Looked, Piece, Tail
from opsdash.collectors.snapshot import Failure
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line

_AT_ONCE_BYTES = 1024 * 1024
"""Taken in before the event loop gets its turn."""
_TAIL_BYTES = 8 * 1024 * 1024
"""Of what was there before, counted together."""


class Followed:
    """A source of the target."""

    def __init__(
        self,
        target: TargetId,
        name: str,
        tail: Tail,
        *,
        device: int | None,
        now: float,
        zone: tzinfo | None = None,
    ) -> None:
        """Begin with a file.

        Args:
            target: What it belongs to.
            name: Unique in the target.
            tail: Reads it.
            device: Where its file system is; None: not known.
            now: Unix time.
            zone: Of times in it that state none; None: this machine's.
        """
        self.tail = tail
        self.device = device
        self.source = LogSource(
            target=target,
            name=name,
            identity=one_line(tail.path),
            buffer=LogBuffer(tail.most_bytes),
            zone=zone,
        )
        self.changed_at = 0.0
        """Unix time of the file's last write; 0: not known."""
        self.failure: Failure | None = None
        self._tally = Tally(zone)
        self._watched_since = now
        self._told_end = 0
        self._told_failure: Failure | None = None
        self._pending: deque[tuple[Piece, bool]] = deque()
        """What looks found, each with whether it was there before the file was followed."""
        self._before: list[bytes] = []
        """Of that, what is not counted yet: it is cut into minutes together."""

    def offer(self, looked: Looked) -> None:
        """Keep what a look found, until there is time for it."""
        self.failure = looked.failure
        self.changed_at = looked.changed_at or self.changed_at
        self._pending.extend((piece, looked.is_first) for piece in looked.pieces)

    async def take_in(self, now: float) -> None:
        """Take in what was offered. Other work has its turn in between; being cancelled loses nothing."""
        new: list[bytes] = []
        lines = taken = 0
        while self._pending:
            piece, is_before = self._pending.popleft()
            if piece.gap is not None:
                self.source.buffer.mark_gap(piece.gap)
            end = self.source.buffer.end
            self.source.buffer.append(piece.lines, now)
            if is_before:
                self._before.append(piece.lines)
            else:
                new.append(piece.lines)
                lines += self.source.buffer.end - end
            taken += len(piece.lines)
            if taken >= _AT_ONCE_BYTES:
                self._count(new, lines, now)
                taken = lines = 0
                await asyncio.sleep(0)
        self._count(new, lines, now)

    def _count(self, new: list[bytes], lines: int, now: float) -> None:
        """Count what there was before, and the new lines together: some of each block are looked at."""
        while self._before:
            self._tally.add_tail(_first(self._before, _TAIL_BYTES), now)
        self._tally.add(b"".join(new), now, lines=lines)
        new.clear()

    @property
    def has_news(self) -> bool:
        """Whether there are lines that its last summary did not know of."""
        return self._told_end != self.source.buffer.end

    @property
    def has_turned(self) -> bool:
        """Whether it can no longer be read, or can again, since its last summary."""
        return self._told_failure != self.failure

    def summary(self, now: float) -> SourceSummary:
        """What rules and panels are told."""
        self._told_end, self._told_failure = self.source.buffer.end, self.failure
        return self._tally.summary(
            self.source.name,
            self.source.identity,
            self.source.buffer,
            now=now,
            watched_since=self._watched_since,
            failure=self.failure,
        )


def _first(pieces: list[bytes], most: int) -> bytes:
    """Take pieces off the front, up to about `most` bytes, joined."""
    count = size = 0
    while count < len(pieces) and (not size or size + len(pieces[count]) <= most):
        size += len(pieces[count])
        count += 1
    joined = b"".join(pieces[:count])
    del pieces[:count]
    return joined


def failed_summary(place: str, failure: Failure, since: float) -> SourceSummary:
    """What is told of a pattern or a folder without a file to follow."""
    return SourceSummary(
        name=one_line(place),
        identity=one_line(place),
        format="plain",
        first=0,
        end=0,
        dropped=0,
        held_bytes=0,
        watched_since=since,
        failure=failure,
    )


def names(paths: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Short names that tell files apart: their own, with as many folders before them as that needs.

    >>> names(["/l/a/app.log", "/l/b/app.log", "/l/web.log"], ["web.log"])
    ('a/app.log', 'b/app.log', 'l/web.log')
    """
    known = [one_line(path).split("/") for path in paths]
    found: list[str] = []
    for parts in known:
        name = os.path.join(*parts[-1:])
        for count in range(1, len(parts) + 1):
            name = "/".join(parts[-count:])
            if name not in taken and sum(other[-count:] == parts[-count:] for other in known) == 1:
                break
        found.append(name)
    return tuple(found)
