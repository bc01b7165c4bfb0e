"""The guard, as a person meets it: what would happen, what to do to go on, and then how it goes.

It takes a planned action and hands a decision to the gateway; it runs nothing itself.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from opsdash.collectors.clock import Clock
from opsdash.collectors.format import age
from opsdash.tui.actions.action import OutcomeKind, Step
from opsdash.tui.actions.guard import Decision, GuardKind
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.actions.running import Planned, Running
from opsdash.tui.screens.dialog import Dialog
from opsdash.widgets.lines import Line, labelled
from opsdash.widgets.status import Tone

PASTE_S = 0.06
"""A person's `y` is followed by nothing for this long; a paste is, also one that the
terminal does not mark as one."""

_SCROLLS = {"up": -1, "down": 1, "pageup": -4, "pagedown": 4}
"""Lines that keys move a plan which is longer than the terminal is high."""

OUTCOME_TONES = {
    OutcomeKind.DONE: Tone.OK,
    OutcomeKind.REFUSED: Tone.WARN,
    OutcomeKind.FAILED: Tone.CRIT,
    OutcomeKind.ABORTED: Tone.WARN,
    OutcomeKind.UNKNOWN: Tone.CRIT,
}


def run_lines(run: Running, width: int, height: int) -> tuple[Line, ...]:
    """The steps of a running or ended action and its outcome, in at most `height` lines.

    The first steps and the newest stay; what is between them is counted.
    """
    steps = [step_lines(step, width) for step in run.steps]
    ending: tuple[Line, ...] = ()
    if run.outcome is not None:
        tone = OUTCOME_TONES[run.outcome.kind]
        ending = (
            (),
            *labelled(run.outcome.kind.value, run.outcome.text, width=width, indent=_STAMP, tone=tone),
        )
    room = max(height - len(ending), 4)
    if sum(map(len, steps)) <= room:
        return (*(line for lines in steps for line in lines), *ending)
    newest: list[tuple[Line, ...]] = []
    while sum(map(len, steps[:_FIRST])) + sum(map(len, newest)) + 1 + len(steps[-len(newest) - 1]) <= room:
        newest.insert(0, steps[-len(newest) - 1])
    between = len(steps) - _FIRST - len(newest)
    counted: Line = ((f"  … {between} more steps; the audit log has them all", Tone.MUTED),)
    return (
        *(line for lines in steps[:_FIRST] for line in lines),
        counted,
        *(ln for n in newest for ln in n),
        *ending,
    )


_STAMP = 15
"""Width of a step's mark and time."""
_FIRST = 2
"""Steps that are always shown: the intent, and that it was the same thing still."""


def step_lines(step: Step, width: int) -> tuple[Line, ...]:
    """One step with its time."""
    mark, tone = ("✓", Tone.NORMAL) if step.is_ok else ("✖", Tone.CRIT)
    stamp = f"{mark} {step.at:%H:%M:%S}.{step.at.microsecond // 1000:03d}"
    return labelled(stamp, step.text, width=width, indent=_STAMP, tone=tone)


