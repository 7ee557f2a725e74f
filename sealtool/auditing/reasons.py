"""What can be wrong with a file as it lies there, and with a manifest: stable codes, a sentence each.

What can be wrong with a seal is in :mod:`sealtool.verification.reasons`. Nothing here proves a file bad, so all
of it leads to INDETERMINATE. Sub-indications are those of ETSI EN 319 102-1; GENERIC where none fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sealtool.model import Reason


class FileReason(StrEnum):
    """Stable: scripts may compare them. Their sentences are in :data:`EXPLANATIONS`."""

    FILE_MISSING = "FILE_MISSING"
    UNREADABLE = "UNREADABLE"
    NOT_A_REGULAR_FILE = "NOT_A_REGULAR_FILE"
    TOO_LARGE = "TOO_LARGE"
    TOO_COSTLY = "TOO_COSTLY"
    VERIFIER_CRASHED = "VERIFIER_CRASHED"
    NOT_IN_MANIFEST = "NOT_IN_MANIFEST"
    RECORD_DIFFERS = "RECORD_DIFFERS"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"
    MANIFEST_SEAL_MISSING = "MANIFEST_SEAL_MISSING"
    MANIFEST_UNREADABLE = "MANIFEST_UNREADABLE"
    CSV_MISSING = "CSV_MISSING"
    CSV_DIFFERS = "CSV_DIFFERS"
    PREVIOUS_MANIFEST_MISSING = "PREVIOUS_MANIFEST_MISSING"
    PREVIOUS_MANIFEST_DIFFERS = "PREVIOUS_MANIFEST_DIFFERS"


@dataclass(frozen=True, slots=True)
class FileExplanation:
    """What a code means: its sub-indication, and what, why it matters and what to do in a sentence or two."""

    sub_indication: str
    sentence: str


# EN 319 102-1, 5.1.3: without the data there is nothing to judge.
_NO_DATA, _CONSTRAINTS, _GENERIC = "SIGNED_DATA_NOT_FOUND", "SIG_CONSTRAINTS_FAILURE", "GENERIC"

EXPLANATIONS: Mapping[FileReason, FileExplanation] = MappingProxyType(
    {
        FileReason.FILE_MISSING: FileExplanation(
            _NO_DATA, "The manifest lists this file, but it is not there. Ask the issuer for it: it was issued."
        ),
        FileReason.UNREADABLE: FileExplanation(
            _NO_DATA, "This cannot be read, so nobody can tell what it holds. Check the permissions and the disk."
        ),
        FileReason.NOT_A_REGULAR_FILE: FileExplanation(
            _NO_DATA,
            "This is no regular file, so what it shows can change without a trace; it was not opened. Ask for the "
            "files themselves.",
        ),
        FileReason.TOO_LARGE: FileExplanation(
            _CONSTRAINTS,
            "The file is far larger than any certificate and was not opened, so that one file cannot hold up an audit. "
            "Look at it by hand.",
        ),
        FileReason.TOO_COSTLY: FileExplanation(
            _CONSTRAINTS,
            "To judge the file took far more time or memory than any certificate needs and was given up, so that one "
            "file cannot hold up an audit. Look at it by hand.",
        ),
        FileReason.VERIFIER_CRASHED: FileExplanation(
            _GENERIC,
            "The process that judged the file broke down, so nothing can be said of it. No certificate does that: do "
            "not rely on it, and send it to whoever maintains sealtool.",
        ),
        FileReason.NOT_IN_MANIFEST: FileExplanation(
            _GENERIC,
            "The file lies among issued certificates, but no manifest lists it: ask the issuer before relying on it.",
        ),
        FileReason.RECORD_DIFFERS: FileExplanation(
            _GENERIC,
            "The sealed record in the file says something else than the issuer has on record. Do not rely on it; ask "
            "there.",
        ),
        FileReason.SUPERSEDED: FileExplanation(
            _GENERIC, "The issuer has replaced this certificate with a later one. Ask the holder for that one."
        ),
        FileReason.WITHDRAWN: FileExplanation(
            _GENERIC, "The issuer has withdrawn this certificate. Do not rely on it, however sound its seal."
        ),
        FileReason.MANIFEST_SEAL_MISSING: FileExplanation(
            _NO_DATA, "The seal of the manifest (.p7s) is not beside it, so nothing vouches for what it lists."
        ),
        FileReason.MANIFEST_UNREADABLE: FileExplanation(
            _GENERIC, "The manifest is sealed, but this version cannot read it. Use a newer version."
        ),
        FileReason.CSV_MISSING: FileExplanation(
            _GENERIC, "The table of the manifest (.csv) is not beside it: somebody took it away."
        ),
        FileReason.CSV_DIFFERS: FileExplanation(
            _GENERIC,
            "The table beside the manifest (.csv) does not say what the manifest says. Go by the manifest, which is "
            "sealed, and find out who changed the table.",
        ),
        FileReason.PREVIOUS_MANIFEST_MISSING: FileExplanation(
            _GENERIC,
            "The manifest before this one is not here, so certificates may have been taken away with it. Ask the "
            "issuer for it.",
        ),
        FileReason.PREVIOUS_MANIFEST_DIFFERS: FileExplanation(
            _GENERIC,
            "The manifest before this one is not the one that was issued: its SHA-256 differs. Ask the issuer for the "
            "original.",
        ),
    }
)


def reason(code: FileReason, detail: str = "") -> Reason:
    """The reason as it stands in a judgement; ``detail`` says what the sentence cannot know."""
    return Reason(code, f"{EXPLANATIONS[code].sentence} {detail}".strip())
