"""The CAdES attributes both kinds of seal share, and the room a seal takes."""

from __future__ import annotations

from asn1crypto import algos, cms
from pyhanko.sign.ades.api import CAdESSignedAttrSpec
from pyhanko.sign.ades.cades_asn1 import SignaturePolicyId, SignaturePolicyIdentifier
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, Signer
from pyhanko.sign.timestamps import TimeStamper

from sealtool.sealing.profile import SealingProfile, SignaturePolicy
from sealtool.sealing.signatures import digest_of

_MARGIN = 4096
"""Hexadecimal characters left on top of what a seal with a time stamp needs: an authority may put one more certificate
into its next one. Every reader goes through the zeros that fill them one by one, so twice as many would cost 10 ms a
file."""

_SPARE = 64
"""The same where there is no time stamp: nothing can be longer than in the trial, which has the longest signature."""


def cades_attributes(profile: SealingProfile) -> CAdESSignedAttrSpec | None:
    """The signed attributes that the profile adds to the mandatory ones; None for none."""
    if profile.policy is None:
        return None
    return CAdESSignedAttrSpec(signature_policy_identifier=_policy_identifier(profile.policy))


def _policy_identifier(policy: SignaturePolicy) -> SignaturePolicyIdentifier:
    """EN 319 122-1, 5.2.9."""
    fields: dict[str, object] = {
        "sig_policy_id": policy.oid,
        "sig_policy_hash": {
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": policy.digest_algorithm}),
            "digest": policy.digest,
        },
    }
    if policy.uri:
        fields["sig_policy_qualifiers"] = [{"sig_policy_qualifier_id": "sp_uri", "sig_qualifier": policy.uri}]
    return SignaturePolicyIdentifier({"signature_policy_id": SignaturePolicyId(fields)})


async def room_for_seal(signer: Signer, profile: SealingProfile, stamper: TimeStamper | None) -> int:
    """Hexadecimal characters to leave in a document for its seal."""
    trial = await trial_message(signer, profile, stamper, digest_of(b"", profile.digest.value))
    return 2 * len(trial.dump()) + (_SPARE if stamper is None else _MARGIN)


async def trial_message(
    signer: Signer, profile: SealingProfile, stamper: TimeStamper | None, document_digest: bytes
) -> cms.ContentInfo:
    """The message of a seal as the library puts it together, but for its signature, which is as many zeros as the
    longest one has bytes, and its time stamp, which is one that the stamper has already."""
    return await signer.async_sign(
        document_digest,
        profile.digest.value,
        dry_run=True,
        use_pades=True,
        timestamper=stamper,
        signed_attr_settings=PdfCMSSignedAttributes(cades_signed_attrs=cades_attributes(profile)),
    )


async def room_for_document_stamp(profile: SealingProfile, stamper: TimeStamper) -> int:
    """Hexadecimal characters to leave in a document for its document time stamp."""
    token = await stamper.async_dummy_response(profile.digest.value)
    return 2 * len(token.dump()) + _MARGIN
