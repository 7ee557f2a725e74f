"""Whom revocation data name as revoked.

The library stops at the first good answer: an OCSP response hides a newer list, or the next response. So all data
are asked once more, those of the file and those handed in, however old they are and however weakly signed: who has
once been called revoked by the authority is so, and no later word lifts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from cryptography import x509

from sealtool.verification import remembering
from sealtool.verification.authenticity import (
    is_list_of,
    is_of_issuer,
    is_response_of,
    read_list,
    read_response,
    speaks_of,
)
from sealtool.verification.message import asn1_certificate


def accusations(
    der: bytes,
    authorities: Sequence[bytes],
    *,
    lists: Iterable[bytes],
    responses: Iterable[bytes],
    known: Collection[bytes],
) -> Iterator[datetime]:
    """Since when a certificate is revoked, by each list and response that is its authority's word and names it.

    Args:
        der: the certificate.
        authorities: its issuer, and those above.
        lists: revocation lists, DER.
        responses: OCSP responses, DER.
        known: certificates, some of which may be of keys that an authority has for its lists or responses.
    """
    for encoded in lists:
        moment = _listed(encoded, der, authorities[0])
        if moment is not None and is_list_of(encoded, authorities, known):
            yield moment
    for encoded in responses:
        moments = _answered(encoded, der, authorities[0])
        if moments and is_response_of(encoded, authorities[0], known):
            yield from moments


@remembering.entries_of_lists
def _listed(encoded: bytes, der: bytes, issuer: bytes) -> datetime | None:
    if not is_of_issuer(read_list(encoded).issuer, issuer):
        return None
    entry = _entries(encoded).get_revoked_certificate_by_serial_number(asn1_certificate(der).serial_number)
    return None if entry is None else entry.revocation_date_utc.astimezone(UTC)


@remembering.lists
def _entries(encoded: bytes) -> x509.CertificateRevocationList:
    """As a library reads a list that finds an entry among many at once."""
    return x509.load_der_x509_crl(encoded)


@remembering.entries_of_lists
def _answered(encoded: bytes, der: bytes, issuer: bytes) -> tuple[datetime, ...]:
    basic, certificate = read_response(encoded), asn1_certificate(der)
    return tuple(
        one["cert_status"].chosen["revocation_time"].native
        for one in (() if basic is None else basic["tbs_response_data"]["responses"])
        if one["cert_status"].name == "revoked"
        and one["cert_id"]["serial_number"].native == certificate.serial_number
        and speaks_of(one["cert_id"], issuer, called=[certificate.issuer.dump()])
    )
