"""Whatever a server says: what comes out can be shown, and no argument is among it."""

import re
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.redis import info, lists
from opsdash.collectors.redis.counters import History, commands, errors, sample
from opsdash.collectors.redis.sayings import told
from opsdash.collectors.target import TargetId

HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")

texts = st.text(st.characters(), max_size=60)
names = st.sampled_from(
    ["redis_version", "used_memory", "db0", "cmdstat_get", "errorstat_OOM", "master0", "slave0", "role"]
)
lines = st.builds(lambda name, text: f"{name}:{text}", names | texts, texts)


def is_harmless(value: object) -> bool:
    return HARMFUL.search(str(msgspec.to_builtins(value, str_keys=True))) is None


@given(st.lists(lines, max_size=20))
def test_info_of_any_kind_is_read_and_cleaned(said: list[str]) -> None:
    told_info = info.parse("\r\n".join(said))
    history = History()
    history.add(sample(told_info, 1.0))
    found = (
        info.memory(told_info),
        info.databases(told_info),
        info.replication(told_info),
        info.persistence(told_info),
        info.sentinel_masters(told_info),
        info.cluster(told_info),
        info.product(told_info),
        info.server_now(told_info),
        commands(history, told_info),
        errors(history),
    )
    assert all(is_harmless(value) for value in found)


@given(
    st.lists(st.tuples(st.sampled_from(["id", "name", "cmd", "flags", "age", "multi"]), texts), max_size=9)
)
def test_lines_of_clients_of_any_kind_are_read_and_cleaned(pairs: list[tuple[str, str]]) -> None:
    line = " ".join(f"{name}={text}" for name, text in (("id", "7"), *pairs))
    assert all(is_harmless(row) for row in lists.clients(line, []))


@given(st.lists(texts, min_size=1, max_size=6), texts)
def test_no_argument_of_a_slow_command_is_kept(words: list[str], name: str) -> None:
    secret = "hunter2-of-a-customer"
    (entry,) = lists.slow_entries([[1, 1773457961, 12, [*words, secret], "10.0.0.1:1", name]])
    assert secret not in str(msgspec.to_builtins(entry))
    assert is_harmless(entry)


@given(st.lists(st.sampled_from(["CONFIG", "GET", "user:hunter2", "x" * 200, ""]), max_size=5))
def test_the_name_of_a_command_is_never_data(words: list[str]) -> None:
    name, arguments = lists.command_of(words)
    assert "hunter2" not in name
    assert arguments >= 0


@given(texts)
def test_reasons_are_one_harmless_line(words: str) -> None:
    error = told(TargetId("redis", "cache"), words)
    assert HARMFUL.search(error.reason) is None
    assert len(error.reason) <= 400


def test_a_password_in_a_config_command_is_not_a_subcommand() -> None:
    said: Any = ["CONFIG", "SET", "requirepass", "hunter2"]
    assert lists.command_of(said) == ("CONFIG SET", 2)
    assert lists.command_of(["AUTH", "hunter2"]) == ("AUTH", 1)
