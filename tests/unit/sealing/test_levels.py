"""Each level, judged by the library's own validation at its strictest: nothing here is our verifier."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import weasyprint
from pyhanko.keys.internal import translate_pyca_cryptography_cert_to_asn1 as asn1
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from sealtool.model import PadesLevel, SealedPdf, UnsealedPdf
from sealtool.sealing import DigestAlgorithm, Sealer, SealingProfile, SignaturePolicy, load_pkcs12
from sealtool.sealing import sealer as module

LONG_TERM = (PadesLevel.B_LT, PadesLevel.B_LTA)
STAMPED = (PadesLevel.B_T, *LONG_TERM)
ALL = tuple(PadesLevel)


@pytest.fixture(scope="module")
def sealed(pki: Any, pdf: UnsealedPdf, now: datetime) -> dict[PadesLevel, SealedPdf]:
    async def seal(level: PadesLevel) -> SealedPdf:
        profile = SealingProfile(level, reason="Prova", location="Palma", contact="seu@example.invalid")
        async with sealer(pki, profile, now) as each:
            return await each.seal(pdf)

    return {level: asyncio.run(seal(level)) for level in ALL}


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one whenever trust and revocation are asked."""
    times: list[object] = []
    original = module.gather

    async def counting(*arguments: Any) -> Any:
        times.append(arguments)
        return await original(*arguments)

    monkeypatch.setattr(module, "gather", counting)
    return times


def sealer(pki: Any, profile: SealingProfile, now: datetime, key: Any = None) -> Sealer:
    return Sealer(
        key or pki.seal,
        profile,
        time_stamps=[pki.authority],
        trust_anchors=pki.anchors,
        revocation=pki.revocation,
        clock=lambda: now,
    )


def context(pki: Any, moment: datetime, **more: Any) -> dict[str, Any]:
    return {"trust_roots": [asn1(anchor) for anchor in pki.anchors], "moment": moment, **more}


def read(document: SealedPdf) -> PdfFileReader:
    return PdfFileReader(BytesIO(document.content))


@pytest.mark.parametrize("level", ALL)
def test_seal_is_sound_certifies_and_covers_the_file(pki: Any, sealed: Any, level: PadesLevel, now: datetime) -> None:
    (signature,) = read(sealed[level]).embedded_regular_signatures
    crls = [(pki.folder / "pki" / name).read_bytes() for name in ("root.crl", "issuing.crl")]
    trust = ValidationContext(**context(pki, now, crls=crls, revocation_mode="require"))

    status = asyncio.run(async_validate_pdf_signature(signature, trust))

    assert status.intact
    assert status.valid
    assert status.trusted
    assert status.bottom_line
    assert status.docmdp_ok
    last = SignatureCoverageLevel.ENTIRE_REVISION if level is PadesLevel.B_LTA else SignatureCoverageLevel.ENTIRE_FILE
    assert status.coverage is last
    assert signature.docmdp_level is MDPPerm.NO_CHANGES
    assert signature.field_name == "Seal"
    assert (status.timestamp_validity is not None) is (level in STAMPED)


@pytest.mark.parametrize("level", ALL)
def test_seal_says_what_the_profile_says(sealed: Any, level: PadesLevel, now: datetime) -> None:
    (signature,) = read(sealed[level]).embedded_regular_signatures

    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.sig_object["/Reason"] == "Prova"
    assert signature.sig_object["/Location"] == "Palma"
    assert signature.sig_object["/ContactInfo"] == "seu@example.invalid"
    assert signature.self_reported_timestamp == now


@pytest.mark.parametrize("level", ALL)
def test_pades_has_no_signing_time_attribute(sealed: Any, level: PadesLevel) -> None:
    (signature,) = read(sealed[level]).embedded_regular_signatures
    attributes = {attribute["type"].native for attribute in signature.signer_info["signed_attrs"]}

    assert attributes == {"content_type", "message_digest", "signing_certificate_v2"}


@pytest.mark.parametrize("level", LONG_TERM)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=61)])
def test_long_term_seal_validates_with_the_root_and_its_own_validation_data(
    pki: Any, sealed: Any, now: datetime, level: PadesLevel, later: timedelta
) -> None:
    reader = read(sealed[level])
    (signature,) = reader.embedded_regular_signatures
    trust = DocumentSecurityStore.read_dss(reader).as_validation_context(
        context(pki, now + later, revocation_mode="require", allow_fetching=False)
    )

    status = asyncio.run(async_validate_pdf_signature(signature, trust))

    assert status.bottom_line
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.timestamp == now


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=61), timedelta(days=5 * 365)])
def test_b_lta_passes_the_long_term_validation_of_etsi(pki: Any, sealed: Any, now: datetime, later: timedelta) -> None:
    (signature,) = read(sealed[PadesLevel.B_LTA]).embedded_regular_signatures

    result = asyncio.run(ades_lta_validation(signature, offline_policy(pki), timing_at(now + later)))

    assert result.ades_subindic.standard_name == "OK"
    assert result.signature_timestamp_status is not None
    assert result.oldest_evidence_record_timestamp == now


def offline_policy(pki: Any) -> PdfSignatureValidationSpec:
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[asn1(anchor) for anchor in pki.anchors]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
    )
    gathering = RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY)
    return PdfSignatureValidationSpec(SignatureValidationSpec(policy, gathering))


def timing_at(moment: datetime) -> ValidationTimingInfo:
    return ValidationTimingInfo(moment, moment, point_in_time_validation=True)


