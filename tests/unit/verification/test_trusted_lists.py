"""EU trusted lists: which of them are believed, and what they say of a seal at the time it was made."""

from __future__ import annotations

import base64
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from pyhanko.sign.validation.qualified import eutl_parse
from xsdata.formats.dataclass.context import XmlContext

from sealtool.errors import ConfigurationError
from sealtool.model import PadesLevel, SealQualification, TimeStampQualification, Verdict, Verification
from sealtool.verification import Trust, load_trust, verify_certificate, verify_detached
from tests.pki.authorities import (
    ESEAL_STATEMENTS,
    NOW,
    SEAL_POLICIES,
    SEALED_AT,
    YEAR,
    Identity,
    Pki,
    Profile,
    issue,
    key_for,
    pki,
    revocation_list,
    seal_profile,
    stamp_profile,
)
from tests.pki.sealed_files import detached_seal, seal, small_pdf, stamper_of
from tests.pki.trusted_lists import (
    DS,
    ENVELOPED,
    EXCLUSIVE,
    FOR_SEALS,
    FOR_SIGNATURES,
    GRANTED,
    ISSUED_AT,
    NEXT_UPDATE,
    QTST,
    RECOGNISED,
    TSA,
    TSL,
    WITHDRAWN,
    Scheme,
    Service,
    Status,
    list_of_lists,
    list_signer,
    signed,
    trusted_list,
)

QUALIFIED, ADVANCED, NOT_QUALIFIED = SealQualification
QC_SSCD = bytes.fromhex("3008060604008e460104")
"""The statement that the key is in a device (0.4.0.1862.1.4)."""
A_DAY = timedelta(days=1)
IN_DEVICE = {"QCWithQSCD": SEAL_POLICIES[0]}


@pytest.fixture(scope="module", autouse=True)
def _one_index_of_classes() -> Iterator[None]:
    """The parser of lists makes an index of all classes of the process anew for each list: of a great many, here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eutl_parse, "XmlParser", partial(eutl_parse.XmlParser, context=XmlContext()))
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an auditor hands in: the certificate of whoever signs lists."""
    (tmp_path / "signer.pem").write_bytes(_pem(list_signer()))
    return tmp_path


def _pem(identity: Identity) -> bytes:
    return identity.certificate.public_bytes(serialization.Encoding.PEM)


def _handed_in(folder: Path, *lists: bytes, now: datetime = NOW, organizations: Iterable[str] = ()) -> Trust:
    for number, content in enumerate(lists):
        (folder / f"list-{number}.xml").write_bytes(content)
    return load_trust([folder], organizations, now=now)


def _services(hierarchy: Pki, *statuses: Status, stamps: bool = True) -> list[Service]:
    services = [Service(hierarchy.issuing.der, statuses or (Status(qualifiers=IN_DEVICE),))]
    return [*services, Service(hierarchy.authority.der, kind=QTST)] if stamps else services


def _listed(folder: Path, hierarchy: Pki, *statuses: Status) -> Trust:
    return _handed_in(folder, signed(trusted_list(_services(hierarchy, *statuses))))


def _judged(content: bytes, trust: Trust, now: datetime = NOW) -> Verification:
    return verify_certificate(content, trust, now=now)


def _qualification(judged: Verification) -> SealQualification | None:
    assert judged.verdict is Verdict.PASSED, judged.reasons
    assert judged.seal is not None
    return judged.seal.qualification


def _time_stamp(judged: Verification) -> TimeStampQualification | None:
    assert judged.verdict is Verdict.PASSED, judged.reasons
    assert judged.seal is not None
    return judged.seal.time_stamp_qualification


def _codes(judged: Verification) -> list[str]:
    return [str(reason.code) for reason in judged.reasons]


# --- lists that are believed ----------------------------------------------------------------------


def test_a_list_and_its_signer_are_trust_enough(
    folder: Path, hierarchy: Pki, trust: Trust, sealed: dict[PadesLevel, bytes]
) -> None:
    listed = _listed(folder, hierarchy)
    assert not listed.anchors
    for level in (PadesLevel.B_LT, PadesLevel.B_LTA):
        by_list, by_root = _judged(sealed[level], listed), _judged(sealed[level], trust)
        assert by_list.verdict is by_root.verdict is Verdict.PASSED
        assert by_list.pades_level is by_root.pades_level is level
        assert by_list.certificate == by_root.certificate
        assert by_root.seal is not None
        assert by_root.seal.qualification is by_root.seal.time_stamp_qualification is None


