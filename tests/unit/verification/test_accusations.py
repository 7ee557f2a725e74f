"""Whoever was called revoked by the authority is so, whatever else is said, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealtool.model import PadesLevel
from sealtool.verification import Trust, verify_certificate, verify_detached
from sealtool.verification.authenticity import is_list_signed_by, is_response_of
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
    stamp_profile,
    with_digest,
)
from tests.pki.sealed_files import detached_seal, seal, small_pdf, stamper_of, with_lists
from tests.pki.tampering import stamped, with_store

HOUR = timedelta(hours=1)
BEFORE = SEALED_AT - 2 * HOUR
ASKED = "http://responders.test.invalid"
REVOKED = ["SEAL_CERTIFICATE_REVOKED"]


@pytest.fixture(scope="module")
def asked(hierarchy: Pki) -> Pki:
    """A seal and a time stamp authority about which responders may be asked."""
    office = issue(seal_profile(responder=ASKED), ec.generate_private_key(ec.SECP256R1()), hierarchy.issuing, 0x7C01)
    authority = issue(stamp_profile(responder=ASKED), hierarchy.authority.key, hierarchy.issuing, 0x7C02)
    return replace(hierarchy, authority=authority, seals={"asked": office})


@pytest.fixture(scope="module")
def good(asked: Pki) -> bytes:
    return ocsp_response(asked.seals["asked"], asked.issuing)


def judged(
    asked: Pki,
    *,
    lists: Sequence[bytes] = (),
    responses: Sequence[bytes] = (),
    certificates: Sequence[bytes] = (),
    handed_in: Sequence[bytes] = (),
    now: datetime = NOW,
) -> list[str]:
    """The seal with these validation data in it, and what speaks for the time stamp besides."""
    content = seal(small_pdf(), PadesLevel.B_T, who="asked", hierarchy=asked)
    of_stamp = ocsp_response(asked.authority, asked.issuing)
    content = with_store(content, [asked.lists[0], *lists], [*responses, of_stamp], [asked.issuing.der, *certificates])
    trust = Trust((asked.root.der,), (), tuple(handed_in))
    content = stamped(content, stamper_of(asked, SEALED_AT))
    return [str(reason.code) for reason in verify_certificate(content, trust, now=now).reasons]


def named_on_list(asked: Pki) -> dict[int, datetime]:
    return {asked.seals["asked"].certificate.serial_number: BEFORE}


def test_a_good_response_suffices_where_nobody_says_something_else(asked: Pki, good: bytes) -> None:
    assert judged(asked, responses=[good]) == []


@pytest.mark.parametrize("shorter", [pytest.param(7 * 24 * HOUR, marks=pytest.mark.long), HOUR / 12])
def test_a_response_that_says_revoked_counts_before_and_behind_good_ones_and_when_its_time_is_over(
    asked: Pki, good: bytes, shorter: timedelta
) -> None:
    office = asked.seals["asked"]
    revoked = ocsp_response(
        office, asked.issuing, this_update=SEALED_AT - HOUR / 2, lifetime=shorter, revoked_at=BEFORE
    )
    newer = ocsp_response(office, asked.issuing, this_update=SEALED_AT - HOUR / 4)
    for responses in permutations((good, revoked, newer)):
        assert judged(asked, responses=responses) == REVOKED


def test_a_response_that_says_revoked_counts_beside_a_list_that_names_nobody(asked: Pki) -> None:
    revoked = ocsp_response(asked.seals["asked"], asked.issuing, revoked_at=BEFORE)
    assert judged(asked, lists=[asked.lists[1]], responses=[revoked]) == REVOKED
    assert judged(asked, lists=[asked.lists[1]]) == []


def test_a_list_that_names_the_seal_counts_beside_a_good_response(asked: Pki, good: bytes) -> None:
    named = revocation_list(asked.issuing, named_on_list(asked))
    assert judged(asked, lists=[named], responses=[good]) == REVOKED
    assert judged(asked, handed_in=[named], responses=[good]) == REVOKED


def test_the_name_of_an_authority_may_be_written_in_capitals(asked: Pki, good: bytes) -> None:
    """RFC 5280, 7.1: it is the same name."""
    subject = x509.Name(
        [x509.NameAttribute(one.oid, str(one.value).upper()) for one in asked.issuing.certificate.subject]
    )
    named = _list_under(subject, asked.issuing, named_on_list(asked))
    assert judged(asked, lists=[named], responses=[good]) == REVOKED
    assert judged(asked, handed_in=[named], responses=[good]) == REVOKED


def test_a_list_of_somebody_else_in_whatever_algorithm_is_no_objection(hierarchy: Pki) -> None:
    """Every list at hand is held against the keys at hand."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    theirs = issue(replace(_LISTS, common_name="Somebody else"), key, None, 9)
    odd = asn1_crl.CertificateList.load(revocation_list(theirs))
    odd["signature_algorithm"] = odd["tbs_cert_list"]["signature"] = {"algorithm": "rsassa_pkcs1v15"}
    trust = Trust((hierarchy.root.der,), (), (*hierarchy.lists, odd.dump(force=True)))
    content = seal(small_pdf(), PadesLevel.B_B, who="rsa")
    assert verify_certificate(content, trust, now=NOW).reasons == ()
    assert not is_list_signed_by(odd.dump(force=True), hierarchy.seals["rsa"].der)


