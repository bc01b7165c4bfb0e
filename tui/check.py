"""`opsdash check`: every target read once, judged by the rules, told as text or JSON, with an exit code."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from opsdash.collectors.clock import Clock
from opsdash.collectors.collector import Collector
from opsdash.collectors.feed import Feed
from opsdash.collectors.registry import make_collector
from opsdash.collectors.supervisor import Pace, Reader
from opsdash.collectors.target import Target
from opsdash.tui.check_report import Report, as_document, as_text, exit_code
from opsdash.tui.findings.engine import find

_CLOSE_S = 0.3
"""How long letting go of the connections may take, all together."""

_MORE_READS = 5
"""Of a target whose verdict is not settled yet: an endpoint is down after several failed probes."""
_PAUSE_S = 0.5
"""Between them."""


def run_check(targets: Sequence[Target], *, as_json: bool, clock: Clock) -> int:
    """Read every target once, all at the same time, and print what was found on standard output.

    Returns:
        0 ok, 1 warning, 2 critical, 3 unknown. Critical wins over unknown, unknown over warning.
    """
    report = asyncio.run(look(targets, clock))
    sys.stdout.write(as_document(report) if as_json else as_text(report))
    sys.stdout.flush()
    return exit_code(report.findings)


async def look(targets: Sequence[Target], clock: Clock, *, again_after_s: float | None = None) -> Report:
    """Read every target, all at the same time.

    Args:
        targets: What to read.
        clock: The time.
        again_after_s: Read each once more after so long, since rates need two readings; None: once is enough.
    """
    feed = Feed(targets)
    started = clock.mono_s()
    collectors = [make_collector(target, clock) for target in targets]
    readers = [Reader(collector, clock, Pace()) for collector in collectors]
    await asyncio.gather(*(_read(reader, feed, clock) for reader in readers))
    if again_after_s is not None:
        await clock.sleep(again_after_s)
        for snapshot in await asyncio.gather(*(reader.read() for reader in readers)):
            feed.push(snapshot)
    await _close(collectors)
    return Report(
        views=feed.views(),
        findings=find(feed.views(), now=clock.now(), mono_s=clock.mono_s()),
        taken_at=clock.now(),
        took_s=clock.mono_s() - started,
    )


@runtime_checkable
class Settling(Protocol):
    """Data whose verdict rests on several readings in a row."""

    def is_settled(self) -> bool:
        """Whether one more reading would not change it."""


async def _read(reader: Reader, feed: Feed, clock: Clock) -> None:
    """Read one target; what one reading cannot tell is read again, so that no verdict rests on chance."""
    target = reader.collector.target
    feed.push(await reader.read())
    if feed.view(target.id).failure is not None:
        feed.push(await reader.read())
    for _ in range(_MORE_READS):
        data = feed.view(target.id).data
        if not isinstance(data, Settling) or data.is_settled():
            return
        await clock.sleep(min(target.interval_s, _PAUSE_S))
        feed.push(await reader.read())


async def _close(collectors: Sequence[Collector[Any]]) -> None:
    """Let go of all connections, without waiting for a target that does not answer."""
    closing = [asyncio.ensure_future(collector.close()) for collector in collectors]
    _, late = await asyncio.wait(closing, timeout=_CLOSE_S)
    for task in late:
        task.cancel()
