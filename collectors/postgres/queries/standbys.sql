-- Answers: who follows this server, and how far behind is each? Asked where there is a walsender.
-- Rights:  pg_read_all_stats (in pg_monitor); without it there are rows with nothing but a pid.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.1 ms with 2 standbys, and 1.2 ms where there are 800 sessions: the view reads all of them.
-- Source:  https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
--
-- A standby that is followed itself has no WAL of its own: it is measured against what it has received.
select
    s.pid,
    s.application_name,
    case when s.client_port = -1 then 'local' else host(s.client_addr) end as client_addr,
    s.state,
    s.sync_state,
    pg_wal_lsn_diff(here.lsn, s.sent_lsn)::int8 as sent_bytes,
    pg_wal_lsn_diff(here.lsn, s.flush_lsn)::int8 as flush_bytes,
    pg_wal_lsn_diff(here.lsn, s.replay_lsn)::int8 as replay_bytes,
    extract(epoch from s.flush_lag)::float8 as flush_lag_s,
    extract(epoch from s.replay_lag)::float8 as replay_lag_s
from pg_stat_replication as s
cross join (
    select case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end as lsn
) as here
order by s.application_name, s.pid
