"""Whether our own verifier would take what a key seals for a seal of ours: asked before anything is sealed."""

from __future__ import annotations

from collections.abc import Collection

from cryptography.hazmat.primitives.serialization import Encoding

from sealtool.errors import SealKeyError
from sealtool.sealing import SealKey
from sealtool.verification.holder import why_not_for_seals


def insist_on_own_seal(key: SealKey, organizations: Collection[str]) -> None:
    """Makes sure that a seal is an organisation's, and of one whose seals count.

    Args:
        key: seals.
        organizations: organizationIdentifiers; empty where those of any organisation count.

    Raises:
        SealKeyError: it is not, so our own verifier would refuse whatever it seals.
    """
    what = f"The seal certificate «{key.common_name}»"
    if organizations and key.organization not in organizations:
        raise SealKeyError(
            f"{what} is of {key.organization or 'no named organisation'}, and trust.organizations names "
            f"{', '.join(organizations)}: what it seals would not pass our own verification.",
            advice="Correct trust.organizations, or use the seal of that organisation.",
        )
    if why := why_not_for_seals(key.certificate.public_bytes(Encoding.DER)):
        raise SealKeyError(
            f"{what} ({key.source}) is none for the seals of an organisation, so what it seals would not pass our own "
            f"verification. {why}",
            advice="Name the key and certificate of the seal itself in the configuration.",
        )
