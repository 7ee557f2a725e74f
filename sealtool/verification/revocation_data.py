"""Revocation data inside a message, which no signature covers but that of who issued them.

RFC 5652, 10.2.1 (lists) and RFC 5940 (OCSP responses). Each must be soundly signed and in one form, byte for byte:
otherwise a changed byte could hide one, and with it a revocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asn1crypto import cms
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp

from sealtool.verification.authenticity import is_list_by, is_response_of, responders_in, speaks_of
from sealtool.verification.der import CONTEXT_0, CONTEXT_1, OCTET_STRING, SEQUENCE, element, octets_as_bits
from sealtool.verification.message import (
    Message,
    asn1_certificate,
    check_algorithm,
    check_certificate_form,
    check_form_of_signed,
    is_vouched_for,
    malformed,
)

_OCSP_RESPONSE = cms.OtherRevInfoFormatId("ocsp_response").dump()
_BASIC_RESPONSE = asn1_ocsp.ResponseType("basic_ocsp_response").dump()
_SUCCESSFUL = asn1_ocsp.OCSPResponseStatus("successful").dump()


def check_revocation_data(message: Message, issuers: Iterable[bytes]) -> None:
    """All revocation data in the message are signed by, or for, one of the issuers, and in the usual form.

    Raises:
        Objection: SIGNATURE_MALFORMED.
    """
    known = list(dict.fromkeys(issuers))
    for choice in message.revocation_data:
        match choice.name, choice.chosen:
            case "crl", listing:
                _check_list(listing, known)
            case "other", other if _is_response(other):
                _check_response(other["other_rev_info"], known)
            case _:
                raise malformed("It carries revocation data of another kind than lists and OCSP responses.")


def _is_response(other: cms.OtherRevocationInfoFormat) -> bool:
    return bool(other.dump() == element(CONTEXT_1, _OCSP_RESPONSE, other["other_rev_info"].dump()))


def _check_list(listing: asn1_crl.CertificateList, issuers: Sequence[bytes]) -> None:
    check_form_of_signed(listing, listing["tbs_cert_list"], listing["signature"])
    if _speaks_above_the_anchors(listing, issuers):
        return
    encoded = listing.dump()
    if not any(is_list_by(encoded, issuer) for issuer in issuers):
        raise malformed("It carries a revocation list that nobody vouches for.")


def _speaks_above_the_anchors(listing: asn1_crl.CertificateList, issuers: Sequence[bytes]) -> bool:
    """Whether it is of an authority above a listed issuing one, which is the anchor then: nobody asks it anything."""
    known = [asn1_certificate(issuer) for issuer in issuers]
    return not any(one.subject == listing.issuer for one in known) and any(
        one.issuer == listing.issuer for one in known
    )


def _check_response(response: asn1_ocsp.OCSPResponse, issuers: Sequence[bytes]) -> None:
    """RFC 6960, 4.2.2.2: signed by the issuer of every certificate it speaks of, or by a responder of that issuer."""
    basic, encoded = _basic_response(response), response.dump()
    for certificate in responders_in(encoded):
        check_certificate_form(certificate)
        if not is_vouched_for(certificate, issuers):
            raise malformed("It carries a certificate that nobody vouches for.")
    spoken_of = basic["tbs_response_data"]["responses"]
    if not spoken_of or not all(
        any(speaks_of(single["cert_id"], one) and is_response_of(encoded, one) for one in issuers)
        for single in spoken_of
    ):
        raise malformed("It carries an OCSP response that nobody vouches for.")


def _basic_response(response: asn1_ocsp.OCSPResponse) -> asn1_ocsp.BasicOCSPResponse:
    """What is signed, once everything around it is found to be in the one form that DER has for it."""
    if response["response_status"].native != "successful":
        raise malformed("It carries an OCSP response that says nothing.")
    encoded = bytes(response["response_bytes"]["response"])
    basic = asn1_ocsp.BasicOCSPResponse.load(encoded, strict=True)
    certificates = [certificate.dump() for certificate in basic["certs"] or ()]
    usual = element(
        SEQUENCE,
        basic["tbs_response_data"].dump(),
        basic["signature_algorithm"].dump(),
        octets_as_bits(basic["signature"].contents[1:]),
        *([element(CONTEXT_0, element(SEQUENCE, *certificates))] if certificates else []),
    )
    if response.dump() != _successful(usual):
        raise malformed("It carries an OCSP response in an unusual form.")
    check_algorithm(basic["signature_algorithm"])
    return basic


def _successful(basic: bytes) -> bytes:
    """RFC 6960, 4.2.1."""
    response = element(SEQUENCE, _BASIC_RESPONSE, element(OCTET_STRING, basic))
    return element(SEQUENCE, _SUCCESSFUL, element(CONTEXT_0, response))
