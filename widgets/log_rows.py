"""One line of a log as rows of toned spans: time, source, level, what it says. Pure."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec
from rich.cells import cell_len, chop_cells

from opsdash.collectors.lines.bounded import bounded
from opsdash.collectors.lines.record import Level, Record
from opsdash.collectors.text import clean
from opsdash.widgets.cells import cut, fitted

TimesShown = Literal["UTC", "local", "delta", "off"]
TIMES: tuple[TimesShown, ...] = ("UTC", "local", "delta", "off")
"""In the order of the key."""
SOURCE_COLOURS = 6
"""Styles that sources are told apart by, besides their names."""
LONGEST_WRAP = 40
"""Rows of one wrapped line; the rest of it is in its fields."""

Span = tuple[str, str]
"""A text and the name of its style."""
Row = tuple[Span, ...]

_LEVEL_STYLE = {
    None: "muted",
    Level.TRACE: "muted",
    Level.DEBUG: "muted",
    Level.INFO: "normal",
    Level.WARN: "warn",
    Level.ERROR: "crit",
    Level.FATAL: "crit",
}
_LEVEL_WIDTH = 5
_INDENT = "  "


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How lines are laid out in a view."""

    width: int
    times: TimesShown = "UTC"
    source_width: int = 0
    """0: the source is not named, since there is only one."""
    wrap: bool = False
    search: re.Pattern[str] | None = None
    """What is marked in the text."""
    day: str = ""
    """Today's date as the times' zone has it: of another day the date is shown."""

    @property
    def time_width(self) -> int:
        """Cells of the time."""
        if self.times == "off":
            return 0
        if self.times == "delta":
            return 8
        return 12 if self.width >= 100 else 8

    @property
    def text_width(self) -> int:
        """Cells that are left for what a line says."""
        columns = (self.time_width, self.source_width, _LEVEL_WIDTH)
        return max(self.width - sum(width + 1 for width in columns if width), 8)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line as far as it is drawn."""

    record: Record
    at: float | None
    """Unix time: as it states; None: it states none."""
    since_s: float | None = None
    """Seconds since the line above; None: not known."""
    source: str = ""
    colour: int = 0
    """Which of the styles of sources."""
    continues: bool = False
    """Whether it belongs to the record of the line above."""
    gaps: tuple[str, ...] = ()
    """Why lines are missing above it."""


def rows(entry: Entry, layout: Layout) -> tuple[Row, ...]:
    """A line and the gaps above it, without the gutter; each row may be shorter than the width.

    Raises:
        TooSlow: What is searched for would take for ever to find in it.
    """
    texts = _texts(entry, layout)
    first = (*_columns(entry, layout), *texts[0])
    indent = layout.width - layout.text_width
    more = [((" " * indent, "normal"), *text) for text in texts[1:]]
    return (*(gap_row(reason, layout.width) for reason in entry.gaps), first, *more)


def row_count(entry: Entry, layout: Layout) -> int:
    """How many rows it takes."""
    return len(entry.gaps) + (len(_texts(entry, layout)) if layout.wrap else 1)


def gap_row(reason: str, width: int) -> Row:
    """A mark where lines are missing.

    >>> gap_row("12 s without a connection", 40)
    (('── 12 s without a connection ──────────', 'warn'),)
    """
    text = cut(f"── {clean(reason)} ", width - 1)
    return ((text + "─" * max(width - 1 - cell_len(text), 0), "warn"),)


def time_text(at: float | None, times: TimesShown, width: int, day: str) -> str:
    """A moment in so many cells; of another day than `day` its date and minute.

    >>> time_text(1795317160.204, "UTC", 12, "2026-11-22"), time_text(1795317160.204, "UTC", 8, "2026-11-22")
    ('03:12:40.204', '03:12:40')
    >>> time_text(1795317160.204, "UTC", 12, "2026-11-23"), time_text(None, "UTC", 12, "")
    ('11-22 03:12', '')
    """
    if at is None:
        return ""
    second = math.floor(at)
    date, text = _second(second, times == "local")
    if day and date != day:
        return f"{date[5:]} {text[:5]}" if width >= 12 else date[2:]
    return f"{text}.{int((at - second) * 1000 + 1e-3):03d}" if width >= 12 else text


@lru_cache(256)
def _second(at: int, is_local: bool) -> tuple[str, str]:
    """Date and time of day: many lines are of one second."""
    moment = datetime.fromtimestamp(at, UTC)
    if is_local:
        moment = moment.astimezone()
    return moment.strftime("%Y-%m-%d"), moment.strftime("%H:%M:%S")


def delta_text(seconds: float | None) -> str:
    """Seconds since the line above, in eight cells at most.

    >>> delta_text(0.0341), delta_text(75.2), delta_text(-3.0), delta_text(None), delta_text(90000)
    ('+0.034s', '+75.2s', '-3.000s', '', '+25.0h')
    """
    if seconds is None:
        return ""
    size = abs(seconds)
    if size < 10:
        return f"{seconds:+.3f}s"
    if size < 1000:
        return f"{seconds:+.1f}s"
    return f"{seconds / 60:+.0f}m" if size < 36000 else f"{seconds / 3600:+.1f}h"


def _columns(entry: Entry, layout: Layout) -> list[Span]:
    """Time, source and level; blank where the line continues another."""
    spans: list[Span] = []
    if layout.times != "off":
        text = ""
        if not entry.continues and layout.times == "delta":
            text = delta_text(entry.since_s)
        elif not entry.continues:
            text = time_text(entry.at, layout.times, layout.time_width, layout.day)
        spans.append((fitted(text, layout.time_width, right=layout.times == "delta") + " ", "muted"))
    if layout.source_width:
        name = "" if entry.continues else entry.source
        spans.append((fitted(name, layout.source_width, right=False) + " ", f"source{entry.colour}"))
    level = None if entry.continues else entry.record.level
    word = level.word if level is not None else ""
    spans.append((fitted(word, _LEVEL_WIDTH, right=False) + " ", _LEVEL_STYLE[level]))
    return spans


def _texts(entry: Entry, layout: Layout) -> list[Row]:
    """What the line says, in one row or wrapped into several."""
    spans = _said(entry)
    width = layout.text_width
    if layout.wrap:
        return [_marked(row, layout.search) for row in _wrapped(spans, width)]
    return [_cut(_marked(spans, layout.search), width)]


def _said(entry: Entry) -> Row:
    record = entry.record
    is_flush = entry.continues and not record.message.startswith(" ")
    message = (_INDENT if is_flush else "") + record.message
    more = "" if entry.continues else fields_text(record)
    return ((message, "normal"), (f"  {more}", "muted")) if more else ((message, "normal"),)


def fields_text(record: Record) -> str:
    """The named values of a line as one text; empty where the message is made of them.

    >>> fields_text(Record(message="no lock", fields={"request": "7f3a91", "pool": "60 of 60"}))
    'request=7f3a91 pool="60 of 60"'
    """
    text = " ".join(f"{name}={_quoted(value)}" for name, value in record.fields.items())
    return "" if record.message.startswith(text[:40]) and text else text


def _quoted(value: str) -> str:
    flat = value if value.isprintable() else " ⏎ ".join(value.split("\n")).replace("\t", " ")
    return f'"{flat}"' if " " in flat else flat


def _marked(spans: Iterable[Span], search: re.Pattern[str] | None) -> Row:
    """The spans with what was searched for in a style of its own. Raises TooSlow."""
    if search is None:
        return tuple(spans)
    found: list[Span] = []
    for text, style in spans:
        place = 0
        with bounded():
            matches = [*search.finditer(text)]
        for match in matches:
            if match.end() > match.start():
                found += [(text[place : match.start()], style), (match[0], "match")]
                place = match.end()
        found.append((text[place:], style))
    return tuple(span for span in found if span[0])


def _cut(spans: Sequence[Span], width: int) -> Row:
    """In at most so many cells, with an ellipsis where something is missing.

    >>> _cut((("no ", "normal"), ("lock", "match"), (" on stock", "normal")), 8)
    (('no ', 'normal'), ('lock', 'match'), ('…', 'muted'))
    """
    if sum(text_cells(text) for text, _ in spans) <= width:
        return tuple(spans)
    kept: list[Span] = []
    left = width - 1
    for text, style in spans:
        part = _beginning(text, left)
        kept.append((part, style))
        left -= text_cells(part)
        if len(part) < len(text):
            break
    return (*(span for span in kept if span[0].strip() or span is not kept[-1]), ("…", "muted"))


def _wrapped(spans: Sequence[Span], width: int) -> list[Row]:
    """In rows of so many cells."""
    lines: list[list[Span]] = [[]]
    left = width
    for text, style in spans:
        rest = text
        while rest:
            part = _beginning(rest, left)
            if part:
                lines[-1].append((part, style))
                left -= cell_len(part)
                rest = rest[len(part) :]
            if rest:
                if len(lines) == LONGEST_WRAP:
                    lines[-1] = list(_cut([*lines[-1], (rest, style)], width))
                    return [tuple(line) for line in lines]
                lines.append([])
                left = width
    return [tuple(line) for line in lines]


def text_cells(text: str) -> int:
    """How many cells a text takes; quick where it is ASCII, as nearly all is."""
    return len(text) if text.isascii() else cell_len(text)


def _beginning(text: str, width: int) -> str:
    """As much of a text as fits into so many cells.

    >>> _beginning("checkout", 5), _beginning("日本", 3), _beginning("日本", 1), _beginning("x", 0)
    ('check', '日', '', '')
    """
    if text.isascii():
        return text[:width]
    part = chop_cells(text, width)[0] if width > 0 else ""
    return part if cell_len(part) <= width else ""
