"""The sample exports: reproducible, of real size, messy where they say so and nowhere else."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.unit.samples.conftest import canonical, day

FILES = ("people.csv", "training.csv", "accreditations.csv", "SHA256SUMS")
NOTHING_AFTER = date(2026, 6, 30)
SAMPLES = Path(__file__).parents[3] / "samples"


def is_rightly_lettered(person_id: str) -> bool:
    digits = {"X": "0", "Y": "1", "Z": "2"}.get(person_id[0], person_id[0]) + person_id[1:8]
    return len(person_id) == 9 and "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == person_id[8]


# --- reproducible -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_committed_export_is_byte_for_byte_what_the_generator_makes(remade: Any, name: str) -> None:
    assert (SAMPLES / "registry" / name).read_bytes() == (remade.folder / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_committed_small_export_is_byte_for_byte_what_the_generator_makes(remade_small: Path, name: str) -> None:
    assert (SAMPLES / "registry-small" / name).read_bytes() == (remade_small / name).read_bytes()


def test_another_seed_gives_another_export(remade: Any, run_generator: Callable[..., Any], tmp_path: Path) -> None:
    run_generator("--seed", "1", "--out", tmp_path)
    assert (tmp_path / "people.csv").read_bytes() != (remade.folder / "people.csv").read_bytes()


def test_generator_writes_the_four_files_and_nothing_beside_them(remade: Any) -> None:
    assert {path.name for path in remade.folder.iterdir()} == set(FILES)


@pytest.mark.parametrize("folder", ["registry", "registry-small"])
def test_sums_match_the_committed_files(folder: str) -> None:
    for entry in (SAMPLES / folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        expected, name = entry.split("  ")
        assert hashlib.sha256((SAMPLES / folder / name).read_bytes()).hexdigest() == expected


# --- of real size -----------------------------------------------------------------------------


def test_export_has_people_and_participations_as_a_real_one(remade: Any) -> None:
    assert len({row["person_id"] for _, row in remade.rows("people.csv")}) >= 2_000
    assert sum(1 for _ in remade.rows("training.csv")) >= 12_000


def test_committed_export_stays_small_enough_for_the_repository() -> None:
    assert sum(path.stat().st_size for path in (SAMPLES / "registry").iterdir()) < 3_000_000


def test_asked_number_of_people_and_participations_is_what_comes_out(
    run_generator: Callable[..., Any], tmp_path: Path
) -> None:
    run_generator("--people", "1500", "--participations", "15000", "--clean", "--out", tmp_path)
    assert (tmp_path / "training.csv").read_bytes().count(b"\n") == pytest.approx(15_000, rel=0.05)
    people = (tmp_path / "people.csv").read_text(encoding="utf-8-sig").split("\n")
    assert len({line.split(";")[0] for line in people[1:] if line.strip()}) == 1_500


@pytest.mark.parametrize(
    "arguments",
    [
        ["--people", "0"],
        ["--people", "1000001"],
        ["--participations", "-1"],
        ["--people", "1", "--participations", "101"],
    ],
)
def test_size_out_of_range_is_refused_as_wrong_usage(
    run_generator: Callable[..., Any], tmp_path: Path, arguments: list[str]
) -> None:
    assert run_generator(*arguments, "--out", tmp_path, fails=True).returncode == 2


def test_single_person_makes_an_export(run_generator: Callable[..., Any], tmp_path: Path) -> None:
    run_generator("--people", "1", "--participations", "0", "--out", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)


# --- messy where it says so and nowhere else --------------------------------------------------


def test_clean_export_has_no_planted_fault(run_generator: Callable[..., Any], tmp_path: Path) -> None:
    run_generator("--clean", "--out", tmp_path / "clean", "--truth", tmp_path / "truth.json")
    assert (tmp_path / "truth.json").read_text(encoding="utf-8") == "[]\n"


@pytest.mark.parametrize(("people", "faults"), [(45, False), (46, True)])
def test_faults_are_planted_only_where_there_are_two_people_for_each(
    run_generator: Callable[..., Any], tmp_path: Path, people: int, faults: bool
) -> None:
    run_generator("--people", str(people), "--out", tmp_path / "few", "--truth", tmp_path / "truth.json")
    assert ("fault" in (tmp_path / "truth.json").read_text(encoding="utf-8")) == faults


def test_ids_of_people_have_the_right_letter_except_the_planted_ones(remade: Any) -> None:
    wrong = {line for line, row in remade.rows("people.csv") if not is_rightly_lettered(row["person_id"])}
    assert wrong == {fault["line"] for fault in remade.faults if fault["fault"].startswith("wrong_check_letter")} - (
        remade.planted_lines("training.csv")
    )


@pytest.mark.parametrize("name", ["training.csv", "accreditations.csv"])
def test_rows_name_people_of_the_export_except_the_planted_ones(remade: Any, name: str) -> None:
    people = {row["person_id"] for _, row in remade.rows("people.csv")}
    assert {canonical(row["person_id"]) for row in remade.sound_rows(name)} <= people


@pytest.mark.parametrize(
    ("name", "column"),
    [("training.csv", "completed_on"), ("training.csv", "end_date"), ("accreditations.csv", "granted_on")],
)
def test_no_row_lies_in_the_future_except_the_planted_one(remade: Any, name: str, column: str) -> None:
    assert max(day(row[column]) for row in remade.sound_rows(name)) <= NOTHING_AFTER


def test_completion_never_comes_before_the_end_in_sound_rows(remade: Any) -> None:
    for row in remade.sound_rows("training.csv"):
        assert day(row["start_date"]) <= day(row["end_date"]) <= day(row["completed_on"])


def test_activity_has_the_same_facts_on_every_sound_row(remade: Any) -> None:
    facts: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for row in remade.sound_rows("training.csv"):
        hours = float(row["hours"].replace(",", "."))
        facts[row["activity_id"]].add(
            (hours, day(row["start_date"]), day(row["end_date"]), row["modality"], row["origin"], row["indicators"])
        )
    assert [activity for activity, found in facts.items() if len(found) > 1] == []


def test_each_planted_fault_stands_on_the_line_the_truth_names(remade: Any) -> None:
    lines = {name: (remade.folder / name).read_text(encoding="utf-8-sig").split("\n") for name in FILES}
    for fault in remade.faults:
        assert fault["holds"][-1] in lines[fault["file"]][fault["line"] - 1], fault


def test_faults_hold_different_people(remade: Any) -> None:
    held = [person_id for fault in remade.faults for person_id in fault["holds"]]
    assert len(held) == len(set(held)) >= 20


def test_mess_of_real_exports_is_there(remade: Any) -> None:
    training = list(remade.sound_rows("training.csv"))
    assert {"/" in row["completed_on"] for row in training} == {True, False}
    assert {"7,5", "7.5"} <= {row["hours"] for row in training}
    assert any('"' in row["title"] for row in training)
    written = {row["person_id"] for row in training}
    assert any("." in person_id for person_id in written)
    assert any("-" in person_id for person_id in written)
    assert any(person_id != person_id.upper() for person_id in written)
    assert any(len(person_id) < 9 for person_id in written)
    assert (remade.folder / "people.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (remade.folder / "people.csv").read_bytes().endswith(b"\r\n\r\n\r\n")


# --- useful -----------------------------------------------------------------------------------


def test_sample_is_useful_more_than_250_people_complete_b1(complete_at_b1: set[str]) -> None:
    assert 350 <= len(complete_at_b1) <= 450


def test_small_export_has_right_letters_throughout() -> None:
    with (SAMPLES / "registry-small" / "people.csv").open(encoding="utf-8", newline="") as file:
        assert all(is_rightly_lettered(row["person_id"]) for row in csv.DictReader(file, delimiter=";"))


def test_big_and_small_export_name_different_people(remade: Any) -> None:
    with (SAMPLES / "registry-small" / "people.csv").open(encoding="utf-8", newline="") as file:
        small = {row["person_id"] for row in csv.DictReader(file, delimiter=";")}
    assert small.isdisjoint(row["person_id"] for _, row in remade.rows("people.csv"))


# --- explained --------------------------------------------------------------------------------


def test_readme_lists_every_planted_fault_with_its_line(remade: Any) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for fault in remade.faults:
        place = f"| {fault['file']} | {fault['line']} | {fault['column'] or '(whole row)'} |"
        assert any(row.startswith(place) and ", ".join(fault["holds"]) in row for row in readme.splitlines()), place


def test_readme_tells_the_story_of_every_person_of_the_small_export() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    with (SAMPLES / "registry-small" / "people.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            name = " ".join(filter(None, (row["given_name"], row["first_surname"], row["second_surname"])))
            assert f"| {row['person_id']} | {name} |" in readme
