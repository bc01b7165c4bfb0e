-- Answers: what is the time there, is it a standby, may we see other roles' sessions? Each may change while we are connected.
--          It is also the trivial statement whose time is shown as the round trip.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/functions-info.html
select
    clock_timestamp() as server_now,
    pg_is_in_recovery() as is_in_recovery,
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all_sessions
