"""One file followed by its path: what is new in it, through rotation, truncation, removal and return.

Looks by size and inode, which works on network file systems too. Nothing is lost where a file is renamed and
made anew: the one that was open is read to its end first, and for a while after, since its writer may not
have noticed yet. Everything in here may block, and runs on a thread.
"""

import errno
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from opsdash.collectors.format import size
from opsdash.collectors.logs.files import Files, Status
from opsdash.collectors.logs.open_file import OpenFile
from opsdash.collectors.logs.past import copies, rotated_since
from opsdash.collectors.logs.search import Match
from opsdash.collectors.snapshot import Failure, FailureKind

_RENAMED_S = 60.0
"""A file that was renamed is read on until it has not grown for so long."""
_REMOVED_S = 5.0
"""A file that was removed is let go after so long, whatever is written to it: till then it takes up space."""

_REMEMBERED = 32
"""Files that are no longer open, of which it is known how far they were read."""

TRUNCATED = "truncated"
WRITTEN_ANEW = "truncated and written anew"


class Piece(msgspec.Struct, frozen=True):
    """What one look found, in the order of reading."""

    lines: bytes = b""
    """Whole lines."""
    gap: str | None = None
    """Why lines are missing before these; None: none are."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one file."""

    pieces: tuple[Piece, ...] = ()
    is_first: bool = False
    """What was there before it was followed, then."""
    failure: Failure | None = None
    """Why it is not followed now; None: it is."""
    changed_at: float | None = None
    """Unix time of the last write; None: not known."""


