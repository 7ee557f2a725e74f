from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from sealtool.accreditation import Clause, Rules, available_rules, load_rules, parse_rules
from sealtool.accreditation.parameter_files import choose_rules
from sealtool.errors import ExitCode, RulesError
from sealtool.model import Area, Language, Level, Modality, Origin, Procedure, Role

FILE = files("sealtool.accreditation") / "parameters" / "2025-10-27.toml"
CONTENT = FILE.read_bytes()


def changed(old: str, new: str) -> bytes:
    assert CONTENT.count(old.encode()) >= 1
    return CONTENT.replace(old.encode(), new.encode(), 1)


def error_of(content: bytes, file_name: str = "2025-10-27.toml") -> RulesError:
    with pytest.raises(RulesError) as caught:
        parse_rules(content, file_name=file_name)
    return caught.value


def test_the_rules_of_a_day_are_those_in_force_on_it() -> None:
    assert load_rules(on=date(2025, 10, 27)).version == "2025-10-27"


def test_a_day_before_the_resolution_has_no_rules() -> None:
    with pytest.raises(RulesError, match="No version of the rules is in force on 2025-10-26"):
        load_rules(on=date(2025, 10, 26))


def test_a_version_can_be_named() -> None:
    assert load_rules("2025-10-27", on=date(2030, 1, 1)).version == "2025-10-27"


def test_a_version_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(RulesError, match=r"no version '2024-03-07'.*2025-10-27 \(from 2025-10-27\)"):
        load_rules("2024-03-07", on=date(2025, 12, 1))


def test_a_named_version_does_not_decide_before_it_is_in_force() -> None:
    with pytest.raises(RulesError, match="not in force on 2025-10-26 yet"):
        load_rules("2025-10-27", on=date(2025, 10, 26))


def test_the_newest_version_in_force_decides_from_its_own_day_on() -> None:
    today = load_rules(on=date(2025, 12, 1))
    newer = replace(today, version="2027-02-01", effective_from=date(2027, 2, 1))

    assert choose_rules([newer, today], None, on=date(2027, 1, 31)) is today
    assert choose_rules([newer, today], None, on=date(2027, 2, 1)) is newer


def test_every_installed_version_is_listed_oldest_first() -> None:
    days = [rules.effective_from for rules in available_rules()]

    assert date(2025, 10, 27) in days
    assert days == sorted(days)


def test_the_hash_is_of_the_very_bytes_of_the_file() -> None:
    assert load_rules(on=date(2026, 1, 1)).sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("version", "sha256"), [("2025-10-27", "21620f497147eade67e8e35addff039f2792d3f328d5337a9be1686e3381bd38")]
)
def test_a_file_that_certificates_were_issued_under_is_not_edited(version: str, sha256: str) -> None:
    # A certificate records version and hash: a change of the law is a new file, and a new line here.
    assert load_rules(version, on=date(2099, 1, 1)).sha256 == sha256


def test_the_values_of_annex_3_are_those_of_the_resolution() -> None:
    values = parse_rules(CONTENT, file_name="2025-10-27.toml")

    assert values.hours[Level.B2] == tuple(Decimal(hours) for hours in (12, 24, 35, 47, 59, 70))
    assert values.training_levels == (Level.A1, Level.A2, Level.B1, Level.B2)
    assert values.origin_floors == {
        Origin.ORGANISED: date(2023, 9, 1),
        Origin.HOMOLOGATED: date(2023, 10, 1),
        Origin.RECOGNISED: date(2020, 9, 1),
    }
    assert values.excluded_modalities == {Modality.CONGRESS, Modality.CONFERENCE_DAY, Modality.ONE_OFF}
    assert values.excluded_competences == {(Area(1), 3), (Area(1), 4)}
    assert values.counted_roles == set(Role)


def test_the_framework_has_23_competences_and_the_procedures_of_each_level() -> None:
    framework = load_rules(on=date(2026, 1, 1)).framework

    assert sum(framework.competences.values()) == 23
    assert framework.levels_by_area == {Level.C2}
    assert framework.direct_procedures[Level.A1] == {Procedure.TEST, Procedure.DEGREE, Procedure.EXTERNAL}
    assert framework.direct_procedures[Level.B2] == {Procedure.TEST, Procedure.OBSERVATION, Procedure.EXTERNAL}
    assert framework.direct_procedures[Level.C2] == {Procedure.OBSERVATION, Procedure.EVIDENCE, Procedure.EXTERNAL}


def test_the_areas_have_titles_in_both_languages() -> None:
    titles = load_rules(on=date(2026, 1, 1)).area_titles

    assert titles[Language.CATALAN][Area(4)] == "Avaluació i retroacció"
    assert titles[Language.SPANISH][Area(4)] == "Evaluación y retroalimentación"


