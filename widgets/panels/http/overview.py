"""HTTP endpoints on the overview: one line each, the worst first and in full."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, duration, plural
from opsdash.collectors.http.rows import HttpData
from opsdash.collectors.http.settings import HttpThresholds
from opsdash.widgets.cells import fitted
from opsdash.widgets.lines import Line, line_width, rule
from opsdash.widgets.panel import (
    fit,
    freshness_beside,
    more_counts,
    name_cells,
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

_CERTIFICATE_FROM = 70
"""Cells beside the name from which a certificate is told beside all figures."""

_TITLE: Line = (("1 Health", Tone.ACCENT),)


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all endpoints in `height` lines; those that are well fold into one line first."""
    if height <= 0:
        return ()
    ordered = worst_first(views, findings)
    names = name_cells((view.target.name for view in views), width)

    def line(view: TargetView) -> Line:
        return endpoint_line(view, findings, mono_s, width, names)

    if height <= 2:
        return (folded_line(ordered, findings, mono_s, width), line(ordered[0]))[:height]
    heading = rule((*_TITLE, f" · {plural(len(ordered), 'endpoint')}"), _window_words(ordered), width)
    room = height - 1
    worst = [line(ordered[0])]
    why = why_line(ordered[0])
    if why is not None and room > 2:
        worst.append(why)
    fits = len(ordered) - 1 <= room - len(worst)
    others = ordered[1:] if fits else ordered[1 : room - len(worst)]
    lines = [*worst, *map(line, others)]
    if not fits:
        lines.append(_rest_line(ordered[1 + len(others) :], findings))
    return (heading, *lines)


def endpoint_line(
    view: TargetView, findings: Sequence[Finding], mono_s: float, width: int, names: int
) -> Line:
    """One endpoint: name and path, status, latency now and p95, the last probes, what it is.

    Args:
        view: The endpoint.
        findings: Of it, and others.
        mono_s: Now.
        width: Cells at hand.
        names: Cells of the names.
    """
    tone = view_tone(view, findings)
    head: Line = ((f"{GLYPHS[tone]} {fitted(view.target.name, names, right=False)} ", tone),)
    if view.data is None or view.failure is not None:
        reason = f"  {view.failure.reason}" if view.failure is not None else ""
        return (*head, *freshness_beside(view, mono_s, tone), reason)
    data: HttpData = view.data
    limits = limits_of(view)
    word, word_tone = state_word(data, limits)
    beside, ending = _latency_and_certificate(data, limits, width - line_width(head))
    parts: list[tuple[int, Line]] = [
        (0, head),
        (4, (f"{data.label[:20]:<20}",)),
        (0, ((f"{status_word(data.probe):>7}", word_tone if word_tone is not Tone.OK else Tone.NORMAL),)),
        (1, ((f"{latency(data.probe):>7}", latency_tone(data.probe.took_s, limits)),)),
        beside,
        (3, ((f"{strip(data.probes):>{STRIP}}", word_tone),)),
        (0, ((f"{word:<8}", word_tone),)),
        *ending,
    ]
    if view.is_stale(mono_s):
        parts.append((0, stale_mark(view, mono_s)))
    return fit(parts, width)


def _latency_and_certificate(
    data: HttpData, limits: HttpThresholds, width: int
) -> tuple[tuple[int, Line], list[tuple[int, Line]]]:
    """The 95th percentile, and what stands at the end; without room for it, a bad certificate in its place.

    So the columns stay below each other in every width.
    """
    p95 = (2, ((f"p95 {duration(data.window.p95_s):>6}", latency_tone(data.window.p95_s, limits)),))
    if data.chain is None:
        return p95, []
    first = data.chain.earliest
    days = days_word(data.chain, data.probe.at, has_tls=True)
    tone = days_tone(first, data.probe.at, limits)
    if tone not in (Tone.WARN, Tone.CRIT):
        return p95, [(5, ((f"certificate {days}", tone),))]
    if width >= _CERTIFICATE_FROM:
        return p95, [(0, ((f"certificate {days}", tone),))]
    return (0, ((f"{'cert ' + days:<10}", tone),)), []


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
