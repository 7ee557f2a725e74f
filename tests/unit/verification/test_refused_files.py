"""One file for each way to fail. None may pass, and each is refused for its own reason."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pyhanko.pdf_utils.crypt import StandardSecurityHandler
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields

from sealtool.model import PadesLevel, Verdict, Verification
from sealtool.verification import Trust, later_changes, verify_certificate
from tests.pki import tampering
from tests.pki.authorities import NOW, SEALED_AT, YEAR, Pki, pki, revocation_list
from tests.pki.sealed_files import Attachment, record_attachment, record_json, seal, small_pdf, stamper_of

Sealed = dict[PadesLevel, bytes]
LT, LTA, BB, BT = PadesLevel.B_LT, PadesLevel.B_LTA, PadesLevel.B_B, PadesLevel.B_T


def _codes(verification: Verification) -> list[str]:
    assert verification.verdict is not Verdict.PASSED
    assert verification.certificate is None
    assert verification.sub_indication
    return [reason.code for reason in verification.reasons]


def _first(content: bytes, trust: Trust, **arguments: Any) -> tuple[str, str, str]:
    verification = verify_certificate(content, trust, **({"now": NOW} | arguments))
    return _codes(verification)[0], str(verification.verdict), verification.sub_indication


# --- the file as a whole --------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n", b"PK\x03\x04", b"%PDF-", b"x" * 2000, b" %PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf_is_refused(content: bytes, trust: Trust) -> None:
    assert _first(content, trust) == ("NOT_A_PDF", "FAILED", "FORMAT_FAILURE")


def test_an_unsealed_pdf_is_refused(trust: Trust) -> None:
    assert _first(small_pdf(), trust) == ("NO_SEAL", "FAILED", "FORMAT_FAILURE")


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])
def test_a_truncated_file_is_refused(sealed: Sealed, trust: Trust, share: float) -> None:
    content = sealed[LT][: int(len(sealed[LT]) * share)]
    assert _first(content, trust)[0] in {"NOT_A_PDF", "NOT_ENTIRE_FILE", "UNREADABLE"}


def test_of_a_file_without_its_end_nobody_says_that_something_was_appended(sealed: Sealed, trust: Trust) -> None:
    cut, longer = sealed[LT][:-500], tampering.with_byte_range(sealed[LT], lambda r: [*r[:3], r[3] - 30])
    assert "it was cut short, or something was appended" in _said(cut, trust)
    assert "Something stands behind it." in _said(longer, trust)


def _said(content: bytes, trust: Trust) -> str:
    (reason,) = verify_certificate(content, trust, now=NOW).reasons
    assert reason.code == "NOT_ENTIRE_FILE"
    return reason.message


def test_a_file_cut_back_to_before_its_seal_is_refused(sealed: Sealed, trust: Trust) -> None:
    end = sealed[LT].index(b"%%EOF") + 6
    assert _first(sealed[LT][:end], trust)[0] == "NO_SEAL"


def test_an_archived_file_cut_back_to_its_seal_is_of_a_lower_level(sealed: Sealed, trust: Trust) -> None:
    end = sealed[LTA].index(b"%%EOF", sealed[LTA].index(b"/ByteRange")) + 6
    assert verify_certificate(sealed[LTA][:end], trust, now=NOW).pades_level is LT
    assert _first(sealed[LTA][:end], trust, expected_level=LTA)[0] == "LEVEL_NOT_REACHED"


@pytest.mark.parametrize("junk", [b"\n", b" ", b"\0", b"junk", b"%%EOF\n", b"1 0 obj\n<<>>\nendobj\n"])
@pytest.mark.parametrize("level", [BB, LTA])
def test_anything_appended_is_refused(sealed: Sealed, trust: Trust, level: PadesLevel, junk: bytes) -> None:
    assert _first(sealed[level] + junk, trust) == ("NOT_ENTIRE_FILE", "FAILED", "FORMAT_FAILURE")


def test_anything_before_the_header_is_refused(sealed: Sealed, trust: Trust) -> None:
    assert _first(b"\n" + sealed[LT], trust)[0] == "NOT_A_PDF"


def test_an_encrypted_file_is_refused(trust: Trust) -> None:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(small_pdf())))
    writer.security_handler = handler = StandardSecurityHandler.build_from_pw("", "", encrypt_metadata=True)
    writer._assign_security_handler(handler)
    out = io.BytesIO()
    writer.write(out)
    assert _first(out.getvalue(), trust)[0] == "ENCRYPTED"


def test_a_file_larger_than_any_certificate_is_not_opened(trust: Trust) -> None:
    content = b"%PDF-1.7\n" + bytes(32 * 1024 * 1024)
    assert _first(content, trust) == ("TOO_LARGE", "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")


def test_another_file_than_the_manifest_names_is_refused(sealed: Sealed, trust: Trust) -> None:
    assert _first(sealed[LT], trust, expected_sha256="0" * 64) == ("HASH_DIFFERS", "FAILED", "HASH_FAILURE")


def test_the_file_the_manifest_names_passes_in_any_letter_case(sealed: Sealed, trust: Trust) -> None:
    sha256 = verify_certificate(sealed[LT], trust, now=NOW).sha256
    assert verify_certificate(sealed[LT], trust, now=NOW, expected_sha256=sha256.upper()).verdict is Verdict.PASSED


# --- changes behind the seal ----------------------------------------------------------------

UPDATES: dict[str, Callable[[bytes], bytes]] = {
    "other page text": tampering.replace_page_text,
    "same object, other page text": tampering.overwrite_page_text,
    "annotation": tampering.add_annotation,
    "script": tampering.add_open_action,
    "title": tampering.rename_document,
}


@pytest.mark.parametrize("change", UPDATES.values(), ids=UPDATES)
@pytest.mark.parametrize("level", [BB, LTA])
def test_an_update_behind_the_seal_is_refused(
    sealed: Sealed, trust: Trust, level: PadesLevel, change: Callable[[bytes], bytes]
) -> None:
    assert _first(change(sealed[level]), trust)[0] == "NOT_ENTIRE_FILE"


@pytest.mark.parametrize("change", UPDATES.values(), ids=UPDATES)
@pytest.mark.parametrize("level", [BB, LTA])
def test_a_time_stamp_bought_over_a_forged_update_does_not_help(
    sealed: Sealed, trust: Trust, hierarchy: Pki, level: PadesLevel, change: Callable[[bytes], bytes]
) -> None:
    forged = tampering.stamped(change(sealed[level]), stamper_of(hierarchy, SEALED_AT + timedelta(minutes=1)))
    assert _first(forged, trust) == ("CHANGED_AFTER_SEAL", "FAILED", "FORMAT_FAILURE")


@pytest.mark.parametrize("junk", [b"", b"5 0 obj\n<< /Type /Page >>\nendobj\n"])
def test_what_an_update_hides_from_its_table_is_refused(
    sealed: Sealed, trust: Trust, hierarchy: Pki, junk: bytes
) -> None:
    honest = tampering.stamped(sealed[LT], stamper_of(hierarchy, SEALED_AT))
    assert verify_certificate(honest, trust, now=NOW).verdict is Verdict.PASSED
    end = sealed[LT][sealed[LT].rindex(b"startxref") :]  # a second end, so that a writer goes on from there
    hiding = tampering.stamped(sealed[LT] + junk + end, stamper_of(hierarchy, SEALED_AT))
    assert _first(hiding, trust)[0] == "CHANGED_AFTER_SEAL"


@pytest.mark.parametrize("space", [b" ", b"\0", b" %\n"], ids=["space", "NUL", "comment"])
def test_an_object_that_no_table_lists_is_refused_however_it_is_written(
    sealed: Sealed, trust: Trust, hierarchy: Pki, space: bytes
) -> None:
    """Programs that repair files find it; ISO 32000-2, 7.2.3 says what white space is."""
    loose = space.join((b"5", b"0", b"obj\n<< /Type /Page >>\nendobj\n"))
    hiding = tampering.raw_update(sealed[LT], [(90, b"<< >>")], unlisted=loose)
    forged = tampering.stamped(hiding, stamper_of(hierarchy, SEALED_AT))
    assert _first(forged, trust)[0] == "CHANGED_AFTER_SEAL"


def test_an_object_that_is_listed_under_another_number_than_its_own_is_refused(trust: Trust, hierarchy: Pki) -> None:
    """Programs that repair files go by what stands before it: a sealed page would be another one there."""
    content = seal(small_pdf(), LT)
    listed = tampering.raw_update(content, [(90, b"<< /Type /Page >>")])
    for own in (b"05 0 obj", b"90 1 obj"):
        renamed = content + listed[len(content) :].replace(b"90 0 obj", own)
        forged = tampering.stamped(renamed, stamper_of(hierarchy, SEALED_AT))
        assert _first(forged, trust)[0] == "CHANGED_AFTER_SEAL"


def test_a_file_with_more_updates_than_archiving_makes_is_refused(
    trust: Trust, hierarchy: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them has to be looked at, and a file of some megabytes can hold a hundred thousand."""
    content = seal(small_pdf(), LT)
    for _ in range(3):
        content = tampering.stamped(content, stamper_of(hierarchy, SEALED_AT))
    monkeypatch.setattr(later_changes, "_MOST_UPDATES", 3)
    assert verify_certificate(content, trust, now=NOW).verdict is Verdict.PASSED
    monkeypatch.setattr(later_changes, "_MOST_UPDATES", 2)
    assert _first(content, trust)[0] == "CHANGED_AFTER_SEAL"


