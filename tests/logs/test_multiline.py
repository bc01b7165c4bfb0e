"""Which lines belong to the record above them."""

import subprocess
import sys

import pytest

from opsdash.collectors.lines.multiline import is_continuation
from opsdash.collectors.lines.record import Format

PYTHON = """\
2026-11-22 03:12:40,204 ERROR shop.pool: no item
Traceback (most recent call last):
  File "/app/shop.py", line 7, in take
    return items[3]
           ~~~~~^^^
IndexError: list index out of range

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/shop.py", line 9, in take
    raise shop.errors.NothingLeftError("x") from None
shop.errors.NothingLeftError: x
2026-11-22 03:12:41,000 INFO shop.pool: up
"""
JAVA = """\
2026-11-22 03:12:40,204 [http-1] ERROR com.shop.Orders - no lock
java.util.concurrent.TimeoutException: waited 30 s
\tat com.shop.Pool.take(Pool.java:41)
\tat com.shop.Orders.place(Orders.java:7)
\tSuppressed: java.io.IOException: x
\t\t... 12 more
Caused by: java.sql.SQLTransientConnectionException: pool
\t... 41 common frames omitted
2026-11-22 03:12:41,000 [http-1] INFO com.shop.Orders - up
"""
POSTGRES = """\
2026-11-22 03:12:40.204 UTC [4312] shop@orders ERROR:  canceling statement due to lock timeout
2026-11-22 03:12:40.204 UTC [4312] shop@orders CONTEXT:  while updating tuple (0,1) in relation "stock"
2026-11-22 03:12:40.204 UTC [4312] shop@orders STATEMENT:  update stock
\tset qty = qty - 1
\twhere sku = $1
2026-11-22 03:12:41.000 UTC [4312] shop@orders LOG:  DETAIL: of no importance
"""
GO = """\
E1122 03:12:40.204123       7 pool.go:41] no lock
goroutine 41 [running]:
\t/app/pool.go:41 +0x1b
created by main.serve in goroutine 1
I1122 03:12:41.000000       7 pool.go:41] up
"""


@pytest.mark.parametrize(
    ("format", "text"),
    [
        (Format.PYTHON, PYTHON),
        (Format.JAVA, JAVA),
        (Format.POSTGRES, POSTGRES),
        (Format.GO, GO),
    ],
)
def test_all_between_two_heads_belongs_to_the_first(format: Format, text: str) -> None:
    first, *middle, last = text.encode().splitlines()
    assert not is_continuation(first, format)
    assert not is_continuation(last, format)
    assert [raw for raw in middle if not is_continuation(raw, format)] == []


@pytest.mark.parametrize("format", [None, *Format])
@pytest.mark.parametrize(
    "raw",
    [
        b'{"level":"error","msg":"x"}',
        b"level=error msg=x",
        b"2026-11-22T03:12:40Z ERROR no lock",
        b"Killed",
        b"Error: Cannot find module 'x'",
        b"panic: runtime error",
        b'10.0.0.9 - - [22/Nov/2026:03:12:40 +0000] "GET / HTTP/1.1" 200 612',
        b"4312:M 22 Nov 2026 03:12:40.204 * Ready",
    ],
)
def test_a_line_that_begins_something_never_belongs_above(format: Format | None, raw: bytes) -> None:
    assert not is_continuation(raw, format)


def test_an_indented_object_is_no_record_of_json() -> None:
    assert is_continuation(b'  "level": "error",', Format.JSON)
    assert not is_continuation(b'{"level":"error"', Format.JSON)


def test_a_traceback_with_nothing_logged_above_it_stands_for_itself() -> None:
    done = subprocess.run([sys.executable, "-c", "[][1]"], capture_output=True, check=False)
    head, *below = done.stderr.splitlines()
    assert not is_continuation(head, Format.PLAIN)
    assert is_continuation(head, Format.PYTHON)
    assert all(is_continuation(raw, Format.PLAIN) for raw in below)
