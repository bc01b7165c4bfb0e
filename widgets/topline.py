"""The first line: where we are, whether we may act, and whether what is shown is live."""

from datetime import datetime

import msgspec

from opsdash.collectors.format import age, plural
from opsdash.widgets.lines import Line, Lines
from opsdash.widgets.panel import fit
from opsdash.widgets.status import GLYPHS, Tone


class TopState(msgspec.Struct, frozen=True, kw_only=True):
    """What the first line says."""

    environment: str
    environment_tone: Tone
    mode: str
    """READ-ONLY, or ARMED with the time left."""
    mode_tone: Tone
    mode_hint: str
    ok: int
    stale: int
    down: int
    """Targets whose newest reading failed and that never gave data, or none since they failed."""
    waiting: int
    """Targets not read yet."""
    now: datetime
    own_cpu_ratio: float | None
    paused_s: float | None = None
    """How long the screen has stood still; None: it is live."""
    running: tuple[str, ...] = ()
    """Titles of actions under way."""


def top_line(state: TopState, width: int) -> Line:
    """The first line, without what does not fit."""
    live, tone = _live(state)
    parts: list[tuple[int, Line]] = [
        (3, (("opsdash", Tone.ACCENT),)),
        (0, ((state.environment, state.environment_tone),)),
        (0, ((state.mode, state.mode_tone),)),
        (4, ((state.mode_hint, Tone.MUTED),)),
    ]
    if state.paused_s is not None:
        parts.append((0, ((f"PAUSED {age(state.paused_s)} behind, p goes on", Tone.WARN),)))
    if state.running:
        more = f" +{len(state.running) - 1}" if len(state.running) > 1 else ""
        parts.append((1, ((f"▸ running: {state.running[0]}{more} (9)", Tone.WARN),)))
    parts += [
        (1, ((live, tone),)),
        (1, (state.now.strftime("%H:%M:%S UTC"),)),
        (
            6,
            (
                (
                    f"own cpu {state.own_cpu_ratio * 100:.1f}%" if state.own_cpu_ratio is not None else "",
                    Tone.MUTED,
                ),
            ),
        ),
    ]
    return fit([p for p in parts if p[1][0] != ("", Tone.MUTED)], width, "  ")


def _live(state: TopState) -> tuple[str, Tone]:
    """Whether what is shown is live, as counts of what is not."""
    total = state.ok + state.stale + state.down + state.waiting
    words = ((state.down, "down"), (state.stale, "stale"), (state.waiting, "not read yet"))
    counts = ", ".join(f"{count} {word}" for count, word in words if count)
    if not counts:
        return f"{GLYPHS[Tone.OK]} {plural(total, 'target')} live", Tone.OK
    tone = Tone.CRIT if state.down else Tone.WARN if state.stale else Tone.UNKNOWN
    return f"{GLYPHS[tone]} {counts}, {state.ok} of {plural(total, 'target')} live", tone


def armed_word(left_s: float) -> str:
    """How long actions stay armed."""
    return f"ARMED {age(left_s)}"


class TopLine(Lines):
    """One line high."""

    DEFAULT_CSS = """
    TopLine { height: 1; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__(id="top")
        self._state: TopState | None = None

    def show_state(self, state: TopState) -> None:
        """Draw another state."""
        self._state = state
        self._draw()

    def on_resize(self) -> None:
        """More or less fits now."""
        self._draw()

    def _draw(self) -> None:
        if self._state is not None:
            self.show((top_line(self._state, self.size.width),))
