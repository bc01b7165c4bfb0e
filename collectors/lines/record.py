"""What a line of a log says, as far as its format is known."""

import enum
from collections.abc import Mapping

import msgspec


class Level(enum.IntEnum):
    """How bad a line says it is; larger is worse."""

    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6

    @property
    def word(self) -> str:
        """As it is shown.

        >>> Level.WARN.word
        'WARN'
        """
        return self.name


_WORDS = {
    Level.TRACE: ("trace", "trc", "finest", "finer", "verbose"),
    Level.DEBUG: ("debug", "dbg", "fine", "debug1", "debug2", "debug3", "debug4", "debug5", "config"),
    Level.INFO: ("info", "inf", "information", "informational", "notice", "log", "success"),
    Level.WARN: ("warn", "warning", "wrn"),
    Level.ERROR: ("error", "err", "eror", "severe", "failure"),
    Level.FATAL: ("fatal", "ftl", "critical", "crit", "panic", "dpanic", "emerg", "emergency", "alert"),
}
_LEVEL_OF = {word: level for level, words in _WORDS.items() for word in words}
_LETTERS = {
    "T": Level.TRACE, "D": Level.DEBUG, "I": Level.INFO, "W": Level.WARN, "E": Level.ERROR, "F": Level.FATAL,
}  # fmt: skip


def level_of(word: str) -> Level | None:
    """The level that a word or a single letter names, in any case; None for any other.

    >>> level_of("WARNING"), level_of("crit"), level_of("E"), level_of("LOG"), level_of("colour")
    (<Level.WARN: 4>, <Level.FATAL: 6>, <Level.ERROR: 5>, <Level.INFO: 3>, None)
    """
    return _LEVEL_OF.get(word.lower()) or _LETTERS.get(word)


def level_of_number(number: float) -> Level | None:
    """The level of pino and bunyan (10 to 60), or a severity of syslog (0 to 7, where 0 is worst).

    >>> level_of_number(50), level_of_number(3), level_of_number(6), level_of_number(2000)
    (<Level.ERROR: 5>, <Level.ERROR: 5>, <Level.INFO: 3>, None)
    """
    if 0 <= number <= 7:
        return (Level.FATAL, Level.FATAL, Level.FATAL, Level.ERROR, Level.WARN, Level.INFO, Level.INFO,
                Level.DEBUG)[int(number)]  # fmt: skip
    return Level(int(number) // 10) if 10 <= number < 70 else None


class Format(enum.Enum):
    """A way to write a line; the value is the word shown."""

    PLAIN = "plain"
    JSON = "json"
    LOGFMT = "logfmt"
    SYSLOG = "syslog"
    NGINX = "nginx"
    POSTGRES = "postgres"
    REDIS = "redis"
    PYTHON = "python"
    JAVA = "java"
    GO = "go"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line, read. Text is cleaned and masked by pattern, best effort: it may go onto the screen."""

    at: float | None = None
    """Unix time in seconds as the line itself says; None: it says none, or none that is understood."""
    level: Level | None = None
    """None: it says none."""
    message: str
    """The line without the time and the level that were understood, on one line."""
    fields: Mapping[str, str] = {}
    """Further named values (JSON, logfmt, syslog's program and pid …), in the order of the line.

    A value may have several lines (a stack trace in JSON)."""
    format: str = "plain"
    """The value of the `Format` that it was read by."""
