"""The lines of a plan for a whole project. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from opsdash.tui.actions.action import PlanLine
from opsdash.tui.actions.docker import changes
from opsdash.tui.actions.docker.changes import Change, Fate
from opsdash.tui.actions.docker.compose import Tool
from opsdash.tui.actions.docker.inspection import Listed
from opsdash.tui.actions.docker.wording import line, names


def up(
    found: Sequence[Change], left: Sequence[Listed], command: str, tool: Tool, made_by: str
) -> Iterator[PlanLine]:
    """What `up` does, service by service, those that stay as they are at the end."""
    yield line("will run", command)
    for change in sorted(found, key=lambda each: each.fate is Fate.KEPT):
        hit = f" ({names([each.name for each in change.containers])})" if change.containers else ""
        is_warning = change.fate in (Fate.MADE_ANEW, Fate.RUN_AGAIN)
        yield line(
            change.fate.name.lower().replace("_", " "),
            f"{change.service}{hit} {change.fate.value}",
            is_warning=is_warning,
        )
    anew = [each.name for change in found if change.fate is Fate.MADE_ANEW for each in change.containers]
    if anew:
        text = f"of {names(anew)}: what is in memory, files outside of volumes, logs, limits set by hand"
        yield line("lost", text, is_warning=True)
        text = "each service that is made anew is away until its new container serves"
        yield line("away", text, is_warning=True)
        text = "variables in the files have the values of opsdash's environment; others make it anew too"
        yield line("mind", text)
    for text in _cautions(left, tool, made_by):
        yield line("mind", text, is_warning=True)
    text = "minutes: images that are not here are built or pulled. b in 9 Actions interrupts it"
    yield line("may take", text)
    text = "every service has the configuration of the files; what was started is followed until healthy"
    yield line("verified", text)
    yield line("stays", "volumes")
    yield line("undo", "none; with the former files, up makes the former containers anew")
    yield _window()


def down(
    members: Sequence[Listed],
    hashes: Mapping[str, str],
    networks: Sequence[str],
    volumes: Sequence[str],
    command: str,
) -> Iterator[PlanLine]:
    """What `down` removes, and what it leaves."""
    left = changes.orphans(hashes, members)
    stays = {each.id for each in left}
    goes = [each for each in members if each.id not in stays]
    yield line("will run", command)
    for each in goes:
        yield line("removes", f"{each.name} {each.id[:12]} · {each.status or each.state}")
    yield line("removes", f"networks {names(networks)}" if networks else "no network of its own")
    text = "all that runs in it, what is in memory, files outside of volumes, and the containers' logs"
    yield line("lost", text, is_warning=True)
    yield line("stays", f"volumes {names(volumes)}" if volumes else "its volumes, if it has any; images")
    if left:
        text = f"{names([each.name for each in left])}: the files do not name them (any more)"
        yield line("stays", text, is_warning=True)
    yield line("undo", "none for what is lost; up makes it anew from the files")
    yield _window()


def _cautions(left: Sequence[Listed], tool: Tool, made_by: str) -> Iterator[str]:
    if left:
        yield f"{names([each.name for each in left])} stay: the files do not name them (any more)"
    if made_by and made_by.partition(".")[0] != tool.major:
        yield f"made by compose {made_by}, here is {tool.version}: it names and makes containers differently"
    if tool.major != "1":
        yield "a service whose image was built or pulled since is made anew too"


def _window() -> PlanLine:
    text = "containers and files are read again right before; compose takes no condition, and needs a second"
    return line("window", text)
