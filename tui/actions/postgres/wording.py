"""The lines of a plan: what will be sent, what it hits, what is lost, who is freed. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from opsdash.collectors.format import plural
from opsdash.collectors.postgres.rows import SessionRow
from opsdash.tui.actions.action import PlanLine
from opsdash.tui.actions.postgres.deeds import Deed, summary_of
from opsdash.tui.actions.postgres.describe import clock_time, doing, exact
from opsdash.tui.actions.postgres.sighting import Sighting
from opsdash.tui.actions.postgres.waiting import behind, named, next_in_line, stuck_behind

_SHOWN_QUERY = 200
"""Characters of a statement in a plan: the session's own view shows all of it."""


def lines(deed: Deed, sessions: Sequence[SessionRow], sighting: Sighting) -> tuple[PlanLine, ...]:
    """What a plan says of the sessions that would be hit, in the order of the dialog."""
    one = sessions[0] if len(sessions) == 1 else None
    facts = (
        [_will_run(deed, one, sighting.now), *_it_is(one, sighting.now), _lost(deed, one, sighting.now)]
        if one
        else [
            _will_run_each(deed, len(sessions)),
            _they_are(sessions),
            _lost_all(deed, sessions, sighting.now),
        ]
    )
    return (
        *facts,
        *_freed(deed, [s.pid for s in sessions], sighting),
        _undo(deed),
        *_milder(deed, sessions),
        _not_excluded(deed),
    )


def _line(label: str, text: str, *, is_warning: bool = False) -> PlanLine:
    return PlanLine(label=label, text=text, is_warning=is_warning)


def _will_run(deed: Deed, session: SessionRow, now: datetime) -> PlanLine:
    start = f"backend_start {exact(session.backend_start, now)}"
    if deed is Deed.CANCEL:
        condition = f"the same statement ({start}, query_start {exact(session.query_start, now)})"
    elif session.xact_start is None:
        condition = f"the same session, outside of a transaction ({start})"
    else:
        condition = f"the same transaction ({start}, xact_start {exact(session.xact_start, now)})"
    return _line("will run", f"{deed.function}({session.pid}), only if it is still {condition}")


def _will_run_each(deed: Deed, count: int) -> PlanLine:
    same = "statement" if deed is Deed.CANCEL else "transaction"
    text = f"{deed.function} for each of {count} sessions, each only if it is still the same {same}"
    return _line("will run", text)


def _it_is(session: SessionRow, now: datetime) -> list[PlanLine]:
    who = [
        session.application_name,
        f"user {session.user}" if session.user else None,
        f"database {session.database}" if session.database else None,
        session.client_addr,
        doing(session, now),
    ]
    found = [_line("it is", " · ".join(part for part in who if part))]
    if session.query:
        label = "runs" if session.state == "active" else "ran last"
        found.append(_line(label, _cut(session.query)))
    return found


def _cut(query: str) -> str:
    return query if len(query) <= _SHOWN_QUERY else query[: _SHOWN_QUERY - 1] + "…"


def _they_are(sessions: Sequence[SessionRow]) -> PlanLine:
    applications = Counter(s.application_name or "no application_name" for s in sessions)
    return _line("they are", " · ".join(f"{name} {count}" for name, count in applications.most_common(8)))


def _lost(deed: Deed, session: SessionRow, now: datetime) -> PlanLine:
    if session.xact_start is None:
        return _line(
            "lost", "no transaction is open; what belongs to the session (temporary tables) goes with it"
        )
    since = clock_time(session.xact_start, now)
    if deed is Deed.CANCEL:
        if session.xact_start == session.query_start:
            return _line("lost", f"what the statement did since {since}")
        return _line("lost", f"its whole open transaction since {since}, unless it made a savepoint")
    if session.backend_xid is None:
        return _line(
            "lost", f"its open transaction since {since} (no transaction id: it has written nothing)"
        )
    return _line(
        "lost",
        f"its open transaction since {since} (it has a transaction id: it may have written or locked rows; "
        "how many cannot be seen from outside)",
    )


def _lost_all(deed: Deed, sessions: Sequence[SessionRow], now: datetime) -> PlanLine:
    starts = [s.xact_start for s in sessions if s.xact_start is not None]
    if not starts:
        return _line("lost", "none of them has an open transaction")
    written = sum(s.backend_xid is not None for s in sessions)
    text = f"{plural(len(starts), 'open transaction')}, the oldest since {clock_time(min(starts), now)}; "
    text += f"{written} of them may have written (with a transaction id)" if written else "none has written"
    return _line("lost", text + (", savepoints apart" if deed is Deed.CANCEL else ""))


def _freed(deed: Deed, pids: Sequence[int], sighting: Sighting) -> list[PlanLine]:
    blockers = sighting.blockers
    waiters = behind(blockers, pids)
    if not waiters:
        return [_line("freed", "nobody waits behind it" if len(pids) == 1 else "nobody waits behind them")]
    stuck = stuck_behind(blockers, pids, waiters)
    others = sorted({root for found in stuck.values() for root in found})
    held_by = ", ".join(summary_of(root, sighting) for root in others[:3])
    if len(stuck) == len(waiters):
        text = f"nobody yet: {plural(len(waiters), 'session')} behind it also wait for {held_by}"
        return [_line("freed", text, is_warning=True)]
    text = plural(len(waiters), "waits", "wait")
    if following := next_in_line(blockers, pids):
        them = ("is", "it waits") if len(following) == 1 else ("are", "they wait")
        text += f"; {named(following)} {them[0]} next and will then hold what {them[1]} for"
    if deed is Deed.CANCEL:
        text += " (a savepoint may keep the locks)"
    found = [_line("freed", text)]
    if stuck:
        found.append(_line("not freed", f"{len(stuck)} of them also wait for {held_by}", is_warning=True))
    return found


def _undo(deed: Deed) -> PlanLine:
    if deed is Deed.CANCEL:
        return _line("undo", "none; the client sees an error and may run it again")
    return _line("undo", "none; the client sees a lost connection and may retry")


def _milder(deed: Deed, sessions: Sequence[SessionRow]) -> list[PlanLine]:
    if deed is Deed.CANCEL or not any(s.state == "active" for s in sessions):
        return []
    return [
        _line("milder", f"a statement is running: {Deed.CANCEL.spec.title} may do, and keeps the session")
    ]


def _not_excluded(deed: Deed) -> PlanLine:
    same = "statement" if deed is Deed.CANCEL else "transaction"
    return _line(
        "window",
        f"check and signal are one statement, usually less than 1 ms apart; that the {same} ends just then "
        "cannot be excluded",
    )
