"""The action registry: everything that can be said of actions costs no client library."""

import subprocess
import sys
from pathlib import Path

import pytest

from opsdash.collectors.clock import Clock
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.tui.actions import registry
from opsdash.tui.screens.menus import lettered

ROOT = Path(__file__).parents[2]


def test_actions_can_be_told_without_their_client_libraries() -> None:
    script = (
        "import sys; from opsdash.tui.actions import registry; assert registry.specs()\n"
        "print([name for name in ('psycopg', 'redis', 'httpx', 'textual', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", sorted({spec.kind for spec in registry.specs()}))
def test_every_action_that_is_told_can_be_done(kind: str) -> None:
    kit = registry.make_kit(kind, Clock())
    assert kit is not None
    assert [action.spec for action in kit.actions.values()] == list(registry.specs(kind))
    assert list(kit.actions) == [spec.name for spec in registry.specs(kind)]


def test_names_and_menu_letters_are_unique() -> None:
    names = [spec.name for spec in registry.specs()]
    assert len(set(names)) == len(names)
    for kind in {spec.kind for spec in registry.specs()}:
        entries = lettered(registry.specs(kind))
        assert len({letter for letter, _ in entries}) == len(registry.specs(kind))


def test_a_row_offers_what_can_hit_it() -> None:
    names = [spec.name for spec in registry.specs_on("postgres", SessionIdentity(4312, None))]
    assert {"postgres.cancel", "postgres.terminate"} <= set(names)
    assert registry.spec("postgres.terminate").on is SessionIdentity
    with pytest.raises(KeyError):
        registry.spec("postgres.drop_everything")
