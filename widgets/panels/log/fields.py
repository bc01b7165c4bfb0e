"""One line of a log in full. Pure."""

from datetime import UTC, datetime

from opsdash.collectors.lines.mask import mask
from opsdash.collectors.lines.record import Record
from opsdash.collectors.text import clean
from opsdash.widgets.lines import Line, labelled, rule
from opsdash.widgets.status import Tone

_LONGEST = 4000
"""Characters of one value that are shown."""


def field_lines(
    record: Record, *, source: str, raw: tuple[bytes, ...], arrived_at: float, width: int
) -> tuple[Line, ...]:
    """A record with every value that it names, and the text that it was read from.

    Args:
        record: Its first line.
        source: Name of its source.
        raw: All its lines as they were printed.
        arrived_at: Unix time at which it was read.
        width: Cells at hand.
    """
    level = record.level.word if record.level is not None else "none stated"
    values = [
        ("time", _time(record, arrived_at)),
        ("source", f"{source} · {record.format}"),
        ("level", level),
        ("message", record.message),
        *record.fields.items(),
    ]
    indent = min(max(len("as printed"), *(len(name) for name, _ in values)) + 2, 22)
    lines: list[Line] = [rule((("Fields", Tone.ACCENT),), (("Enter or Esc closes", Tone.MUTED),), width)]
    for name, value in values:
        lines += _labelled(name, value, width, indent)
    text = "\n".join(mask(clean(one.decode("utf-8", "replace"))) for one in raw)
    lines += _labelled("as printed", text, width, indent)
    return tuple(lines)


def _labelled(name: str, value: str, width: int, indent: int) -> list[Line]:
    """A value of any number of lines."""
    text = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    found: list[Line] = []
    for part in text.split("\n"):
        label = (name if len(name) < indent else f"{name[: indent - 2]}…") if not found else ""
        found += labelled(label, part, width=width, indent=indent)
    return found


def _time(record: Record, arrived_at: float) -> str:
    """When, in UTC and in this machine's own zone; or when it was read."""
    if record.at is None:
        return f"none stated; read about {_moment(arrived_at)}"
    local = datetime.fromtimestamp(record.at, UTC).astimezone()
    return f"{_moment(record.at)} · {local:%H:%M:%S %Z}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
