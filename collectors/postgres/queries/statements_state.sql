-- Answers: can pg_stat_statements be read here, and where is it? Asked once per connection, and again while it is missing.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.1 ms.
-- Source:  https://www.postgresql.org/docs/current/pgstatstatements.html
--
-- pg_stat_statements.max is in pg_settings only where the library was preloaded, and every role may see that.
select
    exists (select from pg_settings where name = 'pg_stat_statements.max') as is_preloaded,
    e.extversion,
    textsend(quote_ident(n.nspname)) as schema,
    has_schema_privilege(n.oid, 'usage') as may_use_schema,
    textsend(quote_ident(current_database())) as database,
    textsend(quote_ident(current_user)) as role
from (select) as always
left join pg_extension as e on e.extname = 'pg_stat_statements'
left join pg_namespace as n on n.oid = e.extnamespace
