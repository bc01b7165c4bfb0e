"""`opsdash snapshot`: what is seen now, for scripts and tickets."""

import json
import re
from pathlib import Path

from opsdash.tui.demo.servers import PostgresServer
from opsdash.tui.theme import DARK, LIGHT
from tests.cli.run_opsdash import run_opsdash, write_config

SECRET = "hunter2x-s3cret"


def config(folder: Path, server: PostgresServer) -> str:
    text = (
        f'[environment]\nname = "staging"\n[[postgres]]\nname = "orders"\n'
        f'dsn = "host=127.0.0.1 port={server.port} user=postgres dbname=postgres"\npassword_env = "ORDERS"\n'
        '[[http]]\nname = "api"\nurl = "http://127.0.0.1:1/health"\n'
    )
    return str(write_config(folder, text))


def run(folder: Path, server: PostgresServer, *options: str) -> str:
    ended = run_opsdash(
        "snapshot", *options, "--config", config(folder, server), home=folder, environ={"ORDERS": SECRET}
    )
    assert ended.returncode == 2, ended.stderr  # an endpoint is down
    assert SECRET not in ended.stdout
    return ended.stdout


def test_text_is_the_overview_with_rates(tmp_path: Path, pg18: PostgresServer) -> None:
    said = run(tmp_path, pg18, "--size", "100x30")
    assert "── What is wrong " in said
    assert "✖ CRIT api" in said
    assert "2 Database · orders" in said
    assert re.search(r"tx/s +[\d.]+", said), said  # two readings were taken
    assert all(len(line) <= 100 for line in said.splitlines())
    assert "\x1b" not in said


def test_json_has_every_value_and_the_findings(tmp_path: Path, pg18: PostgresServer) -> None:
    said = json.loads(run(tmp_path, pg18, "--json"))
    orders, api = said["targets"]
    assert orders["data"]["connections"]["usable"] > 0
    assert orders["data"]["total"]["commits_per_s"] is not None
    assert [finding["target"] for finding in said["findings"]] == ["api"]
    assert api["status"] == "critical"


def test_svg_is_one_picture_that_loads_nothing(tmp_path: Path, pg18: PostgresServer) -> None:
    said = run(tmp_path, pg18, "--svg")
    assert said.startswith('<svg xml:space="preserve" '), "blanks stay"
    assert said.rstrip().endswith("</svg>")
    assert "orders" in said
    assert not re.search(r"url\((?!#)|href=|@font-face|<script", said)


def test_svg_has_the_theme_of_the_configuration_whatever_the_terminal(tmp_path: Path) -> None:
    old = {"TERM": "linux"}
    here = '[[host]]\nname = "here"\n'
    light, dark = (
        run_opsdash(
            "snapshot", "--svg", "--config", str(write_config(tmp_path, text)), home=tmp_path, environ=old
        )
        for text in (f'[screen]\ntheme = "light"\n{here}', here)
    )
    assert LIGHT.background in light.stdout
    assert DARK.background in dark.stdout


def test_a_size_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    ended = run_opsdash("snapshot", "--size", "big", home=tmp_path)
    assert ended.returncode == 3
    assert "expected 40x10 to 500x500" in ended.stderr
