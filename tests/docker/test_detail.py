"""What a person asks of one container, from a real engine."""

import pytest

from opsdash.collectors.docker.command_lines import masked_command, masked_line, masked_value
from opsdash.collectors.docker.detail import read_detail, read_processes, reveal_env
from opsdash.collectors.errors import ConnectionRefused
from opsdash.collectors.target import Target
from tests.support.engine import FOREVER, TestEngine, docker_target

SECRET = "hunter2hunter2"


@pytest.fixture
def shop(engine: TestEngine) -> str:
    """A container with secrets in every place where people leave them."""
    return engine.run(
        "shop",
        ("sh", "-c", f"export TOKEN={SECRET}; sleep 1000", "--db-password", SECRET),
        labels={"tier": "gold", "deploy.api-key": SECRET, "dsn": f"postgresql://shop:{SECRET}@db/orders"},
        health=f"test --password {SECRET}",
        options=(
            *(
                "--env",
                f"DB_PASSWORD={SECRET}",
                "--env",
                "MODE=fast",
                "--env",
                f"DSN=redis://:{SECRET}@cache",
            ),
            *("--volume", "/etc/hostname:/etc/there:ro", "--workdir", "/tmp", "--user", "0:0"),
            *("--cap-add", "NET_ADMIN", "--read-only", "--pids-limit", "50", "--stop-signal", "SIGINT"),
        ),
    )


@pytest.fixture
def target(engine: TestEngine) -> Target:
    return docker_target(engine.host)


async def test_what_it_was_started_with_is_told(shop: str, target: Target) -> None:
    found = await read_detail(target, shop)
    assert found is not None
    assert found.id == shop
    assert found.command.startswith("sh -c ")
    assert (found.working_dir, found.user, found.network_mode) == ("/tmp", "0:0", "none")
    assert {"DB_PASSWORD", "MODE", "DSN"} <= set(found.env)
    assert dict(found.labels)["tier"] == "gold"
    (mount,) = found.mounts
    assert (mount.kind, mount.source, mount.destination) == ("bind", "/etc/hostname", "/etc/there")
    assert not mount.is_writable
    assert [network.name for network in found.networks] == ["none"]
    assert (found.health_interval_s, found.health_retries) == (0.2, 2)
    assert (found.stop_signal, found.stop_timeout_s, found.pids_limit) == ("SIGINT", 2.0, 50)
    assert found.is_read_only
    assert not found.is_privileged
    assert [each.removeprefix("CAP_") for each in found.added_capabilities] == ["NET_ADMIN"]


async def test_no_secret_is_within_it(shop: str, target: Target) -> None:
    assert SECRET not in repr(await read_detail(target, shop))
    assert SECRET not in repr(await read_processes(target, shop))


async def test_one_value_is_read_when_it_is_asked_for(shop: str, target: Target, engine: TestEngine) -> None:
    asked = len(engine.requests())
    assert await reveal_env(target, shop, "DB_PASSWORD") == SECRET
    assert f"/containers/{shop}/json" in engine.requests()[-1][1]
    assert len(engine.requests()) > asked
    assert await reveal_env(target, shop, "NO_SUCH") is None
    assert await reveal_env(target, shop, "DB_PASS") is None


async def test_a_value_cannot_act_on_the_terminal(engine: TestEngine, target: Target) -> None:
    id = engine.run("hostile", options=("--env", "X=\x1b[2Jboo", "--label", "l=\x1b]0;t\x07"))
    assert await reveal_env(target, id, "X") == "␛[2Jboo"
    assert "\x1b" not in str(await read_detail(target, id))


async def test_processes_are_those_of_the_container(engine: TestEngine, target: Target) -> None:
    id = engine.run("running", FOREVER)
    found = await read_processes(target, id)
    assert found is not None
    assert found.titles[0] == "PID"
    assert all(len(row) == len(found.titles) for row in found.rows)
    assert any(row[-1] == "sleep 100000" for row in found.rows)


async def test_a_container_that_does_not_run_has_no_processes(engine: TestEngine, target: Target) -> None:
    id = engine.run("ended", ("true",))
    engine.docker("wait", "ended")
    assert await read_processes(target, id) is None


async def test_a_container_that_is_gone_is_not_there(engine: TestEngine, target: Target) -> None:
    for read in (read_detail, read_processes):
        assert await read(target, "0" * 64) is None
    assert await reveal_env(target, "0" * 64, "PATH") is None


async def test_an_engine_that_cannot_be_asked_is_told() -> None:
    with pytest.raises(ConnectionRefused):
        await read_detail(docker_target("unix:///nowhere/docker.sock"), "0" * 64)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["app", "--token", SECRET, "-v"], "app --token *** -v"),
        (["app", f"--token={SECRET}"], "app --token=***"),
        (["env", f"API_KEY={SECRET}", "app"], "env API_KEY=*** app"),
        (["sh", "-c", f"mysql --password={SECRET} -e 'select 1'"], None),
        (["app", "--password", "--verbose"], "app --password --verbose"),
        (["app", "a b", "key=1 2"], "app 'a b' key='1 2'"),
    ],
)
def test_a_command_is_shown_without_what_looks_secret(words: list[str], shown: str | None) -> None:
    masked = masked_command(words)
    assert SECRET not in masked
    assert SECRET not in masked_line(" ".join(words))
    if shown is not None:
        assert masked == shown


def test_a_label_is_masked_by_its_name_or_by_its_value() -> None:
    assert masked_value("db.password", "x") == "***"
    assert masked_value("traefik.url", f"https://ops:{SECRET}@host") == "https://ops:***@host"