def test_an_object_that_a_sealed_page_named_in_advance_is_refused(trust: Trust, hierarchy: Pki) -> None:
    """A sealed reference that leads nowhere draws nothing, until an update defines what it leads to."""
    waiting = small_pdf(catalog=b"/Extensions << /X 90 0 R >>")
    content = seal(waiting, LT)
    assert verify_certificate(content, trust, now=NOW).verdict is Verdict.PASSED
    filled = tampering.raw_update(content, [(90, b"<< >>")])
    assert _first(tampering.stamped(filled, stamper_of(hierarchy, SEALED_AT)), trust)[0] == "CHANGED_AFTER_SEAL"


def test_an_object_that_belongs_to_no_time_stamp_and_no_validation_data_is_refused(
    trust: Trust, hierarchy: Pki
) -> None:
    """Nothing refers to it; but programs that repair files would find it."""
    filled = tampering.raw_update(seal(small_pdf(), LT), [(90, b"<< >>")])
    assert _first(tampering.stamped(filled, stamper_of(hierarchy, SEALED_AT)), trust)[0] == "CHANGED_AFTER_SEAL"


def test_a_second_seal_is_refused(sealed: Sealed, trust: Trust) -> None:
    twice = seal(sealed[LT], LT, field_name="Second", certify=False, docmdp_permissions=None)
    assert _first(twice, trust) == ("SEVERAL_SEALS", "FAILED", "FORMAT_FAILURE")


