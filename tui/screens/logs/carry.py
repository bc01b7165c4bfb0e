"""Lines carried out of the screen: to the clipboard, into a file. Masked by pattern, best effort."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from opsdash.collectors.clock import Clock
from opsdash.collectors.format import plural
from opsdash.collectors.lines.mask import mask
from opsdash.collectors.lines.merge import Position, Timeline
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.collectors.text import clean
from opsdash.tui.clipboard import copy
from opsdash.tui.config import state_folder
from opsdash.tui.export import ExportError, ExportFile, shown_path, write_all
from opsdash.tui.screens.logs.seek import SLICE_S, give_way
from opsdash.tui.screens.place import Place
from opsdash.widgets.logview import LogView
from opsdash.widgets.status import Tone

_STEP_LINES = 50
"""Read between two looks at the clock."""
_PART_LINES = 1000
"""Written at once at the most."""
NOTE = "masked by pattern, best effort: secrets that do not look like one may be left in it"


class Carrier:
    """Copies and exports for one log screen."""

    def __init__(self, place: Place, view: LogView, clock: Clock) -> None:
        self._place = place
        self._view = view
        self._clock = clock
        self.progress: float | None = None
        """How much of an export is written; None: none is under way."""

    async def copy(self) -> None:
        """The marked lines, else the record under the cursor."""
        lines = self._view.marked() or self._record_under_cursor()
        if not lines:
            self._place.notice("no line to copy")
            return
        text = "\n".join(line_text(line, with_source=False) for line in lines)
        try:
            copied = await copy(self._place.app, text)
        except ExportError as error:
            self._place.notice(f"not copied: {error}", Tone.CRIT)
            return
        self._place.notice(f"{plural(len(lines), 'line')}, masked, to {clean(copied.to)}", Tone.OK)

    async def export(self, about: Sequence[str]) -> None:
        """The marked lines, else all that the filters leave, into a new file.

        Args:
            about: What was filtered by and from which sources, for the file's first lines.
        """
        window = self._view.window
        marked = self._view.marked()
        now = self._clock.now()
        file = ExportFile(state_folder(os.environ) / "exports", f"logs-{now:%Y%m%d-%H%M%S}")
        self.progress = 0.0
        try:
            await write_all(file, self._parts(window.timeline, window.end, marked, about, now))
        except asyncio.CancelledError:
            self._place.notice("export broken off: no file was left")
            raise
        except ExportError as error:
            self._place.notice(f"not exported: {error}", Tone.CRIT)
        else:
            self._place.notice(f"exported, masked best effort: {shown_path(file.path)}", Tone.OK)
        finally:
            self.progress = None

    def _record_under_cursor(self) -> tuple[LineRef, ...]:
        cursor = self._view.cursor
        if cursor is None or not cursor.is_held:
            return ()
        lines, number = cursor
        return tuple(LineRef(lines, n) for n in range(lines.head(number), lines.end_of_record(number)))

    async def _parts(
        self,
        timeline: Timeline,
        end: Position,
        marked: Sequence[LineRef],
        about: Sequence[str],
        now: datetime,
    ) -> AsyncIterator[str]:
        """The text of the file, in parts that take no longer than a key may wait."""
        head = (f"opsdash log export, {now:%Y-%m-%d %H:%M:%S} UTC", NOTE, *about)
        yield "".join(f"# {one}\n" for one in head)
        total = max(len(marked) or timeline.rank(end), 1)
        with_source = len(timeline.lanes) > 1
        done, place, until = 0, timeline.first(), self._clock.mono_s() + SLICE_S
        text: list[str] = []
        while True:
            if marked:
                lines: Sequence[LineRef] = marked[done : done + _STEP_LINES]
            else:
                lines, place = timeline.below(place, _STEP_LINES, end)
            if not lines:
                break
            text += [line_text(line, with_source=with_source) for line in lines if line.is_held]
            done += len(lines)
            if len(text) >= _PART_LINES or self._clock.mono_s() >= until:
                yield "".join(f"{one}\n" for one in text)
                text.clear()
                self.progress = min(done / total, 1.0)
                await give_way()
                until = self._clock.mono_s() + SLICE_S
        yield "".join(f"{one}\n" for one in text)


def line_text(line: LineRef, *, with_source: bool) -> str:
    """A line as it was printed, cleaned and masked; before it its source.

    Among lines of several sources, one that states no time has that of its reading.
    """
    lines, number = line
    text = mask(clean(lines.buffer.line(number).decode("utf-8", "replace")))
    if not with_source:
        return text
    if line.record.at is None and not lines.continues(number):
        read_at = datetime.fromtimestamp(lines.buffer.arrived_at(number), UTC)
        text = f"{read_at:%Y-%m-%dT%H:%M:%SZ} (read) {text}"
    return f"{clean(lines.source.name)} | {text}"
