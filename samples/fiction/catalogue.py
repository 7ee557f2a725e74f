"""A fictitious catalogue of training activities, with hours, days and indicators that fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fiction.dice import Dice, Urn

LAST_END = date(2026, 6, 12)
LAST_DAY = date(2026, 6, 30)
"""Nothing in the export happens later, so that no row ever lies in the future."""

COMPETENCES = {1: 5, 2: 3, 3: 4, 4: 3, 5: 3, 6: 5}
"""How many competences each area of the MRCDD has."""

_LEVELS: Urn[str] = Urn([("A1", 7), ("A2", 17), ("B1", 50), ("B2", 21), ("C1", 5)])
_ORIGINS: Urn[str] = Urn([("organised", 68), ("homologated", 20), ("recognised", 12)])
_SCHOOL_YEARS: Urn[tuple[date, date]] = Urn(
    [
        ((date(2023, 1, 9), date(2023, 6, 2)), 6),  # too early to count, unless recognised (Annex 3)
        ((date(2023, 9, 4), date(2024, 5, 24)), 30),
        ((date(2024, 9, 2), date(2025, 5, 23)), 34),
        ((date(2025, 9, 1), date(2026, 4, 24)), 30),
    ]
)
_RECOGNISED_EARLIER = (date(2020, 9, 7), date(2022, 5, 27))
_ITINERARY_YEARS: Urn[tuple[date, date]] = Urn(
    [
        ((date(2023, 8, 28), date(2024, 2, 2)), 30),
        ((date(2024, 9, 2), date(2025, 1, 31)), 38),
        ((date(2025, 9, 1), date(2026, 1, 23)), 32),
    ]
)
_SHARE_DIGITAL = 0.45
_SINGLE_EVENTS = {"congress": 2, "conference_day": 0, "one_off": 0}
"""How many days after the first they may still go on."""


@dataclass(frozen=True, slots=True)
class FictitiousActivity:
    """An activity of the catalogue; ``hours`` as written with a point."""

    activity_id: str
    title: str
    modality: str
    hours: str
    start: date
    end: date
    origin: str
    indicators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Single activities, those of them that work on digital competence, and itineraries (courses taken together)."""

    single: tuple[FictitiousActivity, ...]
    digital: tuple[FictitiousActivity, ...]
    itineraries: tuple[tuple[FictitiousActivity, ...], ...]


def make_catalogue(words: Mapping[str, Any], dice: Dice, size: int) -> Catalogue:
    """A catalogue of about ``size`` activities, one in six of them part of an itinerary."""
    shelf = _Shelf(words, dice)
    itineraries = tuple(shelf.itinerary() for _ in range(max(6, size // 10)))
    parts = sum(len(itinerary) for itinerary in itineraries)
    single = tuple(shelf.activity() for _ in range(max(40, size - parts)))
    digital = tuple(activity for activity in single if activity.indicators)
    return Catalogue(single, digital, itineraries)


class _Shelf:
    """Makes activities one after the other and numbers them."""

    def __init__(self, words: Mapping[str, Any], dice: Dice) -> None:
        self._dice = dice
        themes: Sequence[Mapping[str, Any]] = words["theme"]
        self._digital = [theme for theme in themes if theme["competences"]]
        self._others = [theme for theme in themes if not theme["competences"]]
        self._kinds: Urn[Mapping[str, Any]] = Urn([(kind, kind["share"]) for kind in words["kind"]])
        self._itineraries: Urn[Mapping[str, Any]] = Urn([(plan, plan["share"]) for plan in words["itinerary"]])
        self._number = 0

    def activity(self) -> FictitiousActivity:
        dice = self._dice
        kind = self._kinds.draw(dice)
        theme = dice.pick(self._digital if dice.chance(_SHARE_DIGITAL) else self._others)
        origin = _ORIGINS.draw(dice)
        earlier = origin == "recognised" and dice.chance(0.25)
        start = self._workday(*(_RECOGNISED_EARLIER if earlier else _SCHOOL_YEARS.draw(dice)))
        hours = dice.pick(kind["hours"])
        pattern: str = dice.pick(kind["titles"])
        return FictitiousActivity(
            activity_id=self._next_id(),
            title=pattern.format(theme=theme["title"], n=dice.between(2, 9)),
            modality=kind["modality"],
            hours=hours,
            start=start,
            end=self._end(kind["modality"], start, hours),
            origin=origin,
            indicators=self._indicators(theme["competences"], _LEVELS.draw(dice)),
        )

    def itinerary(self) -> tuple[FictitiousActivity, ...]:
        plan = self._itineraries.draw(self._dice)
        # One body runs the whole itinerary; those organised by the administration are the rule.
        origin = "organised" if self._dice.chance(0.8) else "homologated"
        start = self._workday(*_ITINERARY_YEARS.draw(self._dice))
        parts = []
        for part in plan["parts"]:
            competences = [self._counting_competence(area) for area in part["areas"]]
            end = self._end("course", start, part["hours"])
            parts.append(
                FictitiousActivity(
                    activity_id=self._next_id(),
                    title=part["title"],
                    modality="course",
                    hours=part["hours"],
                    start=start,
                    end=end,
                    origin=origin,
                    indicators=self._indicators(competences, plan["level"]),
                )
            )
            start = min(end + timedelta(days=3), LAST_END)
        return tuple(parts)

    def _next_id(self) -> str:
        self._number += 1
        return f"ACT-{self._number:06d}"

    def _workday(self, first: date, last: date) -> date:
        day = first + timedelta(days=self._dice.between(0, (last - first).days))
        return day - timedelta(days=max(0, day.weekday() - 4))

    def _end(self, modality: str, start: date, hours: str) -> date:
        if modality in _SINGLE_EVENTS:
            days = self._dice.between(0, _SINGLE_EVENTS[modality])
        else:
            # Two to five hours a week.
            days = int(float(hours) * 7 / self._dice.between(2, 5))
        return min(start + timedelta(days=days), LAST_END)

    def _counting_competence(self, area: int) -> str:
        # Competences 1.3 and 1.4 never count for training, so an itinerary is built on the others.
        competences = [number for number in range(1, COMPETENCES[area] + 1) if area != 1 or number not in (3, 4)]
        return f"{area}.{self._dice.pick(competences)}"

    def _indicators(self, competences: Sequence[str], level: str) -> tuple[str, ...]:
        codes = set()
        for competence in competences:
            for number in self._dice.some((1, 2, 3), self._dice.between(1, 2)):
                codes.add(f"{competence}.{level}.{number}")
        if codes and level != "A1" and self._dice.chance(0.1):
            codes.add(f"{competences[0]}.A1.1")
        return tuple(sorted(codes))
