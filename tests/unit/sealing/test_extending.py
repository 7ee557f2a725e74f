"""Sealed documents that are extended to B-LTA, and again before their archive time stamp runs out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore

from sealtool.errors import ConfigurationError, ExtensionError, SelfCheckError, ServiceUnreachableError
from sealtool.model import PadesLevel, SealedPdf, UnsealedPdf, Verdict, Verification
from sealtool.sealing import Extender, HttpTimeStampAuthority, RevocationSources
from sealtool.sealing import extending as module
from sealtool.sealing.retrying import ONE_TRY
from sealtool.verification import Trust, verify_certificate
from tests.pki import sealed_files
from tests.pki.authorities import SEALED_AT, pki, with_digest
from tests.pki.sealed_files import small_pdf
from tests.pki.timeline import FIRST_ENDS, SEAL_ENDS, SECOND_ENDS, Timeline

LATER = SEALED_AT + timedelta(days=20)
AFTER_THE_SEAL = SEAL_ENDS + timedelta(days=30)
AFTER_THE_FIRST = FIRST_ENDS + timedelta(days=60)


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    return Timeline(tmp_path / "pki")


def seal(timeline: Timeline, level: PadesLevel, content: bytes | None = None) -> SealedPdf:
    async def once() -> SealedPdf:
        async with timeline.sealer(level) as sealer:
            return await sealer.seal(UnsealedPdf(content or small_pdf(), 2))

    return asyncio.run(once())


def extend(extender: Extender, *documents: SealedPdf) -> list[SealedPdf]:
    async def all_of_them() -> list[SealedPdf]:
        async with extender:
            return await asyncio.gather(*map(extender.extend, documents))

    return asyncio.run(all_of_them())


def judge(document: SealedPdf, trust: Trust, now: datetime) -> Verification:
    return verify_certificate(document.content, trust, now=now)


@pytest.mark.parametrize("level", list(PadesLevel))
def test_a_document_of_any_level_becomes_b_lta_and_keeps_all_it_had(timeline: Timeline, level: PadesLevel) -> None:
    document = seal(timeline, level)
    before = judge(document, timeline.informed_trust, SEALED_AT)
    (extended,) = extend(timeline.at(LATER).extender(), document)
    after = judge(extended, timeline.trust, LATER)
    assert (after.reasons, after.pades_level) == ((), PadesLevel.B_LTA)
    assert after.certificate == before.certificate is not None
    assert extended.content.startswith(document.content)
    assert extended.content.count(b"startxref", len(document.content)) == 1


@pytest.mark.parametrize("level", [PadesLevel.B_LT, PadesLevel.B_LTA])
def test_no_document_is_sealed_or_extended_on_weakly_signed_lists(timeline: Timeline, level: PadesLevel) -> None:
    """Whoever verifies it would not go by them."""
    document = seal(timeline, PadesLevel.B_T)
    listed = timeline.folder / "issuing.crl"
    listed.write_bytes(with_digest(listed.read_bytes(), pki().issuing, hashes.SHA1()))  # noqa: S303
    with pytest.raises(ServiceUnreachableError, match="do not suffice"):
        seal(timeline, level)
    with pytest.raises(ServiceUnreachableError, match="do not suffice"):
        extend(timeline.extender(), document)


def test_time_stamps_that_follow_each_other_are_numbered_named_and_invisible(timeline: Timeline) -> None:
    document = seal(timeline, PadesLevel.B_B)
    for days in range(1, 4):
        (document,) = extend(timeline.at(SEALED_AT + timedelta(days=days)).extender(), document)
    reader = PdfFileReader(BytesIO(document.content))
    fields = [field.get_object() for field in reader.root["/AcroForm"]["/Fields"]]
    names = ["Seal", "DocumentTimeStamp", "DocumentTimeStamp2", "DocumentTimeStamp3"]
    assert [str(field["/T"]) for field in fields] == names
    assert {str(field["/TU"]) for field in fields[1:]} == {"Segell de temps / Sello de tiempo"}
    assert all([float(side) for side in field["/Rect"]] == [0, 0, 0, 0] for field in fields)
    page = reader.root["/Pages"]["/Kids"][0]
    assert (page["/Tabs"], len(page["/Annots"])) == ("/S", 4)


def test_what_the_document_holds_already_is_not_added_again(timeline: Timeline) -> None:
    document = seal(timeline, PadesLevel.B_LTA)
    (extended,) = extend(timeline.extender(), document)  # the same lists, the same authority
    held, grown = (DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(one.content))) for one in (document, extended))
    assert len(grown.crls) == len(held.crls) == 2
    assert len(list(grown.load_certs())) == len(list(held.load_certs()))


@pytest.mark.parametrize(
    ("level", "names"),
    [(PadesLevel.B_T, {"Test seal", "First authority"}), (PadesLevel.B_LTA, {"First authority"})],
)
def test_what_it_takes_to_judge_what_was_there_is_put_before_the_new_time_stamp(
    timeline: Timeline, level: PadesLevel, names: set[str]
) -> None:
    document = seal(timeline, level)
    (extended,) = extend(timeline.at(LATER).extender(timeline.authority("second")), document)
    store = DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(extended.content)))
    held = {str(certificate.subject.native["common_name"]) for certificate in store.load_certs()}
    assert held >= {*names, "Second authority", "Test issuing CA", "Test root"}
    fresh = {list_.get_object().data for list_ in store.crls}
    assert fresh >= {path.read_bytes() for path in timeline.folder.glob("*.crl")}


# --- over the years ---------------------------------------------------------------------------------------


def test_a_document_outlives_its_first_time_stamp_authority_only_when_it_was_renewed(timeline: Timeline) -> None:
    document = seal(timeline, PadesLevel.B_LTA)
    assert judge(document, timeline.trust, SEALED_AT).provable_until == FIRST_ENDS
    (renewed,) = extend(timeline.at(AFTER_THE_SEAL).extender(timeline.authority("second")), document)
    left_alone, kept = (judge(one, timeline.trust, AFTER_THE_FIRST) for one in (document, renewed))
    assert [reason.code for reason in left_alone.reasons] == ["TIME_STAMP_EXPIRED"]
    assert left_alone.verdict is Verdict.INDETERMINATE
    assert (kept.reasons, kept.pades_level, kept.provable_until) == ((), PadesLevel.B_LTA, SECOND_ENDS)


def test_a_seal_certificate_that_is_archived_is_not_asked_again(timeline: Timeline) -> None:
    timeline.revoked["seal"] = SEALED_AT + timedelta(days=1)
    document = seal(timeline, PadesLevel.B_LTA)
    (renewed,) = extend(timeline.at(AFTER_THE_SEAL).extender(), document)  # revoked since, and expired since
    assert judge(renewed, timeline.trust, AFTER_THE_SEAL).reasons == ()


@pytest.mark.parametrize("level", [PadesLevel.B_B, PadesLevel.B_T, PadesLevel.B_LT])
def test_an_archive_time_stamp_after_the_end_of_the_seal_comes_too_late(timeline: Timeline, level: PadesLevel) -> None:
    document = seal(timeline, level)
    with pytest.raises(ExtensionError, match="too late"):
        extend(timeline.at(AFTER_THE_SEAL).extender(), document)


def test_an_archive_time_stamp_after_the_end_of_the_last_one_comes_too_late(timeline: Timeline) -> None:
    document = seal(timeline, PadesLevel.B_LTA)
    with pytest.raises(ExtensionError, match=r"First authority.*too late"):
        extend(timeline.at(AFTER_THE_FIRST).extender(timeline.authority("second")), document)


# --- revocation -------------------------------------------------------------------------------------------


def test_a_seal_without_time_stamp_whose_certificate_was_revoked_is_refused(timeline: Timeline) -> None:
    document = seal(timeline, PadesLevel.B_B)
    timeline.revoked["seal"] = SEALED_AT + timedelta(days=1)
    with pytest.raises(ExtensionError, match=r"Test seal.*revoked"):
        extend(timeline.at(LATER).extender(), document)


@pytest.mark.parametrize("level", [PadesLevel.B_T, PadesLevel.B_LT])
def test_a_seal_that_is_proven_to_be_older_than_its_revocation_is_kept(timeline: Timeline, level: PadesLevel) -> None:
    document = seal(timeline, level)
    timeline.revoked["seal"] = SEALED_AT + timedelta(days=1)
    (extended,) = extend(timeline.at(LATER).extender(), document)
    after = judge(extended, timeline.trust, AFTER_THE_SEAL)
    assert (after.reasons, after.pades_level) == ((), PadesLevel.B_LTA)


@pytest.mark.parametrize("level", [PadesLevel.B_T, PadesLevel.B_LTA])
def test_a_time_stamp_whose_authority_was_revoked_is_refused(timeline: Timeline, level: PadesLevel) -> None:
    document = seal(timeline, level)
    timeline.revoked["first"] = SEALED_AT + timedelta(days=1)
    with pytest.raises(ExtensionError, match=r"First authority.*revoked"):
        extend(timeline.at(LATER).extender(timeline.authority("second")), document)


def test_without_news_of_revocation_nothing_is_extended(timeline: Timeline, tmp_path: Path) -> None:
    document = seal(timeline, PadesLevel.B_LTA)
    (tmp_path / "root.crl").write_bytes((timeline.folder / "root.crl").read_bytes())
    with pytest.raises(ServiceUnreachableError):
        extend(timeline.extender(revocation=RevocationSources((str(tmp_path / "root.crl"),))), document)


# --- services ---------------------------------------------------------------------------------------------


def test_an_authority_that_is_down_stops_it(timeline: Timeline, free_port_url: str) -> None:
    document = seal(timeline, PadesLevel.B_B)
    with pytest.raises(ServiceUnreachableError, match="gave no usable time stamp"):
        extend(timeline.extender(HttpTimeStampAuthority(free_port_url, patience=ONE_TRY)), document)


def test_the_next_authority_takes_the_place_of_one_that_is_down(timeline: Timeline, free_port_url: str) -> None:
    document = seal(timeline, PadesLevel.B_B)
    extender = timeline.extender(HttpTimeStampAuthority(free_port_url, patience=ONE_TRY), timeline.authority("second"))
    (extended,) = extend(extender, document)
    assert judge(extended, timeline.trust, SEALED_AT).provable_until == SECOND_ENDS


def test_an_authority_that_fails_in_the_middle_is_passed_over(timeline: Timeline) -> None:
    first = timeline.authority("first")
    answer, asked = first._answer, 0

    async def once_only(request: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise OSError("gone")
        return await answer(request)

    first._answer = once_only  # type: ignore[method-assign]
    documents = [seal(timeline, PadesLevel.B_B) for _ in range(3)]
    extended = extend(timeline.extender(first, timeline.authority("second")), *documents)
    assert {judge(one, timeline.trust, SEALED_AT).provable_until for one in extended} == {SECOND_ENDS}


def test_many_documents_of_one_seal_ask_about_it_once(timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original: Callable[..., Any] = Extender._ask

    async def counting(self: Extender, question: Any, now: datetime) -> Any:
        asked.append(question.what)
        return await original(self, question, now)

    monkeypatch.setattr(Extender, "_ask", counting)
    extend(timeline.extender(), *(seal(timeline, PadesLevel.B_T) for _ in range(4)))
    assert asked == [
        "The certificate of the seal «Test seal»",
        "The certificate of the time stamp authority «First authority»",
    ]


def outcomes(timeline: Timeline, *documents: bytes) -> list[str | None]:
    """What becomes of documents that one extender is given one after the other: the error, if there is one."""

    async def one_after_the_other() -> list[str | None]:
        found: list[str | None] = []
        async with timeline.extender() as extender:
            for content in documents:
                try:
                    await extender.extend(SealedPdf(content, 2))
                    found.append(None)
                except ExtensionError as error:
                    found.append(error.message)
        return found

    return asyncio.run(one_after_the_other())


def test_a_path_that_one_document_brings_counts_for_no_other(timeline: Timeline) -> None:
    whole = sealed_files.seal(small_pdf(), PadesLevel.B_B)
    bare = sealed_files.seal(small_pdf(), PadesLevel.B_B, hierarchy=replace(pki(), issuing=pki().seals["seal"]))
    refused, extended = outcomes(timeline, bare, whole)
    assert refused is not None
    assert "cannot be validated" in refused
    assert extended is None
    assert outcomes(timeline, whole, bare) == [None, refused]


def test_a_certificate_that_seals_is_asked_anew_whether_it_may_stamp_times(timeline: Timeline) -> None:
    stamper = sealed_files.stamper_of(replace(pki(), authority=pki().seals["rsa"]), SEALED_AT)
    sealed = sealed_files.seal(small_pdf(), PadesLevel.B_B, who="rsa")
    stamped = sealed_files.seal(small_pdf(), PadesLevel.B_T, who="rsa", stamper=stamper)
    (refused,) = outcomes(timeline, stamped)
    assert refused is not None
    assert outcomes(timeline, sealed, stamped) == [None, refused]


def test_documents_in_flight_do_not_each_wait_for_an_authority_that_is_down(timeline: Timeline) -> None:
    first, asked = timeline.authority("first"), 0

    async def down(_: Any) -> Any:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        raise OSError("gone")

    first._answer = down  # type: ignore[method-assign]
    with pytest.raises(ServiceUnreachableError):
        extend(timeline.extender(first), *([seal(timeline, PadesLevel.B_B)] * 8))
    assert asked == 1


def test_it_is_told_beforehand_until_when_a_time_stamp_lasts(timeline: Timeline) -> None:
    async def prepare() -> datetime:
        async with timeline.extender() as extender:
            return await extender.prepare()

    assert asyncio.run(prepare()) == FIRST_ENDS


@pytest.mark.parametrize("missing", ["time_stamps", "trust_anchors", "revocation"])
def test_without_the_means_there_is_no_extender(timeline: Timeline, missing: str) -> None:
    means: dict[str, Any] = {
        "time_stamps": [timeline.authority("first")],
        "trust_anchors": [object()],
        "revocation": timeline.lists,
    }
    means[missing] = RevocationSources() if missing == "revocation" else []
    with pytest.raises(ConfigurationError, match="cannot be extended"):
        Extender(**means)


# --- what comes out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 nonsense", small_pdf()], ids=["empty", "broken", "not sealed"])
def test_what_is_no_sealed_document_is_refused(timeline: Timeline, content: bytes) -> None:
    with pytest.raises(ExtensionError):
        extend(timeline.extender(), SealedPdf(content, 1))


@pytest.mark.parametrize("fault", ["nothing added", "beginning changed", "cut off"])
def test_what_came_out_wrong_is_thrown_away(timeline: Timeline, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    original = module.stamp_document

    async def faulty(content: bytes, *arguments: Any) -> bytes:
        if fault == "nothing added":
            return content
        stamped = await original(content, *arguments)
        return stamped.replace(b"level B1", b"level C1") if fault == "beginning changed" else stamped[:-200]

    monkeypatch.setattr(module, "stamp_document", faulty)
    with pytest.raises(SelfCheckError):
        extend(timeline.extender(), seal(timeline, PadesLevel.B_LTA))
