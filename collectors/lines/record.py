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


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line, read. Text is cleaned: it may go onto the screen."""

    at: float | None = None
    """Unix time in seconds as the line itself says; None: it says none, or none that is understood."""
    level: Level | None = None
    """None: it says none."""
    message: str
    """The line without the time and the level that were understood; may be masked by pattern."""
    fields: Mapping[str, str] = {}
    """Further named values (JSON, logfmt, syslog's program and pid …), in the order of the line."""
    format: str = "plain"
    """The recognised format: json, logfmt, syslog, nginx, postgres, redis, python, java or plain."""
