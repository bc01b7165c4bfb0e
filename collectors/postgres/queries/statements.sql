-- Answers: how much work has each statement done since the counters were reset? Texts are left out: see statement_texts.sql.
-- Rights:  pg_read_all_stats (in pg_monitor); without it other roles' entries have no queryid, and are only counted.
-- Versions: 14 to 18, extension 1.9 on; tested on 15 and 18, and with extension 1.9.
-- Cost:    7 ms with 4,900 entries on 15 and 18 (0.6 MB sent, 12 ms until the answer is here); grows with the entries.
--          Asked every interval only while somebody looks, but never for more than 1 % of the time; else every 30 s.
-- Source:  https://www.postgresql.org/docs/current/pgstatstatements.html
--
-- The function, not the view: with false it leaves the file of texts alone. One entry more than is shown tells that there are more.
--
-- I/O time has other columns in each version of the extension: in the inner select, a name that the function does
-- not have is that of `absent`. Up to 1.10 the first two are of shared and local blocks alike; those of temporary
-- ones are there from 1.10 on. Null where it is not counted, or where blocks were read before it was.
select
    queryid,
    userid,
    dbid,
    toplevel,
    calls,
    total_exec_time,
    total_plan_time,
    rows,
    shared_blks_hit,
    shared_blks_read,
    temp_blks,
    wal_bytes,
    case when timing.is_on and (io_time > 0 or not has_read) then io_time end as io_time
from
    (select current_setting('track_io_timing')::bool as is_on offset 0) as timing,
    (
        select
            0::float8 as blk_read_time,
            0::float8 as blk_write_time,
            0::float8 as shared_blk_read_time,
            0::float8 as shared_blk_write_time,
            0::float8 as local_blk_read_time,
            0::float8 as local_blk_write_time,
            0::float8 as temp_blk_read_time,
            0::float8 as temp_blk_write_time
    ) as absent,
    lateral (
        select
            queryid,
            userid,
            dbid,
            toplevel,
            calls,
            total_exec_time,
            total_plan_time,
            rows,
            shared_blks_hit,
            shared_blks_read,
            temp_blks_read + temp_blks_written as temp_blks,
            wal_bytes::int8 as wal_bytes,
            blk_read_time + blk_write_time + shared_blk_read_time + shared_blk_write_time
            + local_blk_read_time + local_blk_write_time + temp_blk_read_time + temp_blk_write_time as io_time,
            shared_blks_read + local_blks_read > 0 as has_read
        from {schema}.pg_stat_statements(false)
    ) as s
order by total_exec_time desc
limit 5001
