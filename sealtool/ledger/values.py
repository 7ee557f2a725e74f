"""What goes into the ledger and comes out of it, as frozen values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sealtool.model import CertificateId, Decision, Language, Person, PersonId, RunId, SourceFile


class CertificateState(StrEnum):
    """The life of a certificate. Only ``reserved`` can still become ``released``."""

    RESERVED = "reserved"
    """It has an id; nothing was sealed yet, or what was sealed was never published."""
    SEALED = "sealed"
    """Its sealed files are known by their hashes; they may or may not have been published yet."""
    ISSUED = "issued"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    RELEASED = "released"
    """The registry stopped supporting it before anything was sealed."""


UNPUBLISHED: Final = (CertificateState.RESERVED, CertificateState.SEALED)
"""The states of what was decided and of which nobody has a file yet."""

ISSUED_ONCE: Final = (CertificateState.ISSUED, CertificateState.SUPERSEDED, CertificateState.REVOKED)
"""The states of what was published, in force or not."""


class RunState(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """Stopped by a signal, a crash or a loss of power; the next run went on."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is made of, known when it starts."""

    command: str
    tool_version: str
    rules_version: str
    rules_sha256: str
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run as the ledger remembers it; moments are in UTC."""

    run_id: RunId
    command: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reservation:
    """An id set aside for a decision; ``predecessor`` is the certificate whose place it will take, if any."""

    certificate_id: CertificateId
    decision: Decision
    predecessor: CertificateId | None = None


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate somebody holds, or will hold as soon as a run takes it up."""

    certificate_id: CertificateId
    person_id: PersonId
    level: str
    area: int | None
    state: CertificateState
    fingerprint: str
    decision: Mapping[str, Any]
    """The decision as canonical JSON has it, with the person as named on the certificate."""
    overruled: str | None = None
    """Where somebody upheld what the registry did not say: the fingerprint of what it said then, empty for nothing."""
    successor_id: CertificateId | None = None


class ActKind(StrEnum):
    """What a human may decide about an issued certificate."""

    REISSUE = "reissue"
    REVOCATION = "revocation"


@dataclass(frozen=True, slots=True)
class Act:
    """A decision of a human about a certificate. None of its texts is personal data of the certificate's holder.

    Attributes:
        decided_by: who decided, a name or an office.
        called_by: the user of the system that carried it out.
        reference: of the file of the case; may be empty.
        upheld: the items that were given by hand because the registry does not say so.
        overruled: see :class:`IssuedCertificate`.
    """

    kind: ActKind
    reason: str
    decided_by: str
    called_by: str
    reference: str = ""
    upheld: tuple[str, ...] = ()
    overruled: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateStory:
    """A certificate with what became of it.

    Attributes:
        newest: the last one ever published for the same person, level and area.
        pending: a reissue that was decided and is not published yet.
        acts: what was decided about the newest one.
        is_unfinished: whether a run that decided about the newest one was stopped, or is still going on.
    """

    certificate: IssuedCertificate
    decision: Decision
    generation: int
    newest: IssuedCertificate
    pending: CertificateId | None
    acts: tuple[Act, ...]
    is_unfinished: bool


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One line of the register of accreditations: a level, at C2 one area of it, and the certificate of it, if any.

    Attributes:
        person: as named on the certificate, or on the person's newest one; None where the person has none.
        accredited_on: ISO 8601; None where areas are held, and not all that the level takes.
        areas: those held, as ``{"area", "covered_on", "procedure"}``.
        state: None where there is no certificate of it, or not yet.
        issued_on: ISO 8601.
        files: of the certificate, below the output folder.
    """

    person_id: PersonId
    person: Person | None
    level: str
    area: int | None
    accredited_on: str | None
    procedures: tuple[str, ...]
    areas: tuple[Mapping[str, Any], ...]
    certificate_id: CertificateId | None = None
    state: CertificateState | None = None
    issued_on: str | None = None
    predecessor_id: CertificateId | None = None
    successor_id: CertificateId | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A sealed file before it is published.

    Attributes:
        path: where it will be, relative to the output folder, with forward slashes.
        seal: what the manifest says of the seal, ready for JSON.
        provable_until: until when what the file holds proves its seal without being renewed; None where not known.
    """

    certificate_id: CertificateId
    path: str
    sha256: str
    size: int
    pages: int
    languages: tuple[Language, ...]
    issued_on: date
    seal: Mapping[str, Any]
    provable_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerDocument:
    """A file the ledger knows, with the state of its certificate."""

    certificate_id: CertificateId
    path: str
    sha256: str
    state: CertificateState


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """All the ledger says of one document, for the manifest."""

    certificate_id: CertificateId
    path: str
    sha256: str
    size: int
    pages: int
    languages: tuple[str, ...]
    level: str
    area: int | None
    state: CertificateState
    predecessor_id: CertificateId | None
    successor_id: CertificateId | None
    seal: Mapping[str, Any] = field(default_factory=dict)
    provable_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ManifestOnRecord:
    """A manifest the ledger has announced: its files and their hashes, by path below the output folder."""

    run_id: RunId
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DocumentOnRecord:
    """A published document, for whoever keeps it provable.

    Attributes:
        sha256: of the file that has to be there.
        pades_level: of its seal, as the ledger knows it.
        provable_until: until when the file proves its seal without being renewed.
        is_noted: False where the ledger only guesses this from the seal certificate, as it does for rows of before it
            kept this moment.
    """

    certificate_id: CertificateId
    path: str
    sha256: str
    pades_level: str
    provable_until: datetime
    is_noted: bool


@dataclass(frozen=True, slots=True)
class RenewalCount:
    """How many documents run out in a month (``2031-05``), and the first of their paths."""

    month: str
    documents: int
    first: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """A renewed file before it takes the place of the present one.

    Attributes:
        replaces: SHA-256 of the present file.
        seal: what the manifest says of the seal, ready for JSON.
    """

    path: str
    replaces: str
    sha256: str
    size: int
    seal: Mapping[str, Any]
    provable_until: datetime


@dataclass(frozen=True, slots=True)
class PendingRenewal:
    """A renewal that was announced: the hash to come, and the one to be replaced."""

    path: str
    sha256: str
    replaces: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """How many certificates there are, in several ways, and nobody's.

    Attributes:
        by_level: all that were issued, by level and state.
        by_month: all that were issued, by month of issue (``2026-11``).
        by_month_of_accreditation: those in force, by the month of the accreditation.
        by_procedures: those in force, by the procedures they name.
        by_area: the areas of those in force, by level, area (1 to 6) and the procedure that covered it.
        days_to_certificate: days from the accreditation to the first certificate, with how many took so long.
        people: who holds at least one that is in force.
        runs: by how they ended.
    """

    by_level: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_month: Counter[str] = field(default_factory=Counter)
    by_month_of_accreditation: Counter[str] = field(default_factory=Counter)
    by_procedures: Counter[tuple[str, ...]] = field(default_factory=Counter)
    by_area: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    days_to_certificate: Counter[int] = field(default_factory=Counter)
    people: int = 0
    runs: Counter[str] = field(default_factory=Counter)
