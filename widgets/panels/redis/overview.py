"""Redis on the overview: the worst server in full, a line for every other."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, number, percent, size
from opsdash.collectors.redis.memory import expiry_words, policy_words
from opsdash.collectors.redis.rows import RedisData
from opsdash.widgets.cells import cut
from opsdash.widgets.chart import bar, spark
from opsdash.widgets.lines import Line, line_width
from opsdash.widgets.panel import (
    Room,
    Telling,
    area_heading,
    fit,
    worst_in_full,
)
from opsdash.widgets.panels.redis.words import (
    clients_word,
    hit_ratio,
    hit_word,
    memory_tone,
    ops_word,
    refused_writes,
    thresholds_of,
)
from opsdash.widgets.status import Tone

TITLE = "3 Cache"


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all Redis targets in `height` lines; with too few of them it is folded into one."""
    room = Room(width=width, height=height, mono_s=mono_s)
    return worst_in_full(_TELLING, views, findings, room)


def _full(view: TargetView, findings: Sequence[Finding], room: Room) -> tuple[Line, ...]:
    data: RedisData = view.data
    return (
        area_heading(TITLE, view, findings, data.title, room),
        *server_lines(data, view, room.width),
    )


def _brief(view: TargetView, findings: Sequence[Finding], cells: int) -> Line:
    data: RedisData = view.data
    mine = [f for f in findings if f.target == view.target.id]
    if mine:
        return (cut(mine[0].short, cells),)
    figures = data.summary() if data.mode == "sentinel" else f"{data.memory.word}  {hit_word(data)}"
    return (cut(figures, cells),)


def _parts(view: TargetView, _: int) -> list[tuple[int, Line]]:
    data: RedisData = view.data
    title: tuple[int, Line] = (2, (f"{data.title:<14}",))
    if data.mode == "sentinel":
        return [title, (1, (", ".join(f"{m.name} {m.status}" for m in data.sentinel) or "no primary",))]
    return [
        title,
        (0, ((data.memory.word, memory_tone(data, thresholds_of(view))),)),
        (3, (data.memory.maxmemory_policy or "",)),
        (1, (f"hit {percent(hit_ratio(data))}",)),
        (2, (ops_word(data),)),
        (4, (clients_word(data),)),
    ]


_TELLING = Telling(title=TITLE, full=_full, brief=_brief, parts=_parts, full_lines=4)


def server_lines(data: RedisData, view: TargetView, width: int) -> tuple[Line, ...]:
    """Memory, rates, keys: the first lines of the overview and of the server's own screen."""
    if data.mode == "sentinel":
        return tuple(_sentinel_lines(data, width))
    return (memory_line(data, view, width), rates_line(data, view, width), keys_line(data, width))


def memory_line(data: RedisData, view: TargetView, width: int) -> Line:
    """Memory against its limit, as figure, bar and in plain words."""
    tone = memory_tone(data, thresholds_of(view))
    ratio = data.memory.used_ratio
    picture: Line = ((bar(ratio, 12), tone),) if ratio is not None else ()
    words = policy_words(data.memory, data.databases, is_replica=data.replication.is_replica)
    name = data.memory.maxmemory_policy or words
    figure: Line = ("memory ", (data.memory.word, tone))
    is_short = line_width(figure) + len(words) + 2 > width
    says: Line = ((name if is_short else words, tone if tone is not Tone.OK else Tone.NORMAL),)
    return fit([(0, figure), (2, picture), (1, says)], width)


def rates_line(data: RedisData, view: TargetView, width: int) -> Line:
    """What it does, with the window of each figure."""
    refused = refused_writes(data)
    rejected = data.recent.rejected_connections
    blocked = data.blocked_clients
    parts: list[tuple[int, Line]] = [
        (0, (hit_word(data),)),
        (0, (ops_word(data),)),
        (3, ((spark(view.series("ops_per_s"), 12), Tone.ACCENT),)),
        (2, (clients_word(data),)),
        (3, (f"blocked {'-' if blocked is None else blocked}",)),
        (4, (f"evicted {number(data.rates.evicted_per_s)}/s",)),
        (5, (f"expired {number(data.rates.expired_per_s)}/s",)),
    ]
    span = age(data.recent.span_s)
    if rejected:
        parts.insert(1, (1, ((f"{rejected} connections rejected in {span}", Tone.CRIT),)))
    if refused:
        parts.insert(1, (1, ((f"{refused} writes refused in {span}", Tone.CRIT),)))
    return fit(parts, width)


def keys_line(data: RedisData, width: int) -> Line:
    """How much it holds, who follows it or whom it follows, and how far away it is."""
    link = data.replication
    if link.is_replica:
        is_up = link.link_status == "up"
        follows: Line = (
            (f"replica of {link.primary_address}, link {link.link_status}", Tone.OK if is_up else Tone.CRIT),
        )
    else:
        follows = (f"replicas {len(link.replicas)}",)
    return fit(
        [
            (0, (expiry_words(data.databases),)),
            (1, follows),
            (3, (f"in {size(data.rates.input_bytes_per_s)}/s",)),
            (3, (f"out {size(data.rates.output_bytes_per_s)}/s",)),
            (2, (f"answers in {number(data.roundtrip_s * 1000)} ms",)),
            (4, (f"up {age(data.uptime_s)}",)),
        ],
        width,
    )


def _sentinel_lines(data: RedisData, width: int) -> list[Line]:
    if not data.sentinel:
        return [(("it watches no primary", Tone.MUTED),)]
    return [
        fit(
            [
                (0, ((f"{m.name} {m.status}", Tone.OK if m.status == "ok" else Tone.CRIT),)),
                (1, (m.address,)),
                (2, (f"replicas {m.replicas}  sentinels {m.sentinels}",)),
                (3, ((m.quorum or "quorum unknown", Tone.CRIT if m.has_quorum is False else Tone.NORMAL),)),
            ],
            width,
        )
        for m in data.sentinel
    ]
