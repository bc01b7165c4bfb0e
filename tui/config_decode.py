"""A table of the configuration -> a struct, with every mistake told by its key, what was expected and got."""

import re
from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_REPLY = re.compile(
    r"Expected `(?P<type>[\w |]+)`(?P<limit>[^,]*)(, got `(?P<got>\w+)`)?( - at `\$(?P<at>.*)`)?"
)


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong in the configuration."""

    path: str
    """Where, as in `postgres[1].thresholds.query_s`; counted from 0."""
    text: str
    """What was expected, and what stands there; never a value that may be secret."""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def decode(
    table: object, into: type[S], path: str, mistakes: list[Mistake], *, also_known: Iterable[str] = ()
) -> S | None:
    """Decode one table, key by key, so that all mistakes are told at once.

    Args:
        table: What stands in the file.
        into: The struct; its defaults fill what is not stated.
        path: Where the table stands.
        mistakes: Gets what is wrong.
        also_known: Keys that are right beside this struct's, for hints.

    Returns:
        None when there was a mistake; it stands in `mistakes` then.
    """
    if not isinstance(table, dict):
        mistakes.append(Mistake(path, f"expected a table, got {got(table)}"))
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(into)}
    before = len(mistakes)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in fields:
            values[key] = _value(value, fields[key].type, f"{path}.{key}", mistakes)
        else:
            mistakes.append(Mistake(f"{path}.{key}", f"unknown key{nearest(key, (*fields, *also_known))}"))
    for key, field in fields.items():
        if field.required and key not in table:
            mistakes.append(Mistake(f"{path}.{key}", f"missing: expected {_expected(field.type)}"))
    return into(**values) if len(mistakes) == before else None


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like `name`.

    >>> nearest("interva", ["interval", "name"]), nearest("zzz", ["alpha", "beta"])
    ('; did you mean "interval"?', '; known are alpha, beta')
    """
    from difflib import get_close_matches  # for a mistake only

    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known are {', '.join(names)}"


def got(value: object) -> str:
    """What stands in the file, in a person's words; a text is not repeated, since it may be a secret.

    >>> got(3), got(True), got("hunter2"), got([1]), got({})
    ('3', 'true', 'text', 'a list', 'a table')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    words: dict[type, str] = {str: "text", list: "a list", dict: "a table"}
    return words.get(type(value), "a date or time")


def _value(value: object, wanted: Any, path: str, mistakes: list[Mistake]) -> Any:
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return decode(value, wanted, path, mistakes)
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        said = _REPLY.match(str(error))
        inside = (said["at"] or "") if said else ""
        stands = f'"{value}"' if _choices(wanted) and isinstance(value, str) else _got(value, said)
        mistakes.append(Mistake(path + inside, f"expected {_expected(wanted, said)}, got {stands}"))
        return None


def _expected(wanted: Any, said: "re.Match[str] | None" = None) -> str:
    """What would have been right: the choices of a Literal, else msgspec's words made plain."""
    choices = _choices(wanted)
    if choices:
        return " or ".join(f'"{choice}"' for choice in choices)
    if said is None:
        return _WORDS.get(getattr(wanted, "__name__", ""), "a value")
    words = [_WORDS.get(name, name) for name in said["type"].split(" | ") if name != "null"]
    return " or ".join(words) + said["limit"].replace("`", "")


def _choices(wanted: Any) -> tuple[Any, ...]:
    """The values of a Literal, also of an optional one; empty for any other type."""
    literal = next((kind for kind in (wanted, *get_args(wanted)) if get_origin(kind) is Literal), None)
    return get_args(literal)


def _got(value: object, said: "re.Match[str] | None") -> str:
    inside = said is not None and said["at"]
    if inside and said is not None and said["got"]:
        return _WORDS.get(said["got"], said["got"])
    return got(value)
