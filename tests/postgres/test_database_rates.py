"""Counters that cannot be compared give no rate: pure cases."""

from datetime import UTC, datetime

from opsdash.collectors.postgres.database_rates import COUNTERS, DatabaseCounters, Sample, database_rates

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 10, tzinfo=UTC)


def counters(count: int, *, name: str = "shop", reset: datetime | None = MONDAY) -> DatabaseCounters:
    return DatabaseCounters(name, reset, (count,) * len(COUNTERS))


def sample(mono_s: float, *, started_at: datetime = MONDAY, **databases: DatabaseCounters) -> Sample:
    return Sample(mono_s=mono_s, started_at=started_at, databases=dict(enumerate(databases.values())))


def test_rates_name_their_span() -> None:
    total, (shop,) = database_rates(sample(10, shop=counters(100)), sample(14, shop=counters(180)))
    assert (shop.name, shop.span_s, shop.commits_per_s, shop.deadlocks) == ("shop", 4, 20.0, 80)
    assert shop.cache_hit_ratio == 0.5
    assert (total.name, total.commits_per_s) == ("all", 20.0)


def test_first_reading_has_no_rates() -> None:
    total, (shop,) = database_rates(None, sample(10, shop=counters(100)))
    assert (shop.span_s, shop.commits_per_s, shop.deadlocks, total.commits_per_s) == (None, None, None, None)


def test_reset_counter_has_no_rate_even_when_it_has_overtaken_its_old_value() -> None:
    before = sample(10, shop=counters(100), api=counters(1, name="api"))
    after = sample(12, shop=counters(900, reset=TUESDAY), api=counters(5, name="api"))
    total, (api, shop) = database_rates(before, after)
    assert shop.commits_per_s is None
    assert api.commits_per_s == 2.0
    assert total.commits_per_s is None, "a sum with an unknown part is unknown"


def test_counters_of_another_run_of_the_server_are_not_compared() -> None:
    before = sample(10, shop=counters(100))
    total, (shop,) = database_rates(before, sample(12, started_at=TUESDAY, shop=counters(500)))
    assert (shop.commits_per_s, total.commits_per_s) == (None, None)


def test_counter_that_went_down_without_a_word_has_no_rate() -> None:
    _, (shop,) = database_rates(sample(10, shop=counters(100)), sample(12, shop=counters(7)))
    assert (shop.commits_per_s, shop.cache_hit_ratio, shop.deadlocks) == (None, None, None)


def test_new_database_has_done_all_its_work_since() -> None:
    before = sample(10, shop=counters(100))
    after = sample(12, shop=counters(100), api=counters(6, name="api"))
    total, (api, _) = database_rates(before, after)
    assert api.commits_per_s == 3.0
    assert total.commits_per_s == 3.0
    assert total.cache_hit_ratio == 0.5
