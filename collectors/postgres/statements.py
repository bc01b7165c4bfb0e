"""The statements of `queries/*.sql`, by name: nothing else is ever sent on a monitor connection."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "queries"


@cache
def statement(name: str, schema: str = "") -> bytes:
    """The statement of `queries/<name>.sql`, marked so that the server's log names it; without comments.

    Args:
        name: The file's.
        schema: Stands for `{schema}`, where an extension is installed; quoted by the server itself.
    """
    text = (_FOLDER / f"{name}.sql").read_text("utf-8")
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--"))
    sql = "\n".join(lines)
    # where parameters are passed, psycopg reads a percent sign as the beginning of one
    sql = sql.replace("{schema}", schema.replace("%", "%%") if "%s" in sql else schema)
    return f"/* opsdash:{name} */ {sql}".encode()
