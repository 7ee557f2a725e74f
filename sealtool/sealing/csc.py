"""Seal keys kept by a remote signing service that speaks the API of the Cloud Signature Consortium (CSC)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sealtool.errors import SealKeyError
from sealtool.sealing.certificate_files import certificates_in, issuers_of, sealing_public_key
from sealtool.sealing.csc_service import PAUSES, CscService
from sealtool.sealing.csc_signer import RemoteSigner
from sealtool.sealing.keys import SealKey


@dataclass(frozen=True, slots=True)
class RemoteKey:
    """Where a seal key is: names it, never holds a token or PIN.

    Attributes:
        url: of the service, without ``/csc/v1``.
        credential: ``credentialID`` of the key there.
        api_version: ``v1`` (CSC API 1.0.4) or ``v2`` (2.0), as in the service's addresses.
        timeout_seconds: how long one request may take.
        chain: files with certificates of its issuers, PEM or DER, where the service does not give them.
    """

    url: str
    credential: str
    api_version: str = "v1"
    timeout_seconds: float = 30.0
    chain: tuple[Path, ...] = ()


def load_csc(
    place: RemoteKey,
    access_token: bytes,
    pin: bytes | None,
    *,
    prefer_pss: bool = False,
    pauses: tuple[float, ...] = PAUSES,
) -> SealKey:
    """The seal key at a signing service. Asks for its certificate now, and signs nothing.

    To be called outside of an event loop.

    Args:
        place: where the key is.
        access_token: OAuth 2.0 bearer token for the service (CSC API 1.0.4, 8.2).
        pin: of the key; None where it has none.
        prefer_pss: sign with RSA-PSS instead of RSA PKCS#1 v1.5; means nothing for ECDSA keys.
        pauses: seconds to wait before each repetition of a request that did not get through.

    Raises:
        SealKeyError: the service cannot be reached or refuses, does not know the key, cannot use it without a
            person, or key or certificate are not fit for seals.
    """
    service = CscService(
        url=place.url,
        credential_id=place.credential,
        api_version=place.api_version,
        timeout_seconds=place.timeout_seconds,
        access_token=_as_text(access_token, "access token"),
        pin=None if pin is None else _as_text(pin, "PIN"),
        pauses=pauses,
    )
    credential = asyncio.run(service.credential())
    files = [certificate for path in place.chain for certificate in certificates_in(path, "seal.csc.chain")]
    chain = issuers_of(credential.certificate, (*credential.chain, *files))
    public_key = sealing_public_key(credential.certificate, service.name)
    signer = RemoteSigner(service, credential, public_key, chain, prefer_pss=prefer_pss)
    signer.insist_on_algorithm()
    return SealKey(source=service.name, certificate=credential.certificate, chain=chain, signer=signer)


def _as_text(secret: bytes, what: str) -> str:
    try:
        text = secret.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    # a bearer token goes into a header as it is (RFC 6750, 2.1); a line break in it would end the header
    if not text.isprintable() or not text or (what == "access token" and (" " in text or not text.isascii())):
        raise SealKeyError(
            f"What should be the {what} of the signing service is not one: it has bytes that no {what} has. It was "
            "not sent.",
            advice=f"Check the place that seal.csc.{'token' if what == 'access token' else 'pin'} names.",
        ) from None
    return text
