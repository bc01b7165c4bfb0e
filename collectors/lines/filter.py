"""Which lines of logs a person wants to see: filters as typed, stacked, applied to many records at once."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Literal

import msgspec

from opsdash.collectors.lines.bounded import TooSlow, bounded
from opsdash.collectors.lines.record import Level
from opsdash.collectors.text import one_line

_TOKEN = re.compile(
    r"""(?P<no>[-!])?\+?
    (?:
      /(?P<pattern>(?:\\.|[^/\\])+)/(?=\s|$)
      |"(?P<quoted>[^"]*)"?
      |@(?P<source>\S+)
      |(?:level)?\s*(?:>=|≥)\s*(?P<level>[A-Za-z]+)
      |(?P<plain>\S(?:(?!\s+[-+!@/"]\S|\s+(?:level)?(?:>=|≥)).)*)
    )""",
    re.VERBOSE,
)


class FilterError(ValueError):
    """What was typed cannot be looked for; the text says why."""


class SlowFilter(FilterError):
    """A pattern that would take for ever."""

    def __init__(self, filter: "Filter") -> None:
        self.filter = filter
        super().__init__(
            f"/{filter.value}/ takes far too long over these lines: write it without a repeat within a repeat"
        )


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One condition on a record."""

    kind: Literal["text", "pattern", "id", "source", "level"]
    """What `value` is: literal text, a regular expression, an id, part of a source's name, a level's name."""
    value: str
    excludes: bool = False
    """Whether records that meet it are left out, instead of all others."""

    def __str__(self) -> str:
        sign = "-" if self.excludes else "+"
        shown = {
            "text": f'"{self.value}"' if " " in self.value else self.value,
            "pattern": f"/{self.value}/",
            "id": f"id:{self.value}",
            "source": f"@{self.value}",
            "level": f"level≥{self.value}",
        }[self.kind]
        return f"{sign}{shown}" if self.kind != "level" else shown


def parse(text: str) -> tuple[Filter, ...]:
    """Filters from what was typed; all of them must hold.

    >>> [str(f) for f in parse('-healthz +request=7f3a91')]
    ['-healthz', '+request=7f3a91']
    >>> [str(f) for f in parse("could not obtain lock -/GET .*probe/ @api >=warn")]
    ['+"could not obtain lock"', '-/GET .*probe/', '+@api', 'level≥WARN']
    >>> parse("  ")
    ()

    Raises:
        FilterError: A regular expression or a level that makes no sense.
    """
    found = tuple(_filter(token) for token in _TOKEN.finditer(one_line(text)))
    for one in found:
        if one.kind == "pattern":
            compiled(one)
    return found


def _filter(token: re.Match[str]) -> Filter:
    excludes = token["no"] is not None
    if token["pattern"] is not None:
        return Filter(kind="pattern", value=token["pattern"], excludes=excludes)
    if token["source"] is not None:
        return Filter(kind="source", value=token["source"], excludes=excludes)
    if token["level"] is not None:
        return Filter(kind="level", value=_level(token["level"]).name)
    value = token["quoted"] if token["quoted"] is not None else token["plain"]
    return Filter(kind="text", value=value, excludes=excludes)


def _level(word: str) -> Level:
    for level in Level:
        if len(word) >= 3 and level.name.startswith(word.upper()[: len(level.name)]):
            return level
    raise FilterError(f"{word!r} is no level: expected {', '.join(level.name.lower() for level in Level)}")


def compiled(one: Filter) -> re.Pattern[bytes]:
    """What a text, a pattern or an id looks like in a line. Small letters alone stand for capitals as well.

    >>> bool(compiled(Filter(kind="text", value="lock")).search(b"DeadLock"))
    True
    >>> bool(compiled(Filter(kind="text", value="Lock")).search(b"deadlock"))
    False

    Raises:
        FilterError: The regular expression makes no sense.
    """
    pattern = one.value if one.kind == "pattern" else re.escape(one.value)
    flags = re.IGNORECASE if one.kind != "id" and _is_small(one) else re.RegexFlag(0)
    try:
        return re.compile(pattern.encode(), flags | re.MULTILINE)  # a record has several lines
    except re.error as error:
        raise FilterError(f"/{one.value}/ is no regular expression: {error}") from error


def _is_small(one: Filter) -> bool:
    """Whether capitals are alike; in a pattern the letters after a backslash are no letters to look for."""
    letters = re.sub(r"\\.", "", one.value) if one.kind == "pattern" else one.value
    return letters == letters.lower()


Keep = Callable[[Sequence[bytes]], list[int]]
"""The places of the records that are kept, of several; each is its lines with newlines between them.

May raise SlowFilter."""
_Search = Callable[[bytes], re.Match[bytes] | None]


def keeps(filters: Sequence[Filter]) -> Keep:
    """All conditions on text together; those on sources and levels are left to whoever knows these."""
    tests = [_test(one) for one in filters if one.kind not in ("source", "level")]

    def keep(records: Sequence[bytes]) -> list[int]:
        if not tests:
            return list(range(len(records)))
        places = tests[0](records)
        for test in tests[1:]:
            if not places:
                break
            inner = test([records[place] for place in places])
            places = [places[i] for i in inner]
        return places

    return keep


def _test(one: Filter) -> Keep:
    if one.kind == "pattern":
        return partial(_matching, one, compiled(one).search)
    needle = one.value.encode()
    if one.kind == "id" or not _is_small(one):
        return lambda records: _holding(needle, b"\n".join(records), records, excludes=one.excludes)
    small = needle.lower()
    return lambda records: _holding(small, b"\n".join(records).lower(), records, excludes=one.excludes)


def _matching(one: Filter, search: _Search, records: Sequence[bytes]) -> list[int]:
    """The places of the records that match a pattern, or do not where it excludes.

    Raises:
        SlowFilter: It takes too long over these.
    """
    try:
        with bounded():
            return [i for i, record in enumerate(records) if (search(record) is None) == one.excludes]
    except TooSlow:
        raise SlowFilter(one) from None


def _holding(needle: bytes, text: bytes, records: Sequence[bytes], *, excludes: bool) -> list[int]:
    """The places of the records that hold a text, or of the others.

    Args:
        needle: The text; it has no newline.
        text: The records, with a newline between them: most slices are without a rare word, and one look
            at all passes over them.
        records: How long each is.
        excludes: Whether those that do not hold it are wanted.
    """
    at = text.find(needle)
    if at < 0 or not needle:
        is_held = at >= 0
        return list(range(len(records))) if is_held != excludes else []
    ends = [*accumulate(map(len, records), lambda end, length: end + 1 + length)]
    places = list[int]()
    while at >= 0:
        places.append(bisect_right(ends, at))
        at = text.find(needle, ends[places[-1]])
    return sorted(set(range(len(records))).difference(places)) if excludes else places


def keeps_source(filters: Sequence[Filter], name: str) -> bool:
    """Whether the conditions on sources' names hold.

    >>> keeps_source(parse("@api -@api-2"), "api-1"), keeps_source(parse("@api -@api-2"), "api-2")
    (True, False)
    """
    return all((one.value.lower() in name.lower()) != one.excludes for one in filters if one.kind == "source")


def least_level(filters: Sequence[Filter]) -> Level | None:
    """The strictest condition on the level; None: there is none."""
    return max((Level[one.value] for one in filters if one.kind == "level"), default=None)
