"""Times as logs write them, to Unix seconds. Pure but for the machine's local time zone.

A time without a zone is local time of this machine, unless the caller knows better (a container's engine
says UTC). A time without a year or a date is the latest such moment that is not after the line was read, but
for a day of tolerance.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_TOLERANCE_S = 86_400.0
"""How far ahead of the time of reading a line's own time may be."""
_DAY = timedelta(days=1)

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}

_ZONES_H = {"CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "WET": 0, "WEST": 1, "JST": 9, "KST": 9}
_ZONES_H |= {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
"""Abbreviations that mean one offset wherever they are used, in hours. CST, IST and BST do not."""

_ISO = re.compile(
    r"(\d{4})[-/.](\d\d)[-/.](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"(?: ?(Z\b|[+-]\d\d(?::?\d\d)?\b)| ([A-Z]{3,4})(?![A-Za-z]))?",
    re.ASCII,
)
_MONTH_DAY = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?", re.ASCII)
_DAY_MONTH = re.compile(
    r"(\d{1,2})[ /]([A-Z][a-z]{2})[ /](\d{4})[ :](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?(?: ([+-]\d{4}))?",
    re.ASCII,
)
_KLOG = re.compile(r"(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})", re.ASCII)
_CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?!:?\d)", re.ASCII)
_EPOCH = re.compile(r"\d{10}(?:\.\d{1,9})?(?![\d.])|\d{13}(?!\d)|\d{16}(?!\d)|\d{19}(?!\d)", re.ASCII)

Found = tuple[float, int]
"""Unix time, and where the text goes on after it."""


def read_time(
    text: str, start: int = 0, *, near: float | None = None, zone: tzinfo | None = None
) -> Found | None:
    """The time that `text` has at `start`; None when none of the known forms stands there.

    Args:
        text: A line.
        start: Where the time begins.
        near: Unix time at which the line was read: what a missing year or date is completed from. None:
            such times are not understood.
        zone: Of times that state none; None: the local one.

    >>> read_time("2026-11-22T03:12:40.204Z up")
    (1795317160.204, 24)
    >>> read_time("Nov 22 03:12:40 web sshd", near=1795317170.0, zone=UTC)
    (1795317160.0, 15)
    >>> read_time("2026-11-22 03:12:40.204 CET [7]"), read_time("2026-13-22 03:12:40"), read_time("no")
    ((1795313560.204, 27), None, None)
    """
    first = text[start : start + 1]
    if not first:
        return None
    try:
        if first.isalpha():
            return _month_day(text, start, near, zone)
        return (
            _iso(text, start, zone)
            or _day_month(text, start, zone)
            or _clock(text, start, near, zone)
            or _epoch(text, start)
        )
    except (ValueError, OverflowError, OSError):  # 31 February, hour 24, a year beyond what the system knows
        return None


def klog_time(text: str, start: int, *, near: float | None, zone: tzinfo | None) -> Found | None:
    """The time after a klog line's level letter: `1122 03:12:40.204123`, without a year.

    >>> klog_time("E1122 03:12:40.204123  7 x.go:1] m", 1, near=1795317170.0, zone=UTC)
    (1795317160.204123, 21)
    """
    found = _KLOG.match(text, start)
    if found is None or near is None:
        return None
    month, day, hour, minute, second, micro = map(int, found.groups())
    try:
        return _latest_year(month, day, (hour, minute, second, micro), near, zone), found.end()
    except (ValueError, OverflowError, OSError):
        return None


def epoch_seconds(value: float) -> float | None:
    """Unix seconds from a number that may count seconds, milli-, micro- or nanoseconds.

    Only moments from 2001 to 2286 are taken for times; anything else is some other number.

    >>> epoch_seconds(1795317160), epoch_seconds(1795317160204), epoch_seconds(42)
    (1795317160.0, 1795317160.204, None)
    """
    for unit in (1.0, 1e3, 1e6, 1e9):
        if 1e9 * unit <= value < 1e10 * unit:
            return value / unit
    return None


def _iso(text: str, start: int, zone: tzinfo | None) -> Found | None:
    found = _ISO.match(text, start)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset, abbreviation = found.groups()
    end = found.end()
    if offset:
        zone = _offset(offset)
    elif abbreviation:
        named = _named_zone(abbreviation)
        if named is None:  # a level or a name in capitals, or an abbreviation of many meanings
            end = found.start(9) - 1
        zone = named or zone
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
    return moment.timestamp() + _fraction(fraction), end


def _day_month(text: str, start: int, zone: tzinfo | None) -> Found | None:
    """`22 Nov 2026 03:12:40.123` (Redis) and `22/Nov/2026:03:12:40 +0000` (web servers)."""
    found = _DAY_MONTH.match(text, start)
    if found is None:
        return None
    day, month, year, hour, minute, second, fraction, offset = found.groups()
    number = _MONTHS.get(month.lower())
    if number is None:
        return None
    zone = _offset(offset) if offset else zone
    moment = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=zone)
    return moment.timestamp() + _fraction(fraction), found.end()


def _month_day(text: str, start: int, near: float | None, zone: tzinfo | None) -> Found | None:
    """`Nov 22 03:12:40`, without a year."""
    found = _MONTH_DAY.match(text, start)
    if found is None or near is None:
        return None
    name, day, hour, minute, second, fraction = found.groups()
    month = _MONTHS.get(name.lower())
    if month is None:
        return None
    clock = (int(hour), int(minute), int(second), round(_fraction(fraction) * 1e6))
    return _latest_year(month, int(day), clock, near, zone), found.end()


def _clock(text: str, start: int, near: float | None, zone: tzinfo | None) -> Found | None:
    """`03:12:40.204`, without a date."""
    found = _CLOCK.match(text, start)
    if found is None or near is None:
        return None
    hour, minute, second, fraction = found.groups()
    moment = datetime.fromtimestamp(near, zone).replace(
        hour=int(hour), minute=int(minute), second=int(second), microsecond=0
    )
    if moment.timestamp() > near + _DAY.total_seconds() / 2:  # read just after midnight, printed just before
        moment -= _DAY
    return moment.timestamp() + _fraction(fraction), found.end()


def _epoch(text: str, start: int) -> Found | None:
    found = _EPOCH.match(text, start)
    seconds = epoch_seconds(float(found.group())) if found else None
    return None if found is None or seconds is None else (seconds, found.end())


def _latest_year(
    month: int, day: int, clock: tuple[int, int, int, int], near: float, zone: tzinfo | None
) -> float:
    """The latest such moment that is not much after `near`. Raises ValueError for a day that there is not."""
    year = datetime.fromtimestamp(near, UTC).year + 1
    for candidate in range(year, year - 10, -1):  # 29 February: up to eight years back
        if (month, day) == (2, 29) and not (candidate % 4 == 0 and (candidate % 100 or candidate % 400 == 0)):
            continue
        moment = datetime(candidate, month, day, *clock, tzinfo=zone).timestamp()
        if moment <= near + _TOLERANCE_S:
            return moment
    raise ValueError("no such day")


def _offset(text: str) -> tzinfo:
    """`Z`, `+01`, `+0100` or `+01:00`. Raises ValueError for a day and more."""
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _named_zone(name: str) -> tzinfo | None:
    if name in ("UTC", "GMT"):
        return UTC
    hours = _ZONES_H.get(name)
    return None if hours is None else timezone(timedelta(hours=hours))


def _fraction(digits: str | None) -> float:
    """Digits after the point, as seconds."""
    return int(digits) / 10 ** len(digits) if digits else 0.0