def test_an_empty_second_signature_field_is_refused(trust: Trust) -> None:
    def add_field(writer: Any) -> None:
        fields.append_signature_field(writer, fields.SigFieldSpec("Empty"))

    prepared = tampering.incremental_update(small_pdf(), add_field)
    assert _first(seal(prepared, LT), trust)[0] == "SEVERAL_SEALS"


def test_a_seal_in_a_field_of_another_name_is_refused(trust: Trust) -> None:
    content = seal(small_pdf(), LT, field_name="Signature1")
    assert _first(content, trust) == ("SEAL_FIELD_UNEXPECTED", "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")


def test_a_seal_that_is_not_pades_is_refused(trust_with_lists: Trust) -> None:
    content = seal(small_pdf(), BB, subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED)
    assert _first(content, trust_with_lists)[0] == "SUB_FILTER_UNEXPECTED"


# --- the byte range -------------------------------------------------------------------------

RANGES: dict[str, Callable[[list[int]], list[int]]] = {
    "does not begin at zero": lambda r: [1, r[1] - 1, r[2], r[3]],
    "leaves out a byte before the gap": lambda r: [0, r[1] - 1, r[2], r[3]],
    "leaves out a byte behind the gap": lambda r: [0, r[1], r[2] + 1, r[3] - 1],
    "covers the opening bracket": lambda r: [0, r[1] + 1, r[2], r[3]],
    "runs past the end": lambda r: [0, r[1], r[2], r[3] + 1],
    "has two gaps": lambda r: [0, r[1], r[2], 10, r[2] + 20, r[3] - 20],
    "has no gap": lambda r: [0, r[1], r[1], r[3]],
    "overlaps": lambda r: [0, r[2], r[1], r[3]],
    "is negative": lambda r: [0, -r[1], r[2], r[3]],
    "is empty": lambda _: [],
}


