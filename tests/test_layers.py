"""The layers: the contracts hold, and each of them would notice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT_S = 120


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={"PATH": os.defpath, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_the_contracts_hold() -> None:
    ended = lint_imports(ROOT)
    assert ended.returncode == 0, ended.stdout


VIOLATIONS = (
    ("tui -> widgets -> collectors", "collectors/text.py", "from opsdash.widgets import status"),
    ("collectors know no screen", "collectors/feed.py", "import textual"),
    ("kinds never import each other", "collectors/postgres/mask.py", "import opsdash.collectors.redis"),
    ("widgets know no client library", "widgets/status.py", "import psycopg"),
    ("the headless half of tui knows no screen", "tui/config.py", "from opsdash.widgets import status"),
    ("the headless half of tui knows no screen", "tui/doctor.py", "from opsdash.widgets import status"),
    (
        "the headless half of tui knows no screen",
        "tui/doctor_report.py",
        "from opsdash.widgets import status",
    ),
    ("the headless half of tui knows no screen", "tui/init.py", "from opsdash.widgets import status"),
    ("actions of a kind stand behind their registry", "tui/app.py", "import opsdash.tui.actions.postgres"),
)


def test_each_contract_notices_what_breaks_it(tmp_path: Path) -> None:
    for folder in ("opsdash", "tui", "widgets", "collectors"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for _, path, line in VIOLATIONS:
        (tmp_path / path).write_text((tmp_path / path).read_text() + f"\n{line}\n")
    said = lint_imports(tmp_path).stdout
    contracts = {contract for contract, _, _ in VIOLATIONS}
    for contract in contracts:
        assert f"{contract} BROKEN" in said
    assert f"0 kept, {len(contracts)} broken" in said
    for _, path, line in VIOLATIONS:
        module = "opsdash." + path.removesuffix(".py").replace("/", ".")
        imported = line.removeprefix("import ").removeprefix("from ").replace(" import ", ".")
        assert f"{module} -> {imported} (l." in said


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("opsdash.tui.cli", {"msgspec", "asyncio", "textual", "rich", "psycopg"}),
        ("opsdash.tui.config", {"psycopg", "redis", "httpx", "textual", "rich"}),
        ("opsdash.tui.check", {"psycopg", "redis", "httpx", "textual", "rich"}),
        ("opsdash.tui.doctor", {"psycopg", "redis", "httpx", "textual", "rich"}),
        ("opsdash.tui.init", {"psycopg", "redis", "httpx", "textual", "rich"}),
        ("opsdash.tui.findings.engine", {"psycopg", "redis", "httpx", "textual", "rich"}),
        ("opsdash.tui.actions.registry", {"psycopg", "redis", "httpx", "textual", "rich"}),
        ("opsdash.widgets.table", {"psycopg"}),
    ],
)
def test_a_module_loads_nothing_it_does_not_need(module: str, never: set[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        env={"PATH": os.defpath},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert not set(ended.stdout.split()) & never
