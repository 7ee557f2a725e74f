"""The seal as a validator shows it: facts for people and for the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime

from asn1crypto import core
from cryptography import x509

from sealtool.model import CertificateFacts, SealEvidence, SealFacts, TimeStampEvidence
from sealtool.verification import remembering
from sealtool.verification.message import Message

ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")
_QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QC_TYPE = "0.4.0.1862.1.6"
QC_TYPE_ESEAL = "0.4.0.1862.1.6.2"
_NAMES = {ORGANIZATION_IDENTIFIER: "organizationIdentifier", x509.NameOID.SERIAL_NUMBER: "serialNumber"}
_DIGESTS = {"sha1": "SHA-1", "md5": "MD5", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_SCHEMES = {"rsassa_pkcs1v15": "RSA", "rsassa_pss": "RSASSA-PSS", "ecdsa": "ECDSA", "ed25519": "Ed25519"}


class _QcStatement(core.Sequence):  # type: ignore[misc]
    """RFC 3739, 3.2.6."""

    _fields = [("id", core.ObjectIdentifier), ("info", core.Any, {"optional": True})]  # noqa: RUF012 - asn1crypto's way


class _QcStatements(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _QcStatement


class _QcTypes(core.SequenceOf):  # type: ignore[misc]
    """EN 319 412-5, 4.2.3."""

    _child_spec = core.ObjectIdentifier


@remembering.parts
def certificate_facts(der: bytes) -> CertificateFacts:
    """What the certificate says that these bytes are.

    Raises:
        ValueError: it cannot be read.
    """
    certificate = x509.load_der_x509_certificate(der)
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(_NAMES),
        organization_identifier=organization_identifier(certificate),
        issuer=certificate.issuer.rfc4514_string(_NAMES),
        serial_number=str(certificate.serial_number),
        certificate_sha256=hashlib.sha256(der).hexdigest(),
        policy_oids=policy_oids(certificate),
        qualified_statements=qualified_statements(certificate),
        valid_from=certificate.not_valid_before_utc.astimezone(UTC),
        valid_until=certificate.not_valid_after_utc.astimezone(UTC),
    )


def organization_identifier(certificate: x509.Certificate) -> str:
    """The organisation by its tax number (``VATES-S0711001H``; EN 319 412-1, 5.1.4), empty where not given."""
    found = certificate.subject.get_attributes_for_oid(ORGANIZATION_IDENTIFIER)
    return str(found[0].value) if found else ""


def qualified_statements(certificate: x509.Certificate) -> tuple[str, ...]:
    """The qualified statements as OIDs; the kinds of QcType stand in its place (EN 319 412-5)."""
    try:
        extension = certificate.extensions.get_extension_for_oid(_QC_STATEMENTS).value
    except x509.ExtensionNotFound:
        return ()
    if not isinstance(extension, x509.UnrecognizedExtension):
        return ()
    found: list[str] = []
    for statement in _QcStatements.load(extension.value, strict=True):
        identifier = statement["id"].dotted
        if identifier == QC_TYPE:
            found.extend(kind.dotted for kind in statement["info"].parse(_QcTypes))
        else:
            found.append(identifier)
    return tuple(found)


def policy_oids(certificate: x509.Certificate) -> tuple[str, ...]:
    """The certificate policies."""
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(policy.policy_identifier.dotted_string for policy in policies)


def seal_facts(
    message: Message, sub_filter: str, claimed: datetime | None, stamp: Message | None, stamped_at: datetime | None
) -> SealFacts:
    """All that is shown of a seal. ``stamp`` is the first sound time stamp, of ``stamped_at``."""
    certificate = certificate_facts(message.signer.dump())
    return SealFacts(
        **{one.name: getattr(certificate, one.name) for one in fields(certificate)},
        sub_filter=sub_filter,
        digest_algorithm=_DIGESTS.get(message.digest_name, message.digest_name),
        signature_algorithm=_signature_algorithm(message),
        signing_time=None if claimed is None else claimed.astimezone(UTC),
        time_stamp_at=None if stamped_at is None else stamped_at.astimezone(UTC),
        time_stamp_authority="" if stamp is None else certificate_facts(stamp.signer.dump()).subject,
        signature_policy=_signature_policy(message),
    )


def seal_evidence(
    message: Message, chain: Sequence[bytes], own: Message | None, on_document: Iterable[Message]
) -> SealEvidence:
    """What identifies the seal.

    Args:
        message: the seal.
        chain: DER from the seal certificate up to the anchor; empty where none was found.
        own: the signature time stamp.
        on_document: the document time stamps, oldest first.
    """
    attributes = message.signer_info["signed_attrs"]
    # RFC 5652, 5.4: what is signed has the tag of a SET, not the one that stands in the message.
    to_be_signed = b"\x31" + attributes.dump()[1:]
    return SealEvidence(
        certificates=tuple(chain) or (message.signer.dump(),),
        digest_name=message.digest_name,
        content_digest=message.named_digest,
        attributes_digest=hashlib.new(message.digest_name, to_be_signed, usedforsecurity=False).digest(),
        signature=message.signature,
        time_stamps=(
            *(_stamp(one, on_document=False) for one in (own,) if one is not None),
            *(_stamp(one, on_document=True) for one in on_document),
        ),
    )


def _stamp(stamp: Message, *, on_document: bool) -> TimeStampEvidence:
    token = hashlib.sha256(stamp.encoded).digest()
    return TimeStampEvidence(stamp.stamped_at.astimezone(UTC), token, on_document)


def _signature_algorithm(message: Message) -> str:
    algorithm = message.signer_info["signature_algorithm"]
    try:
        scheme = algorithm.signature_algo
    except ValueError:
        scheme = algorithm["algorithm"].native
    name = _SCHEMES.get(scheme, scheme)
    if name.startswith("Ed"):
        return str(name)
    return f"{name} with {_DIGESTS.get(message.digest_name, message.digest_name)}"


def _signature_policy(message: Message) -> str:
    for attribute in message.signer_info["signed_attrs"]:
        if attribute["type"].native == "signature_policy_identifier":
            chosen = attribute["values"][0].chosen
            return "" if isinstance(chosen, core.Null) else str(chosen["sig_policy_id"].dotted)
    return ""
