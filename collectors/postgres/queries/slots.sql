-- Answers: for whom is WAL kept, how much, and does anybody fetch it?
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.05 ms with 3 slots.
-- Source:  https://www.postgresql.org/docs/current/view-pg-replication-slots.html
select
    s.slot_name,
    s.slot_type,
    s.database,
    s.plugin,
    s.active,
    pg_wal_lsn_diff(here.lsn, s.restart_lsn)::int8 as retained_bytes,
    s.wal_status,
    s.safe_wal_size,
    -- a column from 17 on
    extract(epoch from clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8 as unused_s
from pg_replication_slots as s
cross join (
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn
) as here
order by s.slot_name
