"""What the three actions are: the statement, what counts as the same, and when they are refused. Pure."""

import enum
from datetime import datetime

from opsdash.collectors.postgres.rows import SessionIdentity, SessionRow
from opsdash.tui.actions.action import ActionSpec
from opsdash.tui.actions.postgres import CANCEL, TERMINATE, TERMINATE_ROOT
from opsdash.tui.actions.postgres.describe import summary
from opsdash.tui.actions.postgres.sighting import Rights, Seen, Sighting
from opsdash.tui.actions.postgres.waiting import behind, named, roots

_TERMINATE = """/* opsdash:terminate */
select case when clock_timestamp() - began.at < %(at_most)s then pg_terminate_backend(a.pid) end
  from (select clock_timestamp() as at, %(pid)s::int as pid offset 0) began
 cross join lateral pg_stat_get_activity(began.pid) a
 where a.pid = began.pid and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
   and a.backend_start = %(backend_start)s
   and a.xact_start is not distinct from %(xact_start)s::timestamptz
"""

_CANCEL = """/* opsdash:cancel */
select case when clock_timestamp() - began.at < %(at_most)s then pg_cancel_backend(a.pid) end
  from (select clock_timestamp() as at, %(pid)s::int as pid offset 0) began
 cross join lateral pg_stat_get_activity(began.pid) a
 where a.pid = began.pid and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
   and a.backend_start = %(backend_start)s
   and a.query_start = %(query_start)s and a.state = 'active'
"""


class Deed(enum.Enum):
    """One of the three actions."""

    CANCEL = CANCEL
    TERMINATE = TERMINATE
    TERMINATE_ROOT = TERMINATE_ROOT

    @property
    def spec(self) -> ActionSpec:
        """Its name, key and title."""
        return self.value

    @property
    def statement(self) -> str:
        """The acting statement: the identity is its condition, so zero rows mean that nothing was hit.

        It reads the backend, from a copy of the activity table that it takes for itself, and signals at
        once: some 20 us later, with 800 sessions 100 to 500 us. PostgreSQL has no lock that would keep the
        transaction from ending in between, and the process may be put to sleep just there, for long enough
        that a client commits and begins again. So a check that is older than `at_most` does not signal:
        its row is NULL. (`lateral` makes PostgreSQL look at the clock before the activity table.)
        """
        return _CANCEL if self is Deed.CANCEL else _TERMINATE

    @property
    def function(self) -> str:
        """The function that sends the signal."""
        return "pg_cancel_backend" if self is Deed.CANCEL else "pg_terminate_backend"


def is_same(deed: Deed, chosen: SessionIdentity, session: SessionRow) -> bool:
    """Whether `session` is still what was chosen: the statement for cancel, else the transaction."""
    if (chosen.pid, chosen.backend_start) != (session.pid, session.backend_start):
        return False
    if deed is Deed.CANCEL:
        return chosen.query_start == session.query_start and session.state == "active"
    return chosen.xact_start == session.xact_start


def refusal(
    deed: Deed, chosen: SessionIdentity, sighting: Sighting, *, knows_role: bool = True
) -> str | None:
    """Why `deed` will not be done to `chosen`; None when nothing speaks against it.

    Args:
        deed: The action.
        chosen: What the person chose.
        sighting: The target as it is now.
        knows_role: Whether it was read with the role that would act; if not, its rights say nothing.
    """
    seen = sighting.seen.get(chosen.pid)
    if seen is None:
        return _no_session(chosen)
    return (
        _not_for_us(seen)
        or _not_visible(chosen, seen, sighting.rights)
        or _changed(deed, chosen, seen.session, sighting.now)
        or (_not_allowed(seen, sighting.rights) if knows_role else None)
        or (no_root(chosen.pid, sighting) if deed is Deed.TERMINATE_ROOT else None)
    )


def _no_session(chosen: SessionIdentity) -> str:
    if chosen.pid == 0:
        return "a prepared transaction has no session: end it with COMMIT PREPARED or ROLLBACK PREPARED"
    return f"{chosen.pid} is gone: nothing is left to do"


def _not_for_us(seen: Seen) -> str | None:
    session = seen.session
    if seen.is_our_connection or session.application_name == "opsdash":
        return f"{session.pid} is opsdash itself"
    if session.backend_type is None or session.is_client:
        return None
    if session.leader_pid is not None:
        return f"{session.pid} is a parallel worker of {session.leader_pid}: act on that session"
    what = session.backend_type
    if what == "autovacuum worker" and "to prevent wraparound" in (session.query or ""):
        what += " (to prevent wraparound)"
    return f"{session.pid} is not a client's session but: {what}. opsdash does not signal those"


def _not_visible(chosen: SessionIdentity, seen: Seen, rights: Rights) -> str | None:
    if seen.session.backend_start is not None and chosen.backend_start is not None:
        return None
    if seen.session.backend_start is not None:
        return (
            f"{chosen.pid} was chosen from a row without its backend_start, which the monitoring role may "
            "not see: GRANT pg_read_all_stats (or pg_monitor) to the role of dsn"
        )
    return f"role {rights.role} may not see whose session {chosen.pid} is (backend_start). {grants(rights)}"


def grants(rights: Rights) -> str:
    """What the role lacks to signal the sessions of others, as statements.

    >>> grants(Rights(role="act", signals=True, reads_all=False, is_superuser=False))
    'Needed: GRANT pg_read_all_stats TO act;'
    """
    lacking = [
        f"GRANT {name} TO {rights.role};"
        for name, has in (("pg_signal_backend", rights.signals), ("pg_read_all_stats", rights.reads_all))
        if not has
    ]
    return "Needed: " + " ".join(lacking) if lacking else ""


def _changed(deed: Deed, chosen: SessionIdentity, session: SessionRow, now: datetime) -> str | None:
    if chosen.backend_start != session.backend_start:
        return f"the session is gone; {chosen.pid} is another one now: {summary(session, now)}"
    if deed is Deed.CANCEL and session.state != "active":
        return f"nothing is running ({session.state}): cancel would have no effect; terminate instead"
    if not is_same(deed, chosen, session):
        return f"changed since: now {summary(session, now)}"
    return None


def _not_allowed(seen: Seen, rights: Rights) -> str | None:
    if rights.is_superuser:
        return None
    if seen.is_superusers:
        owner = f"the superuser {seen.session.user}"
        return f"{seen.session.pid} is a session of {owner}: only a superuser may signal it"
    if not (rights.signals or seen.is_our_role):
        return f"role {rights.role} may not signal sessions of {seen.session.user}. {grants(rights)}"
    return None


def no_root(pid: int, sighting: Sighting) -> str | None:
    """Why `pid` is no root blocker (any more); None when others wait for it and it waits for nobody."""
    if pid in sighting.blockers:
        above = [summary_of(root, sighting) for root in roots(sighting.blockers, [pid])]
        found = " and ".join(above) or "unknown: they wait in a circle"
        return f"{pid} waits itself now; the root blocker is {found}"
    if not behind(sighting.blockers, [pid]):
        return f"nobody waits behind {pid} any more"
    return None


def summary_of(pid: int, sighting: Sighting) -> str:
    """A pid with what it is, as far as it was seen."""
    seen = sighting.seen.get(pid)
    return named([pid]) if seen is None else f"{pid} ({summary(seen.session, sighting.now)})"
