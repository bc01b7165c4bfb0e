"""Whatever a target says, a table shows printable cells, in lines of exactly its width, and never markup."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from opsdash.widgets.cells import fitted, places
from opsdash.widgets.columns import Column
from opsdash.widgets.safe import cell_text
from opsdash.widgets.status import Tone
from opsdash.widgets.table_lines import TableLines
from tests.support.harmless import is_harmless_line

anything = st.text(st.characters(), max_size=40) | st.sampled_from(
    [
        "[/red]",
        "[@click=app.quit]kill",
        "a[1]=b [x=1:",
        "\x1b]52;c;aGk=\x07",
        "\x1b[2J",
        "日本語",
        "🚀🚀",
        "e\u0301",
        "\u202e",
    ]
)


def lines(texts: list[str], width: int, **more: object) -> TableLines[list[str]]:
    columns = [
        Column[list[str]](key="a", title=texts[0], cell=lambda r: r[0], width=8, **more),  # type: ignore[arg-type]  # align
        Column[list[str]](
            key="b", title=texts[1], cell=lambda r: (r[1], Tone.CRIT), width=10, grow=1, priority=1
        ),
        Column[list[str]](key="c", title=texts[2], cell=lambda r: r[2], width=5, priority=2),
    ]
    drawn: TableLines[list[str]] = TableLines(lambda name, cursor: Style())
    drawn.fit(columns, width)
    return drawn


@given(
    st.lists(anything, min_size=3, max_size=3),
    st.sampled_from([1, 2, 5, 20, 60, 80, 180]),
    st.sampled_from(["left", "right"]),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_line_has_the_width_and_is_harmless_line(texts: list[str], width: int, align: str) -> None:
    drawn = lines(texts, width, align=align)
    for strip in (
        drawn.row(drawn.line_of(texts, Tone.NORMAL, cursor=True)),
        drawn.header("b", True),
        drawn.note(texts[0]),
    ):
        assert cell_len(strip.text) == strip.cell_length == width
        assert is_harmless_line(strip.text)


def test_markup_is_text() -> None:
    texts = ["[/red]", "[@click=app.quit]kill[/]", "x"]
    drawn = lines(texts, 80)
    strip = drawn.row(drawn.line_of(texts, Tone.NORMAL, cursor=False))
    assert "[/red]" in strip.text
    assert "[@click=app.quit]kill[/]" in strip.text
    assert not any(segment.style and segment.style.meta for segment in strip)


@given(anything)
def test_a_cell_is_one_harmless_line(text: str) -> None:
    assert is_harmless_line(cell_text(text))


@given(anything, st.integers(0, 30), st.booleans())
def test_fitted_has_exactly_the_width(text: str, width: int, right: bool) -> None:
    assert cell_len(fitted(cell_text(text), width, right=right)) == width


@given(st.text("0123456789.", min_size=1), st.integers(1, 12))
def test_a_number_is_whole_or_not_there(number: str, width: int) -> None:
    shown = fitted(number, width, right=True).strip()
    assert shown == number if len(number) <= width else set(shown) == {">"}


columns = st.lists(
    st.builds(
        lambda width, grow, align, priority: Column[str](
            key="k", title="t", cell=str, width=width, grow=grow, align=align, priority=priority
        ),
        st.integers(1, 40),
        st.integers(0, 3),
        st.sampled_from(["left", "right"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


@given(columns, st.integers(0, 180))
def test_columns_never_take_more_than_the_width(columns: list[Column[str]], width: int) -> None:
    placed = places(columns, width)
    assert sum(p.width for p in placed) + len(placed) - 1 <= max(width, len(placed) - 1)
    fixed = [p for p in placed if not p.column.grow]
    if sum(c.width + 1 for c in columns) - 1 <= width:
        assert [p.column for p in placed] == columns
        assert all(p.width == p.column.width for p in fixed)
        assert not any(c.grow for c in columns) or sum(p.width + 1 for p in placed) - 1 == width


@given(columns, st.integers(0, 180))
def test_columns_of_priority_0_are_never_dropped(columns: list[Column[str]], width: int) -> None:
    kept = [p.column for p in places(columns, width)]
    wanted = [c for c in columns if c.priority == 0]
    assert [c for c in kept if c.priority == 0] == wanted
