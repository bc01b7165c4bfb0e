"""The lines of logs, all sources in one view: followed, filtered, searched, looked into."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.worker import Worker

from opsdash.collectors.feed import TargetView
from opsdash.collectors.lines.filter import FilterError, parse
from opsdash.collectors.lines.ids import ids_of
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.collectors.lines.summary import SourceSummary
from opsdash.tui.screens.logs.carry import Carrier
from opsdash.tui.screens.logs.scope import LogScope
from opsdash.tui.screens.logs.seek import PAUSE_S, SLICE_S, Seeker
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.logview import LogView
from opsdash.widgets.panels.log.fields import field_lines
from opsdash.widgets.panels.log.head import HeadState, errors_line, head_line, thousands
from opsdash.widgets.prompt import Prompt
from opsdash.widgets.status import Tone

LOOK_S = 0.05
"""How often it is looked whether lines have come."""
FRAME_S = 0.2
"""At least so long between two frames of a flood; a key is answered at once."""

_SEARCH_HINT = "text or /pattern/, then n N"
_FILTER_HINT = "text  -not  /pattern/  >=warn  @source"


def open_logs(watch: Watch, sources: tuple[str, ...] | None = None, number: int | None = None) -> "LogScreen":
    """The lines of sources.

    Args:
        watch: What is watched.
        sources: Identities of the sources; None: all.
        number: Line of the first of them to stand on; None: the newest lines are followed.
    """
    return LogScreen(watch, sources, number)


class LogScreen(Place):
    """Lines, and what is filtered by above them."""

    called = "log lines"
    lists = "log"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask_search", "search", id="log.search"),
        Binding("n", "again(True)", "next match", show=False, id="log.next"),
        Binding("N", "again(False)", "match before", show=False, id="log.previous"),
        Binding("f", "only_bad", "faults only", id="log.only_bad"),
        Binding("F,ampersand", "ask_filter", "filter", id="log.filter"),
        Binding("backspace", "unfilter", "without the last filter", show=False, id="log.unfilter"),
        Binding("E", "error(False)", "error before", id="log.previous_error"),
        Binding("e", "error(True)", "next", id="log.next_error"),
        Binding("i", "only_id", "only this id", id="log.only_id"),
        Binding("tab", "sources", "sources", id="log.sources"),
        Binding(
            "left_square_bracket", "neighbour(-1)", "source before", show=False, id="log.previous_source"
        ),
        Binding(
            "right_square_bracket", "neighbour(1)", "next source alone", show=False, id="log.next_source"
        ),
        Binding("y", "copy_lines", "copy", id="log.copy"),
        Binding("x", "export_lines", "export", id="log.export"),
        Binding("p", "pause", "pause", id="log.pause"),
    ]

    DEFAULT_CSS = """
    LogScreen #head { height: 1; }
    LogScreen #errors { height: 1; }
    LogScreen #fields { height: auto; max-height: 50%; display: none; }
    LogScreen #fields Lines { height: auto; }
    LogScreen #fields.-open { display: block; }
    """

    def __init__(self, watch: Watch, sources: tuple[str, ...] | None, number: int | None) -> None:
        super().__init__(watch)
        self._scope = LogScope(watch.log_sources, sources)
        self._wanted = number
        """A line to go to as soon as it is there."""
        self._view = LogView(id="lines")
        self._seeker = Seeker(self._view, self, watch.clock)
        self._carrier = Carrier(self, self._view, watch.clock)
        self._painted: tuple[object, float] = (None, 0.0)
        """The end of the lines and the time of the last frame."""
        self._export: Worker[None] | None = None
        self._opened: LineRef | None = None
        """The line whose fields are shown."""

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Nothing in a log can be acted upon; the order is that of need."""
        order = {key: place for place, key in enumerate((*"/FfEe", "Enter", "i", "Tab", "w", "p", "G"))}
        shown = [key for key in super().keys() if key[0] != "a"]  # noqa: SIM118 - no dictionary
        return tuple(sorted(shown, key=lambda key: order.get(key[0], 50 if key[0] != "Esc" else 99)))

    # -- what is shown --------------------------------------------------------------------------------

    def crumbs(self) -> tuple[Line, Line]:
        """The path, and whether the end is followed."""
        names = [lines.source.name for lines in self._scope.known if self._is_chosen(lines.source.identity)]
        one = f" › {names[0]}" if self._scope.chosen is not None and len(names) == 1 else ""
        return ("Overview › ", ("5 Logs", Tone.ACCENT), one), self._state()

    def _is_chosen(self, identity: str) -> bool:
        return self._scope.chosen is None or identity in self._scope.chosen

    def _state(self) -> Line:
        """Following, paused, or where we are."""
        window = self._view.window
        if self._carrier.progress is not None:
            return ((f"exporting {self._carrier.progress * 100:.0f}%  Esc breaks off", Tone.WARN),)
        if window.has_lost:
            return (("▲ the lines that were here had to go: newer ones needed the room", Tone.WARN),)
        new = f", {thousands(window.waiting)} new" if window.waiting else ""
        if window.paused is not None:
            return ((f"‖ paused{new}  p goes on", Tone.WARN),)
        if window.is_following:
            return (("● following", Tone.OK),)
        above = window.lines_above
        where = f"at {above / len(window.timeline) * 100:.0f}%" if above else "from the first"
        return ((f"{where}{new}  G follows", Tone.ACCENT),)

    def body(self) -> Iterable[Widget]:
        """What is filtered by, errors per minute, the lines, the fields of one."""
        yield Lines(id="head")
        yield Lines(id="errors")
        yield self._view
        with VerticalScroll(id="fields", can_focus=False):
            yield Lines(id="field-lines")
        yield Prompt()

    def on_mount(self) -> None:
        """Start in the lines, and look for new ones."""
        super().on_mount()
        self._view.focus()
        self.set_interval(LOOK_S, self._look, name="look for lines")

    def show_feed(self) -> None:
        """Other sources, counters, lines that came."""
        if self._scope.refresh():
            self._scope.sift(self.watch_over.clock, SLICE_S)
            self._view.show(self._scope.timeline)
            self._sift()
        self._view.today = self.watch_over.clock.now()
        self._view.empty = self._why_empty()
        self._go_to_wanted()
        self._show_head()
        self._look()

    def _look(self) -> None:
        """Draw when lines have come, though not more often than a frame's time."""
        if not self.is_current:
            return
        end, now_s = self._scope.timeline.end(), self.watch_over.clock.mono_s()
        painted_end, painted_s = self._painted
        if end == painted_end or now_s - painted_s < FRAME_S:
            return
        if self._scope.in_force:
            self._sift()
        self._paint()

    def _paint(self) -> None:
        self._painted = (self._scope.timeline.end(), self.watch_over.clock.mono_s())
        self._view.repaint()
        if self._scope.is_complete:
            self._view.window.rest()

    def _show_head(self) -> None:
        width, scope = self.size.width, self._scope
        summaries = self._summaries()
        state = HeadState(
            sources=len(scope.lanes),
            of_sources=len(scope.known),
            failing=sum(1 for summary in summaries if summary.failure is not None),
            filters=tuple(map(str, scope.filters)),
            is_only_bad=scope.is_only_bad,
            lines=len(scope.timeline),
            of_lines=scope.held,
            sifted_ratio=1.0 if scope.is_complete else scope.sifted_ratio,
            dropped=scope.dropped,
            marked=len(self._view.marks),
            times=self._view.times,
        )
        self.query_one("#head", Lines).show((head_line(state, width),))
        self.query_one("#errors", Lines).show((errors_line(summaries, width),))

    def _summaries(self) -> tuple[SourceSummary, ...]:
        """What the newest readings say of the sources that are looked at, and of those that cannot be."""
        looked_at = {lane.lines.source.identity for lane in self._scope.lanes}
        datas = (view.data for view in self._views())
        logs = (summary for data in datas for summary in getattr(data, "logs", ()))
        return tuple(
            summary
            for summary in logs
            if summary.identity in looked_at
            or (summary.failure is not None and self._is_chosen(summary.identity))
        )

    def _views(self) -> tuple[TargetView, ...]:
        return self.watch_over.feed.views()

    def _why_empty(self) -> str:
        """What it means that there are no lines."""
        scope = self._scope
        if not scope.known:
            said = [f"✖ {view.target.name}: {view.failure.reason}" for view in self._views() if view.failure]
            return "\n".join(("? no source of lines is known yet", *said))
        failures = [summary.failure for summary in self._summaries() if summary.failure is not None]
        if not scope.lanes and failures:
            return "\n".join(f"✖ {failure.kind.value}: {failure.reason}" for failure in failures)
        if not scope.lanes:
            return "no source is left by the filters: Backspace takes the last one away"
        if scope.in_force and scope.held:
            yet = "" if scope.is_complete else " yet"
            held = thousands(scope.held)
            return f"no line is left by the filters{yet}, of {held} held: Backspace takes the last one away"
        return "? no lines yet: they show as they are printed"

    def _go_to_wanted(self) -> None:
        """Stand on the line that a finding names, as soon as it is there."""
        if self._wanted is None or not self._scope.lanes:
            return
        number, self._wanted = self._wanted, None
        line = LineRef(self._scope.lanes[0].lines, number)
        if line.is_held:
            self._view.go_to(line)
        else:
            self.notice("the line that led here is not held any more")

    # -- filters --------------------------------------------------------------------------------------

    def _sift(self) -> None:
        """Let the filters go through what is held; a little at once, so that the screen fills."""
        if not self._scope.in_force:
            return
        self._scope.sift(self.watch_over.clock, SLICE_S)
        if not self._scope.is_complete:
            self.run_worker(self._sift_on(), exclusive=True, group="sift", exit_on_error=False)

    async def _sift_on(self) -> None:
        while not self._scope.is_complete:
            await asyncio.sleep(PAUSE_S)
            self._scope.sift(self.watch_over.clock, SLICE_S)
            if self.watch_over.clock.mono_s() - self._painted[1] >= FRAME_S:
                self._paint()
                self._show_head()
        self._paint()
        self._show_head()

    def _filters_changed(self) -> None:
        self._painted = (None, 0.0)
        self.redraw()
        self._paint()

    def action_only_bad(self) -> None:
        """Only warnings and errors, or everything again."""
        self._scope.is_only_bad = not self._scope.is_only_bad
        self._filters_changed()

    def action_unfilter(self) -> None:
        """Without the filter that was set last."""
        taken = self._scope.unstack()
        if taken is None:
            self.notice("there is no filter")
        self._filters_changed()

    def action_only_id(self) -> None:
        """Only lines with an id of this line, of all sources; again: the next id of the line; then all."""
        cursor = self._view.cursor
        ids: tuple[str, ...] = ()
        if cursor is not None and cursor.is_held:
            # a line of a stack trace names none itself
            ids = ids_of(cursor.record) or ids_of(cursor.lines.record(cursor.lines.head(cursor.number)))
        chosen = self._scope.only_id
        if not ids:
            self._scope.follow_id(None)
            self.notice("this line names no id" if chosen is None else "all ids again")
        else:
            place = ids.index(chosen) + 1 if chosen in ids else 0
            self._scope.follow_id(ids[place] if place < len(ids) else None)
            more = f"id {place + 1} of {len(ids)} in this line, i takes the next" if place < len(ids) else ""
            self.notice(more or "all ids again", Tone.OK)
        self._filters_changed()

    def action_ask_filter(self) -> None:
        """Have a filter typed."""
        self.query_one(Prompt).ask("filter", "+", _FILTER_HINT)

    def action_ask_search(self) -> None:
        """Have a text to look for typed."""
        self.query_one(Prompt).ask("search", "/", _SEARCH_HINT)

    def on_prompt_given(self, message: Prompt.Given) -> None:
        """Look for it, or filter by it."""
        prompt = self.query_one(Prompt)
        try:
            if message.purpose == "search":
                if self._seeker.set_text(message.text):
                    self._seek(self._seeker.first())
            else:
                self._scope.stack(parse(message.text))
                self._filters_changed()
        except FilterError as error:
            prompt.say(str(error))
            return
        self.on_prompt_left()

    def on_prompt_left(self) -> None:
        """Back to the lines."""
        self.query_one(Prompt).close()
        self._view.focus()

    # -- moving ---------------------------------------------------------------------------------------

    def on_log_view_moved(self) -> None:
        """Say where we are now, and show the fields of the line under the cursor."""
        if self._opened is not None:
            self._show_fields(self._view.cursor)
        self.redraw()

    def action_again(self, forward: bool) -> None:
        """The next or previous match."""
        self._seek(self._seeker.again(forward=forward))

    def action_error(self, forward: bool) -> None:
        """The next or previous error."""
        self._seek(self._seeker.error(forward=forward))

    def _seek(self, seeking: Coroutine[Any, Any, None]) -> None:
        self.run_worker(seeking, exclusive=True, group="seek", exit_on_error=False)

    def action_pause(self) -> None:
        """Leave out what comes, or show it again."""
        window = self._view.window
        if window.paused is None:
            window.pause()
        else:
            window.go_on()
        self._view.repaint()
        self.redraw()

    def action_sources(self) -> None:
        """The list of the sources."""
        from opsdash.tui.screens.logs.sources import SourcesScreen  # it opens this screen in turn

        self.app.push_screen(SourcesScreen(self.watch_over))

    def action_neighbour(self, step: int) -> None:
        """Only the next source, or the one before; after the last one all again."""
        identities = [lines.source.identity for lines in self._scope.known]
        ways: list[tuple[str, ...] | None] = [None, *((identity,) for identity in identities)]
        now = self._scope.chosen
        place = ways.index(now) if now in ways else 0
        self._scope.chosen = ways[(place + step) % len(ways)]
        self._filters_changed()

    # -- one line -------------------------------------------------------------------------------------

    def on_log_view_chosen(self, message: LogView.Chosen) -> None:
        """Enter: the fields of the line; again: away with them."""
        self._show_fields(None if self._opened is not None else message.line)

    def _show_fields(self, line: LineRef | None) -> None:
        box = self.query_one("#fields")
        self._opened = line if line is not None and line.is_held else None
        box.set_class(self._opened is not None, "-open")
        if self._opened is None:
            return
        lines, number = self._opened
        head = lines.head(number)
        raw = tuple(lines.buffer.lines(head, min(lines.end_of_record(number), head + 60)))
        shown = field_lines(
            lines.record(head),
            source=lines.source.name,
            raw=raw,
            arrived_at=lines.buffer.arrived_at(head),
            width=max(self.size.width - 2, 20),
        )
        self.query_one("#field-lines", Lines).show(shown)
        box.scroll_home(animate=False)

    async def action_show_all_or_back(self) -> None:
        """Esc: break an export off, close the fields, show what filters hide, else one level back."""
        if self._export is not None and self._export.is_running:
            self._export.cancel()
        elif self._opened is not None:
            self._show_fields(None)
        elif self._scope.in_force:
            self._scope.show_all()
            self._filters_changed()
        else:
            await self.app.run_action("back")

    # -- carrying away --------------------------------------------------------------------------------

    def action_copy_lines(self) -> None:
        """The marked lines, or the record under the cursor, to the clipboard."""
        self.run_worker(self._carrier.copy(), exclusive=True, group="copy", exit_on_error=False)

    def action_export_lines(self) -> None:
        """The marked lines, or all that the filters leave, into a file."""
        if self._export is not None and self._export.is_running:
            self.notice("an export is under way: Esc breaks it off")
            return
        names = ", ".join(lane.lines.source.name for lane in self._scope.lanes)
        filters = " ".join(map(str, self._scope.in_force)) or "none"
        about = (f"sources: {names}", f"filters: {filters}")
        self._export = self.run_worker(self._carrier.export(about), group="export", exit_on_error=False)
