-- Answers: which transactions are prepared and wait for their COMMIT PREPARED, holding their locks?
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    0.01 ms.
-- Source:  https://www.postgresql.org/docs/current/view-pg-prepared-xacts.html
select
    textsend(gid) as gid,
    database,
    owner,
    prepared,
    transaction::text as transaction
from pg_prepared_xacts
