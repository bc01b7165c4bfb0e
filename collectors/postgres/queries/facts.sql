-- Answers: which server is this, and how many may connect? Asked once per connection: none of it changes while the server runs.
-- Rights:  none.
-- Versions: 14 to 18; reserved_connections exists from 16 on (NULL before); tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/runtime-config-connection.html
select
    current_setting('server_version') as version,
    current_setting('server_version_num')::int as version_num,
    pg_postmaster_start_time() as started_at,
    (select oid from pg_database where datname = current_database()) as database_oid,
    current_database() as database,
    current_user as role,
    current_setting('max_connections')::int as max_connections,
    current_setting('superuser_reserved_connections')::int as superuser_reserved,
    current_setting('reserved_connections', true)::int as reserved,
    current_setting('max_prepared_transactions')::int as max_prepared_transactions