def test_rules_travel_to_another_process_unchanged() -> None:
    rules = load_rules(on=date(2026, 1, 1))

    copy: Rules = pickle.loads(pickle.dumps(rules))  # noqa: S301  # our own bytes

    assert copy == rules
    assert hash(copy) == hash(rules)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('title = "Resolution', 'tytle = "Resolution', "title is missing"),
        ("[training]\n", "[training]\nbonus = 1\n", "training.bonus is unknown"),
        ("[framework.competences]", "[framework.compotences]", "framework.competences is missing"),
        ("[clauses]\n", "[extra]\n[clauses]\n", "extra is unknown"),
        ("[clauses]\n", '[clauses]\nmood = "x"\n', "clauses.mood is unknown"),
        ('hours = "Annex 3, 4"\n', "", "clauses.hours is missing"),
        ("organised = 2023-09-01", "organized = 2023-09-01", "training.origin_floors.organized is unknown"),
        ("organised = 2023-09-01", 'organised = "2023-09-01"', "training.origin_floors.organised is malformed"),
        ("organised = 2023-09-01", "organised = 2023-09-01T00:00:00", "training.origin_floors.organised is malformed"),
        ("recognised = 2020-09-01", "", "training.origin_floors.recognised is missing"),
        ("effective_from = 2025-10-27", "effective_from = 20251027", "effective_from is malformed"),
        ("[10, 20, 30, 40, 50, 60]", "[10, 20, 30, 40, 50]", "training.hours.B1 is malformed"),
        ("[10, 20, 30, 40, 50, 60]", "[10, 20, 20, 40, 50, 60]", "training.hours.B1 is malformed"),
        ("[10, 20, 30, 40, 50, 60]", "[0, 20, 30, 40, 50, 60]", "training.hours.B1 is malformed"),
        ("[10, 20, 30, 40, 50, 60]", "[10, 20, 30, 40, 50, nan]", "training.hours.B1 is malformed"),
        ("[10, 20, 30, 40, 50, 60]", '["10", 20, 30, 40, 50, 60]', "training.hours.B1 is malformed"),
        ("[10, 20, 30, 40, 50, 60]", "10", "training.hours.B1 is malformed"),
        ("B1 = [10,", "B3 = [10,", "training.hours.B3 is unknown"),
        ("B2 = [12,", "C2 = [12,", "training.hours names a level of accreditation.levels_by_area"),
        ('["1.3", "1.4"]', '["1.3", "1.6"]', "training.excluded_competences is malformed: there is no competence 1.6"),
        ('["1.3", "1.4"]', '["1.3", "1.3"]', "training.excluded_competences is malformed: it names something twice"),
        ('["1.3", "1.4"]', '"1.3"', "training.excluded_competences is malformed: it must be a list"),
        ('"congress",', '"congres",', "training.excluded_modalities is malformed"),
        ('"trainer"]', '"teacher"]', "training.counted_roles is malformed"),
        ('A1 = ["test",', 'A1 = ["training",', "accreditation.direct_procedures.A1 is malformed"),
        ("1 = 5\n", "1 = 0\n", "framework.competences.1 is malformed"),
        ("1 = 5\n", "1 = true\n", "framework.competences.1 is malformed"),
        ("6 = 5\n", "7 = 5\n", "framework.competences.7 is unknown"),
        ("[framework.titles.es]", "[framework.titles.fr]", "framework.titles.es is missing"),
        ("[framework.titles.ca]", "[framework.titles.fr]\n[framework.titles.ca]", "framework.titles.fr is unknown"),
        ('1 = "Compromís professional"', '1 = ""', "framework.titles.ca.1 is malformed"),
        ("[training.hours]", "[[training.hours]]", "training.hours is malformed: it must be a table"),
    ],
)
def test_a_malformed_file_is_refused_by_name_and_key(old: str, new: str, key: str) -> None:
    error = error_of(changed(old, new))

    assert f"Rules file 2025-10-27.toml: {key}" in error.message
    assert error.advice
    assert error.exit_code is ExitCode.CONFIGURATION


def test_a_file_named_after_another_version_is_refused() -> None:
    assert "2026-01-01.toml: version must be the name of the file" in error_of(CONTENT, "2026-01-01.toml").message


@pytest.mark.parametrize("content", [b"version = ", b"\xff\xfe", b""], ids=["no value", "not UTF-8", "empty"])
def test_a_file_that_is_no_toml_of_ours_is_refused(content: bytes) -> None:
    assert "Rules file 2025-10-27.toml" in error_of(content).message


def test_every_value_of_the_law_stands_under_a_comment_that_names_its_clause() -> None:
    for line_before, line in zip(["", *(lines := CONTENT.decode().splitlines())], lines, strict=False):
        if line.startswith(("levels_by_area", "counted_roles", "excluded_")):
            assert "Annex" in line_before


def test_each_clause_is_cited_in_words() -> None:
    assert set(load_rules(on=date(2026, 1, 1)).clauses) == set(Clause)
