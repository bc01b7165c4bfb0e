-- Answers: since when do the counters of pg_stat_statements count, is I/O time among them, and how often had entries to
--          go for lack of room?
-- Rights:  none.
-- Versions: 14 to 18, extension 1.9 on; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/pgstatstatements.html#PGSTATSTATEMENTS-PG-STAT-STATEMENTS-INFO
select
    dealloc,
    stats_reset,
    clock_timestamp() as server_now,
    current_setting('track_io_timing')::bool as tracks_io
from {schema}.pg_stat_statements_info
