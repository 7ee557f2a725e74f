"""Why a file did not pass: stable codes, one sentence each, and the indication each one leads to.

The names of sub-indications are those of ETSI EN 319 102-1 v1.3.1, tables 5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from sealtool.model import Reason, Verdict


class ReasonCode(StrEnum):
    """Stable: scripts may compare them. Their sentences are in :data:`REASONS`."""

    HASH_DIFFERS = "HASH_DIFFERS"
    TOO_LARGE = "TOO_LARGE"
    TOO_COSTLY = "TOO_COSTLY"
    NOT_A_PDF = "NOT_A_PDF"
    UNREADABLE = "UNREADABLE"
    ENCRYPTED = "ENCRYPTED"
    NO_SEAL = "NO_SEAL"
    SEVERAL_SEALS = "SEVERAL_SEALS"
    SEAL_FIELD_UNEXPECTED = "SEAL_FIELD_UNEXPECTED"
    SUB_FILTER_UNEXPECTED = "SUB_FILTER_UNEXPECTED"
    BYTE_RANGE_MALFORMED = "BYTE_RANGE_MALFORMED"
    NOT_ENTIRE_FILE = "NOT_ENTIRE_FILE"
    CHANGED_AFTER_SEAL = "CHANGED_AFTER_SEAL"
    ACTIVE_CONTENT = "ACTIVE_CONTENT"
    ANNOTATION_UNEXPECTED = "ANNOTATION_UNEXPECTED"
    SIGNATURE_MALFORMED = "SIGNATURE_MALFORMED"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    NO_SEAL_CERTIFICATE = "NO_SEAL_CERTIFICATE"
    WEAK_ALGORITHM = "WEAK_ALGORITHM"
    UNTRUSTED = "UNTRUSTED"
    SERVICE_NOT_GRANTED = "SERVICE_NOT_GRANTED"
    CHAIN_UNSOUND = "CHAIN_UNSOUND"
    NOT_FOR_SEALING = "NOT_FOR_SEALING"
    FOREIGN_ORGANIZATION = "FOREIGN_ORGANIZATION"
    SEAL_CERTIFICATE_EXPIRED = "SEAL_CERTIFICATE_EXPIRED"
    SEAL_CERTIFICATE_NOT_YET_VALID = "SEAL_CERTIFICATE_NOT_YET_VALID"
    SEAL_CERTIFICATE_REVOKED = "SEAL_CERTIFICATE_REVOKED"
    AUTHORITY_REVOKED = "AUTHORITY_REVOKED"
    NO_REVOCATION_DATA = "NO_REVOCATION_DATA"
    TIME_STAMP_INVALID = "TIME_STAMP_INVALID"
    TIME_STAMP_EXPIRED = "TIME_STAMP_EXPIRED"
    TIME_ORDER = "TIME_ORDER"
    LEVEL_NOT_REACHED = "LEVEL_NOT_REACHED"
    RECORD_MISSING = "RECORD_MISSING"
    RECORD_AMBIGUOUS = "RECORD_AMBIGUOUS"
    RECORD_UNREADABLE = "RECORD_UNREADABLE"
    RECORD_NOT_SHOWN = "RECORD_NOT_SHOWN"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means.

    Attributes:
        verdict: FAILED where the file is proven bad, INDETERMINATE where it cannot be called good.
        sub_indication: the one of EN 319 102-1, unless the finding brings a more precise one.
        sentence: what, why it matters, and what to do.
    """

    verdict: Verdict
    sub_indication: str
    sentence: str


_FAILED, _OPEN = Verdict.FAILED, Verdict.INDETERMINATE

