"""The law of one day, as values: what :func:`load_rules` reads and everything else in this room applies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sealtool.model import Area, Framework, Language, Level, Modality, Origin, Procedure, Role


class Clause(StrEnum):
    """The clauses that decide something; the parameter file says how each is cited."""

    PROCEDURES = "procedures"
    SIX_AREAS = "six_areas"
    DATE_OF_LAST_AREA = "date_of_last_area"
    TRAINING_LEVELS = "training_levels"
    COUNTED_ROLES = "counted_roles"
    INDICATORS_REGISTERED = "indicators_registered"
    ONE_OFF_EVENTS = "one_off_events"
    HOURS = "hours"
    INDICATORS_OF_LEVEL = "indicators_of_level"
    EXCLUDED_COMPETENCES = "excluded_competences"
    ORIGIN_ORGANISED = "origin_organised"
    ORIGIN_HOMOLOGATED = "origin_homologated"
    ORIGIN_RECOGNISED = "origin_recognised"


ORIGIN_CLAUSE: Mapping[Origin, Clause] = {
    Origin.ORGANISED: Clause.ORIGIN_ORGANISED,
    Origin.HOMOLOGATED: Clause.ORIGIN_HOMOLOGATED,
    Origin.RECOGNISED: Clause.ORIGIN_RECOGNISED,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the law. Immutable by convention down to its mappings, picklable and hashable.

    Attributes:
        version: the name certificates record, equal to the stem of the parameter file.
        effective_from: the first day this version decides.
        title: what the version is called in English.
        source: where the law was published.
        sha256: of the bytes of the parameter file, in lower-case hexadecimal.
        framework: what the law calls well-formed.
        area_titles: the titles of the areas in each language.
        hours: by level that training can give, the hours an activity needs to accredit 1, 2, ... 6 areas.
        origin_floors: the first day on which an activity of each origin may have started.
        excluded_modalities: the one-off events, which never count.
        excluded_competences: (area, number) of the competences whose indicators never count.
        counted_roles: the roles in which a certified participation counts.
        clauses: how each clause is cited.
    """

    version: str
    effective_from: date
    title: str
    source: str
    sha256: str
    framework: Framework
    area_titles: Mapping[Language, Mapping[Area, str]]
    hours: Mapping[Level, tuple[Decimal, ...]]
    origin_floors: Mapping[Origin, date]
    excluded_modalities: frozenset[Modality]
    excluded_competences: frozenset[tuple[Area, int]]
    counted_roles: frozenset[Role]
    clauses: Mapping[Clause, str]

    def __hash__(self) -> int:
        # The mappings have no hash; the hash of the file stands for all of them.
        return hash((self.version, self.sha256))

    @property
    def training_levels(self) -> tuple[Level, ...]:
        """The levels that training can give, in ascending order (Annex 3, description)."""
        return tuple(self.hours)

    def procedures(self, level: Level) -> tuple[Procedure, ...]:
        """The procedures by which the level can be obtained, in the order of print (Annex 1, third; Annex 3)."""
        direct = self.framework.direct_procedures[level]
        by_training = {Procedure.TRAINING} if level in self.hours else set()
        return tuple(one for one in Procedure if one in direct | by_training)

    def areas_allowed(self, level: Level, hours: Decimal) -> int:
        """How many areas an activity of that many hours can accredit at the level (Annex 3, 4).

        Zero at a level that training cannot give.
        """
        return bisect_right(self.hours.get(level, ()), hours)
