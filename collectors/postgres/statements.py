"""The statements of `queries/*.sql`, by name: nothing else is ever sent on a monitor connection."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "queries"


@cache
def statement(name: str) -> bytes:
    """The statement of `queries/<name>.sql`, marked so that the server's log names it; without comments."""
    text = (_FOLDER / f"{name}.sql").read_text("utf-8")
    sql = "\n".join(line for line in text.splitlines() if line and not line.startswith("--"))
    return f"/* opsdash:{name} */ {sql}".encode()
