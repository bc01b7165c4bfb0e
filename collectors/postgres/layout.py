"""SQL laid out for reading: a clause on each line."""

import textwrap

from sqlparse.exceptions import SQLParseError

from opsdash.collectors.threads import StillRunning, call_in_thread

LONGEST = 6_000
"""Characters; laying out longer texts takes longer than anybody waits."""
_PATIENCE_S = 2.0


async def laid_out(sql: str) -> tuple[str, ...]:
    """The lines of a statement, indented; as it is, wrapped, where the parser does not know what to do.

    It may be cut off, in a dialect of its own or made to hurt: so it is parsed on a thread of its own, with
    a limit.
    """
    try:
        text = await call_in_thread(lambda: _formatted(sql), key="lay out SQL", timeout_s=_PATIENCE_S)
    except (SQLParseError, RecursionError, ValueError, TimeoutError, StillRunning, BlockingIOError):
        return _wrapped(sql)
    return tuple(line.rstrip() for line in text.splitlines()) or _wrapped(sql)


def _formatted(sql: str) -> str:
    import sqlparse  # 30 ms: only when asked for

    if len(sql) > LONGEST:
        raise ValueError("too long")
    return str(sqlparse.format(sql, reindent=True, keyword_case="upper"))


def _wrapped(sql: str) -> tuple[str, ...]:
    r"""Lines as they are, long ones folded.

    >>> _wrapped("select 1\nfrom t"), _wrapped("")
    (('select 1', 'from t'), ('',))
    """
    lines = [part for line in sql.splitlines() for part in textwrap.wrap(line, 100) or [""]]
    return tuple(lines) or ("",)
