"""A compose project as it is now: its containers, its files, and the compose that is here. Reads only."""

from collections.abc import Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.tui.actions.docker.compose import (
    ProjectFiles,
    Tool,
    config_hashes,
    environ_for,
    find_files,
    find_tool,
)
from opsdash.tui.actions.docker.connection import Lane
from opsdash.tui.actions.docker.identities import ProjectState
from opsdash.tui.actions.docker.inspection import Compose, Listed
from opsdash.tui.actions.docker.sighting import look


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a project when a plan for it is made."""

    of: ServiceIdentity
    tool: Tool
    files: ProjectFiles
    environ: dict[str, str]
    hashes: dict[str, str]
    members: tuple[Listed, ...]
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def made_by(self) -> str:
        """The version of compose that made its containers; empty: they do not say."""
        made_with = _made_with(self.members)
        return made_with.version if made_with is not None else ""

    @property
    def state(self) -> ProjectState:
        """What must still be so when it is done."""
        return ProjectState(
            project=self.of.project,
            service=self.of.service,
            containers=tuple(sorted(each.id for each in self.members)),
            hashes=tuple(sorted(self.hashes.items())),
        )


class Drafter:
    """Reads what a plan for a project needs, and the re-check again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tools: dict[str, Tool] = {}
        """By the version that made a project: looking takes a second."""

    async def read(self, lane: Lane, of: ServiceIdentity) -> Draft | str:
        """What there is; a text says why nothing can be done here.

        Raises:
            TargetError: The engine or compose does not answer, or the files have a mistake.
        """
        target = lane.target.id
        way = (await lane.open()).way
        if not way.is_local or way.path is None:
            return "the engine is not on this machine: whether files here made the project cannot be known"
        members = (await look(lane, [], self._clock)).members(ServiceIdentity(of.project))
        made_with = _made_with(members)
        if made_with is None:
            return f"project {of.project} has no containers any more"
        files = await find_files(target, made_with)
        if isinstance(files, str):
            return files
        tool = self._tools.get(made_with.version) or await find_tool(target, made_with.version)
        if tool is None:
            return "neither docker-compose nor docker compose is on this machine"
        self._tools[made_with.version] = tool
        environ = environ_for(way.path)
        hashes = await config_hashes(target, tool, files, environ)
        return Draft(
            of=of,
            tool=tool,
            files=files,
            environ=environ,
            hashes=hashes,
            members=members,
            networks=await networks(lane, of.project),
            volumes=await volumes(lane, of.project),
        )


def _made_with(members: Sequence[Listed]) -> Compose | None:
    """What compose wrote on the newest container that names its files, or on any; None: there is none."""
    newest = sorted(members, key=lambda each: each.created_at, reverse=True)
    found = [each.compose for each in newest if each.compose is not None]
    return next((each for each in found if each.files), found[0] if found else None)


class _Named(msgspec.Struct):
    Name: str = ""


class _Volumes(msgspec.Struct):
    Volumes: list[_Named] | None = None


def _filters(project: str) -> str:
    return msgspec.json.encode({"label": [f"com.docker.compose.project={project}"]}).decode()


async def networks(lane: Lane, project: str) -> tuple[str, ...]:
    """The networks that compose made for a project, by name; raises TargetError."""
    found = await lane.get("/networks", list[_Named], filters=_filters(project))
    return tuple(sorted(each.Name for each in found))


async def volumes(lane: Lane, project: str) -> tuple[str, ...]:
    """Likewise its volumes."""
    found = await lane.get("/volumes", _Volumes, filters=_filters(project))
    return tuple(sorted(each.Name for each in found.Volumes or []))
