"""Trees, shares and hints, from plans by hand."""

from typing import Any

import msgspec
import pytest

from opsdash.collectors.postgres.index_hints import hints
from opsdash.collectors.postgres.plan import Plan, plan_of
from opsdash.collectors.postgres.plan_scans import IndexFacts, RelationFacts
from opsdash.collectors.postgres.plan_text import misjudged, outline, own_ms, slowest
from opsdash.widgets.lines import span_text
from opsdash.widgets.panels.postgres.plan_tree import plan_lines


def step(kind: str, cost: float, *inputs: Any, rows: float = 1, **facts: Any) -> dict[str, Any]:
    words = {name.replace("_", " ").title(): value for name, value in facts.items()}
    found: dict[str, Any] = {"Node Type": kind, "Total Cost": cost, "Plan Rows": rows, **words}
    return found | ({"Plans": list(inputs)} if inputs else {})


def scan(cost: float = 100.0, condition: str = "(items.sku = $1)", **facts: Any) -> dict[str, Any]:
    known = {"relation_name": "items", "schema": "public", "alias": "items", "filter": condition}
    return step("Seq Scan", cost, **(known | facts))


def plan(top: dict[str, Any]) -> Plan:
    return plan_of({"Plan": top})


def shares(found: Plan) -> dict[str, int]:
    return {node.kind: round(node.share * 100) for node in found.nodes()}


def test_shares_add_up_and_the_costliest_step_is_the_one_with_the_most_of_its_own() -> None:
    found = plan(
        step("Sort", 130, step("Hash Join", 120, scan(90), step("Hash", 20, step("Index Scan", 15))))
    )
    assert shares(found) == {"Sort": 8, "Hash Join": 8, "Seq Scan": 69, "Hash": 4, "Index Scan": 12}
    assert found.costliest.kind == "Seq Scan"


def test_limit_that_stops_early_does_not_make_its_input_cost_more_than_the_plan() -> None:
    found = plan(step("Limit", 2.0, scan(1000.0)))
    assert shares(found) == {"Limit": 0, "Seq Scan": 100}


def test_input_of_a_nested_loop_counts_as_often_as_it_is_repeated() -> None:
    found = plan(step("Nested Loop", 1000.0, step("Index Scan", 10.0, rows=100), scan(9.0)))
    assert shares(found) == {"Nested Loop": 9, "Index Scan": 1, "Seq Scan": 90}


def test_plan_that_costs_nothing_is_drawn() -> None:
    found = plan(step("Result", 0.0, step("Result", 0.0)))
    assert {node.share for node in found.nodes()} == {0.0}
    assert plan_lines(found, 80)


def test_time_of_parallel_workers_is_not_added_up() -> None:
    took = {"actual_total_time": 50.0, "actual_rows": 100, "actual_loops": 3}
    gathered = {"actual_total_time": 55.0, "actual_rows": 300, "actual_loops": 1, "workers_launched": 2}
    found = plan(step("Gather", 110, scan(100, **took), **gathered))
    inner = found.root.children[0]
    assert (inner.actual_ms, inner.actual_rows) == (50.0, 300)
    assert slowest(found) is inner
    assert own_ms(found.root) == pytest.approx(5.0)
    assert outline(found) == (
        "Gather  55ms, rows 300, 1 expected",
        "  └ Seq Scan on public.items  50ms, rows 300, 2.4 expected",
    )


def test_executed_step_says_what_it_threw_away_and_what_did_not_fit_into_memory() -> None:
    ran = {"actual_total_time": 5.0, "actual_rows": 4, "actual_loops": 2}
    blocks = {
        "shared_hit_blocks": 70,
        "shared_read_blocks": 30,
        "temp_read_blocks": 8,
        "temp_written_blocks": 9,
    }
    read = scan(**ran, **blocks) | {"Rows Removed by Filter": 500}
    top = step("Sort", 110, read, **ran, sort_space_type="Disk", sort_space_used=2048, rows=9)
    assert outline(plan(top)) == (
        "Sort  10ms, rows 8, 18 expected, 2 MiB on disk: more than work_mem",
        "  └ Seq Scan on public.items  10ms, rows 8, 2 expected, 1.0k thrown away, blocks 70 hit, 30 read, "
        "17 temporary",
    )


def test_only_a_step_that_gave_far_more_rows_than_expected_was_misjudged() -> None:
    more = scan(actual_total_time=5.0, actual_rows=5000, actual_loops=1, rows=40)
    fewer = scan(actual_total_time=5.0, actual_rows=4, actual_loops=1, rows=5000)
    assert misjudged(plan(fewer)) is None
    found = misjudged(plan(step("Limit", 110, more, actual_total_time=5.0, actual_rows=9, actual_loops=1)))
    assert found is not None
    assert found.kind == "Seq Scan"


