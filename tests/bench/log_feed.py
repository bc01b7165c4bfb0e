"""Writes a log as a busy service does: `log_feed.py FILE RATE SECONDS`, or `FILE lines COUNT` at once.

Lines are 100 bytes on average, their times go on as time does. The last line holds `LAST`; the monotonic time
just before it was written is printed.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

LAST = "that was the last line"

_BEGAN = datetime.now(UTC)
_STEP_S = 0.01


def _line(number: int, after_s: float) -> str:
    at = (_BEGAN + timedelta(seconds=after_s)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    level = "ERROR" if number % 1000 == 999 else "WARN" if number % 17 == 0 else "INFO"
    request = number * 2654435761 % 2**32
    return (
        f"{at}Z {level} api-{number % 20:02} request id={request:08x} path=/v1/orders/{number} "
        f"status={200 + number % 5} took={number % 900}ms\n"
    )


def _steps(rate: int, for_s: float) -> Iterator[tuple[int, int]]:
    """Numbers of the lines that are due, a hundred times per second."""
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < for_s:
        due = int(rate * passed)
        if due > sent:
            yield sent, due
            sent = due
        time.sleep(_STEP_S)


def _flood(file: BinaryIO, made: list[bytes], rate: int, for_s: float) -> int:
    """Write at a rate; returns how many lines."""
    sent = 0
    for start, end in _steps(rate, for_s):
        file.write(b"".join(made[start:end]))
        sent = end
    return sent


def main() -> None:
    path, rate, amount = sys.argv[1], sys.argv[2], float(sys.argv[3])
    if rate == "lines":
        sent = int(amount)
        with open(path, "w", encoding="ascii") as text:
            text.writelines(_line(number, number / 50_000) for number in range(sent))
    with open(path, "ab", buffering=0) as file:
        if rate != "lines":
            made = [_line(number, number / int(rate)).encode() for number in range(int(int(rate) * amount))]
            print("ready", flush=True)  # making them would slow the flood
            sys.stdin.readline()
            sent = _flood(file, made, int(rate), amount)
        ended = time.monotonic()
        file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z INFO {LAST}, {sent} before it\n".encode())
    print(ended)


if __name__ == "__main__":
    main()
