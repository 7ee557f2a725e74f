"""A signer that holds its private key loaded.

The stock signer of the PDF library parses and checks the key anew for every signature (74 ms with RSA-2048)
and signs for real when only a size was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from sealtool.sealing.signatures import SealSigner

SealingPrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class HeldKeySigner(SealSigner):
    """Signs with a private key in memory: RSA PKCS#1 v1.5, RSA-PSS, or ECDSA."""

    def __init__(
        self,
        private_key: SealingPrivateKey,
        certificate: x509.Certificate,
        chain: Iterable[x509.Certificate],
        *,
        prefer_pss: bool = False,
    ) -> None:
        super().__init__(certificate, private_key.public_key(), chain, prefer_pss=prefer_pss)
        self._private_key = private_key

    async def signature_of(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature of ``data``."""
        digest = get_pyca_cryptography_hash(digest_algorithm)
        match self._private_key:
            case rsa.RSAPrivateKey() if self.prefer_pss:
                salted = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
                return self._private_key.sign(data, salted, digest)
            case rsa.RSAPrivateKey():
                return self._private_key.sign(data, padding.PKCS1v15(), digest)
            case ec.EllipticCurvePrivateKey():
                return self._private_key.sign(data, ec.ECDSA(digest))
            case _:
                assert_never(self._private_key)
