-- The role that opsdash acts with: `act_dsn` of a [[postgres]] target. Run as a superuser, once per server.
CREATE ROLE opsdash_act LOGIN CONNECTION LIMIT 5;
-- Both are needed: pg_signal_backend may cancel and terminate; without pg_read_all_stats PostgreSQL hides when
-- a session began, and opsdash refuses to act on what it cannot identify.
-- Sessions of superusers stay out of reach with these.
GRANT pg_signal_backend, pg_read_all_stats TO opsdash_act;

-- To get in when the server is full (PostgreSQL 16 and newer):
--     GRANT pg_use_reserved_connections TO opsdash_act;
-- Further actions, each only where it is wanted:
--     GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO opsdash_act;          -- reset the statements
--     GRANT SET, ALTER SYSTEM ON PARAMETER log_min_duration_statement TO opsdash_act;  -- PostgreSQL 15
--     GRANT EXECUTE ON FUNCTION pg_reload_conf TO opsdash_act;
