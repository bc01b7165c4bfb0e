"""What all panels share: no target is left out without a word."""

from pathlib import Path

from opsdash.collectors.snapshot import FailureKind
from opsdash.widgets.lines import Line, span_text
from opsdash.widgets.panel import with_others
from tests.screens.stage import LEDGER, ORDERS, Stage, incident


def text(lines: tuple[Line, ...]) -> list[str]:
    return ["".join(map(span_text, line)) for line in lines]


def test_in_three_lines_the_others_are_still_counted(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "orders", "ledger", "stock")
    stage.read(incident())
    stage.fail(FailureKind.REFUSED, "connection refused", LEDGER)
    views = stage.app.watch_over.feed.views()
    others = [view for view in views if view.target.id != ORDERS]
    head: tuple[Line, ...] = (("heading",), ("figures",), ("rates",), ("session",))

    def shown(height: int) -> list[str]:
        return text(with_others(head, others, lambda view: (view.target.name,), (), height))

    assert shown(3)[:2] == ["heading", "figures"]
    assert shown(3)[2].startswith("  +2 more:")
    assert shown(4) == ["heading", "figures", "ledger", "stock"]
    assert shown(6) == ["heading", "figures", "rates", "session", "ledger", "stock"]
    assert text(with_others(head, (), lambda view: (), (), 3)) == ["heading", "figures", "rates"]
