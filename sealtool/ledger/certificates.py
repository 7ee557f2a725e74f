"""Certificates as rows: their columns, their way from one state to the next, and back into values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from sealtool.canonical import canonical_json, decision_fingerprint, named_decision_as_json, sha256_hex
from sealtool.errors import LedgerInconsistentError
from sealtool.ledger.chunks import chunks
from sealtool.ledger.events import Event, append_events
from sealtool.ledger.legibility import CERTIFICATE, DOCUMENT, RecordedDecision, legible, read_json, read_moment
from sealtool.ledger.tables import WHOLE_LEVEL, certificates
from sealtool.ledger.values import CertificateState, IssuedCertificate, ManifestEntry
from sealtool.model import CertificateId, Decision, PersonId, RunId


@dataclass(frozen=True, slots=True)
class Step:
    """A move of certificates from one state to the next, and the event that tells of it."""

    before: CertificateState
    after: CertificateState
    kind: str


RELEASED = Step(CertificateState.RESERVED, CertificateState.RELEASED, "released")
ISSUED = Step(CertificateState.SEALED, CertificateState.ISSUED, "issued")
NOT_PUBLISHED = Step(CertificateState.SEALED, CertificateState.RESERVED, "not_published")


def move(connection: Connection, run_id: RunId, ids: Sequence[CertificateId], step: Step, *, at: datetime) -> None:
    """Moves certificates one step, within the caller's transaction; LedgerInconsistentError where one is not there."""
    values = {"state": step.after} | ({"issued_run": run_id} if step is ISSUED else {})
    for chunk in chunks(ids):
        changed = connection.execute(
            update(certificates)
            .where(certificates.c.certificate_id.in_(chunk))
            .where(certificates.c.state == step.before)
            .values(**values)
        )
        expect(changed.rowcount == len(chunk), f"not all of {', '.join(chunk)} are {step.before}")
    append_events(connection, run_id, [Event(step.kind, {}, certificate_id) for certificate_id in ids], at=at)


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - an assertion in the ledger's words
    """LedgerInconsistentError where something that must be so is not."""
    if not holds:
        raise LedgerInconsistentError(
            f"The ledger contradicts itself: {otherwise}. The change was undone.",
            advice="Run `sealtool status`; if it happens again, report it with the log.",
        )


def area_number(decision: Decision) -> int:
    """The area as a column has it."""
    return WHOLE_LEVEL if decision.area is None else int(decision.area)


def decided(decision: Decision) -> dict[str, str]:
    """The columns that hold a decision."""
    text = canonical_json(named_decision_as_json(decision))
    return {
        "decision": text,
        "fingerprint": decision_fingerprint(decision),
        "rules_version": decision.rules_version,
    }


def decision_on_record(row: Mapping[str, Any]) -> dict[str, str]:
    """What the chain of events keeps of a decision: enough to notice that the row was changed, and no personal data."""
    return {
        "fingerprint": row["fingerprint"],
        "decision_sha256": sha256_hex(row["decision"]),
        "rules_version": row["rules_version"],
    }


def file_on_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a file: its row, with the hash of what is said of the seal."""
    facts = {name: value for name, value in row.items() if name not in {"certificate_id", "seal"}}
    return {**facts, "seal_sha256": sha256_hex(row["seal"])}


def area_of(row: Row[Any]) -> int | None:
    """The area of a row; None for a whole level. TypeError where somebody wrote something else."""
    if not isinstance(row.area, int):
        raise TypeError(row.area)
    return row.area or None


@legible(CERTIFICATE)
def issued_certificate(row: Row[Any], *, overruled: str | None = None) -> IssuedCertificate:
    """A row of certificates as a value."""
    return IssuedCertificate(
        certificate_id=CertificateId(row.certificate_id),
        person_id=PersonId(row.person_id),
        level=row.level,
        area=area_of(row),
        state=CertificateState(row.state),
        fingerprint=row.fingerprint,
        decision=read_json(row.decision, RecordedDecision),
        overruled=overruled,
        successor_id=row.successor_id,
    )


@legible(DOCUMENT)
def manifest_entry(row: Row[Any]) -> ManifestEntry:
    """A row of certificates joined with documents as a value."""
    return ManifestEntry(
        certificate_id=CertificateId(row.certificate_id),
        path=row.path,
        sha256=row.sha256,
        size=row.size,
        pages=row.pages,
        languages=tuple(row.languages.split(",")),
        level=row.level,
        area=area_of(row),
        state=CertificateState(row.state),
        predecessor_id=row.predecessor_id,
        successor_id=row.successor_id,
        seal=read_json(row.seal, dict[str, Any]),
        provable_until=row.provable_until and read_moment(row.provable_until),
    )
