"""A secret value that cannot be shown by accident."""

import weakref


class Secret:
    """Holds a secret string; `repr`, `str` and `format` give `***`.

    Every secret registers itself, so that `redact` can take its value out of any text that leaves opsdash
    (a driver's error message, a traceback, an audit line).

    >>> f"{Secret('hunter2')} {Secret('hunter2')!r}"
    '*** ***'
    >>> held = Secret("hunter2")
    >>> redact("password hunter2 refused")
    'password *** refused'
    """

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        _known.add(self)

    def reveal(self) -> str:
        """The value itself, for handing it to a client library and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"


_known: weakref.WeakSet[Secret] = weakref.WeakSet()

_SHORTEST = 4
"""Values shorter than this are not searched for in texts: replacing every "a" would destroy the text."""


def redact(text: str) -> str:
    """Replace every known secret value in `text` by `***`."""
    if not _known:
        return text
    for value in sorted((s.reveal() for s in _known), key=len, reverse=True):
        if len(value) >= _SHORTEST and value in text:
            text = text.replace(value, "***")
    return text