def test_below_b_lt_revocation_lists_lie_beside_the_list(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    assert _codes(_judged(sealed[PadesLevel.B_T], _listed(folder, hierarchy))) == ["NO_REVOCATION_DATA"]
    for number, content in enumerate(hierarchy.lists):
        (folder / f"{number}.crl").write_bytes(content)
    for level in (PadesLevel.B_B, PadesLevel.B_T):
        judged = _judged(sealed[level], _listed(folder, hierarchy))
        assert (judged.verdict, judged.pades_level) == (Verdict.PASSED, level)


@pytest.mark.parametrize("kind", ["rsa2048", "rsa4096", "p256"])
@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
def test_the_usual_algorithms_are_accepted(tmp_path: Path, hierarchy: Pki, kind: str, digest: str) -> None:
    signer = list_signer(kind=kind)
    (tmp_path / "signer.der").write_bytes(signer.der)
    assert _handed_in(tmp_path, signed(trusted_list(_services(hierarchy)), signer, digest=digest)).services


def test_the_signer_of_a_list_becomes_no_anchor(folder: Path, hierarchy: Pki) -> None:
    trust = _listed(folder, hierarchy)
    assert trust.anchors == ()
    forged = issue(seal_profile(), key_for("forged seal"), list_signer(), 0x666)
    forger = Pki(list_signer(), list_signer(), hierarchy.authority, {"seal": forged}, hierarchy.lists)
    (folder / "list.crl").write_bytes(revocation_list(list_signer()))
    assert _codes(_judged(_sealed_by(forger), _listed(folder, hierarchy))) == ["UNTRUSTED"]


def _sealed_by(hierarchy: Pki, level: PadesLevel = PadesLevel.B_B, **options: object) -> bytes:
    lists = (revocation_list(hierarchy.root), revocation_list(hierarchy.issuing))
    return seal(small_pdf(), level, hierarchy=hierarchy, lists=lists, **options)  # type: ignore[arg-type]


def test_a_list_of_lists_names_who_signs_the_national_list(
    tmp_path: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    above, national = list_signer("commission"), list_signer("national", "p256")
    (tmp_path / "commission.cer").write_bytes(above.der)
    lists = signed(list_of_lists({"ES": [national.der], "PT": [list_signer("other").der]}), above)
    trust = _handed_in(tmp_path, lists, signed(trusted_list(_services(hierarchy)), national))
    assert _qualification(_judged(sealed[PadesLevel.B_LTA], trust)) is QUALIFIED


def test_a_signer_of_one_country_signs_for_no_other(tmp_path: Path, hierarchy: Pki) -> None:
    above, portuguese = list_signer("commission"), list_signer("other")
    (tmp_path / "commission.cer").write_bytes(above.der)
    lists = signed(list_of_lists({"ES": [list_signer().der], "PT": [portuguese.der]}), above)
    with pytest.raises(ConfigurationError, match="by nobody whom you handed in"):
        _handed_in(tmp_path, lists, signed(trusted_list(_services(hierarchy)), portuguese))


def test_a_list_of_lists_counts_only_by_a_signer_that_was_handed_in(folder: Path, hierarchy: Pki) -> None:
    stranger = list_signer("stranger")
    lists = signed(list_of_lists({"ES": [stranger.der]}), stranger)
    with pytest.raises(ConfigurationError, match=r"list-0\.xml is signed, but by nobody"):
        _handed_in(folder, lists, signed(trusted_list(_services(hierarchy)), stranger))


def test_a_list_of_lists_alone_names_no_authority(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="names who signs the lists"):
        _handed_in(folder, signed(list_of_lists({"ES": [list_signer().der]})))


# --- lists that are not ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        (Scheme(issued_at=NOW + timedelta(seconds=1)), "still to come"),
        (Scheme(next_update=NOW), "was to be replaced"),
        (Scheme(next_update=None), "is closed"),
        (Scheme(kind="EUgeneric/other"), "not the list of a member state"),
    ],
)
def test_a_list_that_is_not_in_force_is_refused(folder: Path, hierarchy: Pki, scheme: Scheme, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        _handed_in(folder, signed(trusted_list(_services(hierarchy), scheme)))
    assert "list-0.xml" in caught.value.message
    assert caught.value.advice


def test_a_list_is_in_force_from_its_issue_until_the_next_one(folder: Path, hierarchy: Pki) -> None:
    content = signed(trusted_list(_services(hierarchy)))
    for now in (ISSUED_AT, NEXT_UPDATE - timedelta(seconds=1)):
        assert _handed_in(folder, content, now=now).services


def test_a_list_of_lists_that_has_run_out_is_refused(folder: Path, hierarchy: Pki) -> None:
    scheme = Scheme("EU", next_update=NOW, kind="EUlistofthelists")
    lists = signed(list_of_lists({"ES": [list_signer().der]}, scheme))
    with pytest.raises(ConfigurationError, match="was to be replaced"):
        _handed_in(folder, lists, signed(trusted_list(_services(hierarchy))))


def test_an_unsigned_list_is_refused(folder: Path, hierarchy: Pki) -> None:
    with pytest.raises(ConfigurationError, match="is not signed"):
        _handed_in(folder, etree.tostring(trusted_list(_services(hierarchy))))


def test_a_list_signed_by_a_stranger_is_refused_with_the_certificate_it_names(folder: Path, hierarchy: Pki) -> None:
    stranger = list_signer("stranger")
    with pytest.raises(ConfigurationError, match="by nobody whom you handed in") as caught:
        _handed_in(folder, signed(trusted_list(_services(hierarchy)), stranger))
    fingerprint = stranger.certificate.fingerprint(SHA256()).hex()
    assert fingerprint in caught.value.message


def test_a_stranger_who_shows_the_certificate_of_the_signer_is_refused(folder: Path, hierarchy: Pki) -> None:
    content = signed(trusted_list(_services(hierarchy)), list_signer("stranger"))
    genuine, other = (base64.b64encode(one.der) for one in (list_signer(), list_signer("stranger")))
    with pytest.raises(ConfigurationError, match="does not hold"):
        _handed_in(folder, content.replace(other, genuine))


def test_an_authority_that_was_handed_in_does_not_sign_lists(tmp_path: Path, hierarchy: Pki) -> None:
    authority = pki("list authority")
    (tmp_path / "ca.der").write_bytes(authority.root.der)
    with pytest.raises(ConfigurationError, match="by nobody whom you handed in"):
        _handed_in(tmp_path, signed(trusted_list(_services(hierarchy)), authority.root))


def test_whose_seals_are_judged_does_not_sign_the_list(tmp_path: Path, hierarchy: Pki) -> None:
    office = hierarchy.seals["seal"]
    (tmp_path / "seal.cer").write_bytes(office.der)
    content = signed(trusted_list(_services(hierarchy)), office)
    with pytest.raises(ConfigurationError, match="by nobody whom you handed in"):
        _handed_in(tmp_path, content, organizations=["VATES-S0711001H"])


def test_a_signer_whose_certificate_has_run_out_is_refused(tmp_path: Path, hierarchy: Pki) -> None:
    signer = list_signer(valid_until=SEALED_AT)
    (tmp_path / "signer.cer").write_bytes(signer.der)
    with pytest.raises(ConfigurationError, match="was valid from"):
        _handed_in(tmp_path, signed(trusted_list(_services(hierarchy)), signer))


def test_sha1_and_short_keys_are_refused(tmp_path: Path, hierarchy: Pki) -> None:
    (tmp_path / "signer.cer").write_bytes(list_signer().der)
    with pytest.raises(ConfigurationError, match="SHA-1"):
        _handed_in(tmp_path, signed(trusted_list(_services(hierarchy)), digest="SHA1"))
    weak = list_signer("weak", "rsa1024")
    (tmp_path / "weak.cer").write_bytes(weak.der)
    with pytest.raises(ConfigurationError, match="key that can be forged"):
        _handed_in(tmp_path, signed(trusted_list(_services(hierarchy)), weak))


def test_a_plain_signature_without_its_properties_is_refused(folder: Path, hierarchy: Pki) -> None:
    with pytest.raises(ConfigurationError, match="no XAdES"):
        _handed_in(folder, signed(trusted_list(_services(hierarchy)), xades=False))


def _with_another_byte(content: bytes) -> bytes:
    return content.replace(b"Test provider", b"Test providez")


def _with_another_status(content: bytes) -> bytes:
    return content.replace(b"Svcstatus/withdrawn", b"Svcstatus/granted")


def _with_another_window(content: bytes) -> bytes:
    return content.replace(b"<NextUpdate><dateTime>2026", b"<NextUpdate><dateTime>2036")


def _root_and_signature(content: bytes) -> tuple[etree._Element, etree._Element]:
    root = etree.fromstring(content)
    return root, root[-1]


def _with_a_moved_signature(content: bytes) -> bytes:
    root, signature = _root_and_signature(content)
    root[0].append(signature)
    return etree.tostring(root)


def _signed_twice(content: bytes) -> bytes:
    root, signature = _root_and_signature(content)
    root.append(etree.fromstring(etree.tostring(signature)))
    return etree.tostring(root)


def _wrapped(content: bytes) -> bytes:
    """The genuine list, named by its Id, inside the signature of a forged one around it."""
    genuine = etree.fromstring(content)
    forged = etree.fromstring(content.replace(b"Test provider", b"Forged provider"))
    signature = genuine[-1]
    genuine.remove(signature)
    forged.remove(forged[-1])
    forged.set("Id", "another")
    etree.SubElement(signature, f"{{{DS}}}Object").append(genuine)
    forged.append(signature)
    return etree.tostring(forged)


def _with_a_reference_to(uri: str) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        return content.replace(b'<ds:Reference URI="">', b'<ds:Reference URI="%s">' % uri.encode())

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_with_another_byte, "does not hold"),
        (_with_another_status, "does not hold"),
        (_with_another_window, "does not hold"),
        (_with_a_moved_signature, "exactly one signature at its own end"),
        (_signed_twice, "exactly one signature at its own end"),
        (_with_a_reference_to("#list"), "does not hold"),
        (_with_a_reference_to("#properties"), "cover exactly the whole list"),
        (_with_a_reference_to("https://lists.example/other.xml"), "cover exactly the whole list"),
        (_with_a_reference_to("#xpointer(/)"), "cover exactly the whole list"),
    ],
)
def test_a_list_that_was_tampered_with_is_refused(
    folder: Path, hierarchy: Pki, change: Callable[[bytes], bytes], message: str
) -> None:
    genuine = signed(trusted_list(_services(hierarchy, Status(WITHDRAWN))))
    assert _handed_in(folder, genuine).services
    changed = change(genuine)
    assert changed != genuine
    with pytest.raises(ConfigurationError, match=message) as caught:
        _handed_in(folder, changed)
    assert "list-0.xml" in caught.value.message


