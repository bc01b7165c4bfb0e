"""The pages in `docs/` say what the code says."""

import msgspec
import pytest

from opsdash.collectors.registry import KINDS, load
from opsdash.tui.config import _AuditTable
from opsdash.tui.config_targets import EnvironmentTable, _Common
from opsdash.tui.screen_settings import ScreenTable
from tests.documents import FOLDER, PAGES, inner_tables, told

TABLES = (
    EnvironmentTable,
    _AuditTable,
    _Common,
    ScreenTable,
    *(load(kind.settings) for kind in KINDS.values()),
)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_make_documents_makes(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "run `make documents` and commit"


@pytest.mark.parametrize("table", [*TABLES, *(inner for table in TABLES for _, inner in inner_tables(table))])
def test_every_key_of_the_configuration_is_explained(table: type[msgspec.Struct]) -> None:
    fields = [field.name for field in msgspec.structs.fields(table) if field.name != "thresholds"]
    assert [name for name in fields if name not in told(table)] == []
