"""EXPLAIN ANALYZE: a statement of the target is executed, so only what surely only reads, and within bounds.

It is a single SELECT without locking clause, without anything that modifies data, and without functions
that may do more than compute. It runs in a READ ONLY transaction, which is rolled back, with a
statement_timeout of 10 s and a lock_timeout of 500 ms. All of it stands behind the guard of an action.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from psycopg.sql import Literal

from opsdash.collectors.format import plural
from opsdash.collectors.postgres.client import Connection
from opsdash.collectors.postgres.drill import Source, drill, read_source
from opsdash.collectors.postgres.explain import (
    answer_of,
    explain_statement,
    parameters_of,
    prepare,
    read_only,
    why_not_sent,
)
from opsdash.collectors.postgres.mask import mask
from opsdash.collectors.postgres.plan import Plan, plan_of
from opsdash.collectors.postgres.rows import SessionIdentity
from opsdash.collectors.postgres.statement_rows import StatementId
from opsdash.collectors.postgres.statements import statement
from opsdash.collectors.target import Target
from opsdash.collectors.text import clean

LIMIT_S = 10
"""What the server allows the statement, see `queries/analyze_limits.sql`."""
_DEADLINE_S = LIMIT_S + 3.0

_HARMLESS = frozenset({"random", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv7", "pg_sleep"})
"""Volatile, but all they change is their own result, or the time it takes."""

_BEGINS = re.compile(r"[\s(]*(select|with|values|table)\b", re.IGNORECASE)
_CALL = re.compile(r'(?:"((?:[^"]|"")+)"|([A-Za-z_][A-Za-z0-9_$]*))\s*\(')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What would be executed, and whether it may be."""

    sql: str
    """Masked."""
    database: str | None
    plan: Plan | None
    """As it is expected; None where there is none."""
    parameters: int
    refusal: str | None
    """Why it will not be executed; None when it may be."""


class _Checked(msgspec.Struct, frozen=True):
    plan: Plan
    parameters: int
    refusal: str | None


async def examine(target: Target, identity: SessionIdentity | StatementId) -> Examined | None:
    """Read the statement anew and find out whether it may be executed. None: it is gone.

    Raises:
        TargetError: The target could not be read, or the server refuses to plan the statement.
    """
    source = await _source(target, identity)
    if source is None:
        return None
    sql = mask(clean(source.text))
    why_not = why_not_sent(source) or _not_a_select(sql)
    if why_not is not None:
        return Examined(sql=sql, database=source.database, plan=None, parameters=0, refusal=why_not)
    async with drill(target, source.database) as connection, read_only(connection, target, "plan_limits"):
        name = await prepare(connection, source.text)
        checked = await _checked(connection, name, sql)
    return Examined(
        sql=sql,
        database=source.database,
        plan=checked.plan,
        parameters=checked.parameters,
        refusal=checked.refusal,
    )


async def analyze(
    target: Target, identity: SessionIdentity | StatementId, values: Sequence[str | None]
) -> Plan | str:
    """Execute the statement once, in a transaction that is rolled back.

    It is read and examined again: the session may run another one by now.

    Returns:
        The plan with what each step took; or why it was not executed.

    Raises:
        TargetError: The server refused or broke it off, in its words.
    """
    source = await _source(target, identity)
    if source is None:
        return "the statement is gone, or the session runs another one by now"
    sql = mask(clean(source.text))
    why_not = why_not_sent(source) or _not_a_select(sql)
    if why_not is not None:
        return why_not
    async with drill(target, source.database, deadline_s=_DEADLINE_S) as connection:
        async with read_only(connection, target, "plan_limits"):
            checked = await _checked(connection, await prepare(connection, source.text), sql)
        if checked.refusal is not None:
            return checked.refusal
        if checked.parameters != len(values):
            has = plural(checked.parameters, "parameter")
            return f"it has {has}, and was given {plural(len(values), 'value')}"
        async with read_only(connection, target, "analyze_limits"):
            name = await prepare(connection, source.text)
            literals = [Literal(value).as_string(connection) for value in values]
            return plan_of(
                await answer_of(connection, explain_statement(connection, name, literals, analyze=True))
            )


async def _source(target: Target, identity: SessionIdentity | StatementId) -> Source | None:
    async with drill(target) as connection:
        return await read_source(connection, target, identity)


async def _checked(connection: Connection, name: str, sql: str) -> _Checked:
    """What the server itself makes of a statement: its plan says whether it modifies or locks."""
    parameters = await parameters_of(connection, name)
    answer = await answer_of(connection, explain_statement(connection, name, ["null"] * parameters))
    plan = plan_of(answer)
    refusal = not_only_reading(plan)
    if refusal is None:
        called = sorted(functions_in(sql) | functions_in(*_texts(answer)))
        found = await (await connection.execute(statement("volatile_functions"), (called,))).fetchall()
        names = [clean(name.decode("utf-8", "replace")) for (name,) in found]
        doubtful = [name for name in names if name not in _HARMLESS]
        if doubtful:
            refusal = f"it calls {', '.join(doubtful)}: volatile, so it may do what no rollback takes back"
    return _Checked(plan, parameters, refusal)


def _not_a_select(sql: str) -> str | None:
    """Why a text is not a single SELECT; its plan is looked at besides.

    >>> _not_a_select("select ? from t"), _not_a_select("update t set a = ?")
    (None, 'only a SELECT is executed, and this is none')
    >>> _not_a_select("select * into copy from t"), _not_a_select('select "into" from t')
    ('it is SELECT INTO, which creates a table', None)
    """
    if not _BEGINS.match(sql):
        return "only a SELECT is executed, and this is none"
    if re.search(r"\binto\b", _QUOTED.sub('""', sql), re.IGNORECASE):
        return "it is SELECT INTO, which creates a table"
    return None


def not_only_reading(plan: Plan) -> str | None:
    """What the plan of a statement does besides reading; None when nothing."""
    for node in plan.nodes():
        if node.kind == "ModifyTable":
            return f"it modifies data ({node.label}): only a SELECT is executed"
        if node.kind == "LockRows":
            return "it locks rows (FOR UPDATE or FOR SHARE), which would make others wait"
    return None


def functions_in(*texts: str) -> frozenset[str]:
    """Names before an opening parenthesis, as the server keeps them.

    >>> sorted(functions_in('select Lower(a), "My Func"(b), count (*) from t where a in (?)'))
    ['My Func', 'count', 'in', 'lower']
    """
    found = (match for text in texts for match in _CALL.finditer(text))
    return frozenset(m[1].replace('""', '"') if m[1] is not None else m[2].lower() for m in found)


def _texts(raw: Any) -> Iterator[str]:
    """All texts in an answer: calls in views and inlined functions are in there too."""
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, Mapping):
        for value in raw.values():
            yield from _texts(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from _texts(value)


def values_in(typed: str) -> tuple[str | None, ...] | str:
    """The values that a person typed, as a JSON list; a text says why it is none.

    >>> values_in('["A-17", 2, null, true]'), values_in(" ")
    (('A-17', '2', None, 'true'), ())
    >>> values_in("A-17")
    'expected a JSON list of values, as in ["A-17", 2, null]'
    """
    if not typed.strip():
        return ()
    try:
        values = msgspec.json.decode(typed, type=list[str | bool | int | float | None])
    except msgspec.DecodeError:
        return 'expected a JSON list of values, as in ["A-17", 2, null]'
    return tuple(str(v).lower() if isinstance(v, bool) else None if v is None else str(v) for v in values)
