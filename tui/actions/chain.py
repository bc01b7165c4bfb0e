"""The chain of the audit log: how a record is sealed, and what a file's lines prove. Pure.

A record is one JSON line. `hash` is the SHA-256 of the line without its `hash` member; `prev` is the
SHA-256 of all that stands before it, from the start of the last record on (so that a line which was cut
off in the middle of a write is covered too). Anyone who may write the file can make a new chain: what
cannot be forged is a head that was sent elsewhere (syslog).
"""

import enum
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

START = "0" * 64
"""`prev` of the first record."""

_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}$')


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record as it stands in the file."""

    seq: int
    """Counts up from 1."""
    prev: str
    hash: str
    is_sealed: bool
    """Whether `hash` fits the line: it was not changed by hand."""
    fields: Mapping[str, Any]
    """All members, `hash` too."""


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def seal(fields: Mapping[str, Any], *, seq: int, prev: str) -> bytes:
    """One line for the file, without its newline."""
    whole = {"v": 1, "seq": seq, **fields, "prev": prev}
    body = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=str)
    line = body.encode("utf-8", "backslashreplace")
    return line[:-1] + b',"hash":"' + digest(line).encode() + b'"}'


def unseal(line: bytes) -> Record | None:
    r"""Read one line; None when it is not a record (torn, or not ours).

    >>> line = seal({"event": "armed"}, seq=1, prev=START)
    >>> unseal(line).is_sealed, unseal(line.replace(b"armed", b"argued")).is_sealed
    (True, False)
    >>> unseal(line[:-3]) is None, unseal(b"") is None
    (True, True)
    """
    found = _SEAL.search(line)
    if found is None:
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    seq, prev = fields.get("seq"), fields.get("prev")
    if not isinstance(seq, int) or not isinstance(prev, str):
        return None
    claimed = found.group(1).decode()
    is_sealed = digest(line[: found.start()] + b"}") == claimed
    return Record(seq=seq, prev=prev, hash=claimed, is_sealed=is_sealed, fields=fields)


class ProblemKind(enum.Enum):
    """What is wrong with a place in the file."""

    CHANGED = "changed"
    INSERTED = "inserted"
    REMOVED = "removed"
    TORN = "torn"


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing that is wrong with the file."""

    line: int
    """Counts from 1. For REMOVED: the line before which something is missing."""
    kind: ProblemKind
    text: str


class _Block(msgspec.Struct, frozen=True, kw_only=True):
    """A record, and what follows it up to the next one (nothing, or torn lines)."""

    line: int
    record: Record | None
    """None: the file does not begin with a record."""
    digest: str
    torn: tuple[int, ...]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines of a file say and prove."""

    records: tuple[Record, ...]
    """In the order of the file."""
    problems: tuple[Problem, ...]
    """In the order of the file; empty: the chain is whole, from the first record to the last."""


def check(lines: Iterable[bytes]) -> Checked:
    """Follow the chain of `lines` (without their newlines) from its head back to its start.

    >>> one = seal({}, seq=1, prev=START)
    >>> two = seal({}, seq=2, prev=digest(one))
    >>> check([one, two]).problems
    ()
    >>> [p.text for p in check([two]).problems]
    ['1 record is missing before line 1']
    """
    blocks = _blocks(lines)
    problems = [_torn(line) for block in blocks for line in block.torn]
    problems += [
        Problem(line=b.line, kind=ProblemKind.CHANGED, text=f"line {b.line} was changed")
        for b in blocks
        if b.record is not None and not b.record.is_sealed
    ]
    problems += _follow(blocks)
    records = tuple(b.record for b in blocks if b.record is not None)
    return Checked(records=records, problems=tuple(sorted(set(problems), key=lambda p: (p.line, p.text))))


def _blocks(lines: Iterable[bytes]) -> list[_Block]:
    found: list[tuple[int, Record | None, list[bytes]]] = []
    for number, line in enumerate(lines, start=1):
        record = unseal(line)
        if record is not None or not found:
            found.append((number, record, [line]))
        else:
            found[-1][2].append(line)
    return [
        _Block(
            line=number,
            record=record,
            digest=digest(b"\n".join(held)),
            torn=tuple(range(number + (record is not None), number + len(held))),
        )
        for number, record, held in found
    ]


def _torn(line: int) -> Problem:
    text = (
        f"line {line} is torn: a write was cut off (power loss, full disk), or somebody cut it; "
        "what it said is lost"
    )
    return Problem(line=line, kind=ProblemKind.TORN, text=text)


def _follow(blocks: list[_Block]) -> list[Problem]:
    """Walk from the last record to the first along `prev`; whatever is not on the way was put in later."""
    place = {block.digest: index for index, block in enumerate(blocks)}
    problems: list[Problem] = []
    index = len(blocks) - 1
    while index >= 0:
        block = blocks[index]
        if block.record is None:
            break
        before = -1 if block.record.prev == START else place.get(block.record.prev)
        if before is None or before >= index:
            before, problem = _broken(blocks, index)
            problems += problem
        else:
            problems += [_inserted(blocks[i].line) for i in range(before + 1, index)]
        index = before
    return problems


def _broken(blocks: list[_Block], index: int) -> tuple[int, list[Problem]]:
    """What the record at `index` was written after is not in the file: it was changed or removed.

    Returns:
        Where to go on, and what that proves.
    """
    block = blocks[index]
    assert block.record is not None
    seq, line = block.record.seq, block.line
    before = blocks[index - 1] if index else None
    earlier = before.record if before is not None else None
    if before is None or earlier is None:
        return index - 1, [_removed(line, seq - 1)]
    if earlier.seq < seq - 1:
        return index - 1, [_removed(line, seq - 1 - earlier.seq)]
    if earlier.is_sealed:
        text = f"line {before.line} is not what line {line} was written after: one of them was changed"
        return index - 1, [Problem(line=before.line, kind=ProblemKind.CHANGED, text=text)]
    return index - 1, []


def _inserted(line: int) -> Problem:
    text = f"line {line} was put in later: the lines around it belong together"
    return Problem(line=line, kind=ProblemKind.INSERTED, text=text)


def _removed(line: int, count: int) -> Problem:
    what = f"{count} record is" if count == 1 else f"{count} records are" if count > 1 else "something is"
    return Problem(line=line, kind=ProblemKind.REMOVED, text=f"{what} missing before line {line}")
