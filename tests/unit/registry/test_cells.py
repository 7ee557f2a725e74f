"""What each cell of training.csv and accreditations.csv may say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sealtool.model import Area, Level, Modality, Origin, Procedure, Role

if TYPE_CHECKING:
    from tests.unit.registry.conftest import Export

ANA, BIEL, NIE = "10000000Z", "10000001S", "X1234567L"


def _only(export: Export, **cells: str) -> Export:
    export.rows.pop("training.csv")
    return export.participation(**cells)


def _granted(export: Export, **cells: str) -> Export:
    export.rows.pop("accreditations.csv")
    return export.grant(**cells)


# --- dates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2024-03-20", "20/03/2024", "20/3/2024", " 2024-03-20 "])
def test_both_forms_of_a_date_are_read(export: Export, text: str) -> None:
    (participation,) = _only(export, completed_on=text).read().records[ANA].participations
    assert participation.completed_on == date(2024, 3, 20)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "20-03-2024",
            "2024/03/20",
            "2024-3-20",
            "20.03.2024",
            "20/03/24",
            "2024-03-20 00:00",
            "45371",
            "20240320",
        ),
        *(
            "2024-02-30",
            "31/04/2024",
            "2023-02-29",
            "2024-13-01",
            "0000-01-01",
            "0024-03-20",
            "1949-12-31",
            "٢٠٢٤-٠٣-٢٠",
        ),
    ],
)
@pytest.mark.parametrize("column", ["start_date", "end_date", "completed_on"])
def test_any_other_date_is_a_problem(export: Export, column: str, text: str) -> None:
    problem = _only(export, **{column: text}).problem()
    assert (problem.file, problem.line, problem.column, problem.value) == ("training.csv", 2, column, text)


def test_the_twenty_ninth_of_february_is_a_day_in_leap_years(export: Export) -> None:
    assert _only(export, completed_on="29/02/2024").read().problems == ()


def test_a_file_that_writes_the_month_first_leaves_all_its_dates_with_slashes_in_doubt(export: Export) -> None:
    export.grant(granted_on="03/27/2025").grant(BIEL, granted_on="03/04/2025")
    registry = export.person(NIE).grant(NIE, granted_on="2025-03-04").grant(NIE, granted_on="04/04/2025").read()
    assert list(registry.held) == [ANA, BIEL]
    assert "'03/27/2025'" in registry.problems[1].message


def test_a_slip_leaves_no_other_date_in_doubt_where_the_file_writes_the_day_first(export: Export) -> None:
    export.grant(granted_on="03/27/2025").grant(BIEL, granted_on="03/04/2025")
    registry = export.person(NIE).grant(NIE, granted_on="27/03/2025").read()
    assert list(registry.held) == [ANA]


def test_the_dates_of_one_file_leave_those_of_the_other_in_doubt(export: Export) -> None:
    registry = _only(export, completed_on="03/27/2025").grant(BIEL, granted_on="03/04/2025").read()
    assert list(registry.held) == [ANA, BIEL]
    assert [problem.file for problem in registry.problems if "'03/27/2025'" in problem.message][
        -1
    ] == "accreditations.csv"


def test_a_file_that_writes_the_day_first_is_in_no_doubt_because_of_the_other(export: Export) -> None:
    _only(export, completed_on="03/27/2025").grant(BIEL, granted_on="03/04/2025")
    assert list(export.grant(BIEL, granted_on="27/03/2025").read().held) == [ANA]


def test_a_file_that_writes_the_month_first_is_in_doubt_whatever_the_other_writes(export: Export) -> None:
    _only(export, completed_on="27/03/2025").grant(BIEL, granted_on="03/04/2025")
    assert list(export.grant(ANA, granted_on="03/27/2025").read().held) == [ANA, BIEL]


def test_the_earliest_year_is_accepted(export: Export) -> None:
    assert _granted(export, granted_on="1950-01-01").read().problems == ()


@pytest.mark.parametrize("column", ["start_date", "end_date", "completed_on"])
def test_today_is_accepted_in_every_date(export: Export, column: str) -> None:
    days = {"end_date": "2026-11-22", "completed_on": "2026-11-22", column: "2026-11-22"}
    assert _only(export, **days).read().problems == ()


@pytest.mark.parametrize("column", ["end_date", "completed_on"])
def test_tomorrow_is_a_problem(export: Export, column: str) -> None:
    problem = _only(export, **{column: "2026-11-23"}).problem()
    assert (problem.column, "in the future" in problem.message) == (column, True)


def test_a_start_in_the_future_is_a_problem(export: Export) -> None:
    problems = _only(export, start_date="2026-11-23").read().problems
    assert [(p.column, "in the future" in p.message) for p in problems][-1] == ("start_date", True)


def test_a_grant_in_the_future_is_a_problem(export: Export) -> None:
    assert _granted(export, granted_on="2026-11-23").problem().column == "granted_on"
    assert _granted(export, granted_on="2026-11-22").read().problems == ()


@pytest.mark.parametrize("column", ["end_date", "completed_on"])
def test_a_day_before_the_start_is_a_problem(export: Export, column: str) -> None:
    problem = _only(export, **{column: "2024-01-09"}).problem()
    assert (problem.column, problem.message.startswith("This is before the start_date, 2024-01-10")) == (
        column,
        True,
    )


@pytest.mark.parametrize("column", ["end_date", "completed_on"])
def test_the_day_of_the_start_is_accepted(export: Export, column: str) -> None:
    assert _only(export, **{column: "2024-01-10"}).read().problems == ()


# --- hours ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("7.5", "7.5"),
        ("7,5", "7.5"),
        ("7,50", "7.5"),
        ("40", "40"),
        ("0.01", "0.01"),
        ("9999.99", "9999.99"),
        ("007", "7"),
    ],
)
def test_hours_are_read_in_one_notation(export: Export, text: str, hours: str) -> None:
    (participation,) = _only(export, hours=text).read().records[ANA].participations
    assert (participation.activity.hours, str(participation.activity.hours)) == (Decimal(hours), hours)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "0",
        "0,00",
        "-3",
        "+3",
        "1e3",
        "nan",
        "inf",
        "1.000",
        "1.000,5",
        "10000",
        "7.555",
        "7.",
        ".5",
        "7 h",
        "٧",
        "1_0",
    ],
)
def test_anything_else_is_no_number_of_hours(export: Export, text: str) -> None:
    assert _only(export, hours=text).problem().column == "hours"


# --- indicators -------------------------------------------------------------------------------


def test_indicators_are_read_and_repeated_ones_are_harmless(export: Export) -> None:
    (participation,) = _only(export, indicators="2.1.B1.2  2.1.B1.2 6.5.C2.99").read().records[ANA].participations
    assert sorted(map(str, participation.activity.indicators)) == ["2.1.B1.2", "6.5.C2.99"]


def test_indicators_may_be_empty(export: Export) -> None:
    (participation,) = _only(export, indicators=" ").read().records[ANA].participations
    assert participation.activity.indicators == frozenset()


@pytest.mark.parametrize("code", ["1.5.A1.1", "2.3.A1.1", "3.4.A1.1", "4.3.A1.1", "5.3.A1.1", "6.5.A1.1"])
def test_the_last_competence_of_each_area_is_accepted(export: Export, code: str) -> None:
    assert _only(export, indicators=code).read().problems == ()


@pytest.mark.parametrize("code", ["1.6.A1.1", "2.4.A1.1", "3.5.A1.1", "4.4.A1.1", "5.4.A1.1", "6.6.A1.1"])
def test_one_competence_more_is_a_problem(export: Export, code: str) -> None:
    problem = _only(export, indicators=f"1.1.A1.1 {code}").problem()
    assert (problem.column, "competences" in problem.message) == ("indicators", True)


@pytest.mark.parametrize(
    "code",
    [
        "7.1.A1.1",
        "0.1.A1.1",
        "1.0.A1.1",
        "1.1.A3.1",
        "1.1.D1.1",
        "1.1.a1.1",
        "1.1.A1",
        "1.1.A1.0",
        "1.1.A1.100",
        "1.1.A1.01",
        "x",
    ],
)
def test_a_code_outside_the_grid_is_a_problem(export: Export, code: str) -> None:
    assert code in _only(export, indicators=f"2.1.B1.2 {code}").problem().message


def test_indicators_separated_by_commas_are_a_problem(export: Export) -> None:
    assert _only(export, indicators="2.1.B1.2,2.1.B1.3").problem().column == "indicators"


# --- words ------------------------------------------------------------------------------------

MODALITIES = {
    "course": "course curs curso",
    "seminar": "seminar seminari seminario",
    "workshop": "workshop taller",
    "working_group": "working_group grup·de·treball grupo·de·trabajo",
    "project": "project projecte proyecto",
    "congress": "congress congrés congreso",
    "conference_day": "conference_day jornada",
    "one_off": "one_off puntual",
}
ROLES = {
    "participant": "participant participante",
    "coordinator": "coordinator coordinador coordinadora",
    "trainer": "trainer formador formadora ponent ponente",
}
ORIGINS = {
    "organised": "organised organitzada organizada",
    "homologated": "homologated homologada",
    "recognised": "recognised reconeguda reconocida",
}
PROCEDURES = {
    "test": "test prova prueba",
    "degree": "degree titulació titulación",
    "observation": "observation observació observación",
    "evidence": "evidence evidències evidencias",
    "external": "external externa",
}


def _each(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(text.replace("·", " "), word) for word, texts in words.items() for text in texts.split()]


@pytest.mark.parametrize(("text", "word"), [*_each(MODALITIES), (" CURS ", "course"), ("Congre\u0301s", "congress")])
def test_modalities_may_be_catalan_or_spanish(export: Export, text: str, word: str) -> None:
    (participation,) = _only(export, modality=text).read().records[ANA].participations
    assert participation.activity.modality is Modality(word)


@pytest.mark.parametrize(("text", "word"), _each(ROLES))
def test_roles_may_be_catalan_or_spanish(export: Export, text: str, word: str) -> None:
    (participation,) = _only(export, role=text.title()).read().records[ANA].participations
    assert participation.role is Role(word)


@pytest.mark.parametrize(("text", "word"), _each(ORIGINS))
def test_origins_may_be_catalan_or_spanish(export: Export, text: str, word: str) -> None:
    (participation,) = _only(export, origin=text).read().records[ANA].participations
    assert participation.activity.origin is Origin(word)


@pytest.mark.parametrize(("text", "word"), _each(PROCEDURES))
def test_procedures_may_be_catalan_or_spanish(export: Export, text: str, word: str) -> None:
    level = {"degree": "A1", "evidence": "C1"}.get(word, "B1")
    (grant,) = _granted(export, level=level, procedure=text).read().records[ANA].grants
    assert grant.procedure is Procedure(word)


@pytest.mark.parametrize("column", ["modality", "role", "origin"])
@pytest.mark.parametrize("text", ["", "cur", "something", "course course"])
def test_any_other_word_is_a_problem(export: Export, column: str, text: str) -> None:
    problem = _only(export, **{column: text}).problem()
    assert (problem.column, problem.value) == (column, text)


def test_an_empty_activity_id_is_a_problem(export: Export) -> None:
    assert _only(export, activity_id=" ").problem().column == "activity_id"


def test_control_characters_in_an_activity_id_are_a_problem(export: Export) -> None:
    problem = _only(export, activity_id="ACT\x1b[2J").problem()
    assert (problem.column, problem.value) == ("activity_id", "ACT\\x1b[2J")


# --- grants -----------------------------------------------------------------------------------


def test_a_grant_is_read(export: Export) -> None:
    (grant,) = export.read().records[ANA].grants
    assert (grant.level, grant.area, grant.procedure, grant.granted_on, grant.reference) == (
        Level.B1,
        Area.DIGITAL_CONTENT,
        Procedure.TEST,
        date(2024, 5, 1),
        "EXP-1",
    )


def test_an_empty_area_stands_for_all_six(export: Export) -> None:
    assert _granted(export, area="").read().records[ANA].grants[0].area is None


@pytest.mark.parametrize("text", ["1", "6"])
def test_areas_one_to_six_are_accepted(export: Export, text: str) -> None:
    assert _granted(export, area=text).read().records[ANA].grants[0].area == int(text)


@pytest.mark.parametrize("text", ["0", "7", "1.0", "all", "١", "1,2"])
def test_any_other_area_is_a_problem(export: Export, text: str) -> None:
    assert _granted(export, area=text).problem().column == "area"


@pytest.mark.parametrize(
    ("level", "procedure"), [("A1", "observation"), ("B1", "degree"), ("C1", "test"), ("C2", "test")]
)
def test_a_procedure_by_which_the_level_cannot_be_granted_is_a_problem(
    export: Export, level: str, procedure: str
) -> None:
    problem = _granted(export, level=level, procedure=procedure).problem()
    assert (problem.column, problem.value) == ("procedure", procedure)


def test_training_is_not_granted(export: Export) -> None:
    assert _granted(export, procedure="training").problem().column == "procedure"


@pytest.mark.parametrize("level", ["", "B3", "B 1", "nivell"])
def test_an_unknown_level_is_a_problem(export: Export, level: str) -> None:
    assert _granted(export, level=level).problem().column == "level"


def test_the_highest_level_needs_an_area(export: Export) -> None:
    assert _granted(export, level="C2", procedure="evidence", area="").problem().column == "area"


def test_the_highest_level_with_an_area_is_accepted(export: Export) -> None:
    assert _granted(export, level="c2", procedure="evidence", area="3").read().problems == ()


def test_a_level_accredited_as_a_whole_needs_no_area(export: Export) -> None:
    assert _granted(export, level="C1", procedure="evidence", area="").read().problems == ()


# --- rows -------------------------------------------------------------------------------------


def test_every_broken_cell_of_a_row_is_reported(export: Export) -> None:
    _only(export, hours="abc", role="x", completed_on="never", indicators="9")
    assert [p.column for p in export.read().problems] == ["completed_on", "hours", "indicators", "role"]


def test_a_bad_row_holds_its_person_and_nobody_else(export: Export) -> None:
    registry = export.participation(hours="abc", activity_id="ACT-2").read()
    assert (dict(registry.held), list(registry.records)) == ({ANA: (0,)}, ["10000001S"])


@pytest.mark.parametrize("row", ["10000000Z;ACT-9", "10000000Z;ACT-9;t;course;30;;;;;;;;;x"])
def test_a_row_with_a_wrong_number_of_cells_is_one_problem(export: Export, row: str) -> None:
    registry = export.append("training.csv", row).read()
    (problem,) = registry.problems
    assert (problem.line, problem.column, list(registry.held)) == (4, "", [ANA])
    assert problem.message == f"The row has {row.count(';') + 1} where the header has 11 cells."


@pytest.mark.parametrize("row", ["x;10000000-z;ACT-9", "10000000Z,ACT-9,t", "extra;;;;;;;;;;;;10.000.000 Z"])
def test_an_id_that_slipped_out_of_its_column_holds_its_person(export: Export, row: str) -> None:
    registry = export.append("training.csv", row).read()
    assert ANA in registry.held
    assert list(registry.records) == ["10000001S"]


def test_an_id_without_its_zeros_that_slipped_out_of_its_column_holds_its_person(export: Export) -> None:
    registry = export.person("01234567L").append("training.csv", "x;1234567L;ACT-9").read()
    assert "01234567L" in registry.held


def test_an_id_without_its_zeros_in_a_broken_row_of_people_holds_its_person(export: Export) -> None:
    export.grant("01234567L").append("people.csv", "1234567L;Maria;Puig;Vila;x")
    registry = export.read()
    assert [p.file for p in registry.problems] == ["people.csv"]
    assert list(registry.held) == ["01234567L"]


def test_problems_are_in_order_of_file_line_and_column_and_held_points_into_them(export: Export) -> None:
    export.participation(hours="x", activity_id="ACT-2").participation("10000001S", role="x", activity_id="ACT-3")
    export.grant(level="x").person("10000002Q", given_name="")
    registry = export.read()
    places = [(p.file, p.line, p.column) for p in registry.problems]
    assert places == sorted(places)
    assert dict(registry.held) == {ANA: (0, 2), "10000001S": (3,), "10000002Q": (1,)}
    assert list(registry.held) == sorted(registry.held)


def test_shown_values_are_cut_and_escaped(export: Export) -> None:
    problem = _only(export, hours="\x1b[31m" + "9" * 5000).problem()
    assert problem.value.startswith("\\x1b[31m999")
    assert len(problem.value) < 100
    assert len(problem.message) < 300


def test_an_id_with_a_wrong_letter_in_a_row_out_of_shape_holds_whoever_has_its_digits(export: Export) -> None:
    registry = export.append("training.csv", "10000000A;20000000A").read()
    assert set(registry.held) == {"10000000A", ANA}


# --- a file that ends in the middle of a row --------------------------------------------------


def _cut(export: Export, name: str) -> Export:
    return export.write(name, (export.folder / name).read_bytes().removesuffix(b"\n"))


@pytest.mark.parametrize(("name", "column"), [("people.csv", "second_surname"), ("training.csv", "indicators")])
def test_a_last_row_without_an_end_of_line_holds_its_person_as_it_may_be_cut(
    export: Export, name: str, column: str
) -> None:
    registry = _cut(export, name).read()
    assert [(p.file, p.line, p.column) for p in registry.problems] == [(name, 3, column)]
    assert "cut short" in registry.problems[0].message
    assert list(registry.held) == [BIEL]


def test_a_last_row_is_whole_where_the_file_is_vouched_for(export: Export) -> None:
    _cut(export, "people.csv").sums("people.csv", "training.csv", "accreditations.csv")
    assert export.read().problems == ()


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n\n", "\n  "])
def test_a_last_row_is_whole_where_any_end_of_line_follows(export: Export, end: str) -> None:
    text = export.text("people.csv").rstrip("\n")
    assert export.write("people.csv", text + end).read().problems == ()


def test_a_last_row_is_whole_where_its_last_cell_was_quoted_and_is_closed(export: Export) -> None:
    _cut(export, "people.csv").change("people.csv", f"{BIEL};Biel;Pons;Vila", f'{BIEL};Biel;Pons;"Vila"')
    assert export.read().problems == ()


def test_a_last_row_may_end_in_what_decides_nothing(export: Export) -> None:
    assert _cut(export, "accreditations.csv").read().problems == ()
    more = export.text("people.csv").replace("\n", ";more\n")
    assert _cut(export.write("people.csv", more), "people.csv").read().problems == ()
