"""opsdash.toml: what it may say, and how each mistake is told."""

import os
from pathlib import Path

import pytest

from opsdash.collectors.errors import ConfigError
from opsdash.collectors.postgres.settings import PostgresSettings
from opsdash.collectors.target import Environment
from opsdash.tui.config import Config, load_config
from tests.cli.run_opsdash import write_config


def load(folder: Path, text: str, mode: int = 0o600) -> Config:
    return load_config(str(write_config(folder, text, mode)), {"HOME": str(folder)})


def mistakes(folder: Path, text: str, mode: int = 0o600) -> list[str]:
    """The mistakes of `text`, without the file's name, which each must begin with."""
    path = write_config(folder, text, mode)
    with pytest.raises(ConfigError) as caught:
        load_config(str(path), {"HOME": str(folder)})
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines), lines
    return [line.removeprefix(f"{path}: ") for line in lines]


EVERYTHING = """
[environment]
name = "staging"
production = false
actions = "type"

[audit]
path = "~/audit.jsonl"
also = "syslog"

[[postgres]]
name = "orders"
dsn = "postgresql://opsdash@db.internal/orders"
password_env = "ORDERS_DB_PASSWORD"
act_dsn = "postgresql://opsdash_act@db.internal/orders"
act_password_command = ["pass", "orders"]
interval = 5
environment = "prod"
actions = "confirm"

[postgres.thresholds]
query_s = 10

[[postgres]]
name = "ledger"
dsn = "host=ledger.internal dbname=ledger"
"""


def test_every_documented_key_arrives_as_a_typed_value(tmp_path: Path) -> None:
    config = load(tmp_path, EVERYTHING)
    orders, ledger = config.targets
    assert str(orders.id) == "postgres/orders"
    assert orders.environment == Environment(name="prod", production=True, actions="confirm")
    assert orders.interval_s == 5.0
    assert orders.source == f"{tmp_path}/opsdash.toml: postgres[0]"
    assert isinstance(orders.settings, PostgresSettings)
    assert orders.settings.act_password_command == ("pass", "orders")
    assert orders.settings.thresholds.query_s == 10
    assert ledger.environment == Environment(name="staging", production=False, actions="type")
    assert config.audit.also == "syslog"
    assert config.audit.path.name == "audit.jsonl"
    assert config.audit.path.is_absolute()


