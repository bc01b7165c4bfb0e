"""One line in which a text is typed: what to look for, what to filter by."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from opsdash.widgets.lines import Lines, line_width
from opsdash.widgets.status import Tone


class Prompt(Horizontal):
    """One line high, and gone while nothing is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False, id="prompt.leave"),
    ]

    DEFAULT_CSS = """
    Prompt { height: 1; display: none; background: $panel; }
    Prompt.-open { display: block; }
    Prompt #prompt-mark { width: 2; color: $text-primary; }
    Prompt Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    Prompt #prompt-hint { width: auto; max-width: 60%; }
    """

    class Given(Message):
        """Enter: this was typed."""

        def __init__(self, purpose: str, text: str) -> None:
            self.purpose = purpose
            self.text = text
            super().__init__()

    class Left(Message):
        """Esc: nothing was typed."""

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._purpose = ""

    def compose(self) -> ComposeResult:
        """A sign, the text, what can be typed."""
        yield Lines(id="prompt-mark")
        yield Input(id="prompt-text", compact=True)
        yield Lines(id="prompt-hint")

    def on_mount(self) -> None:
        """Only `ask` gives it the focus."""
        self.query_one(Input).can_focus = False

    def ask(self, purpose: str, sign: str, hint: str, text: str = "") -> None:
        """Have a text typed.

        Args:
            purpose: Comes back with the text.
            sign: One character before it.
            hint: What can be typed.
            text: What stands there at first.
        """
        self._purpose = purpose
        self.query_one("#prompt-mark", Lines).show(((f"{sign} ",),))
        self.say(hint, Tone.MUTED)
        field = self.query_one(Input)
        field.value = text
        self.add_class("-open")
        field.can_focus = True
        self.screen.set_focus(field)  # at once: `focus` would let keys that are waiting pass it by

    def say(self, text: str, tone: Tone = Tone.WARN) -> None:
        """Tell something beside what is typed: what is wrong with it."""
        line = ((text, tone),)
        hint = self.query_one("#prompt-hint", Lines)
        hint.styles.width = line_width(line)
        hint.show((line,))

    def close(self) -> None:
        """Gone again."""
        self.query_one(Input).can_focus = False
        self.remove_class("-open")

    def action_leave(self) -> None:
        """Nothing was meant."""
        self.post_message(self.Left())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Given(self._purpose, event.value))
