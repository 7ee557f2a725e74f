"""Turning participations and grants into rows, in the two hands that real exports are written in."""

from __future__ import annotations

from datetime import date

from fiction.careers import FictitiousGrant, FictitiousParticipation
from fiction.catalogue import FictitiousActivity
from fiction.dice import Dice
from fiction.export import ExportFile
from fiction.people import carelessly_written

_SHARE_BY_OTHER_HAND = 0.12
"""Rows with 27/10/2025 and 7,5 rather than 2025-10-27 and 7.5."""
_SHARE_CARELESS_ID = 0.003
_SHARE_EATEN_ZEROS = 0.4
"""Of the rows whose id begins with a zero: those that went through a spreadsheet."""


def iso(day: date) -> str:
    """The day as 2025-10-27."""
    return day.isoformat()


def slashed(day: date) -> str:
    """The day as 27/10/2025."""
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


class TrainingRows:
    """Writes rows of training.csv; what an activity contributes is laid out once a hand."""

    def __init__(self, file: ExportFile, dice: Dice) -> None:
        self._file = file
        self._dice = dice
        self._parts: dict[tuple[str, bool], tuple[str, str]] = {}

    def write(self, person_id: str, participation: FictitiousParticipation) -> None:
        """Write one participation."""
        dice, activity = self._dice, participation.activity
        other_hand = dice.chance(_SHARE_BY_OTHER_HAND)
        key = (activity.activity_id, other_hand)
        parts = self._parts.get(key)
        if parts is None:
            parts = self._parts[key] = self._lay_out(activity, other_hand=other_hand)
        if person_id.startswith("0") and dice.chance(_SHARE_EATEN_ZEROS):
            person_id = person_id.lstrip("0")
        elif dice.chance(_SHARE_CARELESS_ID):
            person_id = carelessly_written(person_id, dice)
        day = slashed(participation.completed_on) if other_hand else iso(participation.completed_on)
        self._file.write_line(f"{person_id}{parts[0]}{day},{participation.role}{parts[1]}")

    def _lay_out(self, activity: FictitiousActivity, *, other_hand: bool) -> tuple[str, str]:
        written = slashed if other_hand else iso
        title, hours = activity.title, activity.hours
        if other_hand:
            hours = hours.replace(".", ",")
            if activity.activity_id.endswith("0"):
                title = title.upper()  # an older system shouted; a title decides nothing
        head = [activity.activity_id, title, activity.modality, hours, written(activity.start), written(activity.end)]
        tail = [activity.origin, " ".join(activity.indicators)]
        separator = self._file.separator
        return (
            separator + separator.join(self._file.quoted(field) for field in head) + separator,
            separator + separator.join(self._file.quoted(field) for field in tail),
        )


class GrantRows:
    """Writes rows of accreditations.csv."""

    def __init__(self, file: ExportFile, dice: Dice) -> None:
        self._file = file
        self._dice = dice

    def write(self, person_id: str, grant: FictitiousGrant) -> None:
        """Write one grant."""
        day = slashed(grant.granted_on) if self._dice.chance(0.2) else iso(grant.granted_on)
        note = "revisat" if self._dice.chance(0.05) else ""
        self._file.write_row([person_id, grant.level, grant.area, grant.procedure, day, grant.reference, note])
