"""The list of endpoints, grouped by service. Pure."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import duration
from opsdash.collectors.http.rows import HttpData
from opsdash.collectors.http.settings import HttpSettings, HttpThresholds
from opsdash.collectors.target import TargetId
from opsdash.widgets.columns import Cell, Column
from opsdash.widgets.lines import span_text
from opsdash.widgets.panel import freshness, view_tone
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


class EndpointLine(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint in the list."""

    id: TargetId
    service: str
    is_first: bool
    """The first of its service: the others leave the service's name out."""
    tone: Tone
    environment: str
    limits: HttpThresholds
    status: str
    """Its age, why it could not be probed, or what is wrong."""
    data: HttpData | None


def endpoint_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], mono_s: float
) -> tuple[EndpointLine, ...]:
    """One line per endpoint: services in the order of the configuration, their probes together."""
    services: dict[str, list[TargetView]] = {}
    for view in views:
        services.setdefault(_service(view), []).append(view)
    return tuple(
        EndpointLine(
            id=view.target.id,
            service=service,
            is_first=view is members[0],
            tone=view_tone(view, findings),
            environment=view.target.environment.label,
            limits=limits_of(view),
            status=_status(view, mono_s),
            data=view.data,
        )
        for service, members in services.items()
        for view in members
    )


def _service(view: TargetView) -> str:
    settings = view.target.settings
    stated = settings.service if isinstance(settings, HttpSettings) else None
    return stated or view.target.name


def _status(view: TargetView, mono_s: float) -> str:
    words = "".join(span_text(span) for span in freshness(view, mono_s))
    if view.failure is not None:
        return f"{words} · {view.failure.reason}"
    reason = view.data.probe.reason if view.data is not None else None
    return f"{words} · {reason}" if reason else words


def _name(row: EndpointLine) -> Cell:
    is_alone = row.is_first and row.service == row.id.name
    indent = "" if is_alone or row.is_first else "  "
    return f"{indent}{GLYPHS[row.tone]} {row.id.name}", row.tone


def _state(row: EndpointLine) -> Cell:
    return state_word(row.data, row.limits) if row.data else "-"


def _latency(row: EndpointLine) -> Cell:
    if row.data is None:
        return "-"
    return latency(row.data.probe), latency_tone(row.data.probe.took_s, row.limits)


def _p95(row: EndpointLine) -> Cell:
    if row.data is None:
        return "-"
    return duration(row.data.window.p95_s), latency_tone(row.data.window.p95_s, row.limits)


def _certificate(row: EndpointLine) -> Cell:
    if row.data is None:
        return "-"
    chain = row.data.chain
    word = days_word(chain, row.data.probe.at, has_tls=row.data.has_tls)
    return word if chain is None else (word, days_tone(chain.earliest, row.data.probe.at, row.limits))


def _valid_for_s(row: EndpointLine) -> float | None:
    if row.data is None or row.data.chain is None:
        return None
    return row.data.chain.earliest.days_left(row.data.probe.at) * 86400


ENDPOINT_COLUMNS: tuple[Column[EndpointLine], ...] = (
    Column(
        key="service",
        title="SERVICE",
        width=12,
        cell=lambda r: r.service if r.is_first else "",
        sort=lambda r: r.service,
        priority=3,
    ),
    Column(key="name", title="ENDPOINT", width=16, cell=_name, sort=lambda r: r.id.name),
    Column(key="path", title="PATH", width=16, cell=lambda r: r.data.label if r.data else "-", priority=6),
    Column(key="environment", title="ENV", width=12, cell=lambda r: r.environment, priority=8),
    Column(key="state", title="STATE", width=13, cell=_state),
    Column(
        key="code",
        title="CODE",
        width=7,
        align="right",
        cell=lambda r: status_word(r.data.probe) if r.data else "-",
        sort=lambda r: r.data.probe.status if r.data else None,
    ),
    Column(
        key="latency",
        title="NOW",
        width=8,
        align="right",
        cell=_latency,
        sort=lambda r: r.data.probe.took_s if r.data else None,
        unit="s",
        descending_first=True,
    ),
    Column(
        key="p50",
        title="P50",
        width=6,
        align="right",
        cell=lambda r: duration(r.data.window.p50_s) if r.data else "-",
        sort=lambda r: r.data.window.p50_s if r.data else None,
        unit="s",
        descending_first=True,
        priority=7,
    ),
    Column(
        key="p95",
        title="P95",
        width=6,
        align="right",
        cell=_p95,
        sort=lambda r: r.data.window.p95_s if r.data else None,
        unit="s",
        descending_first=True,
        priority=1,
    ),
    Column(
        key="p99",
        title="P99",
        width=6,
        align="right",
        cell=lambda r: duration(r.data.window.p99_s) if r.data else "-",
        priority=7,
    ),
    Column(
        key="strip",
        title=f"LAST {STRIP}",
        width=STRIP,
        cell=lambda r: (strip(r.data.probes), state_word(r.data, r.limits)[1]) if r.data else "",
        priority=2,
    ),
    Column(
        key="certificate",
        title="CERT",
        width=6,
        align="right",
        cell=_certificate,
        sort=_valid_for_s,
        unit="s",
        priority=4,
    ),
    Column(key="status", title="STATUS", width=16, grow=1, cell=lambda r: (r.status, r.tone), priority=5),
)
