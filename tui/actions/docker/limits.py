"""The memory limit of a container: what a typed one means, what speaks against it, what a plan says. Pure."""

from collections.abc import Iterator

import msgspec

from opsdash.collectors.format import percent, size
from opsdash.tui.actions.action import PlanLine
from opsdash.tui.actions.docker.identities import MemoryChange
from opsdash.tui.actions.docker.inspection import Seen
from opsdash.tui.actions.docker.wording import line

LEAST_BYTES = 6 * 2**20
"""The engine takes no less."""

TIGHT_RATIO = 0.9
"""From this share of the new limit on a plan warns."""

_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def memory_of(text: str) -> int | None:
    """A size as docker takes it, with binary units; None when it is none.

    >>> memory_of("768m"), memory_of("1.5 GiB"), memory_of("512MB"), memory_of("1048576"), memory_of("lots")
    (805306368, 1610612736, 536870912, 1048576, None)
    """
    words = text.lower().replace(" ", "")
    unit = words.lstrip("0123456789.")
    digits = words[: len(words) - len(unit)]
    short = (
        unit.removesuffix("ib") if unit.endswith("ib") else unit.removesuffix("b") if unit != "b" else unit
    )
    if short not in _UNITS or digits.count(".") > 1 or not digits.strip(".") or len(digits) > 15:
        return None
    return int(float(digits) * _UNITS[short])


class MemoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a container uses of memory at present."""

    used_bytes: int
    """With the page cache."""
    cache_bytes: int
    """Page cache of files, which the kernel can give back."""
    limit_bytes: int
    """As the kernel has it; rounded down to pages."""

    @property
    def kept_bytes(self) -> int:
        """What cannot be given back."""
        return max(self.used_bytes - self.cache_bytes, 0)


def swap_for(memory_bytes: int, former_bytes: int, former_swap_bytes: int) -> int:
    """Memory and swap together, so that swap stays what it was; -1: unlimited.

    >>> swap_for(300, 100, 150), swap_for(300, 100, 100), swap_for(300, 100, -1), swap_for(300, 0, 0)
    (350, 300, -1, -1)
    """
    if former_swap_bytes <= 0 or not former_bytes:
        return -1
    return memory_bytes + max(former_swap_bytes - former_bytes, 0)


def refusal(
    wanted: int | None, wish: str, seen: Seen, use: MemoryUse | None, host_bytes: int | None
) -> str | None:
    """Why this limit cannot be, or would surely make things worse; None when nothing speaks against it."""
    if wanted is None:
        return f'"{wish}" is no size as docker takes it: 768m, 2g, 1073741824'
    if seen.status in ("removing", "dead"):
        return f"{seen.name} is {seen.status}: it can only be removed"
    if wanted < LEAST_BYTES:
        return f"the engine takes no limit below {size(LEAST_BYTES)}"
    if host_bytes is not None and wanted > host_bytes:
        return f"{size(wanted)} is more than the engine's machine has ({size(host_bytes)})"
    if wanted == seen.memory_bytes:
        return f"the limit of {seen.name} is {size(wanted)} already"
    if wanted < seen.reservation_bytes:
        return f"{size(wanted)} is less than its reservation of {size(seen.reservation_bytes)}"
    if use is not None and wanted < use.kept_bytes:
        return (
            f"{seen.name} uses {size(use.kept_bytes)}, page cache not counted: the kernel would refuse "
            f"{size(wanted)}, or end its processes"
        )
    return None


def plan_lines(seen: Seen, change: MemoryChange, use: MemoryUse | None, state: str) -> Iterator[PlanLine]:
    """What a plan says of the change."""
    flags = f"--memory {change.memory_bytes}b --memory-swap {_flag(change.swap_bytes)}"
    yield line("will run", f"POST /containers/{change.id[:12]}/update (docker update {flags} {seen.name})")
    yield line("it is", f"image {seen.image} · {state}")
    yield line("now", words(change.former_bytes, change.former_swap_bytes))
    yield line("then", words(change.memory_bytes, change.swap_bytes))
    yield from _use_lines(change, use)
    text = "at once, without a restart; a program that sizes itself when it starts does not notice"
    yield line("applies", text)
    lasts = "over restarts; lost when the container is made anew"
    if seen.compose is not None:
        lasts += ", as compose does with the next up: change it in the compose file too"
    yield line("lasts", lasts, is_warning=True)
    if change.former_bytes:
        yield line("undo", f"set {size(change.former_bytes)} ({change.former_bytes}) again")
    else:
        text = "none: there was no limit, and the engine cannot take one away, only make it high"
        yield line("undo", text, is_warning=True)
    yield line("window", "the limit is read again right before; the engine takes no condition")


def _use_lines(change: MemoryChange, use: MemoryUse | None) -> Iterator[PlanLine]:
    if use is None:
        yield line("used", "not known: it does not run")
        return
    share = use.kept_bytes / change.memory_bytes
    text = f"{size(use.kept_bytes)}, {percent(share)} of the new limit"
    text += f", and {size(use.cache_bytes)} of page cache" if use.cache_bytes else ""
    yield line("used", text, is_warning=share >= TIGHT_RATIO)
    if use.used_bytes > change.memory_bytes:
        text = "page cache, at once: what it reads from disk is slower until it is back"
        yield line("lost", text, is_warning=True)


def words(memory_bytes: int, swap_bytes: int) -> str:
    """A limit as people read it.

    >>> words(2**29, 2**30), words(2**29, -1), words(0, 0), words(2**29, 2**29)
    ('512 MiB, and 512 MiB of swap', '512 MiB, swap without a limit', 'no limit', '512 MiB, no swap')
    """
    if not memory_bytes:
        return "no limit"
    if swap_bytes <= 0:
        return f"{size(memory_bytes)}, swap without a limit"
    swap = swap_bytes - memory_bytes
    return f"{size(memory_bytes)}, and {size(swap)} of swap" if swap > 0 else f"{size(memory_bytes)}, no swap"


def _flag(swap_bytes: int) -> str:
    return f"{swap_bytes}b" if swap_bytes > 0 else "-1"