@pytest.mark.parametrize("change", RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("level", [BB, LTA])
def test_a_malformed_byte_range_is_refused(
    sealed: Sealed, trust: Trust, level: PadesLevel, change: Callable[[list[int]], list[int]]
) -> None:
    content = tampering.with_byte_range(sealed[level], change)
    assert _first(content, trust) == ("BYTE_RANGE_MALFORMED", "FAILED", "FORMAT_FAILURE")


def test_a_seal_over_a_part_of_the_file_is_refused(sealed: Sealed, trust: Trust) -> None:
    content = tampering.with_byte_range(sealed[LT], lambda r: [*r[:3], r[3] - 30])
    assert _first(content, trust)[0] == "NOT_ENTIRE_FILE"


def test_an_object_listed_behind_the_sealed_bytes_is_refused(trust: Trust) -> None:
    content = seal(tampering.with_unlisted_place(small_pdf()), LT)
    assert _first(content, trust) == ("BYTE_RANGE_MALFORMED", "FAILED", "FORMAT_FAILURE")


def test_the_value_of_another_seal_is_refused(sealed: Sealed, trust_with_lists: Trust) -> None:
    other = seal(small_pdf((record_attachment(level="C1"),)), BB)
    content = tampering.with_contents_of(sealed[BB], other)
    assert _first(content, trust_with_lists) == ("DIGEST_MISMATCH", "FAILED", "HASH_FAILURE")


def test_a_changed_page_is_refused(sealed: Sealed, trust: Trust) -> None:
    content = sealed[LT].replace(b"(level B1)", b"(level C1)", 1)
    assert _first(content, trust) == ("DIGEST_MISMATCH", "FAILED", "HASH_FAILURE")


def test_a_changed_page_of_an_archived_file_is_refused_by_seal_and_time_stamp(sealed: Sealed, trust: Trust) -> None:
    content = sealed[LTA].replace(b"(level B1)", b"(level C1)", 1)
    verification = verify_certificate(content, trust, now=NOW)
    assert _codes(verification) == ["TIME_STAMP_INVALID", "DIGEST_MISMATCH"]
    assert (verification.verdict, verification.sub_indication) == (Verdict.FAILED, "HASH_FAILURE")


def test_letter_case_inside_the_seals_value_cannot_be_changed(sealed: Sealed, trust_with_lists: Trust) -> None:
    start, end = tampering.contents_gap(sealed[BB])
    position = next(at for at in range(start, end) if sealed[BB][at : at + 1].isalpha())
    assert _first(tampering.flip(sealed[BB], position, 0x20), trust_with_lists)[0] == "BYTE_RANGE_MALFORMED"


def test_the_padding_of_the_seals_value_cannot_be_used(sealed: Sealed, trust_with_lists: Trust) -> None:
    _, end = tampering.contents_gap(sealed[BB])
    assert _first(tampering.flip(sealed[BB], end - 5), trust_with_lists)[0] == "SIGNATURE_MALFORMED"


def test_the_letter_case_of_the_whole_value_cannot_be_changed(sealed: Sealed, trust_with_lists: Trust) -> None:
    start, end = tampering.contents_gap(sealed[BB])
    content = sealed[BB][:start] + sealed[BB][start:end].swapcase() + sealed[BB][end:]
    assert _first(content, trust_with_lists)[0] == "BYTE_RANGE_MALFORMED"


@pytest.mark.parametrize("level", [BB, pytest.param(BT, marks=pytest.mark.long), LTA])
def test_no_changed_byte_passes(sealed: Sealed, trust_with_lists: Trust, level: PadesLevel) -> None:
    """A sample over the whole file; tests/fuzz takes every byte."""
    content = sealed[level]
    stride = len(content) // 60
    for position in range(3, len(content), stride):
        verification = verify_certificate(tampering.flip(content, position), trust_with_lists, now=NOW)
        assert verification.verdict is not Verdict.PASSED, position
        assert verification.reasons


# --- what the file holds --------------------------------------------------------------------

ACTING: dict[str, bytes] = {
    "open action": b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
    "action on closing": b"/AA << /WC << /S /JavaScript /JS (1) >> >>",
    "launch": b"/OpenAction << /S /Launch /F (calc.exe) >>",
    "outline": b"/Outlines << /First << /Title (x) /A << /S /URI /URI (https://example.org) >> >> >>",
    "portfolio": b"/Collection << /View /T >>",
    "layers": b"/OCProperties << /OCGs [] /D << >> >>",
}


@pytest.mark.parametrize("catalog", ACTING.values(), ids=ACTING)
def test_what_acts_by_itself_is_refused_even_under_the_seal(trust: Trust, catalog: bytes) -> None:
    verification = verify_certificate(seal(small_pdf(catalog=catalog), LT), trust, now=NOW)
    assert "ACTIVE_CONTENT" in _codes(verification)


ANNOTATIONS: dict[str, tuple[bytes, str]] = {
    "text": (b"/Subtype /FreeText /Contents (LEVEL C2)", "ANNOTATION_UNEXPECTED"),
    "attachment": (b"/Subtype /FileAttachment", "ANNOTATION_UNEXPECTED"),
    "link with a picture": (b"/Subtype /Link /AP << >>", "ANNOTATION_UNEXPECTED"),
    "link with a script": (b"/Subtype /Link /A << /S /JavaScript /JS (1) >>", "ACTIVE_CONTENT"),
    "link with a second action": (b"/Subtype /Link /A << /S /URI /Next << /S /Launch >> >>", "ACTIVE_CONTENT"),
}


@pytest.mark.parametrize(("annotation", "code"), ANNOTATIONS.values(), ids=ANNOTATIONS)
def test_an_annotation_that_is_no_plain_link_is_refused(trust: Trust, annotation: bytes, code: str) -> None:
    pdf = small_pdf(annotation=b"<< /Type /Annot /Rect [0 0 9 9] %s >>" % annotation)
    assert code in _codes(verify_certificate(seal(pdf, LT), trust, now=NOW))


def test_a_page_is_looked_at_whatever_it_calls_itself(trust: Trust) -> None:
    tree = PdfFileReader(io.BytesIO(small_pdf())).root["/Pages"]
    note = b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 600 850] /Contents (LEVEL C2) >>"
    body = b"<< /Parent %d 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots [%s] >>"
    number = tree["/Kids"].raw_get(1).idnum
    pdf = tampering.raw_update(small_pdf(), [(number, body % (tree.container_ref.idnum, note))])
    verification = verify_certificate(seal(pdf, LT), trust, now=NOW)
    assert "ANNOTATION_UNEXPECTED" in _codes(verification)
    assert verification.pages == 2


