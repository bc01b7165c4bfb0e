"""What the operating system is asked about log files; every call may hang, so all are made on a thread."""

import os
import stat
from typing import Protocol

import msgspec


class Status(msgspec.Struct, frozen=True):
    """What stat says of a file."""

    identity: tuple[int, int]
    """Device and inode: the file itself, whatever it is called."""
    size_bytes: int
    changed_at: float
    """Unix time of the last write."""
    is_regular: bool
    links: int
    """0: it was deleted and is only held open."""
    mode: int = 0o100644
    gid: int = 0

    @property
    def word(self) -> str:
        """What kind of file it is.

        >>> Status((1, 2), 0, 0.0, False, 1, mode=0o010644).word
        'a FIFO'
        """
        return next((word for test, word in _WORDS if test(self.mode)), "no regular file")


_WORDS = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Files(Protocol):
    """A file system to read from. Every call may raise OSError, and may hang."""

    def status(self, path: str) -> Status:
        """What stands at `path`; links are followed."""

    def status_of(self, fd: int) -> Status:
        """The same of an open file."""

    def open(self, path: str) -> int:
        """Open for reading only; never waits for a writer, as a FIFO would have it."""

    def read(self, fd: int, count: int, offset: int) -> bytes:
        """Up to `count` bytes from `offset` on; empty at the end."""

    def close(self, fd: int) -> None:
        """Let go of an open file."""


class LocalFiles:
    """The files of this machine, and what is mounted on it."""

    def status(self, path: str) -> Status:
        """Ask stat."""
        return _status(os.stat(path))

    def status_of(self, fd: int) -> Status:
        """Ask fstat."""
        return _status(os.fstat(fd))

    def open(self, path: str) -> int:
        """Open; does not become the terminal of this process, and is not passed on to programs it starts."""
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)

    def read(self, fd: int, count: int, offset: int) -> bytes:
        """Read without moving anything."""
        return os.pread(fd, count, offset)

    def close(self, fd: int) -> None:
        """Close."""
        os.close(fd)


def _status(found: os.stat_result) -> Status:
    return Status(
        identity=(found.st_dev, found.st_ino),
        size_bytes=found.st_size,
        changed_at=found.st_mtime,
        is_regular=stat.S_ISREG(found.st_mode),
        links=found.st_nlink,
        mode=found.st_mode,
        gid=found.st_gid,
    )
