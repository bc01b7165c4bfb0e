-- Answers: how large are these tables, what are they indexed by, and of which type and how different are their columns?
-- Rights:  none; of a column that our role may not select from, the statistics are not shown.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.5 ms for a table with 3 indexes and 10 columns.
-- Source:  https://www.postgresql.org/docs/current/catalog-pg-index.html, https://www.postgresql.org/docs/current/view-pg-stats.html
select
    n.nspname,
    c.relname,
    case when c.reltuples >= 0 then c.reltuples::float8 end as rows,
    c.relpages::int8 * current_setting('block_size')::int8 as bytes,
    array(
        select row(i.relname, pg_get_indexdef(x.indexrelid, 1, true), a.amname, x.indisvalid, x.indpred is not null)
        from pg_index as x
        inner join pg_class as i on i.oid = x.indexrelid
        inner join pg_am as a on a.oid = i.relam
        where x.indrelid = c.oid
        order by i.relname
    ) as indexes,
    array(
        select row(s.attname, s.n_distinct::float8)
        from pg_stats as s
        where s.schemaname = n.nspname and s.tablename = c.relname
        order by s.attname
    ) as columns,
    array(
        -- of a domain, the type below it
        select row(a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null))
        from pg_attribute as a
        inner join pg_type as t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0
    ) as types,
    rn.nspname as root_schema,
    r.relname as root
from unnest(%s::text[], %s::text[]) as wanted (schema, relation)
inner join pg_namespace as n on n.nspname = wanted.schema
inner join pg_class as c on c.relnamespace = n.oid and c.relname = wanted.relation
left join pg_class as r on c.relispartition and r.oid = pg_partition_root(c.oid)
left join pg_namespace as rn on rn.oid = r.relnamespace
