-- Answers: what exactly does this one session run, literals and all? Asked for by a person, and recorded.
-- Rights:  pg_read_all_stats (in pg_monitor), or the session's own role.
-- Versions: 14 to 18.
-- Cost:    one backend's entry: below 0.1 ms.
-- Source:  https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
--
-- textsend, not left(): see activity.sql.
select substring(textsend(query) from 1 for 20000)
from pg_stat_get_activity(%s)
where backend_start = %s and query_start is not distinct from %s
