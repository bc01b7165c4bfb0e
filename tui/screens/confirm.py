"""The guard, as a person meets it: what would happen, what to do to go on, and then how it goes.

It takes a planned action and hands a decision to the gateway; it runs nothing itself.
"""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from opsdash.collectors.format import age
from opsdash.tui.actions.action import OutcomeKind
from opsdash.tui.actions.guard import Decision, GuardKind
from opsdash.tui.actions.perform import Gateway, Planned, Running
from opsdash.tui.screens.dialog import Dialog
from opsdash.collectors.clock import Clock
from opsdash.widgets.lines import Line, labelled
from opsdash.widgets.status import Tone

PASTE_S = 0.06
"""A person's `y` is followed by nothing for this long; an unbracketed paste is."""

OUTCOME_TONES = {
    OutcomeKind.DONE: Tone.OK,
    OutcomeKind.REFUSED: Tone.WARN,
    OutcomeKind.FAILED: Tone.CRIT,
    OutcomeKind.UNKNOWN: Tone.CRIT,
}


def run_lines(run: Running, width: int) -> tuple[Line, ...]:
    """The steps of a running or ended action, and its outcome."""
    lines: list[Line] = []
    for step in run.steps:
        mark, tone = ("✓", Tone.OK) if step.is_ok else ("✖", Tone.CRIT)
        stamp = step.at.strftime("%H:%M:%S.") + f"{step.at.microsecond // 1000:03d}"
        lines += labelled(
            f"{mark} {stamp}", step.text, width=width, indent=15, tone=tone if not step.is_ok else Tone.NORMAL
        )
    if run.outcome is not None:
        lines += [
            (),
            *labelled(
                run.outcome.kind.value,
                run.outcome.text,
                width=width,
                indent=15,
                tone=OUTCOME_TONES[run.outcome.kind],
            ),
        ]
    return tuple(lines)


class ConfirmDialog(Dialog[None]):
    """Plan, decision, progress: in one place."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", id="confirm.leave")]

    def __init__(self, planned: Planned, gateway: Gateway, clock: Clock) -> None:
        super().__init__(clock, classes="-danger" if planned.environment.production else None)
        self._planned = planned
        self._gateway = gateway
        self._typed = ""
        self._says = ""
        self._is_sure = False
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
        """The plan; below it the question, or how it goes."""
        lines: list[Line] = [()]
        for fact in self._planned.plan.lines:
            lines += labelled(
                fact.label, fact.text, width=width, tone=Tone.WARN if fact.is_warning else Tone.NORMAL
            )
        if self._run is not None:
            return (*lines, (), *run_lines(self._run, width), (), self._ending())
        lines += labelled(
            "recorded", f"{self._planned.planned_at:%H:%M:%S} by {self._planned.operator}", width=width
        )
        return (*lines, (), *self._question(width))

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
        if kind is GuardKind.DENY:
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
        if event.key == "enter":
            if self._typed == self._planned.guard.must_type:
                self._go()
            else:
                self._says = "that is not its name"
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
        self.run_worker(self._follow(), exit_on_error=False)

    async def _follow(self) -> None:
        """Draw each step as it comes."""
        while self._run is not None and not self._run.is_done:
            self.redraw()
            await asyncio.sleep(0.05)
        self.redraw()


def run_summary(run: Running, now_mono_s: float) -> str:
    """One line of the actions list: what became of it, or how long it runs."""
    if run.outcome is not None:
        return f"{run.outcome.kind.value}: {run.outcome.text}"
    last = run.steps[-1].text if run.steps else "begins"
    return f"running for {age(now_mono_s - run.started_mono_s)}: {last}"
