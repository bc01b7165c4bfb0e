"""No literal of a statement survives its masking, however it is quoted, cut or hidden."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.postgres.mask import mask

SECRET = "hunter2x"


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ("select 1", "select ?"),
        ("select * from t where a = 'x' and b=1.5e3", "select * from t where a = ? and b=?"),
        ("select $1, $2::int", "select $1, $2::int"),
        ("select t1.c2 from schema3.t1", "select t1.c2 from schema3.t1"),
        ('select "it\'s 5" from "T 1"', 'select "it\'s 5" from "T 1"'),
        ("select 'it''s'", "select ?"),
        ("select E'a\\'b' || 'c'", "select ? || ?"),
        ("select e'a\\\\', 'c'", "select ?, ?"),
        ("select date'2026-01-01'", "select date?"),
        ("select B'0101', X'1F', N'x', U&'\\0061'", "select B?, X?, N?, U&?"),
        ("do $$ begin perform 1; end $$", "do ?"),
        ("select $a$ $$ $b$ $a$ as x", "select ? as x"),
        ("select a$b$c from t", "select a$b$c from t"),
        ("select 0x1F, 1_000, .5", "select ?, ?, .?"),
        ("select 1 -- 'open", "select ?"),
        ("select /* ' */ 2 /* /* nested */ ' */ + 'x'", "select ? + ?"),
        ("alter role a password 'x' valid until 'y'", "alter role a password ? valid until ?"),
        ("create user a with encrypted password 'md5abc'", "create user a with encrypted password ?"),
        ("update t\n\tset x = 'a\nb'", "update t set x = ?"),
        ("select größe from café where x = 3", "select größe from café where x = ?"),
    ],
)
def test_shape_stays_and_values_go(sql: str, masked: str) -> None:
    assert mask(sql) == masked


@pytest.mark.parametrize(
    "cut",
    [
        f"select '{SECRET}",
        f"select E'\\'{SECRET}",
        f"select $$ {SECRET}",
        f"select $x$ $$ {SECRET}",
        f"select /* {SECRET}",
        f"select /* /* */ {SECRET}",
        f"select -- {SECRET}",
        f"select 'a\\', '{SECRET}'",  # one string or two: depends on standard_conforming_strings
        f"select 'it\\'s {SECRET}'",
        f"select '''{SECRET}",
        f"select 'a' 'b\\'' {SECRET}'",
        f"select 1$${SECRET}$$",
    ],
)
def test_text_that_was_cut_or_may_be_read_in_two_ways_is_masked_to_its_end(cut: str) -> None:
    assert SECRET not in mask(cut)


def test_control_characters_do_not_pass() -> None:
    assert mask("select a\x1b]0;x\x07 from\u202e t") == "select a␛]?;x␇ from� t"


quoted = st.sampled_from(
    [
        lambda s: "'" + s.replace("'", "''") + "'",
        lambda s: "E'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'",
        lambda s: "e'" + s.replace("\\", "\\\\").replace("'", "''") + "'",
        lambda s: f"$a1${s}$a1$",
        lambda s: f"$${s.replace('$', '')}$$",
        lambda s: f"/* {s.replace('/', '').replace('*', '')} */ 1",
        lambda s: "-- " + s.replace("\n", "").replace("\r", "") + "\n 1",
    ]
)
around = st.text(alphabet="'\"\\$abeEx1*/- \n\u00e9{}();", max_size=12).filter(lambda s: "$a1$" not in s)
plain_sql = st.sampled_from(["select ", "where a = ", "t1.c$2, ", '"q" = ', "$1 + ", "B", "(", " || "])


@given(
    st.lists(st.tuples(plain_sql, quoted, around, around), min_size=1, max_size=4),
    st.integers(min_value=0, max_value=40),
)
def test_no_quoting_lets_a_secret_through(parts: list[tuple[str, object, str, str]], cut: int) -> None:
    sql = "".join(
        f"{before} {quote(left + SECRET + right)} "  # type: ignore[operator]  # one of `quoted`
        for before, quote, left, right in parts
    )
    assert SECRET not in mask(sql)
    assert SECRET not in mask(sql[: len(sql) - cut])


@given(st.text(max_size=300))
def test_any_text_gives_one_clean_line(text: str) -> None:
    shown = mask(text)
    assert "\n" not in shown
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)


@given(st.integers(min_value=0, max_value=10**12))
def test_no_number_survives(number: int) -> None:
    assert str(number) not in mask(f"select * from t where id = {number} and x in ({number},{number})")
