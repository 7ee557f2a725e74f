"""Time stamp authorities (RFC 3161), and the check of every answer before it goes into a document."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import ClassVar

import aiohttp
from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from pyhanko.sign.general import extract_certificate_info, extract_signer_info
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from sealtool.errors import ServiceUnreachableError

Transport = Callable[[tsp.TimeStampReq], Awaitable[tsp.TimeStampResp]]
"""Brings a request to an authority and its answer back."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the time in a token may be from our clock. A token from another time is sound, yet makes the seal look
older than its certificate or newer than its revocation data."""

_FAULTS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
    aiohttp.ClientError,
    SignatureValidationError,
)
"""All that broken answers make the library raise: it raises AttributeError for a wrong nonce, for one."""


class TimeStampError(ServiceUnreachableError):
    """An authority cannot be used; another one might do."""


class CertificateChangedError(TimeStampError):
    """An authority stamped with another certificate than the one whose validation data were gathered."""


class _Answer(core.Sequence):  # type: ignore[misc]
    """RFC 3161, 2.4.2. The library's own type wants a token in refusals too, and fails on every real one."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class CheckedTimeStamper(TimeStamper):
    """Asks one authority and believes nothing it says: a token with another imprint passes the stock client."""

    def __init__(self, name: str, transport: Transport, clock: Callable[[], datetime]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.name = name
        self.certificate: asn1_x509.Certificate | None = None
        """Signed the latest token."""
        self.expected_certificate: asn1_x509.Certificate | None = None
        """Once set, must have signed every token."""
        self._transport = transport
        self._clock = clock

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Ask the authority."""
        response = await self._transport(req)
        status = _Answer.load(response.dump())["status"]
        if status["status"].native != "granted":
            said = "; ".join(status["status_string"].native or ()) or ", ".join(status["fail_info"].native or ())
            raise ValueError(f"it refused ({said or status['status'].native})")
        return response

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """A checked token over ``message_digest``.

        Raises:
            TimeStampError: the authority cannot be reached, refuses, or answers something else.
            CertificateChangedError: the token is sound, but from another certificate than expected.
        """
        try:
            token = await super().async_timestamp(message_digest, md_algorithm)
            self.certificate = self._checked(token, message_digest, md_algorithm)
        except _FAULTS as fault:
            raise self._unusable(fault) from fault
        expected = self.expected_certificate
        if expected is not None and self.certificate.sha256 != expected.sha256:
            raise CertificateChangedError(
                f"The time stamp authority {self.name} stamps with changing certificates, so the document would lack "
                "the validation data of its own time stamp.",
                advice="Run the command again; if this goes on, ask the authority for an address with one certificate.",
            )
        return token

    def _checked(self, token: cms.ContentInfo, message_digest: bytes, md_algorithm: str) -> asn1_x509.Certificate:
        signed_data = token["content"]
        content = signed_data["encap_content_info"]["content"]
        stamped: tsp.TSTInfo = content.parsed
        imprint = stamped["message_imprint"]
        if imprint["hashed_message"].native != message_digest:
            raise ValueError("it stamped something else than what was sent")
        if imprint["hash_algorithm"]["algorithm"].native != md_algorithm:
            raise ValueError("it stamped with another digest algorithm than the one asked for")
        if abs(stamped["gen_time"].native - self._clock()) > CLOCK_TOLERANCE:
            raise ValueError(f"its clock says {stamped['gen_time'].native:%Y-%m-%d %H:%M:%S} UTC, ours does not")
        signer_info = extract_signer_info(signed_data)
        certificate: asn1_x509.Certificate = extract_certificate_info(signed_data).signer_cert
        digest = hashes.Hash(get_pyca_cryptography_hash(signer_info["digest_algorithm"]["algorithm"].native))
        digest.update(bytes(content))
        intact, valid = validate_sig_integrity(signer_info, certificate, "tst_info", digest.finalize())
        if not (intact and valid):
            raise ValueError("the signature of its time stamp is broken")
        return certificate

    def _unusable(self, fault: BaseException) -> TimeStampError:
        if isinstance(fault, TimeoutError | asyncio.TimeoutError) or isinstance(fault.__cause__, TimeoutError):
            why = "it did not answer in time"
        elif isinstance(fault.__cause__, aiohttp.ClientResponseError):
            why = f"it answered with HTTP status {fault.__cause__.status} ({fault.__cause__.message})"
        elif isinstance(fault.__cause__, OSError | aiohttp.ClientError):
            why = f"{fault.__cause__}"
        elif isinstance(fault, ValueError | OSError):
            why = f"{fault}"
        else:
            why = "its answer is not a time stamp"
        return TimeStampError(
            f"The time stamp authority {self.name} gave no usable time stamp: {why}. Without one the level that "
            "the configuration demands cannot be reached, so nothing was sealed.",
            advice="Try again later; what was not sealed stays pending. If it goes on, check the address, the network "
            "and the clock of this machine.",
        )


class TimeStampAuthority(ABC):
    """Somebody who stamps times."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call it."""

    @abstractmethod
    def stamper(self, clock: Callable[[], datetime]) -> CheckedTimeStamper:
        """A new client, with nothing remembered of earlier answers."""

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of connections. The authority can be used again afterwards."""


class HttpTimeStampAuthority(TimeStampAuthority):
    """An authority at an HTTP(S) address.

    Connections are kept open between requests, so one object serves one event loop at a time, and
    :meth:`aclose` ends it.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 10.0) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return self._url

    def stamper(self, clock: Callable[[], datetime]) -> CheckedTimeStamper:
        """A new client over the shared connections; to be called inside the event loop."""
        if self._session is None:
            # trust_env: administrations reach the outside through a proxy
            self._session = aiohttp.ClientSession(trust_env=True)
        client = HTTPTimeStamper(self._url, timeout=self._timeout_seconds, session=self._session)
        return CheckedTimeStamper(self._url, client.async_request_tsa_response, clock)

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
