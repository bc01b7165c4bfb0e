"""State as glyph, word and tone: colour never stands alone."""

import enum

from opsdash.collectors.finding import Severity


class Tone(enum.Enum):
    """How a text is meant; the theme says what that looks like (`tones.py`)."""

    NORMAL = "normal"
    MUTED = "muted"
    OK = "ok"
    WARN = "warn"
    CRIT = "crit"
    UNKNOWN = "unknown"
    ACCENT = "accent"

    __hash__ = object.__hash__  # of its own, Enum hashes in Python; lines of a table hash many tones


GLYPHS = {Tone.OK: "●", Tone.WARN: "▲", Tone.CRIT: "✖", Tone.UNKNOWN: "?"}


def severity_tone(severity: Severity | None) -> Tone:
    """The tone of a severity; None (nothing found) is fine."""
    if severity is None:
        return Tone.OK
    return {Severity.WARN: Tone.WARN, Severity.UNKNOWN: Tone.UNKNOWN, Severity.CRIT: Tone.CRIT}[severity]
