"""Follows log files: looks for them every few seconds, and at each of them at every reading."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import TimedOut
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.logs.choose import MOST_FILES, Chosen, Left, choose
from opsdash.collectors.logs.files import Files, LocalFiles
from opsdash.collectors.logs.followed import Followed, failed_summary, names
from opsdash.collectors.logs.rounds import Rounds
from opsdash.collectors.logs.rows import LogData, NotFollowed
from opsdash.collectors.logs.search import Match
from opsdash.collectors.logs.searches import Searches, hangs
from opsdash.collectors.logs.settings import LogSettings
from opsdash.collectors.logs.tail import Tail
from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import Target
from opsdash.collectors.text import one_line
from opsdash.collectors.threads import call_in_thread

LOOK_LIMIT_S = 1.0
"""A local file answers in microseconds; one on a network file system that takes longer hangs."""

_SHARED_BYTES = 128 * 1024 * 1024
"""Held of all files of a target together, unless the configuration allows one of them more."""
_GONE_S = 600.0
"""How long the lines of a file that is gone can still be read."""
_TOLD_EVERY_S = 1.0
"""While lines come, the snapshot changes so often; the buffers have the lines at once."""
_TOLD_AT_LEAST_S = 5.0
"""Minutes pass, and a source may be silent."""
_MOST_LEFT = 100
_CLOSE_S = 0.2


class LogCollector:
    """Reads a group of files; see `Collector` and `HasLogs`. It opens them to read, and for nothing else."""

    def __init__(self, target: Target, clock: Clock, *, files: Files | None = None) -> None:
        settings = target.settings
        assert isinstance(settings, LogSettings)
        self._target = target
        self._most_bytes = settings.max_bytes
        self._zone = UTC if settings.utc else None
        self._clock = clock
        self._files = files or LocalFiles()
        self._searches = Searches(str(target.id), settings.paths, self._files, clock)
        self._rounds = Rounds(f"files of {target.id}", clock.mono_s)
        self._followed: dict[str, Followed] = {}
        self._left: tuple[Left, ...] = ()
        self._failures: tuple[tuple[str, Failure], ...] = ()
        self._since: float | None = None
        self._told: LogData | None = None
        self._told_mono_s = 0.0
        self._is_news = True

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    def log_sources(self) -> tuple[LogSource, ...]:
        """The files that are followed, by path."""
        return tuple(self._followed[path].source for path in sorted(self._followed))

    async def collect(self) -> LogData:
        """Look once at every file that does not hang; the same value as before while there is nothing new.

        Raises:
            TimedOut: All of them hang, or the folders where they would be found.
        """
        now = self._clock.now().timestamp()
        self._since = now if self._since is None else self._since
        if await self._searches.search():
            await self._choose(now)
        hanging = self._hanging()
        looked_at = [f.tail for f in self._followed.values() if f not in hanging]
        await self._rounds.look(looked_at, LOOK_LIMIT_S)
        await self._take()
        for followed in self._hanging():
            followed.failure = hangs(LOOK_LIMIT_S)
        failures = (*self._failures, *((f.tail.path, f.failure) for f in self._followed.values()))
        if failures and all(failure and failure.kind is FailureKind.TIMED_OUT for _, failure in failures):
            path, failure = failures[0]
            assert failure is not None
            raise TimedOut(self._target.id, f"{path}: {failure.reason}", hint=failure.hint)
        return self._data()

    def abort(self) -> None:
        """Nothing to break off: each look has its own limit, and hung threads are left behind."""

    async def close(self) -> None:
        """Let go of the files that do not hang."""
        await self._close(list(self._followed.values()))

    # -- which files ------------------------------------------------------------------------------------

    async def _choose(self, now: float) -> None:
        """Begin with the files that were found, and end with those that are gone or gave up their place."""
        found = {match.path: match for match in self._searches.matches()}
        chosen = choose(
            tuple(found.values()),
            followed={path: f.changed_at for path, f in self._followed.items()},
            read_as={i: path for path, f in self._followed.items() for i in f.tail.identities},
            now=now,
        )
        over = [path for path in self._followed if self._is_over(path, found, chosen, now)]
        leaving = [self._followed.pop(path) for path in over]
        new = [path for path in chosen.followed if path not in self._followed]
        self._begin(new, found, now)
        failures = tuple(self._searches.failures())
        self._is_news |= bool(new or over) or (chosen.left, failures) != (self._left, self._failures)
        self._left, self._failures = chosen.left, failures
        await self._close(leaving)

    def _is_over(self, path: str, found: Mapping[str, Match], chosen: Chosen, now: float) -> bool:
        """Whether a file is followed no longer; the lines of one that is gone stay for a while."""
        if path in chosen.followed:
            return False
        is_full = len(chosen.followed) >= MOST_FILES
        return path in found or is_full or now - self._followed[path].changed_at > _GONE_S

    def _begin(self, paths: list[str], found: Mapping[str, Match], now: float) -> None:
        """Begin to follow files, and share what may be held among all."""
        count = max(1, len(self._followed) + len(paths))
        most_bytes = min(self._most_bytes, max(_SHARED_BYTES, self._most_bytes) // count)
        taken = [followed.source.name for followed in self._followed.values()]
        for path, name in zip(paths, names(paths, taken), strict=True):
            tail = Tail(path, self._files, most_bytes=most_bytes)
            status = found[path].status
            device = status.identity[0] if status is not None else None
            self._followed[path] = Followed(
                self._target.id, name, tail, device=device, now=now, zone=self._zone
            )
        for followed in self._followed.values():
            followed.source.buffer.max_bytes = followed.tail.most_bytes = most_bytes

    def _hanging(self) -> tuple[Followed, ...]:
        """Files that hang; where two of a file system do, all of it does, and no third is tried."""
        stuck = self._rounds.stuck
        devices = Counter(
            f.device for f in self._followed.values() if f.tail in stuck and f.device is not None
        )
        return tuple(
            f for f in self._followed.values() if f.tail in stuck or (f.device and devices[f.device] > 1)
        )

    async def _close(self, leaving: Sequence[Followed]) -> None:
        hanging = self._hanging() if self._rounds.stuck else ()
        tails = [followed.tail for followed in leaving if followed not in hanging]

        def close() -> None:
            for tail in tails:
                tail.close()

        if tails:
            with suppress(
                TimeoutError
            ):  # then its thread is left behind, and the system closes them at the end
                await call_in_thread(close, key=f"close {self._target.id} {id(tails)}", timeout_s=_CLOSE_S)

    # -- what they say ----------------------------------------------------------------------------------

    async def _take(self) -> None:
        """Take in what the looks found, also those of files that hung until now."""
        by_tail = {followed.tail: followed for followed in self._followed.values()}
        for tail, looked in self._rounds.take():
            if tail in by_tail:
                by_tail[tail].offer(looked)
        now = self._clock.now().timestamp()
        for followed in by_tail.values():
            await followed.take_in(now)

    def _data(self) -> LogData:
        followed = self._followed.values()
        mono_s = self._clock.mono_s()
        since_s = mono_s - self._told_mono_s
        is_due = self._is_news or since_s >= _TOLD_AT_LEAST_S or any(f.has_turned for f in followed)
        if since_s >= _TOLD_EVERY_S:
            is_due = is_due or any(f.has_news for f in followed)
        if self._told is None or is_due:
            self._told, self._told_mono_s, self._is_news = self._tell(), mono_s, False
        return self._told

    def _tell(self) -> LogData:
        moment = self._clock.now()
        since = self._since if self._since is not None else moment.timestamp()
        sources = [self._followed[path].summary(moment.timestamp()) for path in sorted(self._followed)]
        left = (NotFollowed(path=one_line(each.path), reason=each.reason) for each in self._left[:_MOST_LEFT])
        return LogData(
            taken_at=moment,
            logs=(*sources, *(failed_summary(place, failure, since) for place, failure in self._failures)),
            absent=tuple(
                (one_line(pattern), failure)
                for pattern, failure in self._failures
                if failure.kind is FailureKind.NOT_THERE
            ),
            not_followed=tuple(left),
            not_followed_count=len(self._left),
        )