def test_a_genuine_list_wrapped_in_a_forged_one_is_refused(folder: Path, hierarchy: Pki) -> None:
    genuine = signed(trusted_list(_services(hierarchy)), uri="#list")
    assert _handed_in(folder, genuine).services
    with pytest.raises(ConfigurationError, match="cover exactly the whole list"):
        _handed_in(folder, _wrapped(genuine))


@pytest.mark.parametrize(
    "transforms",
    [
        (ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE),
        (ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", EXCLUSIVE),
        (EXCLUSIVE, ENVELOPED),
    ],
)
def test_a_signature_with_transforms_that_no_list_has_is_refused_though_the_library_skips_them(
    folder: Path, hierarchy: Pki, transforms: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigurationError, match="cover exactly the whole list"):
        _handed_in(folder, signed(trusted_list(_services(hierarchy)), transforms=transforms))


def test_any_byte_of_a_list_that_matters_is_protected(folder: Path, hierarchy: Pki) -> None:
    genuine = signed(trusted_list(_services(hierarchy)))
    whole = _handed_in(folder, genuine).services
    for position in range(60, len(genuine) - 30, 97):
        changed = genuine[:position] + bytes([genuine[position] ^ 1]) + genuine[position + 1 :]
        try:
            assert _handed_in(folder, changed).services == whole, position
        except ConfigurationError:
            continue


_MANY_NAMESPACES = b"".join(b' xmlns:n%d="n"' % number for number in range(33))
_MANY_ATTRIBUTES = b"".join(b' a%d="n"' % number for number in range(501))
ENTITY = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


@pytest.mark.parametrize(
    ("prepared", "message"),
    [
        (lambda content: content.replace(b"\n<", b"\n" + ENTITY + b"<", 1), "document type"),
        (lambda content: content[: len(content) // 2], "no well-formed XML"),
        (lambda content: content.replace(b"TrustServiceStatusList", b"html"), "no trusted list"),
        (lambda content: content.decode().encode("utf-16"), "neither a certificate"),
        (lambda content: content.replace(b"Test provider", b"Test provider\xff"), "not written in UTF-8"),
        (lambda content: b"<a>" * len(content), "no well-formed XML"),
        (
            lambda content: content.replace(b"</ds:Signature>", b"<x/>" * 1_000_000 + b"</ds:Signature>"),
            "far more parts",
        ),
        (lambda content: content.replace(b"<ds:Object", b"<ds:Object" + _MANY_NAMESPACES, 1), "hundreds in one"),
        (lambda content: content.replace(b"<ds:Object", b"<ds:Object" + _MANY_ATTRIBUTES, 1), "hundreds in one"),
        (
            lambda content: content.replace(b"</ds:Signature>", b"<x/>" * 2000 + b"</ds:Signature>"),
            "thousands of parts",
        ),
    ],
)
def test_what_is_no_sound_xml_is_refused_in_one_sentence(
    folder: Path, hierarchy: Pki, prepared: Callable[[bytes], bytes], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _handed_in(folder, prepared(signed(trusted_list(_services(hierarchy)))))


def test_an_encoding_that_the_file_names_cannot_hide_a_document_type(folder: Path) -> None:
    hidden = b'<?xml version="1.0" encoding="UTF-7"?>' + ENTITY.decode().encode("utf-7") + b"<x/>"
    with pytest.raises(ConfigurationError):
        _handed_in(folder, hidden)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StatusStartingTime", "yesterday"),
        ("StatusStartingTime", "2024-03-02T09:00:00"),
        ("ListIssueDateTime", "2024-03-02T09:00:00"),
        ("ListIssueDateTime", ""),
        ("X509Certificate", "%%%"),
    ],
)
def test_a_list_that_is_signed_but_malformed_is_refused(folder: Path, hierarchy: Pki, name: str, value: str) -> None:
    root = trusted_list(_services(hierarchy))
    next(root.iter(f"{{{TSL}}}{name}")).text = value
    with pytest.raises(ConfigurationError, match="not of the form"):
        _handed_in(folder, signed(root))


def test_a_list_of_lists_that_is_signed_but_malformed_is_refused(folder: Path, hierarchy: Pki) -> None:
    root = list_of_lists({"ES": [list_signer().der]})
    root[0].remove(root[0].find(f"{{{TSL}}}PointersToOtherTSL"))
    with pytest.raises(ConfigurationError, match="not of the form"):
        _handed_in(folder, signed(root), signed(trusted_list(_services(hierarchy))))


def test_a_list_larger_than_any_is_not_read(folder: Path) -> None:
    with (folder / "huge.xml").open("wb") as file:
        file.write(b"<x>")
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(ConfigurationError, match="too large"):
        load_trust([folder], now=NOW)


def test_a_list_needs_a_moment_at_which_it_is_in_force(folder: Path, hierarchy: Pki) -> None:
    (folder / "list.xml").write_bytes(signed(trusted_list(_services(hierarchy))))
    with pytest.raises(ValueError, match="moment"):
        load_trust([folder])


# --- qualified or not -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((Status(qualifiers=IN_DEVICE),), QUALIFIED),
        ((Status(),), ADVANCED),
        ((Status(qualifiers={"QCNoQSCD": SEAL_POLICIES[0]}),), ADVANCED),
        ((Status(qualifiers={"QCWithQSCD": "1.2.3"}),), ADVANCED),
        ((Status(qualifiers={"NotQualified": SEAL_POLICIES[0]}),), NOT_QUALIFIED),
        ((Status(qualifiers={"QCForESig": SEAL_POLICIES[0]}),), NOT_QUALIFIED),
        ((Status(additional=(FOR_SIGNATURES,)),), NOT_QUALIFIED),
        ((Status(additional=()),), NOT_QUALIFIED),
        ((Status(WITHDRAWN, NOW + A_DAY), Status(qualifiers=IN_DEVICE)), QUALIFIED),
        ((Status(WITHDRAWN, SEALED_AT + A_DAY / 48), Status(qualifiers=IN_DEVICE)), QUALIFIED),
        ((Status(GRANTED, SEALED_AT - A_DAY), Status(WITHDRAWN)), NOT_QUALIFIED),
        ((Status(GRANTED, SEALED_AT - A_DAY, qualifiers=IN_DEVICE), Status()), QUALIFIED),
        ((Status(GRANTED, SEALED_AT + A_DAY / 48, qualifiers=IN_DEVICE), Status()), ADVANCED),
    ],
)
def test_the_list_tells_what_a_seal_was_when_it_was_made(
    folder: Path,
    hierarchy: Pki,
    sealed: dict[PadesLevel, bytes],
    statuses: tuple[Status, ...],
    expected: SealQualification,
) -> None:
    assert _qualification(_judged(sealed[PadesLevel.B_LTA], _listed(folder, hierarchy, *statuses))) is expected