REASONS: Mapping[ReasonCode, Explanation] = MappingProxyType(
    {
        ReasonCode.HASH_DIFFERS: Explanation(
            _FAILED,
            "HASH_FAILURE",
            "The SHA-256 of the file is not the one the manifest records, so this is not the file that was issued. "
            "Ask for the original.",
        ),
        ReasonCode.TOO_LARGE: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The file is far larger than any certificate and was not opened, so that one file cannot hold up an audit. "
            "Look at it by hand.",
        ),
        ReasonCode.TOO_COSTLY: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "To judge the file took far more time or memory than any certificate needs and was given up, so that one "
            "file cannot hold up an audit. Look at it by hand.",
        ),
        ReasonCode.NOT_A_PDF: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file does not begin and end as a PDF does, so it is no certificate or only part of one. "
            "Ask for the complete file.",
        ),
        ReasonCode.UNREADABLE: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file is broken, so nothing in it can be relied on. Ask for an undamaged copy.",
        ),
        ReasonCode.ENCRYPTED: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file is encrypted. A certificate is open to everybody, so this is not the file that was issued. "
            "Ask for the original.",
        ),
        ReasonCode.NO_SEAL: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file has no seal, so nobody vouches for what it says. Ask for the sealed original, not a print of it.",
        ),
        ReasonCode.SEVERAL_SEALS: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file has more signature fields than the one seal of a certificate, so it is unclear who vouches for "
            "what. Ask for the file as it was issued.",
        ),
        ReasonCode.SEAL_FIELD_UNEXPECTED: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The form fields of the file are not those of a certificate, which has one field, its seal. "
            "It was not issued in this form; ask for the original.",
        ),
        ReasonCode.SUB_FILTER_UNEXPECTED: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The seal is not of the format ETSI.CAdES.detached, which PAdES demands. It was not made by this office's "
            "system; ask for the original.",
        ),
        ReasonCode.BYTE_RANGE_MALFORMED: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The seal, or a time stamp, does not cover the file in one piece around its own value, so parts of it "
            "could have been exchanged. Ask for the original.",
        ),
        ReasonCode.NOT_ENTIRE_FILE: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file does not end with its last seal or time stamp, so what is shown may not be what was sealed. "
            "Ask for the file as it was issued.",
        ),
        ReasonCode.CHANGED_AFTER_SEAL: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The file was changed after it was sealed, beyond the validation data and time stamps that archiving adds. "
            "Do not rely on it; ask for the file as it was issued.",
        ),
        ReasonCode.ACTIVE_CONTENT: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The file holds a script or an action that could change what is shown. Certificates hold none; "
            "do not rely on it.",
        ),
        ReasonCode.ANNOTATION_UNEXPECTED: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "Something is laid over the pages, which could hide or alter what they say. Certificates carry nothing but "
            "links and the seal; do not rely on it.",
        ),
        ReasonCode.SIGNATURE_MALFORMED: Explanation(
            _FAILED,
            "FORMAT_FAILURE",
            "The value of the seal, or of a time stamp, is broken or carries parts that nothing protects, so it proves "
            "nothing. Ask for an undamaged copy.",
        ),
        ReasonCode.DIGEST_MISMATCH: Explanation(
            _FAILED,
            "HASH_FAILURE",
            "The content is not the content that was sealed: something was changed. Do not rely on it; "
            "ask for the original.",
        ),
        ReasonCode.SIGNATURE_INVALID: Explanation(
            _FAILED,
            "SIG_CRYPTO_FAILURE",
            "The seal was not made with the key of the certificate it shows, or was changed since. "
            "Do not rely on the file.",
        ),
        ReasonCode.NO_SEAL_CERTIFICATE: Explanation(
            _OPEN,
            "NO_SIGNING_CERTIFICATE_FOUND",
            "The seal does not hold the certificate it names, so its maker cannot be told. Ask for the original.",
        ),
        ReasonCode.WEAK_ALGORITHM: Explanation(
            _OPEN,
            "CRYPTO_CONSTRAINTS_FAILURE",
            "The seal, a certificate or a time stamp rests on an algorithm or key length that can be forged today "
            "(SHA-1, MD5, RSA below 2048 bits) or is not recognised. Ask for the document to be issued anew.",
        ),
        ReasonCode.UNTRUSTED: Explanation(
            _OPEN,
            "NO_CERTIFICATE_CHAIN_FOUND",
            "The seal certificate does not lead to an authority that was handed in as trusted, so anybody may "
            "have made it. If its authority is known to be right, hand in its root certificate.",
        ),
        ReasonCode.SERVICE_NOT_GRANTED: Explanation(
            _OPEN,
            "NO_CERTIFICATE_CHAIN_FOUND",
            "The authority behind the seal, or a time stamp, is on a trusted list that was handed in, but had no "
            "qualified status at the time that is proven, so the list does not vouch for it. Ask the issuing office.",
        ),
        ReasonCode.CHAIN_UNSOUND: Explanation(
            _OPEN,
            "CERTIFICATE_CHAIN_GENERAL_FAILURE",
            "The certificates between the seal and the trusted authority do not hold together, so the seal cannot be "
            "attributed. Ask the issuing office.",
        ),
        ReasonCode.NOT_FOR_SEALING: Explanation(
            _OPEN,
            "CHAIN_CONSTRAINTS_FAILURE",
            "The certificate is not one for sealing as an organisation, so it cannot vouch for a document of the "
            "administration. Ask for the original.",
        ),
        ReasonCode.FOREIGN_ORGANIZATION: Explanation(
            _OPEN,
            "CHAIN_CONSTRAINTS_FAILURE",
            "The seal is sound, but of another organisation than the one that issues these certificates. "
            "Do not take it for one of them.",
        ),
        ReasonCode.SEAL_CERTIFICATE_EXPIRED: Explanation(
            _OPEN,
            "OUT_OF_BOUNDS_NO_POE",
            "The seal certificate has expired and nothing proves that the seal is older. "
            "Compare the file with the manifest, or ask for it to be issued anew.",
        ),
        ReasonCode.SEAL_CERTIFICATE_NOT_YET_VALID: Explanation(
            _OPEN,
            "NOT_YET_VALID",
            "The seal was made before its certificate became valid, which no orderly system does. "
            "Ask the issuing office.",
        ),
        ReasonCode.SEAL_CERTIFICATE_REVOKED: Explanation(
            _OPEN,
            "REVOKED_NO_POE",
            "The seal certificate is revoked and nothing proves that the seal is older, so somebody else may have had "
            "the key. Ask the issuing office for a new one.",
        ),
        ReasonCode.AUTHORITY_REVOKED: Explanation(
            _OPEN,
            "REVOKED_CA_NO_POE",
            "An authority above the seal certificate is revoked, so what it certified can no longer be relied on. "
            "Ask the issuing office.",
        ),
        ReasonCode.NO_REVOCATION_DATA: Explanation(
            _OPEN,
            "TRY_LATER",
            "Nothing at hand tells whether a certificate of the chain was revoked at the time in question. "
            "Hand in current revocation lists (CRL) together with the trusted certificates, and for one that has "
            "expired lists of its time; none that are signed with SHA-1, or with a short key.",
        ),
        ReasonCode.TIME_STAMP_INVALID: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "A time stamp is not sound, so the time of the seal is not proven. Hand in the trusted certificates of its "
            "authority if they are missing; otherwise ask for the document to be issued anew.",
        ),
        ReasonCode.TIME_STAMP_EXPIRED: Explanation(
            _OPEN,
            "OUT_OF_BOUNDS_NO_POE",
            "The certificates behind the last time stamp have expired, so it proves nothing any more. "
            "Compare the file with the manifest, or ask for it to be issued anew.",
        ),
        ReasonCode.TIME_ORDER: Explanation(
            _OPEN,
            "TIMESTAMP_ORDER_FAILURE",
            "The times of the seal and its time stamps contradict each other or the clock of this computer. "
            "Check the clock; if it is right, ask the issuing office.",
        ),
        ReasonCode.LEVEL_NOT_REACHED: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The seal is sound but lacks what was expected for keeping it verifiable. "
            "Hand in what is missing, or ask for the document to be issued anew.",
        ),
        ReasonCode.RECORD_MISSING: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The file is sealed but holds no record of an accreditation: it is some other document, not a certificate "
            "of this system.",
        ),
        ReasonCode.RECORD_AMBIGUOUS: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The file holds more than one record, so it is unclear what it certifies. Ask for the original.",
        ),
        ReasonCode.RECORD_UNREADABLE: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The record in the file is not of the form this version knows, so what it certifies cannot be compared "
            "with its pages. Use a newer version, or ask for the original.",
        ),
        ReasonCode.RECORD_NOT_SHOWN: Explanation(
            _OPEN,
            "SIG_CONSTRAINTS_FAILURE",
            "The pages do not show what the record in the file says, so people and programs read different things "
            "in it. Do not rely on it; ask the issuing office.",
        ),
    }
)


