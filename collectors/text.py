"""Text from a target made harmless, once, where it enters opsdash."""

import re

_HARMFUL = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible or direction-changing
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e0fff"  # tags and variation selectors
    "]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)  # the control picture: ␛ for ESC
    return "␡" if code == 0x7F else "�"


def clean(text: str) -> str:
    r"""Replace control, escape, bidirectional and invisible characters by visible substitutes.

    Tab and newline stay; everything a terminal could act upon goes.

    >>> clean("a\x1b]52;c;aGk=\x07b")
    'a␛]52;c;aGk=␇b'
    >>> clean("plain text\n\tstays")
    'plain text\n\tstays'
    >>> clean("\u202eevil\x9b2J\udcff")
    '�evil�2J�'
    """
    return _HARMFUL.sub(_visible, text)


def one_line(text: str) -> str:
    r"""Clean `text` and fold every run of white space into one space.

    >>> one_line("select *\n\t from\x1b t ")
    'select * from␛ t'
    """
    return " ".join(clean(text).split())
