"""`opsdash doctor` for endpoints: what keeps opsdash from judging them, and what would help."""

import ssl
from pathlib import Path

import pytest
import trustme

from opsdash.collectors.diagnosis import State
from opsdash.collectors.http.doctor import diagnose
from opsdash.collectors.snapshot import FailureKind
from tests.http.certificates import issued_by
from tests.http.probing import http_target
from tests.http.server import Server, answer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA) -> ssl.SSLContext:
    return issued_by(authority, "localhost")


async def test_endpoint_that_can_be_judged_is_ok(
    authority: trustme.CA, trusted: ssl.SSLContext, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with Server(trusted) as server:
        server.says("/health", answer(200, {"status": "ok"}))
        target = http_target(server.url(), ca_file=str(tmp_path / "ca.pem"), expect="status == 'ok'")
        found = await diagnose(target)
    assert found.failure is None
    assert [(check.subject, check.state) for check in found.checks] == [
        ("reading", State.OK),
        ("certificate", State.OK),
        ("condition", State.OK),
    ]


async def test_unknown_authority_names_the_issuer_and_the_key_to_set(trusted: ssl.SSLContext) -> None:
    async with Server(trusted) as server:
        found = await diagnose(http_target(server.url()))
    assert found.failure is not None
    assert found.failure.kind is FailureKind.TLS
    (check,) = found.checks
    assert "Testing CA" in check.text
    assert check.fix is not None
    assert check.fix.lines == ('ca_file = "/path/to/ca.pem"',)


async def test_refused_credentials_and_words_that_are_not_known_are_told() -> None:
    async with Server() as server:
        server.says("/secret", answer(401))
        server.says("/health", answer(200, {"status": "ok", "checks": {"queue": {"status": "purple"}}}))
        (refused,) = (await diagnose(http_target(server.url("/secret")))).checks
        words = (await diagnose(http_target(server.url()))).checks
    assert (refused.state, refused.subject) == (State.MISSING, "reading")
    assert ("sub-checks", State.ADVICE) in [(check.subject, check.state) for check in words]


async def test_nobody_listens_and_missing_secret_are_failures() -> None:
    async with Server() as server:
        server.refuse()
        refused = await diagnose(http_target(server.url()))
    assert refused.failure is not None
    assert refused.failure.kind is FailureKind.REFUSED
