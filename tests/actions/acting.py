"""An opsdash in a process of its own that switches lamps off: `python -m tests.actions.acting …`.

acting AUDIT SENT STAGE     does one action, says "at STAGE" when it gets there, and stops
acting AUDIT SENT COUNT     does COUNT actions one after the other
"""

import asyncio
import sys
from pathlib import Path

from opsdash.collectors.clock import Clock
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.guard import Decision
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.actions.who import Operator
from tests.actions.lamps import HALL, MARIA, Lamp, LampKit, SwitchOff, hall
from tests.support.waiting import wait_until_async


async def _stop(stage: str) -> None:
    print(f"at {stage}", flush=True)
    await asyncio.Event().wait()


async def main(audit: str, sent: str, what: str) -> None:
    clock = Clock()
    off = SwitchOff(Path(sent), clock)
    off.reach = lambda stage: _stop(stage) if stage == what else None
    asked = 0

    async def operator() -> Operator:
        nonlocal asked
        asked += 1
        if what == "decided" and asked == 3:  # armed, planned, and now the decision is there
            await _stop(what)
        return MARIA

    log = AuditLog(Path(audit), clock=clock)
    gateway = Gateway(
        [hall()],
        log,
        clock=clock,
        permitted=True,
        make_kit=lambda kind, clock: LampKit(off),
        operator=operator,
    )
    refused = await gateway.arm()
    assert refused is None, refused
    for number in range(int(what) if what.isdigit() else 1):
        planned = await gateway.plan("lamps.off", HALL, [Lamp(number)])
        running = gateway.perform(planned, Decision())
        await wait_until_async(lambda run=running: run.is_done, 30, "the action ends")
    await gateway.close(wait_s=10)
    if what == "outcome":
        await _stop(what)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
