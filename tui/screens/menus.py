"""Small dialogs: the action menu, the keys of a place, and the question before quitting."""

from collections.abc import Sequence

from textual import events

from opsdash.collectors.clock import Clock
from opsdash.collectors.text import one_line
from opsdash.tui.actions.action import ActionSpec
from opsdash.tui.screens.dialog import Dialog
from opsdash.widgets.lines import Line, Span, line_width
from opsdash.widgets.status import Tone


def lettered(specs: Sequence[ActionSpec]) -> tuple[tuple[str, ActionSpec], ...]:
    """A letter for each action: its own key, else the first letter of its title that is free."""
    taken: dict[str, ActionSpec] = {}
    for spec in specs:
        letters = [spec.key, *(c for c in spec.title.lower() if c.isalpha())]
        taken[next(letter for letter in letters if letter not in taken)] = spec
    return tuple(taken.items())


class ActionMenu(Dialog[ActionSpec | None]):
    """The actions on one thing, each with its letter. Choosing one opens its plan, nothing more."""

    def __init__(self, clock: Clock, title: str, specs: Sequence[ActionSpec]) -> None:
        super().__init__(clock)
        self._title = title
        self._entries = lettered(specs)

    def title_text(self) -> str:
        """What they act on."""
        return self._title

    def content(self, width: int) -> Sequence[Line]:
        """A line per action."""
        entries: list[Line] = [((f" {letter}  ", Tone.ACCENT), spec.title) for letter, spec in self._entries]
        return ((), *entries, (), (("Esc", Tone.ACCENT), " back; every action shows its plan first"))

    def on_key(self, event: events.Key) -> None:
        """A letter chooses; anything else closes."""
        if event.key == "ctrl+c":
            return
        event.stop()
        self.dismiss(dict(self._entries).get(event.character or ""))


class KeysDialog(Dialog[None]):
    """The keys that work in a place."""

    def __init__(self, clock: Clock, title: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__(clock)
        self._title = title
        self._keys = tuple(keys)
        self._page = 0

    def title_text(self) -> str:
        """Which place."""
        return f"Keys: {self._title}"

    def content(self, width: int) -> Sequence[Line]:
        """In columns, as many as fit; what does not fit is on the next page."""
        pages = self._pages(width)
        self._page = min(self._page, len(pages) - 1)
        told = " closes"
        if self._page < len(pages) - 1:
            told = f": more, page {self._page + 1} of {len(pages)}   Esc closes"
        return (*key_columns(pages[self._page], self._rows), (), (("any key", Tone.ACCENT), told))

    @property
    def _rows(self) -> int:
        return max(self.app.size.height - 6, 3)

    def _pages(self, width: int) -> list[tuple[tuple[str, str], ...]]:
        """The keys in parts that fit in."""
        pages, left = [], self._keys
        while left:
            count = len(left)
            while count > 1 and max(map(line_width, key_columns(left[:count], self._rows))) > width:
                count -= 1
            pages.append(left[:count])
            left = left[count:]
        return pages or [()]

    def on_key(self, event: events.Key) -> None:
        """The next page; after the last one, any key closes."""
        if event.key == "ctrl+c":
            return
        event.stop()
        if event.key == "escape" or self._page == len(self._pages(self.inner_width)) - 1:
            self.dismiss(None)
            return
        self._page += 1
        self.redraw()


def key_columns(keys: Sequence[tuple[str, str]], rows: int) -> tuple[Line, ...]:
    """Keys and what they do in columns of at most `rows` lines.

    >>> from opsdash.widgets.lines import span_text
    >>> lines = key_columns((("q", "back"), ("?", "keys"), ("A", "arm")), 2)
    >>> ["".join(map(span_text, line)) for line in lines]
    ['q back  A arm', '? keys  ']
    """
    columns = [keys[start : start + rows] for start in range(0, len(keys), rows)]
    lines: list[list[Span]] = [[] for _ in columns[0]] if columns else []
    for column in columns:
        key_width = max(len(key) for key, _ in column)
        does_width = max(len(does) for _, does in column)
        for line, (key, does) in zip(lines, column, strict=False):
            shown = does if column is columns[-1] else f"{does:<{does_width}}  "
            line += [(f"{key:<{key_width}} ", Tone.ACCENT), shown]
    return tuple(map(tuple, lines))


class AskDialog(Dialog[str | None]):
    """Asks for one line of text; nothing is done with it but to make a plan."""

    def __init__(self, clock: Clock, title: str, asks: str) -> None:
        super().__init__(clock)
        self._title_text = title
        self._asks = asks
        self._typed = ""

    def title_text(self) -> str:
        """For which action, and where."""
        return self._title_text

    def content(self, width: int) -> Sequence[Line]:
        """The question and what was typed so far."""
        return (
            (),
            (f"{self._asks}:  ", (f"{self._typed}▏", Tone.ACCENT)),
            (),
            (("Enter", Tone.ACCENT), " shows the plan   ", ("Esc", Tone.ACCENT), " back"),
        )

    def on_paste(self, event: events.Paste) -> None:
        """A pattern may be pasted; it is only planned for."""
        event.stop()
        self._typed += one_line(event.text)
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Letters are text."""
        if event.key == "ctrl+c":
            return
        event.stop()
        if event.key in ("escape", "enter"):
            self.dismiss(self._typed if event.key == "enter" else None)
            return
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character is not None and event.is_printable:
            self._typed += event.character
        self.redraw()


class QuitDialog(Dialog[str | None]):
    """Asked when actions still run: wait, abort, or leave them. Gives "wait", "abort", "leave" or None."""

    def __init__(self, clock: Clock, running: Sequence[str]) -> None:
        super().__init__(clock)
        self._titles = tuple(running)

    def title_text(self) -> str:
        """Why it asks."""
        return "Actions are still running"

    def content(self, width: int) -> Sequence[Line]:
        """What runs and what can be done about it."""
        runs: list[Line] = [(f" ▸ {title}",) for title in self._titles]
        return (
            (),
            *runs,
            (),
            ((" w  ", Tone.ACCENT), "wait until they are done, then quit"),
            ((" a  ", Tone.ACCENT), "abort them (what was sent stays sent), then quit"),
            ((" l  ", Tone.ACCENT), "leave: quit now, the audit log says that the outcome was not seen"),
            ((" Esc", Tone.ACCENT), " back"),
        )

    def on_key(self, event: events.Key) -> None:
        """A letter decides; Esc and q go back; others do nothing."""
        if event.key == "ctrl+c":
            return
        event.stop()
        choices = {"w": "wait", "a": "abort", "l": "leave"}
        if event.key in ("escape", "q"):
            self.dismiss(None)
        elif not self.is_deaf and event.character in choices:
            self.dismiss(choices[event.character])
