-- Answers: what do these statements read, and whose are they? Asked for those on the screen, once each.
-- Rights:  pg_read_all_stats (in pg_monitor), or the statements' own role.
-- Versions: 14 to 18, extension 1.9 on; tested on 15 and 18.
-- Cost:    12 ms with 4,900 entries: the server reads its whole file of texts, however few are asked for.
-- Source:  https://www.postgresql.org/docs/current/pgstatstatements.html
--
-- textsend, not left(): a database in another encoding has bytes that are invalid in ours.
select
    s.queryid,
    s.userid,
    s.dbid,
    s.toplevel,
    textsend(r.rolname) as usename,
    textsend(d.datname) as datname,
    substring(textsend(s.query) from 1 for 1000) as query
from {schema}.pg_stat_statements(true) as s
left join pg_roles as r on r.oid = s.userid
left join pg_database as d on d.oid = s.dbid
where s.queryid = any(%s::int8[])
