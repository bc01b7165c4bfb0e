"""`[[docker]]` tables: what is accepted, and how mistakes are told."""

import pytest

from opsdash.collectors.docker.address import parse
from opsdash.collectors.docker.settings import DockerSettings


def test_a_table_without_a_host_is_the_local_socket() -> None:
    assert DockerSettings().mistakes() == ()
    assert parse(DockerSettings().host).path == "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("host", "has_tls"),
    [
        ("unix:///run/user/1000/docker.sock", False),
        ("tcp://10.0.0.5:2375", False),
        ("tcp://docker.internal:2376", True),
        ("tcp://[::1]", False),
        ("ssh://ops@bastion.internal:2222", False),
        ("ssh://bastion/run/podman/podman.sock", False),
    ],
)
def test_hosts_that_are_fine(host: str, has_tls: bool) -> None:
    settings = DockerSettings(host=host)
    assert settings.mistakes() == ()
    assert settings.has_tls(parse(host)) is has_tls


@pytest.mark.parametrize(
    "host",
    [
        "",
        "docker.internal",
        "http://docker.internal",
        "unix://",
        "unix://host/path",
        "tcp://",
        "tcp://host:port",
        "tcp://host/path",
        "tcp://me@host",
        "tcp://me:hunter2@host",
        "ssh://",
        "ssh://-oProxyCommand=evil",
        "ssh://-l@bastion",
        "ssh://me:hunter2@bastion",
        "ssh://bastion?x=hunter2",
        "ssh://bas tion",
    ],
)
def test_hosts_that_are_none_are_told_without_their_value(host: str) -> None:
    if not host:
        assert parse(host).scheme == "unix", "nothing stated is the local socket"
        return
    ((key, expected),) = DockerSettings(host=host).mistakes()
    assert key == "host"
    assert "hunter2" not in expected
    assert "expected" in expected or "cannot be read" in expected


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        (DockerSettings(host="tcp://a", context="b"), ["context"]),
        (DockerSettings(context="b", ca_file="ca.pem"), ["ca_file"]),
        (DockerSettings(host="unix:///a", ca_file="ca.pem"), ["ca_file"]),
        (DockerSettings(host="ssh://a", cert_file="c.pem", key_file="k.pem"), ["cert_file", "key_file"]),
        (DockerSettings(host="tcp://a", key_file="k.pem"), ["key_file"]),
        (DockerSettings(host="tcp://a", cert_file="c.pem", key_file="k.pem"), []),
    ],
)
def test_keys_that_do_not_go_together_are_named(settings: DockerSettings, keys: list[str]) -> None:
    assert [key for key, _ in settings.mistakes()] == keys
