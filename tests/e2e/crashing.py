"""An opsdash with a defect: key F8 raises while a secret is in a local variable."""

import asyncio
import os
import sys
from pathlib import Path

from opsdash.collectors.clock import Clock
from opsdash.collectors.secret import Secret
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.watch import Watch


class Crashing(OpsdashApp):
    def key_f8(self) -> None:
        password = os.environ["TEST_SECRET"]
        registered = Secret(os.environ["TEST_REGISTERED"])
        raise RuntimeError(f"no rows \x1b]52;c;aGk=\x07[/red] {registered.reveal()} {len(password)}")


def main() -> int:
    clock = Clock()
    log = AuditLog(Path(sys.argv[1]) / "audit.jsonl", clock=clock)
    app = Crashing(Watch([], Gateway([], log, clock=clock, permitted=False), clock))
    asyncio.run(app.run_async())
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
