-- Answers: what exactly does this one session run, in which database, and is it all of it? Asked for by a person.
-- Rights:  pg_read_all_stats (in pg_monitor), or the session's own role.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    one backend's entry: below 0.1 ms.
-- Source:  https://www.postgresql.org/docs/current/runtime-config-statistics.html#GUC-TRACK-ACTIVITY-QUERY-SIZE
select
    textsend(a.query) as query,
    textsend(d.datname) as datname,
    -- the server cuts at a whole character, so up to three bytes below the limit
    -- as the server words it, "1500B", pg_size_bytes takes it only from 16 on
    octet_length(a.query) >= pg_size_bytes(
        regexp_replace(current_setting('track_activity_query_size'), '([0-9])B$', '\1 bytes')
    ) - 4 as is_cut
from pg_stat_get_activity(%s) as a
left join pg_database as d on d.oid = a.datid
where a.backend_start = %s and a.query_start is not distinct from %s
