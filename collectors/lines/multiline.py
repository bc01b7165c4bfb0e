"""Lines that belong to the line before: stack traces, indented text, PostgreSQL's DETAIL and the like."""

import re

from opsdash.collectors.lines.record import Format

_TRACE = re.compile(
    rb"Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames omitted)"
    rb"|During handling of the above exception|The above exception was the direct cause"
    rb"|[A-Za-z_][\w.$]*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)"
    rb"|goroutine \d+ \[|created by |\[signal |exit status \d"
)
_DOTTED = re.compile(rb"(?:[A-Za-z_]\w*\.)+[A-Z]\w*(?:: |$)")
"""An exception whose name says nothing: `psycopg.errors.LockNotAvailable: no lock`. Where lines begin with
a time, none begins so by itself."""
_TRACEBACK = b"Traceback (most recent call last)"
_POSTGRES = re.compile(rb".{0,200}?\b(?:DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION):  ")


def is_continuation(raw: bytes, format: Format | None) -> bool:
    r"""Whether a line belongs to the record that began above it.

    A blank or indented line does, and one that looks like a part of a stack trace; a line of JSON or logfmt
    never does.

    Args:
        raw: The line without its newline.
        format: Of its source; None: not known yet.

    >>> is_continuation(b"    at com.shop.Orders.place(Orders.java:41)", Format.JAVA)
    True
    >>> is_continuation(b"2026-11-22 03:12:40.204 UTC [7] DETAIL:  Process 7 waits", Format.POSTGRES)
    True
    >>> is_continuation(b"ValueError: no lock", Format.PYTHON), is_continuation(b"Killed", None)
    (True, False)
    >>> is_continuation(b"psycopg.errors.LockNotAvailable: no lock", Format.PYTHON)
    True
    """
    first = raw[:1]
    if first == b"{" and format in (Format.JSON, None):
        return False
    if first in (b"", b" ", b"\t", b"\r"):
        return True
    if format is Format.POSTGRES:
        return _POSTGRES.match(raw) is not None
    if format is Format.LOGFMT:
        return False
    if raw.startswith(_TRACEBACK):
        return format not in (None, Format.PLAIN)  # else nothing above it says that it belongs there
    is_timed = format in (Format.PYTHON, Format.JAVA)
    return _TRACE.match(raw) is not None or (is_timed and _DOTTED.match(raw) is not None)
