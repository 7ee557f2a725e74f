"""Revocation data inside a message: OCSP responses in detached seals, lists in time stamps."""

from __future__ import annotations

from typing import Any

import pytest
from asn1crypto import cms, core, ocsp, x509

from sealtool.model import PadesLevel, Verdict, Verification
from sealtool.verification import Trust, verify_certificate, verify_detached
from sealtool.verification.message import read_seal
from sealtool.verification.reasons import Objection
from tests.fuzz import structures
from tests.pki.answered_seals import AnsweredPki, ListingTimeStamper, answered_pki, with_responses
from tests.pki.authorities import NOW, SEALED_AT, YEAR, pki, revocation_list
from tests.pki.sealed_files import detached_seal, seal, small_pdf
from tests.pki.tampering import flip

MANIFEST = b'{"schema":"sealtool.manifest/1"}'


@pytest.fixture(scope="module")
def answered() -> AnsweredPki:
    return answered_pki()


@pytest.fixture(scope="module")
def bare(answered: AnsweredPki) -> bytes:
    return answered.detached_seal(MANIFEST)


def judged(answered: AnsweredPki, signature: bytes, **options: Any) -> Verification:
    return verify_detached(MANIFEST, signature, answered.trust, now=options.get("now", NOW))


def codes(verification: Verification) -> list[str]:
    return [str(reason.code) for reason in verification.reasons]


# --- OCSP responses in a detached seal ------------------------------------------------------------


def test_without_revocation_data_a_seal_is_left_open(answered: AnsweredPki, bare: bytes) -> None:
    assert codes(judged(answered, bare)) == ["NO_REVOCATION_DATA"]


@pytest.mark.parametrize("now", [NOW, NOW + 2 * YEAR])
def test_a_detached_seal_may_bring_ocsp_responses(answered: AnsweredPki, bare: bytes, now: Any) -> None:
    verification = judged(answered, with_responses(bare, answered.responses()), now=now)
    assert (verification.verdict, verification.reasons) == (Verdict.PASSED, ())


@pytest.mark.parametrize("missing", range(3))
def test_each_certificate_needs_its_response(answered: AnsweredPki, bare: bytes, missing: int) -> None:
    responses = list(answered.responses())
    del responses[missing]
    assert judged(answered, with_responses(bare, responses)).verdict is Verdict.INDETERMINATE


def test_a_response_that_revokes_the_seal_counts(answered: AnsweredPki) -> None:
    signature = answered.detached_seal(MANIFEST, who="seal-revoked")
    verification = judged(answered, with_responses(signature, answered.responses("seal-revoked")))
    assert codes(verification) == ["SEAL_CERTIFICATE_REVOKED"]


@pytest.mark.parametrize("signer", ["impostor", "root-responder", "seal", "tsa"])
def test_a_response_by_whom_the_issuer_did_not_appoint_is_refused(
    answered: AnsweredPki, bare: bytes, signer: str
) -> None:
    """Each has a sound certificate of the same hierarchy, two of the same issuer; one is a responder of another."""
    signature = with_responses(bare, (*answered.responses(), answered.response("seal", by=signer)))
    assert codes(judged(answered, signature)) == ["SIGNATURE_MALFORMED"]


def test_a_response_that_the_issuer_itself_signs_is_accepted(answered: AnsweredPki, bare: bytes) -> None:
    own = answered.response("seal", by="issuing")
    assert judged(answered, with_responses(bare, (*answered.responses()[1:], own))).verdict is Verdict.PASSED


def test_a_response_of_an_unknown_authority_is_refused(answered: AnsweredPki) -> None:
    signature = with_responses(detached_seal(MANIFEST), [answered.response("issuing")])
    trust = Trust((pki().root.der,), (), pki().lists)
    verification = verify_detached(MANIFEST, signature, trust, now=NOW)
    assert codes(verification) == ["SIGNATURE_MALFORMED"]


def test_a_refusal_of_a_responder_is_no_response(answered: AnsweredPki, bare: bytes) -> None:
    refusal = ocsp.OCSPResponse({"response_status": "try_later"}).dump()
    assert codes(judged(answered, with_responses(bare, [refusal]))) == ["SIGNATURE_MALFORMED"]


