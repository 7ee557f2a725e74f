"""training.csv: certified participations, and the activities they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from sealtool.model import (
    Activity,
    ActivityId,
    Framework,
    Indicator,
    Modality,
    Origin,
    Participation,
    PersonId,
    Problem,
    Role,
)
from sealtool.registry import cells
from sealtool.registry.findings import Findings, shown
from sealtool.registry.parsing import (
    NO_VALUE,
    ParsedColumn,
    Positions,
    distinct_rows,
    first_places,
    group_by_person,
    parse_column,
    ranks,
    value_order,
)
from sealtool.registry.people import Roll
from sealtool.registry.rejecting import RowCheck
from sealtool.registry.table import Table


@dataclass(frozen=True, slots=True)
class _Columns:
    person_id: ParsedColumn[PersonId]
    activity_id: ParsedColumn[str]
    title: ParsedColumn[str]
    modality: ParsedColumn[Modality]
    hours: ParsedColumn[Decimal]
    start_date: ParsedColumn[date]
    end_date: ParsedColumn[date]
    completed_on: ParsedColumn[date]
    role: ParsedColumn[Role]
    origin: ParsedColumn[Origin]
    indicators: ParsedColumn[frozenset[Indicator]]

    @property
    def all(self) -> Sequence[ParsedColumn[Any]]:
        return (*self.facts, self.person_id, self.activity_id, self.title, self.completed_on, self.role)

    @property
    def facts(self) -> Sequence[ParsedColumn[Any]]:
        """What the same activity must say of itself on every row; a title alone may differ."""
        return (self.modality, self.hours, self.start_date, self.end_date, self.origin, self.indicators)


def read_training(
    table: Table, roll: Roll, framework: Framework, day: Callable[[str], date], findings: Findings
) -> dict[PersonId, tuple[Participation, ...]]:
    """Read training.csv; what is wrong with it goes to ``findings``.

    Args:
        table: its cells.
        roll: who is in people.csv.
        framework: whose indicators they are.
        day: reads a date.
        findings: what is wrong is added to them.

    Returns:
        The participations of each person that stand on sound rows, by day, activity and role.
    """
    columns = _parse(table, roll, framework, day)
    check = RowCheck(table, columns.person_id, roll.persons_meant, findings)
    check.reject_misfits(roll.persons_in)
    check.reject_cells(columns.all)
    check.reject_unknown_persons(roll.known)
    check.warn_of_lost_zeros()
    _reject_reversed_dates(columns, check)
    _reject_contradictions(table, columns, check, findings)
    _reject_spellings(table, columns, check, findings)
    return _participations(columns, np.flatnonzero(check.sound))


def _parse(table: Table, roll: Roll, framework: Framework, day: Callable[[str], date]) -> _Columns:
    return _Columns(
        person_id=parse_column(table, "person_id", roll.read_id),
        activity_id=parse_column(table, "activity_id", cells.parse_code),
        title=parse_column(table, "title", cells.parse_title),
        modality=parse_column(table, "modality", cells.parse_modality),
        hours=parse_column(table, "hours", cells.parse_hours),
        start_date=parse_column(table, "start_date", day),
        end_date=parse_column(table, "end_date", day),
        completed_on=parse_column(table, "completed_on", day),
        role=parse_column(table, "role", cells.parse_role),
        origin=parse_column(table, "origin", cells.parse_origin),
        indicators=parse_column(table, "indicators", cells.indicators_parser(framework)),
    )


def _reject_reversed_dates(columns: _Columns, check: RowCheck) -> None:
    start = value_order(columns.start_date, date.toordinal)
    for later in (columns.end_date, columns.completed_on):
        order = value_order(later, date.toordinal)
        reversed_rows = np.flatnonzero((start != NO_VALUE) & (order != NO_VALUE) & (order < start))
        check.reject_rows(
            reversed_rows, later, lambda row: f"is before the start_date, {columns.start_date.value(row)}"
        )


def _reject_contradictions(table: Table, columns: _Columns, check: RowCheck, findings: Findings) -> None:
    """Hold everybody named on any row of an activity that says two different things of itself."""
    activity_of = columns.activity_id.value_of
    contradictions: dict[int, list[Problem]] = {}
    for fact in columns.facts:
        readable = np.flatnonzero((activity_of != NO_VALUE) & (fact.value_of != NO_VALUE))
        place_of_first = first_places(activity_of[readable])
        first_row_of = readable[place_of_first[activity_of[readable]]]  # the first on which the activity stands
        contrary = readable[fact.value_of[readable] != fact.value_of[first_row_of]]
        for row in np.sort(distinct_rows([activity_of, fact.value_of], contrary)[0]).tolist():
            activity = int(activity_of[row])
            first = int(readable[place_of_first[activity]])
            message = (
                f"The {fact.name} of the activity {shown(columns.activity_id.value(row))} is "
                f"'{shown(fact.text(row))}' here, but '{shown(fact.text(first))}' on line {check.line(first)}. "
                "Which is right is for the registry to say; until then everybody on any row of it is held."
            )
            problem = Problem(table.file, check.line(row), fact.name, shown(fact.text(row)), message)
            contradictions.setdefault(activity, []).append(problem)
    persons = _persons_on(columns, check, contradictions)
    for activity, problems in contradictions.items():
        for problem in problems:
            findings.reject(problem, persons[activity])


def _reject_spellings(table: Table, columns: _Columns, check: RowCheck, findings: Findings) -> None:
    """Hold everybody on activities whose ids look alike: their hours would count twice where they are one activity."""
    first_row_of = _first_rows(columns)
    spellings: dict[str, list[int]] = {}
    for activity, name in enumerate(columns.activity_id.values):
        spellings.setdefault(cells.comparable_code(name), []).append(activity)
    alike = {first: others for first, *others in spellings.values() if others}
    persons = _persons_on(columns, check, {one for first, others in alike.items() for one in (first, *others)})
    for first, others in alike.items():
        first_row = int(first_row_of[first])
        for other in others:
            row = int(first_row_of[other])
            value = shown(columns.activity_id.text(row))
            message = (
                f"The activity is called '{value}' here, but '{shown(columns.activity_id.text(first_row))}' on line "
                f"{check.line(first_row)}, which looks alike. Whether they are one is for the registry to say; until "
                "then everybody on any row of them is held."
            )
            problem = Problem(table.file, check.line(row), columns.activity_id.name, value, message)
            findings.reject(problem, {**persons[first], **persons[other]})


def _first_rows(columns: _Columns) -> Positions:
    """The first row of each activity, sound or not."""
    named = np.flatnonzero(columns.activity_id.value_of != NO_VALUE)
    return named[first_places(columns.activity_id.value_of[named])]


def _persons_on(columns: _Columns, check: RowCheck, activities: Iterable[int]) -> dict[int, dict[str, None]]:
    """Everybody whom a row of an activity names, or may name."""
    activity_of = columns.activity_id.value_of
    persons: dict[int, dict[str, None]] = {activity: {} for activity in activities}
    for row in np.flatnonzero(np.isin(activity_of, list(persons))).tolist() if persons else ():
        persons[int(activity_of[row])].update(dict.fromkeys(check.persons(row)))
    return persons


def _participations(columns: _Columns, rows: Positions) -> dict[PersonId, tuple[Participation, ...]]:
    activities = _activities(columns, rows)
    # in the order in which a person's participations are to stand
    keys = [ranks(columns.completed_on, date.toordinal), ranks(columns.activity_id, str), ranks(columns.role, str)]
    distinct, item_of_row = distinct_rows(keys, rows)
    items = [
        Participation(activities[activity], role, completed_on)
        for activity, role, completed_on in zip(
            columns.activity_id.value_of[distinct].tolist(),
            columns.role.values_at(distinct),
            columns.completed_on.values_at(distinct),
            strict=True,
        )
    ]
    grouped = group_by_person(columns.person_id.value_of[rows], item_of_row, items)
    return {columns.person_id.values[person]: participations for person, participations in grouped.items()}


def _activities(columns: _Columns, rows: Positions) -> dict[int, Activity]:
    """Each activity once, by its number; of several titles the one that stands highest in the file."""
    title_row = _first_rows(columns)
    activities = {}
    for row in distinct_rows([columns.activity_id.value_of], rows)[0].tolist():
        number = int(columns.activity_id.value_of[row])
        activities[number] = Activity(
            activity_id=ActivityId(columns.activity_id.value(row)),
            title=columns.title.value(title_row[number]),
            modality=columns.modality.value(row),
            hours=columns.hours.value(row),
            start_date=columns.start_date.value(row),
            end_date=columns.end_date.value(row),
            origin=columns.origin.value(row),
            indicators=columns.indicators.value(row),
        )
    return activities
