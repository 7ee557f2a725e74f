"""What OCSP responses say of certificates, as far as they can be believed (RFC 6960, 4.2.2.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import algos
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.errors import PSSParameterMismatch
from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator

_STRONG_DIGESTS = {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"}
_BROKEN = (ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Statement:
    """A believable word of a responder on one certificate.

    Attributes:
        response: where it stands.
        status: ``good``, ``revoked`` or ``unknown``.
        revoked_at: where it is revoked.
        since: thisUpdate.
        until: nextUpdate; None where newer word may be had at any time.
    """

    response: asn1_ocsp.OCSPResponse
    status: str
    revoked_at: datetime | None
    since: datetime
    until: datetime | None


def statements(
    responses: Iterable[asn1_ocsp.OCSPResponse],
    certificates: Sequence[asn1_x509.Certificate],
    issuers: Sequence[asn1_x509.Certificate],
) -> Iterator[Statement]:
    """All that the responses say of the certificates, where an issuer or a responder of its own has signed it.

    Whatever is broken, about other certificates or signed by others says nothing.
    """
    for response in responses:
        try:
            yield from _statements(response, certificates, issuers)
        except _BROKEN:
            continue


def is_strong(algorithm: algos.SignedDigestAlgorithm) -> bool:
    """Whether what is signed with it can be relied on for years (ETSI TS 119 312)."""
    try:
        return algorithm.signature_algo in {"ed25519", "ed448"} or algorithm.hash_algo in _STRONG_DIGESTS
    except ValueError:
        return False


def _statements(
    response: asn1_ocsp.OCSPResponse,
    certificates: Sequence[asn1_x509.Certificate],
    issuers: Sequence[asn1_x509.Certificate],
) -> list[Statement]:
    basic = response.basic_ocsp_response
    found = []
    for single in basic["tbs_response_data"]["responses"]:
        issuer = _issuer(single["cert_id"], certificates, issuers)
        if issuer is not None and _signed_for(basic, issuer):
            status = single["cert_status"]
            found.append(
                Statement(
                    response,
                    status.name,
                    status.chosen["revocation_time"].native if status.name == "revoked" else None,
                    single["this_update"].native,
                    single["next_update"].native,
                )
            )
    return found


def _issuer(
    named: asn1_ocsp.CertId, certificates: Sequence[asn1_x509.Certificate], issuers: Sequence[asn1_x509.Certificate]
) -> asn1_x509.Certificate | None:
    algorithm = named["hash_algorithm"]["algorithm"].native
    for certificate in certificates:
        if certificate.serial_number != named["serial_number"].native:
            continue
        for issuer in issuers:
            key = hashlib.new(algorithm, bytes(issuer.public_key["public_key"]), usedforsecurity=False).digest()
            name = hashlib.new(algorithm, issuer.subject.dump(), usedforsecurity=False).digest()
            if (
                issuer.subject == certificate.issuer
                and named["issuer_key_hash"].native == key
                and named["issuer_name_hash"].native == name
            ):
                return issuer
    return None


def _signed_for(basic: asn1_ocsp.BasicOCSPResponse, issuer: asn1_x509.Certificate) -> bool:
    """Whether the issuer itself signed, or a responder that the issuer certified for this."""
    responders = [one for one in basic["certs"] or () if _is_responder_of(one, issuer)]
    return any(_signed_by(basic, one) for one in (issuer, *responders))


def _is_responder_of(certificate: asn1_x509.Certificate, issuer: asn1_x509.Certificate) -> bool:
    usage = certificate.extended_key_usage_value
    if usage is None or "ocsp_signing" not in usage.native:
        return False
    try:
        x509.load_der_x509_certificate(certificate.dump()).verify_directly_issued_by(
            x509.load_der_x509_certificate(issuer.dump())
        )
    except (*_BROKEN, InvalidSignature):
        return False
    return True


def _signed_by(basic: asn1_ocsp.BasicOCSPResponse, signer: asn1_x509.Certificate) -> bool:
    try:
        DefaultSignatureValidator().validate_signature(
            signature=basic["signature"].native,
            signed_data=basic["tbs_response_data"].dump(),
            public_key_info=signer.public_key,
            signature_algorithm=basic["signature_algorithm"],
        )
    except (*_BROKEN, InvalidSignature, PSSParameterMismatch):
        return False
    return True
