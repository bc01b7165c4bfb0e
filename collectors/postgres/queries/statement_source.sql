-- Answers: what exactly does this one statement read, and in which database? Asked for by a person.
-- Rights:  pg_read_all_stats (in pg_monitor), or the statement's own role.
-- Versions: 14 to 18, extension 1.9 on; tested on 15 and 18.
-- Cost:    12 ms with 4,900 entries: the server reads its whole file of texts.
-- Source:  https://www.postgresql.org/docs/current/pgstatstatements.html
select
    textsend(s.query) as query,
    textsend(d.datname) as datname,
    false as is_cut
from {schema}.pg_stat_statements(true) as s
left join pg_database as d on d.oid = s.dbid
where s.queryid = %s and s.userid = %s and s.dbid = %s and s.toplevel = %s
