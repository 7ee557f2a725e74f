"""Participations, and the activities they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sealtool.model import Role

if TYPE_CHECKING:
    from tests.unit.registry.conftest import Export

ANA, BIEL, CLARA = "10000000Z", "10000001S", "10000002Q"
OTHER = {
    "hours": "31",
    "start_date": "2024-01-11",
    "end_date": "2024-03-11",
    "modality": "seminar",
    "origin": "recognised",
    "indicators": "2.1.B1.2",
}


def test_participations_in_one_activity_share_it(export: Export) -> None:
    records = export.read().records
    assert records[ANA].participations[0].activity is records[BIEL].participations[0].activity


def test_every_role_is_kept(export: Export) -> None:
    participations = export.participation(role="trainer").read().records[ANA].participations
    assert [p.role for p in participations] == [Role.PARTICIPANT, Role.TRAINER]


def test_identical_participations_are_harmless(export: Export) -> None:
    before = export.read().records
    registry = export.participation().read()
    assert (registry.records, registry.problems) == (before, ())


def test_identical_grants_are_harmless(export: Export) -> None:
    before = export.read().records
    assert export.grant().read().records == before


def test_participations_are_in_order_of_day_activity_and_role(export: Export) -> None:
    export.rows.pop("training.csv")
    for day, activity, role in [
        ("2024-04-02", "A", "trainer"),
        ("2024-04-01", "B", "participant"),
        ("2024-04-01", "A", "trainer"),
        ("2024-04-01", "A", "coordinator"),
    ]:
        export.participation(completed_on=day, activity_id=activity, role=role)
    keys = [(p.completed_on, p.activity.activity_id, p.role) for p in export.read().records[ANA].participations]
    assert keys == sorted(keys)


def test_grants_are_in_order_of_day(export: Export) -> None:
    grants = export.grant(granted_on="2024-04-30").read().records[ANA].grants
    assert [str(g.granted_on) for g in grants] == ["2024-04-30", "2024-05-01"]


def test_a_different_title_is_harmless_and_the_highest_in_the_file_is_kept(export: Export) -> None:
    registry = export.person(CLARA).participation(CLARA, title="Un altre títol").read()
    assert registry.problems == ()
    assert registry.records[CLARA].participations[0].activity.title == "Aula digital"


@pytest.mark.parametrize("column", OTHER)
def test_an_activity_that_contradicts_itself_holds_all_whom_it_names(export: Export, column: str) -> None:
    export.person(CLARA).participation(CLARA, activity_id="ACT-2")
    export.person("10000003V").participation("10000003V", **{column: OTHER[column]})
    registry = export.read()
    (problem,) = registry.problems
    assert (problem.line, problem.column, problem.value) == (5, column, OTHER[column])
    assert "on line 2" in problem.message
    assert set(registry.held) == {ANA, BIEL, "10000003V"}
    assert list(registry.records) == [CLARA]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("hours", "30,00"),
        ("start_date", "10/01/2024"),
        ("modality", "Curs"),
        ("indicators", "3.1.A2.1 2.1.B1.2 2.1.B1.2"),
    ],
)
def test_another_notation_of_the_same_fact_is_no_contradiction(export: Export, column: str, text: str) -> None:
    assert export.participation(role="trainer", **{column: text}).read().problems == ()


def test_each_deviating_value_is_reported_once_where_it_first_stands(export: Export) -> None:
    for hours in ("31", "31", "30", "32"):
        export.participation(role="trainer", hours=hours)
    assert [(p.line, p.value) for p in export.read().problems] == [(4, "31"), (7, "32")]


def test_a_row_rejected_for_something_else_contradicts_all_the_same(export: Export) -> None:
    export.person(CLARA).participation(CLARA, hours="31", role="x")
    registry = export.read()
    assert [p.column for p in registry.problems] == ["hours", "role"]
    assert set(registry.held) == {ANA, BIEL, CLARA}


def test_a_row_whose_cell_cannot_be_read_contradicts_nobody(export: Export) -> None:
    registry = export.person(CLARA).participation(CLARA, hours="x").read()
    assert set(registry.held) == {CLARA}


def test_a_start_in_the_future_contradicts_all_the_same(export: Export) -> None:
    registry = export.person(CLARA).participation(CLARA, start_date="2027-01-01").read()
    assert set(registry.held) == {ANA, BIEL, CLARA}


def test_a_contradiction_holds_whom_a_broken_id_on_its_rows_may_mean(export: Export) -> None:
    export.person(CLARA).participation("10000002A", hours="31")
    registry = export.read()
    assert len(registry.held[CLARA]) == 2


@pytest.mark.parametrize("spelled", ["Mo\u0300D 1", "mòd 1", "MÒD\u00a01", "MÒD  1"])
def test_two_activities_whose_ids_look_alike_hold_all_whom_they_name(export: Export, spelled: str) -> None:
    export.participation(activity_id="MÒD 1").participation(BIEL, activity_id=spelled)
    registry = export.person(CLARA).participation(CLARA, activity_id="OTHER").read()
    (problem,) = registry.problems
    assert (problem.line, problem.column) == (5, "activity_id")
    assert "on line 4, which looks alike" in problem.message
    assert list(registry.held) == [ANA, BIEL]


@pytest.mark.parametrize(
    ("code", "other", "look_alike"),
    [
        ("000123", "123", True),
        ("24-1", "24\u20131", True),
        ("24-1", "24\u22121", True),
        ("000123", "0001230", False),
        ("24-10", "24-1", False),
        ("MÒD 01", "MÒD 1", False),
    ],
)
def test_zeros_that_a_spreadsheet_takes_away_and_other_dashes_make_no_other_activity(
    export: Export, code: str, other: str, *, look_alike: bool
) -> None:
    export.participation(activity_id=code).participation(role="coordinator", activity_id=other)
    assert (list(export.read().held) == [ANA]) is look_alike
