"""`opsdash audit show` and `verify`: what a person reads, and the exit codes."""

import json
from pathlib import Path

import pytest

from opsdash.tui.actions.chain import seal
from opsdash.tui.actions.guard import Decision
from opsdash.tui.audit_command import show, verify_command
from tests.actions.lamps import HALL, House, Lamp
from tests.support.waiting import wait_until_async


async def switched_off(folder: Path, count: int = 1) -> Path:
    """The log of a session in which `count` lamps were switched off."""
    house = House(folder)
    await house.gateway.arm()
    for number in range(count):
        running = house.gateway.perform(
            await house.gateway.plan("lamps.off", HALL, [Lamp(number)]), Decision()
        )
        await wait_until_async(lambda run=running: run.is_done, 30, "it ends")
    await house.gateway.close(wait_s=30)
    return house.path


def drop(path: Path, event: str) -> None:
    """As if opsdash had been killed before it wrote `event`, the last but `disarmed`."""
    kept = [line for line in path.read_bytes().splitlines(keepends=True)[:-1] if event.encode() not in line]
    path.write_bytes(b"".join(kept))


async def test_show_tells_each_record_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = await switched_off(tmp_path)
    assert show(path) == 0
    armed, intent, outcome, disarmed = capsys.readouterr().out.splitlines()
    assert "  armed  by maria, from 10.0.4.7" in armed
    assert "  intent  lamps/hall  Switch off lamp 0  by maria" in intent
    assert "  outcome  lamps/hall  lamps.off  done  it is dark  by maria" in outcome
    assert "  disarmed  by quitting" in disarmed


async def test_show_gives_the_last_ones_or_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = await switched_off(tmp_path, 3)
    show(path, last=2)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["outcome", "disarmed"]
    show(path, last=0)
    assert len(capsys.readouterr().out.splitlines()) == 8


async def test_show_as_json_gives_the_records_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await switched_off(tmp_path)
    assert show(path, as_json=True) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown == [json.loads(line) for line in path.read_bytes().splitlines()]


async def test_an_intent_without_outcome_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await switched_off(tmp_path)
    drop(path, '"event":"outcome"')
    for command in (show, verify_command):
        assert command(path) == 0
        [warning] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("▲")]
        assert "look at the target" in warning
        assert "Switch off lamp 0" in warning


async def test_an_intact_log_verifies_and_says_what_cannot_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await switched_off(tmp_path)
    assert verify_command(path) == 0
    out = capsys.readouterr().out
    assert "4 records, the chain is whole" in out
    head = json.loads(path.read_bytes().splitlines()[-1])
    assert f"head: seq=4 hash={head['hash']}" in out
    assert "syslog" in out
    assert "✖" not in out
    assert "▲" not in out


async def test_a_damaged_log_is_told_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = await switched_off(tmp_path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"maria, from', b'"tom, from')
    del lines[5]
    path.write_bytes(b"".join(lines))
    assert verify_command(path) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == ["✖ line 3 was changed", "✖ 1 record is missing before line 6"]


def test_a_record_made_by_hand_cannot_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    fields = {"event": "intent", "id": ["\x07"], "title": "\x1b[2J\u202eevil", "who": ["\x07"], "time": None}
    path.write_bytes(seal(fields, seq=1, prev="\x1b") + b"\n")
    show(path)
    verify_command(path)
    show(path, as_json=True)
    out = capsys.readouterr().out
    assert "␛[2J�evil" in out
    assert not set(out) & set("\x1b\x07\u202e")


def test_a_log_that_cannot_be_read_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (show, verify_command):
        assert command(tmp_path / "none") == 3
        assert "nothing was recorded yet, or it was taken away" in capsys.readouterr().err
        assert command(tmp_path) == 3
        assert "Is a directory" in capsys.readouterr().err


def test_an_empty_log_is_intact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    path.touch()
    assert (show(path), verify_command(path)) == (0, 0)
    assert "no records" in capsys.readouterr().out


def test_a_file_of_something_else_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b'\x00\xff{"event":"intent"}\nhello\n')
    assert verify_command(path) == 1
    assert "no records" in capsys.readouterr().out
