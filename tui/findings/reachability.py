"""Targets that cannot be read, told apart by why. Pure, and the same for every kind of target."""

from collections.abc import Sequence
from datetime import datetime

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.format import age, moment, plural
from opsdash.collectors.snapshot import Failure, FailureKind

RULE = "reachability"

_CANNOT_KNOW = frozenset(
    {
        FailureKind.AUTHENTICATION,
        FailureKind.NO_PERMISSION,
        FailureKind.TLS,
        FailureKind.NOT_SUPPORTED,
        FailureKind.NAME_LOOKUP_HANGS,
        FailureKind.BAD_REPLY,
        FailureKind.INTERNAL,
    }
)
"""The target may be fine: it is opsdash that is not let in, or does not understand."""

_PERHAPS_ONCE = frozenset({FailureKind.TIMED_OUT, FailureKind.LOST})
"""Can happen to one read on a target that is well; two in a row cannot be put down to chance."""

_STARTING_GRACE_S = 60.0
"""A restart takes this long at most before it counts as an outage."""

_CAUSES = {
    FailureKind.REFUSED: "nothing listens there: it is stopped, or the address or port is wrong",
    FailureKind.TIMED_OUT: "it is frozen or overloaded, or the network drops what is sent",
    FailureKind.LOST: "it was restarted or ended our session, or the network broke",
    FailureKind.NAME_UNKNOWN: "the name is misspelt, or its DNS record is gone",
    FailureKind.NAME_LOOKUP_HANGS: "the name server does not answer; the target itself may be well",
    FailureKind.AUTHENTICATION: "the user, password or token that opsdash has is not accepted",
    FailureKind.NO_PERMISSION: "the role that opsdash uses may not read what it needs",
    FailureKind.TOO_MANY_CLIENTS: "every connection that is open to an ordinary role is taken",
    FailureKind.STARTING_UP: "it was started or restarted a moment ago",
    FailureKind.RECOVERY: "it was not shut down cleanly, or is a standby, and replays its log first",
    FailureKind.READ_ONLY: "it is a replica: what writes belongs on its primary",
    FailureKind.WRITES_REFUSED: "its memory is full, it cannot save, or replicas that it needs are missing",
    FailureKind.SHUTTING_DOWN: "somebody is stopping it",
    FailureKind.TLS: "certificate or protocol do not match what the connection demands",
    FailureKind.NOT_SUPPORTED: "it is too old, or not what the configuration says it is",
    FailureKind.NOT_THERE: "what writes it has not begun, or the path is misspelt",
    FailureKind.BAD_REPLY: "something else may be listening at this address",
}


def unreachable(view: TargetView, *, now: datetime, mono_s: float) -> Sequence[Finding]:
    """The finding of a target whose newest reading failed; empty while reads work.

    Args:
        view: What the feed holds of the target.
        now: Wall time of our own clock.
        mono_s: The same moment on the monotonic clock.
    """
    failure = view.failure
    if failure is None:
        return ()
    failing_s = 0.0 if view.failing_since is None else max(0.0, (now - view.failing_since).total_seconds())
    lasting = f" for {age(failing_s)}" if view.failures > 1 else ""
    word = failure.kind.value
    return (
        Finding(
            severity=_severity(failure.kind, view.failures, failing_s),
            target=view.target.id,
            rule=RULE,
            title=f"{word}{lasting} · {failure.reason}",
            short=f"{word}{lasting}",
            evidence=_evidence(view, failure, mono_s),
            cause=_CAUSES.get(failure.kind),
            basis=f"{view.failures} failed reads over {age(failing_s)}"
            if view.failures > 1
            else "one failed read",
            weight=_WEIGHT if view.good else _NEVER_SEEN,
        ),
    )


_WEIGHT = 1e9
"""Before all others of its severity: what is known of such a target is old."""
_NEVER_SEEN = 2.0
"""A target that never answered may be named wrongly; what blocks people on a live one comes first."""


def _severity(kind: FailureKind, failures: int, failing_s: float) -> Severity:
    if kind in _CANNOT_KNOW:
        return Severity.UNKNOWN
    if kind in _PERHAPS_ONCE and failures < 2:
        return Severity.WARN
    if kind is FailureKind.STARTING_UP and failing_s < _STARTING_GRACE_S:
        return Severity.WARN
    return Severity.CRIT


def _evidence(view: TargetView, failure: Failure, mono_s: float) -> tuple[str, ...]:
    data_age_s = view.age_s(mono_s)
    if view.failures == view.reads:
        count = f"all {plural(view.reads, 'read')} failed" if view.reads > 1 else "the first read failed"
    else:
        count = f"{plural(view.failures, 'failed read')} in a row"
    lines = [
        f"{count}, since {moment(view.failing_since)} UTC",
        f"it said: {failure.reason}",
        "no data yet: opsdash has not seen it well"
        if data_age_s is None
        else f"last good data is {age(data_age_s)} old",
    ]
    if failure.hint is not None:
        lines.append(f"next: {failure.hint}")
    return tuple(lines)
