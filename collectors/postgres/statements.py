"""The statements of `queries/*.sql`, by name: nothing else is ever sent on a monitor connection."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> bytes:
    """The statement of `queries/<name>.sql`, marked so that the server's log names it; without comments."""
    text = resources.files(__package__).joinpath("queries", f"{name}.sql").read_text("utf-8")
    sql = "\n".join(line for line in text.splitlines() if line and not line.startswith("--"))
    return f"/* opsdash:{name} */ {sql}".encode()
