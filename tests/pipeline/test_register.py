"""The register as a file: complete, safe to open, and told to nobody more than it must be."""

import contextlib
import csv
import io
import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealtool.errors import LedgerInconsistentError
from sealtool.ledger import CertificateState, RegisterEntry
from sealtool.model import CertificateId, Person, PersonId
from sealtool.registering import Form, _csv_line, masked_id
from tests.exports import write_plain_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, Write, b1_by_test

A, B, C = PEOPLE[:3]
SCHEMA = json.loads((REPOSITORY / "docs/schemas/register-1.schema.json").read_bytes())


@pytest.fixture(scope="module")
def issued_once(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A has B1; B has areas 1 and 2 of A1, and no certificate of it. Not to be touched."""
    place = tmp_path_factory.mktemp("register")
    folder = quick_demo_folder.copied_to(place / "work")
    grants = [b1_by_test(A), *((B, "A1", area, "test", f"2025-02-0{area}", "") for area in ("1", "2"))]
    registry = write_plain_export(place / "registry", [A, B], grants, ["Aina"])
    assert folder.call("issue", "--level", "B1", "--person", A, "--registry", registry).code == 0
    folder.call("issue", "--level", "A1", "--person", B, "--registry", registry)
    return folder


@pytest.fixture
def folder(issued: Folder) -> Folder:
    return issued


def entries(folder: Folder, *arguments: object) -> list[dict[str, Any]]:
    outcome = folder.call("register", *arguments, "--json")
    assert outcome.code == 0
    jsonschema.Draft202012Validator(SCHEMA).validate(outcome.json)
    found: list[dict[str, Any]] = outcome.json["entries"]
    return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def test_a_level_is_listed_with_its_areas_and_its_certificate(folder: Folder) -> None:
    (certificate,) = (path for path in folder.certificates if path.parent.name == "B1")
    (entry,) = entries(folder, "--level", "B1", "--person", A)
    assert (entry["person_id"], entry["given_name"], entry["first_surname"]) == (A, "Aina", "Fictícia")
    assert (entry["accredited_on"], entry["procedures"]) == ("2025-03-12", ["test"])
    assert [one["area"] for one in entry["areas"]] == [1, 2, 3, 4, 5, 6]
    assert (entry["certificate_id"], entry["state"]) == (certificate.stem, "issued")
    assert [folder.path / "out" / path for path in entry["files"]] == [certificate]


def test_areas_of_a_level_not_reached_are_listed_without_a_certificate(folder: Folder) -> None:
    (entry,) = entries(folder, "--person", B, "--level", "A1")
    assert (entry["accredited_on"], entry["certificate_id"], entry["state"]) == (None, None, "none")
    assert entry["areas"] == [
        {"area": 1, "covered_on": "2025-02-01", "procedure": "test"},
        {"area": 2, "covered_on": "2025-02-02", "procedure": "test"},
    ]


def test_a_name_is_told_by_a_certificate_of_another_level(folder: Folder, write_registry: Write) -> None:
    registry = write_registry([B], [b1_by_test(B)], name="later", names=["Joana"])
    folder.call("issue", "--level", "B1", "--registry", registry, "--accept-shrink")
    (entry,) = entries(folder, "--person", B, "--level", "A1")
    assert (entry["state"], entry["given_name"]) == ("none", "Joana")


def test_the_table_says_what_the_json_says(folder: Folder) -> None:
    outcome = folder.call("register")
    assert outcome.code == 0
    assert outcome.out.startswith("\ufeffperson_id;")
    listed = entries(folder)
    found = rows(outcome.out)
    assert [(row["person_id"], row["level"], row["state"], row["accredited_on"]) for row in found] == [
        (one["person_id"], one["level"], one["state"], one["accredited_on"] or "") for one in listed
    ]
    (reached,) = (row for row in found if row["state"] == "issued")
    assert (reached["area_6_on"], reached["area_6_by"]) == ("2025-03-12", "test")
    assert folder.call("register", "--no-bom").out == outcome.out.removeprefix("\ufeff")


def test_only_what_was_asked_for_is_listed(folder: Folder) -> None:
    assert {one["level"] for one in entries(folder, "--level", "B1")} == {"B1"}
    assert {one["state"] for one in entries(folder, "--state", "none")} == {"none"}
    assert {one["state"] for one in entries(folder, "--state", "issued")} == {"issued"}
    assert entries(folder, "--state", "revoked", "--state", "superseded") == []


def test_whoever_the_register_does_not_know_is_wrong_usage(folder: Folder) -> None:
    outcome = folder.call("register", "--person", C)
    assert outcome.code == 2
    assert C in outcome.err
    assert outcome.out == ""


def test_a_c2_area_stands_by_itself(folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [(B, "C2", area, "evidence", f"2025-05-0{area}", "") for area in ("2", "6")])
    folder.call("issue", "--level", "C2", "--registry", registry, "--accept-shrink")
    found = entries(folder, "--level", "C2")
    assert [(one["area"], one["accredited_on"], one["state"]) for one in found] == [
        (2, "2025-05-02", "issued"),
        (6, "2025-05-06", "issued"),
    ]


def test_the_register_is_written_to_a_file_that_nobody_else_may_read(folder: Folder, tmp_path: Path) -> None:
    output = tmp_path / "register.csv"
    assert folder.call("register", "--output", output).code == 0
    assert output.read_bytes().decode() == folder.call("register").out
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert folder.call("register", "--output", output, "--level", "B1").code == 0
    assert len(rows(output.read_text(encoding="utf-8"))) == 1
    assert sorted(path.name for path in tmp_path.iterdir() if "unfinished" in path.name) == []


def test_a_register_takes_the_place_of_an_earlier_one_and_of_nothing_else(folder: Folder) -> None:
    ledger = folder.path / "ledger.sqlite"
    before = ledger.read_bytes()
    outcome = folder.call("register", "--output", ledger)
    assert outcome.code == 2
    assert ledger.read_bytes() == before


def test_a_folder_that_is_not_there_is_said_in_plain_words(folder: Folder, tmp_path: Path) -> None:
    outcome = folder.call("register", "--output", tmp_path / "missing" / "register.csv")
    assert outcome.code == 3
    assert "No such file" in outcome.err
    assert "pending" not in outcome.err


def test_a_register_of_the_program_itself_reaches_a_pipe(folder: Folder) -> None:
    command = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration), "register"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.decode() == folder.call("register").out


# --- what a spreadsheet might compute, and what a published list may tell ------------------------------------


def entry(person_id: str, given_name: str, surname: str = "Fictícia", **facts: Any) -> RegisterEntry:
    person = Person(PersonId(person_id), given_name, surname)
    return RegisterEntry(
        PersonId(person_id), person, "B1", None, "2025-03-12", ("test",), (), CertificateId("C"), **facts
    )


@pytest.mark.parametrize("name", ["=1+1", "+34", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "'quoted", "Aina", "l'Ànec"])
def test_no_cell_is_taken_for_a_formula_and_every_cell_can_be_read_back(name: str) -> None:
    text = b"".join(Form().write([entry(A, name)])).decode()
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";")
    cell = row["given_name"]
    assert cell[0] not in "=+-@\t\r\n"
    assert cell.removeprefix("'") == name


_SPREADSHEET_TEXT = st.text(
    st.one_of(st.sampled_from("=+-@\t\r\n'\";, ＝＋－＠"), st.characters(exclude_categories=["Cs"])), max_size=12
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(_SPREADSHEET_TEXT, min_size=1, max_size=4))
def test_of_no_text_whatsoever_comes_a_formula_or_another_cell_and_each_is_read_back(texts: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(_csv_line(texts).decode(), newline=""), delimiter=";")
    assert [cell for cell in row if cell[:1] in set("=+-@\t\r\n＝＋－＠")] == []
    assert [cell.removeprefix("'") for cell in row] == texts


@pytest.mark.parametrize(
    ("person_id", "shown"),
    [("12345678Z", "***4567**"), ("00000000T", "***0000**"), ("X1234567L", "****4567*"), ("Z7654321M", "****4321*")],
)
def test_a_masked_id_shows_four_digits_and_no_letter(person_id: str, shown: str) -> None:
    assert masked_id(PersonId(person_id)) == shown


@pytest.mark.parametrize("as_json", [False, True])
def test_a_masked_register_shows_no_id_in_full_and_is_not_in_the_order_of_ids(as_json: bool) -> None:
    given = [entry(A, "Zoe", "Zamora"), entry(B, "Bel", "Azor"), entry(C, "Aina", "Àvila"), entry(C, "Aina", "Abad")]
    text = b"".join(Form(as_json=as_json, masked=True).write(given)).decode()
    assert not any(person in text for person in (A, B, C))
    places = [text.index(name) for name in ("Abad", "Àvila", "Azor", "Zamora")]
    assert places == sorted(places)


def test_a_masked_register_does_not_lead_to_the_documents_which_have_the_id_in_full(folder: Folder) -> None:
    (told,) = entries(folder, "--masked")
    assert (told["given_name"], told["level"], told["accredited_on"]) == ("Aina", "B1", "2025-03-12")
    assert (told["certificate_id"], told["files"]) == (None, [])
    text = folder.call("register", "--masked").out
    assert not any(path.stem in text for path in folder.certificates)


def test_a_masked_register_lists_what_is_in_force_where_nothing_else_is_asked_for(folder: Folder) -> None:
    assert [one["state"] for one in entries(folder, "--masked")] == ["issued"]
    assert {one["state"] for one in entries(folder, "--masked", "--state", "none")} == {"none"}
    assert A not in folder.call("register", "--masked").out


def test_the_register_is_written_as_it_is_read() -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield entry(A, "Aina", state=CertificateState.ISSUED)

    pieces = Form().write(endless())
    for _ in range(10):
        next(pieces)
    assert taken == 9  # one piece is the header


def test_a_decision_that_somebody_changed_by_hand_stops_the_export_in_plain_words(folder: Folder) -> None:
    (certificate,) = (path for path in folder.certificates if path.parent.name == "B1")
    with contextlib.closing(sqlite3.connect(folder.path / "ledger.sqlite")) as connection, connection:
        connection.execute("UPDATE certificates SET decision = '[]' WHERE certificate_id = ?", [certificate.stem])
    for command in ("register", "report"):
        outcome = folder.call(command, "--json")
        assert outcome.code == LedgerInconsistentError.exit_code
        assert f"what is written there of certificate {certificate.stem} cannot be read" in outcome.err
    examined = folder.call("ledger", "verify", "--json").json["findings"]
    assert [(one["code"], one["certificate_id"]) for one in examined] == [("ROW_DIFFERS", certificate.stem)]


@pytest.mark.parametrize("seal", ["[]", "{}"])
def test_a_seal_that_somebody_changed_by_hand_stops_archive_and_manifest_in_plain_words(
    folder: Folder, tmp_path: Path, seal: str
) -> None:
    (path,) = (path for path in folder.certificates if path.parent.name == "B1")
    with contextlib.closing(sqlite3.connect(folder.path / "ledger.sqlite")) as connection, connection:
        connection.execute("UPDATE documents SET seal = ? WHERE path LIKE ?", [seal, f"%{path.name}"])
    expected = f"what is written there of document {path.relative_to(folder.path / 'out')} cannot be read"
    exported = folder.call("export", "--eni", tmp_path / "archive")
    assert (exported.code, expected in exported.err) == (LedgerInconsistentError.exit_code, True)
    revoked = folder.call("revoke", path.stem, "--reason", "It was wrong.", "--yes")
    assert (revoked.code, expected in revoked.err) == (LedgerInconsistentError.exit_code, True)
