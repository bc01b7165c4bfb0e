"""What the lists of all kinds of targets have alike: a line for each, with name and status. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from opsdash.collectors.feed import TargetView
from opsdash.collectors.finding import Finding
from opsdash.collectors.target import TargetId
from opsdash.widgets.columns import Column
from opsdash.widgets.lines import span_text
from opsdash.widgets.panel import freshness_beside, view_tone, worst_first
from opsdash.widgets.status import GLYPHS, Tone

Data = TypeVar("Data")


class TargetLine(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """One target in the list of its kind; `Data` is what its readings hold."""

    view: TargetView
    tone: Tone
    status: str
    """Its age, and why it could not be read or what is worst with it."""

    @property
    def id(self) -> TargetId:
        """The row's identity."""
        return self.view.target.id

    @property
    def data(self) -> Data | None:
        """The newest good reading; None before the first."""
        data: Data | None = self.view.data
        return data


def target_lines(
    views: Sequence[TargetView], findings: Sequence[Finding], mono_s: float
) -> tuple[TargetLine[Any], ...]:
    """One line per target, the worst first; those that are equally well in the order of the configuration."""
    return tuple(
        TargetLine(view=view, tone=view_tone(view, findings), status=status(view, findings, mono_s))
        for view in worst_first(views, findings)
    )


def status(view: TargetView, findings: Sequence[Finding], mono_s: float) -> str:
    """Its age; beside it why it could not be read, else the worst that was found on it."""
    if view.failure is not None:
        said: str | None = view.failure.reason
    else:
        said = next((finding.short for finding in findings if finding.target == view.target.id), None)
    words = "".join(span_text(span) for span in freshness_beside(view, mono_s, Tone.NORMAL))
    return f"{words} · {said}" if said else words


NAME: Column[Any] = Column(
    key="name",
    title="TARGET",
    width=16,
    cell=lambda r: (f"{GLYPHS[r.tone]} {r.id.name}", r.tone),
    sort=lambda r: r.id.name,
)
STATUS: Column[Any] = Column(
    key="status", title="STATUS", width=24, grow=1, cell=lambda r: (r.status, r.tone)
)


_BESIDE_NAME = 4
"""Cells of the glyph, and of what is before it where targets belong together."""


def named_in(columns: Sequence[Column[Any]], names: int) -> tuple[Column[Any], ...]:
    """The columns with `names` cells for the names of the targets."""
    return tuple(
        msgspec.structs.replace(column, width=names + _BESIDE_NAME) if column.key == NAME.key else column
        for column in columns
    )


def environment(priority: int) -> Column[Any]:
    """The environment of a target."""
    return Column(
        key="environment",
        title="ENV",
        width=12,
        cell=lambda r: r.view.target.environment.label,
        priority=priority,
    )


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of a kind shows."""

    columns: tuple[Column[Any], ...]
    lines: Callable[[Sequence[TargetView], Sequence[Finding], float], Sequence[TargetLine[Any]]] = (
        target_lines
    )
    """Of all targets of the kind, with what was found, at a moment of the monotonic clock."""
