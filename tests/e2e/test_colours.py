"""State is told by glyph and word: with few colours or none it is all still there."""

import re
from pathlib import Path

import pytest

from tests.e2e.program import configuration, environ, opsdash, silent_targets
from tests.e2e.tmux import terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def colours(styled: str) -> set[str]:
    """The colour codes in a text: 31, 38;5;9, 38;2;…; neither bold nor reverse."""
    found = set()
    for sequence in COLOUR.findall(styled):
        found |= set(re.findall(r"[34]8;(?:5;\d+|2(?:;\d+){3})|\b(?:[34][0-7]|9[0-7]|10[0-7])\b", sequence))
    return found


@pytest.mark.parametrize(
    ("term", "more", "wanted"),
    [
        ("screen-256color", {"NO_COLOR": "1"}, r"never"),
        ("screen", {"NO_COLOR": "1"}, r"never"),
        ("screen", {}, r"[34][0-7]|9[0-7]|10[0-7]"),
        ("screen-256color", {}, r"[34][0-7]|9[0-7]|10[0-7]|[34]8;5;\d+"),
    ],
)
def test_glyphs_and_words_without_more_colours_than_the_terminal_has(
    tmp_path: Path, term: str, more: dict[str, str], wanted: str
) -> None:
    with silent_targets(1, is_listening=False) as targets:
        config = configuration(tmp_path, targets, production=True)
        with terminal(
            tmp_path, opsdash("--config", str(config)), environ=environ(tmp_path, **more), term=term
        ) as pane:
            text = pane.until("✖ CRIT")
            assert "PRODUCTION shop" in text
            assert "✖ 1 down, 0 of 1 target live" in text
            assert "connection refused, no data yet" in text
            assert "▸ ✖ CRIT silent-0" in text
            unwanted = [c for c in colours(pane.styled_text()) if not re.fullmatch(wanted, c)]
            assert not unwanted
