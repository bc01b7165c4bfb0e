"""Command lines and named values as they are shown: what looks like a secret is masked, best effort. Pure."""

import shlex
from collections.abc import Sequence

from opsdash.collectors.lines.mask import MASK, is_secret_name, mask
from opsdash.collectors.text import one_line


def masked_command(words: Sequence[str]) -> str:
    """A command line in which values that look like secrets are masked.

    >>> masked_command(["server", "--db-password", "hunter2", "--port=80", "TOKEN=abc"])
    'server --db-password *** --port=80 TOKEN=***'
    >>> masked_command(["sh", "-c", "exec psql postgresql://shop:hunter2@db/orders"])
    "sh -c 'exec psql postgresql://shop:***@db/orders'"
    """
    shown: list[str] = []
    is_value_next = False
    for word in words:
        name, equals, value = word.partition("=")
        if is_value_next and not word.startswith("-"):
            shown.append(MASK)
        elif equals and _is_name(name):
            shown.append(f"{shlex.quote(name)}={_quoted(masked_value(name, value))}")
        else:
            shown.append(_quoted(mask(word)))
        is_value_next = word.startswith("-") and not equals and is_secret_name(word.lstrip("-"))
    return one_line(" ".join(shown))


def masked_value(name: str, value: str) -> str:
    """The value of something named, on one line; `***` where the name says that it is secret.

    >>> masked_value("com.shop.api-key", "abc"), masked_value("com.shop.tier", "gold")
    ('***', 'gold')
    """
    return MASK if is_secret_name(name) else one_line(mask(value))


def _is_name(word: str) -> bool:
    """Whether what stands before the = is one: not half of a script."""
    return bool(word) and not any(character.isspace() for character in word)


def _quoted(masked: str) -> str:
    return masked if masked == MASK else shlex.quote(masked)


def masked_line(command: str) -> str:
    """A command line as `ps` shows it, where the words are not told apart any more.

    >>> masked_line("postgres: shop orders 10.0.0.7 idle"), masked_line("app --api-key abc -v")
    ('postgres: shop orders 10.0.0.7 idle', 'app --api-key *** -v')
    """
    shown: list[str] = []
    is_value_next = False
    for word in mask(command).split():
        shown.append(MASK if is_value_next and not word.startswith("-") else word)
        is_value_next = word.startswith("-") and "=" not in word and is_secret_name(word.lstrip("-"))
    return one_line(" ".join(shown))
