"""Which algorithms are good enough. What is not listed is refused (EN 319 102-1, 5.2.8; ETSI TS 119 312)."""

from __future__ import annotations

from datetime import datetime

from asn1crypto import algos, keys
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint

STRONG_DIGESTS = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})
_RSA = frozenset({"rsassa_pkcs1v15", "rsassa_pss"})
_EDWARDS = frozenset({"ed25519", "ed448"})
MINIMUM_RSA_BITS = 2048
MINIMUM_EC_BITS = 256

_ALLOWED = AlgorithmUsageConstraint(allowed=True)


def _refused(why: str) -> AlgorithmUsageConstraint:
    return AlgorithmUsageConstraint(allowed=False, failure_reason=why)


class StrongAlgorithmsOnly(CMSAlgorithmUsagePolicy):
    """Allows by list, at every moment alike: no weak algorithm becomes acceptable for being old."""

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        """Whether a digest may be relied on."""
        del moment
        name = algo["algorithm"].native
        return _ALLOWED if name in STRONG_DIGESTS else _refused(f"digest {name}")

    def signature_algorithm_allowed(
        self, algo: algos.SignedDigestAlgorithm, moment: datetime | None, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        """Whether a signature algorithm, with its digest and the key's length, may be relied on."""
        del moment
        try:
            name = algo.signature_algo
        except ValueError:
            name = algo["algorithm"].native
        if name in _EDWARDS:
            return _ALLOWED
        try:
            digest = algo.hash_algo
        except ValueError:
            digest = None  # rsaEncryption names none; the digest of the signer's data is judged by itself
        if digest is not None and digest not in STRONG_DIGESTS:
            return _refused(f"digest {digest}")
        if name in _RSA:
            return _long_enough(public_key, MINIMUM_RSA_BITS)
        if name == "ecdsa":
            return _long_enough(public_key, MINIMUM_EC_BITS)
        return _refused(f"algorithm {name}")


def _long_enough(public_key: keys.PublicKeyInfo | None, bits: int) -> AlgorithmUsageConstraint:
    if public_key is not None and public_key.bit_size < bits:
        return _refused(f"a key of {public_key.bit_size} bits")
    return _ALLOWED
