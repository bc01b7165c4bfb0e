"""What opsdash costs: itself, and each target that it asks."""

import resource
import sys
from collections.abc import Iterable

import msgspec
from textual.widget import Widget

from opsdash.collectors.cost import Cost
from opsdash.collectors.format import duration
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import LeafTable, Table


class CostLine(msgspec.Struct, frozen=True, kw_only=True):
    """One target."""

    target: TargetId
    interval_s: float
    cost: Cost | None
    """None: it was not read yet."""

    @property
    def busy_ms_per_s(self) -> float | None:
        """How long the target had to answer us; None when it is not known yet."""
        cost = self.cost
        return cost.waited_s * 1000 / cost.span_s if cost is not None and cost.span_s > 0 else None

    @property
    def requests_per_min(self) -> float | None:
        """None when it is not known yet."""
        cost = self.cost
        return cost.requests * 60 / cost.span_s if cost is not None and cost.span_s > 0 else None

    @property
    def read_s(self) -> float | None:
        """Of one reading; None before the first."""
        return self.cost.waited_s / self.cost.reads if self.cost is not None and self.cost.reads else None


def _or_unknown(value: float | None, text: str) -> str:
    return "-" if value is None else text


COST_COLUMNS: tuple[Column[CostLine], ...] = (
    Column(key="kind", title="KIND", width=10, cell=lambda r: r.target.kind, sort=lambda r: r.target.kind),
    Column(
        key="target",
        title="TARGET",
        width=16,
        grow=1,
        cell=lambda r: r.target.name,
        sort=lambda r: r.target.name,
    ),
    Column(
        key="every",
        title="EVERY",
        width=6,
        align="right",
        cell=lambda r: f"{r.interval_s:g}s",
        sort=lambda r: r.interval_s,
        unit="s",
    ),
    Column(
        key="read",
        title="A READING",
        width=9,
        align="right",
        cell=lambda r: _or_unknown(r.read_s, duration(r.read_s or 0.0)),
        sort=lambda r: r.read_s,
        unit="s",
        descending_first=True,
    ),
    Column(
        key="busy",
        title="ANSWERING",
        width=11,
        align="right",
        cell=lambda r: _or_unknown(r.busy_ms_per_s, f"{r.busy_ms_per_s or 0.0:.1f} ms/s"),
        sort=lambda r: r.busy_ms_per_s,
        unit="ms",
        descending_first=True,
    ),
    Column(
        key="requests",
        title="REQUESTS/MIN",
        width=12,
        align="right",
        cell=lambda r: _or_unknown(r.requests_per_min, f"{r.requests_per_min or 0.0:.0f}"),
        sort=lambda r: r.requests_per_min,
        descending_first=True,
    ),
)


_HINT = "ANSWERING: its time and the network's, over a minute  + reads less often"


class CostScreen(Place):
    """A line per target; the dearest can be read less often with +."""

    called = "cost"

    DEFAULT_CSS = """
    CostScreen #head { height: 2; }
    """

    def crumbs(self) -> tuple[Line, Line]:
        """Where we are."""
        return (("Overview › ", ("cost", Tone.ACCENT)), ())

    def body(self) -> Iterable[Widget]:
        """What it is in all, and for each target."""
        yield Lines(id="head")
        yield LeafTable(COST_COLUMNS, key=lambda r: r.target, id="costs", sort="busy")

    def on_mount(self) -> None:
        """Start with the cursor on a target."""
        super().on_mount()
        self.query_one("#costs").focus()

    @property
    def target(self) -> TargetId | None:
        """The target under the cursor: what + and - are about."""
        row: CostLine | None = self.query_one("#costs", Table).cursor_row if self.is_mounted else None
        return None if row is None else row.target

    def show_feed(self) -> None:
        """The last minute."""
        watch = self.watch_over
        own = watch.own_cpu.ratio
        cpu = "not known yet" if own is None else f"{own * 100:.1f}% of a core over 10s"
        self.query_one("#head", Lines).show(
            (
                (f"opsdash itself: CPU {cpu}, memory {memory_words()}",),
                ((_HINT, Tone.MUTED),),
            )
        )
        self.query_one("#costs", Table).show(
            [
                CostLine(
                    target=view.target.id,
                    interval_s=view.target.interval_s,
                    cost=watch.cost(view.target.id),
                )
                for view in watch.feed.views()
            ]
        )


def memory_words() -> str:
    """The most memory that this process has had so far."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{used / (1_048_576 if sys.platform == 'darwin' else 1024):.0f} MiB at most"
