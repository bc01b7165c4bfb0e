"""Reads what containers use: of all where that costs the engine nothing, else of those that are looked at.

From the kernel's files where the engine is on this machine and they can be read, else from the engine, which
takes up to a second for each container: a reading starts questions and takes what earlier ones brought.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.asking import StatsQuestions
from opsdash.collectors.docker.cgroup_files import CgroupFiles
from opsdash.collectors.docker.client import EngineClient
from opsdash.collectors.docker.rows import Container, ContainerIdentity, Engine, Usage
from opsdash.collectors.docker.stats import Sample, usage
from opsdash.collectors.threads import StillRunning, call_in_thread

SHORTEST_WINDOW_S = 0.5
"""Files are read at most so often; rates over less than that mostly show chance."""
OUT_OF_SIGHT_S = 5.0
"""The files of containers that nobody looks at are read at most so often: rules judge by them too."""
OUT_OF_SIGHT = 100
"""So many of those in one reading, about 7 ms of work; where there are more, each waits for its turn."""
LONGEST_WINDOW_S = 30.0
"""After a longer time out of sight a container begins anew: an average over that says little of now."""

_FILES_LIMIT_S = 1.0


class _Seen:
    """The newest sample of one run of a container, and what was used since the one before."""

    def __init__(self) -> None:
        self.last: Sample | None = None
        self.usage: Usage | None = None

    def take(self, sample: Sample) -> None:
        """Keep a sample, unless it is the one that is held already."""
        last = self.last
        if last is not None and last.run == sample.run and sample.at_s <= last.at_s:
            return
        is_close = last is not None and sample.taken_mono_s - last.taken_mono_s <= LONGEST_WINDOW_S
        self.last, self.usage = sample, usage(last if is_close else None, sample)


class UsageReader:
    """Keeps samples between readings; one for each connection to an engine."""

    def __init__(
        self,
        client: EngineClient,
        engine: Engine,
        clock: Clock,
        *,
        files: CgroupFiles | None = None,
        out_of_sight: int = OUT_OF_SIGHT,
    ) -> None:
        """Args: a client, its engine, the clock; `files` where they are not at their usual place."""
        self._out_of_sight = out_of_sight
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
        """What containers use, and where that comes from, for people.

        Args:
            containers: All of the engine, as known now.

        Returns:
            By id: only those that run and of which there is a sample; the engine is asked for none but those
            that are looked at. The second is empty when there are none.
        """
        running = {each.id: each for each in containers if each.state in ("running", "paused")}
        shown = [running[id] for id in self._visible if id in running]
        self._forget({each.identity for each in running.values()})
        for each in shown:
            self._seen.setdefault(each.identity, _Seen())
        if self._files is not None:
            await self._read_files(self._files, shown, running.values())
        asked = [each for each in shown if self._files is None or each.identity in self._without_files]
        opened = next((each.identity for each in asked if each.id == self._opened), None)
        self._questions.ask([each.identity for each in asked], opened)
        known = self._usage(shown if self._files is None else running.values(), set(self._visible))
        return known, self._source(known, asked)

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

    async def _read_files(
        self, files: CgroupFiles, shown: Sequence[Container], running: Collection[Container]
    ) -> None:
        """Sample those that have files here; on a thread, since the kernel counts while it answers."""
        due = [each for each in shown if self._is_due(each, SHORTEST_WINDOW_S)]
        waiting = [each for each in running if self._is_due(each, OUT_OF_SIGHT_S)]
        waiting.sort(key=lambda each: self._taken_s(each) or 0.0)
        chosen = {each.identity: each.pid for each in (*due, *waiting[: self._out_of_sight])}

        def read() -> dict[ContainerIdentity, Sample | None]:
            return {
                run: files.sample(run.id, pid, mono_s=self._clock.mono_s())
                for run, pid in chosen.items()
                if pid is not None
            }

        if not chosen:
            return
        try:
            samples = await call_in_thread(read, key=self._key, timeout_s=_FILES_LIMIT_S)
        except (
            TimeoutError,
            StillRunning,
            BlockingIOError,
        ):  # a starved machine: what was read before stays, with its age
            return
        for identity, sample in samples.items():
            if sample is not None:
                self._take(identity, sample)
            else:
                self._without_files.add(identity)
        files.keep_only({(each.id, each.pid) for each in running if each.pid is not None})

    def _is_due(self, container: Container, after_s: float) -> bool:
        if container.pid is None or container.identity in self._without_files:
            return False
        taken_s = self._taken_s(container)
        return taken_s is None or self._clock.mono_s() - taken_s >= after_s

    def _taken_s(self, container: Container) -> float | None:
        seen = self._seen.get(container.identity)
        return None if seen is None or seen.last is None else seen.last.taken_mono_s

    def _usage(self, containers: Iterable[Container], visible: set[str]) -> dict[str, Usage]:
        found: dict[str, Usage] = {}
        for each in containers:
            seen = self._seen.get(each.identity)
            is_read = each.id in visible or each.identity not in self._without_files
            if is_read and seen is not None and seen.usage is not None:
                found[each.id] = seen.usage
        return found

    def _source(self, known: Mapping[str, Usage], asked: Sequence[Container]) -> str:
        if not asked:
            return "cgroup files" if known else ""
        from_files = len(known.keys() - {each.id for each in asked})
        words = "engine, one at a time"
        if from_files:
            words = f"cgroup files, {len(asked)} of {from_files + len(asked)} from the engine"
        failure = self._questions.failure
        return words if failure is None else f"{words}: {failure.reason}"
