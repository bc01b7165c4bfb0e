-- Answers: whom does this standby follow, and how far is it? Asked only of a standby.
-- Rights:  pg_read_all_stats for the sender's name, pg_read_all_settings for whether there should be one (pg_monitor: both).
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    1 ms, nearly all of it for the one setting.
-- Source:  https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-WAL-RECEIVER-VIEW
select
    r.status,
    r.sender_host || ':' || r.sender_port as sender,
    r.slot_name,
    pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::int8 as unreplayed_bytes,
    extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 as replayed_s_ago,
    pg_is_wal_replay_paused() as is_paused,
    (select setting <> '' from pg_settings where name = 'primary_conninfo') as has_primary
from (select) as always
left join pg_stat_wal_receiver as r on true
