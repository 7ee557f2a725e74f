"""A signer whose private key never leaves its PKCS#11 token. Needs the optional library python-pkcs11."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from asn1crypto import algos
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import MGF, KeyType, Mechanism, PKCS11Error, SignMixin
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from sealtool.errors import SealKeyError
from sealtool.sealing.keys import SealingPublicKey
from sealtool.sealing.signatures import SealSigner, digest_of

ONE_CALL_AT_A_TIME = Lock()
"""Modules are initialised for one thread at a time (PKCS#11 v2.40, 5.4: ``C_Initialize`` without arguments)."""

_PROBE = b"sealtool: does this certificate belong to this key?"


@dataclass(frozen=True, slots=True)
class _Mechanisms:
    """The ways a token makes one kind of signature.

    Attributes:
        whole: by digest, those that take the data; most tokens have them for RSA, few for ECDSA.
        prepared: takes a digest.
    """

    whole: dict[str, Mechanism]
    prepared: Mechanism


_PKCS1 = _Mechanisms(
    {"sha256": Mechanism.SHA256_RSA_PKCS, "sha384": Mechanism.SHA384_RSA_PKCS, "sha512": Mechanism.SHA512_RSA_PKCS},
    Mechanism.RSA_PKCS,
)
_PSS = _Mechanisms(
    {
        "sha256": Mechanism.SHA256_RSA_PKCS_PSS,
        "sha384": Mechanism.SHA384_RSA_PKCS_PSS,
        "sha512": Mechanism.SHA512_RSA_PKCS_PSS,
    },
    Mechanism.RSA_PKCS_PSS,
)
_ECDSA = _Mechanisms(
    {"sha256": Mechanism.ECDSA_SHA256, "sha384": Mechanism.ECDSA_SHA384, "sha512": Mechanism.ECDSA_SHA512},
    Mechanism.ECDSA,
)
_PSS_DIGESTS = {
    "sha256": (Mechanism.SHA256, MGF.SHA256),
    "sha384": (Mechanism.SHA384, MGF.SHA384),
    "sha512": (Mechanism.SHA512, MGF.SHA512),
}


@dataclass(frozen=True, slots=True)
class KeyHandle:
    """A private key in an open session.

    Attributes:
        source: what messages call the token.
        private_key: the object on the token.
        kind: its ``CKA_KEY_TYPE``.
        label: its ``CKA_LABEL``.
        key_id: its ``CKA_ID``.
        mechanisms: what the token offers.
        pin: for a key that wants it anew for each signature (``CKA_ALWAYS_AUTHENTICATE``); None for others, so
            that it is kept no longer than needed.
    """

    source: str
    private_key: SignMixin
    kind: KeyType
    label: str
    key_id: bytes
    mechanisms: frozenset[Any]
    pin: str | None = field(default=None, repr=False)


class TokenSigner(SealSigner):
    """Signs with a key on a token: RSA PKCS#1 v1.5, RSA-PSS, or ECDSA.

    Signatures are made one after another, in a thread of their own: a smart card takes half a second, in which
    the event loop goes on.
    """

    def __init__(
        self,
        handle: KeyHandle,
        certificate: x509.Certificate,
        public_key: SealingPublicKey,
        chain: Iterable[x509.Certificate],
        *,
        prefer_pss: bool = False,
    ) -> None:
        super().__init__(certificate, public_key, chain, prefer_pss=prefer_pss)
        self._handle = handle
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="token")

    async def signature_of(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature of ``data``; SealKeyError where the token does not sign."""
        # A run that is cancelled leaves a signature half made; the thread finishes it before the next one.
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.sign, data, digest_algorithm)

    def sign(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature of ``data``, made now.

        Raises:
            SealKeyError: the token does not sign.
        """
        try:
            with ONE_CALL_AT_A_TIME:
                return self._sign(data, digest_algorithm)
        except PKCS11Error as error:
            raise SealKeyError(
                f"The token of the seal key ({self._handle.source}) stopped signing: {in_words(error)}. What was not "
                "sealed stays pending.",
                advice="Check that the token is plugged in or its server reachable, and that it offers "
                f"{'RSA-PSS' if self.prefer_pss else 'the signatures'} with {digest_algorithm}; then call again: the "
                "next run goes on.",
            ) from error

    def _sign(self, data: bytes, digest_algorithm: str) -> bytes:
        match self.public_key:
            case rsa.RSAPublicKey() if self.prefer_pss:
                salt = get_pyca_cryptography_hash(digest_algorithm).digest_size
                return self._made(_PSS, data, digest_algorithm, digest_of, (*_PSS_DIGESTS[digest_algorithm], salt))
            case rsa.RSAPublicKey():
                return self._made(_PKCS1, data, digest_algorithm, _digest_info)
            case ec.EllipticCurvePublicKey(key_size=bits):
                size = bits // 8  # both curves have an order of whole bytes

                def leftmost(message: bytes, algorithm: str) -> bytes:
                    return digest_of(message, algorithm)[:size]  # FIPS 186-5, 6.4.1; not every token cuts by itself

                pair = self._made(_ECDSA, data, digest_algorithm, leftmost)
                half = len(pair) // 2
                return encode_dss_signature(int.from_bytes(pair[:half]), int.from_bytes(pair[half:]))

    def _made(
        self,
        mechanisms: _Mechanisms,
        data: bytes,
        digest_algorithm: str,
        prepare: Callable[[bytes, str], bytes],
        parameter: Any = None,
    ) -> bytes:
        """By the mechanism that takes the data where the token has it, otherwise from a digest made here."""
        mechanism = mechanisms.whole[digest_algorithm]
        if mechanism not in self._handle.mechanisms:
            mechanism, data = mechanisms.prepared, prepare(data, digest_algorithm)
        return self._handle.private_key.sign(data, mechanism=mechanism, mechanism_param=parameter, pin=self._handle.pin)

    def belongs_to_certificate(self) -> bool:
        """Whether a signature made now is one of the certificate's key. Signs once.

        Raises:
            SealKeyError: the token does not sign.
        """
        return self.is_ours(self.sign(_PROBE, "sha256"), _PROBE, "sha256")


def _digest_info(data: bytes, algorithm: str) -> bytes:
    """RFC 8017, 9.2, step 2: what PKCS#1 v1.5 puts its padding around."""
    info = algos.DigestInfo({"digest_algorithm": {"algorithm": algorithm}, "digest": digest_of(data, algorithm)})
    return bytes(info.dump())


def in_words(error: PKCS11Error) -> str:
    """What the token said: the library's errors have a name, few have a text."""
    if text := str(error).strip().rstrip("."):
        return text
    name = type(error).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
