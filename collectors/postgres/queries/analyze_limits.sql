-- Answers: nothing; bounds what executing a SELECT for EXPLAIN ANALYZE may take, for that one transaction.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/runtime-config-client.html
--
-- Set here, not when connecting: a DSN's own options win over ours there.
select
    set_config('statement_timeout', '10000', true),
    set_config('lock_timeout', '500', true)
