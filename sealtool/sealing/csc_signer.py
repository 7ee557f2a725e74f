"""A signer whose private key is at a remote signing service.

Seals in flight are gathered: while one request is on its way, the next one fills. The library's own signer waits
until a batch is full, for ever if need be, and tells only one of those who wait why it failed.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from sealtool.errors import SealKeyError
from sealtool.sealing.csc_credential import Credential
from sealtool.sealing.csc_service import CscService
from sealtool.sealing.keys import SealingPublicKey
from sealtool.sealing.signatures import SealSigner

_DIGESTS = ("sha256", "sha384", "sha512")
_RSA = "1.2.840.113549.1.1.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_RSA_WITH = {"sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
_EC = "1.2.840.10045.2.1"
_ECDSA_WITH = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A seal that waits for its signature."""

    data: bytes
    digest_algorithm: str
    signature: asyncio.Future[bytes]


class RemoteSigner(SealSigner):
    """Signs at a service: RSA PKCS#1 v1.5, RSA-PSS, or ECDSA. Every signature is checked before it is used.

    After the first failure nothing more is asked of the service: a wrong PIN must not be tried for each document that
    is in flight. The next run begins anew.
    """

    def __init__(
        self,
        service: CscService,
        credential: Credential,
        public_key: SealingPublicKey,
        chain: Iterable[x509.Certificate],
        *,
        prefer_pss: bool = False,
    ) -> None:
        super().__init__(credential.certificate, public_key, chain, prefer_pss=prefer_pss)
        self._service = service
        self._credential = credential
        self._waiting: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None
        self._failed: Exception | None = None

    async def signature_of(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature of ``data``.

        Raises:
            SealKeyError: the service does not sign, or what it gives is no signature of the certificate's key.
        """
        if self._failed is not None:
            raise self._failed
        loop = asyncio.get_running_loop()
        waiting = _Waiting(data, digest_algorithm, loop.create_future())
        self._waiting.append(waiting)
        if self._sending is None:
            self._sending = loop.create_task(self._send())
        return await waiting.signature

    def insist_on_algorithm(self, digest_algorithm: str | None = None) -> str:
        """The algorithm of signatures (``signAlgo``), with a digest or with any at all.

        Raises:
            SealKeyError: the key does not offer it.
        """
        names = [
            name
            for digest in ((digest_algorithm,) if digest_algorithm else _DIGESTS)
            for name in self._names(digest)
            if name in self._credential.algorithms
        ]
        if names:
            return names[0]
        kind = ("RSA-PSS" if self.prefer_pss else "RSA") if isinstance(self.public_key, rsa.RSAPublicKey) else "ECDSA"
        wanted = f"{kind} signatures{f' with {digest_algorithm}' if digest_algorithm else ''}"
        offered = ", ".join(sorted(self._credential.algorithms)) or "nothing"
        raise SealKeyError(
            f"The {self._service.name} does not make {wanted} with its key; it offers: {offered}.",
            advice="Change seal.csc.pss or seal.digest_algorithm, or ask the service for another key.",
        )

    def _names(self, digest_algorithm: str) -> tuple[str, ...]:
        """The object identifiers by which services offer what we want, the most telling first."""
        if not isinstance(self.public_key, rsa.RSAPublicKey):
            return (_ECDSA_WITH[digest_algorithm], _EC)
        return (_RSA_PSS,) if self.prefer_pss else (_RSA_WITH[digest_algorithm], _RSA)

    # --- sending --------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Sends what waits, one request after the other, until nothing does."""
        batch: list[_Waiting] = []
        try:
            while True:
                batch = self._next_batch()
                if not batch:
                    return
                await self._sign(batch)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it was
            self._failed = error
        finally:
            self._sending = None
            for left in (*batch, *self._waiting):
                if left.signature.done():
                    continue
                if self._failed is not None:
                    left.signature.set_exception(self._failed)
                else:
                    left.signature.cancel()
            self._waiting.clear()

    def _next_batch(self) -> list[_Waiting]:
        """As many as the key signs at once, of one digest algorithm, in order of arrival."""
        wanted = [each for each in self._waiting if not each.signature.done()]  # cancelled ones need none
        batch = [each for each in wanted if each.digest_algorithm == wanted[0].digest_algorithm]
        batch = batch[: self._credential.at_once]
        self._waiting = [each for each in wanted if each not in batch]
        return batch

    async def _sign(self, batch: list[_Waiting]) -> None:
        digest_algorithm = batch[0].digest_algorithm
        digests = [_digest(each.data, digest_algorithm) for each in batch]
        mechanism = self._mechanism(digest_algorithm)
        signatures = await self._service.sign(self._credential, digests, digest_algorithm, mechanism)
        pairs = list(zip(batch, signatures, strict=True))
        if not all(self.is_ours(signature, each.data, digest_algorithm) for each, signature in pairs):
            raise await self._strange_signature()
        for each, signature in pairs:
            if not each.signature.done():
                each.signature.set_result(signature)

    def _mechanism(self, digest_algorithm: str) -> dict[str, str]:
        mechanism = {"signAlgo": self.insist_on_algorithm(digest_algorithm)}
        if mechanism["signAlgo"] == _RSA_PSS:
            parameters = self.get_signature_mechanism_for_digest(digest_algorithm)["parameters"].dump()
            mechanism["signAlgoParams"] = base64.b64encode(parameters).decode("ascii")
        return mechanism

    async def _strange_signature(self) -> SealKeyError:
        """The signature is not of the key whose certificate we have: has that been exchanged meanwhile?"""
        now = await self._service.credential()
        if now.certificate != self._credential.certificate:
            return SealKeyError(
                f"The {self._service.name} changed its certificate during the run, so its signatures no longer belong "
                "to the seal certificate that the run began with. What was not sealed stays pending.",
                advice="Call again: the next run begins with the new certificate. Make sure that the change is meant.",
            )
        return SealKeyError(
            f"The {self._service.name} gave a signature that is not one of its certificate's key over what was sent. "
            "It was thrown away. What was not sealed stays pending.",
            advice="Report it to the service, and do not seal with it before the cause is known.",
        )


def _digest(data: bytes, algorithm: str) -> bytes:
    digest = hashes.Hash(get_pyca_cryptography_hash(algorithm))
    digest.update(data)
    return digest.finalize()