@pytest.mark.parametrize("is_sound", [False, True])
def test_a_strange_certificate_in_a_response_is_refused(answered: AnsweredPki, bare: bytes, is_sound: bool) -> None:
    """One that nobody signed, and one that anybody can sign, with itself."""
    response = ocsp.OCSPResponse.load(answered.response("seal"))
    basic = ocsp.BasicOCSPResponse.load(bytes(response["response_bytes"]["response"]))
    stranger = basic["certs"][0].copy()
    stranger["signature_value"] = bytes(70)
    if is_sound:
        stranger = x509.Certificate.load(pki("forger").root.der)
    basic["certs"] = [basic["certs"][0], stranger]
    response["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    signature = with_responses(bare, [response.dump(force=True)])
    assert codes(judged(answered, signature)) == ["SIGNATURE_MALFORMED"]


@pytest.mark.parametrize(("version", "kind"), [("v1", ""), ("v4", ""), ("v5", "1.3.6.1.5.5.7.16.9")])
def test_responses_in_another_form_are_refused(answered: AnsweredPki, bare: bytes, version: str, kind: str) -> None:
    signature = with_responses(bare, answered.responses(), version=version, kind=kind)
    assert codes(judged(answered, signature)) == ["SIGNATURE_MALFORMED"]


def test_a_response_that_is_not_in_der_is_refused(answered: AnsweredPki, bare: bytes) -> None:
    """But for what the responder signs: the place in the message, its kind, and the responder's signature itself."""
    response, *others = answered.responses()
    signature = with_responses(bare, [response, *others])
    assert judged(answered, signature).verdict is Verdict.PASSED
    place = next(one.dump() for one in cms.ContentInfo.load(signature)["content"]["crls"] if response in one.dump())
    kind = cms.OtherRevInfoFormatId("ocsp_response").dump()
    basic = bytes(ocsp.OCSPResponse.load(response)["response_bytes"]["response"])
    value = ocsp.BasicOCSPResponse.load(basic)["signature"].dump()
    longer = structures.with_other_bytes(basic, value, structures.with_long_length(value))
    for old, new in (
        (place, structures.with_long_length(place)),
        (kind, kind[:1] + bytes((kind[1] + 1,)) + kind[2:4] + b"\x80" + kind[4:]),
        (core.OctetString(basic).dump(), core.OctetString(longer).dump()),
    ):
        changed = structures.with_other_bytes(signature, old, new)
        assert changed != signature
        assert codes(judged(answered, changed)) == ["SIGNATURE_MALFORMED"]


@pytest.mark.long
def test_no_changed_byte_of_a_seal_with_responses_passes(answered: AnsweredPki, bare: bytes) -> None:
    """A sample; tests/fuzz takes every byte. One response comes twice, so that none is missed when it is hidden."""
    signature = with_responses(bare, (*answered.responses(), answered.response("seal")))
    assert judged(answered, signature).verdict is Verdict.PASSED
    for position in range(3, len(signature), len(signature) // 120):
        assert judged(answered, flip(signature, position)).verdict is not Verdict.PASSED, position


def test_a_certificate_may_not_carry_responses_in_its_seal(answered: AnsweredPki) -> None:
    """It has another place for them, which its archive time stamp protects."""
    signature = with_responses(answered.detached_seal(MANIFEST), answered.responses())
    with pytest.raises(Objection, match="nothing protects"):
        read_seal(signature)


# --- revocation lists in time stamps --------------------------------------------------------------


@pytest.mark.parametrize("level", [PadesLevel.B_T, PadesLevel.B_LT, PadesLevel.B_LTA])
def test_a_time_stamp_may_bring_revocation_lists(level: PadesLevel, trust_with_lists: Trust) -> None:
    content = seal(small_pdf(), level, stamper=ListingTimeStamper(pki(), pki().lists))
    verification = verify_certificate(content, trust_with_lists, now=NOW)
    assert (verification.verdict, verification.reasons) == (Verdict.PASSED, ())


def test_a_revocation_list_in_a_time_stamp_counts(trust_with_lists: Trust) -> None:
    revoked = revocation_list(pki().issuing, {pki().authority.certificate.serial_number: SEALED_AT - YEAR})
    content = seal(small_pdf(), PadesLevel.B_T, stamper=ListingTimeStamper(pki(), [revoked]))
    assert verify_certificate(content, trust_with_lists, now=NOW).verdict is not Verdict.PASSED


@pytest.mark.parametrize("level", [PadesLevel.B_T, PadesLevel.B_LTA])
def test_a_list_of_somebody_else_in_a_time_stamp_is_refused(level: PadesLevel, trust_with_lists: Trust) -> None:
    content = seal(small_pdf(), level, stamper=ListingTimeStamper(pki(), pki("forger").lists))
    assert "SIGNATURE_MALFORMED" in codes(verify_certificate(content, trust_with_lists, now=NOW))


def test_unsigned_attributes_of_a_time_stamp_stay_refused(trust_with_lists: Trust) -> None:
    content = seal(small_pdf(), PadesLevel.B_T, stamper=ListingTimeStamper(pki(), pki().lists, unsigned=True))
    assert "SIGNATURE_MALFORMED" in codes(verify_certificate(content, trust_with_lists, now=NOW))
