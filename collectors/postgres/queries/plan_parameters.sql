-- Answers: how many parameters has the statement that was prepared to be explained?
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/view-pg-prepared-statements.html
select cardinality(parameter_types)
from pg_prepared_statements
where name = %s
