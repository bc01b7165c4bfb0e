"""A program that writes numbered lines and is rotated while it does, in a process of its own.

`writing.py PATH COUNT ROTATIONS HOW`: rename (and open anew), late (rename; opened anew 50 lines later),
gzip (rename, open anew, compress the old one at once), truncate (copied away and truncated in place, between
two lines, as a program does that rotates its own log).
"""

import gzip
import os
import shutil
import sys
import time
from pathlib import Path

PAUSE_EVERY = 400
"""Lines; a pause of a millisecond follows."""
LATE = 50


def _move(path: Path, number: int, how: str) -> Path:
    old = path.with_name(f"{path.name}.{number}")
    if how == "truncate":
        shutil.copy(path, old)
        os.truncate(path, 0)
    else:
        path.rename(old)
    return old


def main(path: Path, count: int, rotations: int, how: str) -> None:
    every = count // (rotations + 1)
    out = path.open("ab", buffering=0)
    opens_at = -1
    for number in range(count):
        out.write(b"%08d %s\n" % (number, b"x" * (number % 90)))
        if number % PAUSE_EVERY == 0:
            time.sleep(0.001)
        if number % every == every - 1 and number < count - every:
            old = _move(path, number // every + 1, how)
            opens_at = number + LATE if how == "late" else number
            if how == "gzip":
                out = path.open("ab", buffering=0)
                with old.open("rb") as source, gzip.open(f"{old}.gz", "wb") as packed:
                    shutil.copyfileobj(source, packed)
                old.unlink()
        if number == opens_at and how in ("rename", "late"):
            out = path.open("ab", buffering=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
