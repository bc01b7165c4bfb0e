-- The two roles of opsdash, with the rights that the documentation asks for on a real server, and no more.
create role opsdash login;
grant pg_monitor, pg_read_all_data to opsdash;  -- the second one is for plans: EXPLAIN asks for SELECT
create role opsdash_act login;
grant pg_signal_backend, pg_read_all_stats to opsdash_act;
