"""The words of the domain, as frozen values. Every stage takes and returns these and nothing else.

Two words are kept apart throughout: a *certificate* is the document a teacher receives; a *seal
certificate* is the X.509 certificate of the organisation. The *accreditation date* is the day the law
says a level was reached; the *issue date* is the day of the seal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType, Self

PersonId = NewType("PersonId", str)
"""A DNI or NIE in canonical form: nine characters, upper case, no separators. Personal data."""

ActivityId = NewType("ActivityId", str)
CertificateId = NewType("CertificateId", str)
"""Opaque and unguessable, with a check character; the only name of a certificate outside the ledger."""

RunId = NewType("RunId", str)
"""Sortable by time, e.g. ``20261122T104848Z-4f9c2a``."""

SEAL_FIELD_NAME = "Seal"
"""The one signature field a certificate may have."""

RECORD_ATTACHMENT_NAME = "record.json"
"""The file inside a certificate that holds its record, canonical JSON (:mod:`sealtool.rendering.record`)."""


class Level(StrEnum):
    """Levels of the MRCDD. Their values sort in the order of the framework: A1 < A2 < ... < C2."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"


class Area(IntEnum):
    """The six areas of the MRCDD."""

    PROFESSIONAL_ENGAGEMENT = 1
    DIGITAL_CONTENT = 2
    TEACHING_AND_LEARNING = 3
    ASSESSMENT_AND_FEEDBACK = 4
    EMPOWERING_LEARNERS = 5
    LEARNERS_DIGITAL_COMPETENCE = 6


class Procedure(StrEnum):
    """How an area was obtained (Annex 1, third; Annex 2). Definition order is the order of print."""

    TRAINING = "training"
    TEST = "test"
    DEGREE = "degree"
    OBSERVATION = "observation"
    EVIDENCE = "evidence"
    EXTERNAL = "external"


class Modality(StrEnum):
    """What kind of activity the registry says it is; the last three are one-off events (Annex 3, 3)."""

    COURSE = "course"
    SEMINAR = "seminar"
    WORKSHOP = "workshop"
    WORKING_GROUP = "working_group"
    PROJECT = "project"
    CONGRESS = "congress"
    CONFERENCE_DAY = "conference_day"
    ONE_OFF = "one_off"


class Role(StrEnum):
    """As what somebody took part (Annex 3, types of certified persons)."""

    PARTICIPANT = "participant"
    COORDINATOR = "coordinator"
    TRAINER = "trainer"


class Origin(StrEnum):
    """Who vouches for an activity; each origin has its own first day (Annex 3, last three parts)."""

    ORGANISED = "organised"
    HOMOLOGATED = "homologated"
    RECOGNISED = "recognised"


class Language(StrEnum):
    """The two co-official languages, as ISO 639-1 codes; definition order is the order of print."""

    CATALAN = "ca"
    SPANISH = "es"


@dataclass(frozen=True, slots=True)
class Framework:
    """What the law in force calls well-formed, for whoever reads data made under it.

    Attributes:
        competences: how many competences each area has (1.1 to 1.5: five).
        direct_procedures: the procedures by which a level can be granted directly (Annex 1, third).
        levels_by_area: the levels that are accredited area by area, so that a grant must name one.
    """

    competences: Mapping[Area, int]
    direct_procedures: Mapping[Level, frozenset[Procedure]]
    levels_by_area: frozenset[Level]


