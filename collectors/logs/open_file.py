"""One open file: how far it was read, and the line in it that is not complete yet. Runs on a thread."""

from collections.abc import Iterator

from opsdash.collectors.lines.whole_lines import WholeLines
from opsdash.collectors.logs.files import Files

_STEP_BYTES = 256 * 1024
"""Read at once."""
_MARK_BYTES = 64
"""What stood before the place reached is compared, to notice a file that was written anew."""
_PATIENCE_S = 2.0
"""A line without its end is shown after so long without growth; what follows begins a new line."""


class OpenFile:
    """An open file, and how far it was read."""

    def __init__(self, files: Files, fd: int, identity: tuple[int, int]) -> None:
        self._files = files
        self.fd = fd
        self.identity = identity
        self.offset = 0
        self.grew_mono_s = 0.0
        """When it last grew, as far as was seen."""
        self.left_mono_s: float | None = None
        """When its path was seen to lead elsewhere; None: it does not."""
        self.changed_at = 0.0
        """Unix time of the last write that was seen."""
        self._mark = b""
        """What stands before the offset."""
        self._lines = WholeLines()

    def seek(self, offset: int) -> None:
        """Go on elsewhere, with the first line that begins there; one that was not complete is lost."""
        self.offset = max(0, offset - 1)  # the byte before tells whether a line begins
        self._mark = b""
        self._lines = WholeLines(is_inside=offset > 0)

    def is_written_anew(self, size_bytes: int) -> bool:
        """Whether what was read is not what stands there now. Looks only where the file grew."""
        if not self._mark or size_bytes <= self.offset:
            return False
        return self._files.read(self.fd, len(self._mark), self.offset - len(self._mark)) != self._mark

    def goes_on_from(self, file: "OpenFile", size_bytes: int) -> bool:
        """Go on where `file` was, with its line that was not complete; False: this is no copy with more."""
        self.offset, self._mark, self._lines = file.offset, file._mark, file._lines
        return bool(self._mark) and size_bytes > self.offset and not self.is_written_anew(size_bytes)

    def read(self, until: int, mono_s: float) -> Iterator[bytes]:
        """Lines that are complete, as far as `until`, or as the file goes."""
        while self.offset < until:
            data = self._files.read(self.fd, min(_STEP_BYTES, until - self.offset), self.offset)
            if not data:
                return
            if len(data) == _STEP_BYTES:  # whole lines need not be put together: the rest is read again
                data = data[: data.rfind(b"\n") + 1] or data
            self.offset += len(data)
            self.grew_mono_s = mono_s
            self._mark = (self._mark + data[-_MARK_BYTES:])[-_MARK_BYTES:]
            yield self._lines.feed(data)

    def overdue(self, mono_s: float) -> bytes:
        """The line without an end, once it has waited long enough."""
        return self.rest() if mono_s - self.grew_mono_s >= _PATIENCE_S else b""

    def rest(self) -> bytes:
        """The line without an end, as it is."""
        return self._lines.flush()

    def close(self) -> None:
        """Let go of it."""
        self._files.close(self.fd)
