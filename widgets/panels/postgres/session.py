"""One session in full, as labelled lines."""

from collections.abc import Iterator

from opsdash.collectors.format import age, duration, moment
from opsdash.collectors.postgres.blocking import BlockingNode, forest_of
from opsdash.collectors.postgres.blocking_rows import describe_wait
from opsdash.collectors.postgres.rows import PostgresData, SessionIdentity, SessionRow
from opsdash.widgets.facts import Fact, fact_lines
from opsdash.widgets.lines import Line, labelled
from opsdash.widgets.panels.postgres.words import seconds_since, wait_word
from opsdash.widgets.status import Tone


def same_session(data: PostgresData, identity: SessionIdentity) -> SessionRow | None:
    """The session of this pid, if it is the same backend still."""
    session = data.session(identity.pid)
    return session if session is not None and session.backend_start == identity.backend_start else None


def session_detail(
    data: PostgresData, identity: SessionIdentity, *, query: str | None, width: int
) -> tuple[Line, ...]:
    """All that is known of one session.

    Args:
        data: The newest good reading.
        identity: The session that was opened.
        query: Its statement with the literals, when they were revealed; None: as masked in the reading.
        width: Cells to wrap at.
    """
    session = same_session(data, identity)
    if session is None:
        text = f"session {identity.pid} is gone: the server has no backend of this pid that began then"
        return labelled("gone", text, width=width, tone=Tone.WARN)
    now = data.server_now
    lines = [*fact_lines(_facts(session, data), width)]
    node = find_node(forest_of(data), identity.pid)
    if node is not None and node.wait is not None:
        since = seconds_since(node.wait.waiting_since, now)
        text = f"{describe_wait(node)} · {node.wait.mode or 'mode unknown'} · for {age(since)}"
        lines += labelled("waits for", text, width=width, tone=Tone.WARN)
    if node is not None and node.waiters:
        names = ", ".join(str(child.pid) for child in node.children[:12])
        more = f", and {len(node.children) - 12} more" if len(node.children) > 12 else ""
        text = f"{node.waiters}, the longest for {duration(node.longest_wait_s)} · directly: {names}{more}"
        lines += labelled("blocks", text, width=width, tone=Tone.CRIT)
    label = "statement" if session.state == "active" else "last stmt"
    unseen = "(not read while a session is idle: v does)" if session.state == "idle" else "(none)"
    if not session.is_visible:
        unseen = "(not visible to this role)"
    lines += [(), *labelled(label, query or session.query or unseen, width=width)]
    if query is None and session.query:
        lines += labelled(
            "",
            "literals are masked: v shows them for this session, which is recorded",
            width=width,
            tone=Tone.MUTED,
        )
    return tuple(lines)


def _facts(session: SessionRow, data: PostgresData) -> Iterator[Fact]:
    now = data.server_now
    if not session.is_visible:
        yield "not seen", "this role may not see more of it: GRANT pg_read_all_stats would let it", Tone.WARN
    who = [
        session.application_name or "no application name",
        f"user {session.user or '-'}",
        f"database {session.database or '-'}",
    ]
    yield "session", f"{session.pid} · {session.backend_type or 'backend'} · " + " · ".join(who), Tone.ACCENT
    if not session.is_visible:
        return
    yield "client", session.client_addr or "-", Tone.NORMAL
    state = session.state or "-"
    tone = Tone.WARN if session.is_idle_in_transaction else Tone.NORMAL
    yield "state", f"{state}, for {age(seconds_since(session.state_change, now))}", tone
    if wait_word(session):
        yield "wait", wait_word(session), Tone.NORMAL
    if session.xact_start is not None:
        wrote = (
            f"has transaction id {session.backend_xid}: it may have written"
            if session.backend_xid
            else "has no transaction id: it has not written"
        )
        lasting = age(seconds_since(session.xact_start, now))
        yield "open xact", f"since {moment(session.xact_start)} UTC, {lasting} · {wrote}", Tone.NORMAL
    if session.query_start is not None:
        yield (
            "query",
            f"began {moment(session.query_start)} UTC, {age(seconds_since(session.query_start, now))} ago",
            Tone.NORMAL,
        )
    if session.backend_start is not None:
        yield (
            "connected",
            f"{moment(session.backend_start)} UTC, {age(seconds_since(session.backend_start, now))} ago",
            Tone.NORMAL,
        )
    if session.leader_pid is not None:
        yield "leader", f"{session.leader_pid} (this is a parallel worker)", Tone.NORMAL


def find_node(forest: tuple[BlockingNode, ...], pid: int) -> BlockingNode | None:
    """The node of a pid; None when it neither waits nor blocks."""
    stack = list(forest)
    while stack:
        node = stack.pop()
        if node.pid == pid:
            return node
        stack.extend(node.children)
    return None
