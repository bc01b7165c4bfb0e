"""The sessions of an action as they are now, with who waits behind whom and what our role may do."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from opsdash.collectors.postgres.mask import mask
from opsdash.collectors.postgres.rows import SessionRow
from opsdash.collectors.text import one_line
from opsdash.tui.actions.postgres.connection import BoundedConnection, Row, decoded, in_utc
from opsdash.tui.actions.postgres.waiting import Blockers, roots

SESSIONS = """/* opsdash:action_sessions */
select clock_timestamp(), quote_ident(current_user), pg_has_role('pg_signal_backend', 'usage'),
       pg_has_role('pg_read_all_stats', 'usage'), current_setting('is_superuser') = 'on',
       a.pid, a.leader_pid, a.backend_type, a.datname, a.usename, a.application_name,
       coalesce(host(a.client_addr), case when a.client_port = -1 then 'local' end),
       a.state, a.wait_event_type, a.wait_event, a.backend_start, a.xact_start, a.query_start, a.state_change,
       a.backend_xid::text, left(a.query, 1000), a.pid = pg_backend_pid(),
       (select r.rolsuper from pg_roles r where r.oid = a.usesysid), pg_has_role(a.usesysid, 'usage')
  from (select) always left join pg_stat_activity a on a.pid = any(%(pids)s)
"""
"""Always at least one row, so that our role's rights are known when no session is there. Versions: 14 on."""

WAITS = """/* opsdash:action_waits */
select w.pid, pg_blocking_pids(w.pid)
  from (select distinct pid from pg_locks where not granted and pid is not null) w
"""
"""pg_locks shows waits of others to any role, where pg_stat_activity needs pg_read_all_stats."""


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What the role of this connection may do."""

    role: str
    """Quoted, as it stands in a GRANT."""
    signals: bool
    """Whether it has pg_signal_backend."""
    reads_all: bool
    """Whether it has pg_read_all_stats."""
    is_superuser: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One session, and how our role stands to it."""

    session: SessionRow
    is_our_connection: bool
    is_superusers: bool | None
    """None: its role is gone, or it has none."""
    is_our_role: bool
    """Whether our role is a member of the session's role, which lets it signal without any grant."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for a plan or a re-check, at one moment."""

    now: datetime
    """The server's clock, in UTC."""
    rights: Rights
    seen: Mapping[int, Seen]
    """By pid. A pid that was asked for and is missing has no session."""
    blockers: Blockers


async def look(connection: BoundedConnection, pids: Collection[int]) -> Sighting:
    """Read the sessions `pids`, and those they wait for in the end.

    Raises:
        TargetError: They could not be read.
    """
    blockers = {pid: frozenset(held) for pid, held in await connection.read(WAITS)}
    asked = sorted({*pids, *roots(blockers, blockers)})
    return sighting(await connection.read(SESSIONS, {"pids": asked}), blockers)


async def look_at(connection: BoundedConnection, pids: Collection[int]) -> Sighting:
    """Read the sessions `pids` alone: waits are left out."""
    return sighting(await connection.read(SESSIONS, {"pids": sorted(pids)}), {})


def sighting(rows: list[Row], blockers: Blockers) -> Sighting:
    """Arrange the rows of `SESSIONS`."""
    now, role, signals, reads_all, is_superuser = rows[0][:5]
    seen = (_seen(row[5:]) for row in rows if row[5] is not None)
    return Sighting(
        now=in_utc(now) or now,
        rights=Rights(
            role=_text(role) or "", signals=signals, reads_all=reads_all, is_superuser=is_superuser
        ),
        seen={s.session.pid: s for s in seen},
        blockers=blockers,
    )


def _seen(values: tuple[Any, ...]) -> Seen:
    (pid, leader_pid, backend_type, database, user, application_name, client_addr, state, *rest) = values
    wait_event_type, wait_event, *moments, backend_xid, query, is_ours, is_superusers, is_our_role = rest
    backend_start, xact_start, query_start, state_change = map(in_utc, moments)
    return Seen(
        session=SessionRow(
            pid=pid,
            leader_pid=leader_pid,
            backend_type=_text(backend_type),
            database=_text(database),
            user=_text(user),
            application_name=_text(application_name),
            client_addr=_text(client_addr),
            state=_text(state),
            wait_event_type=_text(wait_event_type),
            wait_event=_text(wait_event),
            backend_start=backend_start,
            xact_start=xact_start,
            query_start=query_start,
            state_change=state_change,
            backend_xid=None if backend_xid is None else int(backend_xid),
            query=None if query is None else mask(decoded(query) or "") or None,
            is_visible=backend_start is not None,
        ),
        is_our_connection=is_ours,
        is_superusers=is_superusers,
        is_our_role=bool(is_our_role),
    )


def _text(value: bytes | str | None) -> str | None:
    """Text of the target, harmless and on one line; None for nothing."""
    text = decoded(value)
    return one_line(text) or None if text is not None else None
