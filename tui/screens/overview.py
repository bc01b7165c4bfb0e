"""The first screen: what is wrong, ranked; then one panel per area."""

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import ScreenSuspend
from textual.widget import Widget

from opsdash.collectors.finding import Finding
from opsdash.collectors.format import plural
from opsdash.tui.actions import registry
from opsdash.tui.areas import (
    configured_areas,
    configured_kinds,
    look_at_drawn,
    overview_lines,
    views_of,
)
from opsdash.tui.kinds import KINDS
from opsdash.tui.screens.arrangement import arranged
from opsdash.tui.screens.place import Place
from opsdash.tui.watch import Watch
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import Line, Lines, rule
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.panel import name_cells
from opsdash.widgets.status import GLYPHS, Tone, severity_tone
from opsdash.widgets.table import Table

DIRECT = ("C", "K")
"""Letters of actions that open their plan at once, where a finding suggests them."""
WIDE = 100
"""From this width on findings are told in full."""

_VAST = 200
"""From this width on the keys stand behind the findings: at the edge they would be out of sight."""
_TITLE = 140
"""Cells of a finding there."""

_LEADS_TO = {"connections": "who", "chain": "chain", "lines": "lines"}
"""Places where Enter leads to something more telling than the reasons."""


def _glyph(finding: Finding) -> tuple[str, Tone]:
    tone = severity_tone(finding.severity)
    return f"{GLYPHS[tone]} {finding.severity.word}", tone


def _fix(finding: Finding) -> tuple[str, Tone]:
    """The key and the name of the action that helps best; nothing where none is known."""
    if not finding.actions:
        return "", Tone.ACCENT
    spec = registry.spec(finding.actions[0].action)
    # on other letters actions stand in the menu only: a letter pressed by mistake must open nothing
    key = spec.key if spec.key in DIRECT else "a"
    return f"{key} {spec.short}", Tone.ACCENT


def _hint(finding: Finding) -> tuple[str, Tone]:
    text, tone = _fix(finding)
    return f"Enter {_LEADS_TO.get(finding.place, 'why'):<5} {text}".rstrip(), tone


def finding_columns(width: int, names: int) -> tuple[Column[Finding], ...]:
    """Columns of the list of findings in `width` cells, of which the targets' names have `names`."""
    is_wide, is_vast = width >= WIDE, width >= _VAST
    return (
        Column(key="severity", title="", width=6, cell=_glyph),
        Column(
            key="target", title="", width=names, cell=lambda f: (f.target.name, severity_tone(f.severity))
        ),
        Column(
            key="title",
            title="",
            width=_TITLE if is_vast else 20,
            grow=0 if is_vast else 1,
            cell=(lambda f: f.title) if is_wide else (lambda f: f.short),
        ),
        Column(
            key="hint",
            title="",
            width=28 if is_wide else 16,
            grow=1 if is_vast else 0,
            cell=_hint if is_wide else _fix,
            priority=1,
        ),
    )


def with_notes(lines: tuple[Line, ...], notes: Sequence[str], width: int, height: int) -> tuple[Line, ...]:
    """The areas, and at the lower edge the notes, where all of them fit into what the areas leave.

    They have a heading: below the logs they would pass for lines of one.
    """
    told = (rule((("Notes", Tone.MUTED),), (), width), *(((note, Tone.MUTED),) for note in notes))
    empty = height - len(lines) - len(told)
    return (*lines, *[()] * empty, *told) if notes and empty >= 0 else lines[:height]


