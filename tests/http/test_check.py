"""`opsdash check` on endpoints: what one failed probe cannot tell is probed again."""

import json
import socket
from pathlib import Path

from tests.cli.run_opsdash import run_opsdash, write_config


def test_endpoint_that_refuses_is_critical_though_one_probe_would_be_a_blip(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        text = f'[[http]]\nname = "api"\nurl = "http://127.0.0.1:{port}/health"\n[[host]]\nname = "bastion"\n'
        path = write_config(tmp_path, text)
        ended = run_opsdash("check", "--config", str(path), "--json", home=tmp_path)
    assert ended.returncode == 2, ended.stderr
    report = json.loads(ended.stdout)
    (found,) = [one for one in report["findings"] if one["target"].endswith("api")]  # the host may be busy
    assert found["title"].startswith("/health failing 3 of 3")
    assert {target["name"]: target["kind"] for target in report["targets"]} == {
        "api": "http",
        "bastion": "host",
    }
