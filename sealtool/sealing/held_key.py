"""A signer that holds its private key loaded.

The stock signer of the PDF library parses and checks the key anew for every signature (74 ms with RSA-2048)
and signs for real when only a size was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pyhanko_certvalidator.util import get_pyca_cryptography_hash, process_pss_params

from sealtool.sealing.keys import as_asn1, longest_signature

SealingPrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class HeldKeySigner(Signer):
    """Signs with a private key in memory: RSA PKCS#1 v1.5, RSA-PSS, or ECDSA."""

    def __init__(
        self,
        private_key: SealingPrivateKey,
        certificate: x509.Certificate,
        chain: Iterable[x509.Certificate],
        *,
        prefer_pss: bool = False,
    ) -> None:
        self._private_key = private_key
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple([as_asn1(issuer) for issuer in chain])
        super().__init__(signing_cert=as_asn1(certificate), cert_registry=store, prefer_pss=prefer_pss)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.subject_name!r})"

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 (the library's signature)
    ) -> bytes:
        """The signature of ``data``; on a dry run, as many zeros as the longest signature has bytes."""
        if dry_run:
            return bytes(longest_signature(self._private_key.public_key()))
        match self._private_key:
            case rsa.RSAPrivateKey() if self.prefer_pss:
                mechanism = self.get_signature_mechanism_for_digest(digest_algorithm)
                pss, digest = process_pss_params(mechanism["parameters"])
                return self._private_key.sign(data, pss, digest)
            case rsa.RSAPrivateKey():
                return self._private_key.sign(data, padding.PKCS1v15(), get_pyca_cryptography_hash(digest_algorithm))
            case ec.EllipticCurvePrivateKey():
                return self._private_key.sign(data, ec.ECDSA(get_pyca_cryptography_hash(digest_algorithm)))
            case _:
                assert_never(self._private_key)