def test_a_plain_link_passes(trust: Trust) -> None:
    link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.org/) >> >>"
    assert verify_certificate(seal(small_pdf(annotation=link), LT), trust, now=NOW).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("attachments", "code"),
    [
        ((), "RECORD_MISSING"),
        ((Attachment("other.json", record_json()),), "RECORD_MISSING"),
        ((record_attachment(), record_attachment(level="C2")), "RECORD_AMBIGUOUS"),
        ((record_attachment(), Attachment("RECORD.JSON", record_json(level="C2"))), "RECORD_AMBIGUOUS"),
        ((Attachment("record.json", b"not json"),), "RECORD_UNREADABLE"),
        ((Attachment("record.json", b"\xff\xfe"),), "RECORD_UNREADABLE"),
        ((Attachment("record.json", record_json()[:-1] + b',"level":"C2"}'),), "RECORD_UNREADABLE"),
        ((record_attachment(schema="sealtool.record/2"),), "RECORD_UNREADABLE"),
        ((record_attachment(level="D1"),), "RECORD_UNREADABLE"),
        ((record_attachment(area=7),), "RECORD_UNREADABLE"),
        ((record_attachment(area=True),), "RECORD_UNREADABLE"),
        ((record_attachment(accredited_on="2025-13-01"),), "RECORD_UNREADABLE"),
        ((record_attachment(person="somebody"),), "RECORD_UNREADABLE"),
        ((record_attachment(certificate_id=""),), "RECORD_UNREADABLE"),
        ((record_attachment(procedures=[]),), "RECORD_UNREADABLE"),
        ((record_attachment(procedures=["luck"]),), "RECORD_UNREADABLE"),
        ((record_attachment(areas=None),), "RECORD_UNREADABLE"),
        ((record_attachment(areas=[7]),), "RECORD_UNREADABLE"),
        (
            (record_attachment(areas=[{"area": 9, "covered_on": "2024-11-30", "procedure": "test"}]),),
            "RECORD_UNREADABLE",
        ),
        ((record_attachment(areas=[{"area": 1, "covered_on": "autumn", "procedure": "test"}]),), "RECORD_UNREADABLE"),
        ((record_attachment(areas=[{"area": 1, "covered_on": "2024-11-30"}]),), "RECORD_UNREADABLE"),
        ((record_attachment(rules_version=None),), "RECORD_UNREADABLE"),
    ],
)
def test_a_sealed_file_without_one_readable_record_is_left_open(
    trust_with_lists: Trust, attachments: tuple[Attachment, ...], code: str
) -> None:
    verification = verify_certificate(seal(small_pdf(attachments), BB), trust_with_lists, now=NOW)
    assert _codes(verification) == [code]
    assert verification.verdict is Verdict.INDETERMINATE
    assert verification.pades_level is BB  # the seal as such is sound, and is told to be