class Overview(Place):
    """Findings first, then the areas."""

    called = "overview"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.back", "quit", id="quit"),
        Binding("escape", "show_all_or_back", "show all", show=False, id="escape"),
        *(
            Binding(key, f"suggested('{key}')", short, id=f"suggested.{key}")
            for key, short in {
                spec.key: spec.short for spec in registry.specs() if spec.key in DIRECT
            }.items()
        ),
    ]

    DEFAULT_CSS = """
    Overview #heading { height: 1; }
    Overview #findings { height: 3; }
    Overview #areas { height: 1fr; }
    """

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self._columns_for: tuple[int, int] | None = None
        """For which `finding_columns` the list is."""
        self._top: Hashable | None = None
        """Key of the worst finding when it was drawn."""

    def body(self) -> Iterable[Widget]:
        """Heading, findings, areas."""
        yield Lines(id="heading")
        yield Table(
            finding_columns(WIDE, 0),
            key=lambda f: f.key,
            empty="● nothing is wrong with what is watched",
            show_header=False,
            id="findings",
        )
        yield Lines(id="areas")

    def on_mount(self) -> None:
        """Start with the cursor in the findings."""
        super().on_mount()
        self.query_one("#findings").focus()

    def show_feed(self) -> None:
        """Findings ranked, areas in the room that is left."""
        width, height = self.size.width, self.size.height
        findings = self.watch_over.findings
        self._show_heading(findings, width)
        table = self.query_one("#findings", Table)
        columns_for = (width, name_cells((finding.target.name for finding in findings), width))
        if self._columns_for != columns_for:
            self._columns_for = columns_for
            table.set_columns(finding_columns(*columns_for))
        table.empty = self._nothing_found()
        room = height - 3
        rows = max(1, min(len(findings), room // 2 if height >= 24 else max(room // 3, 2)))
        table.styles.height = rows
        was_on_top = table.cursor_key == self._top
        table.show(findings)
        if findings and was_on_top:  # who has not moved away looks at the worst, whatever that is now
            table.go_to(findings[0].key)
        self._top = findings[0].key if findings else None
        self._show_areas(findings, width, max(room - rows, 0))

    def _nothing_found(self) -> str:
        views = self.watch_over.feed.views()
        unread = sum(1 for v in views if v.latest is None)
        if unread:
            return f"? reading {plural(unread, 'target')} for the first time"
        return f"● nothing is wrong with {plural(len(views), 'target')}"

    def _show_heading(self, findings: tuple[Finding, ...], width: int) -> None:
        count: Line = ((plural(len(findings), "finding"), Tone.MUTED),) if findings else ()
        self.query_one("#heading", Lines).show((rule((("What is wrong", Tone.ACCENT),), count, width),))

    def _show_areas(self, findings: tuple[Finding, ...], width: int, height: int) -> None:
        def draw(kind: str, width: int, height: int) -> tuple[Line, ...]:
            look_at_drawn(self.watch_over, kind, findings, height)
            return overview_lines(
                kind,
                views_of(self.watch_over, kind),
                findings,
                mono_s=self.watch_over.clock.mono_s(),
                width=width,
                height=height,
            )

        areas = configured_areas(self.watch_over)
        lines = arranged(areas, draw, width=width, height=height, sure=(self.size.height - 3) // 2)
        self.query_one("#areas", Lines).show(with_notes(lines, self.watch_over.notes, width, height))

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter leads to why; the digits of the areas are worth a place."""
        told = super().keys()
        first, *others = [(key, "why" if key == "Enter" else does) for key, does in told]
        digits = sorted({KINDS[kind].area for kind in configured_kinds(self.watch_over)})
        many = [(f"{digits[0]}-{digits[-1]}", "areas")] if digits[1:] else []
        areas = many or [(digit, "area") for digit in digits]
        at = next((i for i, (key, _) in enumerate(others) if key == "/"), len(others))
        return (first, *others[:at], *areas, *others[at:])

    async def action_show_all_or_back(self) -> None:
        """Esc: show what a filter hides. It never quits: who goes back once too often stays here."""
        if self.query_one("#findings", Table).is_narrowed:
            await super().action_show_all_or_back()
        else:
            self.notice("this is the overview: q quits", Tone.OK)

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Another place is in front: what was drawn here is not looked at any more, unless it is there."""
        in_front = [screen for screen in self.app.screen_stack if isinstance(screen, Place)][-1]
        if in_front is not self:
            for kind in configured_kinds(self.watch_over):
                look_at_drawn(self.watch_over, kind, (), 0)
            in_front.redraw()

    @property
    def _chosen(self) -> Finding | None:
        row: Finding | None = self.query_one("#findings", Table).cursor_row
        return row

    def on_table_chosen(self, message: Table.Chosen[Finding]) -> None:
        """Enter: why."""
        finding = message.row
        self.post_message(DrillDown(finding.target, finding.place, finding.identity))

    def on_table_cursor_moved(self) -> None:
        """Other keys may work on another finding."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key of an action only where the finding under the cursor suggests it."""
        if action == "suggested":
            return self._suggestion(str(parameters[0])) is not None
        return super().check_action(action, parameters)

    def action_suggested(self, key: str) -> None:
        """Ask for the action that the finding under the cursor suggests on `key`."""
        finding, name = self._chosen, self._suggestion(key)
        if finding is not None and name is not None:
            identities = tuple(s.identity for s in finding.actions if s.action == name)
            self.post_message(ActionRequested(name, finding.target, identities))

    def _suggestion(self, key: str) -> str | None:
        finding = self._chosen if self.is_mounted else None
        if finding is None:
            return None
        return next((s.action for s in finding.actions if registry.spec(s.action).key == key), None)

    def offers(self) -> tuple[ActionRequested, ...]:
        """What `a` offers here: what the finding under the cursor suggests, then what else could be done."""
        finding = self._chosen
        if finding is None:
            return ()
        found = [(s.action, s.identity) for s in finding.actions]
        found += [
            (spec.name, s.identity)
            for s in finding.actions
            for spec in registry.specs_on(finding.target.kind, s.identity)
        ]
        offers = {
            name: ActionRequested(name, finding.target, (identity,), about=finding.short)
            for name, identity in reversed(found)
        }
        return tuple(offers[name] for name in dict.fromkeys(name for name, _ in found))
