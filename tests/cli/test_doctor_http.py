"""`opsdash doctor` on HTTP endpoints: what keeps opsdash from looking, and what is the endpoint's own trouble."""

import ssl
from pathlib import Path

import pytest
import trustme

from opsdash.collectors.diagnosis import Diagnosis, State, worst
from opsdash.collectors.http.doctor import diagnose
from opsdash.collectors.http.settings import HeaderSource
from opsdash.collectors.snapshot import FailureKind
from tests.http.probing import http_target
from tests.http.server import Server, answer


def subjects(diagnosis: Diagnosis) -> dict[str, State]:
    return {check.subject: check.state for check in diagnosis.checks}


async def test_an_endpoint_that_answers_is_well() -> None:
    async with Server() as server:
        server.says("/health", answer(200, {"status": "ok"}))
        diagnosis = await diagnose(http_target(server.url()))
    assert (diagnosis.failure, subjects(diagnosis)) == (None, {"reading": State.OK})


async def test_an_endpoint_that_refuses_is_not_reached() -> None:
    diagnosis = await diagnose(http_target("http://127.0.0.1:1/health"))
    assert diagnosis.failure is not None
    assert diagnosis.failure.kind is FailureKind.REFUSED


async def test_a_missing_login_is_told_with_the_key_for_it() -> None:
    async with Server() as server:
        server.says("/health", answer(401, {}))
        diagnosis = await diagnose(http_target(server.url()))
    (reading,) = diagnosis.checks
    assert reading.state is State.MISSING
    assert reading.fix is not None
    assert reading.fix.lines[0].startswith("headers = ")


async def test_an_endpoint_that_is_ill_is_not_doctors_fault() -> None:
    async with Server() as server:
        server.says("/health", answer(503, {"status": "down"}))
        diagnosis = await diagnose(http_target(server.url()))
    assert (diagnosis.failure, worst(diagnosis.checks)) == (None, State.OK)
    assert subjects(diagnosis) == {"reading": State.ADVICE}


async def test_an_unknown_ca_is_named_and_the_key_that_it_tells_is_enough(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with Server(context) as server:
        server.says("/health", answer(200, {"status": "ok"}))
        before = await diagnose(http_target(server.url()))
        after = await diagnose(http_target(server.url(), ca_file=str(ca_file)))
    assert before.failure is not None
    assert before.failure.kind is FailureKind.TLS
    (ca,) = before.checks
    assert (ca.subject, ca.fix is not None and ca.fix.lines[0].partition(" ")[0]) == ("CA", "ca_file")
    assert (after.failure, subjects(after)) == (None, {"reading": State.OK, "TLS": State.OK})


async def test_a_secret_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_TOKEN", raising=False)
    headers = {"Authorization": HeaderSource(env="API_TOKEN", prefix="Bearer ")}
    diagnosis = await diagnose(http_target("http://127.0.0.1:1/health", headers=headers))
    assert diagnosis.failure is not None
    assert "API_TOKEN is not set" in diagnosis.failure.reason