def test_tree_is_drawn_with_its_conditions_and_the_costliest_marked() -> None:
    top = step(
        "Limit", 120.0, step("Hash Join", 120.0, scan(100.0), step("Hash", 10.0), hash_cond="(a.x = b.x)")
    )
    lines = ["".join(map(span_text, line)).rstrip() for line in plan_lines(plan(top), 90)]
    assert [line[:50].rstrip() for line in lines[1:]] == [
        "Limit",
        "└ Hash Join",
        "  │   hash cond (a.x = b.x)",
        "  ├ Seq Scan on public.items  ◀ 83.3% of cost",
        "  │     filter (items.sku = $1)",
        "  └ Hash",
    ]
    assert all(len(line) <= 90 for line in lines)


def test_thousand_partitions_are_cut() -> None:
    found = plan(step("Append", 1000.0, *(scan(1.0) for _ in range(1000))))
    text = "".join(span_text(span) for line in plan_lines(found, 80) for span in line)
    assert "and 801 more steps" in text


def facts(rows: float | None = 1_200_000.0, *indexes: IndexFacts, **distinct: float) -> RelationFacts:
    return RelationFacts(
        schema="public",
        name="items",
        rows=rows,
        size_bytes=200 * 1024 * 1024,
        indexes=indexes,
        distinct=distinct or {"sku": -0.9, "region": 3.0, "made": 4000.0},
        types={"sku": "character varying", "region": "integer", "made": "timestamp with time zone"},
    )


def hint(condition: str, relation: RelationFacts | None = None, **more: Any) -> str:
    found = hints(plan(scan(condition=condition, **more)), (relation or facts(),))
    return " | ".join(("sure: " if h.is_sure else "unsure: ") + h.text for h in found)


def index(first: str, **more: Any) -> IndexFacts:
    known = {"name": "items_idx", "method": "btree", "is_valid": True, "is_partial": False}
    return IndexFacts(first=first, **(known | more))


SCAN = "Seq Scan on items (1.2M rows, 200 MiB)"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            "(items.sku = $1)",
            f"sure: {SCAN} with a filter on sku: no index begins with sku. "
            "Hint: CREATE INDEX CONCURRENTLY ON public.items (sku)",
        ),
        ("((items.region = 3) AND ((items.sku)::text = $1))", "ON public.items (sku)"),
        ("(items.sku = ANY ($1))", "ON public.items (sku)"),
        ('(items."Made at" = $1)', '("Made at"). Not sure: no statistics of "Made at" to be seen'),
        ("(items.region = 3)", "Not sure: region has only 3 values"),
        ("(items.made > $1)", "Not sure: a range"),
        ("(items.sku IS NULL)", "ON public.items (sku)"),
        ("(items.sku IS NOT NULL)", "nothing that a plain index"),
        ("(lower(items.sku) = $1)", "a filter on lower(items.sku): only an index on that very expression"),
        ("(items.sku ~~ $1)", "with a LIKE"),
        ("((items.sku = $1) OR (items.region = 3))", "with an OR: it takes an index for each side"),
        ("(items.sku = items.name)", "nothing that a plain index"),
        ("(other.sku = $1)", "nothing that a plain index"),
        ("($1 = items.sku)", "ON public.items (sku)"),
        ("((items.doc ->> ?::text) = $1)", "a filter on (items.doc ->> ?::text): only an index on that"),
        ("(COALESCE(items.sku, $1) = $2)", "nothing that a plain index"),
        ("(items.doc @> $1)", "what a column contains: a GIN index"),
        ("(items.made = (SubPlan 1))", "nothing that a plain index"),
    ],
)
def test_hint_follows_from_the_filter(condition: str, words: str) -> None:
    assert words in hint(condition)


def test_small_table_and_filter_that_keeps_much_get_no_index() -> None:
    small = RelationFacts(schema="public", name="items", rows=500.0, size_bytes=65536)
    assert hint("(items.sku = $1)", small) == ""
    assert "no index would help" in hint("(items.sku = $1)", rows=900_000)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("((items.made)::date = $1)", "compares made (timestamp with time zone) as date: no index on made"),
        ("((items.region)::numeric = $1)", "compares region (integer) as numeric"),
    ],
)
def test_index_is_not_offered_for_a_column_that_is_compared_as_another_type(
    condition: str, words: str
) -> None:
    found = hint(condition, facts(1e6, index("made"), index("region"), region=4000.0))
    assert words in found
    assert "CREATE INDEX" not in found


