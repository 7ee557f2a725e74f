"""A look into what was just sealed: is all there that its level demands?

The library has ways to write less than it was asked to and say nothing. This is no verification (that is another
room's work, with code of its own); it makes a quiet downgrade impossible.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.signers.pdf_signer import PreSignValidationStatus
from pyhanko.sign.validation import DocumentSecurityStore, EmbeddedPdfSignature
from pyhanko.sign.validation.errors import SignatureValidationError, ValidationInfoReadingError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter, validate_sig_integrity
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from sealtool.errors import SelfCheckError
from sealtool.model import SEAL_FIELD_NAME
from sealtool.sealing.profile import SealingProfile

SUB_FILTER = "/ETSI.CAdES.detached"
"""EN 319 142-1, 6.3, requirement on the SubFilter of baseline signatures."""

READING_FAULTS = (
    PdfError,
    SignatureValidationError,
    ValidationInfoReadingError,
    KeyError,
    AttributeError,
    TypeError,
    ValueError,
    AssertionError,
)
"""All that the library raises on a document that is not what it seems."""


def demand_evidence(
    sealed: bytes,
    profile: SealingProfile,
    seal_certificate: asn1_x509.Certificate,
    validation: PreSignValidationStatus | None,
) -> None:
    """Make sure that the sealed bytes have what the level demands.

    Args:
        sealed: the sealed PDF.
        profile: what was asked for.
        seal_certificate: whose seal it must be.
        validation: what must be in the document security store, from B-LT on.

    Raises:
        SelfCheckError: something is missing or broken; the bytes must not be published.
    """
    try:
        reader = PdfFileReader(BytesIO(sealed))
        _demand_seal(reader, profile, seal_certificate)
        if profile.long_term:
            _demand_validation_data(reader, validation)
        _demand_time_stamps(reader, profile)
    except READING_FAULTS as fault:
        raise _missing(profile, f"it cannot be read again ({type(fault).__name__}: {fault})") from fault


def demand_extension(
    original: bytes, extended: bytes, profile: SealingProfile, validation: PreSignValidationStatus
) -> None:
    """Make sure that a document was given one archive time stamp with its validation data, and lost nothing.

    Args:
        original: the sealed PDF as it was.
        extended: what came out.
        profile: of level B-LTA.
        validation: what must be in the document security store.

    Raises:
        SelfCheckError: something is missing or broken; the bytes must not take the place of the original.
    """
    try:
        before, after = (PdfFileReader(BytesIO(content)) for content in (original, extended))
        if not extended.startswith(original):
            raise _missing(profile, "it does not begin with what it was before")
        stamps = after.embedded_timestamp_signatures
        if len(stamps) != len(before.embedded_timestamp_signatures) + 1:
            raise _missing(profile, f"it has {len(stamps)} document time stamps")
        _demand_stamp_over_all(stamps[-1], profile)
        _demand_validation_data(after, validation)
    except READING_FAULTS as fault:
        raise _missing(profile, f"it cannot be read again ({type(fault).__name__}: {fault})") from fault


def _demand_seal(reader: PdfFileReader, profile: SealingProfile, certificate: asn1_x509.Certificate) -> None:
    seals = reader.embedded_regular_signatures
    if len(seals) != 1 or seals[0].field_name != SEAL_FIELD_NAME:
        raise _missing(profile, f"it does not have exactly one seal, in the field {SEAL_FIELD_NAME}")
    seal: EmbeddedPdfSignature = seals[0]
    if seal.sig_object.get("/SubFilter") != SUB_FILTER:
        raise _missing(profile, "its seal is not in the format of PAdES")
    if seal.docmdp_level is not MDPPerm.NO_CHANGES:
        raise _missing(profile, "its seal does not forbid changes")
    if not _names(seal.signer_info, certificate) or not _holds(seal.signed_data, certificate):
        raise _missing(profile, "its seal is of another certificate")
    intact, valid = validate_sig_integrity(seal.signer_info, certificate, "data", seal.compute_digest())
    if not (intact and valid):
        raise _missing(profile, "its seal is broken")
    last = SignatureCoverageLevel.ENTIRE_REVISION if profile.archival else SignatureCoverageLevel.ENTIRE_FILE
    if seal.evaluate_signature_coverage() is not last:
        raise _missing(profile, "its seal does not cover the whole of it")
    if profile.stamped:
        _demand_seal_stamp(seal.signer_info, profile)


def _names(signer_info: cms.SignerInfo, certificate: asn1_x509.Certificate) -> bool:
    """Whether the signer is said to be the subject of this certificate (RFC 5652, 5.3), to the letter."""
    signer = signer_info["sid"].chosen
    return bool(
        signer["serial_number"].native == certificate.serial_number
        and signer["issuer"].dump() == certificate.issuer.dump()
    )


def _holds(signed_data: cms.SignedData, certificate: asn1_x509.Certificate) -> bool:
    return certificate.dump() in {each.dump() for each in signed_data["certificates"]}


def _demand_seal_stamp(signer_info: cms.SignerInfo, profile: SealingProfile) -> None:
    tokens = list(extract_tst_data_iter(signer_info, signed=False))
    if len(tokens) != 1:
        raise _missing(profile, "its seal has no time stamp")
    digest = hashes.Hash(get_pyca_cryptography_hash(_imprint(tokens[0])["hash_algorithm"]["algorithm"].native))
    digest.update(signer_info["signature"].native)
    if _imprint(tokens[0])["hashed_message"].native != digest.finalize():
        raise _missing(profile, "the time stamp of its seal is of something else")


def _demand_validation_data(reader: PdfFileReader, validation: PreSignValidationStatus | None) -> None:
    store = DocumentSecurityStore.read_dss(reader)
    if validation is None:
        raise ValueError("no validation data were gathered")
    held = {certificate.sha256 for certificate in store.load_certs()}
    for path in validation.validation_paths:
        if any(certificate.sha256 not in held for certificate in path):
            raise ValueError("a certificate is missing from the document security store")
    if len(store.crls) < len(validation.crls_to_embed) or len(store.ocsps) < len(validation.ocsps_to_embed):
        raise ValueError("revocation data are missing from the document security store")
    if not (store.crls or store.ocsps):
        raise ValueError("the document security store has no revocation data at all")


def _demand_time_stamps(reader: PdfFileReader, profile: SealingProfile) -> None:
    stamps = reader.embedded_timestamp_signatures
    if len(stamps) != (1 if profile.archival else 0):
        raise _missing(profile, f"it has {len(stamps)} document time stamps")
    for stamp in stamps:
        _demand_stamp_over_all(stamp, profile)


def _demand_stamp_over_all(stamp: EmbeddedPdfSignature, profile: SealingProfile) -> None:
    if stamp.evaluate_signature_coverage() is not SignatureCoverageLevel.ENTIRE_FILE:
        raise _missing(profile, "its document time stamp does not cover the whole of it")
    imprint = _imprint(stamp.signed_data)
    algorithm = imprint["hash_algorithm"]["algorithm"].native
    if imprint["hashed_message"].native != stamp.compute_digest(algorithm):
        raise _missing(profile, "its document time stamp is of something else")


def _imprint(token: Any) -> Any:
    return token["encap_content_info"]["content"].parsed["message_imprint"]


def _missing(profile: SealingProfile, what: str) -> SelfCheckError:
    return SelfCheckError(
        f"A document that was to be sealed at level {profile.level} came out wrong: {what}. It was thrown away.",
        advice="This is a fault of the program or of the seal key's device: report it with the log of this run.",
    )
