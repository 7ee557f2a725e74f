"""What speaks against a ledger, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """The kinds of finding; the administrator's guide explains each. Codes are stable."""

    EVENT_EDITED = "EVENT_EDITED"
    EVENT_REMOVED = "EVENT_REMOVED"
    EVENT_MOVED = "EVENT_MOVED"
    EVENT_UNKNOWN = "EVENT_UNKNOWN"
    ROW_DIFFERS = "ROW_DIFFERS"
    ROW_MISSING = "ROW_MISSING"
    ROW_WITHOUT_EVENT = "ROW_WITHOUT_EVENT"
    MANIFEST_UNREADABLE = "MANIFEST_UNREADABLE"
    MANIFEST_MISSING = "MANIFEST_MISSING"
    MANIFEST_UNKNOWN = "MANIFEST_UNKNOWN"
    MANIFEST_DIFFERS = "MANIFEST_DIFFERS"
    LISTING_DIFFERS = "LISTING_DIFFERS"


@dataclass(frozen=True, slots=True)
class LedgerFinding:
    """Something that is not as sealtool left it.

    Attributes:
        message: a sentence; it names nobody.
        sequence: of the event in question, or of the last one that tells of the row; None where there is none.
        kind: of that event.
        certificate_id: of the certificate in question; None where it is not about one.
    """

    code: FindingCode
    message: str
    sequence: int | None = None
    kind: str | None = None
    certificate_id: str | None = None
