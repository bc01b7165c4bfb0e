"""Which containers there are and how each is: a list now and then, inspections where something happened."""

import asyncio
from collections.abc import Iterable, Mapping

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.client import EngineClient, EngineError
from opsdash.collectors.docker.listing import Inspected, Listed, by_place, container, differs, health_of
from opsdash.collectors.docker.rows import Container
from opsdash.collectors.docker.settings import DockerSettings
from opsdash.collectors.errors import BadReply, TargetError, TimedOut

LIST_EVERY_S = 30.0
INSPECTED_AT_ONCE = 16
INSPECT_BUDGET_S = 2.0
"""Of one reading. What is not inspected within it follows in the next ones."""

INSPECT_LIMIT_S = 1.5
"""For one container: the engine may be stuck with one and well with all others."""


_Sources = tuple[Listed, Inspected | None, int | None]


class Census:
    """The containers of one engine."""

    def __init__(self, client: EngineClient, clock: Clock) -> None:
        """Nothing is asked yet."""
        self.listed_mono_s: float | None = None
        """When the last full list was read; None: there was none since the connection is open."""
        self._client = client
        settings = client.target.settings
        self._filters = settings.filters if isinstance(settings, DockerSettings) else {}
        self._clock = clock
        self._listed: dict[str, Listed] = {}
        self._inspected: dict[str, Inspected] = {}
        self._exits: dict[str, int | None] = {}
        self._made: dict[str, tuple[_Sources, Container]] = {}
        self._due: dict[str, None] = {}
        """Ids to inspect, in their order."""

    def doubt_everything(self) -> None:
        """The engine was away: all is asked anew. What was known stays until then."""
        self.listed_mono_s = None

    async def read(self, touched: Iterable[str]) -> None:
        """Ask what may have changed.

        Args:
            touched: Ids of containers to which something happened.

        Raises:
            TargetError: The engine could not be asked. One container that cannot be inspected is no failure.
        """
        self._due.update(dict.fromkeys(touched))
        now_s = self._clock.mono_s()
        if self._due or self.listed_mono_s is None or now_s - self.listed_mono_s >= LIST_EVERY_S:
            await self._list()
        await self._inspect_due()

    def containers(self, exits: Mapping[str, int | None]) -> tuple[Container, ...]:
        """All of them, in the order of `by_place`.

        Args:
            exits: Id -> exit code of the last run that ended, of those whose end was seen lately.
        """
        self._exits.update((id, code) for id, code in exits.items() if id in self._listed)
        return tuple(sorted(map(self._container, self._listed), key=by_place))

    def _container(self, id: str) -> Container:
        """Made anew only where something about it was read anew."""
        sources = (self._listed[id], self._inspected.get(id), self._exits.get(id))
        made = self._made.get(id)
        if made is None or any(now is not then for now, then in zip(sources, made[0], strict=True)):
            made = self._made[id] = (sources, container(*sources))
        return made[1]

    async def _list(self) -> None:
        filters = self._filters or None
        found = await self._client.get("/containers/json", as_=list[Listed], all=True, filters=filters)
        is_first = self.listed_mono_s is None
        self._listed = {each.Id: each for each in found}
        for kept in (self._inspected, self._exits, self._made, self._due):
            for gone in kept.keys() - self._listed.keys():
                del kept[gone]
        for each in found:
            known = self._inspected.get(each.Id)
            # an unhealthy one may say something new without an event
            is_in_trouble = health_of(each) in ("unhealthy", "starting")
            if is_first or known is None or is_in_trouble or differs(each, known):
                self._due[each.Id] = None
        self.listed_mono_s = self._clock.mono_s()

    async def _inspect_due(self) -> None:
        """Inspect as many as the budget allows, `INSPECTED_AT_ONCE` at a time."""
        until_s = self._clock.mono_s() + INSPECT_BUDGET_S
        broken: list[TargetError] = []

        async def inspect_next() -> None:
            while self._due and not broken and self._clock.mono_s() < until_s:
                id = next(iter(self._due))
                del self._due[id]
                try:
                    await self._inspect(id)
                except TargetError as error:
                    self._due[id] = None
                    broken.append(error)

        await asyncio.gather(*(inspect_next() for _ in range(min(INSPECTED_AT_ONCE, len(self._due)))))
        if broken:
            raise broken[0]

    async def _inspect(self, id: str) -> None:
        try:
            found = await self._client.get(f"/containers/{id}/json", as_=Inspected, limit_s=INSPECT_LIMIT_S)
        except (BadReply, TimedOut) as error:
            self._inspected.pop(id, None)  # tried again with the next list, which says how it is until then
            if isinstance(error, EngineError) and error.status == 404:
                self._listed.pop(id, None)
        else:
            self._inspected[id] = found
