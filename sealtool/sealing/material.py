"""What a seal needs besides key and document, gathered once for many: trust, revocation data, a time stamper.

Gathering asks everything that may fail, so that a seal that cannot reach its level fails before a document is
touched. It holds for a few minutes only: revocation and certificates move on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import crl as asn1_crl
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
from sealtool.sealing.responses import is_strong, statements
from sealtool.sealing.revocation import load_crls, refuse_revoked, refuse_revoked_by_responder, revoked
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampError
from sealtool.sealing.trust import CLOCK_SKEW, PATH_FAULTS, Trust, path_to_trust

MATERIAL_LIFETIME = timedelta(minutes=5)
"""How long gathered revocation data serve: a revocation is noticed within it, and a context does not grow old."""


@dataclass(frozen=True)
class SealingMaterial:
    """Gathered for the seals of the next minutes.

    Attributes:
        gathered_at: when.
        room: hexadecimal characters to leave for a seal.
        stamper: stamps, and is checked; None where no time stamp is wanted.
        validation: paths and revocation data for the document; None below B-LT, where they have no place.
        usable_until: when the first of the revocation data run out, None where none do.
    """

    gathered_at: datetime
    room: int
    stamper: CheckedTimeStamper | None
    validation: PreSignValidationStatus | None
    usable_until: datetime | None = None

    def serves_at(self, moment: datetime) -> bool:
        """Whether a seal may still be made of it at ``moment``."""
        if self.usable_until is not None and moment >= self.usable_until:
            return False
        return timedelta(0) <= moment - self.gathered_at < MATERIAL_LIFETIME


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
        await first_token(stamper, profile)
        return SealingMaterial(now, await room_for_seal(key.signer, profile, stamper), stamper, validation=None)
    async with trust.contexts(crls) as context_at:
        context = context_at(now)
        paths = [await _seal_path(key, trust, context, what)]
        if stamper is not None:
            await first_token(stamper, profile)
            # the authority may have taken its time: what is fetched now would be too recent for the first context
            context = context_at(stamper.now())
            paths.append(await authority_path(stamper, context))
        validation = kept(paths, context) if profile.long_term else None
    room = await room_for_seal(key.signer, profile, stamper)
    if validation is None:
        return SealingMaterial(now, room, stamper, validation=None)
    await prove_sufficient(validation, trust, context.moment)
    return SealingMaterial(now, room, stamper, validation, first_end(validation, context.moment))


async def first_token(stamper: CheckedTimeStamper | None, profile: SealingProfile) -> None:
    """Have the authority stamp for the first time, which tells its certificate; TimeStampError where it does not."""
    if stamper is not None:
        # the library keeps this token to know how much room to reserve
        await stamper.async_dummy_response(profile.digest.value)
        if profile.long_term:
            stamper.expected_certificate = stamper.certificate


async def _seal_path(key: SealKey, trust: Trust, context: ValidationContext, what: str) -> Any:
    seal, chain = as_asn1(key.certificate), [as_asn1(issuer) for issuer in key.chain]
    try:
        return await path_to_trust(seal, chain, context)
    except PATH_FAULTS as fault:
        raise _seal_error(fault, what) from fault
    finally:  # also where there is no path: that it is revoked is worse than that services do not answer
        refuse_revoked(seal, context.crls, what)
        issuers = [*chain, *(as_asn1(known) for known in (*trust.intermediates, *trust.anchors))]
        refuse_revoked_by_responder(seal, issuers, context.ocsps, what)


async def authority_path(stamper: CheckedTimeStamper, context: ValidationContext) -> Any:
    """The path of the authority that has stamped; TimeStampError where there is none, ServiceUnreachableError where it
    cannot be told."""
    certificate = stamper.certificate
    try:
        return await path_to_trust(
            certificate, stamper.cert_registry, context, extended_key_usage=frozenset({"time_stamping"})
        )
    except PATH_FAULTS as fault:
        raise _authority_error(fault, stamper.name) from fault


def kept(paths: Sequence[Any], context: ValidationContext) -> PreSignValidationStatus:
    """Of all the revocation data at hand, those about certificates of the paths: documents stay small.

    Responses that do not count (broken, stale, of somebody else, or of a responder that knows nothing) stay out, and
    whatever is so weakly signed that validators would not go by it.
    """
    certificates = [certificate for path in paths for certificate in path]
    issuers = {certificate.issuer.hashable for certificate in certificates}
    crls = [
        crl
        for crl in _distinct(context.crls)
        if (crl.issuer.hashable in issuers or _is_indirect(crl)) and is_strong(crl["signature_algorithm"])
    ]
    responses = {
        each.response.dump(): each.response
        for each in statements(context.ocsps, certificates, certificates)
        if each.status != "unknown"
        and is_strong(each.response.basic_ocsp_response["signature_algorithm"])
        and each.since <= context.moment + CLOCK_SKEW
        and (each.until is None or each.until >= context.moment)
    }
    return PreSignValidationStatus(
        signer_path=paths[0],
        validation_paths=list(paths),
        ts_validation_paths=list(paths[1:]),
        ocsps_to_embed=[responses[der] for der in sorted(responses)],
        crls_to_embed=crls,
    )


def first_end(validation: PreSignValidationStatus, now: datetime) -> datetime | None:
    """When the first of the data runs out, with time left to seal; what has run out already was not needed."""
    certificates = [certificate for path in validation.validation_paths for certificate in path]
    ends = [crl["tbs_cert_list"]["next_update"].native for crl in validation.crls_to_embed]
    ends += [each.until for each in statements(validation.ocsps_to_embed, certificates, certificates)]
    return min((end - CLOCK_SKEW for end in ends if end is not None and end > now), default=None)


def _distinct(crls: Sequence[asn1_crl.CertificateList]) -> list[asn1_crl.CertificateList]:
    return list({crl.dump(): crl for crl in crls}.values())


def _is_indirect(crl: asn1_crl.CertificateList) -> bool:
    point = crl.issuing_distribution_point_value
    return bool(point is not None and point["indirect_crl"].native)


async def prove_sufficient(validation: PreSignValidationStatus, trust: Trust, now: datetime) -> None:
    """Validate the paths once more with what the document will hold and nothing else."""
    context = trust.offline_context(now, validation.crls_to_embed, validation.ocsps_to_embed)
    try:
        for path in validation.validation_paths:
            await path_to_trust(path.last, list(path), context)
    except PATH_FAULTS as fault:
        raise ServiceUnreachableError(
            "The revocation data at hand do not suffice to validate the seal and its time stamp without the network "
            f"({_words(fault)}), so the level that the configuration demands cannot be reached and nothing was sealed.",
            advice="Add the CRLs of every issuer between the seal, the time stamp authority and their roots; what is "
            "signed with SHA-1 does not count.",
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
            return unknown_revocation(what, fault)
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
            return unknown_revocation(what, fault)


def _authority_error(fault: BaseException, name: str) -> TimeStampError:
    what = f"The certificate of the time stamp authority {name}"
    match fault:
        case RevokedError():
            problem = "has been revoked"
        case InsufficientRevinfoError() | CertificateFetchError() | CRLFetchError() | OCSPFetchError():
            unknown = unknown_revocation(what, fault)
            return TimeStampError(unknown.message, advice=unknown.advice)
        case PathBuildingError():
            problem = "does not lead to any of the trust anchors"
        case _:
            problem = f"cannot be validated ({_words(fault)})"
    return TimeStampError(
        f"{what} {problem}, so its time stamps prove nothing and nothing was sealed.",
        advice="Add the root certificate of the authority to the trust anchors, or configure another authority.",
    )


def unknown_revocation(what: str, fault: BaseException) -> ServiceUnreachableError:
    """The error where nobody tells whether a certificate has been revoked, in one wording."""
    return ServiceUnreachableError(
        f"It cannot be told whether {what[0].lower()}{what[1:]} has been revoked ({_words(fault)}), so nothing was "
        "sealed.",
        advice="Renew the CRL files of every issuer, or allow fetching and check the network; what was not sealed "
        "stays pending.",
    )


def _words(fault: BaseException) -> str:
    return str(fault).strip().rstrip(".") or type(fault).__name__