class Tail:
    """Follows one path. The first look begins near the end of the file; a new file is read from its start."""

    def __init__(self, path: str, files: Files, *, most_bytes: int) -> None:
        """Args: how much of the file is read at most by one look, the first one included."""
        self.path = path
        self._files = files
        self.most_bytes = most_bytes
        self._has_looked = False
        self._open: OpenFile | None = None
        self._old: list[OpenFile] = []
        self._left: OpenFile | None = None
        """Of them the one that stood at the path last, until another one stands there."""
        self._closed: dict[tuple[int, int], OpenFile] = {}
        """Files that were let go, which may come back: how far they were read."""

    @property
    def identities(self) -> tuple[tuple[int, int], ...]:
        """The files that it holds open."""
        return tuple(each.identity for each in self._all())

    def look(self, mono_s: float) -> Looked:
        """Find what is new. Never raises for the file's sake.

        Args:
            mono_s: Monotonic time, for what waits.
        """
        pieces: list[Piece] = []
        is_first = not self._has_looked
        status, failure = None, None
        try:
            status = self._files.status(self.path)
        except OSError as error:
            failure = failure_of(error)
        try:
            if status is not None or failure is None or failure.kind is FailureKind.NOT_THERE:
                self._change_over(status, mono_s)
            for old in (*self._old,):
                self._read_out(old, mono_s, pieces)
            if self._open is not None:
                self._go_on(self._open, mono_s, pieces)
            elif status is not None and status.is_regular:
                self._begin(mono_s, pieces)
            self._has_looked = True
        except OSError as error:
            failure = failure_of(error)
            if error.errno == errno.ESTALE:  # a file server that was restarted; the next look opens anew
                self.close()
        if failure is None and status is not None and not status.is_regular:
            failure = not_regular(status)
        return Looked(
            pieces=tuple(piece for piece in pieces if piece.lines or piece.gap),
            is_first=is_first,
            failure=failure,
            changed_at=status.changed_at if status is not None else None,
        )

    def close(self) -> None:
        """Let go of the files; how far they were read stays known."""
        for each in self._all():
            self._let_go(each)
        self._old, self._open = [], None

    def _all(self) -> tuple[OpenFile, ...]:
        return (*self._old, *([self._open] if self._open is not None else []))

    def _let_go(self, file: OpenFile) -> None:
        self._closed[file.identity] = file
        while len(self._closed) > _REMEMBERED:
            del self._closed[next(iter(self._closed))]
        file.close()

    def _change_over(self, status: Status | None, mono_s: float) -> None:
        """Notice that the path leads to another file, to none, or back to one that was left."""
        if self._open is not None and (status is None or status.identity != self._open.identity):
            self._open.left_mono_s = self._open.grew_mono_s = mono_s
            self._old.append(self._open)
            self._left, self._open = self._open, None
        if self._open is None and status is not None:
            self._open = next((old for old in self._old if old.identity == status.identity), None)
            if self._open is not None:
                self._old.remove(self._open)
                self._left = None

    def _read_out(self, old: OpenFile, mono_s: float, pieces: list[Piece]) -> None:
        """Read what is still written to a file whose path leads elsewhere by now, until that seems over."""
        status = self._go_on(old, mono_s, pieces)
        is_removed = status.links == 0
        since = old.left_mono_s if is_removed and old.left_mono_s is not None else old.grew_mono_s
        if mono_s - since >= (_REMOVED_S if is_removed else _RENAMED_S):
            pieces.append(Piece(old.rest()))
            self._old.remove(old)
            self._let_go(old)

    def _read_missed(self, after: float, until: float, mono_s: float, pieces: list[Piece]) -> None:
        """Read files that came and were rotated away since the last look, by the Unix times of their ends."""
        for match in rotated_since(self.path, self._files, after=after):
            status = match.status
            if status is None or status.changed_at > until:
                continue
            closed = self._closed.get(status.identity)  # or the number of a removed file, given out again
            if status.identity in self.identities or (closed and closed.changed_at == status.changed_at):
                continue
            with self._opened(match) as missed:
                pieces.extend(Piece(lines) for lines in missed.read(self.most_bytes, mono_s))
                pieces.append(Piece(missed.rest()))

    def _read_copies(self, file: OpenFile, mono_s: float, pieces: list[Piece]) -> None:
        """Read what stood in a file when it was truncated, from a copy of it, and what came since."""
        for match in copies(self.path, self._files, since=file.changed_at):
            with self._opened(match) as copy:
                if match.status is not None and copy.goes_on_from(file, match.status.size_bytes):
                    pieces.extend(Piece(lines) for lines in copy.read(file.offset + self.most_bytes, mono_s))
                    return self._read_missed(match.status.changed_at, math.inf, mono_s, pieces)
        return None

    @contextmanager
    def _opened(self, match: Match) -> Iterator[OpenFile]:
        """A file that is read once."""
        fd = self._files.open(match.path)
        try:
            status = self._files.status_of(fd)
        except OSError:
            self._files.close(fd)
            raise
        file = OpenFile(self._files, fd, status.identity)
        file.changed_at = status.changed_at
        try:
            yield file
        finally:
            self._let_go(file)

    def _begin(self, mono_s: float, pieces: list[Piece]) -> None:
        """Open what stands at the path, which may be another file by now than the one that was looked at."""
        fd = self._files.open(self.path)
        try:
            status = self._files.status_of(fd)
            file = self._known(fd, status) if status.is_regular else None
        except OSError:
            self._files.close(fd)
            raise
        if file is None:
            self._files.close(fd)
            return
        self._open = file
        if self._left is not None:
            with suppress(OSError):  # rotated on meanwhile: what is not found is missing anyway
                self._read_missed(self._left.changed_at, status.changed_at, mono_s, pieces)
            self._left = None
        begin = status.size_bytes - self.most_bytes
        if file.offset == 0 and begin > 0:
            pieces.append(Piece(gap=f"{size(begin)} before this were not read"))
            file.seek(begin)
        self._go_on(file, mono_s, pieces)

    def _known(self, fd: int, status: Status) -> OpenFile:
        """A file that was just opened: one that was let go earlier goes on where it ended."""
        known = self._closed.pop(status.identity, None)
        if known is not None and status.size_bytes >= known.offset:
            known.fd, known.left_mono_s = fd, None
            if not known.is_written_anew(status.size_bytes):
                return known
        return OpenFile(self._files, fd, status.identity)

    def _go_on(self, file: OpenFile, mono_s: float, pieces: list[Piece]) -> Status:
        """Read what is new, up to the size seen: what comes meanwhile belongs to the next look."""
        status = self._files.status_of(file.fd)
        is_shorter = status.size_bytes < file.offset
        if is_shorter or file.is_written_anew(status.size_bytes):
            with suppress(OSError):  # nobody promised a copy
                self._read_copies(file, mono_s, pieces)
            pieces += (Piece(file.rest()), Piece(gap=TRUNCATED if is_shorter else WRITTEN_ANEW))
            file.seek(0)
        behind = status.size_bytes - file.offset - self.most_bytes
        if behind > 1:  # a file that is begun may stand at the byte before what is wanted
            pieces += (
                Piece(file.rest()),
                Piece(gap=f"{size(behind)} skipped: more came at once than is held"),
            )
            file.seek(status.size_bytes - self.most_bytes)
        pieces.extend(Piece(lines) for lines in file.read(status.size_bytes, mono_s))
        pieces.append(Piece(file.overdue(mono_s)))
        file.changed_at = status.changed_at
        return status


def failure_of(error: OSError) -> Failure:
    """What the system says of a file, and what to do.

    >>> failure_of(PermissionError(13, "Permission denied")).reason
    'Permission denied'
    """
    reason = error.strerror or type(error).__name__
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Failure(
            kind=FailureKind.NOT_THERE,
            reason="the file is not there any more",
            hint="it is followed as soon as it comes back",
        )
    if isinstance(error, PermissionError):
        return Failure(
            kind=FailureKind.NO_PERMISSION, reason=reason, hint="opsdash doctor says what lets it in"
        )
    return Failure(kind=FailureKind.LOST, reason=reason, hint="look at the disk or the file server")


def not_regular(status: Status) -> Failure:
    """A path that leads to something that has no lines to go back to."""
    return Failure(
        kind=FailureKind.NOT_SUPPORTED,
        reason=f"it is {status.word}",
        hint="only regular files are followed",
    )
