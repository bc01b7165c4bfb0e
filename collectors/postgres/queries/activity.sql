-- Answers: who is connected, and what does each session do? Of a session that did nothing since %s only what may change
--          nevertheless: a statement that runs waits for this and that, and gets a transaction id.
-- Rights:  pg_read_all_stats (in pg_monitor); without it, other roles' rows have no state, no times and no query.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    with 800 sessions 1.9 ms where most did nothing, of which reading them is 1.3 ms; 2.9 ms where all are sent in full.
-- Source:  https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
--
-- The function, not the view: the view joins names to every row, here they are looked up for those that are sent.
-- Whatever is told of a session below was set at one of these four moments, or is as it was when the session began.
-- Unknown moments (a row that this role may not see) count as new. Without offset 0 the planner would work out all of it for
-- every row, and then throw it away.
--
-- textsend, not left(): a session of a database in another encoding has bytes that are invalid in ours, and
-- one such row makes left() fail for all of them. An idle session's last statement is not asked for: nobody
-- needs it, and it is most of what would be sent.
select
    s.pid,
    s.application_name,
    s.wait_event_type,
    s.wait_event,
    s.xact_start,
    s.backend_xid::text as backend_xid,
    s.query_id,
    more.*
from pg_stat_get_activity(null) as s
left join lateral (
    select
        true as is_new,
        s.leader_pid,
        s.backend_type,
        s.datid,
        s.usesysid,
        (select datname from pg_database where oid = s.datid) as datname,
        pg_get_userbyid(s.usesysid) as usename,
        case when s.client_port = -1 then 'local' else host(s.client_addr) end as client_addr,
        s.state,
        s.backend_start,
        s.query_start,
        s.state_change,
        case when s.state is distinct from 'idle' then substring(textsend(s.query) from 1 for 1000) end as query
    where not coalesce(greatest(s.backend_start, s.xact_start, s.query_start, s.state_change) < %s::timestamptz, false)
    offset 0
) as more on true
