"""Fixtures of the tests of actions."""

from pathlib import Path

import pytest

from tests.actions.lamps import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
