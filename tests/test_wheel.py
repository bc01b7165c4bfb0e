"""The wheel: built from the checkout, complete, and of use where there is no checkout."""

import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from opsdash import __version__
from opsdash.tui.demo.servers import PostgresServer

ROOT = Path(__file__).parent.parent
LIMIT_S = 120


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    """Run a command that must succeed; its output."""
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment of its own that has the wheel, and sees our other packages."""
    venv = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv)
    python = venv / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, "--no-deps", "--no-index", wheel, cwd=venv)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()))
    return venv / "bin"


def test_its_only_top_level_name_is_opsdash(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert names == {"opsdash", f"opsdash-{__version__}.dist-info"}


def test_every_file_of_the_three_folders_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = [
        path.relative_to(ROOT)
        for folder in ("tui", "widgets", "collectors")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert {".py", ".sql"} <= {path.suffix for path in files}
    assert {f"opsdash/{path}" for path in files} - inside == set()
    assert "opsdash/py.typed" in inside


def test_it_runs_where_there_is_no_checkout(installed: Path, pg18: PostgresServer, tmp_path: Path) -> None:
    where = run(
        installed / "python", "-c", "import opsdash.tui.cli as cli; print(cli.__file__)", cwd=tmp_path
    )
    assert where.startswith(str(installed.parent))
    assert run(installed / "opsdash", "--version", cwd=tmp_path) == f"opsdash {__version__}\n"
    url = f"postgresql://postgres@127.0.0.1:{pg18.port}/postgres"
    said = run(installed / "opsdash", "check", cwd=tmp_path, DATABASE_URL=url)
    assert said.startswith("● ok")
