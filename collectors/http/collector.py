"""Probes one HTTP endpoint: asks, judges, and keeps the last probes."""

import asyncio
from collections import deque
from datetime import datetime

import anyio.lowlevel
import anyio.streams.tls
import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.cost import count
from opsdash.collectors.errors import TimedOut
from opsdash.collectors.http.address import parse
from opsdash.collectors.http.answer import Exchange
from opsdash.collectors.http.client import HttpClient, LookUp, look_up_name
from opsdash.collectors.http.headers import Headers, read_headers
from opsdash.collectors.http.judge import judge
from opsdash.collectors.http.rows import Chain, HttpData, Probe, SubCheck, Verdict
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.http.trust import read_trust
from opsdash.collectors.http.window import window
from opsdash.collectors.secret import Secret, redact
from opsdash.collectors.target import Target


class HttpCollector:
    """Keeps what the last probes found; see `Collector`.

    An endpoint that refuses, hangs or answers nonsense was read: that it is down is what was found, and is
    data. What raises is what keeps opsdash from asking at all, such as a secret that cannot be read.
    """

    def __init__(self, target: Target, clock: Clock, *, look_up: LookUp = look_up_name) -> None:
        settings = target.settings
        assert isinstance(settings, HttpSettings)
        self._target = target
        self._settings = settings
        self._clock = clock
        self._look_up = look_up
        self._endpoint = parse(settings.url)
        self._password = Secret(self._endpoint.password or "")  # known to redact() for as long as we are here
        self._headers: Headers = {}  # known to redact() until the next probe
        self._client: HttpClient | None = None
        self._asking: asyncio.Task[Exchange] | None = None
        self._probes: deque[Probe] = deque(maxlen=settings.window)
        self._record = Record()
        self._chain: Chain | None = None

    @property
    def target(self) -> Target:
        """What it reads."""
        return self._target

    async def collect(self) -> HttpData:
        """Probe once; raises TargetError only where nothing could be asked."""
        client = await self._ready()
        self._headers = headers = await read_headers(self._target.id, self._settings)
        began_s = self._clock.mono_s()
        exchange = await self._ask(client, headers)
        probe = self._judged(exchange, self._clock.mono_s() - began_s)
        self._probes.append(probe)
        self._record.add(probe, self._settings)
        self._chain = exchange.chain or self._chain
        return self._data(probe)

    def abort(self) -> None:
        """Break off the request under way; its socket is closed."""
        if self._asking is not None:
            self._asking.cancel()

    async def close(self) -> None:
        """Let go of everything."""
        self.abort()
        if self._client is not None:
            await self._client.close()

    async def _ready(self) -> HttpClient:
        if self._client is None:
            trust = await read_trust(self._target.id, self._settings)
            await anyio.lowlevel.checkpoint()  # imports its backend, or the first probe would seem slow
            self._client = HttpClient(
                self._target.id, self._settings, trust, self._clock, look_up=self._look_up
            )
        return self._client

    async def _ask(self, client: HttpClient, headers: Headers) -> Exchange:
        """Ask in a task of its own, which `abort` can cancel."""
        count(self._target.id)
        self._asking = asyncio.ensure_future(client.exchange(headers))
        try:
            return await self._asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise TimedOut(
                self._target.id, "the probe was broken off", hint="the next one is tried"
            ) from None
        finally:
            self._asking.cancel()
            self._asking = None

    def _judged(self, exchange: Exchange, took_s: float) -> Probe:
        judgement = judge(self._settings, exchange)
        return Probe(
            at=self._clock.now(),
            mono_s=self._clock.mono_s(),
            took_s=took_s,
            verdict=judgement.verdict,
            phases=exchange.phases,
            trouble=judgement.trouble,
            reason=None if judgement.reason is None else redact(judgement.reason),
            hint=judgement.hint,
            status=exchange.status,
            address=exchange.address,
            hops=exchange.hops,
            checks=tuple(map(_redacted, judgement.checks)),
            body_bytes=len(exchange.body) if exchange.status is not None else None,
            media_type=exchange.media_type,
        )

    def _data(self, probe: Probe) -> HttpData:
        probes = tuple(self._probes)
        record = self._record
        return HttpData(
            url=self._endpoint.shown,
            label=self._endpoint.label,
            service=self._settings.service or self._target.name,
            has_tls=self._endpoint.has_tls,
            probe=probe,
            probes=probes,
            state=record.state,
            failing=record.failing,
            passing=record.passing,
            probed=record.probed,
            watched_s=probe.mono_s - record.began_s,
            failed_since=record.failed_since,
            window=window(
                [p.took_s if p.is_answered else None for p in probes],
                failed=sum(p.verdict is Verdict.DOWN for p in probes),
                span_s=probe.mono_s - probes[0].mono_s,
            ),
            chain=self._chain,
        )


def _redacted(check: SubCheck) -> SubCheck:
    """A service may repeat what it was sent."""
    detail = None if check.detail is None else redact(check.detail)
    return msgspec.structs.replace(check, name=redact(check.name), says=redact(check.says), detail=detail)


class Record:
    """Failed and good probes in a row, and what follows from them."""

    def __init__(self) -> None:
        self.state = Verdict.UNKNOWN
        self.failing = 0
        self.passing = 0
        self.probed = 0
        self.began_s = 0.0
        self.failed_since: datetime | None = None

    def add(self, probe: Probe, settings: HttpSettings) -> None:
        """Count one more probe. One that could not look (UNKNOWN) neither fails nor passes."""
        if not self.probed:
            self.began_s = probe.mono_s - probe.took_s
        self.probed += 1
        limits = settings.thresholds
        if probe.verdict is Verdict.DOWN:
            self.passing = 0
            self.failing += 1
            self.failed_since = self.failed_since or probe.at
            if self.failing >= limits.down_after or self.state is Verdict.DOWN:
                self.state = Verdict.DOWN
            return
        if probe.verdict is Verdict.UNKNOWN:
            if self.state is not Verdict.DOWN:
                self.state = Verdict.UNKNOWN
            return
        self.failing = 0
        self.passing += 1
        if self.state is not Verdict.DOWN or self.passing >= limits.up_after:
            self.failed_since = None
            self.state = probe.verdict
