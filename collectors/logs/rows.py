"""What a group of log files says, as frozen rows."""

from datetime import datetime

import msgspec

from opsdash.collectors.format import number, plural
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.collectors.snapshot import Failure


class NotFollowed(msgspec.Struct, frozen=True, kw_only=True):
    """A file that matches and is not followed."""

    path: str
    reason: str


class LogData(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One look at the files of a target; the lines themselves are in the buffers of its sources."""

    taken_at: datetime
    """When something in here last changed, or a few seconds later."""
    logs: tuple[SourceSummary, ...] = ()
    """Every file that is followed, by path; then patterns that no file matches, which is their failure."""
    absent: tuple[tuple[str, Failure], ...] = ()
    """Patterns that no file matches, from the first look on or for some time by now, and what is told."""
    not_followed: tuple[NotFollowed, ...] = ()
    """Up to a hundred of them."""
    not_followed_count: int = 0
    """All of them."""

    def summary(self) -> str:
        """The files in a few words, for lists and headless output."""
        followed = [source for source in self.logs if source.failure is None]
        failing = len(self.logs) - len(followed)
        words = [plural(len(followed), "file")]
        if followed:
            held = sum(source.end - source.first for source in followed)
            words.append(f"{number(held)} {'line' if held == 1 else 'lines'} held")
        if failing:
            words.append(f"{failing} not followed")
        if self.not_followed_count:
            words.append(f"{self.not_followed_count} left out")
        return " · ".join(words)