def test_reasons_never_tell_what_the_record_says(trust: Trust) -> None:
    content = seal(small_pdf((record_attachment(area=9),)), LT)
    message = verify_certificate(content, trust, now=NOW).reasons[0].message
    assert "10000000P" not in message
    assert "Aina" not in message


# --- who sealed, and when -------------------------------------------------------------------


@pytest.mark.parametrize("level", list(PadesLevel))
def test_the_seal_of_another_authority_with_the_same_names_is_not_trusted(
    trust_with_lists: Trust, level: PadesLevel
) -> None:
    codes = _codes(verify_certificate(seal(small_pdf(), level, hierarchy=pki("forger")), trust_with_lists, now=NOW))
    assert {"UNTRUSTED", "CHAIN_UNSOUND"} & set(codes)


def test_a_seal_certificate_among_the_anchors_is_trusted_for_nothing(sealed: Sealed, hierarchy: Pki) -> None:
    pinned = Trust((hierarchy.seals["seal"].der,), (), hierarchy.lists)
    assert _first(sealed[BB], pinned)[0] == "UNTRUSTED"


SIGNERS: list[tuple[str, str, str]] = [
    ("expired", "SEAL_CERTIFICATE_EXPIRED", "EXPIRED"),
    ("future", "SEAL_CERTIFICATE_NOT_YET_VALID", "NOT_YET_VALID"),
    ("encipherment", "NOT_FOR_SEALING", "CHAIN_CONSTRAINTS_FAILURE"),
    ("person", "NOT_FOR_SEALING", "CHAIN_CONSTRAINTS_FAILURE"),
    ("weak_key", "WEAK_ALGORITHM", "CRYPTO_CONSTRAINTS_FAILURE"),
]


@pytest.mark.parametrize("level", [BB, BT])
@pytest.mark.parametrize(("who", "code", "sub_indication"), SIGNERS)
def test_a_certificate_that_must_not_seal_is_refused(
    trust_with_lists: Trust, level: PadesLevel, who: str, code: str, sub_indication: str
) -> None:
    content = seal(small_pdf(), level, who=who, signer_key_usage=set())
    assert _first(content, trust_with_lists) == (code, "INDETERMINATE", sub_indication)


