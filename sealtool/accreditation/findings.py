"""The values of an explanation: what covers each area, what is missing, what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sealtool.model import Area, Assessment, CoveredArea, Level


class FindingCode(StrEnum):
    """Why something does not help. Codes are stable; scripts may rely on them."""

    ONE_OFF_EVENT = "one_off_event"
    BEFORE_FLOOR = "before_floor"
    ROLE_NOT_COUNTED = "role_not_counted"
    NO_INDICATORS = "no_indicators"
    EXCLUDED_COMPETENCES_ONLY = "excluded_competences_only"
    LOWER_LEVEL_ONLY = "lower_level_only"
    TOO_SHORT = "too_short"
    HOURS_USED_UP = "hours_used_up"
    TRAINING_CANNOT_GIVE_LEVEL = "training_cannot_give_level"
    INDICATOR_OF_LEFT_OUT_ACTIVITY = "indicator_of_left_out_activity"
    GRANT_OF_LOWER_LEVEL = "grant_of_lower_level"
    GRANT_NOT_LAWFUL = "grant_not_lawful"
    MAY_BE_GRANTED = "may_be_granted"
    NOTHING_REACHES_AREA = "nothing_reaches_area"
    NOT_NEEDED = "not_needed"
    COUNTED_ONCE = "counted_once"


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, with what it is about and the clause it rests on.

    Attributes:
        clause: as the rules cite it ("Annex 3, 3"); empty where none is needed.
        subjects: ids of the activities, or procedure, reference and day of the grants, it is about.
        text: a sentence in plain English, without a full stop.
    """

    code: FindingCode
    clause: str
    subjects: tuple[str, ...]
    text: str

    def to_json(self) -> dict[str, object]:
        """The finding as JSON values."""
        return {"code": self.code.value, "clause": self.clause, "subjects": list(self.subjects), "text": self.text}


@dataclass(frozen=True, slots=True)
class AreaExplanation:
    """One area of the level.

    Attributes:
        title: the title of the area in Catalan.
        covered: how it is covered, None where it is missing.
        text: what covers it since when; empty where it is missing.
        missing: at least one reason where it is missing, otherwise none.
    """

    area: Area
    title: str
    covered: CoveredArea | None
    text: str
    missing: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """The area as JSON values."""
        covered = self.covered
        return {
            "area": int(self.area),
            "title": self.title,
            "covered_on": covered and covered.covered_on.isoformat(),
            "procedure": covered and covered.procedure.value,
            "evidence": list(covered.evidence) if covered else [],
            "text": self.text,
            "missing": [finding.to_json() for finding in self.missing],
        }


@dataclass(frozen=True, slots=True)
class LevelExplanation:
    """Why a person has, or lacks, a level.

    Attributes:
        assessment: where the person stands.
        by_area: whether each area is accredited on its own (C2).
        clause: as the rules cite it, what decides between having the level and lacking it.
        accredited_on: the day the level was obtained; None where it was not, or goes by area.
        areas: all six, in order.
        left_out: activities and grants that no area of this level can rest on, by which rule.
        not_needed: what would count but was not needed.
        rules_version: the version of the law applied.
        rules_title: what it is called.
    """

    level: Level
    assessment: Assessment
    by_area: bool
    clause: str
    accredited_on: date | None
    areas: tuple[AreaExplanation, ...]
    left_out: tuple[Finding, ...]
    not_needed: tuple[Finding, ...]
    rules_version: str
    rules_title: str

    def to_json(self) -> dict[str, object]:
        """The explanation as JSON values; dates are ISO 8601. It carries no name and no DNI/NIE."""
        return {
            "level": self.level.value,
            "by_area": self.by_area,
            "clause": self.clause,
            "accredited": bool(self.assessment.decisions),
            "accredited_on": self.accredited_on and self.accredited_on.isoformat(),
            "areas": [area.to_json() for area in self.areas],
            "left_out": [finding.to_json() for finding in self.left_out],
            "not_needed": [finding.to_json() for finding in self.not_needed],
            "rules_version": self.rules_version,
        }
