"""Who is named, and who is held."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from sealtool.model import Registry

if TYPE_CHECKING:
    from tests.unit.registry.conftest import Export

ANA, BIEL, CLARA = "10000000Z", "10000001S", "10000002Q"
NIE = "X1234567L"


# --- ids --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["10000000z", " 10000000Z ", "10.000.000-Z", "10000000 Z", "10 000 000-z"])
def test_an_id_is_read_without_its_separators(export: Export, text: str) -> None:
    registry = export.participation(text, activity_id="ACT-2").read()
    assert (len(registry.records[ANA].participations), registry.warnings) == (2, ())


@pytest.mark.parametrize("person_id", ["X1234567L", "Y1234567X", "Z1234567R", "12345678Z", "00000000T"])
def test_sound_ids_are_accepted(export: Export, person_id: str) -> None:
    assert person_id in export.person(person_id).read().records


@pytest.mark.parametrize(
    "text",
    [
        *("", "10000000", "10000000A", "100000000Z", "Z10000000", "W1234567L", "X12345678L", "X1234567", "XX234567L"),
        *("A1234567L", "10000000ZZ", "K1234567L", "10000000_Z", "１0000000Z", "Z", "10/000/000Z", "-"),
    ],
)
def test_any_other_id_is_a_problem_in_each_file(export: Export, text: str) -> None:
    export.person(text).participation(text).grant(text)
    problems = export.read().problems
    assert [(p.file, p.line, p.column, p.value) for p in problems] == [
        ("accreditations.csv", 3, "person_id", text),
        ("people.csv", 4, "person_id", text),
        ("training.csv", 4, "person_id", text),
    ]


@pytest.mark.parametrize("letter", ["ſ", "ı"])
def test_letters_that_become_latin_in_upper_case_are_no_control_letters(export: Export, letter: str) -> None:
    registry = export.participation(f"10000001{letter}").read()
    assert BIEL in registry.held


def test_the_right_control_letter_is_named(export: Export) -> None:
    assert "control letter of 10000000 is Z" in export.participation("10000000A").problem().message


@pytest.mark.parametrize(("text", "person_id"), [("1234567L", "01234567L"), ("1R", "00000001R"), ("X7F", "X0000007F")])
def test_lost_leading_zeros_are_given_back_with_a_warning(export: Export, text: str, person_id: str) -> None:
    registry = export.person(text).read()
    assert person_id in registry.records
    (warning,) = registry.warnings
    assert (warning.file, warning.line, warning.column, warning.value) == ("people.csv", 4, "person_id", text)


@pytest.mark.parametrize("text", ["1234567T", "1T", "X7T"])
def test_no_zeros_are_given_back_where_the_letter_does_not_fit(export: Export, text: str) -> None:
    registry = export.person(text).read()
    assert (list(registry.held), registry.warnings) == ([text], ())


def test_a_padded_id_names_the_same_person_in_every_file(export: Export) -> None:
    registry = export.person("01234567L").participation("1234567L").participation("1234567L", role="trainer").read()
    assert len(registry.records["01234567L"].participations) == 2
    (warning,) = registry.warnings
    assert "on 2 rows in all" in warning.message


# --- whom a broken id holds -------------------------------------------------------------------


@pytest.mark.parametrize("text", ["10000000A", "10000000", "X10000000", "10000000ZZ", "１0000000Z", "010000000Z"])
def test_a_broken_id_holds_itself_and_whoever_has_the_same_digits(export: Export, text: str) -> None:
    registry = export.participation(text).read()
    assert set(registry.held) == {text, ANA}
    assert list(registry.records) == [BIEL]


def test_a_broken_id_in_people_holds_whoever_has_the_same_digits(export: Export) -> None:
    registry = export.person("10000000A").read()
    assert set(registry.held) == {"10000000A", ANA}


def test_a_broken_id_holds_dni_and_nie_with_the_same_digits(export: Export) -> None:
    registry = export.person("X1234567L").person("Y1234567X").person("01234567L").participation("1234567").read()
    assert set(registry.held) == {"1234567", "X1234567L", "Y1234567X", "01234567L"}


def test_a_broken_id_of_nobody_holds_only_itself(export: Export) -> None:
    registry = export.participation("99").read()
    assert (list(registry.held), len(registry.records)) == (["99"], 2)


def test_a_blank_id_holds_nobody(export: Export) -> None:
    registry = export.participation(" ").read()
    assert (registry.held, len(registry.problems)) == ({}, 1)


@pytest.mark.parametrize("letter", ["training.csv", "accreditations.csv"])
def test_a_person_absent_from_people_is_a_problem_for_each_row_and_held(export: Export, letter: str) -> None:
    add = export.participation if letter == "training.csv" else export.grant
    add(CLARA)
    add(CLARA)
    registry = export.read()
    assert [(p.file, p.column, p.value) for p in registry.problems] == [(letter, "person_id", CLARA)] * 2
    assert dict(registry.held) == {CLARA: (0, 1)}


def test_an_absent_dni_that_may_be_a_nie_without_its_letter_holds_the_nie(export: Export) -> None:
    registry = export.person(NIE).participation("01234567L").read()
    assert set(registry.held) == {"01234567L", NIE}


def test_a_person_whose_row_in_people_is_broken_is_not_called_absent(export: Export) -> None:
    registry = export.person(CLARA, given_name="").participation(CLARA).append("people.csv", "12345678Z;Pau").read()
    assert [p.file for p in registry.problems] == ["people.csv", "people.csv"]


def test_nobody_is_both_held_and_in_the_records(export: Export) -> None:
    registry = export.participation("10000000A").grant(BIEL, level="x").read()
    assert not set(registry.held) & set(registry.records)


# --- people.csv -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Maria del Mar",
        "d'Ors i Rovira",
        "O'Neill",
        "Pérez-Llorca",
        "Gal·la",
        "NÚRIA",
        "van der Berg",
        "Ŀ",
        "李",
        "محمد",
    ],
)
def test_names_are_kept_exactly(export: Export, name: str) -> None:
    registry = export.person(CLARA, given_name=name, first_surname=name, second_surname=name).read()
    assert registry.records[CLARA].person.full_name == f"{name} {name} {name}"
    assert registry.warnings == ()


def test_outer_white_space_of_names_is_taken_away(export: Export) -> None:
    person = export.person(CLARA, given_name=" \tMaria\u00a0", second_surname=" ").read().records[CLARA].person
    assert (person.given_name, person.second_surname, person.line) == ("Maria", "", 4)


@pytest.mark.parametrize("column", ["given_name", "first_surname"])
@pytest.mark.parametrize("text", ["", "  ", "\u00a0"])
def test_given_name_and_first_surname_are_required(export: Export, column: str, text: str) -> None:
    registry = export.person(CLARA, **{column: text}).read()
    assert ([p.column for p in registry.problems], list(registry.held)) == ([column], [CLARA])


@pytest.mark.parametrize("column", ["given_name", "first_surname", "second_surname"])
@pytest.mark.parametrize(
    "mark",
    [
        "\x07",
        "\x7f",
        "\n",
        "\u00ad",
        "\u200b",
        "\u200f",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\u2028",
        "\u2029",
        "\ue000",
        "\u0378",
    ],
)
def test_characters_that_could_change_the_document_are_a_problem(export: Export, column: str, mark: str) -> None:
    registry = export.person(CLARA, **{column: f"Ma{mark}ria"}).read()
    assert ([p.column for p in registry.problems], list(registry.held)) == ([column], [CLARA])
    assert f"U+{ord(mark):04X}" in registry.problems[0].message


def test_a_line_separator_at_the_end_of_a_name_is_a_problem_too(export: Export) -> None:
    assert export.person(CLARA, given_name="Maria\u2028").problem().column == "given_name"


@pytest.mark.parametrize("mark", ["\ufb00", "\ufb01", "\ufb02", "\ufb03", "\ufb04", "\ufb05", "\ufb06", "\ufefb"])
@pytest.mark.parametrize("column", ["given_name", "first_surname", "second_surname"])
def test_a_shape_that_readers_of_a_page_take_apart_is_a_problem(export: Export, column: str, mark: str) -> None:
    problem = export.person(CLARA, **{column: f"Ra{mark}ol"}).problem()
    assert (problem.file, problem.line, problem.column) == ("people.csv", 4, column)
    assert f"U+{ord(mark):04X}" in problem.message


@pytest.mark.parametrize("mark", ["\u0133", "\u01c9", "\u02b0", "\u00b5", "\u017f", "\u1d43"])
def test_another_form_of_a_letter_is_kept_and_warned_of(export: Export, mark: str) -> None:
    registry = export.person(CLARA, first_surname=f"Ma{mark}s").read()
    assert registry.records[CLARA].person.first_surname == f"Ma{mark}s"
    assert [(w.line, w.column, mark in w.message) for w in registry.warnings] == [(4, "first_surname", True)]


@pytest.mark.parametrize("name", ["Mar\ufffda", "MarÃ\u00ada", "NÃºria", "Ã\u00a0"])
def test_mangled_letters_are_a_problem(export: Export, name: str) -> None:
    assert "mangled" in export.person(CLARA, given_name=name).problem().message


@pytest.mark.parametrize(
    "name", ["M\u0430ria", "M\u03b1ria", "Joana \u0421as", "\u0430\u0300ria", "\u041e’Mara", "Gal·l\u0430"]
)
def test_letters_of_several_alphabets_in_one_word_are_a_problem(export: Export, name: str) -> None:
    registry = export.person(CLARA, given_name=name).read()
    assert ([p.column for p in registry.problems], list(registry.held)) == (["given_name"], [CLARA])


@pytest.mark.parametrize(
    "name", ["\u041c\u0430\u0440\u0438\u044f", "Maria \u041c\u0430", "Mª", "Ðuro Łukasz", "Ngọc", "O’Mara"]
)
def test_a_name_may_be_in_any_one_alphabet(export: Export, name: str) -> None:
    assert export.person(CLARA, given_name=name).read().problems == ()


@pytest.mark.parametrize("length", [121, 200])
def test_long_names_are_accepted(export: Export, length: int) -> None:
    assert export.person(CLARA, first_surname="a" * length).read().problems == ()


def test_a_part_of_a_name_that_is_too_long_is_a_problem(export: Export) -> None:
    assert export.person(CLARA, first_surname="a" * 201).problem().column == "first_surname"


def test_a_decomposed_name_is_kept_and_warned_of(export: Export) -> None:
    registry = export.person(CLARA, given_name="Nu\u0301ria").read()
    assert registry.records[CLARA].person.given_name == "Nu\u0301ria"
    assert [(w.line, w.column) for w in registry.warnings] == [(4, "given_name")]


@pytest.mark.parametrize("name", ["Mart?n", "Garc¡a", "Nu¤ez", "N£ria", "Jos\u201a", "Mu±oz"])
def test_a_mark_that_stands_for_a_lost_letter_is_a_problem(export: Export, name: str) -> None:
    assert "wrong encoding" in export.person(CLARA, first_surname=name).problem().message


@pytest.mark.parametrize("name", ["D\u00b4Amato", "Mª", "Gal•la", "Pons, filla", "Puig \u2013 Vila", "O\u2018Hara"])
def test_a_mark_that_is_often_typed_in_names_is_kept(export: Export, name: str) -> None:
    registry = export.person(CLARA, first_surname=name).read()
    assert (registry.records[CLARA].person.first_surname, registry.warnings) == (name, ())


def test_every_unusual_mark_of_a_name_is_told_once(export: Export) -> None:
    (warning,) = export.person(CLARA, first_surname="M@ri4@<b>").read().warnings
    assert "'@4<>'" in warning.message


@pytest.mark.parametrize(
    "name",
    [
        "M@ria",
        "Mari4",
        "Pons;Vila",
        "Maria (Mia)",
        "(Maria) Vila (Mia)",
        "Company   Roig",
        "Puig\u00a0Vila",
        "Puig\u2009Vila",
    ],
)
def test_an_unusual_mark_in_a_name_is_kept_and_warned_of(export: Export, name: str) -> None:
    registry = export.person(CLARA, first_surname=name).read()
    assert registry.records[CLARA].person.first_surname == name
    assert [(w.line, w.column) for w in registry.warnings] == [(4, "first_surname")]


@pytest.mark.parametrize(
    "text",
    [
        *("NULL", "null", "(null)", "<null>", "\\N", "N/A", "n/a", "#N/A", "#N/D", "#REF!", "#VALOR!", "None"),
        *("nan", "NaN", "NaT", "<NA>", "undefined", "Unknown", "DESCONOCIDO", "Desconeguda", "sin apellido", "Vacío"),
        *("Sin segundo apellido", "sense llinatge", "sense  segon cognom", "no té segon llinatge", "No consta", "xxx"),
        *("X X", "x.x.", "--NULL--", "(difunta)", "[baja]", "&nbsp;", "-", ".", "--"),
    ],
)
@pytest.mark.parametrize("column", ["given_name", "first_surname", "second_surname"])
def test_what_stands_in_the_place_of_a_name_is_a_problem(export: Export, column: str, text: str) -> None:
    registry = export.person(CLARA, **{column: text}).read()
    assert ([(p.line, p.column) for p in registry.problems], list(registry.held)) == ([(4, column)], [CLARA])


@pytest.mark.parametrize("name", ["NA", "Na", "Nan", "NAN", "X", "N.A.", "Null", "Nula", "Xx"])
def test_what_may_stand_in_the_place_of_a_name_is_kept_and_warned_of(export: Export, name: str) -> None:
    registry = export.person(CLARA, first_surname=name).read()
    assert registry.records[CLARA].person.first_surname == name
    assert [(w.line, w.column) for w in registry.warnings] == [(4, "first_surname")]


@pytest.mark.parametrize(
    "name", ["Nil", "NIL", "Nadal", "Nulart", "Blanco", "Blank", "Cap", "Nonell", "No", "Sense", "Xu", "Xifré", "Sin"]
)
def test_a_name_that_resembles_such_a_word_is_nothing_unusual(export: Export, name: str) -> None:
    registry = export.person(CLARA, given_name=name, first_surname=name, second_surname=name).read()
    assert (registry.records[CLARA].person.second_surname, registry.warnings) == (name, ())


def test_all_that_is_unusual_in_a_name_is_told(export: Export) -> None:
    (warning,) = export.person(CLARA, first_surname="Nu\u0301ria  4").read().warnings
    assert all(told in warning.message for told in ("separate accents", "'4'", "several spaces"))


@pytest.mark.parametrize("column", ["given_name", "first_surname", "second_surname"])
def test_two_different_rows_for_one_person_hold_that_person(export: Export, column: str) -> None:
    registry = export.person(ANA, **{column: "Altra"}).read()
    (problem,) = registry.problems
    assert (problem.line, problem.column, list(registry.held)) == (4, "person_id", [ANA])
    assert f"line 2 with another {column}" in problem.message


def test_two_identical_rows_for_one_person_are_warned_of(export: Export) -> None:
    registry = export.person("10.000.000-z", given_name=" Ana ").read()
    assert (len(registry.records), registry.problems) == (2, ())
    assert "repeats line 2" in registry.warnings[0].message


# --- order ------------------------------------------------------------------------------------


def _without_lines(registry: Registry) -> object:
    return (registry.records, set(registry.held), sorted((p.file, p.column, p.value) for p in registry.problems))


def test_records_do_not_depend_on_the_order_of_rows(empty: Export) -> None:
    chance = random.Random(7)  # noqa: S311 - shuffles test data
    for number in range(30):
        person_id = f"{20000000 + number}{'TRWAGMYFPDXBNJZSQVHLCKE'[(20000000 + number) % 23]}"
        empty.person(person_id)
        for activity in chance.sample(range(10), 3):
            completed = "" if number == 3 else f"2024-04-{chance.randint(1, 28):02d}"
            empty.participation(
                person_id, activity_id=f"ACT-{activity}", hours=f"{activity + 1}", completed_on=completed
            )
        empty.grant(person_id, area=str(number % 6 + 1)).grant(person_id, granted_on="2024-02-02", area="")
    first = _without_lines(empty.read())
    for name, rows in empty.rows.items():
        chance.shuffle(rows)
        empty.write(name, empty.text(name))
    assert _without_lines(empty.read()) == first


def test_records_are_in_order_of_id(export: Export) -> None:
    assert list(export.person("00000001R").read().records) == ["00000001R", ANA, BIEL]


def test_an_export_whose_only_name_is_broken_is_read(empty: Export) -> None:
    registry = empty.person(given_name="").participation().read()
    assert (dict(registry.records), list(registry.held)) == ({}, [ANA])
