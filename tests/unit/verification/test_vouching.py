"""Which revocation data vouch for a certificate, and which may only speak against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealtool.model import PadesLevel
from sealtool.verification import Trust, verify_certificate
from tests.pki.authorities import (
    NOW,
    SEALED_AT,
    YEAR,
    Identity,
    Pki,
    Profile,
    issue,
    ocsp_response,
    revocation_list,
    seal_profile,
    with_digest,
)
from tests.pki.sealed_files import seal, small_pdf, stamper_of
from tests.pki.tampering import stamped, with_store

BB, BT = PadesLevel.B_B, PadesLevel.B_T
END = SEALED_AT + timedelta(days=30)
LATER = SEALED_AT + timedelta(days=60)
SECOND = timedelta(seconds=1)
BEFORE = SEALED_AT - timedelta(days=1)


@pytest.fixture(scope="module")
def ending(hierarchy: Pki) -> Identity:
    """A seal that ends soon, and whose authority answers questions."""
    profile = seal_profile(valid_until=END, responder="http://responders.test.invalid")
    return issue(profile, ec.generate_private_key(ec.SECP256R1()), hierarchy.issuing, 0x7D01)


@pytest.fixture(scope="module")
def archived(hierarchy: Pki, ending: Identity) -> bytes:
    """Sealed, and given an archive time stamp at once, but no revocation data."""
    theirs = replace(hierarchy, seals={"ending": ending})
    content = seal(small_pdf(), BT, who="ending", hierarchy=theirs)
    return stamped(content, stamper_of(hierarchy, SEALED_AT))


def _judged(content: bytes, trust: Trust, now: datetime = LATER) -> list[str]:
    return [str(reason.code) for reason in verify_certificate(content, trust, now=now).reasons]


def _informed(hierarchy: Pki, *lists: bytes, at: datetime = LATER) -> Trust:
    """The anchor with a list of the root, and those of the issuing authority."""
    return Trust((hierarchy.root.der,), (), (revocation_list(hierarchy.root, this_update=at), *lists))


def _self_contained(archived: bytes, hierarchy: Pki, *responses: bytes) -> bytes:
    """With lists of long after, which vouch for all but the seal, and a time stamp over them."""
    authorities = (hierarchy.root, hierarchy.issuing)
    lists = [revocation_list(one, this_update=LATER - timedelta(hours=1)) for one in authorities]
    content = with_store(archived, lists, responses, [hierarchy.issuing.der])
    return stamped(content, stamper_of(hierarchy, LATER))


# --- after the end of a certificate ---------------------------------------------------------------


@pytest.mark.parametrize(("after", "expected"), [(0 * SECOND, []), (SECOND, ["NO_REVOCATION_DATA"])])
def test_a_list_vouches_for_a_certificate_until_its_end(
    archived: bytes, hierarchy: Pki, after: timedelta, expected: list[str]
) -> None:
    """Afterwards the authority may have dropped its entry."""
    trust = _informed(hierarchy, revocation_list(hierarchy.issuing, this_update=END + after))
    assert _judged(archived, trust) == expected


@pytest.mark.parametrize(
    ("kept_since", "expected"),
    [
        (core.GeneralizedTime(END).dump(), []),
        (core.GeneralizedTime(END + SECOND).dump(), ["NO_REVOCATION_DATA"]),
        (b"\x18\x03abc", ["NO_REVOCATION_DATA"]),
        (b"", ["NO_REVOCATION_DATA"]),
    ],
)
def test_a_later_list_vouches_where_it_says_that_it_keeps_expired_certificates(
    archived: bytes, hierarchy: Pki, kept_since: bytes, expected: list[str]
) -> None:
    listed = revocation_list(hierarchy.issuing, this_update=LATER, keeps_expired_since=kept_since)
    assert _judged(archived, _informed(hierarchy, listed)) == expected


def test_a_later_list_speaks_against_a_certificate_that_it_names(
    archived: bytes, hierarchy: Pki, ending: Identity
) -> None:
    listed = revocation_list(hierarchy.issuing, {ending.certificate.serial_number: BEFORE}, this_update=LATER)
    for lists in ([listed], [listed, revocation_list(hierarchy.issuing)]):
        assert _judged(archived, _informed(hierarchy, *lists)) == ["SEAL_CERTIFICATE_REVOKED"]


def test_later_lists_take_nothing_from_an_earlier_one(archived: bytes, hierarchy: Pki) -> None:
    lists = (revocation_list(hierarchy.issuing, this_update=at) for at in (LATER, SEALED_AT, END + SECOND))
    assert _judged(archived, _informed(hierarchy, *lists)) == []


def test_a_later_time_stamp_over_later_lists_does_not_help(archived: bytes, hierarchy: Pki, trust: Trust) -> None:
    assert _judged(_self_contained(archived, hierarchy), trust) == ["NO_REVOCATION_DATA"]


def test_a_later_list_does_not_vouch_for_a_time_stamp_authority(hierarchy: Pki) -> None:
    usages = (ExtendedKeyUsageOID.TIME_STAMPING,)
    profile = Profile("Ending authority", SEALED_AT - YEAR, END, ("digital_signature",), extended_usages=usages)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    theirs = replace(hierarchy, authority=issue(profile, key, hierarchy.issuing, 0x7D02))
    early = seal(small_pdf(), BT, stamper=stamper_of(theirs, SEALED_AT))
    late = revocation_list(hierarchy.issuing, this_update=LATER)
    assert _judged(early, _informed(hierarchy, late)) == ["TIME_STAMP_EXPIRED"]
    content = stamped(early, stamper_of(hierarchy, SEALED_AT))
    assert _judged(content, _informed(hierarchy, late)) == ["NO_REVOCATION_DATA"]
    assert _judged(content, _informed(hierarchy, late, revocation_list(hierarchy.issuing))) == []


def test_that_a_certificate_has_expired_unproven_is_told_though_no_list_vouches_for_it(
    hierarchy: Pki, ending: Identity
) -> None:
    """Other lists would be of no use."""
    content = seal(small_pdf(), BT, who="ending", hierarchy=replace(hierarchy, seals={"ending": ending}))
    late = revocation_list(hierarchy.issuing, this_update=LATER)
    assert _judged(content, _informed(hierarchy, late)) == ["SEAL_CERTIFICATE_EXPIRED"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"this_update": SEALED_AT}, []),
        ({"this_update": END}, []),
        ({"this_update": END + SECOND}, ["NO_REVOCATION_DATA"]),
        ({"this_update": LATER, "archive_cutoff": END}, []),
        ({"this_update": LATER, "archive_cutoff": END + SECOND}, ["NO_REVOCATION_DATA"]),
        ({"this_update": LATER, "revoked_at": BEFORE}, ["SEAL_CERTIFICATE_REVOKED"]),
    ],
)
def test_what_holds_for_lists_holds_for_ocsp_responses(
    archived: bytes, hierarchy: Pki, ending: Identity, answer: dict[str, datetime], expected: list[str]
) -> None:
    response = ocsp_response(ending, hierarchy.issuing, **answer)  # type: ignore[arg-type]
    assert _judged(_self_contained(archived, hierarchy, response), Trust((hierarchy.root.der,))) == expected


def test_a_good_answer_that_came_too_late_hides_no_revocation(
    archived: bytes, hierarchy: Pki, ending: Identity, trust: Trust
) -> None:
    answers = (
        ocsp_response(ending, hierarchy.issuing),
        ocsp_response(ending, hierarchy.issuing, this_update=END + SECOND, revoked_at=BEFORE),
        ocsp_response(ending, hierarchy.issuing, this_update=LATER),
    )
    assert _judged(_self_contained(archived, hierarchy, *answers), trust) == ["SEAL_CERTIFICATE_REVOKED"]


def test_a_good_answer_that_came_too_late_hides_no_later_list_that_names_the_certificate(
    archived: bytes, hierarchy: Pki, ending: Identity
) -> None:
    content = _self_contained(archived, hierarchy, ocsp_response(ending, hierarchy.issuing, this_update=LATER))
    listed = revocation_list(hierarchy.issuing, {ending.certificate.serial_number: BEFORE}, this_update=LATER)
    assert _judged(content, _informed(hierarchy, listed)) == ["SEAL_CERTIFICATE_REVOKED"]


# --- weakly signed --------------------------------------------------------------------------------

WEAK = [hashes.SHA1(), hashes.SHA224()]  # noqa: S303


@pytest.mark.parametrize("digest", WEAK, ids=lambda digest: digest.name)
def test_a_weakly_signed_list_vouches_for_nothing(
    sealed: dict[PadesLevel, bytes], hierarchy: Pki, digest: hashes.HashAlgorithm
) -> None:
    lists = (hierarchy.lists[0], with_digest(hierarchy.lists[1], hierarchy.issuing, digest))
    trust = Trust((hierarchy.root.der,), (), lists)
    assert _judged(sealed[BB], trust, NOW) == ["NO_REVOCATION_DATA"]
    assert _judged(sealed[BB], replace(trust, revocation_lists=(*lists, hierarchy.lists[1])), NOW) == []


@pytest.mark.parametrize("digest", WEAK, ids=lambda digest: digest.name)
def test_a_weakly_signed_list_speaks_against_a_certificate_that_it_names(
    sealed: dict[PadesLevel, bytes], hierarchy: Pki, digest: hashes.HashAlgorithm
) -> None:
    named = revocation_list(hierarchy.issuing, {hierarchy.seals["seal"].certificate.serial_number: BEFORE})
    weak = with_digest(named, hierarchy.issuing, digest)
    for lists in ((hierarchy.lists[0], weak), (*hierarchy.lists, weak)):
        trust = Trust((hierarchy.root.der,), (), lists)
        assert _judged(sealed[BB], trust, NOW) == ["SEAL_CERTIFICATE_REVOKED"]


def test_a_strongly_signed_list_vouches_by_any_digest_that_is_listed(
    sealed: dict[PadesLevel, bytes], hierarchy: Pki
) -> None:
    listed = with_digest(hierarchy.lists[1], hierarchy.issuing, hashes.SHA384())
    assert _judged(sealed[BB], Trust((hierarchy.root.der,), (), (hierarchy.lists[0], listed)), NOW) == []


@pytest.mark.parametrize("digest", WEAK, ids=lambda digest: digest.name)
def test_a_weakly_signed_ocsp_response_speaks_only_against_a_certificate(
    archived: bytes, hierarchy: Pki, ending: Identity, trust: Trust, digest: hashes.HashAlgorithm
) -> None:
    good = ocsp_response(ending, hierarchy.issuing, digest=digest)
    assert _judged(_self_contained(archived, hierarchy, good), trust) == ["NO_REVOCATION_DATA"]
    revoked = ocsp_response(ending, hierarchy.issuing, digest=digest, revoked_at=BEFORE)
    assert _judged(_self_contained(archived, hierarchy, revoked), trust) == ["SEAL_CERTIFICATE_REVOKED"]
