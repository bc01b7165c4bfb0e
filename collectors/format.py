"""Numbers, durations and ages as people read them. Pure; shared by rules, headless output and panels."""

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(seconds: float | None) -> str:
    """A length of time in at most two units; `-` when unknown.

    >>> [duration(s) for s in (0.0123, 0.38, 2.41, 42, 372, 7260, 266400)]
    ['12ms', '380ms', '2.4s', '42s', '6m12s', '2h01m', '3d02h']
    >>> duration(None), duration(-0.2)
    ('-', '0ms')
    """
    if seconds is None:
        return "-"
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"


def milliseconds(value: float | None) -> str:
    """A length of time that may be far below a millisecond; `-` when unknown.

    >>> [milliseconds(v) for v in (0.0142, 3.2, 41.3, 905.0, 2431.0)], milliseconds(None)
    (['14us', '3.2ms', '41ms', '905ms', '2.4s'], '-')
    """
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f}us"
    return f"{value:.1f}ms" if value < 10 else duration(value / 1000)


def age(seconds: float | None) -> str:
    """A duration in whole seconds, which does not flicker: for things that grow older by the second.

    >>> [age(s) for s in (0.4, 2.41, 372.9)], age(None)
    (['0s', '2s', '6m12s'], '-')
    """
    if seconds is None:
        return "-"
    whole = int(max(seconds, 0.0))
    return f"{whole}s" if whole < _MINUTE else duration(float(whole))


def number(value: float | None) -> str:
    """A count or rate in at most four characters of digits, with k, M, G; `-` when unknown.

    >>> [number(v) for v in (0, 0.4, 7, 412, 1904, 18234, 2_500_000)], number(None)
    (['0', '0.4', '7', '412', '1.9k', '18.2k', '2.5M'], '-')
    """
    if value is None:
        return "-"
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.1f}{unit}"
    if value == int(value) or abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}"


def whole(count: int | None) -> str:
    """A number in full, as small counts are told; `-` when unknown.

    >>> whole(60123), whole(0), whole(None)
    ('60123', '0', '-')
    """
    return "-" if count is None else str(count)


def size(count_bytes: float | None) -> str:
    """Bytes in binary units; `-` when unknown.

    >>> [size(b) for b in (0, 512, 1536, 536870912)], size(None)
    (['0 B', '512 B', '1.5 KiB', '512 MiB'], '-')
    """
    if count_bytes is None:
        return "-"
    value, unit = float(count_bytes), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.1f} {unit}"


def percent(ratio: float | None) -> str:
    """A ratio of 0 to 1 as percent; `-` when unknown; never rounded up to 100%.

    >>> [percent(r) for r in (0.0, 0.5, 0.991, 0.9999, 1.0)], percent(None)
    (['0%', '50%', '99.1%', '99.9%', '100%'], '-')
    """
    if ratio is None:
        return "-"
    value = ratio * 100
    if value >= 99.95 and ratio < 1:
        return "99.9%"
    return f"{value:.1f}%" if value % 1 and value >= 10 and value < 100 else f"{value:.0f}%"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """`count` and its noun.

    >>> plural(1, "session"), plural(14, "session"), plural(2, "query", "queries")
    ('1 session', '14 sessions', '2 queries')
    """
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def moment(at: datetime | None) -> str:
    """The time of day in UTC, to the second; `-` when unknown."""
    return "-" if at is None else at.strftime("%H:%M:%S")
