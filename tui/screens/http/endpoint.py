"""One HTTP endpoint: its last probes, where their time went, sub-checks, and its certificates."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual.widget import Widget

from opsdash.collectors.http.rows import HttpData
from opsdash.tui.screens.one_target import OneTarget, tabs
from opsdash.widgets.facts import fact_lines
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.panel import reason_lines
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
from opsdash.widgets.table import LeafTable, Table

_SUBJECTS = {"probes": "http.", "phases": "http.slow", "checks": "http.", "chain": "http.certificate"}
"""View -> beginning of the rules whose findings are told below it."""


class EndpointScreen(OneTarget):
    """One endpoint, one of its tables at a time."""

    called = "one HTTP endpoint"
    views = ("probes", "phases", "checks", "chain")

    def body(self) -> Iterable[Widget]:
        """Figures, the names of the tables, the table, and why."""
        yield Lines(id="head")
        yield Lines(id="tabs")
        yield LeafTable(PROBE_COLUMNS, key=lambda r: r.probe.mono_s, id="probes")
        yield LeafTable(PHASE_COLUMNS, key=lambda r: r.name, id="phases")
        yield LeafTable(
            CHECK_COLUMNS, key=lambda r: r.name, empty="the body names no dependencies", id="checks"
        )
        yield LeafTable(CHAIN_COLUMNS, key=lambda r: r.place, empty="no certificate", id="chain")
        yield Lines(id="why")

    @property
    def _table(self) -> Table[Any]:
        return self.query_one(f"#{self._view}", Table)

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

    def _tabs(self, data: HttpData | None) -> Line:
        counts: dict[str, str] = {}
        if data is not None:
            counts = {
                "probes": str(len(data.probes)),
                "checks": str(len(data.probe.checks)),
                "chain": str(len(data.chain.certificates)) if data.chain else "0",
            }
        return tabs(self.views, self._view, counts)

    def _show_why(self, data: HttpData, width: int) -> None:
        """Below each table what the findings about it say; below the chain also its names."""
        is_chain = self._view == "chain"
        told = [
            finding
            for finding in self.watch_over.findings_of(self._target)
            if finding.rule.startswith(_SUBJECTS[self._view])
            and (finding.rule == "http.certificate") is is_chain
        ]
        if is_chain:  # the table and the notes say what was seen
            causes = [("likely", one.cause, Tone.NORMAL) for one in told if one.cause]
            lines = fact_lines((*causes, *chain_notes(data)), width)
        else:
            lines = reason_lines(told, width, titled=False)
        self.query_one("#why", Lines).show(lines)
