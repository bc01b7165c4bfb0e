"""Certificates on real TLS servers: accepted, soon to expire, and refused in each of the ways that happen."""

import ssl
from pathlib import Path

import pytest
import trustme

from opsdash.collectors.finding import Severity
from opsdash.collectors.http.rows import Certificate, HttpData, Trouble, Verdict
from opsdash.tui.findings.http import findings
from tests.http.certificates import DAY, Issued, issued_by, now, server_context
from tests.http.probing import http_target, probed
from tests.http.server import Server, answer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def seen(
    context: ssl.SSLContext, ca_pem: bytes | None, folder: Path, *, host: str = "localhost"
) -> tuple[HttpData, str, Severity | None]:
    """One probe of a TLS server: the data, and the finding about its certificate."""
    settings = {}
    if ca_pem is not None:
        (folder / "ca.pem").write_bytes(ca_pem)
        settings["ca_file"] = str(folder / "ca.pem")
    async with Server(context) as server:
        server.says("/health", answer(200, {"status": "ok"}))
        url = server.url(host=host)
        data = await probed(url, connect=f"127.0.0.1:{server.port}", **settings)
        assert bool(server.asked) is (data.probe.verdict is Verdict.UP), "nothing is sent where TLS fails"
    found = [f for f in findings(data, http_target(url)) if f.rule == "http.certificate"]
    others = [f.rule for f in findings(data, http_target(url)) if f.rule != "http.certificate"]
    assert not others, "one fault is told once"
    return data, found[0].title if found else "", found[0].severity if found else None


async def test_a_good_certificate_is_no_finding(authority: trustme.CA, tmp_path: Path) -> None:
    context = issued_by(authority, "localhost", "api.internal")
    data, title, _ = await seen(context, authority.cert_pem.bytes(), tmp_path)
    assert (data.probe.verdict, title) == (Verdict.UP, "")
    assert data.probe.phases.tls_s is not None
    assert data.chain is not None
    assert data.chain.leaf.names == ("localhost", "api.internal")
    assert data.chain.refused is None
    assert 363 < data.chain.leaf.days_left(now()) < 366


async def test_three_days_left_are_critical_though_it_is_up(authority: trustme.CA, tmp_path: Path) -> None:
    context = issued_by(authority, "localhost", until_days=3.5)
    data, title, severity = await seen(context, authority.cert_pem.bytes(), tmp_path)
    assert data.probe.verdict is Verdict.UP
    assert title == 'certificate expires in 3 days (certificate "localhost")'
    assert severity is Severity.CRIT


async def test_twelve_days_left_are_a_warning(authority: trustme.CA, tmp_path: Path) -> None:
    context = issued_by(authority, "localhost", until_days=12.5)
    _, title, severity = await seen(context, authority.cert_pem.bytes(), tmp_path)
    assert (title, severity) == ('certificate expires in 12 days (certificate "localhost")', Severity.WARN)


@pytest.mark.parametrize(
    ("since_days", "until_days", "names", "host", "words", "dates"),
    [
        (-90, -2.5, ("localhost",), "localhost", "certificate has expired", "expired 2 days ago"),
        (2, 90, ("localhost",), "localhost", "certificate is not yet valid", "not valid before"),
        (-90, 90, ("other.example",), "localhost", "Hostname mismatch", ""),
        (-90, 90, ("localhost",), "127.0.0.1", "IP address mismatch", ""),
    ],
    ids=["expired", "not yet valid", "wrong name", "wrong address"],
)
async def test_refused_certificate_is_shown_with_its_names_and_dates(
    authority: trustme.CA,
    tmp_path: Path,
    since_days: float,
    until_days: float,
    names: tuple[str, ...],
    host: str,
    words: str,
    dates: str,
) -> None:
    context = issued_by(authority, *names, since_days=since_days, until_days=until_days)
    data, title, severity = await seen(context, authority.cert_pem.bytes(), tmp_path, host=host)
    assert data.probe.trouble is Trouble.CERTIFICATE
    assert words in (data.probe.reason or "")
    assert title.startswith(f"certificate refused: {words}")
    assert severity is Severity.CRIT
    assert data.chain is not None
    assert data.chain.leaf.names == names
    assert data.chain.refused == data.probe.reason
    if dates == "expired 2 days ago":
        assert dates in title