WRONG = {
    "wrong type": ('name = "a"\ndsn = 3', "postgres[0].dsn: expected text, got 3"),
    "wrong type in a list": (
        'name = "a"\npassword_command = ["pass", 1]',
        "postgres[0].password_command[1]: expected text, got a whole number",
    ),
    "wrong type in a nested table": (
        'name = "a"\n[postgres.thresholds]\nquery_s = "long"',
        "postgres[0].thresholds.query_s: expected a number, got text",
    ),
    "percent where a ratio is meant": (
        'name = "a"\n[postgres.thresholds]\nconnections_warn_ratio = 80',
        "postgres[0].thresholds.connections_warn_ratio: expected a number <= 1.0, got 80",
    ),
    "not a number": (
        'name = "a"\n[postgres.thresholds]\nwait_warn_s = nan',
        "postgres[0].thresholds.wait_warn_s: expected a number >= 0.0, got nan",
    ),
    "unknown key": ('name = "a"\npasword_env = "X"', 'unknown key; did you mean "password_env"?'),
    "unknown key, like a common one": ('name = "a"\nintervall = 1', 'unknown key; did you mean "interval"?'),
    "missing name": ('dsn = ""', "postgres[0].name: missing: expected text"),
    "too often": ('name = "a"\ninterval = 0.01', "postgres[0].interval: expected a number >= 0.5, got 0.01"),
    "unknown guard": (
        'name = "a"\nactions = "never"',
        'postgres[0].actions: expected "deny" or "confirm" or "type", got "never"',
    ),
    "unreadable dsn": ('name = "a"\ndsn = "orders"', "postgres[0].dsn: expected postgresql://"),
    "two passwords": (
        'name = "a"\npassword_env = "A"\npassword_file = "B"',
        "only one of password_env, password_file can be used",
    ),
    "name that nobody can type": (r'name = "a\u001b[2J"', "postgres[0].name: expected 1 to 60 printable"),
    "empty name": ('name = ""', "postgres[0].name: expected 1 to 60 printable"),
    "name with a blank at its end": ('name = "a "', "no blank at either end"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_with_its_key_and_what_was_expected(case: str, tmp_path: Path) -> None:
    text, expected = WRONG[case]
    (said,) = mistakes(tmp_path, f"[[postgres]]\n{text}\n")
    assert expected in said


WRONG_AROUND = {
    "kind that is not built": (
        '[[mainframe]]\nname = "a"',
        "mainframe: kind mainframe is not supported by this version",
    ),
    "kind misspelt": ("[[postgresql]]", 'did you mean "postgres"?'),
    "unknown table": ("[enviroment]", 'enviroment: unknown table; did you mean "environment"?'),
    "one table instead of a list": (
        '[postgres]\nname = "a"',
        "postgres: expected [[postgres]], once per target",
    ),
    "list of numbers": ("postgres = [1]", "postgres[0]: expected a table, got 1"),
    "syslog misspelt": ('[audit]\nalso = "sysklog"', 'audit.also: expected "syslog", got "sysklog"'),
    "relative audit log": ('[audit]\npath = "audit.jsonl"', "audit.path: expected an absolute path"),
    "duplicate": (
        '[[postgres]]\nname = "a"\n[[postgres]]\nname = "a"',
        'postgres[1].name: "a" names another postgres target already',
    ),
    "not TOML": ("[[postgres]]\nname = \n", "not TOML: Invalid value (at line 2, column 8)"),
}


@pytest.mark.parametrize("case", WRONG_AROUND)
def test_a_mistake_outside_a_table_is_told(case: str, tmp_path: Path) -> None:
    text, expected = WRONG_AROUND[case]
    (said,) = mistakes(tmp_path, text)
    assert expected in said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = '[environment]\nproduction = "yes"\n[[postgres]]\ndsn = 3\n[[postgres]]\nname = 4\n[[mainframe]]\n'
    assert [line.split(":")[0] for line in mistakes(tmp_path, text)] == [
        "environment.production",
        "postgres[0].name",
        "postgres[0].dsn",
        "postgres[1].name",
        "mainframe",
    ]


@pytest.mark.parametrize("dsn", ["postgresql://me:hunter2@db/x", "host=db password=hunter2", "//hunter2"])
def test_a_mistake_never_repeats_a_secret(dsn: str, tmp_path: Path) -> None:
    said = mistakes(tmp_path, f'[[postgres]]\nname = "a"\ndsn = "{dsn}"\nact_dsn = 1\n', mode=0o644)
    said += mistakes(tmp_path, f'[[postgres]]\nname = "a"\ndsn = "{dsn}"\n', mode=0o644)
    assert "hunter2" not in "".join(said)


def test_a_password_needs_a_file_that_is_private(tmp_path: Path) -> None:
    text = '[[postgres]]\nname = "a"\ndsn = "postgresql://me:hunter2@db/x"\n'
    (said,) = mistakes(tmp_path, text, mode=0o640)
    assert "postgres[0].dsn: holds a password" in said
    assert "mode 0640" in said
    assert "chmod 600" in said
    assert "password_env" in said
    assert load(tmp_path, text, mode=0o600).targets


def test_a_command_needs_a_file_that_only_its_owner_writes(tmp_path: Path) -> None:
    text = '[[postgres]]\nname = "a"\npassword_command = ["pass", "a"]\n'
    (said,) = mistakes(tmp_path, text, mode=0o664)
    assert "postgres[0].password_command: names a command" in said
    assert load(tmp_path, text, mode=0o644).targets


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_command_of_somebody_else_is_not_run(tmp_path: Path) -> None:
    path = write_config(tmp_path, '[[postgres]]\nname = "a"\npassword_command = ["pass"]\n')
    os.chown(path, 65534, 65534)
    with pytest.raises(ConfigError, match="names a command"):
        load_config(str(path), {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("around", "own", "expected"),
    [
        ("", "", Environment()),
        ("", "production = false", Environment(name="not production", production=False)),
        ("", 'environment = "staging"', Environment(name="staging", production=False)),
        ('name = "prod-eu"', "", Environment(name="prod-eu", production=True)),
        ('name = "staging"', "production = true", Environment(name="production", production=True)),
        ('name = "staging"', "production = false", Environment(name="staging", production=False)),
        ('name = "staging"', 'environment = "prod"', Environment(name="prod", production=True)),
        (
            'name = "prod"\nactions = "deny"',
            'environment = "test"',
            Environment(name="test", production=False, actions="deny"),
        ),
    ],
)
def test_a_target_has_its_own_environment_or_the_one_around_it(
    around: str, own: str, expected: Environment, tmp_path: Path
) -> None:
    config = load(tmp_path, f'[environment]\n{around}\n[[postgres]]\nname = "a"\n{own}\n')
    assert config.targets[0].environment == expected


def test_the_users_config_folder_is_read(tmp_path: Path) -> None:
    for variables, folder in (
        ({}, tmp_path / ".config/opsdash"),
        ({"XDG_CONFIG_HOME": f"{tmp_path}/xdg"}, tmp_path / "xdg/opsdash"),
    ):
        folder.mkdir(parents=True)
        write_config(folder, f'[[postgres]]\nname = "{folder.parent.name}"\n')
        config = load_config(None, {"HOME": str(tmp_path), **variables})
        assert [target.name for target in config.targets] == [folder.parent.name]


def test_the_working_directory_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path, '[[postgres]]\nname = "planted"\n')
    (tmp_path / "opsdash").mkdir()
    write_config(tmp_path / "opsdash", '[[postgres]]\nname = "planted"\n')
    monkeypatch.chdir(tmp_path)
    for planted in ("", ".", "./"):
        variables = {"HOME": "/nonexistent", "XDG_CONFIG_HOME": planted, "OPSDASH_CONFIG": ""}
        assert load_config(None, variables).targets == ()
    with pytest.raises(ConfigError, match="OPSDASH_CONFIG: expected an absolute path"):
        load_config(None, {"HOME": "/nonexistent", "OPSDASH_CONFIG": "opsdash.toml"})


def test_the_option_wins_over_the_variable_and_that_over_the_folder(tmp_path: Path) -> None:
    paths = []
    for name in ("option", "variable", ".config/opsdash"):
        (tmp_path / name).mkdir(parents=True)
        paths.append(write_config(tmp_path / name, f'[[postgres]]\nname = "{name}"\n'))
    variables = {"HOME": str(tmp_path), "OPSDASH_CONFIG": str(paths[1])}
    assert load_config(str(paths[0]), variables).targets[0].name == "option"
    assert load_config(None, variables).targets[0].name == "variable"


@pytest.mark.parametrize("named_by", ["option", "variable"])
def test_a_named_file_that_is_not_there_is_a_mistake(named_by: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing.toml")
    variables = {"HOME": str(tmp_path), "DATABASE_URL": "postgresql://db/x"}
    option = missing if named_by == "option" else None
    if named_by == "variable":
        variables["OPSDASH_CONFIG"] = missing
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read: No such file"):
        load_config(option, variables)


def test_a_file_that_is_not_text_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "opsdash.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="not TOML: byte 8 is not UTF-8"):
        load_config(str(path), {})


def test_a_file_without_targets_says_where_discovered_ones_belong(tmp_path: Path) -> None:
    path = write_config(tmp_path, '[environment]\nname = "staging"\n')
    config = load_config(str(path), {"HOME": str(tmp_path), "DATABASE_URL": "postgresql://db/x"})
    assert config.targets[0].name == "db/x"
    assert config.targets[0].environment.label == "staging"


def test_targets_of_the_file_are_not_mixed_with_discovered_ones(tmp_path: Path) -> None:
    path = write_config(tmp_path, '[[postgres]]\nname = "a"\n')
    config = load_config(str(path), {"HOME": str(tmp_path), "DATABASE_URL": "postgresql://db/x"})
    assert [target.name for target in config.targets] == ["a"]


def test_the_audit_log_lies_in_the_state_folder(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert load_config(None, home).audit.path == tmp_path / ".local/state/opsdash/audit.jsonl"
    state = load_config(None, {**home, "XDG_STATE_HOME": "/var/state"})
    assert state.audit.path == Path("/var/state/opsdash/audit.jsonl")
