"""The last records of the audit log, for the screen: read only, and never waited for."""

from pathlib import Path

from opsdash.collectors.text import one_line
from opsdash.collectors.threads import StillRunning, call_in_thread
from opsdash.tui.actions.chain import Record, unseal

_TAIL_BYTES = 262_144
_DEADLINE_S = 2.0


class RecordsUnread(Exception):
    """The log could not be read; the text says why."""


async def last_records(path: Path) -> tuple[Record, ...]:
    """The records in the last quarter of a megabyte, newest first; empty when there is no log yet.

    Raises:
        RecordsUnread: It cannot be read, or its disk does not answer.
    """
    try:
        data = await call_in_thread(lambda: _tail(path), key=f"audit {path}", timeout_s=_DEADLINE_S)
    except FileNotFoundError:
        return ()
    except OSError as error:  # TimeoutError is one as well
        reason = error.strerror or "its disk does not answer"
        raise RecordsUnread(f"cannot be read: {reason}\n{path}") from error
    except StillRunning as error:
        raise RecordsUnread(f"cannot be read: its disk does not answer\n{path}") from error
    return tuple(record for line in reversed(data.split(b"\n")) if (record := unseal(line)) is not None)


def word(record: Record, name: str) -> str:
    """One member of a record on one line; empty when it has none."""
    value = record.fields.get(name)
    return "" if value is None else one_line(str(value))


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        start = max(0, file.seek(0, 2) - _TAIL_BYTES)
        file.seek(start)
        return file.read()
