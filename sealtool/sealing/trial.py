"""Tries out what seals are made with, one part at a time, and seals nothing.

For whoever looks after an installation: sealing itself asks all of this at once, and stops at the first fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509

from sealtool.errors import SealKeyError
from sealtool.sealing.keys import SealKey
from sealtool.sealing.material import authority_path, gather
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.revocation import RevocationSources, load_crls
from sealtool.sealing.signatures import SealSigner
from sealtool.sealing.time_stamps import TimeStampAuthority
from sealtool.sealing.trust import CLOCK_SKEW, Trust

_PROBE = b"sealtool: a signature for trial"


async def prove_key(key: SealKey, digest_algorithm: str) -> None:
    """Have the key sign a text that is no document, and hold the signature against its certificate.

    Raises:
        SealKeyError: it does not sign, or the signature is not one of the certificate's key.
    """
    signature = await key.signer.async_sign_raw(_PROBE, digest_algorithm)
    if not (isinstance(key.signer, SealSigner) and key.signer.is_ours(signature, _PROBE, digest_algorithm)):
        raise SealKeyError(
            f"A signature for trial of the seal key ({key.source}) does not verify under its certificate, so its seals "
            "could not be validated.",
            advice="Check that key and certificate belong together, and the device or service that has the key.",
        )


@dataclass(frozen=True, slots=True)
class PathFacts:
    """A path of certificates from a seal to a trust anchor.

    Attributes:
        root: name of the anchor.
        first_end: when the first certificate of the path runs out, UTC.
        data_end: when the first of the revocation data at hand runs out, UTC; None where there are none.
        lists: how many revocation lists speak of the path.
        responses: how many OCSP responses do.
    """

    root: str
    first_end: datetime
    data_end: datetime | None
    lists: int
    responses: int


async def try_path(key: SealKey, profile: SealingProfile, trust: Trust, now: datetime) -> PathFacts:
    """Follow the certificate of a seal to a trust anchor, asking for revocation where ``trust`` has sources for it.

    Raises:
        SealKeyError: the certificate is expired, revoked, not trusted, or not for seals.
        ServiceUnreachableError: revocation data are missing or stale.
        ConfigurationError: a CRL file is none.
    """
    material = await gather(key, profile, trust, None, now)
    validation = material.validation
    if validation is None:
        raise ValueError("a path is kept from B-LT on, where there are trust anchors")
    path: Any = validation.signer_path
    certificates = list(path.iter_certs(include_root=True))
    return PathFacts(
        root=_name(certificates[0].subject),
        first_end=_first_end(certificates),
        data_end=None if material.usable_until is None else material.usable_until + CLOCK_SKEW,
        lists=len(validation.crls_to_embed),
        responses=len(validation.ocsps_to_embed),
    )


@dataclass(frozen=True, slots=True)
class ListFacts:
    """A revocation list in a file.

    Attributes:
        issuer: its name.
        since: when it was made, UTC.
        until: when the next one is due, UTC; None where it does not say.
    """

    issuer: str
    since: datetime
    until: datetime | None


def lists_in_files(sources: RevocationSources) -> tuple[ListFacts, ...]:
    """The revocation lists in files.

    Raises:
        ServiceUnreachableError: a pattern names no file, or a file cannot be read.
        ConfigurationError: a file is no CRL.
    """
    return tuple(
        ListFacts(
            issuer=_name(each.issuer),
            since=each["tbs_cert_list"]["this_update"].native,
            until=each["tbs_cert_list"]["next_update"].native,
        )
        for each in load_crls(sources.crl_files)
    )


@dataclass(frozen=True, slots=True)
class StampFacts:
    """What a time stamp for trial told of its authority.

    Attributes:
        ahead: how far its clock is ahead of ours; negative where it is behind.
        first_end: when the first certificate between it and its root runs out, UTC; its own alone, where no anchors
            are given.
        trusted: whether the path was judged, which needs anchors.
    """

    ahead: timedelta
    first_end: datetime
    trusted: bool


async def try_authority(
    authority: TimeStampAuthority, profile: SealingProfile, trust: Trust, clock: Callable[[], datetime]
) -> StampFacts:
    """Have an authority stamp the digest of random bytes, and follow its certificate to a trust anchor.

    Raises:
        ServiceUnreachableError: it does not stamp, is not trusted, or that cannot be told.
        ConfigurationError: a CRL file is none.
    """
    try:
        stamper = authority.stamper(clock)
        # over random bytes; the library keeps the issuers that come with this one, and with no other
        token = await stamper.async_dummy_response(profile.digest.value)
        ahead = _time_in(token) - clock()
        certificates = [stamper.certificate]
        if trust.anchors:
            async with trust.context(clock(), load_crls(trust.revocation.crl_files)) as context:
                path = await authority_path(stamper, context)
            certificates = list(path.iter_certs(include_root=False))
        return StampFacts(ahead=ahead, first_end=_first_end(certificates), trusted=bool(trust.anchors))
    finally:
        await authority.aclose()


def _name(name: asn1_x509.Name) -> str:
    """The common name, or the whole name where there is none."""
    return str(name.native.get("common_name") or name.human_friendly)


def _time_in(token: cms.ContentInfo) -> datetime:
    moment: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    return moment


def _first_end(certificates: Iterable[Any]) -> datetime:
    end: datetime = min(each.not_valid_after for each in certificates)
    return end.astimezone(UTC)
