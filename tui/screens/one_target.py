"""What the screens of one target share: views on Tab, neighbours on [ and ]."""

import textwrap
from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType

from opsdash.collectors.target import TargetId
from opsdash.tui.screens.at_target import AtTarget
from opsdash.tui.watch import Watch
from opsdash.widgets.lines import Line, Lines, Span
from opsdash.widgets.panel import reason_lines
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


def tabs(views: tuple[str, ...], chosen: str, counts: Mapping[str, str]) -> Line:
    """The names of the views, the one that is open in brackets, with what is in them.

    >>> tabs(("sessions", "blocked"), "blocked", {"blocked": "14"})[2]
    ('[blocked 14]', <Tone.ACCENT: 'accent'>)
    """
    spans: list[Span] = []
    for name in views:
        label = f"{name} {counts[name]}" if name in counts else name
        is_open = name == chosen
        spans += [(f"[{label}]" if is_open else f" {label} ", Tone.ACCENT if is_open else Tone.MUTED), " "]
    return tuple(spans)


class OneTarget(AtTarget):
    """One target, one of its views at a time; each view is a widget whose id is its name."""

    views: ClassVar[tuple[str, ...]] = ()
    """In the order of Tab; also the place names that findings lead to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "turn(1)", "next table", id="view.next", priority=True),
        Binding("shift+tab", "turn(-1)", "table before", show=False, id="view.previous", priority=True),
        Binding("left_square_bracket", "neighbour(-1)", "target before", show=False, id="target.previous"),
        Binding("right_square_bracket", "neighbour(1)", "next target", show=False, id="target.next"),
    ]

    DEFAULT_CSS = """
    OneTarget #head { height: 2; }
    OneTarget #tabs { height: 1; }
    OneTarget #why { height: auto; max-height: 40%; }
    """

    def __init__(self, watch: Watch, target: TargetId, view: str) -> None:
        super().__init__(watch, target)
        self._view = view

    @property
    def step(self) -> str:
        """The view that is open."""
        return self._view

    def on_mount(self) -> None:
        """Start in the view that was asked for."""
        super().on_mount()
        self._open(self._view)

    def _open(self, view: str) -> None:
        self._view = view
        for name in self.views:
            self.query_one(f"#{name}").display = name == view
        self.query_one(f"#{view}").focus()
        self.redraw()

    def reasons(self, width: int) -> tuple[Line, ...]:
        """What the findings say that lead to the view that is open."""
        findings = self.watch_over.findings_of(self._target)
        return reason_lines([finding for finding in findings if finding.place == self._view], width)

    def _nothing_known(self) -> str:
        """What is said in place of data that never came."""
        failure = self._seen.failure
        if failure is None:
            return "? waiting for the first reading"
        said = (f"✖ {failure.kind.value}: {failure.reason}", failure.hint or "")
        width = max(self.size.width - 4, 20)
        return "\n".join(line for text in said for line in textwrap.wrap(text, width))

    def action_turn(self, step: int) -> None:
        """The next or the previous view."""
        self._open(self.views[(self.views.index(self._view) + step) % len(self.views)])

    def action_neighbour(self, step: int) -> None:
        """The next or the previous target of the kind."""
        ids = [view.target.id for view in self.watch_over.feed.views(self._target.kind)]
        self._target = ids[(ids.index(self._target) + step) % len(ids)]
        self.forget()
        self.redraw()

    def forget(self) -> None:
        """Show nothing of the target before."""
        for table in self.query(Table):
            table.show(())
        for lines in self.query(Lines):
            if lines.id not in ("top", "keys", "crumbs"):
                lines.show(())