class Objection(Exception):  # noqa: N818 - a finding about a file, not an error of the program
    """Something that speaks against the file and ends the step that found it.

    Args:
        code: what was found.
        detail: where and what exactly, one sentence without personal data; empty where the code says all.
        sub_indication: where it is more precise than the one of the code.
        verdict: where it differs from the one of the code.
    """

    def __init__(
        self, code: ReasonCode, detail: str = "", *, sub_indication: str = "", verdict: Verdict | None = None
    ) -> None:
        super().__init__(code, detail)
        explanation = REASONS[code]
        self.code = code
        self.detail = detail
        self.sub_indication = sub_indication or explanation.sub_indication
        self.verdict = verdict or explanation.verdict

    @property
    def reason(self) -> Reason:
        """The reason as a user sees it."""
        return Reason(str(self.code), f"{REASONS[self.code].sentence} {self.detail}".strip())


@dataclass(slots=True)
class Findings:
    """Everything that speaks against one file, in the order it was found."""

    objections: list[Objection] = field(default_factory=list)

    def add(self, objection: Objection) -> None:
        """Keeps an objection; the same code is told once."""
        if all(known.code is not objection.code for known in self.objections):
            self.objections.append(objection)

    @property
    def verdict(self) -> Verdict:
        """EN 319 102-1, 5.1.3: FAILED outweighs INDETERMINATE; PASSED where nothing was found."""
        verdicts = {objection.verdict for objection in self.objections}
        return next((worst for worst in (_FAILED, _OPEN) if worst in verdicts), Verdict.PASSED)

    @property
    def sub_indication(self) -> str:
        """The sub-indication of the first objection that decides the verdict."""
        verdict = self.verdict
        return next((found.sub_indication for found in self.objections if found.verdict is verdict), "")

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What the user is told: what decided the verdict first, and what may only follow from it afterwards."""
        verdict = self.verdict
        return tuple(one.reason for one in sorted(self.objections, key=lambda each: each.verdict is not verdict))
