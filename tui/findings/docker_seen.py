"""What the rules on containers share: a reading with its events sorted out. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from opsdash.collectors.docker.exits import by_container
from opsdash.collectors.docker.rows import Container, EngineData, EngineEvent
from opsdash.collectors.docker.services import group_word, is_last, serves, service_of
from opsdash.collectors.docker.settings import DockerThresholds
from opsdash.collectors.finding import Severity, SuggestedAction
from opsdash.collectors.format import age, moment
from opsdash.collectors.target import TargetId

_LAST_LINES = 3


class Seen:
    """One reading of one engine, as the rules look at it."""

    def __init__(self, data: EngineData, target: TargetId, limits: DockerThresholds) -> None:
        self.data = data
        self.target = target
        self.limits = limits
        self._events = by_container(data.events)

    def events(self, container: Container) -> Sequence[EngineEvent]:
        """Those of one container, oldest first."""
        return self._events.get(container.id, ())

    def before(self, seconds: float) -> datetime:
        """A moment so long before this reading, on the engine's clock."""
        return self.data.now - timedelta(seconds=seconds)

    def ago(self, at: datetime | None) -> str:
        """How long ago a moment was; `-` when unknown."""
        return "-" if at is None else age((self.data.now - at).total_seconds())

    def is_recent(self, at: datetime | None) -> bool:
        """Whether an end is recent enough to be told; one of unknown time is not."""
        return at is not None and at >= self.before(self.limits.exited_within_s)

    def severity(self, container: Container) -> Severity:
        """Of one that does not serve: critical where no other of its service does."""
        return Severity.CRIT if is_last(container, self.data.containers) else Severity.WARN

    def loss_words(self, container: Container) -> str:
        """What is left of its service, for a title; empty where others serve, or where it has none."""
        if not is_last(container, self.data.containers):
            return ""
        nothing = "nothing else" if serves(container) else "nothing"
        return f" · {nothing} of {group_word(container)} serves"

    def remembered(self) -> Iterator[str]:
        """Since when the engine's events are known."""
        since = self.data.events_since
        yield (
            "the engine's events could not be read"
            if since is None
            else (f"events are known since {moment(since)} UTC ({self.ago(since)})")
        )

    def last_lines(self, container: Container) -> Iterator[str]:
        """The newest lines that it printed, those of trouble first of all."""
        source = next((s for s in self.data.logs if s.identity == container.id), None)
        if source is not None:
            lines = source.latest_trouble or source.latest
            yield from (f"it printed: {line.text}" for line in lines[-_LAST_LINES:])


def is_job(container: Container) -> bool:
    """Whether it may well be meant to end: nothing starts it again, and nothing watches over it."""
    return container.restart_policy in ("", "no") and not container.health_log


def on_container(container: Container, *actions: str) -> tuple[SuggestedAction, ...]:
    """Actions on this run of it."""
    return tuple(SuggestedAction(action=name, identity=container.identity) for name in actions)


def on_service(container: Container, *actions: str) -> tuple[SuggestedAction, ...]:
    """Actions on its compose service; none where it has no service."""
    mine = service_of(container)
    return () if mine is None else tuple(SuggestedAction(action=name, identity=mine) for name in actions)