def test_the_seal_of_another_organisation_is_told_apart(trust_with_lists: Trust, hierarchy: Pki) -> None:
    content = seal(small_pdf(), BB, who="other_office")
    assert verify_certificate(content, trust_with_lists, now=NOW).verdict is Verdict.PASSED
    ours = Trust((hierarchy.root.der,), (), hierarchy.lists, ("VATES-S0711001H",))
    assert _first(content, ours)[0] == "FOREIGN_ORGANIZATION"


@pytest.mark.parametrize("level", [BB, BT, LTA])
def test_a_seal_made_after_its_certificate_was_revoked_is_refused(
    trust: Trust, hierarchy: Pki, level: PadesLevel
) -> None:
    serial = hierarchy.seals["revoked"].certificate.serial_number
    revoked = revocation_list(hierarchy.issuing, {serial: SEALED_AT - timedelta(days=1)}, this_update=NOW)
    informed = Trust(trust.anchors, (), (*hierarchy.lists, revoked))
    assert _first(seal(small_pdf(), level, who="revoked"), informed) == (
        "SEAL_CERTIFICATE_REVOKED",
        "FAILED",
        "REVOKED",
    )


def test_an_unproven_seal_of_a_certificate_revoked_since_is_left_open(trust: Trust, hierarchy: Pki) -> None:
    serial = hierarchy.seals["revoked"].certificate.serial_number
    revoked = revocation_list(hierarchy.issuing, {serial: SEALED_AT + timedelta(hours=1)}, this_update=NOW)
    informed = Trust(trust.anchors, (), (revocation_list(hierarchy.root), revoked))
    outcome = _first(seal(small_pdf(), BB, who="revoked"), informed)
    assert outcome == ("SEAL_CERTIFICATE_REVOKED", "INDETERMINATE", "REVOKED_NO_POE")


def test_a_seal_below_a_revoked_authority_is_refused(sealed: Sealed, trust: Trust, hierarchy: Pki) -> None:
    revoked = revocation_list(hierarchy.root, {2: SEALED_AT - timedelta(days=1)}, this_update=NOW)
    informed = Trust(trust.anchors, (), (revoked, revocation_list(hierarchy.issuing)))
    assert _first(sealed[BB], informed)[0] == "AUTHORITY_REVOKED"


def test_a_time_stamp_of_a_revoked_authority_proves_nothing(sealed: Sealed, trust: Trust, hierarchy: Pki) -> None:
    revoked = revocation_list(hierarchy.issuing, {3: SEALED_AT + timedelta(minutes=30)}, this_update=NOW)
    informed = Trust(trust.anchors, (), (revocation_list(hierarchy.root), revoked))
    for level in (BT, LT, LTA):
        assert _first(sealed[level], informed)[::2] == ("TIME_STAMP_INVALID", "REVOKED_NO_POE")


def test_a_list_forged_under_the_authoritys_name_says_nothing(sealed: Sealed, trust: Trust, hierarchy: Pki) -> None:
    forger = pki("forger")
    serial = hierarchy.seals["seal"].certificate.serial_number
    forged = revocation_list(forger.issuing, {serial: SEALED_AT - timedelta(days=9)})
    assert verify_certificate(sealed[LT], Trust(trust.anchors, (), (forged,)), now=NOW).verdict is Verdict.PASSED
    only_forged = Trust(trust.anchors, (), (forged, revocation_list(forger.root)))
    assert _first(sealed[BB], only_forged)[0] == "NO_REVOCATION_DATA"


@pytest.mark.parametrize("kept", [0, 1])
def test_every_authority_of_the_chain_needs_its_list(sealed: Sealed, trust: Trust, hierarchy: Pki, kept: int) -> None:
    half = Trust(trust.anchors, (), (hierarchy.lists[kept],))
    assert _first(sealed[BB], half) == ("NO_REVOCATION_DATA", "INDETERMINATE", "TRY_LATER")


