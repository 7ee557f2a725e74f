"""OCSP responders and CRL repositories that are real, on loopback, and fail in every way: certomancer, over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from asn1crypto import cms, core, ocsp
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import DocumentSecurityStore

from sealtool.errors import ExitCode, SealKeyError, ServiceUnreachableError
from sealtool.model import PadesLevel, SealedPdf, UnsealedPdf, Verdict
from sealtool.sealing import (
    KNOWN_POLICIES,
    HttpTimeStampAuthority,
    Patience,
    RevocationSources,
    Sealer,
    SealingProfile,
    fetching,
    load_pkcs12,
)
from sealtool.verification import Trust, verify_certificate, verify_detached
from tests.pki.sealed_files import small_pdf
from tests.pki.services import (
    OCSP_AND_CRL,
    OCSP_ONLY,
    PASSPHRASE,
    Answer,
    Fault,
    Question,
    Services,
    changed,
    garbage,
    status,
)

LONG_TERM = (PadesLevel.B_LT, PadesLevel.B_LTA)
PDF = UnsealedPdf(small_pdf(), pages=2)
CONTENT = b'{"schema":"sealtool.manifest/1"}'
SLOW = 0.2


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Office:
    """Whoever seals with this PKI, and judges what comes out by its root alone."""

    services: Services
    clock: Clock

    def sealer(
        self,
        architecture: str = OCSP_ONLY,
        *,
        who: str = "seal",
        level: PadesLevel = PadesLevel.B_LT,
        crls: tuple[str, ...] = (),
        **profile: Any,
    ) -> Sealer:
        # a machine with much else to do must not look like a service that does not answer
        patience = SLOW if self.services.silence in self.services.faults.values() else 10
        authority = HttpTimeStampAuthority(
            self.services.time_stamp_url("first", architecture), patience=Patience(retries=0)
        )
        return Sealer(
            load_pkcs12(self.services.pkcs12(who, architecture), PASSPHRASE),
            SealingProfile(level, **profile),
            time_stamps=[authority],
            trust_anchors=[self.services.certificate("root", architecture)],
            revocation=RevocationSources(crls, allow_fetching=True, timeout_seconds=patience),
            clock=self.clock,
        )

    def seal(self, sealer: Sealer, documents: int = 1) -> SealedPdf:
        async def all_of_them() -> SealedPdf:
            async with sealer:
                return [await sealer.seal(PDF) for _ in range(documents)][-1]

        return asyncio.run(all_of_them())

    def seal_detached(self, sealer: Sealer) -> bytes:
        async def it() -> bytes:
            async with sealer:
                return await sealer.seal_detached(CONTENT)

        return asyncio.run(it())

    def trust(self, architecture: str = OCSP_ONLY) -> Trust:
        return Trust((self.services.certificate("root", architecture).public_bytes(Encoding.DER),))


@pytest.fixture
def office(services: Services, now: datetime) -> Office:
    return Office(services, Clock(now))


def store(document: SealedPdf) -> DocumentSecurityStore:
    return DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(document.content)))


# --- OCSP and nothing else ------------------------------------------------------------------------


@pytest.mark.parametrize("level", LONG_TERM)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=900)])
def test_with_ocsp_alone_a_certificate_stands_on_its_own(office: Office, level: PadesLevel, later: timedelta) -> None:
    document = office.seal(office.sealer(level=level))

    judged = verify_certificate(document.content, office.trust(), now=office.clock() + later)

    assert (judged.verdict, judged.reasons) == (Verdict.PASSED, ())
    assert judged.pades_level is level
    assert store(document).crls == []
    assert len(store(document).ocsps) == 3  # of seal, time stamp authority and issuing CA


@pytest.mark.parametrize("level", LONG_TERM)
def test_with_ocsp_alone_the_seal_of_a_manifest_stands_on_its_own(office: Office, level: PadesLevel) -> None:
    seal = office.seal_detached(office.sealer(level=level))

    judged = verify_detached(CONTENT, seal, office.trust(), now=office.clock() + timedelta(days=900))

    assert (judged.verdict, judged.reasons) == (Verdict.PASSED, ())
    signed = cms.ContentInfo.load(seal)["content"]
    assert signed["version"].native == "v5"  # RFC 5652, 5.1
    assert [choice.chosen["other_rev_info_format"].dotted for choice in signed["crls"]] == ["1.3.6.1.5.5.7.16.2"] * 3


def test_b_lt_is_one_revision_that_certifies_and_covers_the_entire_file(office: Office) -> None:
    document = office.seal(office.sealer())
    reader = PdfFileReader(BytesIO(document.content))
    (seal,) = reader.embedded_regular_signatures
    first, length, second, rest = seal.byte_range

    assert reader.xrefs.total_revisions == 2  # the document itself is the first
    assert seal.docmdp_level is MDPPerm.NO_CHANGES
    assert (first, second + rest) == (0, len(document.content))
    assert document.content[length:second].strip(b"<>0123456789abcdefABCDEF") == b""


def test_everything_is_fetched_once_for_many_documents(office: Office) -> None:
    office.seal(office.sealer(level=PadesLevel.B_LTA), documents=3)

    asked = {path: times for path, times in office.services.requests.items() if "/ocsp/" in path}
    assert asked == {"/ocsp-only/ocsp/root": 1, "/ocsp-only/ocsp/issuing": 2}


# --- one source fails -----------------------------------------------------------------------------


def of_another_certificate(question: Question) -> Answer:
    request = ocsp.OCSPRequest.load(question.content)
    (one,) = request["tbs_request"]["request_list"]
    serial = one["req_cert"]["serial_number"]
    one["req_cert"]["serial_number"] = serial.native - 1
    return question.honest(request.dump(force=True))


def by_an_impostor(question: Question) -> Answer:
    return question.honest(path=question.path.replace("/issuing", "/impostor"))


def saying(services: Services, status: ocsp.CertStatus) -> Fault:
    """The responder itself says something else of every certificate."""

    def answer(question: Question) -> Answer:
        _, architecture, _, name = question.path.split("/")
        responder = services.responder(name, architecture)
        responder.revinfo_interface.check_revocation_status = lambda *_: (status, [])
        response = responder.build_ocsp_response(ocsp.OCSPRequest.load(question.content))
        return Answer(200, response.dump(), "application/ocsp-response")

    return answer


def try_later(_: Question) -> Answer:
    return Answer(200, ocsp.OCSPResponse({"response_status": "try_later"}).dump(), "application/ocsp-response")


def broken_signature(content: bytes) -> bytes:
    response = ocsp.OCSPResponse.load(content)
    basic = ocsp.BasicOCSPResponse.load(bytes(response["response_bytes"]["response"]))
    signature = bytearray(basic["signature"].native)
    signature[-1] ^= 1
    basic["signature"] = bytes(signature)
    response["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return response.dump(force=True)


def at(services: Services, moment: datetime) -> Fault:
    """An honest answer of another time."""

    def answer(question: Question) -> Answer:
        present, services.at = services.at, moment
        try:
            return question.honest()
        finally:
            services.at = present

    return answer


_ONE_OF_A_KIND = ("down", "slow", "stale", "of another certificate", "by an impostor", "unknown")
_OTHERS = ("not found", "garbage", "try later", "of tomorrow", "broken signature", "endless")


@pytest.fixture(params=[*_ONE_OF_A_KIND, *(pytest.param(one, marks=pytest.mark.long) for one in _OTHERS)])
def fault(request: pytest.FixtureRequest, office: Office, monkeypatch: pytest.MonkeyPatch) -> Fault:
    services, now = office.services, office.clock()
    monkeypatch.setattr(fetching, "LONGEST_ANSWER", 100_000)
    faults: dict[str, Fault] = {
        "down": status(503),
        "not found": status(404),
        "slow": services.silence,
        "garbage": garbage,
        "try later": try_later,
        "stale": at(services, now - timedelta(days=1)),
        "of tomorrow": at(services, now + timedelta(days=1)),
        "of another certificate": of_another_certificate,
        "by an impostor": by_an_impostor,
        "broken signature": changed(broken_signature),
        "unknown": saying(services, ocsp.CertStatus("unknown")),
        "endless": lambda _: Answer(200, bytes(200_000), "application/ocsp-response"),
    }
    return faults[str(request.param)]


def test_where_ocsp_fails_the_crl_counts(office: Office, fault: Fault) -> None:
    office.services.faults["/ocsp-and-crl/ocsp/issuing"] = fault

    document = office.seal(office.sealer(OCSP_AND_CRL))
    seal = office.seal_detached(office.sealer(OCSP_AND_CRL))

    trust, now = office.trust(OCSP_AND_CRL), office.clock()
    assert verify_certificate(document.content, trust, now=now).verdict is Verdict.PASSED
    assert verify_detached(CONTENT, seal, trust, now=now).verdict is Verdict.PASSED
    assert len(store(document).crls) == 1
    assert len(store(document).ocsps) == 1  # of the issuing CA: what does not count stays out


def test_where_ocsp_fails_and_there_is_no_crl_nothing_is_sealed(office: Office, fault: Fault) -> None:
    office.services.faults["/ocsp-only/ocsp/issuing"] = fault

    with pytest.raises(ServiceUnreachableError, match="cannot be told") as caught:
        office.seal(office.sealer())

    assert caught.value.exit_code is ExitCode.SERVICE_UNREACHABLE


@pytest.mark.parametrize("crl_fault", ["down", "slow", "garbage", "stale", "endless"])
def test_where_both_fail_nothing_is_sealed(office: Office, crl_fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services = office.services
    monkeypatch.setattr(fetching, "LONGEST_ANSWER", 100_000)
    services.faults["/ocsp-and-crl/ocsp/issuing"] = status(503)
    services.faults["/ocsp-and-crl/crls/issuing"] = {
        "down": status(503),
        "slow": services.silence,
        "garbage": garbage,
        "stale": at(services, office.clock() - timedelta(days=90)),
        "endless": lambda _: Answer(200, bytes(200_000), "application/pkix-crl"),
    }[crl_fault]

    with pytest.raises(ServiceUnreachableError, match="cannot be told"):
        office.seal(office.sealer(OCSP_AND_CRL))


def test_a_failing_source_is_asked_once_for_all_in_flight(office: Office) -> None:
    services = office.services
    services.faults["/ocsp-only/ocsp/issuing"] = services.silence

    async def at_once() -> list[Any]:
        async with office.sealer() as sealer:
            return await asyncio.gather(*(sealer.seal(PDF) for _ in range(8)), return_exceptions=True)

    assert all(isinstance(failure, ServiceUnreachableError) for failure in asyncio.run(at_once()))
    assert services.requests["/ocsp-only/ocsp/issuing"] == 1


# --- revoked --------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", [OCSP_ONLY, OCSP_AND_CRL])
@pytest.mark.parametrize("level", [PadesLevel.B_B, PadesLevel.B_LTA])
def test_revoked_seal_is_refused_by_ocsp(office: Office, architecture: str, level: PadesLevel) -> None:
    with pytest.raises(SealKeyError, match="revoked") as caught:
        office.seal(office.sealer(architecture, who="seal-revoked", level=level))

    assert caught.value.exit_code is ExitCode.SEAL_KEY


@pytest.mark.parametrize("architecture", [OCSP_ONLY, OCSP_AND_CRL])
def test_seal_that_a_responder_revokes_from_tomorrow_on_is_refused(office: Office, architecture: str) -> None:
    tomorrow = office.clock() + timedelta(days=1)
    revoked = ocsp.CertStatus(name="revoked", value={"revocation_time": tomorrow, "revocation_reason": "superseded"})
    office.services.faults[f"/{architecture}/ocsp/issuing"] = saying(office.services, revoked)

    with pytest.raises(SealKeyError, match="revoked"):
        office.seal(office.sealer(architecture))


def test_revoked_seal_is_refused_by_crl_where_ocsp_is_down(office: Office) -> None:
    office.services.faults["/ocsp-and-crl/ocsp"] = status(503)

    with pytest.raises(SealKeyError, match="revoked"):
        office.seal(office.sealer(OCSP_AND_CRL, who="seal-revoked"))


def test_revoked_seal_is_refused_while_no_authority_stamps(office: Office) -> None:
    office.services.faults["/ocsp-only/tsa"] = status(503)

    with pytest.raises(SealKeyError, match="revoked"):
        office.seal(office.sealer(who="seal-revoked"))


# --- time goes by ---------------------------------------------------------------------------------


def test_answers_that_come_late_are_not_too_recent(office: Office) -> None:
    """The moment of a validation context is frozen; what is fetched a minute later would be from its future."""
    services, clock = office.services, office.clock

    def slow(question: Question) -> Answer:
        clock.now += timedelta(minutes=1)
        services.at = clock.now
        return question.honest()

    services.faults["/ocsp-only/tsa/first"] = slow

    document = office.seal(office.sealer())

    assert verify_certificate(document.content, office.trust(), now=clock()).verdict is Verdict.PASSED


@pytest.mark.parametrize(("minutes", "gatherings"), [(1, 1), (2, 2)])
def test_responses_are_asked_anew_before_they_run_out(office: Office, minutes: int, gatherings: int) -> None:
    services, clock = office.services, office.clock
    services.faults["/ocsp-only/ocsp"] = at(services, clock() - timedelta(minutes=8))  # they hold for ten minutes

    async def twice() -> None:
        async with office.sealer() as sealer:
            await sealer.seal(PDF)
            clock.now += timedelta(minutes=minutes)
            services.at = clock.now
            services.faults.clear()
            document = await sealer.seal(PDF)
        judged = await asyncio.to_thread(verify_certificate, document.content, office.trust(), now=clock())
        assert judged.verdict is Verdict.PASSED

    asyncio.run(twice())

    assert services.requests["/ocsp-only/ocsp/root"] == gatherings


# --- a policy by its name -------------------------------------------------------------------------


def test_seal_names_the_policy_of_the_administration_and_passes(office: Office) -> None:
    policy = KNOWN_POLICIES["AGE-1.9"]

    document = office.seal(office.sealer(policy=policy))

    (seal,) = PdfFileReader(BytesIO(document.content)).embedded_regular_signatures
    (attribute,) = (one for one in seal.signer_info["signed_attrs"] if "policy" in one["type"].native)
    named = attribute["values"][0].chosen
    assert named["sig_policy_id"].dotted == "2.16.724.1.3.1.1.2.1.9"
    assert named["sig_policy_hash"]["digest_algorithm"]["algorithm"].native == "sha1"
    assert named["sig_policy_hash"]["digest"].native.hex() == "1bbae8b9c7fad34f9fd37affa346c0390e9602cd"
    assert named["sig_policy_qualifiers"][0]["sig_qualifier"].native == policy.uri
    judged = verify_certificate(document.content, office.trust(), now=office.clock())
    assert (judged.verdict, judged.reasons) == (Verdict.PASSED, ())
    assert judged.seal is not None
    assert judged.seal.signature_policy == "2.16.724.1.3.1.1.2.1.9"
