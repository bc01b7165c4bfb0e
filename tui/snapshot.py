"""`opsdash snapshot`: all that was seen, for a script as JSON, for a ticket as text or a picture."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Literal

from opsdash.collectors.clock import Clock
from opsdash.collectors.secret import redact
from opsdash.collectors.target import Target
from opsdash.tui.check import look
from opsdash.tui.check_report import as_document, exit_code
from opsdash.tui.screen_settings import ThemeChoice

Form = Literal["json", "text", "svg"]

AGAIN_S = 1.0
"""Between the two readings that rates need."""


def run_snapshot(
    targets: Sequence[Target],
    *,
    form: Form,
    size: tuple[int, int],
    clock: Clock,
    theme: ThemeChoice = "auto",
) -> int:
    """Read every target twice and print what was seen on standard output.

    Args:
        targets: What to read.
        form: json: every value, as `opsdash check --json` has them; text, svg: the overview as it would be
            on a terminal.
        size: Columns and lines of that terminal.
        clock: The time.
        theme: Of the picture; auto: dark, whatever the terminal is.

    Returns:
        As `opsdash check`: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    report = asyncio.run(look(targets, clock, again_after_s=AGAIN_S))
    if form == "json":
        said = as_document(report)
    else:
        from opsdash.tui.picture import draw  # Textual, which the other form does without

        said = draw(report, form=form, size=size, clock=clock, theme="dark" if theme == "auto" else theme)
    sys.stdout.write(redact(said))
    sys.stdout.flush()
    return exit_code(report.findings)
