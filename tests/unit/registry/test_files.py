"""What makes an export unreadable as a whole."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from sealtool.errors import ConfigurationError, ExitCode, RegistryError
from sealtool.registry import RegistryOptions

if TYPE_CHECKING:
    from tests.unit.registry.conftest import Export

ROW = "10000000Z;ACT-9;{};course;30;2024-01-10;2024-03-10;2024-03-20;participant;organised;2.1.B1.2"


def test_a_sound_export_has_records_and_no_problem(export: Export) -> None:
    registry = export.read()
    assert list(registry.records) == ["10000000Z", "10000001S"]
    assert (registry.held, registry.problems, registry.warnings) == ({}, (), ())


def test_sources_hold_the_hash_of_the_bytes_that_were_read_and_the_rows(export: Export) -> None:
    people = export.read().sources[0]
    digest = hashlib.sha256((export.folder / "people.csv").read_bytes()).hexdigest()
    assert (people.name, people.sha256, people.rows) == ("people.csv", digest, 2)


def test_a_refusal_exits_with_the_code_of_the_registry() -> None:
    assert RegistryError.exit_code is ExitCode.REGISTRY


def test_a_missing_folder_is_refused(export: Export) -> None:
    export.folder /= "nowhere"
    assert "folder cannot be opened" in export.refusal()


def test_a_folder_name_no_system_can_open_is_refused(export: Export) -> None:
    export.folder /= "a\0b"
    assert "folder cannot be opened" in export.refusal()


def test_a_file_in_place_of_the_folder_is_refused(export: Export) -> None:
    export.folder /= "people.csv"
    assert "folder cannot be opened" in export.refusal()


def test_missing_people_are_refused(export: Export) -> None:
    (export.folder / "people.csv").unlink()
    assert "people.csv: the file is missing" in export.refusal()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("people.csv", "People.csv"),
        ("training.csv", "Training.CSV"),
        ("accreditations.csv", "ACCREDITATIONS.CSV"),
        ("training.csv", "training.csv "),
    ],
)
def test_a_file_whose_name_differs_in_letter_case_is_refused_and_not_left_out(
    export: Export, name: str, other: str
) -> None:
    (export.folder / name).rename(export.folder / other)
    assert f"- {other}: the name has to be {name}" in export.refusal()


def test_a_second_file_in_other_letter_case_is_refused(export: Export) -> None:
    export.write("Training.CSV", b"")
    assert "- Training.CSV: the name has to be training.csv" in export.refusal()


@pytest.mark.parametrize(
    ("copy", "name"),
    [
        ("people (1).csv", "people.csv"),
        ("training(12).csv", "training.csv"),
        ("People - copia.csv", "people.csv"),
        ("accreditations - Copy (3).csv", "accreditations.csv"),
        ("people (còpia).csv", "people.csv"),
    ],
)
def test_a_second_download_or_a_copy_beside_a_file_stops_the_run(export: Export, copy: str, name: str) -> None:
    export.write(copy, b"")
    assert f"- {copy}: stands beside {name}" in export.refusal()


@pytest.mark.parametrize("name", ["people.csv.bak", "people-2025.csv", "people.copy.csv", "notes (1).csv"])
def test_other_files_beside_the_export_are_left_alone(export: Export, name: str) -> None:
    export.write(name, b"")
    assert export.read().problems == ()


def test_hashes_under_a_name_in_other_letter_case_are_refused(export: Export) -> None:
    export.write("sha256sums", b"")
    assert "- sha256sums: the name has to be SHA256SUMS" in export.refusal()


@pytest.mark.parametrize("present", ["training.csv", "accreditations.csv"])
def test_one_of_the_two_other_files_is_enough(export: Export, present: str) -> None:
    for name in {"training.csv", "accreditations.csv"} - {present}:
        (export.folder / name).unlink()
    assert len(export.read().sources) == 2


def test_people_alone_are_refused(empty: Export) -> None:
    assert "both are missing" in empty.person().refusal()


def test_all_faults_are_named_in_one_refusal(export: Export) -> None:
    export.change("people.csv", "given_name", "x").write("accreditations.csv", b"")
    export.append("training.csv", 'a;"b')
    message = export.refusal({"people.csv": 100})
    assert all(f"\n- {name}: " in message for name in ("people.csv", "accreditations.csv", "training.csv"))


@pytest.mark.parametrize("name", ["people.csv", "training.csv", "SHA256SUMS"])
def test_a_directory_in_place_of_a_file_is_refused(export: Export, name: str) -> None:
    (export.folder / name).unlink(missing_ok=True)
    (export.folder / name).mkdir()
    assert f"{name}: cannot be read" in export.refusal()


@pytest.mark.parametrize("name", ["people.csv", "accreditations.csv", "SHA256SUMS"])
def test_a_symbolic_link_to_itself_is_refused(export: Export, name: str) -> None:
    (export.folder / name).unlink(missing_ok=True)
    (export.folder / name).symlink_to(name)
    assert f"{name}: cannot be read" in export.refusal()


def test_a_named_pipe_is_refused_and_not_waited_for(export: Export) -> None:
    (export.folder / "training.csv").unlink()
    os.mkfifo(export.folder / "training.csv")
    assert "training.csv: cannot be read" in export.refusal()


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \n\r\n"])
def test_a_file_without_header_is_refused(export: Export, content: bytes) -> None:
    assert "training.csv: the file is empty" in export.write("training.csv", content).refusal()


@pytest.mark.parametrize("start", ["\n", "\r\n", "\ufeff\n", "  \n", ";;;\n"])
def test_a_first_line_that_is_empty_is_told(export: Export, start: str) -> None:
    message = export.write("people.csv", start + export.text("people.csv")).refusal()
    assert "people.csv: the first line, where the header has to be, is empty." in message
    assert "the header has:" not in message


def test_a_header_without_rows_is_no_fault(export: Export) -> None:
    header = export.text("accreditations.csv").splitlines()[0]
    assert export.write("accreditations.csv", header).read().problems == ()


def test_nul_bytes_are_refused_with_their_place(export: Export) -> None:
    export.change("people.csv", "Biel", "Bi\0el")
    assert "people.csv: a NUL byte stands at byte offset" in export.refusal()


def test_utf_16_is_refused_with_a_hint(export: Export) -> None:
    text = (export.folder / "people.csv").read_text()
    assert "UTF-16" in export.write("people.csv", text.encode("utf-16")).refusal()


# --- encodings --------------------------------------------------------------------------------


def test_a_byte_order_mark_is_allowed(export: Export) -> None:
    content = (export.folder / "people.csv").read_bytes()
    assert export.write("people.csv", b"\xef\xbb\xbf" + content).read().problems == ()


def test_an_undecodable_byte_is_refused_with_offset_and_line(export: Export) -> None:
    content = (export.folder / "people.csv").read_bytes().replace(b"Biel", b"Bi\xffel")
    offset = content.index(b"\xff")
    message = export.write("people.csv", content).refusal()
    assert f"the byte 0xFF at byte offset {offset}, line 3" in message


def test_the_offset_counts_the_byte_order_mark(export: Export) -> None:
    content = b"\xef\xbb\xbf" + (export.folder / "people.csv").read_bytes().replace(b"Biel", b"Bi\xffel")
    assert f"byte offset {content.index(bytes([255]))}," in export.write("people.csv", content).refusal()


def test_windows_1252_in_place_of_utf_8_is_refused_with_a_hint(export: Export) -> None:
    export.encoding = "windows-1252"
    assert "may be Windows-1252" in export.person("10000002Q", given_name="Núria").refusal()


@pytest.mark.parametrize("content", [b"\xef", b"\xef\xbb", b"person_id\xc3"])
def test_a_character_cut_at_the_end_of_the_file_is_refused(export: Export, content: bytes) -> None:
    assert "is not utf-8" in export.write("people.csv", content).refusal()


def test_bytes_of_no_known_encoding_get_no_hint(export: Export) -> None:
    message = export.write("people.csv", b"person_id;\xc3\x28\x81\n").refusal()
    assert "is not utf-8" in message
    assert "Windows-1252" not in message


def test_windows_1252_is_read_where_the_configuration_says_so(export: Export) -> None:
    export.encoding = "windows-1252"
    registry = export.person("10000002Q", given_name="Núria").read(encoding="windows-1252")
    assert registry.records["10000002Q"].person.given_name == "Núria"


def test_a_byte_windows_1252_does_not_have_is_refused(export: Export) -> None:
    content = (export.folder / "people.csv").read_bytes().replace(b"Biel", b"Bi\x81el")
    assert "0x81" in export.write("people.csv", content).refusal(encoding="windows-1252")


def test_utf_8_in_place_of_windows_1252_is_refused_before_names_are_mangled(export: Export) -> None:
    export.person("10000002Q", given_name="Núria")
    assert "people.csv: the configuration says windows-1252" in export.refusal(encoding="windows-1252")


# --- quotes -----------------------------------------------------------------------------------


def test_an_odd_number_of_quotation_marks_is_refused(export: Export) -> None:
    message = export.append("training.csv", ROW.format('Pantalla 12" nova')).refusal()
    assert "number of quotation marks is odd" in message
    assert "line 4" in message


def test_quotation_marks_in_pairs_within_a_cell_are_read_as_they_stand(export: Export) -> None:
    registry = export.append("training.csv", ROW.format('"Taller ""digital"""')).read()
    assert registry.records["10000000Z"].participations[1].activity.title == 'Taller "digital"'