class ConfirmDialog(Dialog[None]):
    """Plan, decision, progress: in one place."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", id="confirm.leave")]

    def __init__(self, planned: Planned, gateway: Gateway, clock: Clock) -> None:
        super().__init__(clock, classes="-danger" if planned.environment.production else None)
        self._planned = planned
        self._gateway = gateway
        self._typed = ""
        self._pressed_mono_s = 0.0
        self._says = ""
        self._is_sure = False
        self._hidden = 0
        """Lines of the plan for which there is no room."""
        self._top = 0
        self._run: Running | None = None

    def title_text(self) -> str:
        """What, where, and how dangerous a place it is."""
        environment = self._planned.environment
        where = (
            f"PRODUCTION {environment.label}"
            if environment.production and environment.name
            else environment.label
        )
        return f"{self._planned.plan.title} on {self._planned.plan.target.name} ({where})"

    def content(self, width: int) -> Sequence[Line]:
        """The plan and the question; in their place, once it is decided, how it goes."""
        if self._run is not None:
            room = self.app.size.height - 7
            return ((), *run_lines(self._run, width, room), (), self._ending())
        question = self._question(width)
        room = self.app.size.height - 5 - len(question)
        return ((), *self._in_view(self._facts(width), room), (), *question)

    def _facts(self, width: int) -> Sequence[Line]:
        lines: list[Line] = []
        for fact in self._planned.plan.lines:
            tone = Tone.WARN if fact.is_warning else Tone.NORMAL
            lines += labelled(fact.label, fact.text, width=width, tone=tone)
        lines += labelled(
            "recorded", f"{self._planned.planned_at:%H:%M:%S} by {self._planned.operator}", width=width
        )
        return lines

    def _in_view(self, facts: Sequence[Line], room: int) -> Sequence[Line]:
        """As many lines of the plan as there is room for: the question below is never pushed out."""
        self._hidden = max(len(facts) - max(room, 2), 0)
        if not self._hidden:
            return facts
        self._top = min(self._top, self._hidden + 1)
        end = self._top + max(room, 2) - 1
        told = f"lines {self._top + 1} to {end} of {len(facts)}: ↑ ↓ show the others"
        return (*facts[self._top : end], ((told, Tone.WARN),))

    def _ending(self) -> Line:
        if self._run is not None and self._run.is_done:
            return (("Esc", Tone.ACCENT), " back")
        return (("Esc", Tone.ACCENT), " leaves it running in 9 Actions")

    def _question(self, width: int) -> Sequence[Line]:
        guard = self._planned.guard
        if guard.kind is GuardKind.DENY:
            return (
                *labelled("no", guard.reason or "", width=width, tone=Tone.WARN),
                (),
                (("Esc", Tone.ACCENT), " back"),
            )
        warning: tuple[Line, ...] = (((self._says, Tone.WARN),),) if self._says else ()
        if guard.kind is GuardKind.CONFIRM:
            return (*warning, (("y", Tone.CRIT), " does it    ", ("any other key", Tone.ACCENT), " cancels"))
        matches = self._typed == guard.must_type
        ask: Line = ("Type the target's name to go on:  ", (f"▏{self._typed}", Tone.ACCENT))
        enter: Line = (("Enter", Tone.CRIT), " does it    ") if matches else ()
        return (*warning, ask, (*enter, ("Esc", Tone.ACCENT), " cancels"))

    def on_paste(self, event: events.Paste) -> None:
        """A paste never confirms: it cancels."""
        event.stop()
        if self._run is None:
            self._cancel("a paste")

    async def on_key(self, event: events.Key) -> None:
        """The only way to say yes."""
        if event.key in ("ctrl+c", "escape"):
            return
        event.stop()
        event.prevent_default()
        if self.is_deaf:
            return
        if self._run is not None:
            if self._run.is_done and event.key in ("q", "enter"):
                self.dismiss(None)
            return
        kind = self._planned.guard.kind
        if self._hidden and event.key in _SCROLLS:
            self._top = max(self._top + _SCROLLS[event.key], 0)
            self.redraw()
        elif kind is GuardKind.DENY:
            self.dismiss(None)
        elif kind is GuardKind.CONFIRM:
            self._confirm_key(event)
        else:
            self._type_key(event)

    def _confirm_key(self, event: events.Key) -> None:
        if event.character == "y" and not self._is_sure:
            self._is_sure = True
            self.set_timer(PASTE_S, self._go, name="sure")
        else:
            self._cancel(f"key {event.key}")

    def _type_key(self, event: events.Key) -> None:
        pressed_mono_s, self._pressed_mono_s = self._pressed_mono_s, self.clock.mono_s()
        if event.key == "enter":
            if self._typed != self._planned.guard.must_type:
                self._says = "that is not its name"
            elif self._pressed_mono_s - pressed_mono_s < PASTE_S:
                self._says = "that came too fast for a person: press Enter again"
            else:
                self._go()
        elif event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character is not None and event.is_printable:
            self._typed, self._says = self._typed + event.character, ""
        self.redraw()

    def _cancel(self, by: str) -> None:
        self._is_sure = False
        self.dismiss(None)
        self.app.notice(f"cancelled by {by}: nothing was sent")  # type: ignore[attr-defined]  # our own app

    def action_leave(self) -> None:
        """Esc: nothing is done; what runs goes on."""
        if self._run is None and not self.is_deaf and self._planned.guard.kind is not GuardKind.DENY:
            self._cancel("Esc")
        else:
            self.dismiss(None)

    def _go(self) -> None:
        if self._run is not None or (self._planned.guard.kind is GuardKind.CONFIRM and not self._is_sure):
            return
        typed = self._typed if self._planned.guard.kind is GuardKind.TYPE else None
        self._run = self._gateway.perform(self._planned, Decision(typed=typed))
        self.redraw()


def run_summary(run: Running, now: datetime) -> str:
    """One line of the actions list: what became of it, or how long it runs."""
    if run.outcome is not None:
        return f"{run.outcome.kind.value}: {run.outcome.text}"
    last = run.steps[-1].text if run.steps else "begins"
    return f"running for {age((now - run.started_at).total_seconds())}: {last}"
