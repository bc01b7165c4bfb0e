"""The list of endpoints, grouped by service. Pure."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import duration
from opsdash.collectors.http.rows import HttpData
from opsdash.collectors.http.settings import HttpSettings, HttpThresholds
from opsdash.widgets.columns import Cell, Column, figure
from opsdash.widgets.panel import view_tone, worst_first
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
from opsdash.widgets.panels.targets import NAME, STATUS, Listing, TargetLine, environment, status
from opsdash.widgets.status import GLYPHS, Tone


class EndpointLine(TargetLine[HttpData], frozen=True, kw_only=True):
    """One endpoint in the list."""

    service: str
    is_first: bool
    """The first of its service: the others leave the service's name out."""

    @property
    def limits(self) -> HttpThresholds:
        """The thresholds of the endpoint."""
        return limits_of(self.view)


def endpoint_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], mono_s: float
) -> tuple[EndpointLine, ...]:
    """One line per endpoint: the service with the worst one first, the probes of each together."""
    services: dict[str, list[TargetView]] = {}
    for view in worst_first(views, findings):
        services.setdefault(_service(view), []).append(view)
    return tuple(
        EndpointLine(
            view=view,
            tone=view_tone(view, findings),
            status=status(view, findings, mono_s),
            service=service,
            is_first=view is members[0],
        )
        for service, members in services.items()
        for view in members
    )


def _service(view: TargetView) -> str:
    settings = view.target.settings
    stated = settings.service if isinstance(settings, HttpSettings) else None
    return stated or view.target.name


def _name(row: EndpointLine) -> Cell:
    indent = "" if row.is_first else "  "
    return f"{indent}{GLYPHS[row.tone]} {row.id.name}", row.tone


def _state(row: EndpointLine) -> Cell:
    return state_word(row.data, row.limits) if row.data else "-"


def _latency(row: EndpointLine) -> Cell:
    if row.data is None:
        return "-"
    return latency(row.data.probe), latency_tone(row.data.probe.took_s, row.limits)


def _p95_tone(row: EndpointLine) -> Tone:
    return Tone.NORMAL if row.data is None else latency_tone(row.data.window.p95_s, row.limits)


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


_COLUMNS: tuple[Column[EndpointLine], ...] = (
    Column(
        key="service",
        title="SERVICE",
        width=12,
        cell=lambda r: r.service if r.is_first else "",
        sort=lambda r: r.service,
        priority=4,
    ),
    msgspec.structs.replace(NAME, title="ENDPOINT", cell=_name),
    Column(key="path", title="PATH", width=16, cell=lambda r: r.data.label if r.data else "-", priority=6),
    environment(priority=8),
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
    figure(
        "p50",
        "P50",
        lambda r: r.data.window.p50_s if r.data else None,
        duration,
        unit="s",
        width=6,
        priority=7,
    ),
    figure(
        "p95",
        "P95",
        lambda r: r.data.window.p95_s if r.data else None,
        duration,
        unit="s",
        tone=_p95_tone,
        width=6,
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
        priority=3,
    ),
    msgspec.structs.replace(STATUS, priority=5),
)

ENDPOINTS = Listing(columns=_COLUMNS, lines=endpoint_lines)
