-- Answers: nothing; bounds what planning a statement may do, for the one transaction in which it is planned.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/runtime-config-client.html
--
-- Set here, not when connecting: a DSN's own options win over ours there. The plan is made without looking at values.
-- Before 16 EXPLAIN leaves out the partitions that a NULL would not be in: all of them.
select
    set_config('statement_timeout', '4000', true),
    set_config('lock_timeout', '500', true),
    set_config('plan_cache_mode', 'force_generic_plan', true),
    current_setting('server_version_num')::int < 160000
    and set_config('enable_partition_pruning', 'off', true) is not null
