"""Judgements made by hand: one that passed, one that failed, one that was never found, and an enemy's words in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sealtool.auditing import Audit, FileJudgement
from sealtool.model import (
    CertifiedArea,
    CertifiedFacts,
    PadesLevel,
    Reason,
    SealEvidence,
    SealFacts,
    TimeStampEvidence,
    Verdict,
    Verification,
)
from sealtool.reporting.report import Anchor, Report

JUDGED_AT = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
SEALED_AT = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>\u202e\x1b[2K{{ 7*7 }}'

SEAL = SealFacts(
    subject="CN=Segell,organizationIdentifier=VATES-S0711001H,C=ES",
    organization_identifier="VATES-S0711001H",
    issuer="CN=Autoritat,C=ES",
    serial_number="1234567890",
    certificate_sha256="ab" * 32,
    policy_oids=(),
    qualified_statements=(),
    valid_from=datetime(2025, 1, 1, tzinfo=UTC),
    valid_until=datetime(2029, 1, 1, tzinfo=UTC),
    sub_filter="ETSI.CAdES.detached",
    digest_algorithm="SHA-256",
    signature_algorithm="RSA with SHA-256",
    signing_time=SEALED_AT,
    time_stamp_at=SEALED_AT,
    time_stamp_authority="CN=Segell de temps,C=ES",
    signature_policy="2.16.724.1.3.1.1.2.1.9",
)
EVIDENCE = SealEvidence(
    certificates=(b"seal certificate", b"issuing authority", b"anchor"),
    digest_name="sha256",
    content_digest=b"\x01" * 32,
    attributes_digest=b"\x02" * 32,
    signature=b"\x03" * 256,
    time_stamps=(
        TimeStampEvidence(SEALED_AT, b"\x04" * 32, on_document=False),
        TimeStampEvidence(SEALED_AT, b"\x05" * 32, on_document=True),
    ),
)
CERTIFIED = CertifiedFacts(
    certificate_id="TEST-0000-0001",
    level="C2",
    area=4,
    person_id="10000000P",
    full_name="Gal·la de la Prova",
    accredited_on="2025-03-12",
    issued_on="2026-03-02",
    procedures=("training",),
    areas=(CertifiedArea(4, "2024-11-30", "training"),),
    rules_version="2025-10-27",
)


def passed(name: str = "passed.pdf", *, certified: CertifiedFacts = CERTIFIED) -> FileJudgement:
    verification = Verification(
        sha256="0f" * 32,
        size=100,
        verdict=Verdict.PASSED,
        sub_indication="",
        reasons=(),
        pades_level=PadesLevel.B_LTA,
        sealed_at=SEALED_AT,
        seal=SEAL,
        certificate=certified,
        provable_until=datetime(2032, 11, 20, tzinfo=UTC),
        evidence=EVIDENCE,
    )
    return FileJudgement(Path("/archive") / name, verification)


def not_passed(name: str, verdict: Verdict, sub_indication: str, *reasons: Reason) -> FileJudgement:
    return FileJudgement(Path("/archive") / name, Verification("", 0, verdict, sub_indication, reasons))


FAILED = not_passed(
    f"{HOSTILE}.pdf".replace("/", ""),
    Verdict.FAILED,
    "FORMAT_FAILURE",
    Reason("ANNOTATION_UNEXPECTED", f"It is of the kind {HOSTILE}."),
)
MISSING = not_passed("missing.pdf", Verdict.INDETERMINATE, "SIGNED_DATA_NOT_FOUND", Reason("FILE_MISSING", "Gone."))


def report(*files: FileJudgement, organizations: tuple[str, ...] = ("VATES-S0711001H",)) -> Report:
    return Report(
        audit=Audit(files),
        asked=("archive",),
        judged_at=JUDGED_AT,
        tool_version="9.9.9",
        anchors=(Anchor("CN=Arrel,C=ES", "cd" * 32),),
        organizations=organizations,
    )
