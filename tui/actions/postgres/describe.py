"""A session and its moments in words. Pure."""

from datetime import datetime

from opsdash.collectors.format import age, moment
from opsdash.collectors.postgres.rows import SessionRow


def doing(session: SessionRow, now: datetime) -> str:
    """What it does and for how long; `now` is the server's clock.

    >>> from datetime import timedelta
    >>> now = datetime(2026, 3, 4, 3, 12, 44)
    >>> idle = SessionRow(pid=1, state="idle in transaction", state_change=now - timedelta(seconds=358))
    >>> doing(idle, now), doing(SessionRow(pid=1, state="disabled"), now)
    ('idle in transaction 5m58s', 'track_activities is off: what it does cannot be seen')
    """
    if session.state == "disabled":
        return "track_activities is off: what it does cannot be seen"
    since = session.query_start if session.state == "active" else session.state_change
    text = session.state or session.backend_type or "state not visible"
    if since is not None:
        text += f" {age((now - since).total_seconds())}"
    if session.wait_event_type == "Lock":
        text += f", waits for a lock ({session.wait_event})"
    return text


def summary(session: SessionRow, now: datetime) -> str:
    """Who it is and what it does, in a few words.

    >>> summary(SessionRow(pid=1, application_name="api", user="shop", state="idle"), datetime(2026, 3, 4))
    'api · idle'
    """
    who = session.application_name or session.user
    return f"{who} · {doing(session, now)}" if who else doing(session, now)


def clock_time(at: datetime, now: datetime) -> str:
    """A moment to the second, with its date where that is not today's.

    >>> at = datetime(2026, 3, 4, 2, 58, 11)
    >>> clock_time(at, at), clock_time(at, at.replace(day=5))
    ('02:58:11', '2026-03-04 02:58:11')
    """
    return moment(at) if at.date() == now.date() else f"{at:%Y-%m-%d} {moment(at)}"


def exact(at: datetime | None, now: datetime) -> str:
    """A moment to the millisecond, with its date where that is not today's.

    >>> at = datetime(2026, 3, 4, 2, 58, 11, 402_900)
    >>> exact(at, at), exact(None, at)
    ('02:58:11.402', 'none')
    """
    return "none" if at is None else f"{clock_time(at, now)}.{at.microsecond // 1000:03d}"
