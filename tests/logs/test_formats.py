"""What lines of real programs say."""

import contextlib
import io
import logging
import subprocess
import sys
import time
from datetime import UTC

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.lines.formats import Format, recognise
from opsdash.collectors.lines.parse import MAX_BYTES, read_line
from opsdash.collectors.lines.record import Level, Record
from opsdash.collectors.text import clean
from tests.logs.known_lines import LINES, NEAR
from tests.support.redis_servers import RedisServer
from tests.support.servers import PostgresServer
from tests.support.waiting import wait_until


def read(line: str, format: Format | None = None) -> Record:
    return read_line(line.encode(), format, near=NEAR, zone=UTC)


@pytest.mark.parametrize(("format", "line", "at", "level", "message"), LINES)
def test_time_level_and_message_are_read(
    format: Format, line: str, at: float | None, level: Level | None, message: str
) -> None:
    for known in (None, format):
        record = read(line, known)
        assert record.format == format.value
        assert (record.level, record.message) == (level, message)
        assert record.at == (None if at is None else pytest.approx(at, abs=1e-6))


@pytest.mark.parametrize(
    ("format", "line"), [(format, line) for format, line, *_ in LINES if "DETAIL" not in line]
)
def test_a_source_of_such_lines_is_recognised(format: Format, line: str) -> None:
    banner = [b"starting", b"", b"    ____ shop"]
    assert recognise([*banner, *[line.encode()] * 4]) is format or line.startswith(
        "2026-11-22 03:12:40.204 UTC [7]"
    )


def test_fields_have_names() -> None:
    record = read('{"level":30,"msg":"x","req":{"id":"7f3a91","tags":["a",1]},"ok":true,"n":null}')
    assert record.fields == {"req.id": "7f3a91", "req.tags": '["a",1]', "ok": "true", "n": "null"}
    answer = read('10.0.0.9 - bob [22/Nov/2026:03:12:40 +0000] "GET / HTTP/1.1" 500 612 "-" "curl/8"')
    assert answer.fields == {
        "client": "10.0.0.9", "user": "bob", "status": "500", "bytes": "612", "agent": "curl/8",
    }  # fmt: skip
    assert read("Nov 22 03:12:40 web-1 sshd[812]: x").fields == {
        "host": "web-1", "program": "sshd", "pid": "812",
    }  # fmt: skip


def test_a_short_name_is_a_level_only_where_it_holds_a_letter() -> None:
    for value in ("2", '"error"', '"running"', "null"):
        assert read(f'{{"msg":"took long","s":{value}}}').level is None


def test_a_line_of_another_format_in_a_source_is_read_as_plain_text() -> None:
    record = read("2026-11-22T03:12:40Z ERROR from the shell", Format.JSON)
    assert (record.format, record.level, record.message) == ("plain", Level.ERROR, "from the shell")
    cut = read('{"level":50,"msg":"cut he', Format.JSON)
    assert (cut.format, cut.message) == ("plain", '{"level":50,"msg":"cut he')


def test_a_source_of_many_formats_is_plain() -> None:
    mixed = [b"Killed", b'{"msg":"x"}', b"ERROR:shop:no lock", b"level=info msg=x", b"hello there"]
    assert recognise(mixed) is Format.PLAIN
    assert recognise([]) is Format.PLAIN


def test_control_characters_of_json_escapes_never_come_out() -> None:
    record = read('{"msg":"a\\u001b]52;c;aGk=\\u0007b\\nc","\\u001b[2J":"\\u202ex","level":"error"}')
    assert record.message == "a␛]52;c;aGk=␇b ⏎ c"
    assert record.fields == {"␛[2J": "�x"}


def test_an_overlong_line_is_cut_and_says_so() -> None:
    record = read_line(b"x" * (MAX_BYTES + 5))
    assert len(record.message) == MAX_BYTES + 1
    assert record.message.endswith("…")


@given(st.binary(max_size=400), st.sampled_from([None, *Format]))
def test_any_bytes_give_a_clean_record_of_one_line(raw: bytes, format: Format | None) -> None:
    record = read_line(raw.replace(b"\n", b" "), format, near=NEAR)
    assert record.message == clean(record.message)
    assert "\n" not in record.message
    assert "\t" not in record.message
    assert all(text == clean(text) for pair in record.fields.items() for text in pair)


