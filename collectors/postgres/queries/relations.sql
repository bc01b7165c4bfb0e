-- Answers: what are these relations of our database called? Asked only for those somebody waits for, and once.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/catalog-pg-class.html
--
-- A statement of its own, not ::regclass in locks.sql: while somebody locks the catalog, only names are missing.
select
    c.oid,
    n.nspname,
    c.relname
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where c.oid = any(%s::oid[])
