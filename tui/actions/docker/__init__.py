"""Actions on Docker engines: containers, compose services and projects.

    identities.py   what a plan hits: a run of a container, a limit, a project as it stands
    connection.py   single connections, so that an act goes where its re-check came from
    inspection.py   what the engine says of a container, as far as plans need it
    sighting.py     the engine as it is now, read afresh
    deeds.py        restart, stop, start, kill, pause, unpause: the call, and what speaks against it; pure
    wording.py      the lines of a plan; pure
    order.py        what depends on what; pure
    act.py          re-checks and acts on one container
    containers.py   plans for containers and services, and acts on one after the other
    follow.py       looks at containers until they are healthy, ended, or it is too late
    limits.py memory.py    the memory limit: rules and lines, pure; set and verified
    compose.py      docker-compose as a program: found, asked, run
    changes.py      what `up` and `down` would change; pure
    project_draft.py project_lines.py    a project as it is now; the lines of its plan
    project.py      `up` and `down` of a project
    kit.py          puts them together

Only what connects imports the client library: the names and keys of the actions are free.
"""

from typing import TYPE_CHECKING

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.docker.rows import ContainerIdentity, ServiceIdentity
from opsdash.tui.actions.action import ActionSpec
from opsdash.tui.actions.docker.identities import MemoryWish

if TYPE_CHECKING:
    from opsdash.tui.actions.action import ActionKit


def _wish(on: msgspec.Struct, answer: str) -> MemoryWish:
    assert isinstance(on, ContainerIdentity)
    return MemoryWish(on.id, on.started_at, answer.strip())


def _on_container(name: str, title: str, key: str) -> ActionSpec:
    return ActionSpec(
        name=f"docker.{name}",
        kind="docker",
        title=title,
        short=name,
        key=key,
        on=ContainerIdentity,
        in_steps=True,
    )


def _on_service(name: str, title: str, key: str) -> ActionSpec:
    return ActionSpec(
        name=f"docker.{name}",
        kind="docker",
        title=title,
        short=name.partition("_")[0],
        key=key,
        on=ServiceIdentity,
        in_steps=True,
    )


RESTART = _on_container("restart", "Restart container", "R")
STOP = _on_container("stop", "Stop container", "S")
START = _on_container("start", "Start container", "T")
KILL = _on_container("kill", "Kill container", "X")
PAUSE = _on_container("pause", "Pause container", "P")
UNPAUSE = _on_container("unpause", "Unpause container", "U")
MEMORY = ActionSpec(
    name="docker.memory",
    kind="docker",
    title="Set memory limit",
    short="memory limit",
    key="M",
    on=ContainerIdentity,
    asks="new memory limit, as in 768m or 2g",
    answered=_wish,
)
RESTART_SERVICE = _on_service("restart_service", "Restart its containers", "R")
STOP_SERVICE = _on_service("stop_service", "Stop its containers", "S")
START_SERVICE = _on_service("start_service", "Start its containers", "T")
UP = _on_service("up", "Bring up as its files say (compose up)", "U")
DOWN = _on_service("down", "Take the project down (compose down)", "D")

SPECS: tuple[ActionSpec, ...] = (
    RESTART,
    STOP,
    START,
    KILL,
    PAUSE,
    UNPAUSE,
    MEMORY,
    RESTART_SERVICE,
    STOP_SERVICE,
    START_SERVICE,
    UP,
    DOWN,
)


def make_kit(clock: Clock) -> "ActionKit":
    """The actions and the connections they are sent over. Connects to nothing yet."""
    from opsdash.tui.actions.docker.kit import DockerKit

    return DockerKit(clock)
