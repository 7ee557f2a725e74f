"""What an audit says: of one file, and of all of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from sealtool.auditing.reasons import EXPLANATIONS, FileReason, reason
from sealtool.model import Verdict, Verification

SCHEMA: Final = "sealtool.verification/1"


@dataclass(frozen=True, slots=True)
class FileJudgement:
    """What is to be said of one file, or of a folder or link that could not be looked into."""

    path: Path
    verification: Verification

    @property
    def shown_path(self) -> str:
        """The path as text; what no encoding of Unicode can hold is written out in hexadecimal."""
        return decodable(self.path)

    def as_json(self) -> dict[str, Any]:
        """One entry of ``verify --json``."""
        one = self.verification
        return {
            "path": self.shown_path,
            "sha256": one.sha256,
            "verdict": str(one.verdict),
            "sub_indication": one.sub_indication,
            "reasons": [{"code": str(entry.code), "message": entry.message} for entry in one.reasons],
            "pades_level": one.pades_level and str(one.pades_level),
            "sealed_at": one.sealed_at and one.sealed_at.isoformat(),
            "provable_until": one.provable_until and one.provable_until.isoformat(),
            "seal": one.seal
            and {
                "subject": one.seal.subject,
                "serial_number": one.seal.serial_number,
                "qualification": one.seal.qualification and str(one.seal.qualification),
                "time_stamp_qualification": one.seal.time_stamp_qualification
                and str(one.seal.time_stamp_qualification),
            },
            "certificate": one.certificate and asdict(one.certificate),
        }


@dataclass(frozen=True, slots=True)
class Audit:
    """The judgements of all files asked for, in order of path."""

    files: tuple[FileJudgement, ...]

    @property
    def summary(self) -> dict[str, int]:
        """How many files got each verdict."""
        counts = Counter(one.verification.verdict for one in self.files)
        return {str(verdict): counts[verdict] for verdict in Verdict}

    @property
    def passed(self) -> bool:
        """Whether every file passed."""
        return all(one.verification.verdict is Verdict.PASSED for one in self.files)

    def as_json(self) -> dict[str, Any]:
        """The document of ``verify --json``."""
        return {"schema": SCHEMA, "files": [one.as_json() for one in self.files], "summary": self.summary}


def decodable(path: Path) -> str:
    """A path as text that every encoding of Unicode can hold."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def not_judged(code: FileReason, detail: str = "", *, content: bytes = b"") -> Verification:
    """The judgement where the seal was not looked at; with the hash where at least the content is known."""
    return Verification(
        sha256=hashlib.sha256(content).hexdigest() if content else "",
        size=len(content),
        verdict=Verdict.INDETERMINATE,
        sub_indication=EXPLANATIONS[code].sub_indication,
        reasons=(reason(code, detail),),
    )


def explained(verification: Verification, detail: str) -> Verification:
    """The same judgement with a further sentence to its first reason, where there is one."""
    if not verification.reasons or not detail:
        return verification
    first, *others = verification.reasons
    return replace(verification, reasons=(replace(first, message=f"{first.message} {detail}"), *others))


def doubted(verification: Verification, code: FileReason, detail: str = "") -> Verification:
    """The same judgement with a further reason, and no longer passed; a verdict never gets better by it."""
    return replace(
        verification,
        verdict=Verdict.INDETERMINATE if verification.verdict is Verdict.PASSED else verification.verdict,
        sub_indication=verification.sub_indication or EXPLANATIONS[code].sub_indication,
        reasons=(*verification.reasons, reason(code, detail)),
    )
