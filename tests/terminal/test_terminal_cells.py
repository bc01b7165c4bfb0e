"""What is written changes one screen into the next, whatever both hold."""

import pyte
from hypothesis import given
from hypothesis import strategies as st
from pyte.screens import Char
from rich.cells import set_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from opsdash.tui.terminal_cells import TerminalCells

WIDTH = 14
STYLES = [
    Style.parse(style)
    for style in (
        "none",
        "red",
        "bold white on blue",
        "green on blue",
        "bold color(188) on color(16)",
        "reverse",
        "dim #102030 on #405060",
        "bold dim #102030 on #405061",
    )
]

Parts = list[tuple[int, Strip]]

texts = st.text(st.sampled_from("abc  日本🚀é─"), max_size=WIDTH)


@st.composite
def whole_row(draw: st.DrawFn) -> Parts:
    """Strips side by side, as widgets are."""
    cuts = sorted(draw(st.sets(st.integers(1, WIDTH - 1), max_size=3)))
    parts = []
    for start, end in zip([0, *cuts], [*cuts, WIDTH], strict=True):
        text = set_cell_size(draw(texts), end - start)
        middle = draw(st.integers(0, len(text)))
        first, second = draw(st.sampled_from(STYLES)), draw(st.sampled_from(STYLES))
        segments = [Segment(text[:middle], first), Segment(text[middle:], second)]
        parts.append((start, Strip(segments, end - start)))
    return parts


@st.composite
def rows(draw: st.DrawFn) -> list[Parts]:
    """Whole rows, and some of the strips of the row before with other texts."""
    found = [draw(whole_row())]
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            found.append(draw(whole_row()))
            continue
        kept = draw(st.lists(st.sampled_from(found[-1]), unique_by=lambda part: part[0]))
        found.append(
            [
                (
                    x,
                    Strip(
                        [Segment(set_cell_size(draw(texts), strip.cell_length), STYLES[1])], strip.cell_length
                    ),
                )
                for x, strip in sorted(kept, key=lambda part: part[0])
            ]
            or found[-1]
        )
    return found


class Glass:
    """One row of a terminal."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(WIDTH, 2)
        self._stream = pyte.Stream(self._screen)

    def feed(self, data: str) -> list[Char]:
        self._stream.feed(data)
        return [self._screen.buffer[0][x] for x in range(WIDTH)]

    def text(self) -> str:
        return self._screen.display[0]


def plainly(parts: Parts) -> str:
    """The strips written whole, without knowledge of what is shown."""
    return "".join(
        f"\x1b[1;{x + 1}H"
        + "".join(Strip.render_style(s.style or STYLES[0], s.text, ColorSystem.TRUECOLOR) for s in strip)
        for x, strip in parts
    )


@given(rows())
def test_each_row_becomes_the_next(frames: list[Parts]) -> None:
    cells = TerminalCells(Size(WIDTH, 2), ColorSystem.TRUECOLOR)
    ours, plain = Glass(), Glass()
    for parts in frames:
        assert ours.feed(cells.show([(0, parts)])) == plain.feed(plainly(parts))


@given(rows())
def test_what_is_shown_already_is_not_written_again(frames: list[Parts]) -> None:
    cells = TerminalCells(Size(WIDTH, 2), ColorSystem.TRUECOLOR)
    for parts in frames:
        cells.show([(0, parts)])
        copies = [(x, Strip([Segment(c, s.style) for s in strip for c in s.text])) for x, strip in parts]
        assert cells.show([(0, copies)]) == ""


def shown(*strips: Strip) -> str:
    cells = TerminalCells(Size(WIDTH, 2), ColorSystem.TRUECOLOR)
    return [cells.show([(0, [(0, strip)])]) for strip in strips][-1]


def test_one_changed_digit_is_a_move_a_colour_and_a_digit() -> None:
    before, after = (Strip([Segment(f"age {n} s", Style.parse("red"))]) for n in (1, 2))
    assert shown(before, after) == "\x1b[1;5H\x1b[0;31m2\x1b[m"


def test_of_two_colours_on_one_ground_the_second_is_said_without_the_ground() -> None:
    """Of a clock, a green age and a bold chart on black only the first says how black."""
    parts = (("1", "white on black"), ("2", "green on black"), ("3", "bold green on black"), ("4", "green"))
    written = shown(Strip([Segment(text, Style.parse(style)) for text, style in parts]))
    assert written == "\x1b[1;1H\x1b[0;37;40m1\x1b[32m2\x1b[1m3\x1b[0;32m4\x1b[m"


def test_each_frame_says_all_of_its_first_colour() -> None:
    """Whatever else wrote to the terminal since, the next frame is in its own colours."""
    before, after = (Strip([Segment(f"{n} s", Style.parse("bold red on black"))]) for n in (1, 2))
    assert shown(before, after) == "\x1b[1;1H\x1b[0;1;31;40m2\x1b[m"


def test_text_after_an_emoji_stays_in_its_column_where_the_terminal_draws_it_narrow() -> None:
    glass = Glass()
    glass.feed(shown(Strip([Segment("a🚀bc")])).replace("🚀", "?"))
    assert glass.text().rstrip() == "a? bc"


def test_dim_and_links_are_switched_on_and_off() -> None:
    link = Style(link="https://example.org")
    written = shown(Strip([Segment("a", Style(dim=True)), Segment("b", link), Segment("c")]))
    assert "\x1b[0;2ma" in written
    opened, closed = written.index("\x1b]8;id="), written.index("\x1b]8;;\x1b\\")
    assert opened < written.index("b", opened + 30) < closed < written.rindex("c")
    assert written.endswith("\x1b[m")


def test_rows_and_columns_beyond_the_screen_are_left_out() -> None:
    cells = TerminalCells(Size(WIDTH, 2), ColorSystem.TRUECOLOR)
    assert cells.show([(2, [(0, Strip([Segment("x")]))])]) == ""
    glass = Glass()
    glass.feed(cells.show([(0, [(WIDTH - 2, Strip([Segment("abcdef")]))])]))
    assert glass.text() == " " * (WIDTH - 2) + "ab"


def test_text_after_a_combined_character_stays_in_its_column_where_the_terminal_draws_it_apart() -> None:
    glass = Glass()
    glass.feed(shown(Strip([Segment("e\u0301b")])).replace("\u0301", "?"))
    assert glass.text().rstrip() == "eb"


def test_a_wide_character_whose_right_half_was_overwritten_comes_back_whole() -> None:
    whole, right_half = Strip([Segment("a日b")]), Strip([Segment("xb")])
    cells = TerminalCells(Size(WIDTH, 2), ColorSystem.TRUECOLOR)
    written = [cells.show([(0, parts)]) for parts in ([(0, whole)], [(2, right_half)], [(0, whole)])]
    assert "日" in written[2]
