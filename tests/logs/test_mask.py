"""Secrets in lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsdash.collectors.lines.mask import is_secret_name, mask
from opsdash.collectors.lines.parse import read_line
from opsdash.collectors.lines.record import Format
from opsdash.collectors.secret import Secret

HIDDEN = "s3cr3t-Va1ue.x"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    "line",
    [
        f"login user=bob password={HIDDEN} ok",
        f"PASSWORD: {HIDDEN}",
        f"DB_PASSWORD='{HIDDEN}' set",
        f'connecting with {{"db_password": "{HIDDEN}", "user": "bob"}}',
        f'{{\\"password\\":\\"{HIDDEN}\\"}}',
        f"api_key={HIDDEN}&page=2",
        f"x-api-key: {HIDDEN}",
        f"client_secret => {HIDDEN}",
        f"aws_secret_access_key = {HIDDEN}",
        f"GET /?access_token={HIDDEN}&x=1 HTTP/1.1",
        f"Authorization: Bearer {HIDDEN}",
        f"authorization: Basic {HIDDEN}",
        f"'Authorization': '{HIDDEN}'",
        f"sent Bearer {HIDDEN}{HIDDEN} to it",
        f"Set-Cookie: sid={HIDDEN}; Path=/",
        f"Cookie: a=1; sid={HIDDEN}",
        f"postgresql://shop:{HIDDEN}@db.internal/orders refused",
        f"redis://:{HIDDEN}@cache:6379/0",
        f"amqp://u:p@{HIDDEN}@mq",
        f"run --password {HIDDEN} --host x",
        f"run --token={HIDDEN}",
        f"create role shop password '{HIDDEN}'",
        f"ALTER USER shop IDENTIFIED BY '{HIDDEN}'",
        f"AUTH {HIDDEN}",
        f"requirepass {HIDDEN}",
        f"session_id={HIDDEN}",
        f"-----BEGIN RSA PRIVATE KEY-----{HIDDEN}",
    ],
)
def test_what_is_named_a_secret_is_hidden(line: str) -> None:
    masked = mask(line)
    assert HIDDEN not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("used AKIAIOSFODNN7EXAMPLE", "used AKIA***"),
        (f"got {JWT} from it", "got eyJ*** from it"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_***"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "sk_live_***"),
    ],
)
def test_what_has_the_form_of_a_key_is_hidden_wherever_it_stands(line: str, left: str) -> None:
    assert mask(line) == left


@pytest.mark.parametrize(
    "line",
    [
        'FATAL:  password authentication failed for user "shop"',
        "token_count=812 max_tokens: 4096",
        "GET /keys?page=2 HTTP/1.1",
        "primary key violated: stock_pkey",
        "see https://docs.example/auth#keys and mail ops@example.org",
        "author=bob authority=eu",
        "AUTH failed for client 7",
        "cookies accepted",
        "basic checks passed",
        "sessions: 14",
    ],
)
def test_other_words_stay(line: str) -> None:
    assert mask(line) == line


def test_a_secret_that_opsdash_was_given_is_hidden_in_any_form() -> None:
    held = Secret("hunter-of-words")
    assert mask("it was hunter-of-words, then") == "it was ***, then"
    assert held.reveal() == "hunter-of-words"


@pytest.mark.parametrize(
    "line",
    [
        f'{{"msg":"login","user":"bob","password":"{HIDDEN}","req":{{"authorization":"Basic {HIDDEN}"}}}}',
        f'{{"msg":"login with password={HIDDEN}"}}',
        f'{{"msg":"x","args":["--token={HIDDEN}"]}}',
        f'{{"msg":"x","a":{{"b":{{"secret":"{HIDDEN}"}}}}}}',
        f"level=info msg=login password={HIDDEN} user=bob",
        f'level=info msg="login" password="{HIDDEN}"',
        f"2026-11-22 03:12:40,204 INFO shop.login: password={HIDDEN}",
        f'10.0.0.9 - - [22/Nov/2026:03:12:40 +0000] "GET /?token={HIDDEN} HTTP/1.1" 200 612 "-" "x"',
        f"2026-11-22 03:12:40.204 UTC [7] LOG:  statement: alter role shop password '{HIDDEN}'",
    ],
)
def test_a_record_shows_it_neither_in_its_message_nor_in_its_fields(line: str) -> None:
    for format in (None, *Format):
        record = read_line(line.encode(), format)
        assert HIDDEN not in record.message
        assert HIDDEN not in "".join(record.fields.values())


def test_names_of_secrets_are_told_apart() -> None:
    assert all(
        map(is_secret_name, ("password", "DB_PASSWORD", "apiKey", "x-api-key", "refresh_token", "Cookie"))
    )
    assert not any(
        map(is_secret_name, ("user", "token_count", "keyboard", "tokens", "cookie_count", "passed"))
    )


@given(st.text(max_size=300))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)
    assert mask(once) == once
