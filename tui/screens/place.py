"""What every full screen has: the first line, the way back, the keys, and a redraw when something changed."""

from collections.abc import Iterable
from itertools import islice
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.timer import Timer
from textual.widget import Widget

from opsdash.collectors.target import TargetId
from opsdash.tui.actions import registry
from opsdash.tui.key_names import key_name
from opsdash.tui.screens.row_keys import RowKeys
from opsdash.tui.top import top_state
from opsdash.tui.watch import Watch
from opsdash.widgets.keyline import KeyLine
from opsdash.widgets.lines import Line, Lines, line_width, spread
from opsdash.widgets.messages import ActionRequested
from opsdash.widgets.status import Tone
from opsdash.widgets.topline import TopLine

NOTICE_S = 6.0
"""How long a notice stays."""


def path_line(path: Line, fresh: Line, width: int) -> Line:
    """Where we are and how fresh that is. The path gives way: its beginning, then its end.

    >>> path = ("Overview › 2 Database › ", "orders", " (prod)", " › sessions")
    >>> [path_line(path, ("● 2s",), width)[0] for width in (60, 40, 20)]
    ['Overview › 2 Database › ', 'orders', 'orders']
    >>> path_line(path, ("● 2s",), 20)
    ('orders', ' (prod)', '   ', '● 2s')
    """
    shown = next((p for p in (path, path[1:], path[1:-1]) if line_width(p + fresh) < width), path[1:2])
    return spread(shown, fresh, width)


class Place(RowKeys):
    """A full screen of the app. Subclasses say what is in it and how it follows the feed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "show_all_or_back", "back", id="escape"),
        Binding("q", "app.back", "back", show=False, id="back"),
        Binding("z", "zoom", "zoom", show=False, id="zoom"),
        Binding("p", "pause", "pause", id="pause"),
    ]

    DEFAULT_CSS = """
    Place { layout: vertical; background: $background; color: $foreground; }
    Place #crumbs { height: 1; }
    Place.-zoomed #head, Place.-zoomed #why, Place.-zoomed #areas { display: none; }
    """

    called: ClassVar[str] = ""
    """What kind of place it is, for people."""
    lists: ClassVar[str] = ""
    """The kind whose targets it lists; empty for every other screen."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch_over = watch
        self._noticed: Timer | None = None
        self._paused_mono_s: float | None = None
        """Since when what is shown stands still; None: it is live."""

    @property
    def target(self) -> TargetId | None:
        """The target that the screen is about, for reading it again now."""
        return None

    def crumbs(self) -> tuple[Line, Line] | None:
        """The path to here and how fresh it is; None on the overview."""
        return None

    def body(self) -> Iterable[Widget]:
        """The widgets between the first line and the keys."""
        return ()

    def show_feed(self) -> None:
        """Draw what the feed and the findings say now."""

    def offers(self) -> tuple[ActionRequested, ...]:
        """What `a` offers here: every action on what is under the cursor."""
        asked = self.suggestions()
        if asked is None:
            return ()
        specs = registry.specs_on(asked.target.kind, asked.identities[0])
        return tuple(
            ActionRequested(spec.name, asked.target, asked.identities, about=asked.about) for spec in specs
        )

    def suggestions(self) -> ActionRequested | None:
        """What `a` would act on here: target and identities; None where nothing can be acted on."""
        return None

    def compose(self) -> ComposeResult:
        """First line, path, body, keys."""
        yield TopLine()
        if self.crumbs() is not None:
            yield Lines(id="crumbs")
        yield from self.body()
        yield KeyLine()

    def on_mount(self) -> None:
        """Draw once, before anything new comes."""
        self.bindings_updated_signal.subscribe(self, self.show_keys)
        self.redraw()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Catch up with what came while another screen was in front."""
        self.follow()
        self.show_keys()

    def on_resize(self) -> None:
        """More or less fits now."""
        self.call_after_refresh(self.follow)

    def follow(self) -> None:
        """Something was read, or time went by: draw it, unless what is shown stands still."""
        if self._paused_mono_s is None:
            self.redraw()
        elif self.is_mounted:
            self._show_top()

    def redraw(self) -> None:
        """Draw the frame and the body.

        A person asked for something else to be shown, so it is drawn while paused as well: as it is now, and
        it stands still from now on.
        """
        if not self.is_mounted:
            return
        if self._paused_mono_s is not None:
            self._paused_mono_s = self.watch_over.clock.mono_s()
        self._show_top()
        crumbs = self.crumbs()
        if crumbs is not None:
            self.query_one("#crumbs", Lines).show((path_line(*crumbs, self.size.width),))
        self.show_feed()
        self.tell_filter()

    def _show_top(self) -> None:
        self.query_one(TopLine).show_state(top_state(self.watch_over, self._paused_mono_s))

    # -- standing still, and room --------------------------------------------------------------------

    def action_pause(self) -> None:
        """Let what is shown stand still, or go on; reading goes on in any case."""
        if self._paused_mono_s is None:
            self._paused_mono_s = self.watch_over.clock.mono_s()
        else:
            self._paused_mono_s = None
        self.follow()

    def action_zoom(self) -> None:
        """Give the rows all the room, or give it back."""
        self.toggle_class("-zoomed")
        self.call_after_refresh(self.follow)

    def show_keys(self, _: object = None) -> None:
        """Say which keys work now. Below a dialog they wait, and stay as they were."""
        if self.is_mounted and self.app.screen is self:
            self.query_one(KeyLine).show_keys(self.keys())

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Keys that work here and are worth a place in the last line, from the real bindings."""
        shown: dict[str, str] = {}
        for key, active in self.active_bindings.items():
            binding = active.binding
            if binding.show and active.enabled and binding.description not in shown.values():
                shown[key_name(key)] = binding.description
        order = ("Enter", "K", "C", "b", "a", "Tab", "", "/", "p", ":", "?", "Esc", "q")
        return tuple(sorted(shown.items(), key=lambda item: order.index(item[0] if item[0] in order else "")))

    def notice(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Say something in the last line for a while; nothing: take away what was said.

        What ends after its place was left, as a copy, is told where the person is by then.
        """
        if not self.query(KeyLine):
            others = (s for s in reversed(self.app.screen_stack) if isinstance(s, Place) and s.query(KeyLine))
            for place in islice(others, 1):
                place.notice(text, tone)
            return
        line = self.query_one(KeyLine)
        line.show_notice(text, tone)
        if self._noticed is not None:
            self._noticed.stop()  # what is said now stays for its own time
        self._noticed = self.set_timer(NOTICE_S, lambda: line.show_notice(""), name="notice")
