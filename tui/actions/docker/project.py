"""`up` and `down` of a compose project: what would change, the exact command, and what came of it."""

import asyncio
import shlex
import signal
from collections.abc import AsyncIterator, Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.collectors.errors import TargetError, TimedOut
from opsdash.collectors.target import Target
from opsdash.collectors.threads import call_in_thread
from opsdash.tui.actions.action import ActionSpec, Effect, Hit, Plan, PlanLine, Progress, Step
from opsdash.tui.actions.docker import DOWN, UP, changes, project_lines
from opsdash.tui.actions.docker.compose import Ended, Program
from opsdash.tui.actions.docker.connection import Lane
from opsdash.tui.actions.docker.containers import Connections, services_of
from opsdash.tui.actions.docker.deeds import Deed
from opsdash.tui.actions.docker.follow import Patience, follow
from opsdash.tui.actions.docker.identities import ContainerRun, ProjectState
from opsdash.tui.actions.docker.project_draft import Draft, Drafter, networks
from opsdash.tui.actions.docker.sighting import look

LONGEST_S = 900.0
"""Compose may pull images. After this its outcome is unknown, and it goes on."""

_LOOK_S = 0.2


class ProjectAction:
    """`up` or `down`: see `SteppedAction` for what each method promises."""

    def __init__(self, spec: ActionSpec, connections: Connections, clock: Clock, patience: Patience) -> None:
        self._spec = spec
        self._connections = connections
        self._clock = clock
        self._patience = patience
        self._drafter = Drafter(clock)
        self._programs: set[Program] = set()
        self._before: dict[ProjectState, dict[str, ContainerRun]] = {}
        """What is under way -> its containers as they were right before, by id."""

    @property
    def spec(self) -> ActionSpec:
        """What it is called and what it works on."""
        return self._spec

    async def plan(self, target: Target, identities: Sequence[msgspec.Struct], *, may_act: bool) -> Plan:
        """Read project and files, and say what would change; see `Action.plan`."""
        chosen = services_of(identities)
        lanes = self._connections.kept(target) if may_act else self._connections.short_lived(target)
        try:
            async with lanes.lane() as lane:
                found = self._against(chosen) or await self._drafter.read(lane, chosen[0])
        finally:
            if not may_act:
                await lanes.close()
        return self._planned(target, chosen, found)

    def _against(self, chosen: Sequence[ServiceIdentity]) -> str | None:
        if len(chosen) != 1:
            return "one project at a time"
        if self._spec is DOWN and chosen[0].service is not None:
            return f"down is for whole projects: choose project {chosen[0].project}, or stop {chosen[0]}"
        return None

    def _planned(self, target: Target, chosen: Sequence[ServiceIdentity], found: Draft | str) -> Plan:
        refusal: str | None = found if isinstance(found, str) else None
        lines: tuple[PlanLine, ...] = ()
        identities: tuple[msgspec.Struct, ...] = tuple(chosen)
        if isinstance(found, Draft):
            identities = (found.state,)
            refusal, lines = self._told(found)
        verb = "Bring up" if self._spec is UP else "Take down"
        return Plan(
            action=self._spec.name,
            target=target.id,
            title=f"{verb} {', '.join(map(str, chosen))}",
            identities=identities,
            lines=() if refusal else lines,
            can_undo=False,
            planned_at=self._clock.now(),
            refusal=refusal,
        )

    def _told(self, draft: Draft) -> tuple[str | None, tuple[PlanLine, ...]]:
        """Why not, and what is said of it."""
        command = shlex.join(self._argv(draft))
        if self._spec is DOWN:
            lines = project_lines.down(draft.members, draft.hashes, draft.networks, draft.volumes, command)
            return None, tuple(lines)
        only = draft.of.service
        if only is not None and only not in draft.hashes:
            return f"the files do not name a service {only}: {', '.join(sorted(draft.hashes))}", ()
        found = changes.up(draft.hashes, draft.members, only)
        if all(change.fate is changes.Fate.KEPT for change in found):
            return "everything runs as the files say: up would change nothing", ()
        left = changes.orphans(draft.hashes, draft.members) if only is None else ()
        return None, tuple(project_lines.up(found, left, command, draft.tool, draft.made_by))

    def _argv(self, draft: Draft) -> tuple[str, ...]:
        base = (*draft.tool.argv, *draft.files.options)
        if self._spec is DOWN:
            return (*base, "down")
        only = draft.of.service
        keep = changes.scales(changes.up(draft.hashes, draft.members, only))
        return (*base, "up", "--detach", *keep, *(("--no-deps", only) if only is not None else ()))

    async def run(self, target: Target, plan: Plan, progress: Progress | None = None) -> tuple[Hit, ...]:
        """Look whether all is as planned, then let compose do it; see `SteppedAction.run`."""
        (state,) = _states(plan.identities)
        of = ServiceIdentity(state.project, state.service)
        try:
            async with self._connections.kept(target).lane() as lane:
                draft = await self._drafter.read(lane, of)
                lapsed = draft if isinstance(draft, str) else _lapsed(state, draft.state)
                if isinstance(draft, str) or lapsed is not None:
                    text = f"{lapsed}; nothing was run"
                    return (Hit(identity=state, effect=Effect.CHANGED, detail=text),)
                self._before[state] = {
                    seen.id: ContainerRun(id=seen.id, started_at=seen.started_at, name=seen.name)
                    for seen in (await look(lane, state.containers, self._clock)).seen.values()
                }
        except TargetError as error:
            text = f"nothing was run: {error.reason}"
            raise TargetError(target.id, text, hint=error.hint) from error
        return (await self._compose(target, state, draft, progress),)

    async def _compose(
        self, target: Target, state: ProjectState, draft: Draft, progress: Progress | None
    ) -> Hit:
        """Run it to its end; interrupt it where somebody wants that."""
        loop = asyncio.get_running_loop()

        def tell(text: str) -> None:
            if progress is not None:
                loop.call_soon_threadsafe(progress.progress, text)

        program = Program(self._argv(draft), draft.environ, draft.files.folder, tell)
        self._programs.add(program)
        work = asyncio.ensure_future(
            call_in_thread(program.run, key=f"compose {target.id} {state}", timeout_s=LONGEST_S)
        )
        is_interrupted = False
        try:
            while not (await asyncio.wait({work}, timeout=_LOOK_S))[0]:
                if progress is not None and progress.is_aborted and not is_interrupted:
                    is_interrupted = True
                    program.send(signal.SIGINT)
            ended = work.result()
        except TimeoutError as error:
            text = f"compose has not ended after {LONGEST_S:.0f} s, and goes on"
            raise TimedOut(target.id, text, hint="look at the project") from error
        except OSError as error:
            text = f"nothing was run: {self._argv(draft)[0]}: {error.strerror or error}"
            raise TargetError(target.id, text) from error
        finally:
            self._programs.discard(program)
        return _hit(state, ended, is_interrupted=is_interrupted)

    def abort(self) -> None:
        """Interrupt what runs: opsdash ends."""
        for program in self._programs:
            program.send(signal.SIGINT)

    async def verify(self, target: Target, plan: Plan, hits: Sequence[Hit]) -> AsyncIterator[Step]:
        """Ask the engine what is there now; see `Action.verify`."""
        (state,) = _states(plan.identities)
        async with self._connections.kept(target).lane() as lane:
            if self._spec is DOWN:
                yield await self._is_down(lane, state)
                return
            async for step in self._is_up(lane, state):
                yield step

    async def _is_up(self, lane: Lane, state: ProjectState) -> AsyncIterator[Step]:
        """Every service as the files say; then those that were started, until they are healthy."""
        hashes = dict(state.hashes)
        members = (await look(lane, [], self._clock)).members(ServiceIdentity(state.project))
        found = changes.up(hashes, members, state.service)
        missing = [change.service for change in found if change.fate is changes.Fate.MADE]
        other = [change.service for change in found if change.fate is changes.Fate.MADE_ANEW]
        if missing:
            text = f"without a container: {', '.join(missing)}"
            yield Step(text=text, at=self._clock.now(), is_ok=False, is_final=True)
            return
        text = f"compose kept what it labels otherwise than the files: {', '.join(other)}"
        if not other:
            text = "every service has the configuration of the files"
        yield Step(text=text, at=self._clock.now(), is_ok=not other)
        now = await look(lane, [each.id for each in members], self._clock)
        before = self._before.pop(state, {})
        started = [
            before.get(seen.id, ContainerRun(id=seen.id, started_at=None, name=seen.name))
            for seen in now.seen.values()
            if seen.id not in before or seen.started_at != before[seen.id].started_at
        ]
        if not started:
            yield Step(text="nothing had to be started", at=self._clock.now(), is_final=True)
            return
        async for step in follow(lane, Deed.START, started, self._clock, self._patience, jobs_may_end=True):
            yield step

    async def _is_down(self, lane: Lane, state: ProjectState) -> Step:
        """Nothing of the files is left; what they do not name stays."""
        hashes = dict(state.hashes)
        members = (await look(lane, [], self._clock)).members(ServiceIdentity(state.project))
        stay = {each.id for each in changes.orphans(hashes, members)}
        left = [each.name for each in members if each.id not in stay]
        if left:
            text = f"still there: {', '.join(left)}"
            return Step(text=text, at=self._clock.now(), is_ok=False, is_final=True)
        left_networks = await networks(lane, state.project)
        text = "its containers are gone"
        if left_networks:
            text += f"; networks that stay, because they are in use: {', '.join(left_networks)}"
        return Step(text=text, at=self._clock.now(), is_final=True)


def _hit(state: ProjectState, ended: Ended, *, is_interrupted: bool) -> Hit:
    if is_interrupted:
        text = f"interrupted; compose said last: {ended.complaint}"
        return Hit(identity=state, effect=Effect.FAILED, detail=text)
    if ended.code != 0:
        text = f"compose ended with exit code {ended.code}: {ended.complaint}"
        return Hit(identity=state, effect=Effect.FAILED, detail=text)
    detail = "same project and files re-checked · compose is done"
    return Hit(identity=state, effect=Effect.SENT, detail=detail)


def _lapsed(planned: ProjectState, now: ProjectState) -> str | None:
    """What is another one since the plan; None: nothing."""
    if planned.hashes != now.hashes:
        return "its compose files were changed meanwhile"
    if planned.containers != now.containers:
        return "containers were made or removed meanwhile"
    return None


def _states(identities: Sequence[msgspec.Struct]) -> tuple[ProjectState]:
    found = [identity for identity in identities if isinstance(identity, ProjectState)]
    if len(found) != 1 or len(identities) != 1:
        raise TypeError("this hits one project")
    return (found[0],)
