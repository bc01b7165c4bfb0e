"""What one look found is taken in whole, however much it is."""

from opsdash.collectors.logs.files import LocalFiles
from opsdash.collectors.logs.followed import Followed
from opsdash.collectors.logs.tail import Looked, Piece, Tail
from opsdash.collectors.target import TargetId

NOW = 1795317170.0
LINES = 40_000
"""In each piece, 600 kB: the event loop gets a turn after every other one."""


async def test_every_line_of_a_flood_counts_once() -> None:
    tail = Tail("/nowhere/a.log", LocalFiles(), most_bytes=1024 * 1024)
    followed = Followed(TargetId("log", "api"), "a.log", tail, device=None, now=NOW)
    pieces = tuple(Piece(b"INFO some text\n" * LINES) for _ in range(5))
    followed.offer(Looked(pieces=pieces, changed_at=NOW))
    await followed.take_in(NOW)
    followed.offer(Looked(pieces=(Piece(b"INFO one more\n"),), changed_at=NOW))
    await followed.take_in(NOW)
    summary = followed.summary(NOW)
    assert summary.end == 5 * LINES + 1
    assert [minute.lines for minute in summary.minutes] == [5 * LINES + 1]
