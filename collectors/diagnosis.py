"""What `opsdash doctor` found out about one thing: values only. Each kind's `doctor.py` makes them."""

import enum
from collections.abc import Iterable

import msgspec

from opsdash.collectors.snapshot import Failure


class State(enum.Enum):
    """How one thing is; the value is the word shown."""

    OK = "ok"
    ADVICE = "advice"
    """It works; something would be better, or is worth knowing."""
    MISSING = "missing"
    """Part of what opsdash does will not work, or it may do more than it should."""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """What puts it right."""

    where: str
    """Where to run the lines, and as whom: "in psql, as a superuser"."""
    lines: tuple[str, ...]
    """Ready to paste, in their order."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    state: State
    subject: str
    """In a word or two: "sessions", "acting"."""
    text: str
    """What was found, in plain words, on one line."""
    fix: Fix | None = None
    """None: nothing to run; the text says what to do where something is to be done."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One target, looked at once."""

    checks: tuple[Check, ...] = ()
    failure: Failure | None = None
    """Why it could not be reached; then `checks` say at most what would let opsdash in."""
    summary: str | None = None
    """The target in a few words: product and version. None: not known."""


def ok(subject: str, text: str) -> Check:
    """Something that works."""
    return Check(state=State.OK, subject=subject, text=text)


def advice(subject: str, text: str, fix: Fix | None = None) -> Check:
    """Something that would be better, or is worth knowing."""
    return Check(state=State.ADVICE, subject=subject, text=text, fix=fix)


def missing(subject: str, text: str, fix: Fix | None = None) -> Check:
    """Something that will not work, or is too much."""
    return Check(state=State.MISSING, subject=subject, text=text, fix=fix)


def worst(checks: Iterable[Check]) -> State:
    """The state that counts for all of them: `OK` when there are none, and advice is no fault.

    >>> worst([ok("a", ""), advice("b", "")]), worst([ok("a", ""), missing("b", "")])
    (<State.OK: 'ok'>, <State.MISSING: 'missing'>)
    """
    return State.MISSING if any(check.state is State.MISSING for check in checks) else State.OK
