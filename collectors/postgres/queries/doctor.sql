-- Answers: what may this role do, what is the server set up for? Asked by `opsdash doctor`, once per role.
-- Rights:  none; shared_preload_libraries is NULL without pg_read_all_settings (in pg_monitor).
-- Versions: 14 to 18; pg_use_reserved_connections and reserved_connections exist from 16 on (NULL before); tested on 15 and 18.
-- Cost:    10 to 13 ms the first time, most of it for the files of pg_available_extensions and the catalogs of a new
--          session; 2 to 3 ms again.
-- Source:  https://www.postgresql.org/docs/current/predefined-roles.html,
--          https://www.postgresql.org/docs/current/runtime-config-connection.html
--
-- pg_stat_statements.max is in pg_settings only where the library was preloaded, and every role may see that.
select
    textsend(quote_ident(current_user)) as role,
    textsend(quote_ident(current_database())) as database,
    pg_postmaster_start_time() as started_at,
    pg_is_in_recovery() as is_in_recovery,
    textsend(current_setting('server_version')) as version,
    current_setting('server_version_num')::int as version_num,
    r.rolsuper as is_superuser,
    nullif(r.rolconnlimit, -1) as role_limit,
    pg_has_role('pg_read_all_stats', 'usage') as reads_all,
    pg_has_role('pg_signal_backend', 'usage') as signals,
    (select pg_has_role(oid, 'usage') from pg_roles where rolname = 'pg_use_reserved_connections')
        as uses_reserved,
    s.total as sessions,
    s.hidden as hidden_sessions,
    current_setting('track_activities')::bool as tracks_activities,
    current_setting('track_io_timing')::bool as tracks_io,
    current_setting('max_connections')::int as max_connections,
    current_setting('superuser_reserved_connections')::int as superuser_reserved,
    current_setting('reserved_connections', true)::int as reserved,
    array(select rolname::text from pg_roles where rolname in ('opsdash', 'opsdash_act')) as usual_roles,
    exists (select from pg_extension where extname = 'pg_stat_statements') as has_statements,
    exists (select from pg_available_extensions where name = 'pg_stat_statements') as can_have_statements,
    exists (select from pg_settings where name = 'pg_stat_statements.max') as preloads_statements,
    (select textsend(setting) from pg_settings where name = 'shared_preload_libraries') as preloaded
from pg_roles r
cross join (select count(*) as total, count(*) filter (where backend_type is null) as hidden from pg_stat_activity) s
where r.rolname = current_user
