"""Findings as values: what is wrong, how we know, why it is likely so, and what helps."""

import enum

import msgspec

from opsdash.collectors.target import TargetId


class Severity(enum.IntEnum):
    """How bad, in the order of the ranking."""

    WARN = 1
    UNKNOWN = 2
    """opsdash cannot know (it may not log in, it may not look): neither fine nor broken."""
    CRIT = 3

    @property
    def word(self) -> str:
        """The word beside the glyph."""
        return {Severity.WARN: "WARN", Severity.UNKNOWN: "UNKN", Severity.CRIT: "CRIT"}[self]


class SuggestedAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action that would help, on exactly this thing."""

    action: str
    """Name in the action registry, for example `postgres.terminate`."""
    identity: msgspec.Struct
    """What it hits: the kind's identity value, for example `SessionIdentity`."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One thing that is wrong on one target."""

    severity: Severity
    target: TargetId
    rule: str
    """The rule that found it: `postgres.blocking`."""
    subject: str = ""
    """What on the target it is about, stable across refreshes: tells two findings of one rule apart."""
    title: str
    """One line for a wide screen, without the target's name."""
    short: str
    """The same for 80 columns."""
    evidence: tuple[str, ...] = ()
    """What was seen, one fact a line, each figure with its window."""
    cause: str | None = None
    """The likely cause in plain words; None where none can be told."""
    basis: str = "one reading"
    """What it rests on: "one reading", "2 readings over 4 s", "3 failed reads, watching for 12 s"."""
    place: str = ""
    """Where Enter leads, a place name of the kind's panels: `blocked`, `connections`, `sessions`."""
    identity: msgspec.Struct | None = None
    """The thing to put the cursor on there."""
    actions: tuple[SuggestedAction, ...] = ()
    """Actions that would help, the best first."""
    weight: float = 0.0
    """Orders findings of one severity, across kinds: about how many sessions or requests suffer at this
    moment. What cannot be counted so is below 1, see `below_one`; what is down counts as a few."""

    @property
    def key(self) -> tuple[TargetId, str, str]:
        """The same finding across refreshes."""
        return (self.target, self.rule, self.subject)


def below_one(amount: float, half: float) -> float:
    """A weight from 0 to 1 that grows with `amount` and is a half at `half`.

    >>> below_one(0, 60), below_one(60, 60), below_one(1e9, 60) < 1
    (0.0, 0.5, True)
    """
    return amount / (amount + half)


def ranked(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Worst first, then heaviest, then by name, so that equal ones keep their place."""
    return tuple(sorted(findings, key=lambda f: (-f.severity, -f.weight, f.target, f.rule, f.subject)))
