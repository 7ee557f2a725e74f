"""A lost ledger, written anew from what the manifests and the sealed files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert

from sealtool.canonical import canonical_json
from sealtool.identifiers import start_of_run
from sealtool.ledger.certificates import area_number, decided, decision_on_record, file_on_record
from sealtool.ledger.events import REBUILT, Event, append_events, instant
from sealtool.ledger.register import record_assessments
from sealtool.ledger.tables import certificates, documents, runs
from sealtool.ledger.values import CertificateState, RunState
from sealtool.model import Assessment, CertificateId, Decision, Level, PersonId, RunId, SourceFile


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """A sound manifest, as the ledger has to know it.

    Attributes:
        files: the manifest, its seal and its table: path below the output folder to SHA-256.
        sha256: of the manifest itself.
        ledger_sequence: number of the event that it pins.
        ledger_head: hash of that event.
    """

    run_id: RunId
    created_at: datetime
    tool_version: str
    rules_version: str
    rules_sha256: str
    sources: tuple[SourceFile, ...]
    counts: Mapping[str, int]
    files: Mapping[str, str]
    sha256: str
    ledger_sequence: int
    ledger_head: str


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A sealed file that our own verifier has passed.

    Attributes:
        manifest_run: of the newest manifest that lists it; None where none does.
        provable_until: until when what it holds proves its seal; None where that is not known.
    """

    path: str
    sha256: str
    size: int
    pages: int
    languages: tuple[str, ...]
    seal: Mapping[str, Any]
    manifest_run: RunId | None
    provable_until: datetime | None


@dataclass(frozen=True, slots=True)
class FoundCertificate:
    """A certificate with all of its files.

    Attributes:
        run_id: of the first manifest that lists it; None where none does.
        generation: its number among those of the same person, level and area: 0 for the first.
    """

    certificate_id: CertificateId
    decision: Decision
    issued_on: date
    state: CertificateState
    predecessor_id: CertificateId | None
    successor_id: CertificateId | None
    run_id: RunId | None
    documents: tuple[FoundDocument, ...]
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """All that an output folder tells; manifests by run id, of which there is one at least."""

    manifests: tuple[FoundManifest, ...]
    certificates: tuple[FoundCertificate, ...]


def begin(connection: Connection, run_id: RunId, found: Found, *, at: datetime) -> None:
    """Writes the first event, which goes on from the one that the newest manifest pins, and the runs of before."""
    newest = found.manifests[-1]
    payload = {
        "manifest": newest.run_id,
        "ledger_sequence": newest.ledger_sequence,
        "ledger_head": newest.ledger_head,
        "manifests": [
            {
                "run_id": one.run_id,
                "sha256": one.sha256,
                "ledger_sequence": one.ledger_sequence,
                "ledger_head": one.ledger_head,
            }
            for one in found.manifests
        ],
        "certificates": len(found.certificates),
        "documents": sum(len(one.documents) for one in found.certificates),
    }
    pinned = (newest.ledger_sequence, newest.ledger_head)
    append_events(connection, run_id, [Event(REBUILT, payload)], at=at, after=pinned)
    rows = [_run(one) for one in found.manifests]
    connection.execute(insert(runs), rows)
    append_events(connection, run_id, [Event("run_rebuilt", row) for row in rows], at=at)


def enter(connection: Connection, run_id: RunId, found: Found, *, at: datetime) -> None:
    """Writes certificates, documents and register; the first event has to be there."""
    happened = []
    for one in found.certificates:
        row = _certificate(one, run_id)
        connection.execute(insert(certificates), [row])
        facts = {name: value for name, value in row.items() if name not in {"certificate_id", *_PERSONAL}}
        happened.append(Event("certificate_rebuilt", facts | decision_on_record(row), one.certificate_id))
        files = [_document(one.certificate_id, file) for file in one.documents]
        connection.execute(insert(documents), files)
        happened += [Event("document_rebuilt", _told(file), one.certificate_id) for file in files]
    append_events(connection, run_id, happened, at=at)
    for rules_version, assessments in _assessments(found.certificates):
        record_assessments(connection, run_id, assessments, rules_version, at=at)


_PERSONAL = ("person_id", "decision")


def _run(found: FoundManifest) -> dict[str, Any]:
    sources = [{"name": one.name, "sha256": one.sha256, "rows": one.rows} for one in found.sources]
    return {
        "run_id": found.run_id,
        "command": REBUILT,
        "started_at": instant(start_of_run(found.run_id)),
        "finished_at": instant(found.created_at),
        "state": RunState.FINISHED,
        "tool_version": found.tool_version,
        "rules_version": found.rules_version,
        "rules_sha256": found.rules_sha256,
        "sources": canonical_json(sources),
        "counts": canonical_json(dict(found.counts)),
        "manifest": canonical_json(dict(found.files)),
        "manifest_sha256": found.sha256,
    }


def _certificate(found: FoundCertificate, run_id: RunId) -> dict[str, Any]:
    return {
        "certificate_id": found.certificate_id,
        "person_id": found.decision.person.person_id,
        "level": str(found.decision.level),
        "area": area_number(found.decision),
        "generation": found.generation,
        "state": found.state,
        "reserved_run": found.run_id or run_id,
        "issued_run": found.run_id or run_id,
        "issued_on": found.issued_on.isoformat(),
        "predecessor_id": found.predecessor_id,
        "successor_id": found.successor_id,
        **decided(found.decision),
    }


def _document(certificate_id: CertificateId, found: FoundDocument) -> dict[str, Any]:
    return {
        "path": found.path,
        "certificate_id": certificate_id,
        "sha256": found.sha256,
        "size": found.size,
        "pages": found.pages,
        "languages": ",".join(found.languages),
        "seal": canonical_json(dict(found.seal)),
        "manifest_run": found.manifest_run,
        "provable_until": found.provable_until and instant(found.provable_until),
    }


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in file_on_record(row).items() if name != "manifest_run"}


def _assessments(
    found: Sequence[FoundCertificate],
) -> Iterator[tuple[str, list[tuple[PersonId, Assessment]]]]:
    """What the register says of whoever holds a certificate, by version of the rules."""
    held: dict[tuple[str, PersonId, Level], list[Decision]] = {}
    for one in found:
        if one.state is CertificateState.ISSUED:
            key = (one.decision.rules_version, one.decision.person.person_id, one.decision.level)
            held.setdefault(key, []).append(one.decision)
    by_version: dict[str, list[tuple[PersonId, Assessment]]] = {}
    for (rules_version, person_id, level), decisions in held.items():
        areas = {covered.area: covered for decision in decisions for covered in decision.areas}
        assessment = Assessment(level, tuple(areas[area] for area in sorted(areas)), tuple(decisions))
        by_version.setdefault(rules_version, []).append((person_id, assessment))
    yield from by_version.items()
