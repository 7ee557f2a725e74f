"""The law as cases: every file of tests/cases, read as tests/cases/README.md says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest

from sealtool.accreditation import assess, explain, load_rules, render_text
from sealtool.model import (
    Activity,
    ActivityId,
    Area,
    Assessment,
    DirectGrant,
    Indicator,
    Level,
    Modality,
    Origin,
    Participation,
    Person,
    PersonId,
    PersonRecord,
    Procedure,
    Role,
)

CASES = Path(__file__).parents[2] / "cases"
RULES = load_rules("2025-10-27", on=date(2025, 12, 1))
SOMEBODY = Person(PersonId("00000000T"), "Maria Antònia", "de sa Torre", "Coll")
LEFT_OUT_OF_AN_ACTIVITY = {
    "modality": "course",
    "origin": "organised",
    "starts": date(2024, 1, 10),
    "completed": date(2024, 3, 1),
    "role": "participant",
}

Case = dict


def read_cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("annex-*.toml")):
        for number, case in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["case"], start=1):
            yield {"activities": [], "grants": [], **case, "name": f"{path.stem}-{number}"}


ALL_CASES = list(read_cases())


def indicator(code: str) -> Indicator:
    area, competence, level, number = code.split(".")
    return Indicator(Area(int(area)), int(competence), Level(level), int(number))


def participation(row: dict) -> Participation:
    facts = LEFT_OUT_OF_AN_ACTIVITY | row
    assert set(row) <= {"id", "hours", "indicators", *LEFT_OUT_OF_AN_ACTIVITY}
    activity = Activity(
        ActivityId(facts["id"]),
        "Curs",
        Modality(facts["modality"]),
        Decimal(facts["hours"]),
        facts["starts"],
        facts["completed"],
        Origin(facts["origin"]),
        frozenset(indicator(code) for code in facts["indicators"].split()),
    )
    return Participation(activity, Role(facts["role"]), facts["completed"])


def grant(row: dict) -> DirectGrant:
    assert set(row) <= {"level", "area", "procedure", "on", "reference"}
    area = Area(row["area"]) if "area" in row else None
    return DirectGrant(Level(row["level"]), area, Procedure(row["procedure"]), row["on"], row.get("reference", ""))


def record_of(case: Case) -> PersonRecord:
    return PersonRecord(
        SOMEBODY,
        tuple(participation(row) for row in case["activities"]),
        tuple(grant(row) for row in case["grants"]),
    )


def accredited(assessment: Assessment) -> object:
    """What `accredited` says in a case: a day, false, or at C2 a table of area and day."""
    if assessment.level is Level.C2:
        return {str(int(each.area)): each.accredited_on for each in assessment.decisions}
    return assessment.decisions[0].accredited_on if assessment.decisions else False


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case["name"])
def test_the_law_decides_each_case_as_its_file_says(case: Case) -> None:
    level, outcome = Level(case["level"]), case["outcome"]
    assert set(outcome) <= {"accredited", "areas", "dates", "procedures", "evidence", "says"}

    assessment = assess(record_of(case), RULES, level)

    assert accredited(assessment) == outcome["accredited"], case["sentence"]
    held = {int(area.area): area for area in assessment.areas}
    assert list(held) == outcome.get("areas", list(held)), case["sentence"]
    for area, day in outcome.get("dates", {}).items():
        assert held[int(area)].covered_on == day
    for area, evidence in outcome.get("evidence", {}).items():
        assert held[int(area)].evidence == tuple(evidence)
    if "procedures" in outcome:
        assert [each.value for each in assessment.decisions[0].procedures] == outcome["procedures"]
    text = render_text(explain(record_of(case), RULES, level))
    for said in outcome.get("says", ()):
        assert said in text


def facts_that_differ(one: Case, other: Case) -> list[str]:
    """The facts in which two cases differ: a field of a row, or a whole row that only one of them has."""
    differing = ["level"] if one["level"] != other["level"] else []
    for table in ("activities", "grants"):
        more, fewer = sorted((one[table], other[table]), key=len, reverse=True)
        if len(more) > len(fewer):
            assert all(row in more for row in fewer), f"{one['name']}: the rows they share must be the same"
            differing += [f"a row of {table}"] * (len(more) - len(fewer))
            continue
        for row, twin in zip(more, fewer, strict=True):
            differing += [f"{table}.{key}" for key in {*row, *twin} if row.get(key) != twin.get(key)]
    return differing


PAIRS = {
    name: list(cases)
    for name, cases in groupby([case for case in ALL_CASES if "pair" in case], key=lambda case: case["pair"])
}


@pytest.mark.parametrize("pair", PAIRS)
def test_the_cases_of_a_pair_differ_in_one_fact_and_in_the_outcome(pair: str) -> None:
    one, other = PAIRS[pair]

    assert len(facts_that_differ(one, other)) == 1
    assert {key: one["outcome"].get(key) for key in other["outcome"]} != other["outcome"]


HOURS_TABLE = tomllib.loads((CASES / "hours-table.toml").read_text(encoding="utf-8"))["hours_for_areas"]
CELLS = [(level, int(areas), hours) for level, row in HOURS_TABLE.items() for areas, hours in row.items()]


def areas_accredited_by(hours: Decimal, level: str) -> int:
    codes = " ".join(f"{area}.1.{level}.1" for area in range(1, 7))
    record = PersonRecord(SOMEBODY, (participation({"id": "ACT-1", "hours": hours, "indicators": codes}),))
    return len(assess(record, RULES, Level(level)).areas)


@pytest.mark.parametrize(("level", "areas", "hours"), CELLS)
def test_the_hours_of_each_cell_are_just_enough(level: str, areas: int, hours: str) -> None:
    assert areas_accredited_by(Decimal(hours), level) == areas


@pytest.mark.parametrize("less", ["1", "0.01"])
@pytest.mark.parametrize(("level", "areas", "hours"), CELLS)
def test_activity_one_hour_short_covers_one_area_less(level: str, areas: int, hours: str, less: str) -> None:
    assert areas_accredited_by(Decimal(hours) - Decimal(less), level) == areas - 1


def test_the_table_has_six_areas_for_each_level_that_training_gives() -> None:
    assert {level: [int(areas) for areas in row] for level, row in HOURS_TABLE.items()} == {
        level: [1, 2, 3, 4, 5, 6] for level in ("A1", "A2", "B1", "B2")
    }


def sums_of_hours(row: list[Decimal], areas: int) -> list[Decimal]:
    """The hours in all of every way to serve that many areas with activities of just enough hours each."""
    if areas == 0:
        return [Decimal(0)]
    return [row[n - 1] + rest for n in range(1, areas + 1) for rest in sums_of_hours(row, areas - n)]


@pytest.mark.parametrize(("level", "total"), [("A1", 40), ("A2", 50), ("B1", 60), ("B2", 70)])
def test_the_table_of_annex_3_never_gives_a_level_below_the_total_hours_of_annex_2(level: str, total: int) -> None:
    row = [Decimal(hours) for hours in HOURS_TABLE[level].values()]

    assert min(sums_of_hours(row, 6)) == total
