"""The first line's state, from what the watch knows."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.target import Environment
from opsdash.tui.actions.guard import Mode
from opsdash.tui.watch import Watch
from opsdash.widgets.status import Tone
from opsdash.widgets.topline import TopState, armed_word


def top_state(watch: Watch, paused_mono_s: float | None = None) -> TopState:
    """What the first line says now; `paused_mono_s` is since when the screen stands still."""
    views = watch.feed.views()
    environment, tone = strictest(tuple(v.target.environment for v in views))
    mode = watch.gateway.mode
    word, mode_tone, hint = mode_words(mode, watch.gateway.armed_left_s)
    mono_s = watch.clock.mono_s()
    stale, down, waiting = counts(views, mono_s)
    return TopState(
        environment=environment,
        environment_tone=tone,
        mode=word,
        mode_tone=mode_tone,
        mode_hint=hint,
        ok=len(views) - stale - down - waiting,
        stale=stale,
        down=down,
        waiting=waiting,
        now=watch.clock.now(),
        own_cpu_ratio=watch.own_cpu.ratio,
        paused_s=None if paused_mono_s is None else mono_s - paused_mono_s,
        running=tuple(run.planned.plan.title for run in watch.gateway.runs if not run.is_done),
    )


def counts(views: Sequence[TargetView], mono_s: float) -> tuple[int, int, int]:
    """How many targets are stale, down, and not read yet."""
    down = sum(1 for v in views if v.failures > 0)
    stale = sum(1 for v in views if v.failures == 0 and v.is_stale(mono_s))
    waiting = sum(1 for v in views if v.latest is None)
    return stale, down, waiting


def strictest(environments: Sequence[Environment]) -> tuple[str, Tone]:
    """The environment that the banner names: production before unknown before any other."""
    production = [e for e in environments if e.production and e.name]
    if production:
        return f"PRODUCTION {production[0].name}", Tone.CRIT
    if any(e.name is None for e in environments):
        return "ENV UNKNOWN (guarded as production)", Tone.WARN
    names = list(dict.fromkeys(e.label for e in environments))
    return ", ".join(names), Tone.NORMAL


def mode_words(mode: Mode, armed_left_s: float | None) -> tuple[str, Tone, str]:
    """The mode, its tone, and how to change it."""
    if mode.armed:
        return armed_word(armed_left_s or 0.0), Tone.CRIT, "A to disarm"
    if mode.read_only:
        return "READ-ONLY", Tone.OK, "by --read-only"
    return "READ-ONLY", Tone.OK, "A to arm" if mode.permitted else "A tells how to arm"
