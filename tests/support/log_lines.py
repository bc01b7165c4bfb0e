"""Sources of log lines made by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime

from opsdash.collectors.lines.buffer import LogBuffer
from opsdash.collectors.lines.merge import Lane, Timeline, WholeLane
from opsdash.collectors.lines.source import LogSource
from opsdash.collectors.lines.source_lines import LineRef, SourceLines
from opsdash.collectors.target import TargetId

SHOP = TargetId("log", "shop")
START_S = datetime(2026, 3, 14, 3, 12, 0, tzinfo=UTC).timestamp()


def source(name: str, lines: Sequence[str] = (), *, max_bytes: int = 8 * 1024 * 1024) -> LogSource:
    """A source that has printed these lines."""
    made = LogSource(
        target=SHOP, name=name, identity=f"/var/log/{name}", buffer=LogBuffer(max_bytes), zone=UTC
    )
    printed(made, lines)
    return made


def printed(where: LogSource, lines: Sequence[str], arrived_at: float = START_S) -> None:
    """Further lines."""
    where.buffer.append("".join(f"{line}\n" for line in lines).encode(), arrived_at)


def at(seconds: float, text: str) -> str:
    """A line of a moment after 03:12."""
    moment = datetime.fromtimestamp(START_S + seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z {text}"


def opened(*sources: LogSource) -> tuple[SourceLines, ...]:
    return tuple(SourceLines(one) for one in sources)


def whole(*sources: LogSource) -> Timeline:
    """Everything of these sources."""
    return Timeline([WholeLane(lines) for lines in opened(*sources)])


def texts(lines: Sequence[LineRef]) -> list[str]:
    """What the lines say."""
    return [line.record.message for line in lines]


def all_texts(timeline: Timeline) -> list[str]:
    return texts(timeline.below(timeline.first(), 10**6)[0])


def lane_texts(lane: Lane) -> list[str]:
    return all_texts(Timeline([lane]))