def test_a_list_past_its_next_update_is_not_enough(sealed: Sealed, trust_with_lists: Trust) -> None:
    end = SEALED_AT - timedelta(hours=1) + timedelta(days=7)
    assert verify_certificate(sealed[BB], trust_with_lists, now=end).verdict is Verdict.PASSED
    assert _first(sealed[BB], trust_with_lists, now=end + timedelta(seconds=5))[0] == "NO_REVOCATION_DATA"


def test_a_seal_made_with_sha1_is_refused(trust_with_lists: Trust) -> None:
    content = seal(small_pdf(), BB, md_algorithm="sha1")
    assert _first(content, trust_with_lists) == ("WEAK_ALGORITHM", "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE")


def test_an_untrusted_time_stamp_proves_nothing(trust_with_lists: Trust) -> None:
    content = seal(small_pdf(), BT, stamper=stamper_of(pki("forger"), SEALED_AT))
    assert _first(content, trust_with_lists)[0] == "TIME_STAMP_INVALID"


@pytest.mark.parametrize("level", [BB, BT])
def test_a_seal_that_does_not_say_when_it_was_made_is_refused(trust_with_lists: Trust, level: PadesLevel) -> None:
    """A time stamp tells when it was there at the latest; what the seal claims has to agree with that."""
    content = seal(small_pdf(), level, moment=None)
    assert _first(content, trust_with_lists) == ("SIGNATURE_MALFORMED", "FAILED", "FORMAT_FAILURE")


@pytest.mark.parametrize(("off", "accepted"), [(timedelta(minutes=-5), True), (timedelta(minutes=-6), False)])
def test_a_time_stamp_older_than_the_seal_claims_to_be_is_refused(
    trust_with_lists: Trust, hierarchy: Pki, off: timedelta, accepted: bool
) -> None:
    content = seal(small_pdf(), BT, stamper=stamper_of(hierarchy, SEALED_AT + off))
    verification = verify_certificate(content, trust_with_lists, now=NOW)
    assert (verification.verdict is Verdict.PASSED) is accepted
    assert accepted or _codes(verification) == ["TIME_ORDER"]


def test_a_seal_from_the_future_is_refused(sealed: Sealed, trust: Trust) -> None:
    before = SEALED_AT - timedelta(minutes=6)
    for level in (BT, LT, LTA):
        assert "TIME_ORDER" in _codes(
            verify_certificate(sealed[level], Trust(trust.anchors, (), pki().lists), now=before)
        )


def test_a_lower_level_than_expected_is_told(sealed: Sealed, trust_with_lists: Trust) -> None:
    verification = verify_certificate(sealed[BT], trust_with_lists, now=NOW, expected_level=LT)
    assert _codes(verification) == ["LEVEL_NOT_REACHED"]
    assert verification.pades_level is BT


def test_a_higher_level_than_expected_passes(sealed: Sealed, trust: Trust) -> None:
    assert verify_certificate(sealed[LTA], trust, now=NOW, expected_level=BB).verdict is Verdict.PASSED


def test_a_store_without_revocation_data_does_not_make_a_long_term_seal(trust_with_lists: Trust) -> None:
    content = seal(small_pdf(catalog=b"/DSS << /Certs [] >>"), BT)
    verification = verify_certificate(content, trust_with_lists, now=NOW)
    assert (verification.verdict, verification.pades_level) == (Verdict.PASSED, BT)


def test_an_expired_seal_does_not_come_back_with_a_later_archive_time_stamp(
    sealed: Sealed, trust: Trust, hierarchy: Pki
) -> None:
    late = tampering.stamped(sealed[LT], stamper_of(hierarchy, SEALED_AT + YEAR + timedelta(days=2)))
    informed = Trust(
        trust.anchors,
        (),
        tuple(
            revocation_list(issuer, this_update=SEALED_AT + YEAR + timedelta(days=1))
            for issuer in (hierarchy.root, hierarchy.issuing)
        ),
    )
    assert _first(late, informed, now=NOW + YEAR + timedelta(days=3))[0] == "SEAL_CERTIFICATE_EXPIRED"
