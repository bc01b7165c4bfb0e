"""The audit log: what is about to be done, and how it ended, on disk before anything is sent.

Several opsdash write one file: under a lock, each reads the end, appends one record and waits until it is
on disk. All of it happens on a daemon thread with a deadline, since a home directory can hang.
"""

import asyncio
import fcntl
import os
import syslog
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.errors import OpsdashError
from opsdash.collectors.secret import Secret, redact
from opsdash.collectors.threads import StillRunning, call_in_thread
from opsdash.tui.actions.chain import START, digest, seal, unseal

DEADLINE_S = 3.0
"""How long writing one record may take; then the action is refused."""
_LOCK_S, _POLL_S = 2.0, 0.01
_TAIL_BYTES = 65536


class AuditError(OpsdashError):
    """The record could not be written, so what it was about must not be done."""

    def __init__(self, path: Path, reason: str, hint: str) -> None:
        """Args: the file, why in the system's words, and what to do next."""
        self.path = path
        self.reason = reason
        self.hint = hint
        super().__init__(f"the audit log {path} cannot be written: {reason}; {hint}")


class AuditLog:
    """Appends records to one file."""

    def __init__(
        self, path: Path, *, clock: Clock, also_syslog: bool = False, deadline_s: float = DEADLINE_S
    ) -> None:
        self.path = path
        self._clock = clock
        self._also_syslog = also_syslog
        self._deadline_s = deadline_s
        self._turn = asyncio.Lock()

    async def append(self, event: str, fields: Mapping[str, Any]) -> None:
        """Write one record and wait until it is on disk.

        Args:
            event: "intent", "outcome", "armed", "disarmed", "refused", "reveal", …
            fields: What else it says; values of structs, tuples and plain types. Secrets are replaced.

        Raises:
            AuditError: It is not (surely) on disk.
        """
        record = {"time": self._clock.now().isoformat(timespec="milliseconds"), "event": event, **fields}
        given_up = threading.Event()
        async with self._turn:
            try:
                await call_in_thread(
                    lambda: _append(self.path, _plain(record), given_up, also_syslog=self._also_syslog),
                    key=f"audit {self.path} {id(self)}",
                    timeout_s=self._deadline_s,
                )
            except OSError as error:  # TimeoutError is one: from the deadline, and from the lock
                raise self._refusal(error) from error
            except StillRunning as error:
                raise self._refusal(TimeoutError("an earlier write still hangs")) from error
            finally:
                given_up.set()

    def _refusal(self, error: OSError) -> AuditError:
        choose = "or name another file with [audit] path"
        if isinstance(error, TimeoutError):
            reason = str(error) or f"no answer from its file system within {self._deadline_s:g} s"
            return AuditError(self.path, reason, f"look at the mount and at who holds the file, {choose}")
        reason = error.strerror or str(error)
        return AuditError(self.path, reason, f"put that right, {choose}")


def _plain(value: Any) -> Any:
    """`value` as JSON knows it, with every known secret replaced."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if isinstance(value, Secret):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return _plain(msgspec.to_builtins(value, enc_hook=str))


def _append(path: Path, record: Mapping[str, Any], given_up: threading.Event, *, also_syslog: bool) -> None:
    """Write one record; blocks. Nothing is written once the caller has given up waiting."""
    _make_folder(path.parent)
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(fd, given_up)
        tail, size = _tail(fd)
        seq, prev = _link(tail)
        line = seal(record, seq=seq, prev=prev)
        # a torn last line keeps its place: the new record begins on a line of its own
        data = (b"" if tail.endswith(b"\n") or not tail else b"\n") + line + b"\n"
        if given_up.is_set():
            raise TimeoutError("given up")
        while data:
            data = data[os.write(fd, data) :]
        os.fsync(fd)
        if size == 0:
            _sync_folder(path.parent)
    finally:
        os.close(fd)
    if also_syslog:
        _tell_syslog(record, seq, line)


def _make_folder(folder: Path) -> None:
    """Make the folder and what is missing above it, for nobody else to look into."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _lock(fd: int, given_up: threading.Event) -> None:
    for _ in range(int(_LOCK_S / _POLL_S)):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if given_up.wait(_POLL_S):
                break
        else:
            return
    raise TimeoutError(f"another process held its lock for {_LOCK_S:g} s")


def _tail(fd: int) -> tuple[bytes, int]:
    """The end of the file, from the start of its last record (or all of it), and the file's size."""
    size = os.fstat(fd).st_size
    length = _TAIL_BYTES
    while True:
        start = max(0, size - length)
        data = os.pread(fd, size - start, start)
        lines = data.split(b"\n")
        first = 1 if start else 0  # the first piece may begin in the middle of a line
        for index in range(len(lines) - 1, first - 1, -1):
            if unseal(lines[index]) is not None:
                return b"\n".join(lines[index:]), size
        if start == 0:
            return data, size
        length *= 8


def _link(tail: bytes) -> tuple[int, str]:
    """`seq` and `prev` of the record that follows `tail`."""
    if not tail:
        return 1, START
    held = tail.removesuffix(b"\n")
    record = unseal(held.split(b"\n", 1)[0])
    return (record.seq + 1 if record else 1), digest(held)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _tell_syslog(record: Mapping[str, Any], seq: int, line: bytes) -> None:
    """Send the head of the chain where whoever can write the file cannot write.

    The C library does not say whether it arrived.
    """
    sealed = unseal(line)
    said = " ".join(f"{k}={record[k]}" for k in ("event", "id", "action", "target", "who") if k in record)
    syslog.openlog("opsdash", 0, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, f"audit seq={seq} hash={sealed.hash if sealed else '?'} {said}")
