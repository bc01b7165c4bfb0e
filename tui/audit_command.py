"""`opsdash audit show` and `opsdash audit verify`: read the log; never write it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opsdash.collectors.text import one_line
from opsdash.tui.actions.chain import Checked, Record, check, unseal

INTACT, DAMAGED, UNREADABLE = 0, 1, 3


def show(path: Path, last: int = 20, as_json: bool = False) -> int:
    """Print the last records, oldest first, and every intent that has no outcome.

    Args:
        path: The log.
        last: How many records; 0 prints all.
        as_json: Print the records as they stand in the file, one JSON document a line.

    Returns:
        The exit code: 0, or 3 when the log cannot be read.
    """
    try:
        lines = _lines(path)
    except OSError as error:
        return _cannot_read(path, error)
    records = [record for record in map(unseal, lines) if record is not None]
    for record in records[-last:] if last else records:
        _print(json.dumps(record.fields) if as_json else in_words(record))
    if not as_json:
        for line in _left_open(records):
            _print(line)
    return INTACT


def verify_command(path: Path) -> int:
    """Follow the chain and print what is wrong with it, and what cannot be known.

    Returns:
        The exit code: 0 intact, 1 damaged, 3 cannot be read.
    """
    try:
        checked = check(_lines(path))
    except OSError as error:
        return _cannot_read(path, error)
    for problem in checked.problems:
        _print(f"✖ {problem.text}")
    for line in _left_open(checked.records):
        _print(line)
    for line in _verdict(path, checked):
        _print(line)
    return DAMAGED if checked.problems else INTACT


def _verdict(path: Path, checked: Checked) -> Iterator[str]:
    if not checked.records:
        yield f"{path}: no records"
        return
    head = checked.records[-1]
    count = len(checked.records)
    what = "the chain is damaged, see above" if checked.problems else "the chain is whole"
    yield f"{path}: {count} record{'s' if count != 1 else ''}, {what}"
    yield f"head: seq={head.seq} hash={head.hash}"
    yield (
        "Records cut off the end, or a file written anew as a whole, leave no trace here: compare the head "
        'with the last "opsdash: audit seq=" line in syslog ([audit] also = "syslog" sends it there).'
    )


def in_words(record: Record) -> str:
    """One record on one line."""
    fields = record.fields
    words = [_word(fields, "time"), _word(fields, "event"), _word(fields, "target"), _subject(fields)]
    words += [_word(fields, "outcome"), _word(fields, "text"), _word(fields, "how")]
    who = _word(fields, "who")
    said = "  ".join(word for word in words if word)
    return f"{said}  by {who}" if who else said


def _subject(fields: Any) -> str:
    """What was done: the title of an intent says more than the action's name."""
    return _word(fields, "title") or _word(fields, "action")


def _word(fields: Any, name: str) -> str:
    value = fields.get(name)
    return "" if value is None else one_line(str(value))


def _left_open(records: tuple[Record, ...] | list[Record]) -> Iterator[str]:
    """Intents without an outcome: perhaps sent, by an opsdash that is gone, or that acts right now."""
    ended = {_word(record.fields, "id") for record in records if record.fields.get("event") == "outcome"}
    for record in records:
        if record.fields.get("event") == "intent" and _word(record.fields, "id") not in ended:
            yield (
                f"▲ no outcome (opsdash was killed or left, or is still at it): look at the target: "
                f"{in_words(record)}"
            )


def _lines(path: Path) -> list[bytes]:
    data = path.read_bytes().removesuffix(b"\n")
    return data.split(b"\n") if data else []


def _cannot_read(path: Path, error: OSError) -> int:
    if isinstance(error, FileNotFoundError):
        why = "is not there: nothing was recorded yet, or it was taken away"
    else:
        why = f"cannot be read: {error.strerror or error}"
    sys.stderr.write(f"opsdash audit: {path} {why}\n")
    return UNREADABLE


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
