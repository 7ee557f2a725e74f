"""Which algorithms are good enough, and how they are written.

What is not listed is refused (EN 319 102-1, 5.2.8; ETSI TS 119 312).
"""

from __future__ import annotations

from datetime import datetime

from asn1crypto import algos, core, keys
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint

from sealtool.verification import remembering
from sealtool.verification.der import (
    CONTEXT_0,
    CONTEXT_1,
    CONTEXT_2,
    NULL,
    SEQUENCE,
    element,
    elements,
    object_identifier,
)

STRONG_DIGESTS = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})
_RSA = frozenset({"rsassa_pkcs1v15", "rsassa_pss"})
_EDWARDS = frozenset({"ed25519", "ed448"})
MINIMUM_RSA_BITS = 2048
MINIMUM_EC_BITS = 256

_WITHOUT_DIGEST = frozenset({"rsassa_pkcs1v15", "ecdsa", "dsa"})
_WITHOUT_PARAMETERS = ("1.2.840.10045.", "1.3.101.")  # ECDSA (RFC 5754, 3.3) and the Edwards curves (RFC 8419, 2.2)
_PSS = "1.2.840.113549.1.1.10"
_MGF1 = algos.MaskGenAlgorithmId("mgf1").dump()
_USUAL_SALT = 20  # RFC 4055, 3.1: the default, which DER leaves out

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


def names_its_digest(algorithm: algos.SignedDigestAlgorithm) -> bool:
    """Whether a signature algorithm is one of a digest; ``rsaEncryption`` is one of any (RFC 3370, 3.2)."""
    return algorithm["algorithm"].native not in _WITHOUT_DIGEST


@remembering.parts
def spellings(algorithm: bytes) -> tuple[bytes, bytes]:
    """How DER has an algorithm identifier: as it is usual, and as it is allowed besides.

    One of them has NULL for parameters, the other one none (RFC 5754, 2). RSASSA-PSS has real ones (RFC 4055, 3.1), in
    which the same is so of its digests; they are written anew from their values, so that nothing else is in them.

    Raises:
        ValueError: it cannot be read.
    """
    identifier = object_identifier(next(elements(core.Sequence.load(algorithm, strict=True).contents)))
    if identifier.dotted == _PSS:
        parameters = algos.SignedDigestAlgorithm.load(algorithm)["parameters"]
        inner = [_pss_parameters(parameters, ending) for ending in (NULL, b"")]
    else:
        inner = [b"", NULL] if identifier.dotted.startswith(_WITHOUT_PARAMETERS) else [NULL, b""]
    usual, other = (element(SEQUENCE, identifier.dump(), each) for each in inner)
    return usual, other


def _pss_parameters(parameters: algos.RSASSAPSSParams, ending: bytes) -> bytes:
    """Its trailer field has one value only, the default, which DER leaves out."""
    mask = parameters["mask_gen_algorithm"]["parameters"]
    digest, masking = (
        element(SEQUENCE, object_identifier(each["algorithm"].dump()).dump(), ending)
        for each in (parameters["hash_algorithm"], mask)
    )
    salt = parameters["salt_length"].native
    return element(
        SEQUENCE,
        element(CONTEXT_0, digest),
        element(CONTEXT_1, element(SEQUENCE, _MGF1, masking)),
        b"" if salt == _USUAL_SALT else element(CONTEXT_2, core.Integer(salt).dump()),
    )