@pytest.mark.parametrize(
    "statuses",
    [
        (Status(WITHDRAWN, SEALED_AT), Status()),
        (Status(WITHDRAWN, SEALED_AT - A_DAY), Status()),
        (Status(GRANTED, SEALED_AT + A_DAY / 48), Status(WITHDRAWN, SEALED_AT - A_DAY), Status()),
        (Status(GRANTED, SEALED_AT + A_DAY / 48),),
    ],
)
def test_a_service_without_status_at_that_time_vouches_for_nothing(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes], statuses: tuple[Status, ...]
) -> None:
    judged = _judged(sealed[PadesLevel.B_LTA], _listed(folder, hierarchy, *statuses))
    assert _codes(judged) == ["SERVICE_NOT_GRANTED"]
    assert (judged.verdict, judged.sub_indication) == (Verdict.INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")
    assert judged.seal is not None
    assert judged.seal.qualification is None


def test_without_a_time_stamp_the_status_of_today_counts(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    for number, content in enumerate(hierarchy.lists):
        (folder / f"{number}.crl").write_bytes(content)
    trust = _listed(folder, hierarchy, Status(WITHDRAWN, SEALED_AT + A_DAY / 48), Status())
    assert _codes(_judged(sealed[PadesLevel.B_B], trust)) == ["SERVICE_NOT_GRANTED"]
    assert _judged(sealed[PadesLevel.B_T], trust).verdict is Verdict.PASSED


def test_a_root_beside_the_list_stays_an_anchor_and_the_list_tells_what_the_seal_is(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    (folder / "root.pem").write_bytes(_pem(hierarchy.root))
    content = sealed[PadesLevel.B_LTA]
    assert _qualification(_judged(content, _listed(folder, hierarchy))) is QUALIFIED
    withdrawn = _judged(content, _listed(folder, hierarchy, Status(WITHDRAWN, SEALED_AT - A_DAY), Status()))
    assert _qualification(withdrawn) is NOT_QUALIFIED


@pytest.mark.parametrize("status", [Status(critical="Unheard"), Status(RECOGNISED), Status(WITHDRAWN)])
def test_what_is_not_understood_or_never_was_granted_is_no_anchor(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes], status: Status
) -> None:
    assert "UNTRUSTED" in _codes(_judged(sealed[PadesLevel.B_LTA], _listed(folder, hierarchy, status)))


def test_an_authority_for_time_stamps_does_not_vouch_for_seals(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    trust = _handed_in(folder, signed(trusted_list([Service(hierarchy.issuing.der, kind=QTST)])))
    judged = _judged(sealed[PadesLevel.B_LTA], trust)
    assert _codes(judged) == ["UNTRUSTED"]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (ESEAL_STATEMENTS, ADVANCED),
        (b"\x30\x29" + ESEAL_STATEMENTS[2:12] + QC_SSCD + ESEAL_STATEMENTS[12:], QUALIFIED),
        (b"\x30\x15" + ESEAL_STATEMENTS[12:], NOT_QUALIFIED),  # QcType alone
        (None, NOT_QUALIFIED),
    ],
)
def test_the_statements_of_the_certificate_count(
    folder: Path, hierarchy: Pki, statements: bytes | None, expected: SealQualification
) -> None:
    holder = issue(seal_profile(statements=statements), key_for("statements"), hierarchy.issuing, 0x7B01)
    office = Pki(hierarchy.root, hierarchy.issuing, hierarchy.authority, {"seal": holder}, hierarchy.lists)
    content = _sealed_by(office, PadesLevel.B_LT)
    assert _qualification(_judged(content, _listed(folder, hierarchy, Status()))) is expected


def test_a_persons_certificate_is_no_seal_however_qualified(folder: Path, hierarchy: Pki) -> None:
    status = Status(additional=(FOR_SEALS, FOR_SIGNATURES), qualifiers=IN_DEVICE)
    judged = _judged(seal(small_pdf(), PadesLevel.B_LT, who="person"), _listed(folder, hierarchy, status))
    assert _codes(judged) == ["NOT_FOR_SEALING"]


# --- time stamps ----------------------------------------------------------------------------------


def _time_stamp_trust(folder: Path, hierarchy: Pki, *services: Service) -> Trust:
    return _handed_in(folder, signed(trusted_list([Service(hierarchy.issuing.der), *services])))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((Status(),), TimeStampQualification.QUALIFIED),
        ((Status(WITHDRAWN, SEALED_AT + A_DAY / 48), Status()), TimeStampQualification.QUALIFIED),
        ((Status(WITHDRAWN, SEALED_AT), Status()), TimeStampQualification.NOT_QUALIFIED),
        ((Status(GRANTED, SEALED_AT + A_DAY / 48),), TimeStampQualification.NOT_QUALIFIED),
    ],
)
def test_a_time_stamp_is_qualified_where_its_service_was_when_it_was_given(
    folder: Path,
    hierarchy: Pki,
    sealed: dict[PadesLevel, bytes],
    statuses: tuple[Status, ...],
    expected: TimeStampQualification,
) -> None:
    trust = _time_stamp_trust(folder, hierarchy, Service(hierarchy.authority.der, statuses, QTST))
    assert _time_stamp(_judged(sealed[PadesLevel.B_LTA], trust)) is expected


