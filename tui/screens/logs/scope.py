"""What a log screen looks at: which sources, through which filters."""

from collections.abc import Callable, Hashable, Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.lines.filter import Filter, keeps_source
from opsdash.collectors.lines.merge import Lane, Timeline, WholeLane
from opsdash.collectors.lines.record import Level
from opsdash.collectors.lines.sieve import Sieve, sift
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.source_lines import SourceLines

_ONLY_BAD = Filter(kind="level", value=Level.WARN.name)


class LogScope:
    """Sources and filters; gives the timeline that follows from them."""

    def __init__(
        self,
        sources: Callable[[], tuple[LogSource, ...]],
        chosen: tuple[str, ...] | None,
        came: Callable[[], None],
    ) -> None:
        """Look at sources until `close`.

        Args:
            sources: What sources there are now.
            chosen: The identities of those to look at; None: all.
            came: Called whenever a source that there is has new lines.
        """
        self._sources = sources
        self._came = came
        self._opened: dict[Hashable, SourceLines] = {}
        self.chosen = chosen
        self.filters: tuple[Filter, ...] = ()
        """In the order in which they were stacked; all of them hold."""
        self.is_only_bad = False
        """Whether only warnings and worse are shown."""
        self.timeline = Timeline(())
        self.is_complete = True
        """Whether the filters have gone through everything that is held."""
        self._made_of: object = None

    @property
    def known(self) -> tuple[SourceLines, ...]:
        """Every source that there is."""
        return tuple(self._opened.values())

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Those that are looked at."""
        return self.timeline.lanes

    @property
    def held(self) -> int:
        """Lines held of the sources that are looked at, whatever the filters say."""
        return sum(lane.lines.buffer.end - lane.lines.buffer.first for lane in self.lanes)

    @property
    def dropped(self) -> int:
        """Lines of them that had to go since they were opened."""
        return sum(lane.lines.buffer.dropped for lane in self.lanes)

    @property
    def in_force(self) -> tuple[Filter, ...]:
        """All filters, `f` included."""
        return (*self.filters, _ONLY_BAD) if self.is_only_bad else self.filters

    @property
    def only_id(self) -> str | None:
        """The id whose lines alone are shown; None: of all."""
        return next((one.value for one in self.filters if one.kind == "id"), None)

    def has(self, identity: str) -> bool:
        """Whether a source is among those chosen."""
        return self.chosen is None or identity in self.chosen

    def refresh(self) -> bool:
        """Look which sources there are. Whether there is another timeline than before."""
        self._open(self._sources())
        shown = [lines for lines in self._opened.values() if self._is_looked_at(lines)]
        made_of = (tuple(map(id, shown)), self.in_force)
        if made_of == self._made_of:
            return False
        self._made_of = made_of
        on_lines = [one for one in self.in_force if one.kind != "source"]
        lanes = [Sieve(lines, on_lines) if on_lines else WholeLane(lines) for lines in shown]
        self.timeline = Timeline(lanes)
        self.is_complete = not on_lines
        return True

    def close(self) -> None:
        """Look at nothing any more."""
        for lines in self._opened.values():
            lines.buffer.listeners.discard(self._came)

    def sift(self, clock: Clock, budget_s: float) -> None:
        """Let the filters go on for a while.

        Raises:
            SlowFilter: One of them would take for ever; `drop` it.
        """
        sieves = [lane for lane in self.lanes if isinstance(lane, Sieve)]
        self.is_complete = sift(sieves, clock, budget_s)

    @property
    def sifted_ratio(self) -> float:
        """How much of what is held the filters have gone through."""
        unread = sum(lane.unread for lane in self.lanes if isinstance(lane, Sieve))
        return 1.0 - unread / self.held if self.held else 1.0

    def stack(self, filters: Sequence[Filter]) -> None:
        """Add filters; one that is there already stays where it is."""
        self.filters = tuple(dict.fromkeys((*self.filters, *filters)))

    def drop(self, one: Filter) -> None:
        """Take a filter away."""
        self.filters = tuple(kept for kept in self.filters if kept != one)

    def unstack(self) -> Filter | None:
        """Take away the last one that was set; gives it, or None when there was none."""
        if self.filters:
            *kept, last = self.filters
            self.filters = tuple(kept)
            return last
        if self.is_only_bad:
            self.is_only_bad = False
            return _ONLY_BAD
        return None

    def show_all(self) -> None:
        """Without any filter."""
        self.filters, self.is_only_bad = (), False

    def follow_id(self, value: str | None) -> None:
        """Show only lines with this id, of all sources; None: no longer."""
        kept = tuple(one for one in self.filters if one.kind != "id")
        self.filters = kept if value is None else (*kept, Filter(kind="id", value=value))

    def _is_looked_at(self, lines: SourceLines) -> bool:
        is_chosen = self.has(lines.source.identity) or self.only_id is not None
        return is_chosen and keeps_source(self.filters, lines.source.name)

    def _open(self, sources: Sequence[LogSource]) -> None:
        """Keep what is open; a source that began anew has another buffer."""
        opened: dict[Hashable, SourceLines] = {}
        for source in sources:
            key = (source.target, source.identity)
            known = self._opened.get(key)
            if known is None or known.buffer is not source.buffer:
                known = SourceLines(source)
            known.source = source  # a container may be renamed
            opened[key] = known
        for lines in self._opened.values():
            lines.buffer.listeners.discard(self._came)
        for lines in opened.values():
            lines.buffer.listeners.add(self._came)
        self._opened = opened
