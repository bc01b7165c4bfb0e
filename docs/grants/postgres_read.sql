-- The role that opsdash looks with: `dsn` of a [[postgres]] target. Run as a superuser, once per server.
-- Set its password with \password opsdash in psql, so that it stands in no log.
CREATE ROLE opsdash LOGIN CONNECTION LIMIT 5;
ALTER ROLE opsdash SET default_transaction_read_only = on;
-- what others run, how long they wait, and the counters of pg_stat_statements
GRANT pg_monitor TO opsdash;

-- Slow queries: the library must be loaded at the start (shared_preload_libraries = 'pg_stat_statements'),
-- and the extension made in the database that `dsn` names:
--     CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
-- Plans (e): EXPLAIN asks for SELECT on the tables of the statement. Without it the plan is refused, in
-- PostgreSQL's own words. Where reading all data is acceptable:
--     GRANT pg_read_all_data TO opsdash;
-- To get in when the server is full (PostgreSQL 16 and newer; reserved_connections needs a restart):
--     ALTER SYSTEM SET reserved_connections = 3;
--     GRANT pg_use_reserved_connections TO opsdash;
