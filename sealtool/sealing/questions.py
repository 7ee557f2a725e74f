"""Which certificates in a sealed document have to be asked about before it gets another archive time stamp."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from io import BytesIO

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation import DocumentSecurityStore, EmbeddedPdfSignature
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter

from sealtool.errors import ExtensionError
from sealtool.sealing.evidence import READING_FAULTS


@dataclass(frozen=True, slots=True)
class Question:
    """A certificate whose path and revocation have to be known, and kept in the document.

    Attributes:
        what: the certificate, for messages.
        issuers: certificates that may lead from it to its root.
        is_authority: whether it stamps times; otherwise it seals.
        is_proven: whether a time stamp proves that it had done so before today.
    """

    what: str
    certificate: asn1_x509.Certificate
    issuers: tuple[asn1_x509.Certificate, ...]
    is_authority: bool
    is_proven: bool = False

    @property
    def key(self) -> Hashable:
        """The same for questions with one answer: all that is asked but how messages call the certificate."""
        issuers = tuple(issuer.sha256 for issuer in self.issuers)  # in their order: of two paths the first is taken
        return (self.certificate.sha256, issuers, self.is_authority, self.is_proven)


def questions_of(content: bytes) -> tuple[Question, ...]:
    """What an archive time stamp would have to be preceded by (EN 319 142-1, 5.5).

    An archive time stamp covers everything before it together with its validation data, so that behind one only its own
    authority is in question; without one, the seal and its time stamp are.

    Raises:
        ExtensionError: it is not a PDF with one seal.
    """
    try:
        reader = PdfFileReader(BytesIO(content))
        seals, stamps = reader.embedded_regular_signatures, reader.embedded_timestamp_signatures
        if len(seals) != 1:
            raise ValueError("it does not have exactly one seal")
        known = _stored_certificates(reader)
        if stamps:
            return (_question(stamps[-1].signed_data, known, is_authority=True),)
        return _of_the_seal(seals[0], known)
    except READING_FAULTS as fault:
        raise ExtensionError(
            f"The document is not a sealed PDF that could be given an archive time stamp ({fault}).",
            advice="Run `sealtool verify` on it.",
        ) from fault


def _of_the_seal(seal: EmbeddedPdfSignature, known: Sequence[asn1_x509.Certificate]) -> tuple[Question, ...]:
    tokens = list(extract_tst_data_iter(seal.signer_info, signed=False))
    stamped = [_question(token, known, is_authority=True) for token in tokens]
    return (_question(seal.signed_data, known, is_authority=False, is_proven=bool(tokens)), *stamped)


def _question(
    signed_data: object, known: Sequence[asn1_x509.Certificate], *, is_authority: bool, is_proven: bool = False
) -> Question:
    found = extract_certificate_info(signed_data)
    name = found.signer_cert.subject.native.get("common_name", found.signer_cert.subject.human_friendly)
    whose = "of the time stamp authority " if is_authority else "of the seal "
    return Question(
        what=f"The certificate {whose}«{name}»",
        certificate=found.signer_cert,
        issuers=(*found.other_certs, *known),
        is_authority=is_authority,
        is_proven=is_proven,
    )


def _stored_certificates(reader: PdfFileReader) -> tuple[asn1_x509.Certificate, ...]:
    if "/DSS" not in reader.root:
        return ()
    return tuple(DocumentSecurityStore.read_dss(reader).load_certs())
