"""Which revocation data may vouch that a certificate was not revoked.

That a list does not name a certificate, or that a responder calls it good, tells something only where whoever says so
still keeps account of it: authorities may drop an entry once the certificate has run out (RFC 5280, 3.3; RFC 6960,
4.4.4). And it tells something only as far as its signature can be relied on. *Against* a certificate all data speak
that are authentic, however late or weakly signed they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from sealtool.verification.algorithms import StrongAlgorithmsOnly
from sealtool.verification.authenticity import (
    is_list_by,
    is_response_signed_by,
    public_key_of,
    read_list,
    responders_in,
)
from sealtool.verification.message import asn1_certificate

Datum = CRLContainer | OCSPContainer
"""A revocation list, or what an OCSP response says of one certificate."""

_POLICY: Final = StrongAlgorithmsOnly()
_EXPIRED_CERTS_ON_LIST: Final = "2.5.29.60"


def all_data(lists: Iterable[bytes], responses: Iterable[bytes]) -> tuple[Datum, ...]:
    """What lists and OCSP responses say.

    Raises:
        ValueError: one cannot be read.
    """
    answers = (OCSPContainer.load_multi(asn1_ocsp.OCSPResponse.load(der)) for der in responses)
    return (*(CRLContainer(read_list(der)) for der in lists), *chain.from_iterable(answers))


def without_what_cannot_vouch(
    data: Iterable[Datum], path: Iterable[bytes], known: Iterable[bytes]
) -> tuple[Datum, ...]:
    """The data without those that are too weakly signed, or too late, to vouch for the certificates of a path.

    In time is what was made while the certificate was valid, or says itself that it keeps account of certificates that
    had run out by then (EN 319 411-2, 6.3.10; EN 319 102-1, 5.2.5).

    Args:
        data: all of them.
        path: the certificates.
        known: certificates, among them of whoever signed the data; those in a response count anyway.
    """
    certificates = [asn1_certificate(der) for der in path]
    signers = tuple(dict.fromkeys(known))
    return tuple(
        one
        for one in data
        if _is_accusation(one) or (_is_strongly_signed(one, signers) and not _is_too_late(one, certificates))
    )


def _is_too_late(datum: Datum, path: Sequence[asn1_x509.Certificate]) -> bool:
    made = datum.issuance_date
    if made is None or all(made <= one.not_valid_after for one in path):  # whichever it is about
        return False
    first_end = min((one.not_valid_after for one in _may_be_about(datum, path)), default=None)
    if first_end is None or made <= first_end:
        return False
    kept_since = _keeps_expired_since(datum)
    return kept_since is None or kept_since > first_end


def _may_be_about(datum: Datum, path: Sequence[asn1_x509.Certificate]) -> Sequence[asn1_x509.Certificate]:
    if isinstance(datum, OCSPContainer):
        serial = _single(datum)["cert_id"]["serial_number"].native
        return [certificate for certificate in path if certificate.serial_number == serial]
    issued = [certificate for certificate in path if certificate.issuer == datum.crl_data.issuer]
    return issued or path  # of somebody whom an authority lets make its lists, perhaps


def _keeps_expired_since(datum: Datum) -> datetime | None:
    """Certificates that ran out from that day on are still in it: expiredCertsOnCRL (X.509, 9.5.2.8), archiveCutoff."""
    if isinstance(datum, OCSPContainer):
        cutoff = _single(datum).archive_cutoff_value
        return None if cutoff is None else _moment(cutoff.dump())
    for extension in datum.crl_data["tbs_cert_list"]["crl_extensions"]:
        if extension["extn_id"].dotted == _EXPIRED_CERTS_ON_LIST:
            return _moment(bytes(extension["extn_value"]))
    return None


def _moment(encoded: bytes) -> datetime | None:
    try:
        moment: datetime = core.GeneralizedTime.load(encoded, strict=True).native
    except ValueError:
        return None
    return moment


def _is_accusation(datum: Datum) -> bool:
    """A response that calls a certificate revoked. All that do are found by themselves, too (``Judge.revocations``)."""
    return isinstance(datum, OCSPContainer) and bool(_single(datum)["cert_status"].name == "revoked")


def _is_strongly_signed(datum: Datum, known: Iterable[bytes]) -> bool:
    """By its algorithm, and by the length of the key that signed it, whosever that is."""
    algorithm = datum.revinfo_sig_mechanism_used
    if isinstance(datum, OCSPContainer):
        encoded = datum.ocsp_response_data.dump()
        signers = (one for one in (*responders_in(encoded), *known) if is_response_signed_by(encoded, one))
    else:
        encoded = datum.crl_data.dump()
        signers = (one for one in known if is_list_by(encoded, one))
    signer = next(signers, None)
    return (
        algorithm is not None
        and signer is not None
        and bool(_POLICY.signature_algorithm_allowed(algorithm, None, public_key_of(signer)))
    )


def _single(datum: OCSPContainer) -> asn1_ocsp.SingleResponse:
    return datum.extract_single_response()
