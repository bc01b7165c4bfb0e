"""One HTTP endpoint: its last probes, where their time went, sub-checks, and its certificates."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from opsdash.collectors.feed import TargetView
from opsdash.collectors.http.rows import HttpData
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines, Span, labelled
from opsdash.widgets.panel import freshness
from opsdash.widgets.panels.http.endpoint import (
    CHAIN_COLUMNS,
    CHECK_COLUMNS,
    PHASE_COLUMNS,
    PROBE_COLUMNS,
    certificate_lines,
    chain_notes,
    check_rows,
    head_lines,
    phase_lines,
    probe_lines,
)
from opsdash.widgets.panels.http.words import limits_of
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table

VIEWS = ("probes", "phases", "checks", "chain")
"""The tables of an endpoint, in the order of Tab; also the place names that findings lead to."""

_SUBJECTS = {"probes": "http.", "phases": "http.slow", "checks": "http.", "chain": "http.certificate"}
"""View -> beginning of the rules whose findings are told below it."""


class EndpointScreen(Place):
    """One endpoint, one of its tables at a time."""

    called = "one HTTP endpoint"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "turn(1)", "next table", id="endpoint.next", priority=True),
        Binding("shift+tab", "turn(-1)", "table before", show=False, id="endpoint.previous", priority=True),
        Binding("left_square_bracket", "neighbour(-1)", "endpoint before", show=False, id="target.previous"),
        Binding("right_square_bracket", "neighbour(1)", "next endpoint", show=False, id="target.next"),
    ]

    DEFAULT_CSS = """
    EndpointScreen #head { height: 2; }
    EndpointScreen #tabs { height: 1; }
    EndpointScreen #why { height: auto; max-height: 40%; }
    """

    def __init__(self, watch: Watch, target: TargetId, view: str) -> None:
        super().__init__(watch)
        self._target = target
        self._view = view

    @property
    def target(self) -> TargetId:
        """The endpoint shown."""
        return self._target

    @property
    def _seen(self) -> TargetView:
        return self.watch_over.feed.view(self._target)

    def crumbs(self) -> tuple[Line, Line]:
        """The path, the environment and how fresh it is."""
        seen = self._seen
        environment = seen.target.environment
        path: Line = (
            "Overview › 1 Health › ",
            (seen.target.name, Tone.ACCENT),
            (f" ({environment.label})", Tone.CRIT if environment.production else Tone.NORMAL),
            f" › {self._view}",
        )
        return path, freshness(seen, self.watch_over.clock.mono_s())

    def body(self) -> Iterable[Widget]:
        """Figures, the names of the tables, the table, and why."""
        yield Lines(id="head")
        yield Lines(id="tabs")
        yield Table(PROBE_COLUMNS, key=lambda r: r.probe.mono_s, id="probes")
        yield Table(PHASE_COLUMNS, key=lambda r: r.name, id="phases")
        yield Table(CHECK_COLUMNS, key=lambda r: r.name, empty="the body names no dependencies", id="checks")
        yield Table(CHAIN_COLUMNS, key=lambda r: r.place, empty="no certificate", id="chain")
        yield Lines(id="why")

    def on_mount(self) -> None:
        """Start in the table that was asked for."""
        super().on_mount()
        self._open(self._view)

    @property
    def _table(self) -> Table[Any]:
        return self.query_one(f"#{self._view}", Table)

    def _open(self, view: str) -> None:
        self._view = view
        for name in VIEWS:
            self.query_one(f"#{name}").display = name == view
        self._table.focus()
        self.redraw()

    def show_feed(self) -> None:
        """The newest reading, whatever its age; the path line says how old it is."""
        seen = self._seen
        data: HttpData | None = seen.data
        width = self.size.width
        self.query_one("#tabs", Lines).show((self._tabs(data),))
        if data is None:
            self._table.empty = self._nothing_known()
            self.query_one("#why", Lines).show(())
            return
        limits = limits_of(seen)
        self.query_one("#head", Lines).show(head_lines(data, seen, width))
        chain = data.chain
        fill: dict[str, Callable[[], Sequence[Any]]] = {
            "probes": lambda: probe_lines(data, limits),
            "phases": lambda: phase_lines(data),
            "checks": lambda: check_rows(data),
            "chain": lambda: certificate_lines(chain, data.probe.at, limits) if chain else (),
        }
        self._table.show(fill[self._view]())
        self._show_why(data, width)

    def _nothing_known(self) -> str:
        failure = self._seen.failure
        if failure is None:
            return "? waiting for the first probe"
        said = (f"✖ {failure.kind.value}: {failure.reason}", failure.hint or "")
        width = max(self.size.width - 4, 20)
        return "\n".join(line for text in said for line in textwrap.wrap(text, width))

    def _tabs(self, data: HttpData | None) -> Line:
        counts: dict[str, str] = {}
        if data is not None:
            counts = {
                "probes": str(len(data.probes)),
                "checks": str(len(data.probe.checks)),
                "chain": str(len(data.chain.certificates)) if data.chain else "0",
            }
        spans: list[Span] = []
        for name in VIEWS:
            label = f"{name} {counts[name]}" if name in counts else name
            chosen = name == self._view
            spans += [(f"[{label}]" if chosen else f" {label} ", Tone.ACCENT if chosen else Tone.MUTED), " "]
        return tuple(spans)

    def _show_why(self, data: HttpData, width: int) -> None:
        """Below each table what the findings about it say; below the chain also its names."""
        lines: list[Line] = []
        for finding in self.watch_over.findings_of(self._target):
            is_chain = finding.rule == "http.certificate"
            if not finding.rule.startswith(_SUBJECTS[self._view]) or is_chain is not (self._view == "chain"):
                continue
            if finding.cause:
                lines += labelled("likely", finding.cause, width=width)
            if not is_chain:
                for fact in finding.evidence:
                    lines += labelled("seen", fact, width=width)
        if self._view == "chain":
            for label, text, tone in chain_notes(data):
                lines += labelled(label, text, width=width, tone=tone)
        self.query_one("#why", Lines).show(lines)

    def action_turn(self, step: int) -> None:
        """The next or the previous table."""
        self._open(VIEWS[(VIEWS.index(self._view) + step) % len(VIEWS)])

    def action_neighbour(self, step: int) -> None:
        """The next or the previous endpoint."""
        ids = [view.target.id for view in self.watch_over.feed.views("http")]
        self._target = ids[(ids.index(self._target) + step) % len(ids)]
        for name in VIEWS:
            self.query_one(f"#{name}", Table).show(())
        self.query_one("#head", Lines).show(())
        self.redraw()
