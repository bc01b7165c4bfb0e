"""What is on the screen into a file of its own, step by step: with progress, and to be broken off."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from opsdash.collectors.text import clean
from opsdash.collectors.threads import StillRunning, call_in_thread

_WRITE_S = 10.0
"""How long one write may take: a home directory may hang."""


def shown_path(path: Path) -> str:
    """A path for people: short enough for a line, and to be pasted into a shell.

    >>> shown_path(Path.home() / "exports" / "rows.csv"), shown_path(Path("/tmp/rows.csv"))
    ('~/exports/rows.csv', '/tmp/rows.csv')
    """
    home = Path.home()
    return clean(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))


class ExportError(Exception):
    """It could not be written; the text says where and why."""


class ExportFile:
    """A new file that only its owner may read. `close` keeps it, `discard` removes it."""

    def __init__(self, folder: Path, name: str, ending: str = "txt") -> None:
        """Args: folder, made if need be; name, to which a number is added when it is taken; its ending."""
        self._folder = folder
        self._name = name
        self._ending = ending
        self._descriptor: int | None = None
        self._under_way: asyncio.Future[None] | None = None
        self.path = folder / f"{name}.{ending}"

    async def open(self) -> None:
        """Make it. Raises ExportError."""
        await self._do(self._open)

    async def write(self, text: str) -> None:
        """Add to it. Raises ExportError."""
        data = text.encode("utf-8", "replace")
        await self._do(lambda: self._write(data))

    async def close(self) -> None:
        """Keep it. Raises ExportError."""
        await self._do(self._close)

    async def discard(self) -> None:
        """Remove it, also while a write that was broken off is under way. Raises ExportError."""
        if self._under_way is not None:
            await asyncio.wait({self._under_way}, timeout=_WRITE_S)
            if self._under_way.done() and not self._under_way.cancelled():
                self._under_way.exception()  # told by whatever broke it off
        await self._do(self._discard)

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, 1000):
            name = self._name if number == 1 else f"{self._name}-{number}"
            self.path = self._folder / f"{name}.{self._ending}"
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
            try:
                self._descriptor = os.open(self.path, flags, 0o600)
                return
            except FileExistsError:
                continue
        raise FileExistsError(f"{self._name} and 999 more are there already")

    def _write(self, data: bytes) -> None:
        while data and self._descriptor is not None:
            data = data[os.write(self._descriptor, data) :]

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _discard(self) -> None:
        if self._descriptor is not None:
            self._close()
            self.path.unlink(missing_ok=True)

    async def _do(self, step: Callable[[], None]) -> None:
        where = shown_path(self.path)
        call = call_in_thread(step, key=f"export {self._folder / self._name}", timeout_s=_WRITE_S)
        self._under_way = asyncio.ensure_future(call)
        try:
            # shielded, so that what is broken off is known to have ended before the file is removed
            await asyncio.shield(self._under_way)
        except (TimeoutError, StillRunning) as error:
            raise ExportError(f"{where}: the disk does not answer; nothing more is written") from error
        except OSError as error:
            raise ExportError(f"{where}: {error.strerror or error}") from error


async def write_all(file: ExportFile, parts: AsyncIterator[str]) -> None:
    """Write all parts, or nothing at all: what is broken off or fails leaves no file.

    Raises:
        ExportError: It could not be written.
    """
    try:
        await file.open()
        async for part in parts:
            await file.write(part)
    except BaseException:
        await file.discard()
        raise
    await file.close()


async def write_new(folder: Path, name: str, text: str, ending: str = "txt") -> Path:
    """Write one text into a new file. Raises ExportError."""

    async def parts() -> AsyncIterator[str]:
        yield text

    file = ExportFile(folder, name, ending)
    await write_all(file, parts())
    return file.path
