"""`opsdash init`: the file it writes is read without a mistake, is private, and replaces nothing."""

import re
import stat
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsdash.collectors.discover import discover
from opsdash.collectors.postgres.dsn import parts
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Environment
from opsdash.tui.config import Config, load_config
from opsdash.tui.demo.servers import PostgresServer
from opsdash.tui.init import first_file
from tests.cli.run_opsdash import run_opsdash

PLACE = ".config/opsdash/opsdash.toml"


def read(path: Path, home: Path) -> Config:
    return load_config(str(path), {"HOME": str(home)})


def test_what_the_environment_names_is_written_and_read_again(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "postgresql://me:hunter2x@db.internal/orders?sslmode=require",
        "REDIS_URL": "rediss://worker:hunter2y@cache.internal:6380/1",
    }
    ended = run_opsdash("init", home=tmp_path, environ=environ)
    path = tmp_path / PLACE
    assert (ended.returncode, ended.stdout) == (0, "")
    assert f"wrote {path} (mode 0600)" in ended.stderr
    config = read(path, tmp_path)
    orders, cache = config.targets
    assert (str(orders.id), str(cache.id)) == (
        "postgres/db.internal/orders",
        "redis/cache.internal:6380/1",
    )
    assert orders.environment == cache.environment == Environment(), "for the person to state"
    assert isinstance(orders.settings, PostgresSettings)
    assert orders.settings.dsn == "postgresql://me@db.internal/orders?sslmode=require"
    assert orders.settings.password_env == "DB_INTERNAL_ORDERS_PASSWORD"
    assert isinstance(cache.settings, RedisSettings)
    assert cache.settings.url == "rediss://worker@cache.internal:6380/1"
    assert cache.settings.password_env == "CACHE_INTERNAL_6380_1_PASSWORD"


def test_no_password_is_copied_and_the_person_is_told_where_it_goes(tmp_path: Path) -> None:
    environ = {
        "DATABASE_URL": "host=db dbname=orders password='hunter2 x' sslpassword=hunter2y",
        "REDIS_URL": "redis://:hunter2z@cache",
    }
    ended = run_opsdash("init", home=tmp_path, environ=environ)
    written = (tmp_path / PLACE).read_text()
    assert "hunter2" not in written + ended.stdout + ended.stderr
    assert "to do: db/orders: the password in DATABASE_URL was not copied" in ended.stderr
    assert "DB_ORDERS_PASSWORD" in ended.stderr
    assert "CACHE_PASSWORD" in ended.stderr


def test_the_server_is_watched_once_the_password_is_where_it_was_told(
    pg18: PostgresServer, tmp_path: Path
) -> None:
    url = f"postgresql://postgres:hunter2x@127.0.0.1:{pg18.port}/postgres"
    assert run_opsdash("init", home=tmp_path, environ={"DATABASE_URL": url}).returncode == 0
    before = run_opsdash("check", home=tmp_path)
    assert before.returncode == 3
    variable = f"DB_127_0_0_1_{pg18.port}_POSTGRES_PASSWORD"
    assert f"the environment variable {variable} is not set" in before.stdout
    assert run_opsdash("check", home=tmp_path, environ={variable: "hunter2x"}).returncode == 0


def test_libpqs_variables_become_a_dsn_that_stands_alone(pg15: PostgresServer, tmp_path: Path) -> None:
    environ = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(pg15.port),
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "PGPASSWORD": "hunter2x",
    }
    run_opsdash("init", home=tmp_path, environ=environ)
    (target,) = read(tmp_path / PLACE, tmp_path).targets
    assert isinstance(target.settings, PostgresSettings)
    assert target.settings.password_env == "PGPASSWORD"
    ended = run_opsdash("check", home=tmp_path, environ={"PGPASSWORD": "hunter2x"})
    assert (ended.returncode, "hunter2x" in (tmp_path / PLACE).read_text()) == (0, False)


def test_a_file_that_exists_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / PLACE
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n")
    ended = run_opsdash("init", home=tmp_path, environ={"REDIS_URL": "redis://cache"})
    assert ended.returncode == 2
    assert "exists already, nothing was written" in ended.stderr
    assert path.read_text() == "# mine\n"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = tmp_path / "opsdash.toml"
    path.symlink_to(elsewhere)
    assert run_opsdash("init", "--config", str(path), home=tmp_path).returncode == 2
    assert not elsewhere.exists()


def test_the_file_and_its_folder_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ops.toml"
    assert run_opsdash("init", "--config", str(path), home=tmp_path).returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run_opsdash("init", "--config", str(tmp_path / "file" / "ops.toml"), home=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "cannot be made: File exists" in ended.stderr


def test_print_writes_no_file(tmp_path: Path) -> None:
    ended = run_opsdash("init", "--print", home=tmp_path, environ={"REDIS_URL": "redis://cache"})
    assert ended.returncode == 0
    assert tomllib.loads(ended.stdout)["redis"][0]["url"] == "redis://cache"
    assert not (tmp_path / PLACE).exists()


def in_use(text: str) -> str:
    """The file with every key behind # in use; of the ways to name a password, one."""
    keys = [re.fullmatch(r"(?:# )?((\[|\w+ = ).*)", line) for line in text.splitlines()]
    return "\n".join(
        key[1] for key in keys if key is not None and not key[2].startswith(("password_file", "password_c"))
    )


@pytest.mark.parametrize("environ", [{}, {"DATABASE_URL": "postgresql://me@db/x", "REDIS_URL": "rediss://c"}])
def test_every_key_that_it_suggests_is_known(environ: dict[str, str], tmp_path: Path) -> None:
    text, _ = first_file(discover(environ, Environment()), environ)
    path = tmp_path / "all.toml"
    path.write_text(in_use(text))
    path.chmod(0o600)
    config = read(path, tmp_path)
    assert [target.id.kind for target in config.targets] == ["postgres", "redis"]
    assert {target.environment.name for target in config.targets} == {"prod"}
    assert config.audit.also == "syslog"


HOSTS = st.text(string.ascii_lowercase + string.digits + ".-", min_size=1, max_size=90)
PASSWORDS = st.text(string.ascii_letters + string.digits + "!$*'()+,;=?#%25~\"\\", min_size=6, max_size=20)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/?#@:&=% "), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=HOSTS, password=PASSWORDS, database=NAMES, user=NAMES)
def test_any_address_gives_a_file_that_is_read_and_holds_no_password(
    host: str, password: str, database: str, user: str, tmp_path: Path
) -> None:
    password = f"hunter2-{password}"
    environ = {
        "DATABASE_URL": f"postgresql://{user}:{password}@{host}/{database}",
        "REDIS_URL": f"redis://:{password}@{host}",
    }
    found = discover(environ, Environment())
    text, _ = first_file(found, environ)
    path = tmp_path / "any.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    config = read(path, tmp_path)
    assert "hunter2-" not in text
    assert len(config.targets) == len(found.targets)
    for target in config.targets:
        if isinstance(target.settings, PostgresSettings):
            stated = parts(environ["DATABASE_URL"].strip())
            del stated["password"]
            assert parts(target.settings.dsn) == stated
