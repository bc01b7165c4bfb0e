"""Sends one request over a connection of its own, and measures its phases."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from opsdash import __version__
from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import NameLookupHangs, NameUnknown
from opsdash.collectors.http.address import Endpoint, is_address, parse, parse_connect, redirected
from opsdash.collectors.http.answer import Broken, Exchange
from opsdash.collectors.http.certificates import chain_of, look_at_refused
from opsdash.collectors.http.failures import broken, timed_out
from opsdash.collectors.http.headers import Headers
from opsdash.collectors.http.rows import Chain, Hop, Trouble
from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.http.stopwatch import Stopwatch
from opsdash.collectors.http.trust import Trust
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line
from opsdash.collectors.threads import resolve
from opsdash.collectors.under_way import shared

LOOK_UP_LIMIT_S = 3.0

ADDRESSES = 3
"""Of a name with several, so many are tried."""

LookUp = Callable[[TargetId, str, int], Awaitable[tuple[str, ...]]]
"""Target, host name and port to addresses, in the order to try."""


async def look_up_name(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    """The addresses of `host`, looked up on a thread of our own; raises NameUnknown, NameLookupHangs."""
    return await shared(
        f"look up {target} {host} {port}", lambda: resolve(target, host, port, timeout_s=LOOK_UP_LIMIT_S)
    )


class _Stopped(Exception):
    """There is no answer to this request; says why."""

    def __init__(self, why: Broken) -> None:
        self.why = why
        super().__init__(why.reason)


class _Request:
    """What one exchange knows so far, wherever it ends."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.began_s = clock.mono_s()
        self.watch = Stopwatch(clock.mono_s)
        self.earlier_s: float | None = None
        self.hops: tuple[Hop, ...] = ()
        self.address: str | None = None
        self.chain: Chain | None = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore: takes times, and the chain once hands are shaken."""
        self.watch.mark(event)
        if event == "connection.start_tls.complete":
            connection = info["return_value"].get_extra_info("ssl_object")
            self.chain = chain_of(connection) if connection is not None else None

    def next_hop(self, hop: Hop) -> None:
        """A redirect is followed: the times begin anew."""
        self.hops = (*self.hops, hop)
        self.earlier_s = self.clock.mono_s() - self.began_s
        self.watch = Stopwatch(self.clock.mono_s)

    def ended(self, *, why: Broken | None = None, **answer: Any) -> Exchange:
        """What came of it."""
        return Exchange(
            phases=self.watch.phases(earlier_s=self.earlier_s),
            address=self.address,
            hops=self.hops,
            chain=self.chain,
            broken=why,
            **answer,
        )


class HttpClient:
    """Asks one endpoint; no connection outlives its request."""

    def __init__(
        self,
        target: TargetId,
        settings: HttpSettings,
        trust: Trust,
        clock: Clock,
        *,
        look_up: LookUp = look_up_name,
    ) -> None:
        self._target = target
        self._settings = settings
        self._trust = trust
        self._clock = clock
        self._look_up = look_up
        self._endpoint = parse(settings.url)
        self._client = httpx.AsyncClient(
            verify=trust.context,
            trust_env=False,  # a proxy of the environment would be measured in place of the endpoint
            follow_redirects=False,
            timeout=None,  # one limit over everything instead
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=0),
            headers={"User-Agent": f"opsdash/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"},
        )

    async def exchange(self, headers: Headers) -> Exchange:
        """Ask once, following redirects; every failure on the way is a value.

        Args:
            headers: What the configuration adds; withheld where a redirect leads to somebody else.
        """
        request = _Request(self._clock)
        limit_s = self._settings.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await self._follow(request, headers)
        except TimeoutError:
            waits_for = request.watch.waits_for
            return request.ended(why=timed_out(f"no answer within {limit_s:g} s, waiting for {waits_for}"))
        except _Stopped as stopped:
            return request.ended(why=stopped.why)

    async def close(self) -> None:
        """Let go of everything."""
        await self._client.aclose()

    async def _follow(self, request: _Request, headers: Headers) -> Exchange:
        endpoint = self._endpoint
        seen = {endpoint}
        while True:
            answer = await self._ask(request, endpoint, headers)
            location = answer.pop("location")
            is_followed = location is not None and not self._settings.accepts(answer["status"])
            if not is_followed or not self._settings.redirects:
                return request.ended(**answer)
            to = _where_to(endpoint, location)
            request.next_hop(Hop(status=answer["status"], to=to.shown))
            if to in seen:
                raise _Stopped(_loop(f"it leads back to {to.shown} after {len(request.hops)} redirects"))
            if len(request.hops) > self._settings.redirects:
                raise _Stopped(_too_many(self._settings.redirects, to))
            seen.add(to)
            endpoint = to

    async def _ask(self, request: _Request, endpoint: Endpoint, headers: Headers) -> dict[str, Any]:
        """One request, at the first address of the name that takes a connection."""
        host, port = self._way_to(endpoint)
        addresses = await self._addresses(request, host, port)
        for place, address in enumerate(addresses):
            request.address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            share_s = self._settings.timeout_s / len(addresses)
            try:
                return await self._send(request, endpoint, (address, port), headers, connect_s=share_s)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                why = self._why(request, error)
                if place == len(addresses) - 1 or why.trouble in (Trouble.TLS, Trouble.CERTIFICATE):
                    await self._look_closer(request, endpoint, (address, port), why)
                    raise _Stopped(why) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _Stopped(self._why(request, error)) from None
        raise _Stopped(Broken(trouble=Trouble.NAME_UNKNOWN, reason=f"{host} has no address", hint="see DNS"))

    def _way_to(self, endpoint: Endpoint) -> tuple[str, int]:
        """Where to connect: for the URL's own host, what `connect` says."""
        if self._settings.connect is not None and endpoint.origin == self._endpoint.origin:
            return parse_connect(self._settings.connect, endpoint.port)
        return endpoint.host, endpoint.port

    async def _addresses(self, request: _Request, host: str, port: int) -> tuple[str, ...]:
        if is_address(host):
            return (host,)
        asked_s = self._clock.mono_s()
        try:
            found = await self._look_up(self._target, host, port)
        except (NameUnknown, NameLookupHangs) as error:
            hangs = isinstance(error, NameLookupHangs)
            trouble = Trouble.NAME_LOOKUP_HANGS if hangs else Trouble.NAME_UNKNOWN
            raise _Stopped(Broken(trouble=trouble, reason=error.reason, hint=error.hint or "")) from None
        request.watch.name_s = self._clock.mono_s() - asked_s
        return found[:ADDRESSES]

    async def _send(
        self,
        request: _Request,
        endpoint: Endpoint,
        way: tuple[str, int],
        headers: Headers,
        *,
        connect_s: float,
    ) -> dict[str, Any]:
        """Send, and read the answer up to the limit of its body."""
        url = httpx.URL(scheme=endpoint.scheme, host=way[0], port=way[1], raw_path=endpoint.path.encode())
        asked = self._client.build_request(
            self._settings.method,
            url,
            headers=self._headers(endpoint, headers),
            timeout=httpx.Timeout(None, connect=connect_s),
            extensions={"trace": request.trace, "sni_hostname": endpoint.host},
        )
        response = await self._client.send(asked, stream=True)
        try:
            body, is_cut = await self._body(response)
        finally:
            await response.aclose()
        request.watch.mark("body.read")
        encoding = response.headers.get("content-encoding", "identity").lower()
        return {
            "status": response.status_code,
            "phrase": response.reason_phrase,
            "media_type": _media_type(response),
            "body": body,
            "is_cut": is_cut,
            "is_encoded": encoding != "identity",
            "location": response.headers.get("location") if response.has_redirect_location else None,
        }

    async def _body(self, response: httpx.Response) -> tuple[bytes, bool]:
        """What comes of the body up to the limit, and whether it goes on."""
        limit = self._settings.body_limit_bytes
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > limit:
                return bytes(body[:limit]), True
        return bytes(body), False

    def _headers(self, endpoint: Endpoint, headers: Headers) -> list[tuple[str, str]]:
        """The name of the host, and to this host alone what the configuration adds."""
        sent = [("Host", endpoint.authority)]
        if endpoint.origin != self._endpoint.origin:
            return sent
        sent += [(name, prefix + secret.reveal()) for name, (prefix, secret) in headers.items()]
        ours = self._endpoint
        if ours.password is not None and not any(name.lower() == "authorization" for name in headers):
            pair = base64.b64encode(f"{ours.user or ''}:{ours.password}".encode()).decode()
            sent.append(("Authorization", f"Basic {pair}"))
        return sent

    def _why(self, request: _Request, error: httpx.HTTPError | httpx.InvalidURL) -> Broken:
        return broken(error, where=request.address or "it", waited_for=request.watch.waits_for)

    async def _look_closer(
        self, request: _Request, endpoint: Endpoint, way: tuple[str, int], why: Broken
    ) -> None:
        """The chain of a server whose certificate was refused."""
        if why.trouble is Trouble.CERTIFICATE:
            request.chain = await look_at_refused(
                *way, endpoint.host, base=self._trust.context, refused=why.reason
            )


def _media_type(response: httpx.Response) -> str | None:
    """What the body is said to be, without parameters."""
    stated = str(response.headers.get("content-type", "")).partition(";")[0]
    return one_line(stated).lower()[:60] or None


def _where_to(endpoint: Endpoint, location: str) -> Endpoint:
    try:
        return redirected(endpoint, location)
    except ValueError:
        raise _Stopped(
            Broken(
                trouble=Trouble.STATUS,
                reason="it redirects to something that is no http:// or https:// URL",
                hint="ask it by hand with curl -I",
            )
        ) from None


def _loop(reason: str) -> Broken:
    return Broken(
        trouble=Trouble.REDIRECT_LOOP,
        reason=reason,
        hint="check its redirect rules: often http to https behind something that ends TLS",
    )


def _too_many(limit: int, to: Endpoint) -> Broken:
    return Broken(
        trouble=Trouble.TOO_MANY_REDIRECTS,
        reason=f"still redirected after {limit} redirects, to {to.shown}",
        hint="probe where it leads, or raise redirects",
    )
