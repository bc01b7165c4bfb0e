"""The tables of one endpoint: its last probes, where the time goes, sub-checks, and the chain. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.format import age, duration, moment, percent, plural
from opsdash.collectors.http.rows import Certificate, Chain, HttpData, Probe, SubCheck, Verdict
from opsdash.collectors.http.settings import HttpThresholds
from opsdash.collectors.http.window import percentile
from opsdash.widgets.chart import bar
from opsdash.widgets.columns import Column, figure
from opsdash.widgets.facts import Fact
from opsdash.widgets.lines import Line
from opsdash.widgets.panel import fit
from opsdash.widgets.panels.http.words import (
    TONES,
    days_tone,
    latency,
    latency_tone,
    limits_of,
    state_word,
    status_word,
    strip,
)
from opsdash.widgets.status import GLYPHS, Tone

_WIDEST_STRIP = 60


def head_lines(data: HttpData, view: TargetView, width: int) -> tuple[Line, Line]:
    """State and newest probe; figures of the window with the strip."""
    limits = limits_of(view)
    window = data.window
    word, tone = state_word(data, limits)
    first: list[tuple[int, Line]] = [
        (0, ((f"{GLYPHS[tone]} {word}", tone),)),
        (0, (status_word(data.probe),)),
        (0, ((latency(data.probe), latency_tone(data.probe.took_s, limits)),)),
        (1, ((data.probe.reason or "", tone),)),
        (3, ((f"at {data.probe.address}" if data.probe.address else "", Tone.MUTED),)),
        (2, (data.url,)),
    ]
    shown = strip(data.probes, min(_WIDEST_STRIP, max(width - 70, 10)))
    failed = f"{window.failed} of {plural(window.probes, 'probe')} failed"
    second: list[tuple[int, Line]] = [
        (1, (f"p50 {duration(window.p50_s)}",)),
        (0, ((f"p95 {duration(window.p95_s)}", latency_tone(window.p95_s, limits)),)),
        (2, (f"p99 {duration(window.p99_s)}",)),
        (0, ((failed, Tone.CRIT if window.failed else Tone.NORMAL),)),
        (1, ((f"over {age(window.span_s)}", Tone.MUTED),)),
        (3, ((shown, tone),)),
    ]
    return fit(first, width), fit(second, width)


class ProbeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One probe in the list."""

    probe: Probe
    limits: HttpThresholds


def probe_lines(data: HttpData, limits: HttpThresholds) -> tuple[ProbeLine, ...]:
    """The probes of the window, newest first."""
    return tuple(ProbeLine(probe=probe, limits=limits) for probe in reversed(data.probes))


def _says(row: ProbeLine) -> str:
    probe = row.probe
    hops = "".join(f"{hop.status} → {hop.to} · " for hop in probe.hops)
    if probe.reason is None:
        return f"{hops}{probe.media_type or ''}"
    return f"{hops}{probe.trouble.value if probe.trouble else ''}: {probe.reason}"


PROBE_COLUMNS: tuple[Column[ProbeLine], ...] = (
    Column(key="at", title="TIME", width=8, cell=lambda r: moment(r.probe.at)),
    Column(
        key="verdict",
        title="VERDICT",
        width=10,
        cell=lambda r: (f"{GLYPHS[TONES[r.probe.verdict]]} {r.probe.verdict.value}", TONES[r.probe.verdict]),
    ),
    Column(key="code", title="CODE", width=7, align="right", cell=lambda r: status_word(r.probe)),
    Column(
        key="took",
        title="TOOK",
        width=8,
        align="right",
        cell=lambda r: (latency(r.probe), latency_tone(r.probe.took_s, r.limits)),
        sort=lambda r: r.probe.took_s,
        unit="s",
        descending_first=True,
    ),
    figure("name", "NAME", lambda r: r.probe.phases.name_s, duration, unit="s", width=6, priority=4),
    figure("connect", "CONNECT", lambda r: r.probe.phases.connect_s, duration, unit="s", width=7, priority=3),
    figure("tls", "TLS", lambda r: r.probe.phases.tls_s, duration, unit="s", width=6, priority=3),
    figure(
        "first_byte",
        "FIRST BYTE",
        lambda r: r.probe.phases.first_byte_s,
        duration,
        unit="s",
        width=10,
        priority=2,
    ),
    figure("body", "BODY", lambda r: r.probe.phases.body_s, duration, unit="s", width=6, priority=5),
    Column(key="says", title="WHAT", width=20, grow=1, cell=_says),
    Column(key="address", title="ADDRESS", width=22, cell=lambda r: r.probe.address or "-", priority=6),
)


class PhaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of the newest probe, and how it was over the window."""

    name: str
    seconds: float | None
    share: float | None
    """Of the whole probe, 0 to 1."""
    p50_s: float | None
    worst_s: float | None


def phase_lines(data: HttpData) -> tuple[PhaseLine, ...]:
    """Every phase that some probe of the window had, in their order."""
    history: dict[str, list[float]] = {}
    for probe in data.probes:
        for name, seconds in probe.phases.named():
            known = history.setdefault(name, [])
            if seconds is not None:
                known.append(seconds)
    took_s = data.probe.took_s
    return tuple(
        PhaseLine(
            name=name,
            seconds=seconds,
            share=None if seconds is None or took_s <= 0 else seconds / took_s,
            p50_s=percentile(sorted(history[name]), 0.5),
            worst_s=max(history[name], default=None),
        )
        for name, seconds in data.probe.phases.named()
        if history[name]
    )


PHASE_COLUMNS: tuple[Column[PhaseLine], ...] = (
    Column(key="name", title="PHASE", width=11, cell=lambda r: r.name),
    Column(key="now", title="NOW", width=7, align="right", cell=lambda r: duration(r.seconds)),
    Column(
        key="share",
        title="OF THE NEWEST PROBE",
        width=32,
        cell=lambda r: (
            (bar(r.share, 30), Tone.ACCENT) if r.seconds is not None else ("not reached", Tone.MUTED)
        ),
    ),
    Column(key="percent", title="SHARE", width=6, align="right", cell=lambda r: percent(r.share), priority=1),
    Column(key="p50", title="P50", width=7, align="right", cell=lambda r: duration(r.p50_s), priority=2),
    Column(
        key="worst", title="WORST", width=7, align="right", cell=lambda r: duration(r.worst_s), priority=3
    ),
)

CHECK_COLUMNS: tuple[Column[SubCheck], ...] = (
    Column(
        key="name",
        title="DEPENDENCY",
        width=22,
        cell=lambda r: (f"{GLYPHS[TONES[r.verdict]]} {r.name}", TONES[r.verdict]),
        sort=lambda r: r.name,
    ),
    Column(key="says", title="SAYS", width=14, cell=lambda r: (r.says, TONES[r.verdict])),
    Column(key="meaning", title="MEANS", width=9, cell=lambda r: r.verdict.value, priority=2),
    Column(key="detail", title="DETAIL", width=20, grow=1, cell=lambda r: r.detail or "", priority=1),
)


def check_rows(data: HttpData) -> Sequence[SubCheck]:
    """Sub-checks of the newest probe, the failing ones first."""
    order = {Verdict.DOWN: 0, Verdict.DEGRADED: 1, Verdict.UNKNOWN: 2, Verdict.UP: 3}
    return sorted(data.probe.checks, key=lambda check: order[check.verdict])


class CertificateLine(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of the chain."""

    place: int
    """In the order sent; a careless server sends one twice."""
    certificate: Certificate
    role: str
    is_earliest: bool
    tone: Tone
    days: int


def certificate_lines(chain: Chain, now: datetime, limits: HttpThresholds) -> tuple[CertificateLine, ...]:
    """The chain in the order sent, the server's own certificate first."""
    return tuple(
        CertificateLine(
            place=place,
            certificate=one,
            role=chain.role(one),
            is_earliest=one is chain.earliest and len(chain.certificates) > 1,
            tone=days_tone(one, now, limits),
            days=int(one.days_left(now)),
        )
        for place, one in enumerate(chain.certificates)
    )


CHAIN_COLUMNS: tuple[Column[CertificateLine], ...] = (
    Column(
        key="role",
        title="CHAIN",
        width=14,
        cell=lambda r: (f"{GLYPHS[r.tone]} {r.role}", r.tone),
    ),
    Column(key="subject", title="SUBJECT", width=20, grow=2, cell=lambda r: r.certificate.subject),
    Column(
        key="days",
        title="LEFT",
        width=7,
        align="right",
        cell=lambda r: (f"{r.days} d", r.tone),
    ),
    Column(
        key="until",
        title="UNTIL (UTC)",
        width=16,
        cell=lambda r: (f"{r.certificate.not_after:%Y-%m-%d %H:%M}", r.tone),
        priority=1,
    ),
    Column(
        key="first",
        title="",
        width=13,
        cell=lambda r: ("expires first", r.tone) if r.is_earliest else "",
        priority=2,
    ),
    Column(key="issuer", title="ISSUER", width=18, grow=1, cell=lambda r: r.certificate.issuer, priority=3),
    Column(
        key="names",
        title="NAMES",
        width=20,
        grow=1,
        cell=lambda r: ", ".join(r.certificate.names),
        priority=4,
    ),
)


def chain_notes(data: HttpData) -> tuple[Fact, ...]:
    """What stands below the chain."""
    chain = data.chain
    if chain is None:
        word = "no handshake came so far that a certificate was seen" if data.has_tls else "no TLS: http://"
        return (("chain", word, Tone.MUTED),)
    notes: list[Fact] = []
    if chain.refused is not None:
        notes.append(("refused", chain.refused, Tone.CRIT))
        if data.probe.hint:
            notes.append(("next", data.probe.hint, Tone.NORMAL))
    if chain.is_leaf_only:
        notes.append(("leaf only", "this Python cannot show the rest of the chain", Tone.WARN))
    notes.append(("names", ", ".join(chain.leaf.names) or "none", Tone.NORMAL))
    return tuple(notes)
