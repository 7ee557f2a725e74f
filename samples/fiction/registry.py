"""The big export: people, careers and faults put together, person after person."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiction.careers import MEAN_PARTICIPATIONS, Careers
from fiction.catalogue import make_catalogue
from fiction.dice import Dice
from fiction.export import Export
from fiction.faults import FaultPlanter, PlantedFault
from fiction.people import People
from fiction.rows import GrantRows, TrainingRows

_WORDS = Path(__file__).with_name("words.toml")
_PARTICIPATIONS_AN_ACTIVITY = 28
_MOST_ACTIVITIES = 20_000
"""Keeps memory bounded, however big the export."""
_PEOPLE_A_ROUND_OF_FAULTS = 20_000
_IDENTICAL_ROWS_EVERY = 900
"""Now and then an export says the same thing twice; that leaves no doubt."""


@dataclass(frozen=True, slots=True)
class Size:
    """How big the export became, headers and blank lines not counted."""

    people: int
    participations: int
    grants: int


def write_registry(
    folder: Path, *, seed: int, people: int, participations: int | None, faults: bool
) -> tuple[Size, list[PlantedFault]]:
    """Write a big export into the folder; the same arguments always give the same bytes.

    Args:
        folder: made when it is not there.
        seed: what everything depends on.
        people: rows of people.csv, but for those written twice.
        participations: about how many rows of training.csv; None for the usual number.
        faults: whether to plant broken rows (only where there are people enough to bear them).
    """
    words: Mapping[str, Any] = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    dice = Dice(seed)
    expected = people * MEAN_PARTICIPATIONS if participations is None else participations
    catalogue = make_catalogue(words, dice, min(_MOST_ACTIVITIES, int(expected / _PARTICIPATIONS_AN_ACTIVITY)))
    crowd = People(words["names"], dice, people)
    careers = Careers(catalogue, dice, expected / people)
    rows = grants = 0
    with Export(folder) as export:
        rounds = max(1, people // _PEOPLE_A_ROUND_OF_FAULTS) if faults else 0
        planter = FaultPlanter(export, people, rounds)
        training, granted = TrainingRows(export.training, dice), GrantRows(export.accreditations, dice)
        for index in range(people):
            person, fault = crowd.next(), planter.fault_of(index)
            planter.write_person(person, fault)
            if not planter.keeps_other_rows(fault):
                continue
            if fault is None and index % _IDENTICAL_ROWS_EVERY == _IDENTICAL_ROWS_EVERY - 1:
                export.people.write_row(person.row)
            for participation in careers.participations():
                training.write(person.person_id, participation)
                rows += 1
            for grant in careers.grants():
                granted.write(person.person_id, grant)
                grants += 1
            planter.write_other_rows(person, fault)
        export.people.write_line("")
        export.people.write_line("")
        export.accreditations.write_line("")
    return Size(people, rows, grants), planter.planted
