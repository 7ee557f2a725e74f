"""Which activity is used for which area: a matching with capacities, grown one area at a time.

Areas are at most six, so a shortest chain of moves is found by plain breadth-first search.
"""

from __future__ import annotations

from collections.abc import Iterable

from sealtool.accreditation.counting import AREAS_IN, BIT, AreaSet
from sealtool.model import ActivityId, Area


class UsedActivity:
    """An activity and the areas it is used for.

    Attributes:
        reach: the areas it may be used for at the level in question.
        capacity: how many of them its hours allow (Annex 3, 4).
        used_for: the areas it is used for now.
        room: how many more its hours allow.
    """

    __slots__ = ("activity_id", "capacity", "reach", "room", "used_for")

    def __init__(self, activity_id: ActivityId, reach: AreaSet, capacity: int) -> None:
        self.activity_id = activity_id
        self.reach = reach
        self.capacity = capacity
        self.used_for: AreaSet = 0
        self.room = capacity

    def take(self, area: Area) -> None:
        """Use it for one more area."""
        self.used_for |= BIT[area]
        self.room -= 1

    def give(self, area: Area) -> None:
        """Use it for an area no longer."""
        self.used_for &= ~BIT[area]
        self.room += 1


class Assignment:
    """The areas that training covers, each held by one activity.

    An area once held stays held until it is released; the activity that holds it may change. Each change is
    the shortest there is, and of several as short the one through the earliest activities, so that the
    outcome depends on the facts alone and not on the order of the rows.

    Attributes:
        activities: what was offered, in order of (day, id).
        holder: the activity that holds each area held.
        reach: the areas that one of the activities reaches.
    """

    def __init__(self) -> None:
        self.activities: list[UsedActivity] = []
        self.holder: dict[Area, UsedActivity] = {}
        self._capacity = 0
        self.reach: AreaSet = 0

    def offer(self, activities: Iterable[UsedActivity]) -> None:
        """Offer further activities, in order of (day, id)."""
        for activity in activities:
            self.activities.append(activity)
            self._capacity += activity.capacity
            self.reach |= activity.reach

    @property
    def has_room(self) -> bool:
        """Whether the hours of some activity allow one more area."""
        return len(self.holder) < self._capacity

    def release(self, area: Area) -> UsedActivity:
        """Take an area off the activity that holds it, and return that activity."""
        activity = self.holder.pop(area)
        activity.give(area)
        return activity

    def cover(self, area: Area) -> UsedActivity | None:
        """Find an activity for an area without giving up any area held; None where there is none."""
        bit = BIT[area]
        for activity in self.activities:
            if activity.room and activity.reach & bit:
                self.holder[area] = activity
                activity.take(area)
                return activity
        return self._cover_by_moving_others(area)

    def _cover_by_moving_others(self, area: Area) -> UsedActivity | None:
        taker: dict[UsedActivity, Area] = {}  # the area that would move into each activity reached
        wanting = [area]
        for wanted in wanting:  # grows while it is walked: breadth first
            bit = BIT[wanted]
            for activity in self.activities:
                if not activity.reach & bit or activity in taker:
                    continue
                taker[activity] = wanted
                if activity.room:
                    self._move(activity, taker)
                    return self.holder[area]
                wanting.extend(AREAS_IN[activity.used_for])
        return None

    def _move(self, with_room: UsedActivity, taker: dict[UsedActivity, Area]) -> None:
        """Move each area of the chain into the activity that takes it, the last one first."""
        into: UsedActivity | None = with_room
        while into is not None:
            area = taker[into]
            before = self.holder.get(area)
            if before is not None:
                before.give(area)
            into.take(area)
            self.holder[area] = into
            into = before
