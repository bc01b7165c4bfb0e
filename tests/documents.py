"""`make documents`: `docs/configuration.md` and `docs/keys.md`, from the code that they are about.

A test compares them with what is committed, so neither can grow old.
"""

import ast
import importlib
import inspect
import pkgutil
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from textual.binding import Binding
from textual.dom import DOMNode

from opsdash import widgets
from opsdash.collectors.redis.commands import acl_rule
from opsdash.collectors.registry import KINDS, load
from opsdash.tui import screens
from opsdash.tui.app import OpsdashApp
from opsdash.tui.config import _AuditTable
from opsdash.tui.config_targets import EnvironmentTable, _Common
from opsdash.tui.key_names import key_name
from opsdash.tui.screen_settings import ScreenTable

FOLDER = Path(__file__).parent.parent / "docs"

_HEAD = "<!-- Made by `make documents` from the code. Change the docstrings there, not this file. -->\n"

_CONFIGURATION = """
# Configuration

`opsdash.toml` is looked for in this order: `--config FILE`, `$OPSDASH_CONFIG`,
`~/.config/opsdash/opsdash.toml` (`$XDG_CONFIG_HOME`). Never in the working directory: a configuration can
name commands. Without any, opsdash takes what the environment names; `opsdash init` writes a first one from
that. Every mistake is told with its place and what was expected. A file with passwords or commands in it must
be private (0600).
"""

_KEYS = """
# Keys

What works where `?` is pressed, with the id by which a key can be changed:

    [keys]
    table.mark = "m"
    actions = "a,f5"
    pause = "ctrl-k"

Keys are written as in this table. A name that is not there, what is no key, and a key that something else
has in the same place are told when opsdash starts.
"""


@cache
def told(kind: type) -> Mapping[str, str]:
    """Field -> the docstring below it, of a struct."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[field.target.id] = " ".join(text.value.split())
    return found


def type_words(kind: Any) -> str:
    """A type as people say it."""
    origin = get_origin(kind)
    if hasattr(kind, "__metadata__"):
        return type_words(kind.__origin__) + _limits(kind.__metadata__)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in get_args(kind))
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(each) for each in get_args(kind) if each is not type(None))
    if origin in (tuple, list):
        return f"list of {type_words(get_args(kind)[0])}"
    if origin in (dict, Mapping):
        return f"table of {type_words(get_args(kind)[1])}"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "table"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(kind, str(kind))


def _limits(metadata: tuple[Any, ...]) -> str:
    for each in metadata:
        if isinstance(each, msgspec.Meta):
            low = each.ge if each.ge is not None else each.gt
            high = each.le if each.le is not None else each.lt
            if low is not None and high is not None:
                return f", {low:g} to {high:g}"
            if low is not None:
                return f", {'at least' if each.ge is not None else 'above'} {low:g}"
    return ""


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None or isinstance(value, msgspec.Struct):
        return ""
    if isinstance(value, dict | tuple | list) and not value:
        return ""
    return f"`{msgspec.json.encode(value).decode()}`"


def table(kind: type[msgspec.Struct]) -> Iterator[str]:
    """The keys of one table of the configuration."""
    yield "| key | is | usual | |"
    yield "|---|---|---|---|"
    for field in msgspec.structs.fields(kind):
        words = told(kind).get(field.name, "").replace("|", "\\|")
        yield f"| `{field.encode_name}` | {type_words(field.type)} | {_default(field)} | {words} |"


def inner_tables(kind: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Tables within a table, by their keys."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield field.encode_name, field.type


def configuration() -> str:
    """`docs/configuration.md`."""
    lines = [_HEAD + _CONFIGURATION]
    for name, kind in (("environment", EnvironmentTable), ("audit", _AuditTable), ("screen", ScreenTable)):
        lines += [f"## `[{name}]`", "", *table(kind), ""]
    lines += ["## `[keys]`", "", "Keys of the screen by their ids: [all of them](keys.md).", ""]
    lines += ["## Every target", "", "These keys every kind of target has:", "", *table(_Common), ""]
    for name, kind in KINDS.items():
        settings = load(kind.settings)
        lines += [f"## `[[{name}]]`", "", *table(settings), ""]
        for inner, struct in inner_tables(settings):
            lines += [f"### `[{name}.{inner}]`", "", *table(struct), ""]
    return "\n".join(lines).rstrip() + "\n"


def _classes() -> Iterator[type[DOMNode]]:
    """Everything that has keys: the app, screens and widgets."""
    for package in (screens, widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: dict[type[DOMNode], None] = {OpsdashApp: None}
    left: list[type[DOMNode]] = [DOMNode]
    while left:
        each = left.pop()
        left += each.__subclasses__()
        if each.__module__.startswith("opsdash."):
            found[each] = None
    yield from sorted(found, key=lambda each: (each is not OpsdashApp, each.__module__, each.__name__))


def bindings() -> Iterator[tuple[type[DOMNode], Binding]]:
    """Every key of ours, with what has it."""
    for kind in _classes():
        for binding in kind.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding):
                yield kind, binding


def keys() -> str:
    """`docs/keys.md`."""
    lines = [_HEAD + _KEYS, "| where | key | does | id |", "|---|---|---|---|"]
    for kind, binding in bindings():
        where = getattr(kind, "called", "") or kind.__name__
        where = "everywhere" if kind is OpsdashApp else where
        if binding.id and binding.description:
            shown = " ".join(f"`{key_name(key)}`" for key in binding.key.split(","))
            shown = shown.replace("|", "\\|")
            lines.append(f"| {where} | {shown} | {binding.description} | `{binding.id}` |")
    return "\n".join(lines) + "\n"


def redis_acl(user: str, told: str, *, may_act: bool) -> str:
    """`docs/grants/redis_*.acl`: for the newest servers; `opsdash doctor` prints it for older ones."""
    return f"# {told}\n# Made by `make documents` from the list of commands that opsdash sends.\n" + (
        f"{acl_rule(user, may_act=may_act)}\n"
    )


PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "keys.md": keys,
    "grants/redis_read.acl": partial(
        redis_acl,
        "opsdash",
        "The user that opsdash looks with, for redis-cli as an administrator.",
        may_act=False,
    ),
    "grants/redis_act.acl": partial(
        redis_acl, "opsdash_act", "The user that opsdash acts with (act_username).", may_act=True
    ),
}


def main() -> None:
    (FOLDER / "grants").mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), "utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