def test_a_quotation_mark_left_open_is_refused(export: Export) -> None:
    message = export.append("training.csv", ROW.format('"Taller')).refusal()
    assert "line 4: the row cannot be split" in message


def test_text_after_a_closing_quotation_mark_is_refused(export: Export) -> None:
    assert "line 4: the row" in export.append("training.csv", ROW.format('"Taller" digital')).refusal()


def test_a_refusal_never_shows_a_control_character(export: Export) -> None:
    content = export.append("training.csv", ROW.format('"Taller" digital')).folder / "training.csv"
    message = export.write("training.csv", content.read_text().replace(";", "\t")).refusal()
    assert all(mark.isprintable() or mark == "\n" for mark in message)


def test_a_cell_that_swallowed_whole_rows_is_refused(export: Export) -> None:
    export.append("training.csv", ROW.format('"Taller'), ROW.format("dins"), ROW.format('fora"'))
    assert "lines 4 to 6: a quotation mark is left open" in export.refusal()


def test_a_cell_that_ran_into_the_next_row_and_broke_the_count_is_refused(export: Export) -> None:
    export.append("training.csv", ROW.format('"Taller'), 'fora";course')
    assert "lines 4 to 5: a quotation mark is left open" in export.refusal()


def test_a_header_over_several_lines_is_refused(export: Export) -> None:
    export.change("people.csv", "second_surname", 'second_surname;"notes').append("people.csv", '"')
    assert "a quotation mark is left open" in export.refusal()


