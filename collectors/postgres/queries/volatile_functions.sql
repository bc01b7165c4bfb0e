-- Answers: which of these functions may do more than compute? Asked before a statement is executed for EXPLAIN ANALYZE.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.1 ms.
-- Source:  https://www.postgresql.org/docs/current/xfunc-volatility.html
select distinct textsend(proname) as proname
from pg_proc
where proname = any(%s) and provolatile = 'v'
order by 1
