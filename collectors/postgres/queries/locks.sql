-- Answers: which backends hold or wait for the locks that somebody waits for? Asked when somebody does, and
--          something about it may have changed since, see lock_reader.py.
-- Rights:  none.
-- Versions: 14 to 18; tested on 15 and 18.
-- Cost:    1.1 ms with 800 sessions, 120 of them waiting: 962 locks, 200 sent (pg_blocking_pids of the 120: 2 to 4 ms).
-- Source:  https://www.postgresql.org/docs/current/view-pg-locks.html
--
-- pg_locks is read once, so all rows are of one moment. pg_blocking_pids would take every partition of the lock
-- manager exclusively, again for each waiter: the more wait, the more it would hold up those who do not.
-- A prepared transaction has no pid; its own transactionid lock tells which one it is.
-- Locks that nobody waits for stay on the server: there may be tens of thousands.
with lock as materialized (
    select
        *,
        concat_ws('/', locktype, database, relation, page, tuple, virtualxid, transactionid,
                  classid, objid, objsubid) as object
    from pg_locks
    where mode <> 'SIReadLock'
)
select
    object,
    coalesce(pid, 0) as pid,
    granted,
    mode,
    waitstart,
    locktype,
    database,
    relation,
    page,
    tuple,
    virtualxid,
    transactionid::text as transactionid,
    classid,
    objid,
    objsubid,
    case when pid is null then (
        select min(own.transactionid::text)
        from lock as own
        where own.pid is null and own.locktype = 'transactionid' and own.virtualtransaction = lock.virtualtransaction
    ) end as prepared_transaction
from lock
where object in (select object from lock where not granted)
