"""What the registry says of a person, reduced to what the law counts.

The same functions serve the decision and its explanation, so that the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from sealtool.accreditation.rules import ORIGIN_CLAUSE, Clause, Rules
from sealtool.model import Activity, ActivityId, Area, DirectGrant, Indicator, Level, Participation, Procedure

AreaSet = int
"""A set of areas as a bit mask, area 1 being bit 0: there are millions of these, and only 64 different ones."""

BIT: Mapping[Area, AreaSet] = {area: 1 << (area - 1) for area in Area}
ALL_AREAS: AreaSet = sum(BIT.values())
AREAS_IN: tuple[tuple[Area, ...], ...] = tuple(
    tuple(area for area in Area if areas & BIT[area]) for areas in range(ALL_AREAS + 1)
)
"""The areas of each set, in ascending order."""

RANK: Mapping[Level, int] = {level: rank for rank, level in enumerate(Level)}
PRINT_ORDER: Mapping[Procedure, int] = {procedure: order for order, procedure in enumerate(Procedure)}


class CountedActivity(NamedTuple):
    """An activity that counts for a person. Sorts by day, then by id: the order in which ties are settled.

    Attributes:
        day: the earliest completion certified (Annex 3, types of certified persons: once, whatever the roles).
        hours: its total duration.
        reach: for each level, in order, the areas with a counting indicator at that level or higher.
    """

    day: date
    activity_id: ActivityId
    hours: Decimal
    reach: tuple[AreaSet, ...]


def left_out_by(participation: Participation, rules: Rules) -> Clause | None:
    """The clause by which a participation does not count at all, or None where it does."""
    activity = participation.activity
    if activity.modality in rules.excluded_modalities:
        return Clause.ONE_OFF_EVENTS
    if activity.start_date < rules.origin_floors[activity.origin]:
        return ORIGIN_CLAUSE[activity.origin]
    if participation.role not in rules.counted_roles:
        return Clause.COUNTED_ROLES
    return None


def reach_of(activity: Activity, rules: Rules) -> tuple[AreaSet, ...]:
    """For each level, in order, the areas with a counting indicator there or higher (Annex 3, 5)."""
    return _reach(activity.indicators, rules.excluded_competences)


@lru_cache(maxsize=1 << 16)  # an activity is assessed once for everybody who took part in it
def _reach(indicators: frozenset[Indicator], excluded: frozenset[tuple[Area, int]]) -> tuple[AreaSet, ...]:
    at = [0] * len(RANK)
    for indicator in indicators:
        if (indicator.area, indicator.competence) not in excluded:
            at[RANK[indicator.level]] |= BIT[indicator.area]
    for rank in range(len(at) - 2, -1, -1):
        at[rank] |= at[rank + 1]
    return tuple(at)


def counted_activities(participations: Iterable[Participation], rules: Rules) -> list[CountedActivity]:
    """The activities that count and have a counting indicator, once each, by day and id."""
    first: dict[ActivityId, tuple[date, Activity]] = {}
    for participation in participations:
        activity = participation.activity
        if not activity.indicators or left_out_by(participation, rules) is not None:
            continue
        known = first.get(activity.activity_id)
        if known is None or participation.completed_on < known[0]:
            first[activity.activity_id] = (participation.completed_on, activity)
    counted = []
    for activity_id, (day, activity) in first.items():
        reach = reach_of(activity, rules)
        if reach[0]:
            counted.append(CountedActivity(day, activity_id, activity.hours, reach))
    counted.sort()
    return counted


def is_lawful(grant: DirectGrant, rules: Rules) -> bool:
    """Whether a grant is one the law knows (Annex 1, third; fifth, 5).

    The registry holds whoever has another kind; should one come this far, it counts for nothing.
    """
    framework = rules.framework
    return grant.procedure in framework.direct_procedures[grant.level] and not (
        grant.area is None and grant.level in framework.levels_by_area
    )


def areas_of(grant: DirectGrant) -> AreaSet:
    """The areas a grant names: all six where it names none."""
    return ALL_AREAS if grant.area is None else BIT[grant.area]


def first_grants(grants: Iterable[DirectGrant], level: Level, rules: Rules) -> dict[Area, DirectGrant]:
    """For each area granted directly at the level or higher, the grant that counts for it.

    It is the earliest; of one day, the one nearest the level, then by order of print of the procedures, then
    by reference.
    """
    first: dict[Area, DirectGrant] = {}
    for grant in grants:
        if grant.level < level or not is_lawful(grant, rules):
            continue
        for area in AREAS_IN[areas_of(grant)]:
            known = first.get(area)
            if known is None or precedence(grant) < precedence(known):
                first[area] = grant
    return first


def precedence(grant: DirectGrant) -> tuple[date, Level, int, str]:
    """The order in which grants of an area take effect."""
    return grant.granted_on, grant.level, PRINT_ORDER[grant.procedure], grant.reference
