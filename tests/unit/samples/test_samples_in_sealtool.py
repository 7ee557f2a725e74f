"""The samples read and decided by sealtool: what was planted is found, and every story ends as it is told."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sealtool.accreditation import Rules, decide, load_rules
from sealtool.model import Decision, Level, Registry
from sealtool.registry import RegistryOptions, read_registry

SAMPLES = Path(__file__).parents[3] / "samples"
TODAY = date(2026, 7, 1)
STORIES: list[dict[str, Any]] = tomllib.loads((SAMPLES / "fiction" / "stories.toml").read_text(encoding="utf-8"))[
    "person"
]


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(on=TODAY)


@pytest.fixture(scope="module")
def big(rules: Rules) -> Registry:
    return read_registry(SAMPLES / "registry", RegistryOptions(), rules.framework, today=TODAY)


@pytest.fixture(scope="module")
def small(rules: Rules) -> Registry:
    return read_registry(SAMPLES / "registry-small", RegistryOptions(), rules.framework, today=TODAY)


def as_told(decision: Decision) -> str:
    area = f".{int(decision.area)}" if decision.area else ""
    return f"{decision.level}{area} {decision.accredited_on}"


def test_every_planted_fault_is_found_where_it_stands_and_no_other(remade: Any, big: Registry) -> None:
    found = {(problem.file, problem.line, problem.column) for problem in big.problems}
    assert found == {(fault["file"], fault["line"], fault["column"]) for fault in remade.faults}


def test_exactly_those_whom_a_planted_fault_names_are_held(remade: Any, big: Registry) -> None:
    assert set(big.held) == {person_id for fault in remade.faults for person_id in fault["holds"]}


def test_b1_goes_to_exactly_those_who_complete_it_by_an_independent_count(
    complete_at_b1: set[str], big: Registry, rules: Rules
) -> None:
    assert {person_id for person_id, record in big.records.items() if decide(record, rules, [Level.B1])} == (
        complete_at_b1
    )


@pytest.mark.parametrize("level", list(Level))
def test_every_level_is_obtained_by_somebody(big: Registry, rules: Rules, level: Level) -> None:
    assert any(decide(record, rules, [level]) for record in big.records.values())


@pytest.mark.parametrize("story", STORIES, ids=[story["name"][0] for story in STORIES])
def test_story_of_the_small_export_ends_as_it_is_told(story: dict[str, Any], small: Registry, rules: Rules) -> None:
    person_id = story["name"][0]
    record = small.records.get(person_id)
    obtained = [as_told(decision) for decision in decide(record, rules, list(Level))] if record else []
    assert obtained == story["expected"]
    assert (person_id in small.held) == ("held_by" in story) == (record is None)
