"""Time stamp authorities (RFC 3161), and the check of every answer before it goes into a document."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import ClassVar, Final

import aiohttp
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.general import extract_certificate_info, extract_signer_info
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko.sign.timestamps.common_utils import get_nonce, handle_tsp_response
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from sealtool.errors import ServiceUnreachableError
from sealtool.sealing.der import OCTET_STRING, SEQUENCE, element
from sealtool.sealing.network import open_session
from sealtool.sealing.retrying import ONE_TRY, Patience, Retrying
from sealtool.sealing.signatures import digest_of
from sealtool.sealing.stamp_moulds import AnswerMould, Stamp

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


LONGEST_ANSWER: Final = 1024 * 1024
"""Bytes; a time stamp has some kilobytes."""

_VERSION: Final = tsp.Version("v1").dump()
_CERTIFICATE_WANTED: Final = core.Boolean(value=True).dump()

_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = range(500, 600)

_PASSING: Final = frozenset({"time_not_available", "system_failure"})
"""Failures (RFC 3161, 2.4.2) that say nothing against the request: the same one may succeed a second later."""


class TimeStampError(ServiceUnreachableError):
    """An authority cannot be used; another one might do."""


class CertificateChangedError(TimeStampError):
    """An authority stamped with another certificate than the one whose validation data were gathered."""


class _RefusedError(ValueError):
    """The authority answered that it does not stamp."""

    def __init__(self, words: str, failures: frozenset[str]) -> None:
        super().__init__(f"it refused ({words})")
        self.may_pass = bool(failures & _PASSING)


class _Answer(core.Sequence):  # type: ignore[misc]
    """RFC 3161, 2.4.2. The library's own type wants a token in refusals too, and fails on every real one."""

    _fields: ClassVar = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class CheckedTimeStamper(TimeStamper):
    """Asks one authority and believes nothing it says: a token with another imprint passes the stock client.

    What may pass (a lost connection, an authority that is overloaded) is tried again; a wrong answer is not, and
    neither is anything once the authority is given up.
    """

    def __init__(
        self, name: str, transport: Transport, clock: Callable[[], datetime], patience: Patience = ONE_TRY
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.name = name
        self.certificate: asn1_x509.Certificate | None = None
        """Signed the latest token."""
        self.expected_certificate: asn1_x509.Certificate | None = None
        """Once set, must have signed every token."""
        self._transport = transport
        self._clock = clock
        self._sound: AnswerMould | None = None
        self._retrying: Retrying[tuple[tsp.TimeStampResp, Stamp | None]] = Retrying(patience, self._wait_after)

    def now(self) -> datetime:
        """The present, aware: asking may have taken a while."""
        return self._clock()

    async def _ask(self, request: tsp.TimeStampReq) -> tuple[tsp.TimeStampResp, Stamp | None]:
        """An answer that grants; with the stamp in it, where it is like a sound one of before but for that."""
        response = await self._transport(request)
        encoded = response.dump()
        stamp = None if self._sound is None else self._sound.stamp_in(encoded)
        if stamp is None:
            _refuse_unless_granted(_Answer.load(encoded)["status"])
        return response, stamp

    def _wait_after(self, fault: Exception) -> float | None:
        """Seconds to wait at least before another try can help; None where none can."""
        if isinstance(fault, _RefusedError):
            return 0.0 if fault.may_pass else None
        match fault.__cause__:
            case aiohttp.ClientResponseError(status=status, headers=headers) if (
                status == _TOO_MANY_REQUESTS or status in _SERVER_ERRORS
            ):
                return _retry_after(headers, self._clock())
            case aiohttp.ClientSSLError():  # a wrong certificate stays wrong
                return None
            case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError() | OSError():
                return 0.0
            case _:
                return None

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """A checked token over ``message_digest``.

        Raises:
            TimeStampError: the authority cannot be reached, refuses, or answers something else.
            CertificateChangedError: the token is sound, but from another certificate than expected.
        """
        try:
            token, certificate = await self._stamped(message_digest, md_algorithm)
        except _FAULTS as fault:
            raise self._unusable(fault) from fault
        self.certificate, expected = certificate, self.expected_certificate
        if expected is not None and certificate.sha256 != expected.sha256:
            raise CertificateChangedError(
                f"The time stamp authority {self.name} stamps with changing certificates, so the document would lack "
                "the validation data of its own time stamp.",
                advice="Run the command again; if this goes on, ask the authority for an address with one certificate.",
            )
        return token

    async def _stamped(self, message_digest: bytes, md_algorithm: str) -> tuple[cms.ContentInfo, asn1_x509.Certificate]:
        """A sound token, and whose it is."""
        nonce, request = self.request_cms(message_digest, md_algorithm)
        response, stamp = await self._retrying.call(lambda: self._ask(request))
        if stamp is not None and self._is_sound(stamp, message_digest, md_algorithm, nonce):
            return cms.ContentInfo.load(stamp.token), stamp.mould.certificate
        token = handle_tsp_response(response, nonce)  # type: ignore[arg-type]
        certificate = self._checked(token, message_digest, md_algorithm)
        self._sound = self._sound or AnswerMould.of(response, certificate)
        return token, certificate

    def request_cms(self, message_digest: bytes, md_algorithm: str) -> tuple[int, tsp.TimeStampReq]:
        """A request with its nonce (RFC 3161, 2.4.1), written as the library writes it of objects, in less time."""
        nonce: int = get_nonce()  # type: ignore[no-untyped-call]
        imprint = element(SEQUENCE, _digest_algorithm(md_algorithm), element(OCTET_STRING, message_digest))
        parts = (_VERSION, imprint, core.Integer(nonce).dump(), _CERTIFICATE_WANTED)
        return nonce, tsp.TimeStampReq.load(element(SEQUENCE, *parts))

    def _is_sound(self, stamp: Stamp, message_digest: bytes, md_algorithm: str, nonce: int) -> bool:
        """Whether a stamp like a sound one is what was asked for; where not, the library may say why."""
        try:
            stamped = tsp.TSTInfo.load(stamp.content)
            self._demand(stamped, message_digest, md_algorithm)
            return bool(stamped["nonce"].native == nonce) and stamp.is_signed()
        except _FAULTS:
            return False

    def _checked(self, token: cms.ContentInfo, message_digest: bytes, md_algorithm: str) -> asn1_x509.Certificate:
        signed_data = token["content"]
        content = signed_data["encap_content_info"]["content"]
        self._demand(content.parsed, message_digest, md_algorithm)
        signer_info = extract_signer_info(signed_data)
        digest = digest_of(bytes(content), signer_info["digest_algorithm"]["algorithm"].native)
        certificate = self._signer_of(signed_data, signer_info)
        intact, valid = validate_sig_integrity(signer_info, certificate, "tst_info", digest)
        if not (intact and valid):
            raise ValueError("the signature of its time stamp is broken")
        return certificate

    def _demand(self, stamped: tsp.TSTInfo, message_digest: bytes, md_algorithm: str) -> None:
        """ValueError where something else was stamped, or at another time."""
        imprint = stamped["message_imprint"]
        if imprint["hashed_message"].native != message_digest:
            raise ValueError("it stamped something else than what was sent")
        if imprint["hash_algorithm"]["algorithm"].native != md_algorithm:
            raise ValueError("it stamped with another digest algorithm than the one asked for")
        if abs(stamped["gen_time"].native - self._clock()) > CLOCK_TOLERANCE:
            raise ValueError(f"its clock says {stamped['gen_time'].native:%Y-%m-%d %H:%M:%S} UTC, ours does not")

    def _signer_of(self, signed_data: cms.SignedData, signer_info: cms.SignerInfo) -> asn1_x509.Certificate:
        """The signer's certificate; the library compares names where it is not, to the byte, the expected one."""
        expected, signer = self.expected_certificate, signer_info["sid"].chosen
        if expected is not None and signer_info["sid"].name == "issuer_and_serial_number":
            is_named = signer["issuer"].dump() == expected.issuer.dump()
            if is_named and signer["serial_number"].native == expected.serial_number:
                encoded = expected.dump()
                if any(choice.chosen.dump() == encoded for choice in signed_data["certificates"]):
                    return expected
        return extract_certificate_info(signed_data).signer_cert

    def _unusable(self, fault: BaseException) -> TimeStampError:
        if isinstance(fault, TimeoutError) or isinstance(fault.__cause__, TimeoutError):
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


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an authority knows its customers by. Never shows the secret.

    Attributes:
        secret: the password, or with no user name a bearer token (RFC 6750).
        username: for HTTP basic authentication (RFC 7617); empty for none.
    """

    secret: bytes = field(repr=False)
    username: str = ""

    def header(self) -> str:
        """The value of the Authorization header."""
        if not self.username:
            return f"Bearer {self.secret.decode('utf-8', 'surrogateescape')}"
        return f"Basic {base64.b64encode(self.username.encode() + b':' + self.secret).decode()}"


class HttpTimeStampAuthority(TimeStampAuthority):
    """An authority at an HTTP(S) address.

    Connections are kept open between requests, so one object serves one event loop at a time, and
    :meth:`aclose` ends it.

    Args:
        url: its address, without credentials: messages show it.
        timeout_seconds: how long each request may take.
        patience: how often to ask again what may pass.
        credentials: where it wants to know who asks.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        patience: Patience = Patience(),  # noqa: B008 (frozen)
        credentials: Credentials | None = None,
    ) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._patience = patience
        self._headers = {} if credentials is None else {"Authorization": credentials.header()}
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return self._url

    def stamper(self, clock: Callable[[], datetime]) -> CheckedTimeStamper:
        """A new client over the shared connections; to be called inside the event loop."""
        if self._session is None:
            self._session = open_session(longest_answer=LONGEST_ANSWER, for_address=self._url)
        client = HTTPTimeStamper(self._url, timeout=self._timeout_seconds, headers=self._headers, session=self._session)
        return CheckedTimeStamper(self._url, client.async_request_tsa_response, clock, self._patience)

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _refuse_unless_granted(status: tsp.PKIStatusInfo) -> None:
    if status["status"].native != "granted":
        failures = frozenset(status["fail_info"].native or ())
        said = "; ".join(status["status_string"].native or ()) or ", ".join(sorted(failures))
        raise _RefusedError(said or status["status"].native, failures)


def _retry_after(headers: Mapping[str, str] | None, now: datetime) -> float:
    """RFC 9110, 10.2.3: seconds, or a date; 0 where there is none that can be read."""
    value = (headers or {}).get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


@cache
def _digest_algorithm(name: str) -> bytes:
    return bytes(algos.DigestAlgorithm({"algorithm": name}).dump())
