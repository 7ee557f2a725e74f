"""Seals of a remote signing service: a real HTTP server on loopback with a key of its own, in every mood."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealtool.errors import ExitCode, SealKeyError
from sealtool.model import PadesLevel, UnsealedPdf
from sealtool.sealing import (
    DigestAlgorithm,
    RemoteKey,
    RevocationSources,
    Sealer,
    SealingProfile,
    SealKey,
    load_csc,
)
from tests import csc_server
from tests.csc_server import CREDENTIAL, PIN, TOKEN, CscServer, serving
from tests.unit.sealing.conftest import NOW, OddSeals, Pki

QUICK = (0.0, 0.0)
"""Repetitions without waiting."""

KEYS: dict[str, csc_server.PrivateKey] = {
    "rsa-2048": rsa.generate_private_key(65537, 2048),
    "p-256": ec.generate_private_key(ec.SECP256R1()),
    "p-384": ec.generate_private_key(ec.SECP384R1()),
}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


Serve = Callable[..., CscServer]


@pytest.fixture
def serve(odd: OddSeals) -> Iterator[Serve]:
    """Starts services; the certificate is one of the small authority, and comes with it."""
    running = []

    def start(kind: str = "p-256", **switches: Any) -> CscServer:
        key = KEYS[kind]
        issued = odd.certificate("remote seal", key)
        server = CscServer(key, [issued, odd.root.certificate], **switches)
        running.append(serving(server))
        return running[-1].__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)


def load(server: CscServer, *, token: str = TOKEN, pin: str | None = PIN, pss: bool = False, **place: Any) -> SealKey:
    where = RemoteKey(**{"url": server.url, "credential": CREDENTIAL, "api_version": server.version, **place})
    return load_csc(where, token.encode(), None if pin is None else pin.encode(), prefer_pss=pss, pauses=QUICK)


def sign(key: SealKey, *documents: bytes, digest: str = "sha256") -> list[bytes]:
    async def all_at_once() -> list[bytes]:
        return await asyncio.gather(*(key.signer.async_sign_raw(each, digest) for each in documents))

    return asyncio.run(all_at_once())


def refused(work: Callable[[], Any]) -> SealKeyError:
    """The error, which names the service and never a secret."""
    with pytest.raises(SealKeyError) as caught:
        work()
    error = caught.value
    assert error.exit_code is ExitCode.SEAL_KEY
    assert "signing service http://127.0.0.1" in error.message
    assert error.advice
    said = f"{error!r}{error}{error.__cause__!r}"
    assert TOKEN not in said
    assert PIN not in said
    return error


# --- seals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("kind", "pss"), [("rsa-2048", False), ("rsa-2048", True), ("p-256", False), ("p-384", False)])
def test_what_a_service_signs_is_a_seal(  # noqa: PLR0917 - fixtures
    serve: Serve, odd: OddSeals, pki: Pki, pdf: UnsealedPdf, kind: str, pss: bool, version: str
) -> None:
    key = load(serve(kind, version=version), pss=pss)
    sources = RevocationSources((*odd.crl_file().crl_files, *pki.revocation.crl_files))
    sealer = Sealer(
        key,
        SealingProfile(PadesLevel.B_LTA),
        time_stamps=[pki.authority],
        trust_anchors=(odd.root.certificate, *pki.anchors),
        revocation=sources,
        clock=lambda: NOW,
    )

    assert asyncio.run(sealer.seal(pdf)).pages == 2
    assert asyncio.run(sealer.seal_detached(b"{}"))


@pytest.mark.parametrize("digest", list(DigestAlgorithm))
def test_every_digest_is_signed_with_an_algorithm_that_leaves_it_open(serve: Serve, digest: str) -> None:
    key = load(serve("rsa-2048", algorithms=(csc_server.RSA,)))
    assert key.signer.is_ours(*sign(key, b"x", digest=digest), b"x", digest)  # type: ignore[attr-defined]


def test_the_salt_of_pss_is_as_long_as_the_digest(serve: Serve) -> None:
    server = serve("rsa-2048")
    (signature,) = sign(load(server, pss=True), b"x", digest="sha384")
    digest = csc_server.DIGESTS["2.16.840.1.101.3.4.2.2"]
    KEYS["rsa-2048"].public_key().verify(signature, b"x", padding.PSS(padding.MGF1(digest), 48), digest)  # type: ignore[call-arg]


def test_certificate_and_issuers_come_from_the_service_and_no_stranger_with_them(serve: Serve, odd: OddSeals) -> None:
    server = serve()
    server.certificates.append(odd.certificate("stranger", KEYS["p-384"]))
    key = load(server)
    assert key.certificate == server.certificates[0]
    assert key.chain == (odd.root.certificate,)
    assert server.asked == ["credentials/info"]


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_issuers_that_the_service_does_not_give_come_from_files(
    serve: Serve, odd: OddSeals, tmp_path: Path, encoding: Encoding
) -> None:
    server = serve()
    del server.certificates[1:]
    (tmp_path / "root").write_bytes(odd.root.certificate.public_bytes(encoding))
    assert load(server).chain == ()
    assert load(server, chain=(tmp_path / "root",)).chain == (odd.root.certificate,)


def test_dry_run_does_not_ask_the_service(serve: Serve) -> None:
    server = serve("rsa-2048")
    key = load(server)
    assert asyncio.run(key.signer.async_sign_raw(b"x", "sha256", dry_run=True)) == bytes(256)
    assert server.asked == ["credentials/info"]


def test_nothing_shown_of_a_remote_key_is_secret(serve: Serve) -> None:
    key = load(serve())
    shown = f"{key!r}{key.signer!r}{key.signer._service!r}"  # type: ignore[attr-defined]
    assert TOKEN not in shown
    assert PIN not in shown


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_pin_is_not_sent_to_a_key_that_has_none(serve: Serve, version: str) -> None:
    server = serve(pin=None, version=version)  # it refuses any PIN
    assert len(sign(load(server, pin=PIN), b"x")) == 1


# --- many in flight ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("documents", "batches"), [(1, [1]), (3, [3]), (4, [4]), (5, [4, 1]), (9, [4, 4, 1])])
def test_seals_in_flight_share_requests_and_none_waits_for_a_full_batch(
    serve: Serve, documents: int, batches: list[int]
) -> None:
    server = serve(multisign=4)
    key = load(server)
    texts = [b"%d" % number for number in range(documents)]

    signatures = sign(key, *texts)

    assert server.authorised == batches
    assert all(key.signer.is_ours(*pair, "sha256") for pair in zip(signatures, texts, strict=True))  # type: ignore[attr-defined]


def test_a_key_that_signs_one_at_a_time_is_asked_one_by_one(serve: Serve) -> None:
    server = serve(multisign=1)
    sign(load(server), b"a", b"b", b"c")
    assert server.authorised == [1, 1, 1]


def test_digest_algorithms_are_not_mixed_in_a_request(serve: Serve) -> None:
    server = serve()
    key = load(server)

    async def both() -> None:
        await asyncio.gather(*(key.signer.async_sign_raw(b"x", each) for each in ("sha256", "sha384", "sha256")))

    asyncio.run(both())
    assert server.authorised == [2, 1]


def test_one_key_serves_one_event_loop_after_another(serve: Serve) -> None:
    key = load(serve())
    assert len({*sign(key, b"a"), *sign(key, b"b"), *sign(key, b"c")}) == 3


def test_a_seal_that_is_given_up_does_not_take_the_others_with_it(serve: Serve) -> None:
    server = serve()
    key = load(server)

    async def one_given_up() -> bytes:
        given_up, kept = (asyncio.create_task(key.signer.async_sign_raw(each, "sha256")) for each in (b"a", b"b"))
        await asyncio.sleep(0)
        given_up.cancel()
        return await kept

    assert key.signer.is_ours(asyncio.run(one_given_up()), b"b", "sha256")  # type: ignore[attr-defined]
    assert server.signed == 1


# --- faults that pass -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [503, 500, 0], ids=["503", "500", "hung up"])
@pytest.mark.parametrize("endpoint", ["info", "authorize", "signHash"])
def test_a_fault_that_passes_is_got_over(serve: Serve, fault: int, endpoint: str) -> None:
    server = serve(fault=fault, faults_left=2, faulty=endpoint)
    assert len(sign(load(server), b"a", b"b")) == 2
    assert server.faults_left == 0


@pytest.mark.parametrize("fault", [503, 0], ids=["503", "hung up"])
def test_a_fault_that_stays_is_told_after_three_tries(serve: Serve, fault: int) -> None:
    server = serve(fault=fault)
    key = load(server)
    server.faults_left = 99
    error = refused(lambda: sign(key, b"a"))
    assert "Tried 3 times" in error.message
    assert "stays pending" in error.message
    assert server.asked.count("credentials/authorize") == 3


def test_a_signature_whose_answer_was_lost_is_authorised_anew(serve: Serve) -> None:
    server = serve(fault=0, faulty="signHash")
    key = load(server)
    server.faults_left = 1
    sign(key, b"a")
    assert server.authorised == [1, 1]


def test_a_service_that_is_not_there_is_an_error_that_names_it(free_port_url: str) -> None:
    error = refused(lambda: load(CscServer(KEYS["p-256"], [], url=free_port_url.rstrip("/"))))
    assert "cannot be reached" in error.message


# --- faults that stay -------------------------------------------------------------------------------------------


def test_a_refused_token_is_told_without_the_token(serve: Serve) -> None:
    server = serve()
    error = refused(lambda: load(server, token="wr0ng-token"))
    assert "refused the access token" in error.message
    assert "wr0ng" not in str(error)
    assert "seal.csc.token" in error.advice
    assert server.asked == ["credentials/info"]


def test_a_token_that_ends_during_the_run_is_told(serve: Serve) -> None:
    server = serve()
    key = load(server)
    server.token = "another"
    assert "refused the access token" in refused(lambda: sign(key, b"a")).message


def test_an_unknown_credential_is_told(serve: Serve) -> None:
    server = serve()
    error = refused(lambda: load(server, credential="nobody"))
    assert "«nobody»" in error.message
    assert "Invalid parameter credentialID" in error.message
    assert "seal.csc.credential" in error.advice


def test_a_wrong_pin_is_tried_once_however_many_seals_are_in_flight(serve: Serve) -> None:
    server = serve(multisign=2)
    key = load(server, pin="wr0ng-pin")

    async def several() -> list[Any]:
        tasks = (key.signer.async_sign_raw(b"%d" % number, "sha256") for number in range(6))
        return await asyncio.gather(*tasks, return_exceptions=True)

    errors = asyncio.run(several())

    assert {type(each) for each in errors} == {SealKeyError}
    assert "refused the PIN" in errors[0].message
    assert "wr0ng" not in f"{errors[0]!r}"
    assert "seal.csc.pin" in errors[0].advice
    refused(lambda: sign(key, b"later"))
    assert server.asked.count("credentials/authorize") == 1


def test_a_key_that_wants_a_pin_and_gets_none_is_told_before_anything_is_signed(serve: Serve) -> None:
    assert "none is configured" in refused(lambda: load(serve(), pin=None)).message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key": {"status": "disabled", "algo": [csc_server.SHA256_ECDSA]}}, "switched off"),
        ({"authMode": "oauth2code"}, "consent in a browser"),
        ({"OTP": {"presence": "true"}}, "one-time password"),
        ({"auth": {"mode": "explicit", "objects": [{"type": "OTP", "id": "sms"}]}}, "one-time password"),
        ({"auth": {"mode": "oauth2code"}}, "consent in a browser"),
        ({"key": {"status": "enabled", "algo": []}}, "does not make ECDSA signatures"),
        ({"key": {"status": "enabled", "algo": [csc_server.RSA]}}, "does not make ECDSA signatures"),
        ({"key": {"status": "enabled"}}, "cannot be understood"),
        ({"cert": {"certificates": []}}, "cannot be understood"),
        ({"cert": {"certificates": [base64.b64encode(b"no certificate").decode()]}}, "cannot be understood"),
        ({"cert": []}, "cannot be understood"),
        ({"multisign": "many"}, "cannot be understood"),
        ({"PIN": "yes"}, "cannot be understood"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_before_anything_is_signed(
    serve: Serve, change: dict[str, Any], told: str
) -> None:
    server = serve(describe=lambda answer: answer | change)
    assert told in refused(lambda: load(server)).message
    assert server.authorised == []


@pytest.mark.parametrize("status", ["expired", "revoked", "suspended"])
def test_a_certificate_that_the_service_calls_invalid_is_not_used(serve: Serve, status: str) -> None:
    server = serve(describe=lambda answer: answer | {"cert": answer["cert"] | {"status": status}})
    assert status in refused(lambda: load(server)).message


def test_rsa_pss_where_it_is_not_offered_is_told(serve: Serve) -> None:
    server = serve("rsa-2048", algorithms=(csc_server.SHA256_RSA,))
    error = refused(lambda: load(server, pss=True))
    assert "does not make RSA-PSS signatures" in error.message
    assert "seal.csc.pss" in error.advice


def test_a_digest_that_the_key_does_not_sign_is_told(serve: Serve) -> None:
    key = load(serve("rsa-2048", algorithms=(csc_server.SHA256_RSA,)))
    assert "with sha384" in refused(lambda: sign(key, b"x", digest="sha384")).message


def test_a_weak_key_is_refused(odd: OddSeals) -> None:
    bits = 2040
    key = rsa.generate_private_key(65537, bits)
    with serving(CscServer(key, [odd.certificate("weak", key)])) as server:
        assert "2040 bits" in refused(lambda: load(server)).message


@pytest.mark.parametrize(
    "forge",
    [lambda good: good[:-1] + bytes([good[-1] ^ 1]), lambda _: b"", lambda _: bytes(70)],
    ids=["one bit changed", "empty", "zeros"],
)
def test_a_signature_that_does_not_verify_is_thrown_away(serve: Serve, forge: Any) -> None:
    key = load(serve(forge=forge))
    assert "thrown away" in refused(lambda: sign(key, b"a")).message


def test_signatures_in_the_wrong_order_are_thrown_away(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    original = server._sign
    monkeypatch.setattr(server, "_sign", lambda body: {"signatures": original(body)["signatures"][::-1]})
    key = load(server)
    assert "thrown away" in refused(lambda: sign(key, b"a", b"b")).message


def test_a_certificate_that_changes_during_the_run_is_told(serve: Serve, odd: OddSeals) -> None:
    server = serve()
    key = load(server)
    sign(key, b"a")
    server.key = ec.generate_private_key(ec.SECP256R1())
    server.certificates[0] = odd.certificate("remote seal", server.key)
    error = refused(lambda: sign(key, b"b"))
    assert "changed its certificate during the run" in error.message
    assert load(server).certificate == server.certificates[0]


def test_fewer_signatures_than_documents_are_no_signatures(serve: Serve) -> None:
    key = load(serve(fewer=1))
    assert "2 signatures for 3 documents" in refused(lambda: sign(key, b"a", b"b", b"c")).message


@pytest.mark.parametrize(
    "answer", [{}, {"signatures": "x"}, {"signatures": [1]}, {"signatures": ["%"]}, {"signatures": None}]
)
def test_an_answer_that_holds_no_signatures_is_told(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    server = serve()
    monkeypatch.setattr(server, "_sign", lambda _: answer)
    key = load(server)
    assert "does not answer as a signing service must" in refused(lambda: sign(key, b"a")).message


@pytest.mark.parametrize("answer", [{}, {"SAD": "x", "expiresIn": "soon"}])
def test_an_answer_that_authorises_nothing_is_told(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    server = serve()
    monkeypatch.setattr(server, "_authorize", lambda _: answer)
    key = load(server)
    assert "no SAD" in refused(lambda: sign(key, b"a")).message


def test_a_page_where_the_service_should_be_is_told(serve: Serve) -> None:
    server = serve(faults_left=1, fault=404)
    assert "HTTP status 404" in refused(lambda: load(server)).message
    server.faults_left, server.fault = 1, 200
    assert "HTTP status 200" in refused(lambda: load(server)).message


def test_a_redirection_is_not_followed_with_token_and_pin(serve: Serve) -> None:
    elsewhere = serve()
    server = serve(redirect_to=f"{elsewhere.url}/csc/v1/credentials/info")
    assert "HTTP status 307" in refused(lambda: load(server)).message
    assert elsewhere.asked == []


def test_a_slow_service_is_given_up_after_its_time_and_not_asked_again(serve: Serve) -> None:
    server = serve(delay=5.0)
    began = time.monotonic()
    error = refused(lambda: load(server, timeout_seconds=0.1))
    assert "did not answer within 0.1 seconds" in error.message
    assert "seal.csc.timeout_seconds" in error.advice
    assert time.monotonic() - began < 3
    assert server.asked == ["credentials/info"]


def test_a_service_behind_a_tls_certificate_of_nobody_gets_nothing(odd: OddSeals, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + odd.certificate("127.0.0.1", key).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = CscServer(key, [])
    with serving(server, context), pytest.raises(SealKeyError, match="does not trust"):
        load(server)
    assert server.asked == []


@pytest.mark.parametrize(
    ("token", "pin", "named"),
    [
        ("two words", PIN, "access token"),
        ("línia", PIN, "access token"),
        ("a\nb", PIN, "access token"),
        (TOKEN, "1\n2", "PIN"),
    ],
)
def test_what_cannot_be_a_token_or_a_pin_is_not_sent(serve: Serve, token: str, pin: str, named: str) -> None:
    server = serve()
    with pytest.raises(SealKeyError, match=f"{named} of the signing service") as caught:
        load(server, token=token, pin=pin)
    assert token not in caught.value.message
    assert server.asked == []


def test_bytes_that_are_no_text_are_not_sent(serve: Serve) -> None:
    server = serve()
    with pytest.raises(SealKeyError, match="PIN of the signing service"):
        load_csc(RemoteKey(server.url, CREDENTIAL), TOKEN.encode(), b"\xff\xfe", pauses=QUICK)
    assert server.asked == []


# --- judged by certificates -------------------------------------------------------------------------------------


def test_a_revoked_seal_at_a_service_seals_nothing(serve: Serve, odd: OddSeals, pdf: UnsealedPdf) -> None:
    server = serve()
    key = load(server)
    sealer = Sealer(
        key,
        SealingProfile(PadesLevel.B_B),
        trust_anchors=[odd.root.certificate],
        revocation=odd.crl_file(key),
        clock=lambda: NOW,
    )
    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(sealer.seal(pdf))
    assert server.authorised == []
