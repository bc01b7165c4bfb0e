"""Where a finding on logs leads."""

import msgspec


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A source of lines, and one of its lines: the identity of a finding whose place is "lines"."""

    source: str
    """Identity of the `LogSource`."""
    number: int | None = None
    """Of the line to put the cursor on; None: the newest."""