async def test_unknown_authority_is_refused_and_shown(authority: trustme.CA, tmp_path: Path) -> None:
    data, title, severity = await seen(issued_by(authority, "localhost"), None, tmp_path)
    assert data.probe.trouble is Trouble.CERTIFICATE
    assert title == "certificate refused: unable to get local issuer certificate"
    assert severity is Severity.CRIT
    assert data.chain is not None
    assert data.chain.leaf.names == ("localhost",)


async def test_intermediate_that_expires_first_is_named(tmp_path: Path) -> None:
    root = Issued("Root X1", None, days=3000, is_ca=True)
    middle = Issued("R11", root, days=12.5, is_ca=True)
    leaf = Issued("localhost", middle, days=80.5, names=("localhost",))
    data, title, severity = await seen(server_context(tmp_path, leaf, middle), root.pem, tmp_path)
    assert data.probe.verdict is Verdict.UP
    assert (title, severity) == ('certificate expires in 12 days (intermediate "R11")', Severity.WARN)
    assert data.chain is not None
    assert [(c.subject, c.issuer) for c in data.chain.certificates] == [
        ("localhost", "R11"),
        ("R11", "Root X1"),
    ]
    (found,) = findings(data, http_target())
    assert (
        found.cause
        == "the intermediate goes first: renewing the server's own certificate alone does not help"
    )
    assert found.place == "chain"


async def test_expired_intermediate_under_a_good_leaf_is_named(tmp_path: Path) -> None:
    root = Issued("Root X1", None, days=3000, is_ca=True)
    middle = Issued("R11", root, days=-1.5, is_ca=True)
    leaf = Issued("localhost", middle, days=80, names=("localhost",))
    data, title, _ = await seen(server_context(tmp_path, leaf, middle), root.pem, tmp_path)
    assert data.probe.trouble is Trouble.CERTIFICATE
    assert title == 'certificate refused: certificate has expired · intermediate "R11" expired 1 day ago'


async def test_hostile_names_in_a_certificate_are_harmless(tmp_path: Path) -> None:
    evil = Issued("a\x1b]52;c;aGk=\x07b\u202ec", None, days=90, names=("localhost",))
    data, _, _ = await seen(server_context(tmp_path, evil), None, tmp_path)
    assert data.chain is not None
    assert data.chain.leaf.subject == "a␛]52;c;aGk=␇b�c"


async def test_plain_http_behind_https_is_told_as_that(tmp_path: Path) -> None:
    async with Server() as server:
        data = await probed(server.url().replace("http:", "https:"), timeout_s=0.5)
    assert data.probe.trouble in (Trouble.TLS, Trouble.TIMED_OUT)
    assert "TLS handshake" in (data.probe.reason or "")
    assert data.chain is None


async def test_client_certificate_is_shown_to_a_server_that_asks(
    authority: trustme.CA, tmp_path: Path
) -> None:
    context = issued_by(authority, "localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ca, own, key = tmp_path / "ca.pem", tmp_path / "own.pem", tmp_path / "own.key"
    ca.write_bytes(authority.cert_pem.bytes())
    mine = authority.issue_cert("opsdash@bastion")
    own.write_bytes(b"".join(blob.bytes() for blob in mine.cert_chain_pems))
    key.write_bytes(mine.private_key_pem.bytes())
    async with Server(context) as server:
        server.says("/health", answer(200))
        with_own = await probed(server.url(), ca_file=str(ca), cert_file=str(own), key_file=str(key))
        without = await probed(server.url(), ca_file=str(ca))
    assert with_own.probe.verdict is Verdict.UP
    assert without.probe.verdict is Verdict.DOWN


def test_days_are_those_of_our_clock() -> None:
    one = Certificate(
        subject="a",
        issuer="b",
        names=(),
        not_before=now() - DAY,
        not_after=now() + 2 * DAY,
        is_ca=False,
        serial="1",
    )
    assert 1.9 < one.days_left(now()) < 2.0
