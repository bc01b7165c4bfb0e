"""HTTP endpoints on the overview: one line each, the worst first and in full."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, duration, plural
from opsdash.collectors.http.rows import HttpData
from opsdash.widgets.lines import Line, rule
from opsdash.widgets.panel import (
    fit,
    freshness_beside,
    more_counts,
    stale_mark,
    tone_counts,
    view_tone,
    worst_first,
)
from opsdash.widgets.panels.http.words import (
    STRIP,
    days_tone,
    days_word,
    latency,
    latency_tone,
    limits_of,
    state_word,
    status_word,
    strip,
)
from opsdash.widgets.status import GLYPHS, Tone

_TITLE: Line = (("1 Health", Tone.ACCENT),)


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all endpoints in `height` lines; those that are well fold into one line first."""
    if height <= 0:
        return ()
    ordered = worst_first(views, findings)
    if height <= 2:
        folded = (
            folded_line(ordered, findings, mono_s, width),
            endpoint_line(ordered[0], findings, mono_s, width),
        )
        return folded[:height]
    heading = rule((*_TITLE, f" · {plural(len(ordered), 'endpoint')}"), _window_words(ordered), width)
    room = height - 1
    worst = [endpoint_line(ordered[0], findings, mono_s, width)]
    why = why_line(ordered[0])
    if why is not None and room > 2:
        worst.append(why)
    fits = len(ordered) - 1 <= room - len(worst)
    others = ordered[1:] if fits else ordered[1 : room - len(worst)]
    lines = [*worst, *(endpoint_line(view, findings, mono_s, width) for view in others)]
    if not fits:
        lines.append(_rest_line(ordered[1 + len(others) :], findings))
    return (heading, *lines)


def endpoint_line(view: TargetView, findings: Sequence[Finding], mono_s: float, width: int) -> Line:
    """One endpoint: name and path, status, latency now and p95, the last probes, what it is."""
    tone = view_tone(view, findings)
    head: Line = ((f"{GLYPHS[tone]} {view.target.name:<14} ", tone),)
    if view.data is None or view.failure is not None:
        reason = f"  {view.failure.reason}" if view.failure is not None else ""
        return (*head, *freshness_beside(view, mono_s, tone), reason)
    data: HttpData = view.data
    limits = limits_of(view)
    word, word_tone = state_word(data, limits)
    parts: list[tuple[int, Line]] = [
        (0, head),
        (4, (f"{data.label[:20]:<20}",)),
        (0, ((f"{status_word(data.probe):>7}", word_tone if word_tone is not Tone.OK else Tone.NORMAL),)),
        (1, ((f"{latency(data.probe):>7}", latency_tone(data.probe.took_s, limits)),)),
        (2, ((f"p95 {duration(data.window.p95_s):>6}", latency_tone(data.window.p95_s, limits)),)),
        (3, ((f"{strip(data.probes):>{STRIP}}", word_tone),)),
        (0, ((f"{word:<11}", word_tone),)),
    ]
    if data.chain is not None:
        first = data.chain.earliest
        days = days_word(data.chain, data.probe.at, has_tls=True)
        certificate_tone = days_tone(first, data.probe.at, limits)
        # where it is what is wrong, it stays for as long as the verdict does
        importance = 0 if certificate_tone in (Tone.WARN, Tone.CRIT) else 5
        parts.append((importance, ((f"certificate {days}", certificate_tone),)))
    if view.is_stale(mono_s):
        parts.append((0, stale_mark(view, mono_s)))
    return fit(parts, width)


def why_line(view: TargetView) -> Line | None:
    """What is wrong with an endpoint, in its own words; None when nothing is."""
    data: HttpData | None = view.data
    if data is None or data.probe.reason is None or view.failure is not None:
        return None
    _, tone = state_word(data, limits_of(view))
    since = f"failing {data.failing} of {data.probed}, watching for {age(data.watched_s)} · "
    return ((f"  └ {since if data.failing else ''}", Tone.MUTED), (data.probe.reason, tone))


def folded_line(
    ordered: Sequence[TargetView], findings: Sequence[Finding], mono_s: float, width: int
) -> Line:
    """All endpoints in one line: how many are how, and the worst."""
    worst = ordered[0]
    data: HttpData | None = worst.data
    parts: list[tuple[int, Line]] = [(0, (("1 Health     ", Tone.ACCENT), *tone_counts(ordered, findings)))]
    stale = stale_mark(worst, mono_s)
    if stale:
        parts.append((0, (f" {worst.target.name} ", *stale)))
    elif data is not None:
        word = state_word(data, limits_of(worst))
        parts.append((0, (f" {worst.target.name} {status_word(data.probe)} {latency(data.probe)} ", word)))
    return fit(parts, width)


def _rest_line(views: Sequence[TargetView], findings: Sequence[Finding]) -> Line:
    """What did not fit: the mildest, since the worst come first."""
    return ("  ", *more_counts(views, findings))


def _window_words(views: Sequence[TargetView]) -> Line:
    """The window of the figures, which the settings may give each endpoint another of."""
    spans = [view.data.window for view in views if view.data is not None]
    if not spans:
        return ()
    longest = max(spans, key=lambda window: window.span_s)
    fewest = min(window.probes for window in spans)
    probes = plural(longest.probes, "probe")
    counted = probes if fewest >= longest.probes else f"{fewest} to {probes}"
    return ((f"p95 over {counted}, {age(longest.span_s)}", Tone.MUTED),)
