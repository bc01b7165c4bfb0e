"""Targets and probes by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from opsdash.collectors.clock import Clock
from opsdash.collectors.http.collector import HttpCollector
from opsdash.collectors.http.rows import Certificate, Chain, HttpData, Phases, Probe, Trouble, Verdict
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.http.window import window
from opsdash.collectors.target import Target, TargetId, environment

NOW = datetime(2026, 3, 14, 3, 12, 41, tzinfo=UTC)
MONO_S = 5000.0


def http_target(url: str = "https://api.internal/health", *, name: str = "api", **settings: Any) -> Target:
    """An endpoint outside production; `settings` are those of its kind."""
    return Target(
        id=TargetId("http", name),
        environment=environment("staging"),
        interval_s=2.0,
        settings=HttpSettings(url=url, **settings),
        source="a test",
    )


@asynccontextmanager
async def collector(url: str, **settings: Any) -> AsyncIterator[HttpCollector]:
    """A collector of a real endpoint."""
    made = HttpCollector(http_target(url, **settings), Clock())
    try:
        yield made
    finally:
        await made.close()


async def probed(url: str, **settings: Any) -> HttpData:
    """What one probe of a real endpoint finds."""
    async with collector(url, **settings) as made:
        return await made.collect()


def probe(verdict: Verdict = Verdict.UP, *, ago_s: float = 0.0, **facts: Any) -> Probe:
    """One probe that ended `ago_s` before NOW."""
    known: dict[str, Any] = {
        "at": NOW - timedelta(seconds=ago_s),
        "mono_s": MONO_S - ago_s,
        "took_s": 0.02,
        "status": 200,
        "phases": Phases(connect_s=0.001, first_byte_s=0.018),
    }
    if verdict is Verdict.DOWN:
        known |= {"trouble": Trouble.SERVER_ERROR, "reason": "503 Service Unavailable", "status": 503}
        known["hint"] = "look at its log"
    return Probe(verdict=verdict, **(known | facts))


def reading(probes: Sequence[Probe], **facts: Any) -> HttpData:
    """What the collector would hold after `probes`, oldest first; without more said, state as the newest."""
    newest = probes[-1]
    failing = 0
    for one in reversed(probes):
        if one.verdict is not Verdict.DOWN:
            break
        failing += 1
    known: dict[str, Any] = {
        "url": "https://api.internal/health",
        "label": "/health",
        "service": "api",
        "has_tls": True,
        "state": Verdict.DOWN if failing >= 3 else (Verdict.UP if failing else newest.verdict),
        "failing": failing,
        "passing": 0 if failing else 2,
        "probed": len(probes),
        "watched_s": newest.mono_s - probes[0].mono_s,
        "failed_since": probes[-failing].at if failing else None,
        "window": window(
            [one.took_s if one.is_answered else None for one in probes],
            failed=sum(one.verdict is Verdict.DOWN for one in probes),
            span_s=newest.mono_s - probes[0].mono_s,
        ),
    }
    return HttpData(probe=newest, probes=tuple(probes), **(known | facts))


def series(*verdicts: Verdict, **facts: Any) -> list[Probe]:
    """Probes two seconds apart, the last one now."""
    return [
        probe(verdict, ago_s=2.0 * (len(verdicts) - 1 - place), **facts)
        for place, verdict in enumerate(verdicts)
    ]


def certificate(subject: str, days: float, **facts: Any) -> Certificate:
    """A certificate that expires in `days`."""
    known: dict[str, Any] = {
        "issuer": "R11",
        "names": (subject,),
        "not_before": NOW - timedelta(days=60),
        "not_after": NOW + timedelta(days=days, seconds=30),
        "is_ca": False,
        "serial": subject,
    }
    return Certificate(subject=subject, **(known | facts))


def chain(*certificates: Certificate, **facts: Any) -> Chain:
    """The server's own certificate first."""
    return Chain(certificates=tuple(certificates), **facts)
