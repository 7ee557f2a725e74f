"""What a seal needs besides key and document, gathered once for many: trust, revocation data, a time stamper.

Gathering asks everything that may fail, so that a seal that cannot reach its level fails before a document is
touched. It holds for a few minutes only: revocation and certificates move on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.signers.pdf_signer import PreSignValidationStatus
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import (
    CertificateFetchError,
    CRLFetchError,
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    OCSPFetchError,
    PathBuildingError,
    RevokedError,
    ValidationError,
)

from sealtool.errors import SealKeyError, SealtoolError, ServiceUnreachableError
from sealtool.sealing.cades import room_for_seal
from sealtool.sealing.keys import SealKey, as_asn1
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.revocation import load_crls, refuse_revoked, revoked
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampError
from sealtool.sealing.trust import PATH_FAULTS, Trust, path_to_trust


@dataclass(frozen=True)
class SealingMaterial:
    """Gathered for the seals of the next minutes.

    Attributes:
        gathered_at: when.
        room: hexadecimal characters to leave for a seal.
        stamper: stamps, and is checked; None where no time stamp is wanted.
        validation: paths and revocation data for the document; None below B-LT, where they have no place.
    """

    gathered_at: datetime
    room: int
    stamper: CheckedTimeStamper | None
    validation: PreSignValidationStatus | None


async def gather(
    key: SealKey, profile: SealingProfile, trust: Trust, stamper: CheckedTimeStamper | None, now: datetime
) -> SealingMaterial:
    """Judge the seal certificate, then the authority, and keep what a document needs of it.

    Raises:
        SealKeyError: the seal certificate is expired, revoked, not trusted, or not for seals.
        ServiceUnreachableError: revocation data are missing or stale, or the authority does not stamp.
        ConfigurationError: a CRL file is none.
    """
    key.check(now)
    seal = as_asn1(key.certificate)
    what = f"The seal certificate «{key.common_name}» ({key.source})"
    crls = load_crls(trust.revocation.crl_files)
    refuse_revoked(seal, crls, what)
    if not trust.anchors:
        await _first_token(stamper, profile)
        return SealingMaterial(now, await room_for_seal(key.signer, profile, stamper), stamper, validation=None)
    async with trust.context(now, crls) as context:
        paths = [await _seal_path(seal, key, context, what)]
        refuse_revoked(seal, context.crls, what)
        if stamper is not None:
            await _first_token(stamper, profile)
            paths.append(await _authority_path(stamper, context))
        validation = _kept(paths, context) if profile.long_term else None
    if validation is not None:
        await _prove_sufficient(validation, trust, now)
    return SealingMaterial(now, await room_for_seal(key.signer, profile, stamper), stamper, validation)


async def _first_token(stamper: CheckedTimeStamper | None, profile: SealingProfile) -> None:
    if stamper is not None:
        # the library keeps this token to know how much room to reserve
        await stamper.async_dummy_response(profile.digest.value)
        if profile.long_term:
            stamper.expected_certificate = stamper.certificate


async def _seal_path(seal: asn1_x509.Certificate, key: SealKey, context: ValidationContext, what: str) -> Any:
    try:
        return await path_to_trust(seal, [as_asn1(issuer) for issuer in key.chain], context)
    except PATH_FAULTS as fault:
        raise _seal_error(fault, what) from fault


async def _authority_path(stamper: CheckedTimeStamper, context: ValidationContext) -> Any:
    certificate = stamper.certificate
    try:
        return await path_to_trust(
            certificate, stamper.cert_registry, context, extended_key_usage=frozenset({"time_stamping"})
        )
    except PATH_FAULTS as fault:
        raise _authority_error(fault, stamper.name) from fault


def _kept(paths: Sequence[Any], context: ValidationContext) -> PreSignValidationStatus:
    """Of all the revocation data at hand, those about certificates of the paths: documents stay small."""
    issuers = {certificate.issuer.hashable for path in paths for certificate in path}
    crls = [crl for crl in _distinct(context.crls) if crl.issuer.hashable in issuers or _is_indirect(crl)]
    return PreSignValidationStatus(
        signer_path=paths[0],
        validation_paths=list(paths),
        ts_validation_paths=list(paths[1:]),
        ocsps_to_embed=list(context.ocsps),
        crls_to_embed=crls,
    )


def _distinct(crls: Sequence[asn1_crl.CertificateList]) -> list[asn1_crl.CertificateList]:
    return list({crl.dump(): crl for crl in crls}.values())


def _is_indirect(crl: asn1_crl.CertificateList) -> bool:
    point = crl.issuing_distribution_point_value
    return bool(point is not None and point["indirect_crl"].native)


async def _prove_sufficient(validation: PreSignValidationStatus, trust: Trust, now: datetime) -> None:
    """Validate the paths once more with what the document will hold and nothing else."""
    context = trust.offline_context(now, validation.crls_to_embed, validation.ocsps_to_embed)
    try:
        for path in validation.validation_paths:
            await path_to_trust(path.last, list(path), context)
    except PATH_FAULTS as fault:
        raise ServiceUnreachableError(
            "The revocation data at hand do not suffice to validate the seal and its time stamp without the network "
            f"({_words(fault)}), so the level that the configuration demands cannot be reached and nothing was sealed.",
            advice="Add the CRLs of every issuer between the seal, the time stamp authority and their roots.",
        ) from fault


def _seal_error(fault: BaseException, what: str) -> SealtoolError:
    match fault:
        case RevokedError():
            return revoked(what)
        case ExpiredError() | NotYetValidError():
            return SealKeyError(
                f"{what} or one of its issuers is outside its validity ({_words(fault)}), so seals would be invalid.",
                advice="Check the clock of this machine; otherwise renew the seal certificate with its issuer.",
            )
        case InsufficientRevinfoError() | CertificateFetchError() | CRLFetchError() | OCSPFetchError():
            return _unknown_revocation(what, fault)
        case PathBuildingError():
            return SealKeyError(
                f"{what} does not lead to any of the trust anchors, so its seals would not validate.",
                advice="Add the root certificate of its issuer to the trust anchors, and the issuers in between to "
                "the PKCS#12 file, or to the token or its chain.",
            )
        case ValidationError():
            return SealKeyError(
                f"{what} cannot be validated ({_words(fault)}), so its seals would not validate.",
                advice="Check that the certificate, its issuers and the trust anchors belong together.",
            )
        case _:
            return _unknown_revocation(what, fault)


def _authority_error(fault: BaseException, name: str) -> TimeStampError:
    what = f"The certificate of the time stamp authority {name}"
    match fault:
        case RevokedError():
            problem = "has been revoked"
        case InsufficientRevinfoError() | CertificateFetchError() | CRLFetchError() | OCSPFetchError():
            unknown = _unknown_revocation(what, fault)
            return TimeStampError(unknown.message, advice=unknown.advice)
        case PathBuildingError():
            problem = "does not lead to any of the trust anchors"
        case _:
            problem = f"cannot be validated ({_words(fault)})"
    return TimeStampError(
        f"{what} {problem}, so its time stamps prove nothing and nothing was sealed.",
        advice="Add the root certificate of the authority to the trust anchors, or configure another authority.",
    )


def _unknown_revocation(what: str, fault: BaseException) -> ServiceUnreachableError:
    return ServiceUnreachableError(
        f"It cannot be told whether {what[0].lower()}{what[1:]} has been revoked ({_words(fault)}), so nothing was "
        "sealed.",
        advice="Renew the CRL files of every issuer, or allow fetching and check the network; what was not sealed "
        "stays pending.",
    )


def _words(fault: BaseException) -> str:
    return str(fault).strip().rstrip(".") or type(fault).__name__
