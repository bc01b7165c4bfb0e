"""How PostgreSQL's words are said in a narrow column."""

from datetime import datetime

from opsdash.collectors.postgres.rows import SessionRow
from opsdash.widgets.status import Tone

_STATES = {
    "idle in transaction": "idle-tx",
    "idle in transaction (aborted)": "idle-tx aborted",
    "fastpath function call": "fastpath",
}


def seconds_since(moment: datetime | None, now: datetime) -> float | None:
    """Seconds from `moment` to `now`, both of the server's clock; None where the server did not say."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def state_word(session: SessionRow | None) -> str:
    """The state of a session, short, with the kind of wait while it waits.

    >>> state_word(SessionRow(pid=1, state="idle in transaction"))
    'idle-tx'
    >>> state_word(SessionRow(pid=1, state="active", wait_event_type="Lock"))
    'active/Lock'
    >>> state_word(SessionRow(pid=1, is_visible=False)), state_word(None)
    ('not visible', 'gone')
    """
    if session is None:
        return "gone"
    if not session.is_visible:
        return "not visible"
    if session.state is None:
        return session.backend_type or "-"
    word = _STATES.get(session.state, session.state)
    return f"{word}/Lock" if session.wait_event_type == "Lock" else word


def wait_word(session: SessionRow) -> str:
    """What an active session waits for; idle ones wait for their client, which says nothing."""
    if session.wait_event_type is None or session.state != "active":
        return ""
    return f"{session.wait_event_type}:{session.wait_event}"


def busy_since(session: SessionRow) -> datetime | None:
    """When it began what it does: its transaction, else its statement, else its state."""
    if session.xact_start is not None:
        return session.xact_start
    return session.query_start if session.state == "active" else session.state_change


def session_age_s(session: SessionRow, now: datetime) -> float | None:
    """How long it has been in what it does."""
    return seconds_since(busy_since(session), now)


def trouble(session: SessionRow, blocks: int) -> int:
    """How much a session matters: 0 blocks others, 1 waits, 2 idle-tx, 3 and 4 active, 5 and 6 idle."""
    if blocks:
        return 0
    if session.wait_event_type == "Lock":
        return 1
    state = session.state
    if state == "active":
        return 3 if session.is_client else 4
    if state is None or state == "idle":
        return 5 if session.is_client else 6
    return 2


def trouble_tone(rank: int, age_s: float | None, old_s: float) -> Tone:
    """Red for who blocks others, yellow for who waits or is too old, grey for who is idle.

    >>> [trouble_tone(rank, 400.0, 300.0).value for rank in (0, 1, 2, 5)], trouble_tone(3, 4.0, 300.0).value
    (['crit', 'warn', 'warn', 'muted'], 'normal')
    """
    if rank <= 1:
        return Tone.CRIT if rank == 0 else Tone.WARN
    if rank >= 5:
        return Tone.MUTED
    return Tone.WARN if age_s is not None and age_s > old_s else Tone.NORMAL