# --- the registry -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Indicator:
    """An indicator of achievement of the MRCDD, coded ``area.competence.LEVEL.n`` (``2.1.B1.2``)."""

    area: Area
    competence: int
    level: Level
    number: int

    def __str__(self) -> str:
        return f"{int(self.area)}.{self.competence}.{self.level}.{self.number}"


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is accredited, named exactly as the registry names them."""

    person_id: PersonId
    given_name: str
    first_surname: str
    second_surname: str = ""
    line: int = field(default=0, compare=False)
    """Line of people.csv the person stands in, the header being 1; 0 when not read from a file."""

    @property
    def full_name(self) -> str:
        """Given name and surnames as the registry writes them, with nothing changed."""
        return " ".join(part for part in (self.given_name, self.first_surname, self.second_surname) if part)


@dataclass(frozen=True, slots=True)
class Activity:
    """A training activity of the registry. The same id always means the same facts."""

    activity_id: ActivityId
    title: str
    modality: Modality
    hours: Decimal
    start_date: date
    end_date: date
    origin: Origin
    indicators: frozenset[Indicator]


@dataclass(frozen=True, slots=True)
class Participation:
    """One certified participation of one person in one activity, in one role."""

    activity: Activity
    role: Role
    completed_on: date


@dataclass(frozen=True, slots=True)
class DirectGrant:
    """An area, or all six where ``area`` is None, granted by a procedure other than training."""

    level: Level
    area: Area | None
    procedure: Procedure
    granted_on: date
    reference: str = ""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """All that the registry says of one person."""

    person: Person
    participations: tuple[Participation, ...] = ()
    grants: tuple[DirectGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in one place of the export. ``line`` counts the header as 1; ``column`` is the
    canonical (English) name, or empty where the whole row is meant."""

    file: str
    line: int
    column: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the export as it was read: the hash is of the very bytes that were parsed."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Registry:
    """What came out of an export that could be read as a whole.

    Attributes:
        records: everybody about whom nothing is doubtful, by person id, in order of id.
        held: whoever a problem names, with the indices of the problems in ``problems``; the keys are the
            ids as canonical as they could be made (a broken id stands as it was found).
        problems: every problem found, in order of file and line.
        warnings: what was repaired or looks odd, but leaves no doubt (a padded leading zero).
        sources: the files read.
    """

    records: Mapping[PersonId, PersonRecord]
    held: Mapping[str, tuple[int, ...]]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    sources: tuple[SourceFile, ...]


# --- decisions --------------------------------------------------------------------------------


class CoveredArea(NamedTuple):
    """An area somebody holds at the level in question. A named tuple, as a plan of everybody makes millions.

    Attributes:
        evidence: ids of the activities, or references of the grants, that cover it on the day the level was
            accredited.
    """

    area: Area
    covered_on: date
    procedure: Procedure
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A person has obtained a level (or, at C2, one area of it).

    Attributes:
        area: the area accredited, at C2 only; None otherwise.
        accredited_on: the day of the last area (Annex 1, fifth, 7).
        procedures: the distinct procedures of the areas, in order of print.
        areas: the six areas in order, or the one of C2.
        rules_version: which version of the law decided.
    """

    person: Person
    level: Level
    area: Area | None
    accredited_on: date
    procedures: tuple[Procedure, ...]
    areas: tuple[CoveredArea, ...]
    rules_version: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Where one person stands at one level: what the register keeps (Annex 1, fifth, 4 and 6).

    Attributes:
        areas: the areas held, in order; their evidence is that of the day the level was obtained, or of the latest day
            where it was not.
        decisions: what is accredited: none or one, at C2 one for each area.
    """

    level: Level
    areas: tuple[CoveredArea, ...]
    decisions: tuple[Decision, ...]


# --- documents --------------------------------------------------------------------------------


class PadesLevel(StrEnum):
    """Baseline levels of PAdES, ETSI EN 319 142-1 section 6."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"

    @property
    def carries_validation_data(self) -> bool:
        """Whether a file holds all that its seal is judged by, from B-LT on: it needs no revocation list beside it."""
        return self in {PadesLevel.B_LT, PadesLevel.B_LTA}


@dataclass(frozen=True, slots=True)
class CertificateOrder:
    """All that is needed to lay a certificate out: a decision, the id it was given and the day of issue."""

    certificate_id: CertificateId
    decision: Decision
    issued_on: date
    languages: tuple[Language, ...]
    """The languages of one document, in order; both, or one where each language gets its own file."""
    replaces: CertificateId | None = None
    """The certificate it takes the place of; None for a first one."""


@dataclass(frozen=True, slots=True)
class UnsealedPdf:
    """A certificate laid out but not sealed: it has no legal force and is never published."""

    content: bytes
    pages: int


@dataclass(frozen=True, slots=True)
class SealedPdf:
    """A certificate with its seal on. Only sealing makes one."""

    content: bytes
    pages: int


# --- verification -----------------------------------------------------------------------------


class Verdict(StrEnum):
    """Main indications of ETSI EN 319 102-1, table 5 (there with the prefix ``TOTAL-``)."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INDETERMINATE = "INDETERMINATE"