def test_guess_at_what_a_range_keeps_does_not_speak_against_an_index() -> None:
    assert "ON public.items (made). Not sure: a range" in hint("(items.made > $1)", rows=400_000)
    assert "only guessed without its value" in hint("(items.made > $1)", facts(1e6, index("made")), rows=3e5)
    assert "no index would help" in hint("(items.made > ?)", rows=400_000)


def test_partitions_that_are_asked_for_the_same_get_one_hint() -> None:
    parts = [
        scan(10.0 * n, f"(i_{n}.sku = $1)", relation_name=f"items_{n}", alias=f"i_{n}") for n in range(1, 4)
    ]
    known = [
        msgspec.structs.replace(facts(9000.0), name=f"items_{n}", root=("public", "items"))
        for n in range(1, 4)
    ]
    (found,) = hints(plan(step("Append", 70.0, *parts)), known)
    assert found.text == (
        "Seq Scan on 3 partitions of items (27.0k rows, 600 MiB) with a filter on sku: no index begins with "
        "sku. Hint: CREATE INDEX CONCURRENTLY on (sku) of each partition, then CREATE INDEX ON "
        "public.items (sku), which takes them over"
    )


def test_index_that_is_only_read_for_its_order_is_read_whole() -> None:
    ordered = step(
        "Index Scan", 90.0, relation_name="items", schema="public", alias="items", filter="(items.sku = $1)"
    )
    (found,) = hints(plan(step("Limit", 2.0, ordered)), (facts(),))
    assert "Index Scan through all of items (1.2M rows, 200 MiB) with a filter on sku" in found.text
    assert hints(plan(step("Limit", 2.0, ordered | {"Index Cond": "(items.id > 3)"})), (facts(),)) == ()


def whole(**more: Any) -> dict[str, Any]:
    known = {"relation_name": "items", "schema": "public", "alias": "i"}
    return step("Seq Scan", 80.0, **(known | more))


@pytest.mark.parametrize(
    ("top", "words"),
    [
        (
            step(
                "Hash Join", 100.0, whole(), step("Hash", 8.0, step("Index Scan", 8.0)),
                hash_cond="((i.sku)::text = (b.code)::text)",
            ),
            f"{SCAN} is read whole to be joined to 1 row by sku: no index begins with sku. "
            "Hint: CREATE INDEX CONCURRENTLY ON public.items (sku)",
        ),
        (
            step("Limit", 99.0, step("Sort", 98.0, whole(), sort_key=["i.made DESC", "i.id"]), rows=10),
            f"{SCAN} is read whole and sorted for its first 10 rows: no index begins with made. "
            "Hint: CREATE INDEX CONCURRENTLY ON public.items (made DESC, id)",
        ),
    ],
)  # fmt: skip
def test_table_that_is_read_whole_for_a_few_rows_gets_a_hint(top: dict[str, Any], words: str) -> None:
    (found,) = hints(plan(top), (facts(),))
    assert found.text == words


@pytest.mark.parametrize(
    "top",
    [
        step("Hash Join", 100.0, whole(), step("Hash", 8.0, rows=90_000), hash_cond="(i.sku = b.code)"),
        step("Hash Join", 100.0, whole(), step("Hash", 8.0), hash_cond="((i.region)::text = b.code)"),
        step("Hash Join", 100.0, whole(), step("Hash", 8.0), join_type="Left", hash_cond="(i.sku = b.code)"),
        step("Limit", 99.0, step("Sort", 98.0, whole(), sort_key=["lower(i.sku)"]), rows=10),
        step("Limit", 99.0, step("Sort", 98.0, whole(), sort_key=["i.made"]), rows=600_000),
        step("Sort", 98.0, whole(), sort_key=["i.made"]),
        whole(),
    ],
)
def test_table_that_has_to_be_read_whole_gets_none(top: dict[str, Any]) -> None:
    assert hints(plan(top), (facts(),)) == ()


def test_order_that_an_index_has_is_not_asked_for_again() -> None:
    top = step("Limit", 99.0, step("Sort", 98.0, whole(), sort_key=["i.made DESC"]), rows=10)
    assert hints(plan(top), (facts(1e6, index("made")),)) == ()


def test_index_that_is_there_is_not_asked_for_again() -> None:
    assert "items_idx begins with sku, and is not used" in hint("(items.sku = $1)", facts(1e6, index("sku")))
    partial = hint("(items.sku = $1)", facts(1e6, index("sku", is_partial=True), sku=5000.0))
    assert "Not sure: items_idx begins with it, but is partial" in partial
    broken = hint("(items.sku = $1)", facts(1e6, index("sku", is_valid=False), sku=5000.0))
    assert "not valid" in broken


def test_table_that_was_never_analyzed_is_said_to_be() -> None:
    assert "never analyzed" in hint("(items.sku = $1)", facts(None))
