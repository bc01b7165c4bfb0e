"""Plans of more than a hundred statements of many shapes: each is drawn, or it is said why not."""

import pytest

from opsdash.collectors.errors import TargetError
from opsdash.collectors.postgres.drill import drill
from opsdash.collectors.postgres.explain import planned
from opsdash.collectors.postgres.explain_rows import Explained
from opsdash.collectors.postgres.layout import laid_out
from opsdash.collectors.postgres.mask import mask
from opsdash.collectors.text import clean
from opsdash.tui.demo.servers import PostgresServer
from opsdash.widgets.lines import Line, span_text
from opsdash.widgets.panels.postgres.statement import hint_lines, text_and_plan
from tests.support.harmless import is_harmless_line
from tests.support.targets import postgres_target

SELECTS = """
select 1
select
select $1
select * from items
table items
values (1, 'a'), (2, 'b')
select * from items where id = 7
select * from items where id = $1
select * from items where id in (1, 2, 3)
select * from items where id = any($1)
select * from items where sku = 'sku-9' or qty = 3
select * from items where sku like '%9' and qty between 2 and 4
select * from items where lower(sku) = 'sku-9'
select * from items where (sku, qty) = ('a', 1)
select * from items where sku is null
select * from items where sku is not null and not qty = 3
select * from items where qty = region
select * from items i where exists (select from stock s where s.item_id = i.id)
select * from items i where not exists (select from stock s where s.item_id = i.id)
select * from items where id = (select max(item_id) from stock)
select * from items where id in (select item_id from stock where day > now())
select (select count(*) from stock where item_id = i.id) from items i
select count(*), region from items group by region having count(*) > 5 order by 1 desc
select region, qty, count(*) from items group by grouping sets ((region), (qty), ())
select region, qty, sum(id) from items group by rollup (region, qty)
select region, qty, sum(id) from items group by cube (region, qty)
select distinct region from items
select distinct on (region) * from items order by region, id
select row_number() over (partition by region order by qty) from items
select sum(qty) over w, avg(id) over w from items window w as (order by id rows 3 preceding)
select * from items order by qty desc, sku limit 10 offset 5
select * from items order by id fetch first 3 rows with ties
select * from items tablesample system (10)
select * from items for update
select * from items for no key update skip locked
select * from items where id = 3 for share nowait
select * from items i join stock s on s.item_id = i.id
select * from items i left join stock s on s.item_id = i.id where s.day is null
select * from items i right join stock s on s.item_id = i.id
select * from items i full join stock s on s.item_id = i.id
select * from items i cross join stock s
select * from items i natural join (select 1 as id) n
select * from items i, lateral (select * from stock s where s.item_id = i.id limit 1) l
select * from stock where day = '2025-06-01'
select * from stock where day = $1
select * from stock where day = now()::date
select * from stock
select * from cheap where qty = 1
select * from generate_series(1, 10) g
select * from generate_series(1, 10) with ordinality g(n, o)
select * from unnest(array[1, 2], array['a', 'b']) u(a, b)
select * from rows from (generate_series(1, 2), generate_series(1, 3))
select * from json_to_recordset('[{"a":1}]') as x(a int)
select * from xmltable('/a' passing '<a/>' columns b text)
with recent as (select * from stock where day > now()) select * from recent
with recent as materialized (select * from items) select * from recent a join recent b using (id)
with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) select * from n
with gone as (delete from items returning *) select count(*) from gone
select 1 union select 2 union all select 3 intersect select 4 except select 5
(select id from items limit 1) union all (select id from items limit 1)
select case when qty > 3 then 'many' else 'few' end from items
select array(select id from items limit 3), row(1, 'x'), array[1, 2]
select '{"a": {"b": 1}}'::jsonb #> '{a,b}', 'x' ~ 'y', interval '1 day'
select "items"."sku" as "a ""quoted"" name" from "public"."items"
select U&'d\\0061t\\+000061', E'a\\'b', $x$it's$x$, B'101', X'1F', 1e10, .5
select count(*) filter (where qty > 1), string_agg(sku, ',' order by sku) from items
select percentile_cont(0.5) within group (order by qty) from items
select * from pg_stat_activity
select * from pg_class c join pg_attribute a on a.attrelid = c.oid
select * from information_schema.columns
select pg_sleep(60)
select * from items where ctid = '(0,1)'
select * from only stock
select item_id, day from stock group by 1, 2 order by 2 desc nulls last
select random(), clock_timestamp(), current_user
select * from items where qty % 2 = 0 and sku || 'x' = 'y'
select sum(a.qty) from items a join items b on a.id = b.id join items c on b.id = c.id
select * from items -- a comment at the end
/* first */ select /* in /* a */ comment */ 1
"""

