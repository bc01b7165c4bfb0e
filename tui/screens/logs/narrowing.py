"""The part of the log screen that narrows and finds: filters, ids, sources, search."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.lines.filter import Filter, FilterError, SlowFilter, parse
from opsdash.collectors.lines.ids import ids_of
from opsdash.collectors.lines.source_lines import LineRef
from opsdash.tui.screens.logs.following import Following
from opsdash.tui.screens.logs.seek import Seeker
from opsdash.tui.watch import Watch
from opsdash.widgets.log_painting import LogPainting
from opsdash.widgets.prompt import Prompt
from opsdash.widgets.status import Tone

_SEARCH_HINT = "text or /pattern/, then n N"
_FILTER_HINT = "text  -not  /pattern/  >=warn  @source"


class Narrowing(Following):
    """Lines of which only some are shown, or gone to."""

    called = "log lines"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask_search", "search", id="log.search"),
        Binding("n", "again(True)", "next match", show=False, id="log.next"),
        Binding("N", "again(False)", "match before", show=False, id="log.previous"),
        Binding("f", "only_bad", "faults only", id="log.only_bad"),
        Binding("F,ampersand", "ask_filter", "filter", id="log.filter"),
        Binding("backspace", "unfilter", "without the last filter", show=False, id="log.unfilter"),
        Binding("E", "error(False)", "prev error", id="log.previous_error"),
        Binding("e", "error(True)", "next error", id="log.next_error"),
        Binding("i", "only_id", "only this id", id="log.only_id"),
        Binding("left_square_bracket", "neighbour(-1)", "source before", show=False, id="log.source_before"),
        Binding("right_square_bracket", "neighbour(1)", "next source", show=False, id="log.next_source"),
    ]

    def __init__(self, watch: Watch, sources: tuple[str, ...] | None, number: int | None) -> None:
        super().__init__(watch, sources, number)
        self._seeker = Seeker(self._view, self, watch.clock)

    def body(self) -> Iterable[Widget]:
        """Where filters and searches are typed, below the lines."""
        yield from super().body()
        yield Prompt()

    # -- filters --------------------------------------------------------------------------------------

    def action_only_bad(self) -> None:
        """Only warnings and errors, or everything again."""
        self._scope.is_only_bad = not self._scope.is_only_bad
        self.filters_changed()

    def action_unfilter(self) -> None:
        """Without the filter that was set last."""
        if self._scope.unstack() is None:
            self.notice("there is no filter")
        self.filters_changed()

    def action_only_id(self) -> None:
        """Only lines with an id of this line, of all sources; again: the next id of the line; then all."""
        ids, chosen = _ids_at(self._view.cursor), self._scope.only_id
        place = ids.index(chosen) + 1 if chosen in ids else 0
        follows = ids[place] if place < len(ids) else None
        self._scope.follow_id(follows)
        if follows is not None:
            self.notice(f"id {place + 1} of {len(ids)} in this line, i takes the next", Tone.OK)
        else:
            self.notice("this line names no id" if chosen is None else "all ids again")
        self.filters_changed()

    def action_neighbour(self, step: int) -> None:
        """Only the next source, or the one before; after the last one all again."""
        identities = [lines.source.identity for lines in self._scope.known]
        ways: list[tuple[str, ...] | None] = [None, *((identity,) for identity in identities)]
        now = self._scope.chosen
        place = ways.index(now) if now in ways else 0
        self._scope.chosen = ways[(place + step) % len(ways)]
        self.filters_changed()

    # -- what is typed --------------------------------------------------------------------------------

    def action_ask_filter(self) -> None:
        """Have a filter typed."""
        self.query_one(Prompt).ask("filter", "+", _FILTER_HINT)

    def action_ask_search(self) -> None:
        """Have a text to look for typed."""
        self.query_one(Prompt).ask("search", "/", _SEARCH_HINT)

    def on_prompt_given(self, message: Prompt.Given) -> None:
        """Look for it, or filter by it; what makes no sense is told and can be mended."""
        try:
            if message.purpose == "filter":
                self._scope.stack(parse(message.text))
                self.filters_changed()
            elif self._seeker.set_text(message.text):
                self._seek(self._seeker.first)
        except FilterError as error:
            self.query_one(Prompt).say(str(error))
        else:
            self.on_prompt_left()

    def on_prompt_left(self) -> None:
        """Back to the lines."""
        self.query_one(Prompt).close()
        self._view.focus()

    # -- finding --------------------------------------------------------------------------------------

    def action_again(self, forward: bool) -> None:
        """The next or previous match."""
        self._seek(partial(self._seeker.again, forward=forward))

    def action_error(self, forward: bool) -> None:
        """The next or previous error."""
        self._seek(partial(self._seeker.error, forward=forward))

    def _seek(self, seeking: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.begin(partial(self._seek_bounded, seeking), "seek")

    async def _seek_bounded(self, seeking: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await seeking()
        except SlowFilter as error:
            self._give_up_search(str(error))

    def on_log_painting_search_too_slow(self, message: LogPainting.SearchTooSlow) -> None:
        """What is looked for could not be marked in the lines."""
        self._give_up_search(str(SlowFilter(Filter(kind="pattern", value=message.pattern))))

    def _give_up_search(self, why: str) -> None:
        self._seeker.give_up()
        self.notice(why)


def _ids_at(line: LineRef | None) -> tuple[str, ...]:
    """The ids that a line names; a line of a stack trace names none itself, so its record's."""
    if line is None or not line.is_held:
        return ()
    lines, number = line
    return ids_of(line.record) or ids_of(lines.record(lines.head(number)))
