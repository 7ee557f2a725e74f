"""What a fictitious teacher did over the years: participations, and what was granted directly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fiction.catalogue import LAST_DAY, Catalogue, FictitiousActivity
from fiction.dice import Dice, Urn

_PARTS_OF_ITINERARIES = 0.21
_OTHER_PARTICIPATIONS = 5.12
"""Means a person that the census of profiles below gives; only the second grows with the intensity."""

MEAN_PARTICIPATIONS = _PARTS_OF_ITINERARIES + _OTHER_PARTICIPATIONS
"""Participations a person where nothing else is asked for."""

_ROLES: Urn[str] = Urn([("participant", 95), ("coordinator", 3), ("trainer", 2)])
_PROFILES: Urn[str] = Urn([("newcomer", 3), ("casual", 74), ("keen", 11), ("itinerary", 12)])
_GRANTS: Urn[tuple[str, tuple[str, ...]]] = Urn(
    [
        (("none", ()), 81.5),
        (("test", ("A1", "A2", "A2")), 5),
        (("degree", ("A1", "A2", "A2", "A2")), 3.5),
        (("test", ("B1", "B1", "B1", "B2")), 3.5),
        (("observation", ("B1", "B1", "B2")), 2.5),
        (("external", ("A2", "B1", "B1", "B2", "C1")), 1.5),
        (("evidence", ("C1", "C2")), 2.5),
    ]
)
"""By which procedure, and at which of these levels."""

_FIRST_GRANT = date(2024, 3, 13)
"""The day after the first resolution on these accreditations was published."""
_REFERENCE_PREFIX = {
    "test": "PROVA",
    "degree": "TITOL",
    "observation": "OBS",
    "evidence": "EVID",
    "external": "EXT",
}


@dataclass(frozen=True, slots=True)
class FictitiousParticipation:
    """One row of training.csv in the making."""

    activity: FictitiousActivity
    completed_on: date
    role: str


@dataclass(frozen=True, slots=True)
class FictitiousGrant:
    """One row of accreditations.csv in the making; ``area`` is empty where all six are meant."""

    level: str
    area: str
    procedure: str
    granted_on: date
    reference: str


class Careers:
    """Makes careers in which a person takes part so many times on average."""

    def __init__(self, catalogue: Catalogue, dice: Dice, participations_a_person: float) -> None:
        self._catalogue = catalogue
        self._dice = dice
        self._intensity = max(0.0, participations_a_person - _PARTS_OF_ITINERARIES) / _OTHER_PARTICIPATIONS
        self._grants = 0

    def participations(self) -> list[FictitiousParticipation]:
        """What somebody took part in, by day of completion; each activity once, or once a role."""
        chosen: dict[str, FictitiousActivity] = {activity.activity_id: activity for activity in self._chosen()}
        rows: list[FictitiousParticipation] = []
        for activity in chosen.values():
            rows.append(self._participation(activity, _ROLES.draw(self._dice)))
            if self._dice.chance(0.004):
                other = "coordinator" if rows[-1].role != "coordinator" else "trainer"
                rows.append(self._participation(activity, other))
        rows.sort(key=lambda row: (row.completed_on, row.activity.activity_id, row.role))
        return rows

    def grants(self) -> list[FictitiousGrant]:
        """What was granted to somebody directly: mostly nothing."""
        procedure, levels = _GRANTS.draw(self._dice)
        if procedure == "none":
            return []
        if procedure == "evidence":
            return self._advanced()
        areas = [""]
        if procedure == "observation":
            areas = sorted(self._dice.some("123456", self._dice.between(1, 3)))
        return [self._grant(self._dice.pick(levels), area, procedure) for area in areas]

    def _advanced(self) -> list[FictitiousGrant]:
        dice = self._dice
        procedure = dice.pick(("evidence", "evidence", "observation"))
        if dice.chance(0.4):
            return [self._grant("C1", "", procedure)]
        if dice.chance(0.4):
            return [self._grant("C1", area, procedure) for area in sorted(dice.some("123456", dice.between(2, 6)))]
        return [self._grant("C2", area, procedure) for area in sorted(dice.some("123456", dice.between(1, 2)))]

    def _chosen(self) -> list[FictitiousActivity]:
        dice, catalogue = self._dice, self._catalogue
        match _PROFILES.draw(dice):
            case "newcomer":
                return []
            case "casual":
                return [dice.pick(catalogue.single) for _ in range(self._count(1, 9))]
            case "keen":
                return [dice.pick(catalogue.digital) for _ in range(self._count(4, 12))]
            case _:
                parts = list(dice.pick(catalogue.itineraries))
                if len(parts) > 1 and dice.chance(0.12):
                    parts.pop()  # not everybody finishes
                return parts + [dice.pick(catalogue.single) for _ in range(self._count(1, 8))]

    def _count(self, low: int, high: int) -> int:
        return self._dice.rounded(self._dice.between(low, high) * self._intensity)

    def _participation(self, activity: FictitiousActivity, role: str) -> FictitiousParticipation:
        completed_on = min(activity.end + timedelta(days=self._dice.between(0, 18)), LAST_DAY)
        return FictitiousParticipation(activity, completed_on, role)

    def _grant(self, level: str, area: str, procedure: str) -> FictitiousGrant:
        self._grants += 1
        granted_on = _FIRST_GRANT + timedelta(days=self._dice.between(0, (LAST_DAY - _FIRST_GRANT).days))
        reference = f"{_REFERENCE_PREFIX[procedure]}-{granted_on.year}-{self._grants:05d}"
        return FictitiousGrant(level, area, procedure, granted_on, reference)
