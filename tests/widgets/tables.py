"""A table of sessions in an app of its own."""

from typing import Any

import msgspec
from textual.app import App, ComposeResult

from opsdash.widgets.columns import Column
from opsdash.widgets.status import Tone
from opsdash.widgets.table import Table


class Session(msgspec.Struct, frozen=True, kw_only=True):
    pid: int
    age_s: float | None = None
    app: str = "checkout"
    query: str = "select 1"


COLUMNS = (
    Column[Session](
        key="pid", title="PID", cell=lambda s: str(s.pid), sort=lambda s: s.pid, width=6, align="right"
    ),
    Column[Session](
        key="age",
        title="AGE",
        cell=lambda s: "-" if s.age_s is None else f"{s.age_s:.0f}s",
        sort=lambda s: s.age_s,
        width=6,
        align="right",
        descending_first=True,
    ),
    Column[Session](key="app", title="APP", cell=lambda s: (s.app, Tone.MUTED), width=10, priority=2),
    Column[Session](key="query", title="QUERY", cell=lambda s: s.query, width=12, grow=1, priority=1),
)


def sessions(*pids: int) -> list[Session]:
    return [Session(pid=pid, age_s=float(pid % 50)) for pid in pids]


class CountingTable(Table[Session]):
    """Notes which lines are drawn."""

    drawn: list[int]

    def render_line(self, y: int) -> Any:
        self.drawn.append(y)
        return super().render_line(y)


class TableApp(App[None]):
    """One table; keeps what it says."""

    def __init__(self, columns: tuple[Column[Session], ...] = COLUMNS, **more: Any) -> None:
        super().__init__()
        self.table = CountingTable(columns, key=lambda s: s.pid, **more)
        self.table.drawn = []
        self.moved: list[int | None] = []
        self.chosen: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_table_cursor_moved(self, message: Table.CursorMoved[Session]) -> None:
        self.moved.append(message.row.pid if message.row else None)

    def on_table_chosen(self, message: Table.Chosen[Session]) -> None:
        self.chosen.append(message.row.pid)