@pytest.mark.parametrize("level", ALL)
def test_validation_data_are_there_from_b_lt_on(pki: Any, sealed: Any, level: PadesLevel) -> None:
    reader = read(sealed[level])
    if level not in LONG_TERM:
        assert "/DSS" not in reader.root
        return
    store = DocumentSecurityStore.read_dss(reader)

    names = {certificate.subject.native["common_name"] for certificate in store.load_certs()}
    assert names == {
        "DEMO - Root CA (no legal value)",
        "DEMO - Issuing CA (no legal value)",
        "DEMO - SEGELL ELECTRONIC DE PROVA (no legal value)",
        "DEMO - TSA (no legal value)",
    }
    assert len(store.crls) == 2
    assert not store.vri_entries


@pytest.mark.parametrize(("level", "revisions"), [(PadesLevel.B_LT, 2), (PadesLevel.B_LTA, 3)])
def test_seal_and_validation_data_take_one_revision(sealed: Any, level: PadesLevel, revisions: int) -> None:
    # the document itself is the first
    assert read(sealed[level]).xrefs.total_revisions == revisions


@pytest.mark.parametrize("level", ALL)
def test_widgets_are_invisible_and_fit_for_pdf_a_and_pdf_ua(sealed: Any, level: PadesLevel) -> None:
    reader = read(sealed[level])
    page = reader.root["/Pages"]["/Kids"][0]
    widgets = [annotation.get_object() for annotation in page["/Annots"]]

    assert page["/Tabs"] == "/S"
    assert len(widgets) == (2 if level is PadesLevel.B_LTA else 1)
    for widget in widgets:
        assert widget["/F"] == 132
        assert list(widget["/Rect"]) == [0, 0, 0, 0]
        assert widget["/TU"]


def test_page_without_tab_order_gets_that_of_the_structure(pki: Any, now: datetime) -> None:
    plain = weasyprint.HTML(string="<title>x</title><p>x").write_pdf()
    assert b"/Tabs" not in plain

    document = asyncio.run(sealer(pki, SealingProfile(PadesLevel.B_B), now).seal(UnsealedPdf(plain, pages=1)))

    assert read(document).root["/Pages"]["/Kids"][0]["/Tabs"] == "/S"


def test_first_revision_is_the_document_untouched(sealed: Any, pdf: UnsealedPdf) -> None:
    assert all(document.content.startswith(pdf.content) for document in sealed.values())
    assert all(document.pages == 2 for document in sealed.values())


@pytest.mark.parametrize("digest", list(DigestAlgorithm))
def test_digest_is_that_of_the_profile_everywhere(
    pki: Any, pdf: UnsealedPdf, now: datetime, digest: DigestAlgorithm
) -> None:
    document = asyncio.run(sealer(pki, SealingProfile(PadesLevel.B_LTA, digest), now).seal(pdf))
    reader = read(document)

    for signature in reader.embedded_signatures:
        assert signature.signer_info["digest_algorithm"]["algorithm"].native == digest
    (stamp,) = reader.embedded_timestamp_signatures
    imprint = stamp.signed_data["encap_content_info"]["content"].parsed["message_imprint"]
    assert imprint["hash_algorithm"]["algorithm"].native == digest


def test_signature_policy_makes_an_epes(pki: Any, pdf: UnsealedPdf, now: datetime) -> None:
    policy = SignaturePolicy("2.999.7", b"\x07" * 20, "sha1", "https://example.invalid/policy.pdf")

    document = asyncio.run(sealer(pki, SealingProfile(PadesLevel.B_B, policy=policy), now).seal(pdf))

    (signature,) = read(document).embedded_regular_signatures
    (found,) = [
        attribute["values"][0].chosen.native
        for attribute in signature.signer_info["signed_attrs"]
        if attribute["type"].native == "signature_policy_identifier"
    ]
    assert found["sig_policy_id"] == policy.oid
    assert found["sig_policy_hash"]["digest"] == policy.digest
    assert found["sig_policy_qualifiers"][0]["sig_qualifier"] == policy.uri


def test_rsa_pss_seals_validate(pki: Any, pdf: UnsealedPdf, now: datetime) -> None:
    files = pki.files
    key = load_pkcs12(pki.folder / files.seal_pkcs12, pki.passphrase(files.seal_passphrase_file), prefer_pss=True)

    document = asyncio.run(sealer(pki, SealingProfile(PadesLevel.B_LT), now, key).seal(pdf))

    (signature,) = read(document).embedded_regular_signatures
    assert signature.signer_info["signature_algorithm"]["algorithm"].native == "rsassa_pss"


def test_many_seals_in_flight_gather_once_and_all_differ(
    pki: Any, pdf: UnsealedPdf, now: datetime, gathered: list[object]
) -> None:
    async def many() -> list[SealedPdf]:
        each = sealer(pki, SealingProfile(PadesLevel.B_LTA), now)
        return await asyncio.gather(*(each.seal(pdf) for _ in range(8)))

    documents = asyncio.run(many())

    assert len(gathered) == 1
    assert len({document.content for document in documents}) == 8
    stores = [DocumentSecurityStore.read_dss(read(document)) for document in documents]
    assert {(len(store.certs), len(store.crls)) for store in stores} == {(4, 2)}


@pytest.mark.parametrize("case", [(timedelta(seconds=299), 1), (timedelta(seconds=300), 2)])
def test_trust_and_revocation_are_asked_anew_after_five_minutes(
    pki: Any, pdf: UnsealedPdf, now: datetime, gathered: list[object], case: tuple[timedelta, int]
) -> None:
    passed, times = case
    moment = [now]
    each = Sealer(
        pki.seal,
        SealingProfile(PadesLevel.B_B),
        trust_anchors=pki.anchors,
        revocation=pki.revocation,
        clock=lambda: moment[0],
    )
    asyncio.run(each.seal(pdf))
    moment[0] = now + passed
    asyncio.run(each.seal(pdf))

    assert len(gathered) == times
