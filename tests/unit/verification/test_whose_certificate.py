"""Which certificates count as those of an organisation's seal, and which only look like one."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_certificate
from tests.pki.authorities import (
    NOW,
    ORGANIZATION_IDENTIFIER,
    WEB_STATEMENTS,
    Pki,
    Profile,
    employee_profile,
    issue,
    seal_profile,
)
from tests.pki.sealed_files import seal, small_pdf

SERVER, CLIENT, MAIL = (
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
)
STAMPS, RESPONSES = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING
ADOBE = x509.ObjectIdentifier("1.2.840.113583.1.1.5")
ORGANIZATION = {x509.ObjectIdentifier("2.5.4.97"): ORGANIZATION_IDENTIFIER}
RESPONSIBLE = ORGANIZATION | {NameOID.GIVEN_NAME: "Aina", NameOID.SURNAME: "Prova"}
# as ESEAL_STATEMENTS, with two kinds in its QcType
BOTH_KINDS = bytes.fromhex("30283008060604008e460101301c060604008e4601063012060704008e46010602060704008e46010603")


def _judged(profile: Profile, hierarchy: Pki) -> tuple[Verdict, list[str]]:
    odd = issue(profile, ec.generate_private_key(ec.SECP256R1()), hierarchy.issuing, 0x7C01)
    theirs = Pki(hierarchy.root, hierarchy.issuing, hierarchy.authority, {"odd": odd}, hierarchy.lists)
    content = seal(small_pdf(), PadesLevel.B_B, who="odd", hierarchy=theirs, signer_key_usage=set())
    trust = Trust((hierarchy.root.der,), (), hierarchy.lists, (ORGANIZATION_IDENTIFIER,))
    verification = verify_certificate(content, trust, now=NOW)
    return verification.verdict, [reason.code for reason in verification.reasons]


NOT_FOR_SEALS = {
    "for a website": seal_profile(statements=WEB_STATEMENTS),
    "for seals and websites": seal_profile(statements=BOTH_KINDS),
    "of an authority": seal_profile(is_ca=True, usages=("digital_signature", "key_cert_sign")),
    "of a server": seal_profile(extended_usages=(SERVER, CLIENT), statements=None),
    "of a server, not critical": seal_profile(extended_usages=(SERVER,), extended_usages_critical=False),
    "of a time stamp authority": seal_profile(extended_usages=(STAMPS,)),
    "of an OCSP responder": seal_profile(extended_usages=(RESPONSES,)),
    "of a client only": seal_profile(extended_usages=(CLIENT,)),
    "of a client, and silent on seals": seal_profile(
        extended_usages=(CLIENT,), extended_usages_critical=False, statements=None
    ),
    "of an employee": employee_profile(),
    "of an employee under another name": seal_profile(
        subject_extra=ORGANIZATION | {NameOID.PSEUDONYM: "A-123"}, statements=None
    ),
}


@pytest.mark.parametrize("profile", NOT_FOR_SEALS.values(), ids=NOT_FOR_SEALS)
def test_a_certificate_that_is_not_for_seals_is_refused_though_it_names_the_organisation(
    hierarchy: Pki, profile: Profile
) -> None:
    assert _judged(profile, hierarchy) == (Verdict.INDETERMINATE, ["NOT_FOR_SEALING"])


FOR_SEALS = {
    "silent on what it is for": seal_profile(statements=None),
    "for clients and mail, as many are": seal_profile(extended_usages=(CLIENT, MAIL), extended_usages_critical=False),
    "for clients and mail, silent on seals": seal_profile(
        extended_usages=(CLIENT, MAIL), extended_usages_critical=False, statements=None
    ),
    "for documents": seal_profile(extended_usages=(ADOBE,)),
    "for clients, not critical": seal_profile(extended_usages=(CLIENT,), extended_usages_critical=False),
    "with the name of who answers for it": seal_profile(subject_extra=RESPONSIBLE),
}


@pytest.mark.parametrize("profile", FOR_SEALS.values(), ids=FOR_SEALS)
def test_certificates_of_seals_as_authorities_issue_them_pass(hierarchy: Pki, profile: Profile) -> None:
    assert _judged(profile, hierarchy) == (Verdict.PASSED, [])
