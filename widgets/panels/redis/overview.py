"""Redis on the overview: the worst server in full, a line for every other."""

from collections.abc import Sequence

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.format import age, number, percent, size
from opsdash.collectors.redis.memory import expiry_words, policy_words
from opsdash.collectors.redis.rows import RedisData
from opsdash.widgets.cells import cut
from opsdash.widgets.chart import bar, spark
from opsdash.widgets.lines import Line, line_width, rule, spread
from opsdash.widgets.panel import (
    fit,
    freshness,
    one_line_each,
    stale_mark,
    tone_counts,
    view_tone,
    with_others,
    worst_first,
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
from opsdash.widgets.status import GLYPHS, Tone

TITLE = "3 Cache"
_FOLDED_BELOW = 3
"""With fewer lines the area is one line."""


def overview_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], *, mono_s: float, width: int, height: int
) -> tuple[Line, ...]:
    """The panel of all Redis targets in `height` lines; with too few of them it is folded into one."""
    ordered = worst_first(views, findings)
    if height < _FOLDED_BELOW:
        return (folded_line(ordered, findings, mono_s, width),)[:height]
    full = next((v for v in ordered if v.good is not None), None)
    others = [view for view in ordered if view is not full]

    def line(view: TargetView) -> Line:
        return target_line(view, findings, mono_s, width)

    if full is None:
        heading = rule(((TITLE, Tone.ACCENT),), (), width)
        return (heading, *one_line_each(others, line, findings, height - 1))
    data: RedisData = full.data
    title: Line = (
        (TITLE, Tone.ACCENT),
        " · ",
        (full.target.name, view_tone(full, findings)),
        f" · {data.title}",
    )
    head = (rule(title, freshness(full, mono_s), width), *server_lines(data, full, width))
    return with_others(head, others, line, findings, height)


def folded_line(
    ordered: Sequence[TargetView], findings: Sequence[Finding], mono_s: float, width: int
) -> Line:
    """All targets in one line: the worst by name, the others counted by their state."""
    worst = ordered[0]
    tone = view_tone(worst, findings)
    mine = [f for f in findings if f.target == worst.target.id]
    if worst.failure is not None:
        says = worst.failure.kind.value
    elif worst.good is None:
        says = "waiting for the first reading"
    else:
        says = mine[0].short if mine else _brief(worst.data)
    rest = tone_counts(ordered[1:], findings)
    head: Line = ((f"{TITLE:<14}", Tone.ACCENT), (f"{GLYPHS[tone]} {worst.target.name}", tone), "  ")
    stale = stale_mark(worst, mono_s)
    head = (*head, *stale, "  ") if stale else head
    room = width - line_width(head) - line_width(rest) - 1
    return spread((*head, cut(says, room)), rest, width)


def _brief(data: RedisData) -> str:
    if data.mode == "sentinel":
        return data.summary()
    return f"{data.memory.word}  {hit_word(data)}"


def target_line(view: TargetView, findings: Sequence[Finding], mono_s: float, width: int) -> Line:
    """One line for a target that is not shown in full."""
    tone = view_tone(view, findings)
    name: Line = ((f"{GLYPHS[tone]} {view.target.name:<14}", tone),)
    if view.failure is not None:
        return (*name, "  ", *freshness(view, mono_s), (f"  {view.failure.reason}", Tone.NORMAL))
    if view.good is None:
        return (*name, ("waiting for the first reading", Tone.MUTED))
    data: RedisData = view.data
    parts: list[tuple[int, Line]] = [(0, name), (2, (f"{data.title:<14}",))]
    if data.mode == "sentinel":
        parts.append((1, (", ".join(f"{m.name} {m.status}" for m in data.sentinel) or "no primary",)))
    else:
        parts += [
            (0, ((data.memory.word, memory_tone(data, thresholds_of(view))),)),
            (3, (data.memory.maxmemory_policy or "",)),
            (1, (f"hit {percent(hit_ratio(data))}",)),
            (2, (ops_word(data),)),
            (4, (clients_word(data),)),
        ]
    fresh = freshness(view, mono_s)
    return spread(fit(parts, width - line_width(fresh) - 1), fresh, width)


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