def test_a_title_over_two_lines_is_read_and_lines_stay_physical(export: Export) -> None:
    export.append("training.csv", ROW.format('"Taller\ndigital"'), ROW.format("x").replace("30;", "abc;"))
    problem = export.problem()
    assert (problem.line, problem.column) == (6, "hours")


@pytest.mark.parametrize(("delimiters", "refused"), [(9, False), (10, True)])
def test_a_cell_over_two_lines_may_hold_fewer_delimiters_than_a_row(
    export: Export, delimiters: int, refused: bool
) -> None:
    export.append("training.csv", ROW.format('"Taller\n' + ";" * delimiters + '"'))
    if refused:
        assert "one cell runs over several rows" in export.refusal()
    else:
        assert export.read().problems == ()


def test_an_enormous_cell_is_refused(export: Export) -> None:
    assert "cannot be split" in export.append("training.csv", ROW.format("a" * 200_000)).refusal()


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_every_line_end_is_read_and_counted(export: Export, line_end: str) -> None:
    export.change("people.csv", "Biel", "").change("people.csv", "\n", line_end)
    assert export.problem().line == 3


# --- hashes -----------------------------------------------------------------------------------

ALL = ("people.csv", "training.csv", "accreditations.csv")


@pytest.mark.parametrize("form", ["{digest}  {name}", "{digest} *{name}", "{digest}  ./{name}", "{digest}  {name}\r"])
def test_matching_hashes_are_accepted(export: Export, form: str) -> None:
    assert export.sums(*ALL, form=form).read().problems == ()


def test_a_file_changed_after_hashing_is_refused(export: Export) -> None:
    assert "training.csv: its SHA-256 is" in export.sums(*ALL).change("training.csv", "30", "60").refusal()


def test_a_file_that_is_not_listed_is_refused(export: Export) -> None:
    assert "accreditations.csv is not listed" in export.sums(*ALL[:2]).refusal()


