"""The engine that is found without a configuration is the one that the docker client would use."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from opsdash.collectors.discover import Looked
from opsdash.collectors.docker.discover import discover
from opsdash.collectors.docker.first_table import first_table
from opsdash.collectors.docker.settings import DockerSettings
from tests.support.engine import TestEngine


def found(looked: Looked) -> tuple[str, DockerSettings, str]:
    (only,) = looked.found
    assert isinstance(only.settings, DockerSettings)
    return only.name, only.settings, only.source


@pytest.fixture
def nothing(tmp_path: Path) -> dict[str, str]:
    """Variables of a person without any configuration of docker."""
    return {"HOME": str(tmp_path)}


def test_docker_host_names_the_engine(nothing: Mapping[str, str]) -> None:
    name, settings, source = found(discover({**nothing, "DOCKER_HOST": "tcp://build.internal:2375"}))
    assert (name, settings.host, source) == ("build.internal", "tcp://build.internal:2375", "DOCKER_HOST")
    assert settings.ca_file is None


def test_certificates_are_used_where_the_docker_client_uses_them(
    nothing: Mapping[str, str], tmp_path: Path
) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    environ = {**nothing, "DOCKER_HOST": "tcp://build.internal:2376", "DOCKER_CERT_PATH": str(tmp_path)}
    _, without, _ = found(discover(environ))
    _, settings, source = found(discover({**environ, "DOCKER_TLS_VERIFY": "1"}))
    assert without.ca_file is None
    assert settings.ca_file == str(tmp_path / "ca.pem")
    assert (settings.cert_file, settings.key_file) == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert source == "DOCKER_HOST, DOCKER_TLS_VERIFY"
    assert settings.mistakes() == ()


def test_the_context_in_use_is_the_engine_unless_docker_host_says_otherwise(
    nothing: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"currentContext": "staging"}))
    assert found(discover(nothing))[:2] == ("staging", DockerSettings(context="staging"))
    stated = found(discover({**nothing, "DOCKER_CONTEXT": "prod"}))
    assert (stated[0], stated[2]) == ("prod", "DOCKER_CONTEXT")
    both = {**nothing, "DOCKER_CONTEXT": "prod", "DOCKER_HOST": "ssh://bastion"}
    assert found(discover(both))[0] == "bastion", "as the docker client decides"


@pytest.mark.parametrize(
    ("variables", "config", "reason"),
    [
        ({"DOCKER_HOST": "hunter2"}, "{}", "expected unix:///path"),
        ({"DOCKER_HOST": "tcp://me:hunter2@host"}, "{}", "expected unix:///path"),
        ({}, "{", "is not JSON"),
    ],
)
def test_what_cannot_be_understood_is_skipped_with_the_reason(
    nothing: dict[str, str], tmp_path: Path, variables: dict[str, str], config: str, reason: str
) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(config)
    looked = discover({**nothing, **variables})
    assert looked.found == ()
    (skipped,) = looked.skipped
    assert reason in skipped.reason
    assert "hunter2" not in skipped.reason


def test_the_local_socket_is_found_where_it_may_be_opened(
    nothing: Mapping[str, str], engine: TestEngine
) -> None:
    before = len(engine.requests())
    name, settings, source = found(discover(nothing, socket=engine.socket))
    assert (name, settings.host, source) == ("local", engine.host, str(engine.socket))
    assert len(engine.requests()) == before, "nothing was asked"


def test_without_a_socket_nothing_is_found(nothing: Mapping[str, str], tmp_path: Path) -> None:
    looked = discover(nothing, socket=tmp_path / "none.sock")
    assert (looked.found, looked.skipped) == ((), ())
    assert looked.looked_for == ("DOCKER_HOST", "DOCKER_CONTEXT")


def test_the_docker_client_agrees_on_who_wins(engine: TestEngine, tmp_path: Path) -> None:
    """Its own decision between DOCKER_HOST and DOCKER_CONTEXT, which we follow."""
    environ = {**engine.environ(), "DOCKER_CONTEXT": "nobody", "DOCKER_CONFIG": str(tmp_path)}
    ended = subprocess.run(["docker", "ps"], env=environ, capture_output=True, check=False)
    assert ended.returncode == 0


def written(settings: DockerSettings) -> list[tuple[str, object]]:
    return [(entry.key, entry.value) for entry in first_table("local", settings, {}).entries]


def test_what_init_writes_is_what_was_found() -> None:
    assert written(DockerSettings(host="unix:///a")) == [("host", "unix:///a")]
    assert written(DockerSettings(context="staging")) == [("context", "staging")]
    tls = DockerSettings(host="tcp://a:2376", ca_file="ca", cert_file="cert", key_file="key")
    expected = {"host": "tcp://a:2376", "ca_file": "ca", "cert_file": "cert", "key_file": "key"}
    assert dict(written(tls)) == expected
