"""Whether bytes are signed with a key: yes or no, whatever is wrong with key, algorithm or signature."""

from __future__ import annotations

from typing import Final

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko_certvalidator.errors import PSSParameterMismatch
from pyhanko_certvalidator.sig_validate import DEFAULT_SIGNATURE_VALIDATOR, SignatureValidationContext

_FAULTS: Final = (
    AssertionError,  # the key is of another kind than the algorithm
    AttributeError,  # the algorithm names no digest
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    PSSParameterMismatch,
)


def is_signed(
    signed: bytes,
    signature: bytes,
    key: keys.PublicKeyInfo,
    algorithm: algos.SignedDigestAlgorithm,
    *,
    digest_name: str | None = None,
) -> bool:
    """The library's own check, which asks nothing of how strong a signature is.

    Args:
        signed: DER of what is signed.
        signature: its value.
        key: of the signer.
        algorithm: of the signature.
        digest_name: for algorithms that name no digest themselves, as those of messages may.
    """
    context = SignatureValidationContext(contextual_md_algorithm=digest_name)
    try:
        DEFAULT_SIGNATURE_VALIDATOR.validate_signature(signature, signed, key, algorithm, context)
    except _FAULTS:
        return False
    return True
