"""The one capability a kind of target must have to be watched."""

from typing import Any, Protocol, TypeVar, runtime_checkable

from opsdash.collectors.target import Target

T_co = TypeVar("T_co", covariant=True)


class Collector(Protocol[T_co]):
    """Reads one target. It never sleeps, retries or loops: `supervisor.py` owns when."""

    @property
    def target(self) -> Target:
        """What it reads."""

    async def collect(self) -> T_co:
        """Read the target once, connecting first where needed.

        Returns:
            The kind's own frozen data.

        Raises:
            TargetError: It could not be read; the class says why.
        """

    def abort(self) -> None:
        """Break off whatever the read under way waits for, now and without waiting: shut its socket.

        Called when the deadline has passed, because cancelling alone does not bound every client library.
        The next `collect` connects anew.
        """

    async def close(self) -> None:
        """Let go of the connection; never waits for the target."""


@runtime_checkable
class Attentive(Protocol):
    """A collector of many things whose cost depends on which of them are looked at."""

    def look_at(self, visible: tuple[str, ...], opened: str | None) -> None:
        """Say what is on the screen now, for the reads to come.

        Args:
            visible: Ids of the things shown, the most important first; empty: none of them is shown.
            opened: The one that is shown in full; None: none.
        """


@runtime_checkable
class Glancing(Protocol):
    """A collector whose whole reading takes many round trips."""

    async def glance(self) -> Any:
        """The most urgent part of a reading, for a person who waits for the first one; else as `collect`."""
