"""Lines out of what an engine sends of a container's log, however the stream is cut. Pure.

Without a terminal (`Tty` false) each piece stands in a frame: stream number, three zeros, length (32 bits,
big-endian). With a terminal it is the plain text. Either way a piece begins with the engine's own time (we
ask with `timestamps=1`), and a line of more than 16 KiB comes as several pieces, each with the time again.
"""

import struct
from datetime import datetime

LONGEST_LINE = 16 * 1024
"""Bytes of a line that are kept; also where an engine cuts a line into pieces."""

CUT = " …".encode()
"""Stands at the end of a line that was longer."""

_LONGEST_FRAME = 1 << 20
_HEADER = struct.Struct(">BxxxI")
_SYSTEM_ERROR = 3
"""The stream number of a message of the engine itself."""

_STAMP = 30
"""Length of 2026-11-22T03:12:40.123456789Z, the usual form; an engine that is not on UTC sends an offset."""
_LONGEST_STAMP = 35

Line = tuple[bytes, bytes]
"""The engine's time as it was sent (empty where it sent none), and the line with its newline."""


class BadFrame(Exception):
    """The bytes make no sense as frames; the text says why."""


class EngineSaid(Exception):
    """The engine ends the stream with a message of its own; the text is that."""


def stamp_ns(stamp: bytes) -> int | None:
    """A time of the engine as nanoseconds since 1970; None: it is none.

    >>> stamp_ns(b"2026-11-22T03:12:40.250000001Z"), stamp_ns(b"2026-11-22T05:12:40.250000001+02:00")
    (1795317160250000001, 1795317160250000001)
    >>> stamp_ns(b"hello") is None
    True
    """
    try:
        text = stamp.decode("ascii")
        seconds = datetime.fromisoformat(text[:19] + text[29:]).timestamp()
        return int(seconds) * 1_000_000_000 + int(text[20:29])
    except (ValueError, OverflowError):
        return None


class FrameReader:
    """Takes a log stream in pieces of any size and gives the lines that are complete."""

    def __init__(self, *, has_tty: bool) -> None:
        self._lines_in = self._raw if has_tty else self._framed
        self._rest = b""
        self._begun: dict[int, Line] = {}
        """Stream -> the line of it that goes on in its next piece."""

    def feed(self, data: bytes) -> list[Line]:
        """The lines that are complete with `data`, each at most `LONGEST_LINE` long, else cut.

        Raises:
            BadFrame: These are no frames.
            EngineSaid: The engine reports that it cannot go on.
        """
        data = self._rest + data if self._rest else data
        lines: list[Line] = []
        self._rest = data[self._lines_in(data, lines) :]
        return lines

    def _framed(self, data: bytes, lines: list[Line]) -> int:
        """Add the lines of whole frames; how many bytes those are. Every line of a flood passes here."""
        unpack, add, begun = _HEADER.unpack_from, lines.append, self._begun
        at, end = 0, len(data)
        while at + 8 <= end:
            stream, length = unpack(data, at)
            after = at + 8 + length
            if stream not in (1, 2) or length > _LONGEST_FRAME:
                _stop(data, at, after)
                return at
            if after > end:
                break
            text = at + 8 + _STAMP
            if data[text : text + 1] == b" " and data[after - 1] == 10 and not begun and text < after:
                add((data[at + 8 : text], data[text + 1 : after]))
            else:
                self._piece(stream, data[at + 8 : after], lines)
            at = after
        return at

    def _raw(self, data: bytes, lines: list[Line]) -> int:
        """The same of a terminal's text. Of an overlong line the next piece follows without any mark."""
        at = 0
        while True:
            newline = data.find(b"\n", at, at + _LONGEST_STAMP + LONGEST_LINE + 2)
            if newline >= 0:
                after = newline + 1
            elif len(data) - at > _LONGEST_STAMP + LONGEST_LINE + 1:
                after = max(data.find(b" ", at, at + _LONGEST_STAMP + 1), at) + 1 + LONGEST_LINE
            else:
                return at
            self._piece(1, data[at:after], lines)
            at = after

    def _piece(self, stream: int, piece: bytes, lines: list[Line]) -> None:
        """Take in one piece: a line, or the beginning, middle or end of a long one."""
        stamp, text = _parted(piece)
        if stream in self._begun:
            stamp, start = self._begun.pop(stream)
            text = start + text
        if not text.endswith(b"\n"):
            self._begun[stream] = (stamp, text[: LONGEST_LINE + 1])
            return
        lines.append((stamp, text if len(text) <= LONGEST_LINE + 1 else text[:LONGEST_LINE] + CUT + b"\n"))


def _stop(data: bytes, at: int, after: int) -> None:
    """Raise for a frame that holds no line, unless its text has not come yet."""
    stream, length = _HEADER.unpack_from(data, at)
    if stream != _SYSTEM_ERROR or length > _LONGEST_FRAME:
        raise BadFrame(f"{data[at : at + 8]!r} begins no frame of a log")
    if after <= len(data):
        raise EngineSaid(data[at + 8 : after].decode("utf-8", "replace"))


def _parted(piece: bytes) -> Line:
    """Time and text of a piece; the time is empty when it has none."""
    if piece[_STAMP - 1 : _STAMP + 1] == b"Z ":
        return piece[:_STAMP], piece[_STAMP + 1 :]
    space = piece.find(b" ", 0, _LONGEST_STAMP + 1)
    if space < 0 or stamp_ns(piece[:space]) is None:
        return b"", piece
    return piece[:space], piece[space + 1 :]