WRITES = """
insert into items values (1, 'a', 2, 3)
insert into items (id) select 1 from items on conflict do nothing
insert into items values ($1, $2, $3, $4) on conflict (id) do update set qty = excluded.qty returning *
insert into stock values (1, '2025-01-01')
insert into items default values
update items set qty = qty + 1 where id = $1
update items set qty = s.n from (select item_id, count(*) n from stock group by 1) s where item_id = items.id
update stock set day = day + 1
update cheap set qty = 1
delete from items
delete from stock where day < $1 returning item_id
delete from items using stock where stock.item_id = items.id
merge into items using stock on items.id = stock.item_id when matched then update set qty = 1
with n as (insert into items values (1) returning id) update items set qty = 0 from n where n.id = items.id
select * into copied from items
"""

NOT_PLANNED = """
begin
commit and chain
savepoint a
vacuum full items
analyze items
create table x (id int)
create index concurrently on items (sku)
create table y as select * from items
alter table items add column z int
drop table items
truncate items, stock
grant select on items to public
copy items from stdin
listen channel
notify channel, 'x'
set work_mem = '1GB'
show all
reset all
discard all
lock table items
cluster
checkpoint
refresh materialized view m
declare c cursor for select 1
fetch all from c
prepare p as select 1
execute p
deallocate all
explain analyze delete from items
do $$ begin end $$
call p()
security label on table items is 'x'
alter role postgres password 'hunter2'
select * from no_such_table
select no_such_column from items
select no_such_function(1)
select * from items where id = 'abc'
select * from items where
select interval $1
select * from items where id in (
selekt 1
select 'never closed
select $$never closed
select "never closed
select /* never closed
select 1; select 2
;
\\d items
SELECT TOP 5 * FROM [items]
db.items.find({sku: 1})
"""


def texts(block: str) -> list[str]:
    return [line.replace("\\\\", "\\") for line in block.strip().splitlines()]


NESTED = [
    *("select * from (" * depth + "select * from items" + ") x" * depth for depth in (1, 5, 20, 60)),
    *(" union all ".join(["select id from items"] * parts) for parts in (2, 30, 250)),
    "select " + "(" * 300 + "1" + ")" * 300,
    "select " + " + ".join(["qty"] * 500) + " from items",
    "select * from items where id in (" + ", ".join(map(str, range(3000))) + ")",
    "select "
    + ", ".join(f"i{n}.id" for n in range(9))
    + " from items i0 "
    + " ".join(f"join items i{n} on i{n}.id = i{n - 1}.id" for n in range(1, 9)),
    "select 'caf\u00e9 \u65e5\u672c\u8a9e' as \"\u540d\u524d\" from items where sku = '\u200b\u202e'",
]


def judge(lines: tuple[Line, ...]) -> None:
    """Lines cut what is too long, and clean what is drawn; nothing else may be in the way of that."""
    for line in lines:
        text = "".join(map(span_text, line))
        assert is_harmless_line(clean(text)), text


async def drawn(server: PostgresServer, text: str) -> Explained:
    """What the screen of a statement would show, at every width."""
    target = postgres_target(server.dsn())
    try:
        async with drill(target) as connection:
            found = await planned(connection, target, text)
    except TargetError as error:
        found = Explained(sql=None, why_not=error.reason)
    sql = await laid_out(mask(clean(text)))
    for width in (60, 80, 132, 180):
        judge(text_and_plan(sql, found, False, width))
        judge(tuple(hint_lines(found, width)))
    return found


@pytest.mark.parametrize("block", [SELECTS, WRITES], ids=["selects", "writes"])
async def test_every_plan_is_drawn(counting: PostgresServer, block: str) -> None:
    failed = {
        text: found.why_not for text in texts(block) if (found := await drawn(counting, text)).plan is None
    }
    if "xmltable" in str(failed):  # a server that was built without libxml
        failed = {text: why for text, why in failed.items() if "xmltable" not in text}
    assert failed == {}


async def test_what_has_no_plan_says_why_in_the_servers_words(counting: PostgresServer) -> None:
    for text in texts(NOT_PLANNED):
        found = await drawn(counting, text)
        assert found.plan is None, text
        assert found.why_not, text
        assert "hunter2" not in found.why_not


@pytest.mark.parametrize("number", range(len(NESTED)))
async def test_large_and_deep_statements_are_drawn_or_refused(
    counting18: PostgresServer, number: int
) -> None:
    found = await drawn(counting18, NESTED[number])
    assert (found.plan is None) != (found.why_not is None)


async def test_nothing_was_executed_by_any_of_them(counting: PostgresServer) -> None:
    target = postgres_target(counting.dsn())
    async with drill(target) as connection:
        cursor = await connection.execute(
            "select (select count(*) from items), (select count(*) from stock), to_regclass('copied'),"
            " to_regclass('x')"
        )
        assert await cursor.fetchone() == (40000, 0, None, None)


def test_there_are_a_hundred_shapes() -> None:
    assert len(texts(SELECTS)) + len(texts(WRITES)) + len(texts(NOT_PLANNED)) + len(NESTED) > 140
