"""`[[redis]]` in the configuration file, and REDIS_URL without one."""

from pathlib import Path

import pytest

from opsdash.collectors.discover import discover
from opsdash.collectors.errors import ConfigError
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Environment
from opsdash.tui.config import Config, load_config


def load(folder: Path, text: str, mode: int = 0o600) -> Config:
    path = folder / "opsdash.toml"
    path.write_text(text)
    path.chmod(mode)
    return load_config(str(path), {})


def test_a_table_is_a_target_with_its_thresholds(tmp_path: Path) -> None:
    text = """
    [[redis]]
    name = "cache"
    url = "rediss://opsdash@cache.internal/2"
    password_env = "CACHE_PASSWORD"
    ca_file = "/etc/ssl/ca.pem"
    environment = "prod"
    [redis.thresholds]
    memory_crit_ratio = 0.95
    """
    (target,) = load(tmp_path, text).targets
    assert str(target.id) == "redis/cache"
    assert target.environment.production
    assert isinstance(target.settings, RedisSettings)
    assert target.settings.thresholds.memory_crit_ratio == 0.95
    assert target.settings.ca_file == "/etc/ssl/ca.pem"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('url = "http://hunter2/"', "redis[0].url: expected redis://host:6379/0"),
        ('adress = "x"', "redis[0].adress: unknown key"),
        ('ca_file = "x"', "redis[0].ca_file: needs a rediss:// URL"),
        ("thresholds = {memory_warn_ratio = 80}", "redis[0].thresholds.memory_warn_ratio"),
    ],
)
def test_mistakes_are_told_with_their_key_and_without_the_value(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'[[redis]]\nname = "cache"\n{line}\n')
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_password_in_the_url_needs_a_private_file(tmp_path: Path) -> None:
    text = '[[redis]]\nname = "cache"\nurl = "redis://:hunter2@cache"\n'
    load(tmp_path, text, 0o600)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, 0o644)
    assert "redis[0].url: holds a password" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://cache.internal:6379/0", "cache.internal"),
        ("rediss://me:hunter2@cache.internal:6380/3", "cache.internal:6380/3"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ],
)
def test_redis_url_names_a_target_without_its_password(url: str, name: str) -> None:
    found = discover({"REDIS_URL": url}, Environment())
    (target,) = found.targets
    assert str(target.id) == f"redis/{name}"
    assert found.notes == (f"found redis {name} in REDIS_URL",)


def test_a_url_of_something_else_is_skipped_with_the_reason() -> None:
    found = discover({"REDIS_URL": "amqp://hunter2"}, Environment())
    assert found.targets == ()
    assert found.notes[0].startswith("skipped REDIS_URL: expected redis://")
    assert "hunter2" not in str(found.notes)