def test_a_time_stamp_of_an_authority_that_is_not_listed_itself_is_not_qualified(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    trust = _time_stamp_trust(folder, hierarchy)
    assert _time_stamp(_judged(sealed[PadesLevel.B_LTA], trust)) is TimeStampQualification.NOT_QUALIFIED


def test_a_seal_without_time_stamp_has_none_that_could_be_qualified(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    (folder / "issuing.crl").write_bytes(hierarchy.lists[1])
    assert _time_stamp(_judged(sealed[PadesLevel.B_B], _listed(folder, hierarchy))) is None


def _stamped_by(other: Pki, hierarchy: Pki) -> bytes:
    """Sealed by ours; the time stamp is of an authority of another hierarchy."""
    return seal(small_pdf(), PadesLevel.B_T, hierarchy=hierarchy, stamper=stamper_of(other, SEALED_AT))


@pytest.fixture(scope="module")
def elsewhere() -> Pki:
    """Another hierarchy, with another name, whose issuing authority certifies a time stamp unit."""
    ca = ("key_cert_sign", "crl_sign")
    start, end = SEALED_AT - 5 * YEAR, SEALED_AT + 10 * YEAR
    root = issue(Profile("Elsewhere root", start, end, ca, is_ca=True), key_for("elsewhere root"), None, 11)
    issuing = issue(Profile("Elsewhere CA", start, end, ca, is_ca=True), key_for("elsewhere issuing"), root, 12)
    authority = issue(stamp_profile(common_name="Elsewhere unit"), key_for("elsewhere unit", "rsa2048"), issuing, 13)
    return Pki(root, issuing, authority, {}, (revocation_list(root), revocation_list(issuing)))


@pytest.fixture
def with_lists(folder: Path, hierarchy: Pki) -> Path:
    for number, content in enumerate(hierarchy.lists):
        (folder / f"{number}.crl").write_bytes(content)
    return folder


@pytest.mark.parametrize("listed", ["unit", "issuing"])
def test_a_listed_unit_needs_no_authority_above_it_and_a_listed_authority_vouches_for_its_units(
    with_lists: Path, hierarchy: Pki, elsewhere: Pki, listed: str
) -> None:
    identity = elsewhere.authority if listed == "unit" else elsewhere.issuing
    if listed == "issuing":
        (with_lists / "elsewhere.crl").write_bytes(elsewhere.lists[1])
    trust = _time_stamp_trust(with_lists, hierarchy, Service(identity.der, kind=QTST))
    judged = _judged(_stamped_by(elsewhere, hierarchy), trust)
    assert _time_stamp(judged) is TimeStampQualification.QUALIFIED
    assert judged.pades_level is PadesLevel.B_T


@pytest.mark.parametrize(
    ("services", "code"),
    [
        ((), "TIME_STAMP_INVALID"),
        (((TSA, (Status(RECOGNISED),)),), "TIME_STAMP_INVALID"),
        (((QTST, (Status(WITHDRAWN, SEALED_AT), Status())),), "SERVICE_NOT_GRANTED"),
        (((QTST, (Status(GRANTED, SEALED_AT + A_DAY / 48),)),), "SERVICE_NOT_GRANTED"),
    ],
)
def test_a_time_stamp_that_the_list_does_not_vouch_for_does_not_count(
    with_lists: Path, hierarchy: Pki, elsewhere: Pki, services: tuple[tuple[str, tuple[Status, ...]], ...], code: str
) -> None:
    listed = [Service(elsewhere.authority.der, statuses, kind) for kind, statuses in services]
    judged = _judged(_stamped_by(elsewhere, hierarchy), _time_stamp_trust(with_lists, hierarchy, *listed))
    assert _codes(judged) == [code]


def test_a_listed_unit_that_its_issuer_revoked_does_not_count(with_lists: Path, hierarchy: Pki, elsewhere: Pki) -> None:
    revoked = revocation_list(elsewhere.issuing, {13: SEALED_AT - A_DAY})
    (with_lists / "elsewhere.crl").write_bytes(revoked)
    trust = _time_stamp_trust(with_lists, hierarchy, Service(elsewhere.authority.der, kind=QTST))
    judged = _judged(_stamped_by(elsewhere, hierarchy), trust)
    assert _codes(judged) == ["TIME_STAMP_INVALID"]


def test_a_listed_unit_counts_only_within_the_validity_of_its_certificate(
    with_lists: Path, hierarchy: Pki, elsewhere: Pki
) -> None:
    unit = Profile("Elsewhere unit", SEALED_AT + A_DAY, SEALED_AT + YEAR, ("digital_signature",))
    early = issue(unit, key_for("elsewhere unit", "rsa2048"), elsewhere.issuing, 14)
    other = Pki(elsewhere.root, elsewhere.issuing, early, {}, elsewhere.lists)
    trust = _time_stamp_trust(with_lists, hierarchy, Service(early.der, kind=QTST))
    assert _codes(_judged(_stamped_by(other, hierarchy), trust)) == ["TIME_STAMP_INVALID"]


# --- manifests, workers, size ---------------------------------------------------------------------


def test_the_seal_of_a_manifest_is_judged_by_the_list_as_well(with_lists: Path, hierarchy: Pki) -> None:
    content = b'{"schema": "sealtool.manifest/1"}'
    judged = verify_detached(content, detached_seal(content), _listed(with_lists, hierarchy), now=NOW)
    assert _qualification(judged) is QUALIFIED
    assert _time_stamp(judged) is TimeStampQualification.QUALIFIED


def test_trust_with_lists_travels_to_other_processes(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    trust = _listed(folder, hierarchy)
    received = pickle.loads(pickle.dumps(trust))  # noqa: S301 - made right here
    assert received == trust
    assert hash(received) == hash(trust)
    assert _qualification(_judged(sealed[PadesLevel.B_LTA], received)) is QUALIFIED


def test_an_odd_certificate_on_a_list_counts_for_nothing_and_harms_nothing(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    broken = hierarchy.root.der[:-1] + b"\x00\x00"
    services = [Service(hierarchy.root.der, name="odd"), *_services(hierarchy)]
    root = trusted_list(services)
    next(root.iter(f"{{{TSL}}}X509Certificate")).text = base64.b64encode(broken).decode()
    trust = _handed_in(folder, signed(root))
    assert _qualification(_judged(sealed[PadesLevel.B_LTA], trust)) is QUALIFIED


@pytest.mark.long
def test_a_list_of_three_thousand_services_is_read_in_bounded_time_and_kept_small(
    folder: Path, hierarchy: Pki, sealed: dict[PadesLevel, bytes]
) -> None:
    others = [
        Service(hierarchy.root.der, (Status(WITHDRAWN, SEALED_AT), Status(qualifiers={"QCWithQSCD": f"1.2.{number}"})))
        for number in range(3000)
    ]
    content = signed(trusted_list([*others, *_services(hierarchy)]))
    began = time.process_time()
    trust = _handed_in(folder, content)
    assert time.process_time() - began < 20
    assert len(pickle.dumps(trust)) < len(content) / 2
    assert _qualification(_judged(sealed[PadesLevel.B_LTA], trust)) is QUALIFIED
