"""The few words of which a line holds one when it is a warning or worse, by the format of its source."""

import re
from collections.abc import Iterable, Mapping

from opsdash.collectors.lines.record import Format

_CAPITALS = (b"ERR", b"WARN", b"FATAL", b"CRIT")

_WORDS: Mapping[Format, tuple[bytes, ...]] = {
    Format.SYSLOG: (*_CAPITALS, b"rror:", b"\n<"),
    Format.NGINX: (b'" 5', b"[error]", b"[warn]", b"[crit]", b"[alert]", b"[emerg]"),
    Format.POSTGRES: (b"ERROR:", b"FATAL:", b"PANIC:", b"WARNING:"),
    Format.REDIS: (b" # ",),
    Format.PYTHON: (b"ERROR", b"WARN", b"CRITICAL", b"FATAL", b"Traceback"),
    Format.JAVA: (b"ERROR", b"WARN", b"FATAL", b"Exception in thread"),
    Format.GO: (b"\nE", b"\nW", b"\nF", b"panic:", b"fatal error:"),
    Format.PLAIN: (*_CAPITALS, b"SEVERE", b"rror:", b"[error]", b"[warn]", b"Traceback", b"panic:"),
}

BAD_WORDS = (
    b"warn", b"wrn", b"err", b"eror", b"fatal", b"ftl", b"crit", b"panic", b"emerg", b"alert", b"severe",
    b"failure", b"traceback", b"exception", b"segmentation",
)  # fmt: skip
"""In small letters: what a line says in words that is a warning or worse."""
WORDS_OF_ANY_FORMAT = (*BAD_WORDS, b"\n<")
"""In small letters. Whatever `read_line` takes for a warning or worse holds one of these, or one of its own
format's."""

_BY_WAY = {
    "small": (b"err", b"warn", b"fatal", b"crit", b"panic", b"eror"),
    "capitals": (*_CAPITALS, b"PANIC"),
    "first": (b"Err", b"Warn", b"Fatal", b"Crit"),
    "letter": (b"E", b"W", b"F"),
    "tens": (b"40", b"50", b"60"),
    "severity": (b"0", b"1", b"2", b"3", b"4"),
}
_STATED = re.compile(
    rb'(?P<before>(?:level|lvl|severity|levelname|"s|"@l)"? ?[:=] ?"?)'
    rb"(?:(?P<tens>\d\d)|(?P<severity>\d)|(?P<letter>[A-Z])\b|(?P<small>[a-z]+)"
    rb"|(?P<capitals>[A-Z]{2,})|(?P<first>[A-Z][a-z]+))"
)


def trouble_words(format: Format, sample: Iterable[bytes]) -> tuple[bytes, ...]:
    r"""What to search blocks for; a word that begins with a newline stands at the beginning of a line.

    JSON and logfmt write levels in one of several ways, and a source keeps to its own: the sample tells.

    >>> trouble_words(Format.REDIS, ())
    (b' # ',)
    >>> trouble_words(Format.JSON, (b'{"level":"INFO","msg":"up"}',))
    (b'level":"ERR', b'level":"WARN', b'level":"FATAL', b'level":"CRIT', b'level":"PANIC')
    >>> trouble_words(Format.LOGFMT, (b"level=info msg=up",))
    (b'level=err', b'level=warn', b'level=fatal', b'level=crit', b'level=panic', b'level=eror')
    """
    if format not in (Format.JSON, Format.LOGFMT):
        return _WORDS[format]
    ways = {(f["before"], f.lastgroup) for raw in sample if (f := _STATED.search(raw)) is not None}
    if not ways:
        ways = {(b'"' if format is Format.JSON else b"=", way) for way in ("small", "capitals")}
    return tuple(before + word for before, way in sorted(ways) for word in _BY_WAY[str(way)])
