"""What may stand in an [[http]] table."""

from pathlib import Path

import pytest

from opsdash.collectors.errors import ConfigError
from opsdash.collectors.http.settings import HttpSettings
from opsdash.tui.config import load_config

GOOD = """
[[http]]
name = "api"
url = "https://api.internal/health?deep=1"
service = "billing"
connect = "10.0.0.5:8443"
accept = ["2xx", 301]
expect = "status == 'ok' && checks.db.ok"
depends = { database = "orders-db" }
headers = { Accept = "application/json", Authorization = { env = "API_TOKEN", prefix = "Bearer " } }
[http.thresholds]
latency_warn_s = 0.2

[[postgres]]
name = "orders-db"
dsn = "host=db.internal"

[[host]]
name = "bastion"
disks = ["/", "/var"]
"""


def read(folder: Path, text: str, *, mode: int = 0o600) -> tuple[HttpSettings, ...]:
    file = folder / "opsdash.toml"
    file.write_text(text)
    file.chmod(mode)
    targets = load_config(str(file), {}).targets
    return tuple(t.settings for t in targets if isinstance(t.settings, HttpSettings))


def test_all_keys_are_read(tmp_path: Path) -> None:
    (settings,) = read(tmp_path, GOOD)
    assert settings.accepts(301)
    assert settings.thresholds.latency_warn_s == 0.2
    assert settings.thresholds.latency_crit_s == 1.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('url = "ftp://x/"', "http[0].url: expected a URL that begins with http:// or https://"),
        ('url = "https://"', "http[0].url: expected a URL with a host"),
        ('url = "https://x:port/"', "http[0].url: expected a URL such as"),
        ('url = "https://x/"\nexpect = "status = 1"', "http[0].expect: expected a JMESPath condition"),
        ('url = "https://x/"\nmethod = "HEAD"\nexpect = "a"', "http[0].expect: a HEAD request has no body"),
        ('url = "https://x/"\nmethod = "POST"', 'http[0].method: expected "GET" or "HEAD", got "POST"'),
        ('url = "https://x/"\nconnect = "https://y/"', "http[0].connect: expected an address and a port"),
        ('url = "https://x/"\naccept = ["2yy"]', "http[0].accept"),
        (
            'url = "https://x/"\nheaders = { Host = "y" }',
            "http[0].headers.Host: opsdash sets this header itself",
        ),
        ('url = "https://x/"\nheaders = { "a b" = "y" }', "http[0].headers: one of its names"),
        (
            'url = "https://x/"\nheaders = { X = { env = "A", file = "b" } }',
            "exactly one of env, file and command",
        ),
        ('url = "https://x/"\nheaders = { X = { } }', "exactly one of env, file and command"),
        ('url = "https://x/"\nkey_file = "k"', "http[0].key_file: needs cert_file"),
        ('url = "https://x/"\ntimeout_s = 30', "http[0].timeout_s"),
        (
            'url = "https://x/"\ndepends = { database = "aip" }',
            'http[0].depends.database: "aip" is no target; did you mean "api"?',
        ),
        ('url = "https://x/"\nexpekt = "a"', 'http[0].expekt: unknown key; did you mean "expect"?'),
    ],
)
def test_mistakes_are_told_with_their_key(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as failed:
        read(tmp_path, f'[[http]]\nname = "api"\n{line}\n')
    assert said in str(failed.value)


@pytest.mark.parametrize(
    "line",
    [
        'url = "https://me:hunter2@x/"',
        'url = "https://x/"\nheaders = { Authorization = "Bearer hunter2" }',
        'url = "https://x/"\nheaders = { X-Api-Key = "hunter2" }',
    ],
)
def test_secret_in_a_file_that_others_may_read_is_refused(tmp_path: Path, line: str) -> None:
    text = f'[[http]]\nname = "api"\n{line}\n'
    assert len(read(tmp_path, text)) == 1
    with pytest.raises(ConfigError) as failed:
        read(tmp_path, text, mode=0o644)
    assert "hunter2" not in str(failed.value)


def test_disks_of_the_host_are_paths(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"host\[0\].disks: expected mount points"):
        read(tmp_path, '[[host]]\nname = "bastion"\ndisks = ["data"]\n')