def test_a_list_inside_a_message_may_write_the_name_of_its_authority_in_its_own_way(hierarchy: Pki) -> None:
    subject = x509.Name(
        [x509.NameAttribute(one.oid, str(one.value).upper()) for one in hierarchy.issuing.certificate.subject]
    )
    loud = with_lists(detached_seal(b"x", hierarchy=hierarchy), [_list_under(subject, hierarchy.issuing, {})])
    trust = Trust((hierarchy.root.der,), (), hierarchy.lists)
    assert verify_detached(b"x", loud, trust, now=NOW).reasons == ()


def _list_under(name: x509.Name, signer: Identity, revoked: dict[int, datetime]) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(name)
    builder = builder.last_update(SEALED_AT - HOUR).next_update(SEALED_AT + 100 * HOUR)
    for serial, moment in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


_LISTS = Profile("Test issuing CA", SEALED_AT - YEAR, SEALED_AT + YEAR, ("crl_sign",))


def test_an_authority_may_have_a_key_of_its_own_for_lists(asked: Pki, good: bytes) -> None:
    for certified_by in (asked.root, asked.issuing):
        second = issue(_LISTS, ec.generate_private_key(ec.SECP256R1()), certified_by, 0x99)
        named = revocation_list(second, named_on_list(asked))
        assert judged(asked, lists=[named], responses=[good], certificates=[second.der]) == REVOKED


@pytest.mark.parametrize("usages", [("digital_signature",), ("crl_sign",)])
def test_lists_by_whom_the_authority_did_not_let_make_them_say_nothing(
    asked: Pki, good: bytes, usages: tuple[str, ...]
) -> None:
    """A key that is not for lists, and one of a certificate that a forger made."""
    certified_by = asked.issuing if usages == ("digital_signature",) else None
    second = issue(replace(_LISTS, usages=usages), ec.generate_private_key(ec.SECP256R1()), certified_by, 0x99)
    named = revocation_list(second, named_on_list(asked))
    assert judged(asked, lists=[named], responses=[good], certificates=[second.der]) == []


def responder(
    asked: Pki, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *usages: x509.ObjectIdentifier
) -> Identity:
    profile = Profile(
        "Test responder",
        SEALED_AT - YEAR,
        SEALED_AT + YEAR,
        ("digital_signature",),
        extended_usages=usages,
        extended_usages_critical=False,
        answers_for_good=True,
    )
    return issue(profile, key, asked.issuing, 0x7E01)


def test_a_responder_that_the_authority_certified_speaks_for_it(asked: Pki, good: bytes) -> None:
    its = responder(asked, ec.generate_private_key(ec.SECP256R1()), ExtendedKeyUsageOID.OCSP_SIGNING)
    revoked = ocsp_response(asked.seals["asked"], asked.issuing, revoked_at=BEFORE, responder=its)
    assert judged(asked, responses=[good, revoked]) == REVOKED


def test_a_response_of_somebody_else_says_nothing(asked: Pki, good: bytes) -> None:
    other = responder(asked, ec.generate_private_key(ec.SECP256R1()), ExtendedKeyUsageOID.CLIENT_AUTH)
    revoked = ocsp_response(asked.seals["asked"], asked.issuing, revoked_at=BEFORE, responder=other)
    assert judged(asked, responses=[good, revoked]) == []
    assert not is_response_of(revoked, asked.issuing.der)


def test_a_response_about_another_certificate_says_nothing_of_this_one(asked: Pki, good: bytes) -> None:
    other = ocsp_response(asked.issuing, asked.issuing, revoked_at=BEFORE)
    assert judged(asked, responses=[good, other]) == []


def test_a_weakly_signed_list_speaks_against_and_not_for_a_certificate(asked: Pki, good: bytes) -> None:
    named = with_digest(revocation_list(asked.issuing, named_on_list(asked)), asked.issuing, hashes.SHA1())  # noqa: S303
    assert judged(asked, lists=[named], responses=[good]) == REVOKED


@pytest.mark.parametrize(("bits", "expected"), [(2048, []), (1024, ["NO_REVOCATION_DATA"])])
def test_a_responder_with_a_short_key_vouches_for_nobody(asked: Pki, bits: int, expected: list[str]) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    its = responder(asked, key, ExtendedKeyUsageOID.OCSP_SIGNING)
    answer = ocsp_response(asked.seals["asked"], asked.issuing, responder=its)
    assert judged(asked, responses=[answer]) == expected


def test_a_key_of_another_kind_has_signed_nothing(asked: Pki) -> None:
    listing = revocation_list(asked.issuing)
    other = issue(_LISTS, rsa.generate_private_key(public_exponent=65537, key_size=2048), None, 9)
    assert is_list_signed_by(listing, asked.issuing.der)
    assert not is_list_signed_by(listing, other.der)


def test_a_certificate_whose_key_cannot_be_read_has_signed_nothing(asked: Pki) -> None:
    issuer = asked.issuing.der
    key = asn1_x509.Certificate.load(issuer).public_key.dump()
    assert not is_list_signed_by(revocation_list(asked.issuing), issuer.replace(key, b"\x04" + key[1:]))
