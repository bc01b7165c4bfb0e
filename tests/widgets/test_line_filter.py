"""The last layer: a widget of someone else that draws what it is given."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from opsdash.widgets.line_filter import HARMLESS_LINES
from tests.support.harmless import is_harmless_line

RED = Style(color="red")
BLACK = Color(0, 0, 0)


def filtered(*texts: str) -> list[Segment]:
    return HARMLESS_LINES.apply([Segment(text, RED) for text in texts], BLACK)


def test_escape_sequences_are_shown_instead_of_obeyed() -> None:
    assert filtered("ok", "a\x1b[2J b") == [Segment("ok", RED), Segment("a␛[2J ", RED)]


@given(st.lists(st.text(st.characters(), max_size=20)))
def test_nothing_harmful_is_left_and_widths_stay(texts: list[str]) -> None:
    segments = filtered(*texts)
    assert all(is_harmless_line(s.text) for s in segments)
    assert [cell_len(s.text) for s in segments] == [cell_len(text) for text in texts]


def test_harmless_text_comes_back_as_it_is() -> None:
    texts = ["│ 日本 🚀 ▸", "plain", " "]
    assert [s.text for s in filtered(*texts)] == texts
