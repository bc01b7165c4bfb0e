"""Text that others wrote, on its way to the screen: never markup, never more than one meaning per cell."""

from textual.content import Content

from opsdash.collectors.text import clean, one_line


def safe(text: str, style: str = "") -> Content:
    r"""Make `text` fit for Static, Label, Button, notify, titles and tooltips, which parse a `str` as markup.

    Args:
        text: From anywhere; control, escape and invisible characters become visible substitutes.
        style: A Textual style for the whole text, such as "bold $text-error".

    >>> safe("[@click=app.quit]a\x1b[/red]").plain
    '[@click=app.quit]a␛[/red]'
    """
    return Content.styled(clean(text), style) if style else Content(clean(text))


def cell_text(text: str) -> str:
    r"""Make `text` fit for one line of cells: as `safe`, and every run of white space is one space.

    Plain ASCII comes back as it is, with its spaces: indentation and alignment are kept.

    >>> cell_text("  4312"), cell_text("a\n\t b\x07")
    ('  4312', 'a b␇')
    """
    if text.isprintable() and (text.isascii() or text == clean(text)):
        return text
    return one_line(text)
