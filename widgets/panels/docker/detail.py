"""What a container was started with and what runs in it, read when a person opens it."""

from collections.abc import Iterator, Mapping

import msgspec

from opsdash.collectors.docker.detail import ContainerDetail, Mount, NetworkLink, Processes
from opsdash.collectors.format import duration
from opsdash.widgets.columns import Cell, Column, text
from opsdash.widgets.facts import Fact, fact_lines
from opsdash.widgets.lines import Line
from opsdash.widgets.panels.docker.container import INDENT
from opsdash.widgets.status import Tone

_COMPOSE = "com.docker.compose."
"""Labels that stand elsewhere on the screen, or say nothing at 3 o'clock."""


def detail_lines(detail: ContainerDetail, width: int) -> tuple[Line, ...]:
    """What it was started with, but for its environment."""
    return fact_lines(_facts(detail), width, indent=INDENT)


def _facts(detail: ContainerDetail) -> Iterator[Fact]:
    yield "command", detail.command or "-", Tone.NORMAL
    where = f"in {detail.working_dir or '/'} as {detail.user or 'root, or whom the image says'}"
    yield "", f"{where} · host name {detail.hostname or '-'}", Tone.NORMAL
    yield from _rights(detail)
    if detail.health_command:
        yield "its check", f"{detail.health_command} · {_timing(detail)}", Tone.NORMAL
    stop = "the engine's 10s" if detail.stop_timeout_s is None else f"{detail.stop_timeout_s:g}s"
    yield "stop", f"{detail.stop_signal or 'SIGTERM'}, then SIGKILL after {stop}", Tone.NORMAL
    for index, mount in enumerate(detail.mounts):
        yield "" if index else "mounts", _mount(mount), Tone.NORMAL
    if not detail.mounts:
        yield "mounts", "none: what it writes is lost with it", Tone.NORMAL
    yield from _networks(detail)
    labels = [pair for pair in detail.labels if not pair[0].startswith(_COMPOSE)]
    for index, (name, value) in enumerate(labels):
        yield "" if index else "labels", f"{name}={value}", Tone.NORMAL


_MODES = {"none": "none: it reaches nothing", "host": "host: the machine's own"}


def _networks(detail: ContainerDetail) -> Iterator[Fact]:
    if detail.network_mode in _MODES or not detail.networks:
        yield "networks", _MODES.get(detail.network_mode, detail.network_mode or "none"), Tone.NORMAL
        return
    for index, link in enumerate(detail.networks):
        yield "" if index else "networks", _link(link), Tone.NORMAL


def _rights(detail: ContainerDetail) -> Iterator[Fact]:
    """What it may do beyond the usual, or less."""
    words = [
        *(["privileged: it may do on the machine what root may"] if detail.is_privileged else []),
        *([f"capabilities {', '.join(detail.added_capabilities)}"] if detail.added_capabilities else []),
    ]
    if words:
        yield "rights", " · ".join(words), Tone.WARN
    if detail.is_read_only:
        yield "files", "read-only, but for its mounts", Tone.NORMAL
    if detail.pids_limit is not None:
        yield "PIDs limit", str(detail.pids_limit), Tone.NORMAL


def _timing(detail: ContainerDetail) -> str:
    """How often it is checked; what is not stated is the engine's own."""
    every = duration(detail.health_interval_s or 30.0)
    within = duration(detail.health_timeout_s or 30.0)
    return f"every {every}, within {within}, unhealthy after {detail.health_retries or 3} failures"


def _mount(mount: Mount) -> str:
    right = "" if mount.is_writable else ", read-only"
    return f"{mount.destination} ← {mount.source or '-'} ({mount.kind}{right})"


def _link(link: NetworkLink) -> str:
    aliases = f" · called {', '.join(link.aliases)}" if link.aliases else ""
    return f"{link.name} {', '.join(link.addresses) or 'no address'}{aliases}"


class EnvLine(msgspec.Struct, frozen=True, kw_only=True):
    """A variable of a container's environment."""

    name: str
    value: str | None
    """None: masked."""


def env_lines(detail: ContainerDetail, revealed: Mapping[str, str]) -> tuple[EnvLine, ...]:
    """By name.

    Args:
        detail: What was read of the container.
        revealed: Name -> value, of those that a person has shown now.
    """
    return tuple(EnvLine(name=name, value=revealed.get(name)) for name in sorted(set(detail.env)))


def _value(line: EnvLine) -> Cell:
    return ("*** masked", Tone.MUTED) if line.value is None else line.value


ENV_COLUMNS: tuple[Column[EnvLine], ...] = (
    text("name", "VARIABLE", lambda r: r.name, width=24, grow=1),
    Column(key="value", title="VALUE", width=20, grow=2, cell=_value),
)

_NUMBERS = ("PID", "PPID", "%CPU", "RSS", "ELAPSED", "C", "VSZ", "%MEM")
_WIDE = ("COMMAND", "CMD")


class ProcessLine(msgspec.Struct, frozen=True, kw_only=True):
    """A process, in the words of the machine's `ps`."""

    key: str
    """Its PID; where `ps` tells none, its place."""
    cells: tuple[str, ...]


def process_lines(found: Processes) -> tuple[ProcessLine, ...]:
    """In the order of `ps`."""
    place = found.titles.index("PID") if "PID" in found.titles else None
    return tuple(
        ProcessLine(key=str(index) if place is None else cells[place], cells=cells)
        for index, cells in enumerate(found.rows)
    )


def process_columns(titles: tuple[str, ...]) -> tuple[Column[ProcessLine], ...]:
    """A column for each title; the command has the room that is left over."""
    return tuple(_process_column(place, title) for place, title in enumerate(titles))


def _process_column(place: int, title: str) -> Column[ProcessLine]:
    is_number, is_wide = title in _NUMBERS, title in _WIDE

    def value(line: ProcessLine) -> float | str | None:
        text = line.cells[place]
        try:
            return float(text) if is_number and title != "ELAPSED" else text
        except ValueError:
            return None

    return Column(
        key=title,
        title=title,
        width=20 if is_wide else max(len(title), 11 if title == "ELAPSED" else 8),
        grow=1 if is_wide else 0,
        align="right" if is_number else "left",
        cell=lambda line: line.cells[place],
        sort=value,
        descending_first=is_number,
        priority=0 if is_wide or title == "PID" else place,
    )
