"""Speaks to a remote signing service (CSC API 1.0.4 and 2.0), and puts what it refuses into words.

Bodies and addresses are those of the PDF library. The requests are made here: the library follows redirects with the
PIN in the body, and drops the reasons that a service gives with a refusal.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
from asn1crypto import algos
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationInfo,
    CSCAuthorizationManager,
    CSCCredentialInfo,
    CSCServiceSessionInfo,
)

from sealtool.errors import SealKeyError
from sealtool.sealing.csc_credential import Credential, read_credential
from sealtool.sealing.keys import as_asn1

T = TypeVar("T")

PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try of a request that did not get through."""

_PENDING = "What was not sealed stays pending."
_SHOWN = 200
"""Characters of what a service says that are repeated to a user."""


class _NotReachedError(Exception):
    """No connection, or none that lasted, or a server at fault: worth another try."""


@dataclass(frozen=True)
class CscService:
    """One key at one service.

    A session is opened for each task and closed behind it: nothing is left open, whichever event loop comes next.

    Attributes:
        url: without ``/csc/v1``.
        credential_id: the key.
        api_version: ``v1`` or ``v2``.
        timeout_seconds: how long one request may take.
        access_token: bearer token.
        pin: of the key; None for none.
        pauses: seconds before each repetition.
    """

    url: str
    credential_id: str
    api_version: str
    timeout_seconds: float
    access_token: str = field(repr=False)
    pin: str | None = field(repr=False)
    pauses: tuple[float, ...] = PAUSES

    @property
    def name(self) -> str:
        """What messages call the key."""
        return f"signing service {self.url}, credential «{self.credential_id}»"

    async def credential(self) -> Credential:
        """What the service says of the key (``credentials/info``).

        Raises:
            SealKeyError: it cannot be reached, refuses, or the key cannot be used.
        """
        request = {"credentialID": self.credential_id, "certificates": "chain", "certInfo": True, "authInfo": True}
        answer = await self._repeated(lambda session: self._call(session, "credentials/info", request))
        return read_credential(answer, self.name, has_pin=self.pin is not None)

    async def sign(
        self, credential: Credential, digests: Sequence[bytes], digest_algorithm: str, mechanism: dict[str, str]
    ) -> list[bytes]:
        """The signatures of some digests: one authorisation bound to them all, then one request.

        A signature whose answer was lost on the way is asked for again, with a new authorisation: it does no harm, as
        the first one was never used.

        Args:
            credential: the key.
            digests: at most as many as the credential signs at once.
            digest_algorithm: made them.
            mechanism: ``signAlgo`` and, for RSA-PSS, ``signAlgoParams``.

        Raises:
            SealKeyError: the service cannot be reached, refuses, or does not answer with as many signatures.
        """
        hashes = [base64.b64encode(digest).decode("ascii") for digest in digests]
        digest_oid = algos.DigestAlgorithmId(digest_algorithm).dotted
        authority = _Authorisations(self, credential, digest_oid)

        async def once(session: aiohttp.ClientSession) -> dict[str, Any]:
            granted = await authority.granted(session, hashes)
            request = {"credentialID": self.credential_id, "SAD": granted.sad, **mechanism}
            request |= self._hashes(hashes, digest_oid)
            return await self._call(session, "signatures/signHash", request)

        answer = await self._repeated(once)
        try:
            signatures = [base64.b64decode(each, validate=True) for each in answer["signatures"]]
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise self._wrong("its answer holds no signatures") from error
        if len(signatures) != len(hashes):
            raise self._wrong(f"it gave {len(signatures)} signatures for {len(hashes)} documents")
        return signatures

    def _hashes(self, hashes: list[str], digest_oid: str) -> dict[str, Any]:
        """CSC API 1.0.4, 11.9, and 2.0, 11.10: the same by other names."""
        if self.api_version == "v1":
            return {"hash": hashes, "hashAlgo": digest_oid}
        return {"hashes": hashes, "hashAlgorithmOID": digest_oid}

    # --- requests -------------------------------------------------------------------------------------

    @property
    def session_info(self) -> CSCServiceSessionInfo:
        """The service as the PDF library wants it. It shows the token: never to be printed."""
        return CSCServiceSessionInfo(self.url, self.credential_id, self.access_token, self.api_version)

    async def _repeated(self, work: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
        pauses = iter(self.pauses)
        while True:
            try:
                # trust_env: administrations reach the outside through a proxy
                async with aiohttp.ClientSession(trust_env=True) as session:
                    return await work(session)
            except _NotReachedError as fault:
                pause = next(pauses, None)
                if pause is None:
                    raise SealKeyError(
                        f"The {self.name} cannot be reached: {fault}. Tried {len(self.pauses) + 1} times. {_PENDING}",
                        advice="Check seal.csc.url, the network and the state of the service, then call again: the "
                        "next run goes on.",
                    ) from fault
                await asyncio.sleep(pause)

    async def _call(self, session: aiohttp.ClientSession, endpoint: str, request: dict[str, Any]) -> dict[str, Any]:
        info = self.session_info
        try:
            async with session.post(
                info.endpoint_url(endpoint),  # type: ignore[no-untyped-call]
                headers=info.auth_headers,
                json=request,
                timeout=aiohttp.ClientTimeout(total=self.timeout_seconds),
                allow_redirects=False,  # token and PIN are for this service alone
            ) as response:
                return await self._answer(response, endpoint)
        except TimeoutError as error:
            raise SealKeyError(
                f"The {self.name} did not answer within {self.timeout_seconds:g} seconds ({endpoint}). {_PENDING}",
                advice="Call again later; if it stays slow, ask the service, or set seal.csc.timeout_seconds higher.",
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise SealKeyError(
                f"The {self.name} shows a TLS certificate that this machine does not trust, so nothing was sent to it.",
                advice="Check seal.csc.url; otherwise install the root of the service's certificate on this machine.",
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _NotReachedError(self._hidden(str(error) or type(error).__name__)) from error
        except ValueError as error:
            raise self._wrong(
                f"the request cannot be made or its answer not read ({self._hidden(str(error))})"
            ) from error

    async def _answer(self, response: aiohttp.ClientResponse, endpoint: str) -> dict[str, Any]:
        if response.status >= 500:  # noqa: PLR2004 - RFC 9110, 15.6
            raise _NotReachedError(f"it answered with HTTP status {response.status} ({endpoint})")
        try:
            answer = await response.json(content_type=None)
        except ValueError:
            answer = None
        if response.status == 200 and isinstance(answer, dict):  # noqa: PLR2004 - RFC 9110, 15.3.1
            return answer
        said = answer if isinstance(answer, dict) else {}
        code, text = (self._hidden(str(said.get(part) or "")) for part in ("error", "error_description"))
        raise self._refusal(endpoint, response.status, code, text)

    def _hidden(self, text: str) -> str:
        """What a service says, without what it must not repeat."""
        for secret in filter(None, (self.access_token, self.pin)):
            text = text.replace(secret, "…")
        return "".join(letter if letter.isprintable() else " " for letter in text)[:_SHOWN].strip().rstrip(".")

    def _refusal(self, endpoint: str, status: int, code: str, text: str) -> SealKeyError:
        """CSC API 1.0.4, 10.1: an error is a code and a sentence, with status 400 or 401."""
        said = ": ".join(filter(None, (code, text))) or f"HTTP status {status}"
        if status in {401, 403} or code in {"invalid_token", "unauthorized", "access_denied"}:
            return SealKeyError(
                f"The {self.name} refused the access token ({said}). {_PENDING}",
                advice="Obtain a new token, put it in the place that seal.csc.token names, and call again.",
            )
        if endpoint == "credentials/authorize" and ("pin" in code.lower().split("_") or "PIN" in text):
            return SealKeyError(
                f"The {self.name} refused the PIN ({said}). It was tried once and not again.",
                advice="Correct the PIN in the place that seal.csc.pin names before the next run: keys lock after a "
                "few wrong tries, and every run is one more.",
            )
        if endpoint == "credentials/info":
            return SealKeyError(
                f"The {self.name} gives no information about that credential ({said}), so nothing can be sealed.",
                advice="Check seal.csc.credential, seal.csc.url and seal.csc.api_version.",
            )
        return SealKeyError(
            f"The {self.name} refused to sign ({endpoint}, {said}). {_PENDING}",
            advice="Check the credential with the service, then call again: the next run goes on.",
        )

    def _wrong(self, what: str) -> SealKeyError:
        return SealKeyError(
            f"The {self.name} does not answer as a signing service must: {what}. {_PENDING}",
            advice="Check seal.csc.url and seal.csc.api_version; otherwise report it to the service.",
        )

    async def authorise(self, session: aiohttp.ClientSession, request: dict[str, Any]) -> CSCAuthorizationInfo:
        """The activation data (SAD) that the service gives for a request to ``credentials/authorize``.

        Raises:
            SealKeyError: it refuses, or gives none.
        """
        answer = await self._call(session, "credentials/authorize", request)
        try:
            return CSCAuthorizationManager.parse_csc_auth_response(answer)
        except (SigningError, TypeError) as error:
            raise self._wrong("it authorised nothing (no SAD)") from error


class _Authorisations(CSCAuthorizationManager):
    """Asks for one authorisation for each request to sign, bound to its digests: nothing else can be signed with it."""

    def __init__(self, service: CscService, credential: Credential, digest_oid: str) -> None:
        info = CSCCredentialInfo(
            signing_cert=as_asn1(credential.certificate),
            chain=[as_asn1(issuer) for issuer in credential.chain],
            supported_mechanisms=credential.algorithms,
            max_batch_size=credential.at_once,
            hash_pinning_required=True,
            response_data={},
        )
        super().__init__(service.session_info, info)
        self._service = service
        self._credential = credential
        self._digest_oid = digest_oid

    async def granted(self, session: aiohttp.ClientSession, hashes: list[str]) -> CSCAuthorizationInfo:
        pin = self._service.pin if self._credential.wants_pin else None
        if self._service.api_version == "v1":
            return await self._service.authorise(session, self.format_csc_auth_request(pin=pin, hash_b64s=hashes))
        # CSC API 2.0, 11.6: other names, and the PIN among the authentication data
        request = self.format_csc_auth_request(hash_b64s=hashes)
        request |= {"hashes": request.pop("hash"), "hashAlgorithmOID": self._digest_oid}
        if pin is not None:
            request["authData"] = [{"id": self._credential.pin_id, "value": pin}]
        return await self._service.authorise(session, request)
