"""Whose certificate may seal: an organisation's, made for seals (eIDAS, art. 3 (24) to (29)). And whose may stamp."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealtool.verification import remembering
from sealtool.verification.facts import QC_TYPE, QC_TYPE_ESEAL, organization_identifier, qualified_statements

_OF_OTHER_TRADES = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)
_OF_PERSONS = (NameOID.GIVEN_NAME, NameOID.SURNAME, NameOID.PSEUDONYM)


@remembering.parts
def why_not_for_seals(der: bytes) -> str:
    """What in a certificate speaks against its being one for an organisation's seals; empty where nothing does.

    Only what a certificate says itself: many sound ones of before eIDAS, and some since, do not say that they are for
    seals, so that silence is no fault.
    """
    certificate = x509.load_der_x509_certificate(der)
    kinds = {one for one in qualified_statements(certificate) if one.startswith(f"{QC_TYPE}.")}
    if not organization_identifier(certificate):
        return "It names no organisation by its tax number."
    if kinds - {QC_TYPE_ESEAL}:
        return "It says that it is for signatures of persons, or for websites."
    if _is_authority(certificate):
        return "It is the certificate of an authority."
    if _is_of_another_trade(certificate, is_for_seals=bool(kinds)):
        return "It is only for servers, clients, time stamps or OCSP responses."
    # Of those for seals, some name whoever in the organisation answers for them.
    if not kinds and any(certificate.subject.get_attributes_for_oid(oid) for oid in _OF_PERSONS):
        return "It names a person, and does not say that it is for seals."
    return ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_of_another_trade(certificate: x509.Certificate, *, is_for_seals: bool) -> bool:
    """Whether all extended usages are ones that no seal is made with (RFC 5280, 4.2.1.12: used for those and no other).

    There is none for seals that all agree on. Authorities of Spain put clientAuth with emailProtection into
    certificates of seals, others a usage of some vendor; so one of any other kind is enough, and clientAuth alone is,
    where it is not critical and the certificate says that it is for seals.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    usages = set(extension.value)
    if usages == {ExtendedKeyUsageOID.CLIENT_AUTH}:
        return extension.critical or not is_for_seals
    return usages <= _OF_OTHER_TRADES


@remembering.parts
def is_for_time_stamps_alone(der: bytes) -> bool:
    """RFC 3161, 2.3: the key of a time stamp unit has that one extended usage, and its certificate insists on it."""
    try:
        extension = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return extension.critical and set(extension.value) == {ExtendedKeyUsageOID.TIME_STAMPING}
