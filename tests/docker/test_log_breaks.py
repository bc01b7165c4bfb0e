"""Logs of real containers over a connection that breaks."""

from collections.abc import Callable

import pytest

from tests.docker.following import LIMIT_S, following, numbers_of
from tests.support.engine import TestEngine
from tests.support.faults import Proxy
from tests.support.waiting import wait_until_async

SLOWLY = ("sh", "-c", "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.002; done")


@pytest.fixture
def ported(start_engine: Callable[..., TestEngine]) -> TestEngine:
    """An engine that also listens on a port, so that a proxy can stand before it."""
    return start_engine(has_port=True)


async def test_no_line_is_lost_or_doubled_when_the_connection_breaks(
    ported: TestEngine,
) -> None:
    assert ported.port is not None
    drivers = ("json-file", "local")
    for driver in drivers:
        ported.run(driver, SLOWLY, options=("--log-driver", driver))
    async with Proxy(ported.port) as proxy, following(ported, host=f"tcp://127.0.0.1:{proxy.port}") as it:
        for _ in range(3):
            seen = [len(it.lines(driver)) for driver in drivers]

            def has_more(seen: list[int] = seen) -> bool:
                return all(len(it.lines(d)) > n + 50 for d, n in zip(drivers, seen, strict=True))

            await it.until(has_more, "more lines")
            await proxy.cut()
        for driver in drivers:
            got = numbers_of(it.lines(driver))
            assert got == list(range(got[0], got[0] + len(got)))
            buffer = it.buffer(driver)
            assert buffer is not None
            assert buffer.gaps == ()
    again = [path for _, path in ported.requests() if "/logs?" in path][len(drivers) :]
    assert again
    assert all("since=" in path for path in again)  # it is not made to read everything anew


async def test_lines_that_the_engine_has_no_more_are_marked_as_a_gap(
    ported: TestEngine,
) -> None:
    assert ported.port is not None
    ported.run("rotated", SLOWLY, options=("--log-opt", "max-size=20k", "--log-opt", "max-file=1"))
    async with Proxy(ported.port) as proxy, following(ported, host=f"tcp://127.0.0.1:{proxy.port}") as it:
        await it.until(lambda: it.lines("rotated"), "a line")
        await proxy.refuse()
        seen = numbers_of(it.lines("rotated"))[-1]

        def has_rotated() -> bool:
            return numbers_of([ported.docker("logs", "--tail", "1", "rotated").encode()])[0] > seen + 500

        await wait_until_async(has_rotated, LIMIT_S, "the log was rotated")
        await proxy.listen()
        await it.until(lambda: numbers_of(it.lines("rotated"))[-1] > seen + 500, "newer lines")
        buffer = it.buffer("rotated")
        assert buffer is not None
        (gap,) = buffer.gaps
        last, first = numbers_of(buffer.lines(gap.before - 1, gap.before + 1))
        assert first > last + 1
        assert "without a connection" in gap.reason