_MOMENTS = (
    "2026-11-22 03:12:40,204", "2026-02-31T25:61:00Z", "Nov 22 03:12:40", "Feb 29 00:00:00", "99:99:99",
    "9999-12-31 23:59:59", "0001-01-01 00:00:00", "22 Nov 2026", "+99:99", "9" * 19, "E1122 03:12:40.204000",
)  # fmt: skip
_MARKS = (
    "[", "]", "<999>", "<13>1", " ", "  ", "ERROR", "[error]", "INFO:", "level=", "=", ":", "-", "|",
    "4312:M", '"', "\\", "{", "}", '":', "'", "é", "password=", "://", "@", "\x1b[31m", "a" * 80,
)  # fmt: skip


@given(
    st.lists(st.sampled_from(_MOMENTS + _MARKS), max_size=30).map("".join), st.sampled_from([None, *Format])
)
def test_lines_that_are_nearly_of_a_format_do_no_harm(line: str, format: Format | None) -> None:
    record = read_line(line.encode(), format, near=NEAR)
    assert record.message == clean(record.message)
    assert recognise([line.encode()] * 3) in Format


def test_no_line_takes_long_however_it_is_made() -> None:
    pieces = (
        "a=",
        '"',
        "[",
        '\\"',
        "a.b.",
        "x@",
        " - ",
        "://a:",
        "password=",
        "ERROR ",
        "\\",
        "token",
        "eyJ-",
    )
    for piece in pieces:
        line = (piece * MAX_BYTES)[:MAX_BYTES].encode()
        for start in (b"", b"2026-11-22 03:12:40 ", b"<11>1 2026-11-22T03:12:40Z a b c d [", b"password "):
            began = time.process_time()
            read_line(start + line, near=NEAR)
            assert time.process_time() - began < 1.0, (start, piece)


# Lines as the programs themselves write them


def test_postgresqls_own_log_is_recognised(any_pg: PostgresServer) -> None:
    with psycopg.connect(any_pg.dsn(), autocommit=True) as session, contextlib.suppress(psycopg.Error):
        session.execute("select 1/0 as of_test_formats")
    path = any_pg.log_path
    wait_until(lambda: b"of_test_formats" in path.read_bytes(), 30, "the server writes its log")
    lines = path.read_bytes().splitlines()
    assert recognise(lines) is Format.POSTGRES
    records = [read_line(raw, Format.POSTGRES, near=time.time()) for raw in lines]
    error = next(r for r in records if r.level is Level.ERROR and r.message == "division by zero")
    assert error.at is not None
    assert abs(error.at - time.time()) < 120
    assert any(r.level is None and r.message.startswith("STATEMENT: select 1/0") for r in records)


def test_the_log_of_redis_and_valkey_is_recognised(any_redis: RedisServer) -> None:
    lines = any_redis.log_path.read_bytes().splitlines()
    assert recognise(lines) is Format.REDIS
    ready = next(r for r in (read_line(raw, Format.REDIS) for raw in lines) if "Ready to accept" in r.message)
    assert ready.level is Level.INFO
    assert ready.at is not None
    assert abs(ready.at - time.time()) < 600


def test_pythons_own_logging_is_recognised_with_its_traceback() -> None:
    program = (
        "import logging\n"
        "logging.basicConfig(format='%(asctime)s %(levelname)s %(name)s: %(message)s', level=20)\n"
        "log = logging.getLogger('shop.pool')\n"
        "log.info('up'); log.info('still up'); log.info('fine')\n"
        "try: [][1]\n"
        "except IndexError: log.exception('no item')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    lines = done.stderr.splitlines()
    assert recognise(lines) is Format.PYTHON
    record = read_line(lines[3], Format.PYTHON)
    assert (record.level, record.message, record.fields["logger"]) == (Level.ERROR, "no item", "shop.pool")


def test_levels_of_pythons_logging_all_have_one() -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    log = logging.Logger("shop")
    log.addHandler(handler)
    for number in (10, 20, 30, 40, 50):
        log.log(number, "x")
    levels = [read_line(raw).level for raw in said.getvalue().encode().splitlines()]
    assert levels == [Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.FATAL]
