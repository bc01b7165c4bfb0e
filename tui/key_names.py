"""Keys as people write them, and as Textual calls them."""

from textual.keys import Keys, key_to_character

_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "number_sign": "#",
    "plus": "+",
    "minus": "-",
    "space": "Space",
    "backspace": "Backspace",
    "ampersand": "&",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "f1": "F1",
    "shift+tab": "shift-Tab",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "tab": "Tab",
}
_CALLED = {name.lower(): key for key, name in _NAMES.items()}
_KNOWN = {str(key.value) for key in Keys} | set(_NAMES)


def key_name(key: str) -> str:
    """A key as people write it.

    >>> key_name("question_mark"), key_name("ctrl+d"), key_name("K")
    ('?', 'ctrl-d', 'K')
    """
    return _NAMES.get(key, key.replace("ctrl+", "ctrl-"))


def called_by_textual(written: str) -> str | None:
    """A key as Textual calls it, from how a person wrote it; None: there is no such key.

    >>> [called_by_textual(key) for key in ("/", "Ctrl-K", "PgDn", "F5", "K", " question_mark ", "semicolon")]
    ['slash', 'ctrl+k', 'pagedown', 'f5', 'K', 'question_mark', 'semicolon']
    >>> [called_by_textual(key) for key in ("", "ctl+x", "alt+x", "F55", "kk")]
    [None, None, None, None, None]
    """
    key = written.strip()
    if len(key) == 1 and key.isprintable():
        return _CALLED.get(key, key)
    key = key.lower()
    key = _CALLED.get(key, key.replace("ctrl-", "ctrl+").replace("shift-", "shift+"))
    return key if key in _KNOWN or (len(key) > 1 and key_to_character(key)) else None