class SealQualification(StrEnum):
    """What a sound seal is under eIDAS, by the trusted lists, at the time it was made."""

    QUALIFIED = "qualified_eseal"
    """Art. 3 (27): advanced, its certificate qualified for seals, its key in a qualified device."""
    ADVANCED_WITH_QUALIFIED_CERTIFICATE = "advanced_eseal_qc"
    """Art. 37 (1): its certificate qualified for seals, but nothing says that its key is in a qualified device."""
    NOT_QUALIFIED = "not_qualified"


class TimeStampQualification(StrEnum):
    """What a sound time stamp is under eIDAS, by the trusted lists, at the time it was given."""

    QUALIFIED = "qualified_time_stamp"
    """Art. 42: given by a service that had qualified status for it."""
    NOT_QUALIFIED = "not_qualified"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file did not pass, or what else has to be known about it. Codes are stable."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate as a validator shows it. Times are aware, in UTC; serial numbers are decimal digits."""

    subject: str
    organization_identifier: str
    issuer: str
    serial_number: str
    certificate_sha256: str
    policy_oids: tuple[str, ...]
    qualified_statements: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class SealFacts(CertificateFacts):
    """The seal, with its certificate, as a validator shows it.

    Attributes:
        qualification: by the trusted lists that were handed in; None where there were none, or the seal is not sound.
        time_stamp_qualification: the same of the time stamp that dates the seal; None where there is none either.
    """

    sub_filter: str
    digest_algorithm: str
    signature_algorithm: str
    signing_time: datetime | None
    time_stamp_at: datetime | None
    time_stamp_authority: str
    signature_policy: str
    qualification: SealQualification | None = None
    time_stamp_qualification: TimeStampQualification | None = None


@dataclass(frozen=True, slots=True)
class CertifiedArea:
    """How one area was obtained, as the record says it."""

    area: int
    covered_on: str
    procedure: str

    @classmethod
    def of(cls, covered: CoveredArea) -> Self:
        """What the record is to say of an area that was decided on."""
        return cls(int(covered.area), covered.covered_on.isoformat(), str(covered.procedure))


@dataclass(frozen=True, slots=True)
class CertifiedFacts:
    """What the sealed document says it certifies, read from the record inside it. Days are ISO 8601.

    It is personal data: shown to whoever holds the file, never logged.

    Attributes:
        rules_version: of the rules that decided.
    """

    certificate_id: str
    level: str
    area: int | None
    person_id: str
    full_name: str
    accredited_on: str
    issued_on: str
    procedures: tuple[str, ...]
    areas: tuple[CertifiedArea, ...]
    rules_version: str
    replaces: str | None = None
    """The certificate it takes the place of, where it says so."""


@dataclass(frozen=True, slots=True)
class TimeStampEvidence:
    """A time stamp, by the SHA-256 of its token; of a document time stamp ``on_document`` is true."""

    given_at: datetime
    sha256: bytes
    on_document: bool


@dataclass(frozen=True, slots=True)
class SealEvidence:
    """The parts of a seal by which another program can tell that it judged the same one.

    Attributes:
        certificates: DER, the seal certificate first; then those above it up to the anchor, where the chain was found.
        digest_name: of both digests, in the spelling of hashlib.
        content_digest: what the seal says of the bytes it covers.
        attributes_digest: of the data to be signed, which are the signed attributes (RFC 5652, 5.4).
        signature: its value.
        time_stamps: oldest first.
    """

    certificates: tuple[bytes, ...]
    digest_name: str
    content_digest: bytes
    attributes_digest: bytes
    signature: bytes
    time_stamps: tuple[TimeStampEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """The judgement of one file.

    Attributes:
        verdict: main indication.
        sub_indication: sub-indication of EN 319 102-1 (``HASH_FAILURE``), empty when passed.
        reasons: everything that speaks against the file, in the order it was found; empty when passed.
        pades_level: the level reached and verified, None where there is no sound seal.
        sealed_at: the best proven time of the seal: the time stamp's where there is one, otherwise the
            claimed time.
        provable_until: until when what the file holds proves the seal without being renewed: the first end among the
            certificates that have to be valid on the day of judgement. None where there is no sound seal.
    """

    sha256: str
    size: int
    verdict: Verdict
    sub_indication: str
    reasons: tuple[Reason, ...]
    pades_level: PadesLevel | None = None
    sealed_at: datetime | None = None
    seal: SealFacts | None = None
    certificate: CertifiedFacts | None = None
    pages: int | None = None
    provable_until: datetime | None = None
    evidence: SealEvidence | None = None