def test_a_listed_file_that_is_missing_is_refused(export: Export) -> None:
    export.write("notes.txt", "x").sums(*ALL, "notes.txt")
    (export.folder / "notes.txt").unlink()
    assert "notes.txt is listed but cannot be read" in export.refusal()


def test_a_listed_file_of_another_kind_has_to_match_too(export: Export) -> None:
    export.write("notes.txt", "x").sums(*ALL, "notes.txt").write("notes.txt", "y")
    assert "notes.txt: its SHA-256" in export.refusal()


@pytest.mark.parametrize(
    "line", ["nonsense", "abc  people.csv", f"{'0' * 64} people.csv", f"{'0' * 64}  ../x", "\x1b["]
)
def test_a_malformed_line_of_hashes_is_refused(export: Export, line: str) -> None:
    export.sums(*ALL).append("SHA256SUMS", line)
    assert "SHA256SUMS: line 4 is not of the form" in export.refusal()


def test_a_second_different_hash_is_refused(export: Export) -> None:
    export.sums(*ALL).append("SHA256SUMS", f"{'0' * 64}  people.csv")
    assert "line 4 gives people.csv a second" in export.refusal()


def test_hashes_that_are_no_text_are_refused(export: Export) -> None:
    assert "SHA256SUMS: cannot be read" in export.write("SHA256SUMS", b"\xff\xfe").refusal()


# --- shrinking --------------------------------------------------------------------------------


def _people(export: Export, rows: int) -> Export:
    header = export.text("people.csv").splitlines()[0]
    return export.write("people.csv", "\n".join([header, *(["10000000Z;Ana;Pons;Vila"] * rows)]))


@pytest.mark.parametrize(
    ("rows", "before", "share"), [(90, 100, 0.1), (930, 1000, 0.07), (1, 100, 0.99), (100, 100, 0)]
)
def test_a_file_may_lose_just_the_configured_share(export: Export, rows: int, before: int, share: float) -> None:
    assert _people(export, rows).read({"people.csv": before}, max_shrink=share).sources[0].rows == rows


@pytest.mark.parametrize(("rows", "before", "share"), [(89, 100, 0.1), (929, 1000, 0.07), (99, 100, 0)])
def test_a_file_that_lost_one_row_more_is_refused(export: Export, rows: int, before: int, share: float) -> None:
    message = _people(export, rows).refusal({"people.csv": before}, max_shrink=share)
    assert f"people.csv: has {rows} rows, but {before}" in message
    assert "raise registry.max_shrink in the configuration, or run once with --accept-shrink" in message


def test_any_size_is_accepted_where_no_previous_rows_are_given(export: Export) -> None:
    assert _people(export, 1).read(None).sources[0].rows == 1


def test_rejected_rows_count_as_rows(export: Export) -> None:
    export.append("people.csv", "too;few")
    assert export.read({"people.csv": 3}, max_shrink=0).sources[0].rows == 3


def test_a_file_that_was_there_at_the_last_run_must_not_be_missing(export: Export) -> None:
    (export.folder / "accreditations.csv").unlink()
    message = export.refusal({"accreditations.csv": 1})
    assert "accreditations.csv: the file is missing, but the last run read 1 rows" in message
    assert "--accept-shrink" in message


# --- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_that_is_none_is_a_fault_of_the_configuration(share: float) -> None:
    with pytest.raises(ConfigurationError, match="max_shrink"):
        RegistryOptions(max_shrink=share)


def test_an_unknown_encoding_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="encoding"):
        RegistryOptions(encoding="utf-7")  # type: ignore[arg-type]


def test_an_alias_of_no_column_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="no column"):
        RegistryOptions(aliases={"Centre": "school"})


# --- many rows --------------------------------------------------------------------------------


def test_rows_taken_in_several_portions_keep_their_lines(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealtool.registry.table._CHUNK_ROWS", 2)
    export.append("training.csv", *([ROW.format("x")] * 4), ROW.format("y").replace(";30;", ";abc;"))
    problem = export.problem()
    assert (problem.line, problem.value) == (8, "abc")


def test_many_cells_over_several_rows_are_counted_and_not_all_listed(export: Export) -> None:
    message = export.append("training.csv", *(['a;"b', 'c"'] * 12)).refusal()
    assert message.count("a quotation mark is left open") == 10
    assert "and 2 more cells" in message
