"""What `opsdash init` writes of one target: values only. Each kind's `first_table.py` makes them."""

import re

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the configuration."""

    key: str
    value: str | float | tuple[str, ...]
    """Never a secret."""
    comment: str
    """What it is for, on one line."""
    is_active: bool = True
    """False: written as a comment, as something that could be said."""


class FirstTable(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[kind]]` table."""

    entries: tuple[Entry, ...]
    """Without `name`, which every kind has."""
    to_do: tuple[str, ...] = ()
    """What the person must still do before the target can be read."""


def password_variable(name: str) -> str:
    """The environment variable for the password of the target `name`.

    >>> password_variable("db.internal/orders"), password_variable("127.0.0.1:5433")
    ('DB_INTERNAL_ORDERS_PASSWORD', 'DB_127_0_0_1_5433_PASSWORD')
    """
    word = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return ("" if word[:1].isalpha() else "DB_") + (word or "TARGET") + "_PASSWORD"


def password_entries(name: str, *, variable: str | None, was_inline: bool) -> tuple[Entry, ...]:
    """The ways to say where a password is; the first is in use where one is known to be needed.

    Args:
        name: The target's name.
        variable: The environment variable that holds it already; None when there is none.
        was_inline: Whether it stood inside an address, which is not copied.
    """
    return (
        Entry(
            key="password_env",
            value=variable or password_variable(name),
            comment="the environment variable that holds the password",
            is_active=variable is not None or was_inline,
        ),
        Entry(
            key="password_file",
            value="~/.config/opsdash/password",
            comment="or a file, of which the first line counts",
            is_active=False,
        ),
        Entry(
            key="password_command",
            value=("pass", "show", name),
            comment="or a program that prints it; no shell",
            is_active=False,
        ),
    )


def password_to_do(name: str, source: str) -> str:
    """What the person is told when a password was left out."""
    return (
        f"{name}: the password in {source} was not copied. Put it into the variable "
        f"{password_variable(name)}, or name password_file or password_command instead"
    )
