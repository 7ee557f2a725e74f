"""Where a person stands at a level, and what is accredited (Annex 1, fifth)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sealtool.accreditation.counting import PRINT_ORDER, CountedActivity, counted_activities
from sealtool.accreditation.coverage import Coverage, cover_areas
from sealtool.accreditation.rules import Rules
from sealtool.model import Area, Assessment, CoveredArea, Decision, Level, PersonRecord

_NOTHING: Mapping[Level, Assessment] = {level: Assessment(level, (), ()) for level in Level}
"""Where most people stand at most levels."""


def assess(record: PersonRecord, rules: Rules, level: Level) -> Assessment:
    """Where a person stands at one level.

    The evidence of the areas is that of the day the level was obtained, or of the last day of the record where
    it was not; so what the registry adds later never changes a decision.
    """
    return assess_levels(record, rules, (level,))[0]


def assess_levels(record: PersonRecord, rules: Rules, levels: Iterable[Level]) -> tuple[Assessment, ...]:
    """Where a person stands at several levels, in the order given: cheaper than :func:`assess` for each."""
    counted = counted_activities(record.participations, rules)
    return tuple([_assess(record, rules, level, counted) for level in levels])


def decide(record: PersonRecord, rules: Rules, levels: Iterable[Level]) -> tuple[Decision, ...]:
    """What a person has obtained of these levels, in ascending order of level and, at C2, of area."""
    assessments = assess_levels(record, rules, sorted(set(levels)))
    return tuple(decision for assessment in assessments for decision in assessment.decisions)


def conclude(record: PersonRecord, rules: Rules, level: Level, coverage: Coverage) -> Assessment:
    """Turn the areas covered into what is accredited."""
    areas = coverage.covered_areas()
    if level in rules.framework.levels_by_area:
        # Annex 1, fifth, 5: each area is accredited individually, on the day it was granted.
        decisions = tuple(_decision(record, rules, level, (area,), area.area) for area in areas)
    elif coverage.is_complete:
        decisions = (_decision(record, rules, level, areas, None),)
    else:
        decisions = ()
    return Assessment(level, areas, decisions)


def _assess(record: PersonRecord, rules: Rules, level: Level, counted: list[CountedActivity]) -> Assessment:
    if not record.grants and not (counted and level in rules.hours):
        return _NOTHING[level]
    coverage = cover_areas(level, counted, record.grants, rules)
    return conclude(record, rules, level, coverage) if coverage.covered else _NOTHING[level]


def _decision(
    record: PersonRecord, rules: Rules, level: Level, areas: tuple[CoveredArea, ...], area: Area | None
) -> Decision:
    return Decision(
        person=record.person,
        level=level,
        area=area,
        # Annex 1, fifth, 7: the date of the last area obtained.
        accredited_on=max([covered.covered_on for covered in areas]),
        procedures=tuple(sorted({covered.procedure for covered in areas}, key=PRINT_ORDER.__getitem__)),
        areas=areas,
        rules_version=rules.version,
    )
