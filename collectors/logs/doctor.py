"""`opsdash doctor` for a group of log files: what is followed, and what keeps the others from being read."""

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from opsdash.collectors.clock import Clock
from opsdash.collectors.diagnosis import Check, Diagnosis, Fix, advice, missing, ok
from opsdash.collectors.errors import TargetError
from opsdash.collectors.format import duration, plural
from opsdash.collectors.logs.collector import LogCollector
from opsdash.collectors.logs.rows import LogData
from opsdash.collectors.snapshot import FailureKind
from opsdash.collectors.target import Target
from opsdash.collectors.threads import call_in_thread

_LOOK_S = 2.0


async def diagnose(target: Target) -> Diagnosis:
    """Look at the files once, and at who may read those that opsdash may not."""
    clock = Clock()
    collector = LogCollector(target, clock)
    began_mono_s = clock.mono_s()
    try:
        data = await collector.collect()
        took_s = clock.mono_s() - began_mono_s
    except TargetError as error:
        return Diagnosis(failure=error.failure())
    finally:
        await collector.close()
    try:
        refused = await call_in_thread(
            lambda: tuple(_refused(data)), key=f"doctor {target.id}", timeout_s=_LOOK_S
        )
    except TimeoutError:
        refused = (missing("files", f"no answer within {_LOOK_S:g} s: a file system hangs"),)
    return Diagnosis(checks=(*_followed(data, took_s), *refused, *_left_out(data)), summary=data.summary())


def _followed(data: LogData, took_s: float) -> Iterator[Check]:
    followed = [source for source in data.logs if source.failure is None]
    if followed:
        formats = sorted({source.format for source in followed})
        said = f"{plural(len(followed), 'file')} read in {duration(took_s)}, format {', '.join(formats)}"
        yield ok("reading", said)


def _refused(data: LogData) -> Iterator[Check]:
    """Sources that cannot be followed, each with what would help. Looks at the files."""
    for source in data.logs:
        failure = source.failure
        if failure is None:
            continue
        said = f"{source.identity}: {failure.reason}"
        if failure.kind is FailureKind.NOT_THERE:
            yield advice("files", f"{said}; {failure.hint}")
        elif failure.kind is FailureKind.NO_PERMISSION:
            yield missing("permission", said, _let_in(Path(source.identity)))
        else:
            yield missing("files", f"{said}; {failure.hint}")


def _let_in(path: Path) -> Fix | None:
    """What lets this user read a file or look into a folder: its group where that may, else an ACL."""
    blocked = next((each for each in (*reversed(path.parents), path) if not _may_pass(each, path)), path)
    user = _user()
    try:
        status = blocked.stat()
    except OSError:
        return None
    needed = stat.S_IRGRP | (stat.S_IXGRP if blocked.is_dir() else 0)
    if status.st_gid != 0 and status.st_mode & needed == needed:
        line = f"usermod -aG {shlex.quote(_group(status.st_gid))} {shlex.quote(user)}"
        return Fix(where="on this machine, as root; it counts from the next login on", lines=(line,))
    rights = "rx" if blocked.is_dir() else "r"
    line = f"setfacl -m u:{shlex.quote(user)}:{rights} -- {shlex.quote(str(blocked))}"
    return Fix(where="on this machine, as root; a file that is made anew needs it again", lines=(line,))


def _may_pass(each: Path, path: Path) -> bool:
    return os.access(each, os.R_OK if each == path else os.X_OK)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _left_out(data: LogData) -> Iterator[Check]:
    if data.not_followed_count:
        named = ", ".join(each.path for each in data.not_followed[:3])
        more = "" if data.not_followed_count <= 3 else f" and {data.not_followed_count - 3} more"
        yield advice("left out", f"{named}{more}: {data.not_followed[0].reason}")
