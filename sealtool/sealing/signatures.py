"""What the signers of all key sources have in common, and the check of a signature against a certificate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from asn1crypto import algos
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from sealtool.sealing.keys import SealingPublicKey, as_asn1, longest_signature


class SealSigner(Signer):
    """A signer with the certificate of a seal; where its key is kept is the affair of the class below.

    Args:
        certificate: of the seal.
        public_key: the one in it.
        chain: certificates of its issuers.
        prefer_pss: sign with RSA-PSS instead of RSA PKCS#1 v1.5; means nothing for ECDSA keys.
    """

    def __init__(
        self,
        certificate: x509.Certificate,
        public_key: SealingPublicKey,
        chain: Iterable[x509.Certificate],
        *,
        prefer_pss: bool = False,
    ) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple([as_asn1(issuer) for issuer in chain])
        super().__init__(signing_cert=as_asn1(certificate), cert_registry=store, prefer_pss=prefer_pss)
        self.public_key = public_key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.subject_name!r})"

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 (the library's signature)
    ) -> bytes:
        """The signature of ``data``; on a dry run, as many zeros as the longest signature has bytes.

        Raises:
            SealKeyError: the key does not sign.
        """
        if dry_run:
            return bytes(longest_signature(self.public_key))
        return await self.signature_of(data, digest_algorithm)

    @abstractmethod
    async def signature_of(self, data: bytes, digest_algorithm: str) -> bytes:
        """The signature of ``data``, made where the key is kept; SealKeyError where it does not sign."""

    def get_signature_mechanism_for_digest(self, digest_algorithm: str | None) -> algos.SignedDigestAlgorithm:
        """The algorithm of a signature as CMS names it.

        With PSS the salt is as long as the digest (RFC 4055, 3.1). The library would take the longest one that fits,
        which modules in FIPS mode refuse (FIPS 186-5, 5.4).
        """
        if not (self.prefer_pss and isinstance(self.public_key, rsa.RSAPublicKey) and digest_algorithm):
            return super().get_signature_mechanism_for_digest(digest_algorithm)
        digest = algos.DigestAlgorithm({"algorithm": digest_algorithm})
        return algos.SignedDigestAlgorithm(
            {
                "algorithm": "rsassa_pss",
                "parameters": {
                    "hash_algorithm": digest,
                    "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": digest},
                    "salt_length": get_pyca_cryptography_hash(digest_algorithm).digest_size,
                },
            }
        )

    def is_ours(self, signature: bytes, data: bytes, digest_algorithm: str) -> bool:
        """Whether ``signature`` is one of ``data``, made by the key of the certificate in the way this signer does."""
        digest = get_pyca_cryptography_hash(digest_algorithm)
        try:
            match self.public_key:
                case rsa.RSAPublicKey() as key if self.prefer_pss:
                    key.verify(signature, data, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
                case rsa.RSAPublicKey() as key:
                    key.verify(signature, data, padding.PKCS1v15(), digest)
                case ec.EllipticCurvePublicKey() as key:
                    key.verify(signature, data, ec.ECDSA(digest))
        except InvalidSignature:
            return False
        return True


def digest_of(data: bytes, algorithm: str) -> bytes:
    """The digest of ``data``, by the name that CMS has for the algorithm."""
    return digest_of_parts((data,), algorithm)


def digest_of_parts(parts: Iterable[bytes | memoryview], algorithm: str) -> bytes:
    """The same of all parts, one after the other."""
    digest = hashes.Hash(get_pyca_cryptography_hash(algorithm))
    for part in parts:
        digest.update(part)
    return digest.finalize()
