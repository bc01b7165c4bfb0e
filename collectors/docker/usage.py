"""Reads what containers use, of those that are looked at and of no others.

From the kernel's files where the engine is on this machine and they can be read, else from the engine, which
takes up to a second for each container: a reading starts questions and takes what earlier ones brought.
"""

from collections.abc import Mapping, Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.asking import StatsQuestions
from opsdash.collectors.docker.cgroup_files import CgroupFiles
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.rows import Container, ContainerIdentity, Engine, Usage
from opsdash.collectors.docker.stats import Sample, usage
from opsdash.collectors.threads import StillRunning, call_in_thread

SHORTEST_WINDOW_S = 0.5
"""Files are read at most so often; rates over less than that mostly show chance."""
LONGEST_WINDOW_S = 30.0
"""After a longer time out of sight a container begins anew: an average over that says little of now."""

_FILES_LIMIT_S = 1.0


class _Seen:
    """The last two samples of one run of a container."""

    def __init__(self) -> None:
        self.before: Sample | None = None
        self.last: Sample | None = None

    def take(self, sample: Sample) -> None:
        """Keep a sample, unless it is the one that is held already."""
        last = self.last
        if last is not None and last.run == sample.run and sample.at_s <= last.at_s:
            return
        is_close = last is not None and sample.taken_mono_s - last.taken_mono_s <= LONGEST_WINDOW_S
        self.before, self.last = (last if is_close else None), sample


class UsageReader:
    """Keeps samples between readings; one for each connection to an engine."""

    def __init__(
        self, client: EngineClient, engine: Engine, clock: Clock, *, files: CgroupFiles | None = None
    ) -> None:
        """Args: a client, its engine, the clock; `files` where they are not at their usual place."""
        self._key = f"cgroups of {client.target.id}"
        self._clock = clock
        self._files = (files or CgroupFiles()) if engine.is_local else None
        self._questions = StatsQuestions(client, clock, self._take)
        self._visible: tuple[str, ...] = ()
        self._opened: str | None = None
        self._seen: dict[ContainerIdentity, _Seen] = {}
        self._without_files: set[ContainerIdentity] = set()

    def look_at(self, visible: tuple[str, ...], opened: str | None) -> None:
        """Say what is shown now; see `Attentive`. Questions about what is not are broken off at once."""
        self._opened = opened
        self._visible = visible if opened is None else (opened, *(id for id in visible if id != opened))
        shown = set(self._visible)
        self._questions.narrow({each for each in self._seen if each.id in shown})

    async def read(self, containers: Sequence[Container]) -> tuple[Mapping[str, Usage], str]:
        """What the containers that are looked at use, and where that comes from, for people.

        Args:
            containers: All of the engine, as known now.

        Returns:
            By id: only those that run, are looked at, and of which there is a sample. The second is empty
            while nothing is looked at.
        """
        running = {each.id: each for each in containers if each.state in ("running", "paused")}
        shown = [running[id] for id in self._visible if id in running]
        self._forget({each.identity for each in running.values()})
        for each in shown:
            self._seen.setdefault(each.identity, _Seen())
        if self._files is not None and shown:
            await self._read_files(self._files, shown)
        asked = [each for each in shown if self._files is None or each.identity in self._without_files]
        opened = next((each.identity for each in asked if each.id == self._opened), None)
        self._questions.ask([each.identity for each in asked], opened)
        return self._usage(shown), self._source(shown, asked)

    def close(self) -> None:
        """Break off whatever is under way."""
        self.look_at((), None)

    def _take(self, identity: ContainerIdentity, sample: Sample) -> None:
        self._seen.setdefault(identity, _Seen()).take(sample)

    def _forget(self, running: set[ContainerIdentity]) -> None:
        """Runs that are over."""
        for gone in self._seen.keys() - running:
            del self._seen[gone]
        self._without_files &= running

    async def _read_files(self, files: CgroupFiles, shown: Sequence[Container]) -> None:
        """Sample those that have files here; on a thread, since the kernel counts while it answers."""
        due = [
            (each.identity, each.pid)
            for each in shown
            if each.pid is not None and each.identity not in self._without_files and self._is_due(each)
        ]

        def read() -> dict[ContainerIdentity, Sample | None]:
            return {run: files.sample(run.id, pid, mono_s=self._clock.mono_s()) for run, pid in due}

        try:
            samples = await call_in_thread(read, key=self._key, timeout_s=_FILES_LIMIT_S)
        except (TimeoutError, StillRunning):  # a starved machine: what was read before stays, with its age
            return
        for identity, sample in samples.items():
            if sample is not None:
                self._take(identity, sample)
            else:
                self._without_files.add(identity)
        files.keep_only({(each.id, each.pid) for each in shown if each.pid is not None})

    def _is_due(self, container: Container) -> bool:
        last = self._seen[container.identity].last
        return last is None or self._clock.mono_s() - last.taken_mono_s >= SHORTEST_WINDOW_S

    def _usage(self, shown: Sequence[Container]) -> dict[str, Usage]:
        found: dict[str, Usage] = {}
        for each in shown:
            seen = self._seen[each.identity]
            if seen.last is not None:
                found[each.id] = usage(seen.before, seen.last)
        return found

    def _source(self, shown: Sequence[Container], asked: Sequence[Container]) -> str:
        if not shown:
            return ""
        if not asked:
            return "cgroup files"
        words = "engine, one at a time"
        if len(asked) < len(shown):
            words = f"cgroup files, {len(asked)} of {len(shown)} from the engine"
        failure = self._questions.failure
        return words if failure is None else f"{words}: {failure.reason}"
