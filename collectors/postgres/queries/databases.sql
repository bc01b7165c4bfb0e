-- Answers: how much work has each database done since its counters were reset?
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms with 4 databases; grows with their number.
-- Source:  https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
select
    datid,
    datname,
    stats_reset,
    xact_commit,
    xact_rollback,
    tup_returned,
    tup_inserted + tup_updated + tup_deleted as tup_written,
    blks_hit,
    blks_read,
    temp_bytes,
    deadlocks,
    conflicts
from pg_stat_database
where datname is not null
