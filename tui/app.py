"""Puts the pieces together: screens, keys, the watch and the gateway. No feature lives here."""

import asyncio
import gc
import logging
import os
import signal
import traceback
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Key
from textual.filter import LineFilter
from textual.widgets import Input

from opsdash.collectors.secret import redact
from opsdash.collectors.text import clean
from opsdash.tui.alarm import Alarm
from opsdash.tui.areas import kinds_of_area, open_place, open_targets
from opsdash.tui.bridge import PAUSE_S, SLOW_PAUSE_S, Bridge, FeedChanged
from opsdash.tui.changed_cells import ChangedCells
from opsdash.tui.key_names import key_name
from opsdash.tui.kinds import AREAS
from opsdash.tui.planning import Planner
from opsdash.tui.quitting import quit_or_ask
from opsdash.tui.screen_settings import ScreenSettings
from opsdash.tui.screens.dialog import Dialog
from opsdash.tui.screens.overview import Overview
from opsdash.tui.screens.place import Place
from opsdash.tui.theme import THEMES, theme_name, wants_colour
from opsdash.tui.waiting_driver import waiting
from opsdash.tui.watch import Watch
from opsdash.widgets.line_filter import HARMLESS_LINES
from opsdash.widgets.messages import ActionRequested, DrillDown
from opsdash.widgets.status import Tone

log = logging.getLogger(__name__)

TICK_S = 2.2
"""How often clock and ages are drawn anew while nothing is read. A little more than two seconds: where
a target is read that often its readings draw them, and a tick between was a fifth of what opsdash costs."""
QUIT_TWICE_S = 2.0
"""Within this time a second ctrl-c quits."""
FIRST_PAINT_S = 0.5
"""After this time reading begins, painted or not: a screen that a key has covered is not painted at all."""
SETTLED_S = 3.0
"""After this time what is loaded and made is there to stay."""
GARBAGE_AFTER = 10_000
"""New objects after which cycles are looked for. Readings have none: at 700 each would pay for a search."""


