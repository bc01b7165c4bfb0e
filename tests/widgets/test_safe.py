"""Text of others is shown as it is written; no code hands it to what would parse it as markup."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.widgets import Static

import opsdash
from opsdash.collectors.text import clean
from opsdash.widgets.safe import safe

PARSERS = {"Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "Collapsible", "Link", "Tooltip"}
PARSING_METHODS = {"update", "notify"}
PARSED_ATTRIBUTES = {"border_title", "border_subtitle", "tooltip"}
PARSED_KEYWORDS = {"content", "label", "prompt", "message", "title", "tooltip"}
MARKUP = {"from_markup", "from_rich_markup"}
HARMLESS = {"safe", "Content", "styled", "blank", "plural"}


def source_files() -> list[Path]:
    package = Path(opsdash.__file__).parent
    return [path for part in ("widgets", "tui") for path in sorted((package / part).rglob("*.py"))]


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_harmless(value: ast.expr) -> bool:
    """A literal, or made by `safe`: then nothing of a target is parsed."""
    match value:
        case ast.Constant():
            return True
        case ast.Call(func=function):
            return name_of(function) in HARMLESS
        case ast.BinOp(left=left, right=right):
            return is_harmless(left) and is_harmless(right)
        case ast.IfExp(body=body, orelse=orelse):
            return is_harmless(body) and is_harmless(orelse)
    return False


def parsed_values(tree: ast.AST) -> Iterator[ast.expr]:
    """Whatever Textual or Rich would parse as markup."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function) if name_of(function) in MARKUP:
                yield node
            case ast.Call(func=function, args=arguments, keywords=keywords):
                method = isinstance(function, ast.Attribute) and function.attr in PARSING_METHODS
                if method or name_of(function) in PARSERS:
                    yield from arguments[:1]
                    yield from (k.value for k in keywords if k.arg in PARSED_KEYWORDS)
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(t, ast.Attribute) and t.attr in PARSED_ATTRIBUTES for t in targets):
                    yield value


def findings(source: str) -> list[str]:
    tree = ast.parse(source)
    if not any(
        isinstance(node, ast.ImportFrom | ast.Import) and "textual" in ast.unparse(node)
        for node in ast.walk(tree)
    ):
        return []  # nothing of a screen here: `update` is a dictionary's
    return [f"line {v.lineno}: {ast.unparse(v)}" for v in parsed_values(tree) if not is_harmless(v)]


def test_no_code_hands_text_to_what_parses_markup() -> None:
    found = {str(path.name): findings(path.read_text()) for path in source_files()}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert len(found) > 20


@pytest.mark.parametrize(
    "line",
    [
        "Static(row.query)",
        "Label(f'{name} is down')",
        "Button('ok' + name)",
        "widget.update(text)",
        "self.app.notify(str(error))",
        "self.notify('failed', title=name)",
        "panel.border_title = name",
        "panel.tooltip = row.query if row else ''",
        "Text.from_markup('[b]x')",
    ],
)
def test_a_careless_line_is_found(line: str) -> None:
    assert findings(f"import textual\n{line}")


@pytest.mark.parametrize(
    "line",
    ["Static('[b]keys[/b]')", "Label(safe(name))", "w.update(safe(a) + ' ')", "p.border_title = safe(n)"],
)
def test_a_careful_line_is_not(line: str) -> None:
    assert findings(f"import textual\n{line}") == []


async def test_what_looks_like_markup_is_shown_and_cannot_be_clicked() -> None:
    said = ["[/red]", "a[1]=b [x=1:", "[@click=app.quit]kill[/]", "[bold]x"]

    class OneApp(App[None]):
        def compose(self) -> ComposeResult:
            for text in said:
                yield Static(safe(text, "bold"))

    app = OneApp()
    async with app.run_test(size=(60, 10)) as pilot:
        shown = [static.render_line(0) for static in app.query(Static)]
        assert [strip.text.rstrip() for strip in shown] == said
        for y in range(len(said)):
            await pilot.click(offset=(3, y))
        assert app.is_running
        assert app.return_code is None


@given(st.text(st.characters()))
def test_safe_text_is_clean(text: str) -> None:
    # Content drops what clean has already replaced, so nothing more may be lost here
    assert safe(text).plain == clean(text)
