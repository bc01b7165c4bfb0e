"""One line, whatever it holds, to a `Record`."""

from collections.abc import Callable, Mapping
from datetime import tzinfo

import msgspec

from opsdash.collectors.lines.mask import mask
from opsdash.collectors.lines.readers.applications import read_go, read_java, read_python
from opsdash.collectors.lines.readers.servers import read_postgres, read_redis
from opsdash.collectors.lines.readers.structured import read_json, read_logfmt
from opsdash.collectors.lines.readers.system import read_nginx, read_syslog
from opsdash.collectors.lines.readers.words import read_plain
from opsdash.collectors.lines.record import Format, Record
from opsdash.collectors.text import clean

MAX_BYTES = 16 * 1024
"""A longer line is cut, and says so at its end."""

Reader = Callable[[str, float | None, tzinfo | None], Record | None]

_READERS: Mapping[Format, Reader] = {
    Format.POSTGRES: read_postgres,
    Format.REDIS: read_redis,
    Format.NGINX: read_nginx,
    Format.GO: read_go,
    Format.JAVA: read_java,
    Format.PYTHON: read_python,
    Format.SYSLOG: read_syslog,
    Format.LOGFMT: read_logfmt,
}
"""The most particular first: a line may fit several."""


def read_line(
    raw: bytes, format: Format | None = None, *, near: float | None = None, zone: tzinfo | None = None
) -> Record:
    r"""What a line says. Never fails: a line that does not fit its format is read as plain text.

    Args:
        raw: The line without its newline.
        format: Of its source; None: whichever fits this line.
        near: Unix time at which it was read (`LogBuffer.arrived_at`); without it, times that lack a year or
            a date are unknown.
        zone: Of times that state none: None is this machine's, for files; UTC for containers.

    >>> read_line(b"2026-11-22T03:12:40Z ERROR no lock \x1b[2J").message
    'no lock ␛[2J'
    >>> read_line(b"\xff\x00").message
    '�␀'
    """
    record: Record | None = None
    if raw[:1] == b"{" and format in (Format.JSON, None) and len(raw) <= MAX_BYTES:
        record = read_json(raw, near, zone)
    if record is None:
        text = mask(_text(raw))
        readers = _READERS.values() if format is None else (_READERS[format],) if format in _READERS else ()
        found = (read(text, near, zone) for read in readers)
        record = next((r for r in found if r is not None), None) or read_plain(text, near, zone)
    if record.message.isprintable():
        return record
    return msgspec.structs.replace(record, message=_on_one_line(record.message))


def _text(raw: bytes) -> str:
    cut = len(raw) > MAX_BYTES
    text = (raw[:MAX_BYTES] if cut else raw).rstrip(b"\r").decode("utf-8", "replace")
    if not (text.isascii() and text.isprintable()):
        text = clean(text)
    return text + "…" if cut else text


def _on_one_line(text: str) -> str:
    """Tabs as spaces and line breaks as a sign: a message never moves the cursor."""
    return text.replace("\t", "    ").rstrip("\n").replace("\n", " ⏎ ")
