"""Judging one certificate, and the files that lie among certificates. Runs in worker processes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sealtool.auditing.files import FileRefusedError, read_file
from sealtool.auditing.judgements import not_judged
from sealtool.auditing.reasons import FileReason
from sealtool.model import Verdict, Verification

JudgeCertificate = Callable[[bytes, str | None], Verification]
"""Sealed bytes and the SHA-256 they ought to have, if it is known -> judgement. Runs in a worker process."""

_HEADER_WITHIN = 1024
"""Readers take a file for a PDF when its header begins within so many bytes (ISO 32000-1, annex H, note 13)."""


def is_pdf_name(path: Path) -> bool:
    """Whether people and programs would take the file for a PDF by its name."""
    return path.name.lower().endswith(".pdf")


def judge_file(path: Path, sha256: str | None, judge: JudgeCertificate) -> Verification:
    """Reads and judges one file; a file that cannot be read is a judgement, too."""
    try:
        return judge(read_file(path), sha256)
    except FileRefusedError as refused:
        return not_judged(refused.code, refused.detail)


def judge_stray(path: Path, judge: JudgeCertificate) -> Verification:
    """The same for a file that nobody listed: if it is a PDF by name or content its seal is judged, too."""
    try:
        content = read_file(path)
    except FileRefusedError as refused:
        return not_judged(refused.code, refused.detail)
    if is_pdf_name(path) or b"%PDF-" in content[:_HEADER_WITHIN]:
        return judge(content, None)
    digest = hashlib.sha256(content).hexdigest()
    return Verification(digest, len(content), Verdict.INDETERMINATE, sub_indication="GENERIC", reasons=())


def of_listed_state(state: str, successor: str | None) -> tuple[FileReason, str] | None:
    """What the issuer has said of a document since it was issued; None while it is in force."""
    match state:
        case "superseded":
            return FileReason.SUPERSEDED, f"It is certificate {successor}." if successor else ""
        case "revoked":
            return FileReason.WITHDRAWN, f"It has issued another one since: {successor}." if successor else ""
        case _:
            return None
