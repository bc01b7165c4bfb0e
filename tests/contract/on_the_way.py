"""Faults between a collector and its server, the same for every kind that is reached over a network."""

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import pytest

from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import TargetId
from opsdash.collectors.threads import resolve
from tests.contract.fault import Cell, Expected, Rig
from tests.support.faults import NOISE, Proxy, Wire
from tests.support.waiting import wait_until_async

OK: frozenset[FailureKind] = frozenset()


class ProxiedRig(Rig, Protocol):
    """A rig whose collector asks for `localhost` and reads through a proxy there."""

    proxy: Proxy


async def look_up(target: TargetId, host: str, port: int) -> tuple[str, ...]:
    """As opsdash does, with less patience."""
    return await resolve(target, host, port, timeout_s=0.5)


def kinds(*words: FailureKind) -> frozenset[FailureKind]:
    """What a read may be told as."""
    return frozenset(words)


def always(kind: FailureKind) -> Expected:
    """The same on the connection that was open as on a new one."""
    return Expected(open=kinds(kind), fresh=kinds(kind))


def faults_on_the_way(*, is_kept: bool = True) -> dict[str, Cell]:
    """A cell for each fault of the network.

    Args:
        is_kept: Whether the collector keeps its connection from one read to the next.
    """
    return {
        "refused": _refused(FailureKind.LOST if is_kept else FailureKind.REFUSED),
        "hang after accept": on_the_wire(Wire.HANG, FailureKind.TIMED_OUT),
        "hang mid-answer": on_the_wire(Wire.HANG_MID_ANSWER, FailureKind.TIMED_OUT),
        "reset mid-answer": on_the_wire(Wire.RESET_MID_ANSWER, FailureKind.LOST),
        "slow drip": on_the_wire(Wire.DRIP, FailureKind.TIMED_OUT),
        "garbage": on_the_wire(Wire.GARBAGE, FailureKind.BAD_REPLY),
        "name unknown": _name_unknown(is_kept),
        "name lookup hangs": _name_lookup_hangs(is_kept),
    }


def on_the_wire(wire: Wire, kind: FailureKind, noise: bytes = NOISE) -> Cell:
    """A fault that the proxy makes; `noise` is what garbage is."""

    @asynccontextmanager
    async def cell(rig: ProxiedRig) -> AsyncIterator[Expected]:
        rig.proxy.noise = noise
        rig.proxy.set(wire)
        yield always(kind)
        rig.proxy.set(Wire.PASS)
        await rig.proxy.cut()

    return cell


def _refused(open_: FailureKind) -> Cell:
    @asynccontextmanager
    async def cell(rig: ProxiedRig) -> AsyncIterator[Expected]:
        await rig.proxy.refuse()
        yield Expected(open=kinds(open_), fresh=kinds(FailureKind.REFUSED))
        await rig.proxy.listen()

    return cell


def _name_unknown(is_kept: bool) -> Cell:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    @asynccontextmanager
    async def cell(rig: ProxiedRig) -> AsyncIterator[Expected]:
        with _names_given_by(no_such_name):
            yield _on_connecting(FailureKind.NAME_UNKNOWN, is_kept)

    return cell


def _name_lookup_hangs(is_kept: bool) -> Cell:
    @asynccontextmanager
    async def cell(rig: ProxiedRig) -> AsyncIterator[Expected]:
        answered = threading.Event()

        def hang(*_: object, **__: object) -> None:
            answered.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        try:
            with _names_given_by(hang):
                yield _on_connecting(FailureKind.NAME_LOOKUP_HANGS, is_kept)
        finally:
            answered.set()
        await wait_until_async(lambda: not _look_ups(), 30, "the look-up ended")

    return cell


def _on_connecting(kind: FailureKind, is_kept: bool) -> Expected:
    return Expected(open=OK if is_kept else kinds(kind), fresh=kinds(kind))


@contextmanager
def _names_given_by(answer: Callable[..., None]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", answer)
        yield


def _look_ups() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "resolve" in thread.name]
