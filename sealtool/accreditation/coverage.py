"""Goes through the days of one person at one level, as the law's dates ask (Annex 1, fifth, 7)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sealtool.accreditation.assignment import Assignment, UsedActivity
from sealtool.accreditation.counting import (
    ALL_AREAS,
    AREAS_IN,
    BIT,
    RANK,
    AreaSet,
    CountedActivity,
    first_grants,
)
from sealtool.accreditation.rules import Rules
from sealtool.model import ActivityId, Area, CoveredArea, DirectGrant, Level, Procedure


@dataclass(slots=True)
class AreaStory:
    """How one area came to be covered.

    Attributes:
        covered_on: the day it became covered; it never changes.
        first_held_by: the activity that covered it that day, None where it was granted directly.
        last_held_by: the activity that held it when a grant made that needless.
        grant: the grant that covers it, from its day on.
    """

    covered_on: date
    first_held_by: ActivityId | None = None
    last_held_by: ActivityId | None = None
    grant: DirectGrant | None = None


@dataclass(slots=True)
class Coverage:
    """Where somebody stands at one level on the day they obtained it, or else on the last day.

    Attributes:
        covered: the areas covered.
        until: the last day looked at; None where nothing could count.
    """

    covered: AreaSet = 0
    stories: dict[Area, AreaStory] = field(default_factory=dict)
    assignment: Assignment = field(default_factory=Assignment)
    until: date | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all six areas are covered."""
        return self.covered == ALL_AREAS

    def grant(self, area: Area, grant: DirectGrant) -> None:
        """An area is granted directly: it needs no activity any more."""
        story = self.stories.get(area)
        if story is None:
            self.stories[area] = AreaStory(grant.granted_on, grant=grant)
            self.covered |= BIT[area]
        else:
            story.last_held_by = self.assignment.release(area).activity_id
            story.grant = grant

    def cover_what_training_can(self, day: date) -> None:
        """Each uncovered area, lowest number first, is covered if that uncovers none."""
        assignment = self.assignment
        for area in AREAS_IN[assignment.reach & ~self.covered]:
            if not assignment.has_room:
                return
            holder = assignment.cover(area)
            if holder is not None:
                self.stories[area] = AreaStory(day, holder.activity_id)
                self.covered |= BIT[area]

    def covered_areas(self) -> tuple[CoveredArea, ...]:
        """The areas covered, in order, with the evidence of this moment."""
        holder, training = self.assignment.holder, Procedure.TRAINING
        areas = []
        for area in AREAS_IN[self.covered]:
            story = self.stories[area]
            if story.grant is None:
                covered = CoveredArea(area, story.covered_on, training, (holder[area].activity_id,))
            else:
                procedure = training if story.first_held_by else story.grant.procedure
                evidence = (story.last_held_by, story.grant.reference)
                covered = CoveredArea(area, story.covered_on, procedure, tuple(filter(None, evidence)))
            areas.append(covered)
        return tuple(areas)


def cover_areas(
    level: Level, counted: Sequence[CountedActivity], grants: Sequence[DirectGrant], rules: Rules
) -> Coverage:
    """Go through the days in order, up to the one on which the level is complete.

    Args:
        level: the level to be obtained.
        counted: the activities that count, by day and id.
        grants: the direct grants, in any order.
        rules: the law.
    """
    coverage = Coverage()
    direct = first_grants(grants, level, rules) if grants else {}
    usable = _usable(level, counted, rules)
    granted_on = {grant.granted_on for grant in direct.values()}
    for day in sorted({*usable, *granted_on}):
        coverage.until = day
        if day in granted_on:
            for area in sorted(direct):
                if direct[area].granted_on == day:
                    coverage.grant(area, direct[area])
        if day in usable:
            coverage.assignment.offer(usable[day])
        coverage.cover_what_training_can(day)
        if coverage.covered == ALL_AREAS:
            break
    return coverage


def _usable(level: Level, counted: Sequence[CountedActivity], rules: Rules) -> dict[date, list[UsedActivity]]:
    """The activities that can accredit at least one area at the level, by day."""
    usable: dict[date, list[UsedActivity]] = {}
    if level not in rules.hours:
        return usable
    rank, row = RANK[level], rules.hours[level]
    for day, activity_id, hours, reach in counted:
        if reach[rank] and hours >= row[0]:
            activity = UsedActivity(activity_id, reach[rank], bisect_right(row, hours))
            if day in usable:
                usable[day].append(activity)
            else:
                usable[day] = [activity]
    return usable
