"""Whose word revocation data are: signed by an authority, or by somebody whom it lets speak for it.

RFC 5280, 6.3.3 (f) and (g) for lists; RFC 6960, 4.2.2.2 for OCSP responses. Nothing here asks how strong a signature
is: against a certificate a weak one counts, too (:mod:`sealtool.verification.vouching`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from asn1crypto import algos, core, keys
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509

from sealtool.verification import remembering
from sealtool.verification.message import asn1_certificate, is_issued_by, is_vouched_for
from sealtool.verification.signatures import is_signed

_RESPONDER: Final = "ocsp_signing"
_SIGNS_LISTS: Final = "crl_sign"


@remembering.lists
def read_list(der: bytes) -> asn1_crl.CertificateList:
    """A revocation list as the library reads it, once for all who ask of it; nobody may write to it."""
    return asn1_crl.CertificateList.load(der, strict=True)


@remembering.parts
def read_response(der: bytes) -> asn1_ocsp.BasicOCSPResponse | None:
    """What is signed of an OCSP response; None where it is none that tells something. As :func:`read_list`."""
    response = asn1_ocsp.OCSPResponse.load(der, strict=True)
    if response["response_status"].native != "successful":
        return None
    return response["response_bytes"]["response"].parsed


def is_of_issuer(name: asn1_x509.Name, issuer: bytes) -> bool:
    """Whether a name is that of a certificate, in the way in which chains compare them (RFC 5280, 7.1)."""
    return bool(name == asn1_certificate(issuer).subject)


@remembering.entries_of_lists
def is_list_signed_by(encoded: bytes, signer: bytes) -> bool:
    """Whether a list is signed with the key of that certificate, however weakly."""
    listing = read_list(encoded)
    return _is_signed(listing["tbs_cert_list"], listing["signature"], listing["signature_algorithm"], signer)


def is_list_by(encoded: bytes, issuer: bytes) -> bool:
    """Whether a list is the word of whoever has that certificate: under that name, and signed with that key."""
    return is_of_issuer(read_list(encoded).issuer, issuer) and is_list_signed_by(encoded, issuer)


@remembering.entries_of_lists
def is_response_signed_by(encoded: bytes, signer: bytes) -> bool:
    """Whether a response is signed with the key of that certificate, however weakly."""
    basic = read_response(encoded)
    return basic is not None and _is_signed(
        basic["tbs_response_data"], basic["signature"], basic["signature_algorithm"], signer
    )


def is_list_of(encoded: bytes, authorities: Iterable[bytes], known: Iterable[bytes]) -> bool:
    """Whether a list is the word of an authority, by its own key or by another that it has for lists.

    Args:
        encoded: the list.
        authorities: the authority, and those above it, who may have certified its other key.
        known: certificates, one of which may be of that key.
    """
    issuer, *above = authorities
    others = (one for one in known if _signs_lists_of(one, issuer) and is_vouched_for(one, (issuer, *above)))
    return any(is_list_by(encoded, one) for one in (issuer, *others))


def _signs_lists_of(der: bytes, issuer: bytes) -> bool:
    certificate = asn1_certificate(der)
    usage = certificate.key_usage_value
    return usage is not None and _SIGNS_LISTS in usage.native and is_of_issuer(certificate.subject, issuer)


def is_response_of(encoded: bytes, issuer: bytes, known: Iterable[bytes] = ()) -> bool:
    """Whether a response is signed by an authority, or by a responder that it certified as such.

    Args:
        encoded: the response.
        issuer: the authority.
        known: certificates, one of which may be the responder's; those in the response count anyway.
    """
    responders = (one for one in (*responders_in(encoded), *known) if _is_responder_of(one, issuer))
    return any(is_response_signed_by(encoded, one) for one in (issuer, *responders))


def responders_in(encoded: bytes) -> tuple[bytes, ...]:
    """The certificates that a response brings."""
    basic = read_response(encoded)
    return () if basic is None else tuple(certificate.dump() for certificate in basic["certs"] or ())


def _is_responder_of(der: bytes, issuer: bytes) -> bool:
    usage = asn1_certificate(der).extended_key_usage_value
    return usage is not None and _RESPONDER in usage.native and is_issued_by(der, issuer)


def speaks_of(named: asn1_ocsp.CertId, issuer: bytes, *, called: Iterable[bytes] = ()) -> bool:
    """Whether that is the authority whose certificate a response is about (RFC 6960, 4.1.1).

    Args:
        named: what the response says.
        issuer: the authority.
        called: its name as others write it, DER.
    """
    certificate = asn1_certificate(issuer)
    try:
        key, *names = (
            hashlib.new(named["hash_algorithm"]["algorithm"].native, content, usedforsecurity=False).digest()
            for content in (bytes(certificate.public_key["public_key"]), certificate.subject.dump(), *called)
        )
    except ValueError:  # a digest that nobody here knows
        return False
    return named["issuer_key_hash"].native == key and named["issuer_name_hash"].native in names


def public_key_of(der: bytes) -> keys.PublicKeyInfo:
    """The public key of a certificate."""
    return asn1_certificate(der).public_key


def _is_signed(
    signed: core.Asn1Value, signature: core.BitString, algorithm: algos.SignedDigestAlgorithm, signer: bytes
) -> bool:
    try:
        content, value, key = signed.dump(), signature.native, public_key_of(signer)
    except (ValueError, TypeError):  # they are read no sooner, and a certificate may hold no key
        return False
    return is_signed(content, value, key, algorithm)