def _settle() -> None:
    """What is there by now stays, and is not looked through for garbage; collection begins."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 10, 10)
    gc.enable()


class OpsdashApp(ChangedCells[int], inherit_bindings=False):
    """The app. Its screens look at the watch; its handlers move between them and ask the gateway."""

    TITLE = "opsdash"
    ENABLE_COMMAND_PALETTE = False  # it is opened by our own binding, on ":" as well
    NOTIFICATION_TIMEOUT = 6.0
    ESCAPE_TO_MINIMIZE = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "menu", "actions", id="actions"),
        Binding("A", "arm", "arm", show=False, id="arm"),
        Binding("ctrl+r", "read_now", "read again now", show=False, id="read-now"),
        Binding("plus", "interval(1)", "read less often", show=False, id="interval.longer"),
        Binding("minus", "interval(-1)", "read more often", show=False, id="interval.shorter"),
        Binding("ctrl+l", "redraw_screen", "draw the screen anew", show=False, id="redraw"),
        Binding("question_mark,f1", "keys", "keys", id="keys"),
        Binding("colon,ctrl+p", "palette", "command", id="palette"),
        Binding("ctrl+c", "interrupt", "twice: quit", show=False, id="interrupt", priority=True),
        *(
            Binding(digit, f"area('{digit}')", title, show=False, id=f"area.{digit}")
            for digit, title in AREAS.items()
        ),
    ]

    def __init__(self, watch: Watch, settings: ScreenSettings | None = None) -> None:
        """Args: what is watched, and how the screen is to be."""
        # said now, when Textual chooses its filters: its others turn an ansi theme into black on black
        super().__init__(ansi_color=None if wants_colour(os.environ) else True)
        self._settings = settings or ScreenSettings()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_name(self._settings.table.theme, os.environ, is_slow=self._settings.is_slow)
        self.set_keymap(dict(self._settings.keys))
        self.watch_over = watch
        pause_s = SLOW_PAUSE_S if self._settings.is_slow else PAUSE_S
        self._bridge = Bridge(watch.feed, self, watch.clock, pause_s=pause_s)
        self._alarm = Alarm(self._settings.table.notice, watch.clock)
        self._has_begun = False
        self._interrupted_mono_s: float | None = None
        self._planner = Planner(self)
        watch.gateway.on_change(self._gateway_changed)

    # -- start and end ------------------------------------------------------------------------------

    def get_default_screen(self) -> Overview:
        """The overview."""
        return Overview(self.watch_over)

    def on_mount(self) -> None:
        """Paint first, then begin to read: importing client libraries takes longer than a first paint."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit, 128 + number)
        self.call_after_refresh(self._begin)
        self.set_timer(FIRST_PAINT_S, self._begin, name="begin")
        self._ticking = self.set_timer(TICK_S, self._look, name="tick")
        self.set_timer(SETTLED_S, _settle, name="settle")

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.run_worker(self._read(), exit_on_error=False, name="begin")

    async def _read(self) -> None:
        try:
            await self.watch_over.start()
        except Exception as error:
            log.exception("cannot begin to read")
            self.notice(redact(f"cannot begin to read: {error}"))
            raise

    def _gateway_changed(self) -> None:
        """The mode or a running action changed: both can be seen, the latter in a dialog."""
        self.call_later(self._redraw)
        if isinstance(self.screen, Dialog):
            self.call_later(self.screen.redraw)

    def _look(self) -> None:
        """Find what is wrong and draw, ages too; again after a tick, unless a reading comes before."""
        self._ticking = self.set_timer(TICK_S, self._look, name="tick")
        self.watch_over.own_cpu.tick()
        self._find()
        self._redraw()

    def _find(self) -> None:
        """Say what is wrong; what is new and critical is told to the terminal too, where that is wanted."""
        self.watch_over.find()
        said = self._alarm.said(self.watch_over.findings)
        if said and self._driver is not None:
            self._driver.write(said)

    def get_driver_class(self) -> type[Driver]:
        """Textual's, without its polling."""
        return waiting(super().get_driver_class())

    def get_line_filters(self) -> list[LineFilter]:
        """The last of three layers that keep control characters from the terminal."""
        return [*super().get_line_filters(), HARMLESS_LINES]

    def _fatal_error(self) -> None:
        """Textual would print local variables, and with them secrets, onto a shared screen."""
        self.bell()
        text = redact(clean(traceback.format_exc()))
        log.critical("opsdash ended by a defect\n%s", text)
        said = f"{text}\nopsdash ended by a defect of its own; nothing was sent to a target because of it."
        self._exit_renderables.append(Text(said))
        self._close_messages_no_wait()

    # -- what changed ---------------------------------------------------------------------------------

    def on_feed_changed(self, message: FeedChanged) -> None:
        """Readings came in."""
        self._bridge.heard()
        self._ticking.stop()  # not reset: that lets up to a whole tick pass before it begins anew
        self._look()

    def _redraw(self) -> None:
        """Draw what can be seen: the screen in front, or the one that shows around a dialog."""
        if not self.is_running:
            return  # ending: a timer may still fire while the screens are taken apart
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Place):
                screen.follow()
                return

    @property
    def place(self) -> Place:
        """The full screen in front, or below the dialog in front."""
        return next(s for s in reversed(self.screen_stack) if isinstance(s, Place))

    def notice(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Say something in the last line for a while."""
        self.place.notice(text, tone)

    # -- moving ---------------------------------------------------------------------------------------

    def on_drill_down(self, message: DrillDown) -> None:
        """Into a thing."""
        self.push_screen(open_place(self.watch_over, message.target, message.place, message.identity))

    def on_key(self, event: Key) -> None:
        """Say so where a letter means nothing; what does mean something is Textual's to run."""
        is_typing = not isinstance(self.screen, Place) or isinstance(self.focused, Input)
        if event.is_printable and not is_typing and event.key not in self.screen.active_bindings:
            self.notice(f"{key_name(event.key)} means nothing here; ? tells what does")

    async def action_back(self) -> None:
        """One level back; from the overview, quit."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            quit_or_ask(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Areas that have no target are not bound; a dialog in front takes all keys but quitting."""
        if not isinstance(self.screen, Place):
            return action == "interrupt"
        if action == "area":
            return parameters[0] == "9" or bool(kinds_of_area(self.watch_over, str(parameters[0])))
        return True

    async def action_area(self, digit: str) -> None:
        """To an area's first screen, from anywhere; again: to the list of the area's next kind."""
        here = self.place
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        if digit == "9":
            from opsdash.tui.screens.actions import ActionsScreen  # not needed for the first paint

            await self.push_screen(ActionsScreen(self.watch_over))
            return
        kinds = kinds_of_area(self.watch_over, digit)
        again = kinds.index(here.lists) + 1 if here.lists in kinds else 0
        await self.push_screen(open_targets(self.watch_over, kinds[again % len(kinds)]))

    def action_read_now(self) -> None:
        """Read what is in front again now."""
        self.watch_over.read_now(self.place.target)
        self.notice("reading again", Tone.OK)

    def action_interval(self, step: int) -> None:
        """Read what is in front less or more often."""
        self.notice(self.watch_over.change_interval(self.place.target, step), Tone.OK)

    def action_redraw_screen(self) -> None:
        """Write everything again: something else wrote to this terminal."""
        self.redraw_terminal()

    def action_keys(self) -> None:
        """The keys of this place, from the bindings themselves."""
        from opsdash.tui.keymap import keys_here
        from opsdash.tui.screens.menus import KeysDialog

        self.push_screen(KeysDialog(self.watch_over.clock, self.place.called, keys_here(self.screen)))

    def action_palette(self) -> None:
        """Every key's command by name, for terminals that eat keys."""
        from opsdash.tui.commands import action_commands, open_palette, theme_commands

        more = (("cost of opsdash", self.action_cost), *theme_commands(self))
        open_palette(self, (*action_commands(self, self.place.offers()), *more))

    def action_cost(self) -> None:
        """What opsdash costs, itself and each target."""
        from opsdash.tui.screens.cost import CostScreen

        self.push_screen(CostScreen(self.watch_over))

    # -- acting ---------------------------------------------------------------------------------------

    async def action_arm(self) -> None:
        """Arm, or disarm."""
        gateway = self.watch_over.gateway
        refused = await (gateway.disarm() if gateway.mode.armed else gateway.arm())
        if refused is not None:
            self.notice(refused)
        self._redraw()

    def action_menu(self) -> None:
        """The actions on what is under the cursor."""
        self._planner.menu(self.place.offers())

    def on_action_requested(self, message: ActionRequested) -> None:
        """Have a plan made and shown."""
        self._planner.request(message)

    # -- quitting -------------------------------------------------------------------------------------

    async def action_interrupt(self) -> None:
        """ctrl-c: the second within two seconds quits, from anywhere."""
        now = self.watch_over.clock.mono_s()
        if self._interrupted_mono_s is not None and now - self._interrupted_mono_s < QUIT_TWICE_S:
            self.exit(0)
            return
        self._interrupted_mono_s = now
        self.notice("ctrl-c again quits")
