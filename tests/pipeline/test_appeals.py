"""Replacing and withdrawing what was issued: a human decides, one certificate is in force, and nothing is lost."""

import json
import os
import pty
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pypdf import PdfReader

from sealtool.appeals import Grounds, Proposal
from sealtool.errors import LedgerLockedError
from sealtool.ledger import CertificateState, CertificateStory
from sealtool.model import CertificateId, CertificateOrder, Level
from sealtool.planning import Scope
from sealtool.rendering import RenderingOptions
from sealtool.upholding import Upheld
from sealtool.workspace import tasks
from tests.exports import write_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, Outcome, b1_by_test
from tests.pipeline.test_crashes import ended_by, in_a_child, killed_after, killed_at_step

A, B, C = PEOPLE[:3]
B1 = Scope((Level.B1,))
WHY = "Transcription error found on appeal"
UPHELD = ("--by", "Comissió d'Acreditació", "--file", "GOIB-E-77/2026")


@pytest.fixture(scope="module")
def issued_once(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Two certificates of B1 at B-B; not to be touched."""
    folder = quick_demo_folder.copied_to(tmp_path_factory.mktemp("issued") / "work")
    folder.workspace.issue(export(folder.path / "registry"), B1)
    return folder


@pytest.fixture
def folder(issued_once: Folder, tmp_path: Path) -> Folder:
    return issued_once.copied_to(tmp_path / "work")


@pytest.fixture
def registry(folder: Folder) -> Path:
    return folder.path / "registry"


def export(folder: Path, *, name: str = "Aina", day: str = "2025-03-12", people: tuple[str, ...] = (A, B)) -> Path:
    """Two people with B1; name and day are those of A."""
    names = [(person, name if person == A else "Joan", "Fictícia", "") for person in (A, B)]
    grants = [b1_by_test(person, day if person == A else "2025-03-12") for person in people]
    # what does not concern B1 keeps the export from shrinking
    grants += [(B, "A1", "", "test", f"2025-01-0{number}", "") for number in range(1, 9)]
    return write_export(folder, names, grants)


def certificate_of(folder: Folder, person: str = A) -> str:
    with folder.workspace.ledger() as ledger:
        return next(
            str(one.certificate_id) for one in ledger.certificates_on_record([Level.B1]) if one.person_id == person
        )


def story(folder: Folder, certificate_id: str) -> CertificateStory:
    with folder.workspace.ledger() as ledger:
        found = ledger.story(CertificateId(certificate_id))
    assert found is not None
    return found


def reissue(folder: Folder, certificate_id: str, *more: object, reason: str = WHY) -> Outcome:
    registry = () if "--registry" in more else ("--registry", folder.path / "registry")
    return folder.call("reissue", certificate_id, "--reason", reason, "--yes", *registry, *more)


def states(folder: Folder) -> list[tuple[int, str]]:
    """Of all certificates of A, oldest first."""
    with sqlite3.connect(folder.path / "ledger.sqlite") as connection:
        query = "SELECT generation, state FROM certificates WHERE person_id = ? ORDER BY generation, state"
        rows = connection.execute(query, (A,)).fetchall()
    connection.close()
    return rows


def entries(folder: Folder) -> dict[str, dict[str, Any]]:
    """What the newest manifest that lists it says of each certificate."""
    said: dict[str, dict[str, Any]] = {}
    for manifest in folder.manifests:
        for entry in json.loads(manifest.read_bytes())["documents"]:
            said[entry["certificate_id"]] = entry
    return said


def verdicts(folder: Folder) -> dict[str, list[str]]:
    files = folder.call("verify", folder.path / "out", "--json").json["files"]
    return {one["certificate"]["certificate_id"]: codes(one) for one in files if one["certificate"]}


def codes(judged: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in judged["reasons"]]


def plan(folder: Folder, registry: Path) -> list[tuple[str, str]]:
    decisions = folder.call("plan", "--level", "B1", "--registry", registry, "--json").json["decisions"]
    return [(one["person_id"], one["action"]) for one in decisions]


def issue(folder: Folder, registry: Path) -> Outcome:
    return folder.call("issue", "--level", "B1", "--registry", registry, "--json")


def contents(folder: Folder) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (folder.path / "out").rglob("*") if path.is_file()}


# --- reissuing -------------------------------------------------------------------------------------------


@pytest.fixture
def corrected(folder: Folder, tmp_path: Path) -> Path:
    """The export of today: A is called otherwise."""
    return export(tmp_path / "corrected", name="Aina Maria")


def test_a_corrected_name_reaches_a_new_certificate_and_the_old_one_is_superseded(
    folder: Folder, corrected: Path
) -> None:
    old = certificate_of(folder)
    outcome = reissue(folder, old, "--registry", corrected, "--json")
    assert outcome.code == 0
    new = outcome.json["certificate_id"]
    assert outcome.json["replaces"] == old != new
    assert outcome.json["changes"] == [{"item": "given_name", "was": "Aina", "is": "Aina Maria", "upheld": False}]
    assert story(folder, old).certificate.state is CertificateState.SUPERSEDED
    assert story(folder, old).newest.certificate_id == new
    assert certificate_of(folder) == new
    assert states(folder) == [(0, "superseded"), (1, "issued")]


def test_both_certificates_are_listed_with_each_other_in_the_manifest_of_the_run(
    folder: Folder, corrected: Path
) -> None:
    old = certificate_of(folder)
    report = reissue(folder, old, "--registry", corrected, "--json").json
    manifest = json.loads((folder.path / "out" / report["manifest"]).read_bytes())
    jsonschema.validate(manifest, json.loads((REPOSITORY / "docs/schemas/manifest-1.schema.json").read_bytes()))
    listed = {
        one["certificate_id"]: (one["state"], one["predecessor"], one["successor"]) for one in manifest["documents"]
    }
    new = report["certificate_id"]
    assert listed == {old: ("superseded", None, new), new: ("issued", old, None)}


def test_the_record_in_the_new_file_names_the_certificate_it_replaces(folder: Folder, corrected: Path) -> None:
    old = certificate_of(folder)
    new = reissue(folder, old, "--registry", corrected, "--json").json["certificate_id"]
    (file,) = (path for path in folder.certificates if path.stem == new)
    record = json.loads(PdfReader(file).attachments["record.json"][0])
    schema = json.loads((REPOSITORY / "docs/schemas/record-1.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(record)
    assert record["replaces"] == old
    judged = folder.call("verify", file, "--json").json["files"][0]
    assert (judged["verdict"], judged["certificate"]["replaces"]) == ("PASSED", old)
    text = subprocess.run(["pdftotext", str(file), "-"], check=True, capture_output=True, text=True).stdout
    assert f"Substitueix el certificat: {old}" in text
    assert f"Sustituye al certificado: {old}" in text


def test_verify_says_of_the_old_file_which_one_took_its_place(folder: Folder, corrected: Path) -> None:
    old = certificate_of(folder)
    other = certificate_of(folder, B)
    before = next(path for path in folder.certificates if path.stem == old).read_bytes()
    new = reissue(folder, old, "--registry", corrected, "--json").json["certificate_id"]
    assert verdicts(folder) == {old: ["SUPERSEDED"], new: [], other: []}
    judged = folder.call("verify", folder.manifests[-1], "--json").json["files"]
    (superseded,) = (one for one in judged if codes(one))
    assert new in superseded["reasons"][0]["message"]
    assert next(path for path in folder.certificates if path.stem == old).read_bytes() == before


def test_after_a_reissue_there_is_nothing_more_to_do(folder: Folder, corrected: Path) -> None:
    assert plan(folder, corrected) == [(A, "changed"), (B, "none")]
    reissue(folder, certificate_of(folder), "--registry", corrected)
    assert plan(folder, corrected) == [(A, "none"), (B, "none")]
    files = contents(folder)
    again = issue(folder, corrected)
    assert (again.code, again.json["issued"], again.json["manifest"]) == (0, [], None)
    assert contents(folder) == files
    assert folder.call("status").code == 0


def test_plan_says_which_command_carries_a_change_out(folder: Folder, corrected: Path) -> None:
    old = certificate_of(folder)
    assert f"sealtool reissue {old} --reason" in folder.call("plan", "--level", "B1", "--registry", corrected).out
    without = export(folder.path / "without", people=(B,))
    said = folder.call("plan", "--level", "B1", "--registry", without).out
    assert f"sealtool revoke {old} --reason" in said


def test_without_a_terminal_and_without_yes_nothing_is_done(folder: Folder, corrected: Path) -> None:
    old, files = certificate_of(folder), contents(folder)
    outcome = folder.call("reissue", old, "--reason", WHY, "--registry", corrected)
    assert outcome.code == 2
    (changed,) = (line.split() for line in outcome.err.splitlines() if line.endswith("changed"))
    assert changed == ["given_name", "Aina", "Aina", "Maria", "changed"]
    assert "add --yes" in outcome.err
    assert contents(folder) == files
    assert states(folder) == [(0, "issued")]


def at_a_terminal(folder: Folder, *arguments: str, answer: str) -> tuple[int, str]:
    """The exit code of the program, and what it shows to somebody who types this."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    command = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration), *arguments]
    done = subprocess.run(command, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL, check=False, timeout=120)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    return done.returncode, shown


@pytest.mark.parametrize(
    ("answer", "expected", "after"),
    [("y\n", 0, "superseded"), pytest.param("n\n", 1, "issued", marks=pytest.mark.long)],
)
def test_at_a_terminal_a_human_is_asked(
    folder: Folder, corrected: Path, answer: str, expected: int, after: str
) -> None:
    old = certificate_of(folder)
    code, shown = at_a_terminal(folder, "reissue", old, "--reason", WHY, "--registry", str(corrected), answer=answer)
    assert f"Supersede {old} by this certificate?" in shown
    assert code == expected
    assert story(folder, old).certificate.state == after


@pytest.mark.parametrize("command", ["reissue", pytest.param("revoke", marks=pytest.mark.long)])
def test_a_human_who_does_not_answer_learns_that_nothing_was_done(
    folder: Folder, corrected: Path, command: str
) -> None:
    old, files = certificate_of(folder), contents(folder)
    arguments = ["--registry", str(corrected)] if command == "reissue" else []
    code, shown = at_a_terminal(folder, command, old, "--reason", WHY, *arguments, answer="\x04")  # Ctrl-D
    assert code == 130
    assert shown.endswith("[y/N]: \r\nsealtool: Interrupted before it was confirmed. Nothing was done.\r\n")
    assert contents(folder) == files
    assert states(folder) == [(0, "issued")]


def test_who_why_and_which_file_are_in_the_chain_of_events(folder: Folder, corrected: Path) -> None:
    new = reissue(folder, certificate_of(folder), "--registry", corrected, *UPHELD, "--json").json["certificate_id"]
    with sqlite3.connect(folder.path / "ledger.sqlite") as connection:
        query = "SELECT payload FROM events WHERE kind = 'reissue_decided' AND certificate_id = ?"
        (payload,) = connection.execute(query, (new,)).fetchone()
    connection.close()
    told = json.loads(payload)
    assert told["reason"] == WHY
    assert (told["decided_by"], told["reference"]) == (UPHELD[1], UPHELD[3])
    assert told["called_by"]
    for personal in (A, "Aina", "Fict"):
        assert personal not in payload
    with folder.workspace.ledger() as ledger:
        assert ledger.broken_link() is None


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--reason", f"Certificate of {A} is wrong"),
        ("--reason", f"Certificate of {A[:8]} is wrong"),
        ("--reason", "The DNI 12345678Z is another person's"),
        ("--reason", "Ms FICTICIA asked for it"),
        ("--reason", "It says Aina where it should not"),
        ("--file", "E-2026-Fictícia"),
        ("--by", "Aina Fictícia"),
        ("--reason", " "),
        ("--reason", "one line\nand another"),
        ("--reason", "x" * 501),
    ],
)
def test_texts_that_name_the_holder_or_cannot_be_read_are_refused(
    folder: Folder, corrected: Path, option: str, text: str
) -> None:
    given = {"--reason": WHY, option: text}
    options = [word for pair in given.items() for word in pair]
    outcome = folder.call("reissue", certificate_of(folder), "--yes", "--registry", corrected, *options)
    assert outcome.code == 2
    assert option in outcome.err
    assert text not in outcome.err or not text.strip()
    assert states(folder) == [(0, "issued")]


def test_an_official_may_share_a_name_with_the_holder(folder: Folder, corrected: Path) -> None:
    assert reissue(folder, certificate_of(folder), "--registry", corrected, "--by", "Aina Ferrer").code == 0


def test_the_same_content_is_not_issued_again_by_accident(folder: Folder, registry: Path) -> None:
    old = certificate_of(folder)
    refused = reissue(folder, old)
    assert refused.code == 2
    assert "--again" in refused.err
    assert states(folder) == [(0, "issued")]
    assert reissue(folder, old, "--again").code == 0
    assert states(folder) == [(0, "superseded"), (1, "issued")]
    assert plan(folder, registry) == [(A, "none"), (B, "none")]


def test_what_was_superseded_is_refused_with_the_id_of_the_one_in_force(folder: Folder, corrected: Path) -> None:
    old = certificate_of(folder)
    new = reissue(folder, old, "--registry", corrected, "--json").json["certificate_id"]
    for command in ("reissue", "revoke"):
        refused = folder.call(command, old, "--reason", "Another reason", "--yes")
        assert refused.code == 2
        assert new in refused.err
    assert states(folder) == [(0, "superseded"), (1, "issued")]


@pytest.mark.parametrize("text", ["nonsense", "7K3M9-PQ2XA-0DV4T-8HJ5C"])
def test_an_id_that_the_ledger_does_not_know_is_wrong_usage(folder: Folder, text: str) -> None:
    assert reissue(folder, text).code == 2
    assert folder.call("revoke", text, "--reason", WHY, "--yes").code == 2


def test_an_id_may_be_typed_as_people_type(folder: Folder, corrected: Path) -> None:
    assert reissue(folder, certificate_of(folder).replace("-", " ").lower(), "--registry", corrected).code == 0


def test_whoever_is_held_gets_no_new_certificate(folder: Folder, tmp_path: Path) -> None:
    broken = export(tmp_path / "broken", name="Aina Maria", day="31/02/2025")
    outcome = reissue(folder, certificate_of(folder), "--registry", broken)
    assert outcome.code == 1
    assert "accreditations.csv line 2" in outcome.err
    assert states(folder) == [(0, "issued")]


def test_a_broken_export_is_exit_4_and_nothing_is_reissued(folder: Folder, corrected: Path) -> None:
    (corrected / "people.csv").unlink()
    assert reissue(folder, certificate_of(folder), "--registry", corrected).code == 4
    assert states(folder) == [(0, "issued")]


def test_a_name_that_cannot_be_printed_is_refused_before_anything_is_reserved(folder: Folder, tmp_path: Path) -> None:
    strange = export(tmp_path / "strange", name="山田")
    outcome = reissue(folder, certificate_of(folder), "--registry", strange)
    assert outcome.code == 1
    assert "U+5C71" in outcome.err
    assert states(folder) == [(0, "issued")]


@pytest.mark.long
def test_a_chain_of_five_is_one_in_force_and_four_superseded_in_a_row(folder: Folder, tmp_path: Path) -> None:
    chain = [certificate_of(folder)]
    for number in range(1, 5):
        registry = export(tmp_path / f"registry-{number}", name=f"Aina {'I' * number}")
        chain.append(reissue(folder, chain[-1], "--registry", registry, "--json").json["certificate_id"])
    assert states(folder) == [*((number, "superseded") for number in range(4)), (4, "issued")]
    said = entries(folder)
    for number, certificate_id in enumerate(chain):
        entry = said[certificate_id]
        assert entry["predecessor"] == (chain[number - 1] if number else None)
        assert entry["successor"] == (chain[number + 1] if number < 4 else None)
    judged = verdicts(folder)
    assert [judged[one] for one in chain] == [["SUPERSEDED"]] * 4 + [[]]
    assert plan(folder, registry) == [(A, "none"), (B, "none")]
    assert issue(folder, registry).json["issued"] == []
    assert chain[-1] in reissue(folder, chain[1], "--registry", registry, reason="Yet another").err
    assert folder.call("status").code == 0


def test_each_language_of_a_reissued_certificate_is_listed_again(folder: Folder, corrected: Path) -> None:
    folder.configure("one_file_per_language = false", "one_file_per_language = true")
    first = reissue(folder, certificate_of(folder), "--registry", corrected, "--json").json["certificate_id"]
    second = reissue(folder, first, "--registry", corrected, "--again", "--json").json
    manifest = json.loads((folder.path / "out" / second["manifest"]).read_bytes())
    listed = sorted((one["state"], *one["languages"]) for one in manifest["documents"])
    assert listed == [("issued", "ca"), ("issued", "es"), ("superseded", "ca"), ("superseded", "es")]


def test_an_area_of_c2_is_reissued_by_itself(folder: Folder, tmp_path: Path) -> None:
    def c2(day: str, name: str) -> Path:
        registry = export(tmp_path / name)
        with (registry / "accreditations.csv").open("a", encoding="utf-8") as file:
            file.write(f"{A};C2;2;evidence;{day};\n{A};C2;6;evidence;2025-05-05;\n")
        return registry

    folder.call("issue", "--level", "C2", "--registry", c2("2025-05-05", "before"))
    by_area = {
        one["area"]: one["certificate_id"] for one in folder.call("register", "--level", "C2", "--json").json["entries"]
    }
    registry = c2("2025-06-06", "after")
    assert reissue(folder, by_area[2], "--registry", registry).code == 0
    found = folder.call("register", "--level", "C2", "--json").json["entries"]
    assert [(one["area"], one["accredited_on"], one["state"]) for one in found] == [
        (2, "2025-05-05", "superseded"),
        (2, "2025-06-06", "issued"),
        (6, "2025-05-05", "issued"),
    ]
    again = folder.call("issue", "--level", "C2", "--registry", registry, "--json")
    assert (again.code, again.json["issued"], again.json["counts"]["register_lines"]) == (0, [], 0)


# --- what was upheld -------------------------------------------------------------------------------------


def test_what_the_registry_does_not_say_needs_to_be_somebodys_decision_on_paper(folder: Folder) -> None:
    refused = reissue(folder, certificate_of(folder), "--accredited-on", "2025-01-20")
    assert refused.code == 2
    assert "--by and --file are missing." in refused.err
    half = reissue(folder, certificate_of(folder), "--accredited-on", "2025-01-20", *UPHELD[:2])
    assert "in which file; --file is missing." in half.err
    assert states(folder) == [(0, "issued")]


def test_an_upheld_day_is_certified_and_not_called_changed_afterwards(folder: Folder, registry: Path) -> None:
    old = certificate_of(folder)
    outcome = reissue(folder, old, "--accredited-on", "20/01/2025", *UPHELD, "--json")
    assert outcome.code == 0
    assert {"item": "accredited_on", "was": "2025-03-12", "is": "2025-01-20", "upheld": True} in outcome.json["changes"]
    assert plan(folder, registry) == [(A, "none"), (B, "none")]
    assert issue(folder, registry).json["counts"]["register_lines"] == 0
    (entry,) = folder.call("register", "--person", A, "--state", "issued", "--json").json["entries"]
    assert entry["accredited_on"] == "2025-01-20"
    assert {one["covered_on"] for one in entry["areas"]} == {"2025-01-20"}


@pytest.mark.parametrize(
    ("day", "is_early"),
    [pytest.param("2016-01-01", True, marks=pytest.mark.long), ("2020-08-31", True), ("2020-09-01", False)],
)
def test_an_upheld_day_before_anything_counts_is_warned_of_also_with_yes(
    folder: Folder, day: str, *, is_early: bool
) -> None:
    outcome = reissue(folder, certificate_of(folder), "--accredited-on", day, *UPHELD)
    warnings = [line for line in map(json.loads, outcome.err.splitlines()) if line["event"] == "unusual_day"]
    assert (outcome.code, [one["level"] for one in warnings]) == (0, ["WARNING"] * is_early)
    assert all(f"{day} is before 2020-09-01" in one["message"] for one in warnings)


def test_whoever_is_asked_is_asked_about_an_early_day_too(folder: Folder, registry: Path) -> None:
    old = certificate_of(folder)
    arguments = ["reissue", old, "--reason", WHY, "--registry", str(registry), "--accredited-on", "2016-01-01", *UPHELD]
    code, shown = at_a_terminal(folder, *arguments, answer="n\n")
    assert "The day is unusual: 2016-01-01 is before 2020-09-01" in " ".join(shown.split())
    assert (code, states(folder)) == (1, [(0, "issued")])


def test_a_registry_that_says_something_new_after_an_upheld_day_is_called_changed(
    folder: Folder, registry: Path, corrected: Path
) -> None:
    reissue(folder, certificate_of(folder), "--accredited-on", "2025-01-20", *UPHELD)
    assert plan(folder, corrected) == [(A, "changed"), (B, "none")]


def test_a_registry_that_catches_up_with_what_was_upheld_is_not_changed(folder: Folder, tmp_path: Path) -> None:
    reissue(folder, certificate_of(folder), "--accredited-on", "2025-01-20", *UPHELD)
    assert plan(folder, export(tmp_path / "caught-up", day="2025-01-20")) == [(A, "none"), (B, "none")]


def test_what_was_upheld_is_not_taken_back_because_nobody_said_it_again(folder: Folder, corrected: Path) -> None:
    upheld = reissue(folder, certificate_of(folder), "--accredited-on", "2025-01-20", *UPHELD, "--json")
    new = upheld.json["certificate_id"]
    refused = reissue(folder, new, "--registry", corrected)
    assert refused.code == 2
    assert "--accredited-on" in refused.err
    kept = reissue(folder, new, "--registry", corrected, "--accredited-on", "2025-01-20", *UPHELD, "--json")
    assert [one["item"] for one in kept.json["changes"]] == ["given_name"]
    given_up = reissue(
        folder, kept.json["certificate_id"], "--registry", corrected, "--accredited-on", "2025-03-12", "--json"
    )
    assert given_up.code == 0
    assert not any(one["upheld"] for one in given_up.json["changes"])


def test_a_level_that_the_registry_lost_can_be_upheld_by_its_day(folder: Folder, tmp_path: Path) -> None:
    old = certificate_of(folder)
    without = export(tmp_path / "without", people=(B,))
    assert plan(folder, without) == [(A, "lost"), (B, "none")]
    refused = reissue(folder, old, "--registry", without)
    assert refused.code == 1
    assert "sealtool revoke" in refused.err
    assert reissue(folder, old, "--registry", without, "--accredited-on", "2025-03-12", *UPHELD, "--again").code == 0
    assert plan(folder, without) == [(B, "none")]
    assert issue(folder, without).code == 0
    (entry,) = folder.call("register", "--person", A, "--state", "issued", "--json").json["entries"]
    assert (entry["accredited_on"], len(entry["areas"])) == ("2025-03-12", 6)


def test_the_trial_names_the_certificate_to_be_replaced_as_its_successor_will(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[CertificateOrder] = []

    def recorded(_: RenderingOptions, order: CertificateOrder) -> str:
        tried.append(order)
        return "It is kept as it was."

    monkeypatch.setattr(tasks, "trial", recorded)
    old = certificate_of(folder)
    as_typed = old.replace("-", "").lower()
    assert reissue(folder, as_typed, "--given-name", "Ngọc", *UPHELD).code == 1
    assert [order.replaces for order in tried] == [old]


def test_an_upheld_name_is_printed_as_it_was_given(folder: Folder, registry: Path) -> None:
    outcome = reissue(
        folder, certificate_of(folder), "--given-name", "Aïna", "--second-surname", "l'Horitzó", *UPHELD, "--json"
    )
    assert outcome.code == 0
    assert [(one["item"], one["is"]) for one in outcome.json["changes"]] == [
        ("given_name", "Aïna"),
        ("second_surname", "l'Horitzó"),
    ]
    assert plan(folder, registry) == [(A, "none"), (B, "none")]


def test_an_unusual_name_is_warned_of_also_with_yes_and_without_telling_it(folder: Folder, corrected: Path) -> None:
    odd = ("--given-name", "M4ria<b>", *UPHELD)
    usual, unusual = reissue(folder, certificate_of(folder, B)), reissue(folder, certificate_of(folder), *odd)
    assert "unusual" not in usual.err
    (warning,) = (line for line in map(json.loads, unusual.err.splitlines()) if line["event"] == "unusual_name")
    assert (warning["level"], unusual.code) == ("WARNING", 0)
    assert "given_name holds '" in warning["message"]
    assert "M4ria" not in unusual.err


@pytest.mark.parametrize("name", ["Xa\u0312\u0319z", "Mas" * 60])
def test_an_upheld_name_that_would_not_come_out_right_is_refused_before_anything_is_decided(
    folder: Folder, name: str
) -> None:
    surnames = ("--first-surname", "Vila" * 50, "--second-surname", "Oms" * 60) if name.isascii() else ()
    refused = reissue(folder, certificate_of(folder), "--given-name", name, *surnames, *UPHELD)
    assert (refused.code, "was made for trial" in refused.err) == (1, True)
    assert name not in refused.err
    assert states(folder) == [(0, "issued")]


@pytest.mark.long
def test_whoever_is_asked_is_asked_about_an_unusual_name_too(folder: Folder, registry: Path) -> None:
    old = certificate_of(folder)
    arguments = ["reissue", old, "--reason", WHY, "--registry", str(registry), "--given-name", "Mar;ia", *UPHELD]
    code, shown = at_a_terminal(folder, *arguments, answer="n\n")
    assert "The name is unusual: given_name holds ';'" in shown
    assert "Is it meant so?" in shown
    assert (code, states(folder)) == (1, [(0, "issued")])


@pytest.mark.parametrize(
    "given",
    [
        ("--accredited-on", "2999-01-01"),
        ("--accredited-on", "31/02/2025"),
        ("--accredited-on", "1025-03-12"),
        ("--given-name", ""),
        ("--given-name", "MartÃ­"),
        ("--first-surname", "a\nb"),
    ],
)
def test_what_is_given_by_hand_is_read_as_strictly_as_the_registry(folder: Folder, given: tuple[str, str]) -> None:
    outcome = reissue(folder, certificate_of(folder), *given, *UPHELD)
    assert outcome.code == 2
    assert given[0] in outcome.err
    assert states(folder) == [(0, "issued")]


# --- revoking --------------------------------------------------------------------------------------------


def revoke(folder: Folder, certificate_id: str, *more: object, reason: str = WHY) -> Outcome:
    return folder.call("revoke", certificate_id, "--reason", reason, "--yes", *more)


def test_a_revoked_certificate_is_listed_and_judged_as_withdrawn_and_its_file_is_kept(folder: Folder) -> None:
    certificate_id, other = certificate_of(folder), certificate_of(folder, B)
    outcome = revoke(folder, certificate_id, "--json")
    assert outcome.code == 0
    assert (outcome.json["schema"], outcome.json["certificate_id"]) == ("sealtool.revocation/1", certificate_id)
    entry = entries(folder)[certificate_id]
    assert (entry["state"], entry["successor"]) == ("revoked", None)
    assert verdicts(folder) == {certificate_id: ["WITHDRAWN"], other: []}
    assert folder.call("verify", folder.manifests[-1]).code == 1
    assert folder.call("status").code == 0


def test_what_was_revoked_is_never_issued_again_by_a_run(folder: Folder, registry: Path, tmp_path: Path) -> None:
    revoke(folder, certificate_of(folder))
    files = contents(folder)
    assert plan(folder, registry) == [(A, "revoked"), (B, "none")]
    outcome = issue(folder, registry)
    assert (outcome.code, outcome.json["issued"]) == (0, [])
    later = export(tmp_path / "later", name="Aina Maria", day="2025-09-09")
    assert issue(folder, later).json["issued"] == []
    assert contents(folder) == files
    assert "Revoked by a human" in folder.call("plan", "--level", "B1", "--registry", registry).out
    (entry,) = folder.call("register", "--person", A, "--json").json["entries"]
    assert (entry["state"], entry["accredited_on"]) == ("revoked", "2025-03-12")


def test_after_an_appeal_against_a_revocation_the_next_generation_is_issued(folder: Folder, registry: Path) -> None:
    old = certificate_of(folder)
    revoke(folder, old)
    new = reissue(folder, old, "--json", reason="Upheld by the Commission").json["certificate_id"]
    assert states(folder) == [(0, "revoked"), (1, "issued")]
    said = entries(folder)
    assert (said[old]["state"], said[old]["successor"]) == ("revoked", new)
    assert (said[new]["state"], said[new]["predecessor"]) == ("issued", old)
    assert verdicts(folder)[old] == ["WITHDRAWN"]
    assert plan(folder, registry) == [(A, "none"), (B, "none")]
    assert reissue(folder, old, reason="Once more").code == 2


def test_revoking_twice_is_refused(folder: Folder) -> None:
    certificate_id = certificate_of(folder)
    revoke(folder, certificate_id)
    again = revoke(folder, certificate_id)
    assert again.code == 2
    assert "revoked already" in again.err


def test_a_revocation_needs_no_seal_but_says_that_its_manifest_does(folder: Folder) -> None:
    certificate_id, key = certificate_of(folder), folder.path / "pki" / "seal.p12"
    sound = key.read_bytes()
    key.write_bytes(b"broken")
    outcome = revoke(folder, certificate_id)
    assert outcome.code == 6
    assert f"{certificate_id} is revoked, but no manifest" in outcome.err
    assert story(folder, certificate_id).certificate.state is CertificateState.REVOKED
    key.write_bytes(sound)
    assert revoke(folder, certificate_id, "--json").json["was_revoked"] is True
    assert entries(folder)[certificate_id]["state"] == "revoked"


def test_a_certificate_that_another_run_changed_meanwhile_is_left_alone(folder: Folder, corrected: Path) -> None:
    certificate_id = certificate_of(folder)
    proposal = proposed(folder, corrected)
    assert revoke(folder, certificate_id).code == 0
    with pytest.raises(LedgerLockedError, match="while you looked at it"):
        folder.workspace.reissue(proposal)
    assert states(folder) == [(0, "revoked")]


def test_while_a_run_holds_the_ledger_nothing_is_replaced_or_withdrawn(folder: Folder, corrected: Path) -> None:
    certificate_id = certificate_of(folder)
    with folder.workspace.ledger() as ledger, ledger.exclusive():
        assert reissue(folder, certificate_id, "--registry", corrected).code == 5
        assert revoke(folder, certificate_id).code == 5
        assert folder.call("register").code == 0
    assert states(folder) == [(0, "issued")]


# --- crashes ---------------------------------------------------------------------------------------------


def proposed(folder: Folder, registry: Path) -> Proposal:
    return folder.workspace.propose_reissue(certificate_of(folder), registry, Grounds(WHY, "tester"), Upheld())


def assert_reissued_once(folder: Folder, registry: Path, files_each: int = 1) -> None:
    """One superseded and one in force, both on record, in the folder and in the manifests, and nothing else."""
    assert states(folder) == [(0, "superseded"), (1, "issued")]
    with folder.workspace.ledger() as ledger:
        assert ledger.broken_link() is None
        assert ledger.entries_without_manifest() == ()
        assert ledger.pending_reissues() == ()
        known = {folder.path / "out" / path for path in ledger.issued_paths()}
    assert set(folder.certificates) == known
    assert len(known) == 2 + files_each
    assert sorted(entry["state"] for entry in entries(folder).values()) == ["issued", "issued", "superseded"]
    assert sorted(map(str, verdicts(folder).values())) == ["['SUPERSEDED']", "[]", "[]"]
    assert plan(folder, registry) == [(A, "none"), (B, "none")]
    assert folder.call("status").code == 0
    assert not list(folder.path.rglob(".sealtool-unfinished-*"))


def one_is_in_force(folder: Folder) -> bool:
    found = [state for _, state in states(folder)]
    return found.count("issued") == 1


def by_the_same_call(folder: Folder, registry: Path) -> None:
    """As a user repeats the command."""
    folder.call("reissue", oldest(folder), "--reason", WHY, "--yes", "--registry", registry)


def oldest(folder: Folder) -> str:
    with sqlite3.connect(folder.path / "ledger.sqlite") as connection:
        query = "SELECT certificate_id FROM certificates WHERE person_id = ? AND generation = 0"
        (found,) = connection.execute(query, (A,)).fetchone()
    connection.close()
    return str(found)


def by_the_nightly_run(folder: Folder, registry: Path) -> None:
    folder.workspace.issue(registry, B1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("next_run", "files_each"), [(by_the_same_call, 2), (by_the_nightly_run, 1)], ids=["the same call", "issue"]
)
def test_a_reissue_killed_between_any_two_steps_is_settled_by_the_next_run(
    folder: Folder, corrected: Path, tmp_path: Path, next_run: Callable[[Folder, Path], None], files_each: int
) -> None:
    if files_each == 2:
        folder.configure("one_file_per_language = false", "one_file_per_language = true")
    steps: list[str] = []
    undisturbed = Folder(tmp_path / "undisturbed")
    shutil.copytree(folder.path, undisturbed.path)
    undisturbed.workspace.reissue(proposed(undisturbed, corrected), on_step=steps.append)
    assert_reissued_once(undisturbed, corrected, files_each)
    assert "reissue reserved" in steps
    assert len(steps) > 15
    for number in range(1, len(steps) + 1):
        killed = Folder(tmp_path / f"killed-{number}")
        shutil.copytree(folder.path, killed.path)
        proposal, die = proposed(killed, corrected), killed_at_step(number)
        child = in_a_child(lambda: killed.workspace.reissue(proposal, on_step=die))  # noqa: B023 - used at once
        assert ended_by(child) == signal.SIGKILL, f"step {number} was never reached"
        assert one_is_in_force(killed)
        if steps.index("reissue reserved") >= number and next_run is by_the_nightly_run:
            next_run(killed, corrected)  # nothing was decided yet, so nothing is done
            assert states(killed) == [(0, "issued")]
            continue
        next_run(killed, corrected)
        assert_reissued_once(killed, corrected, files_each)


@pytest.mark.long
def test_a_published_reissue_is_recorded_by_a_run_that_renews(folder: Folder, corrected: Path) -> None:
    proposal, die = proposed(folder, corrected), killed_after("file published")
    assert ended_by(in_a_child(lambda: folder.workspace.reissue(proposal, on_step=die))) == signal.SIGKILL
    assert states(folder) == [(0, "issued"), (1, "sealed")]
    assert folder.call("extend", "--due", "1").code == 0
    assert_reissued_once(folder, corrected)


def test_a_reissue_that_was_stopped_can_be_decided_otherwise(folder: Folder, corrected: Path, tmp_path: Path) -> None:
    proposal, die = proposed(folder, corrected), killed_after("reissue reserved")
    assert ended_by(in_a_child(lambda: folder.workspace.reissue(proposal, on_step=die))) == signal.SIGKILL
    assert states(folder) == [(0, "issued"), (1, "reserved")]
    otherwise = export(tmp_path / "otherwise", name="Aina Joana")
    assert reissue(folder, certificate_of(folder), "--registry", otherwise).code == 0
    assert_reissued_once(folder, otherwise)


def test_a_reissue_that_was_stopped_is_given_up_when_the_certificate_is_revoked(
    folder: Folder, corrected: Path
) -> None:
    proposal, die = proposed(folder, corrected), killed_after("reissue reserved")
    assert ended_by(in_a_child(lambda: folder.workspace.reissue(proposal, on_step=die))) == signal.SIGKILL
    assert revoke(folder, certificate_of(folder)).code == 0
    assert states(folder) == [(0, "revoked"), (1, "released")]
    assert issue(folder, corrected).json["issued"] == []
    assert reissue(folder, certificate_of(folder), "--registry", corrected, reason="Upheld").code == 0
    assert states(folder) == [(0, "revoked"), (1, "issued"), (1, "released")]


def test_a_stopped_reissue_of_what_was_revoked_is_given_up_by_revoking_again(folder: Folder, registry: Path) -> None:
    revoked = certificate_of(folder)
    assert revoke(folder, revoked).code == 0
    proposal, die = proposed(folder, registry), killed_after("reissue reserved")
    assert ended_by(in_a_child(lambda: folder.workspace.reissue(proposal, on_step=die))) == signal.SIGKILL
    assert states(folder) == [(0, "revoked"), (1, "reserved")]
    outcome = revoke(folder, revoked)
    assert (outcome.code, "is revoked." in outcome.out) == (0, True)
    assert states(folder) == [(0, "revoked"), (1, "released")]
    assert issue(folder, registry).json["issued"] == []
    assert revoke(folder, revoked).code == 2
    assert folder.call("ledger", "verify").code == 0


@pytest.mark.long
def test_a_revocation_killed_between_any_two_steps_is_completed_by_the_same_call(
    folder: Folder, tmp_path: Path
) -> None:
    def withdraw(folder: Folder, on_step: Callable[[str], None]) -> None:
        grounds = Grounds(WHY, "tester")
        folder.workspace.revoke(
            folder.workspace.propose_revocation(certificate_of(folder), grounds), grounds, on_step=on_step
        )

    steps: list[str] = []
    undisturbed = Folder(tmp_path / "undisturbed")
    shutil.copytree(folder.path, undisturbed.path)
    withdraw(undisturbed, steps.append)
    for number in range(1, len(steps) + 1):
        killed = Folder(tmp_path / f"killed-{number}")
        shutil.copytree(folder.path, killed.path)
        die = killed_at_step(number)
        assert ended_by(in_a_child(lambda: withdraw(killed, die))) == signal.SIGKILL  # noqa: B023 - used at once
        revoke(killed, certificate_of(killed))
        assert states(killed) == [(0, "revoked")]
        assert entries(killed)[certificate_of(killed)]["state"] == "revoked"
        with killed.workspace.ledger() as ledger:
            assert ledger.broken_link() is None
            assert ledger.entries_without_manifest() == ()
        assert killed.call("status").code == 0


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that nobody listens at, and that nobody else is given meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_an_authority_that_is_down_leaves_the_old_certificate_in_force_and_the_new_one_pending(
    folder: Folder, corrected: Path, free_port: int
) -> None:
    sound = folder.configuration.read_text(encoding="utf-8")
    folder.configure('level = "B-B"', 'level = "B-LTA"')
    text = folder.configuration.read_text(encoding="utf-8")
    start, end = text.index("[time_stamp]"), text.index("[revocation]")
    unreachable = f'[time_stamp]\nurls = ["http://127.0.0.1:{free_port}/"]\nretries = 0\n\n'
    folder.configuration.write_text(text[:start] + unreachable + text[end:], encoding="utf-8")
    assert reissue(folder, certificate_of(folder), "--registry", corrected).code == 7
    assert states(folder) == [(0, "issued"), (1, "reserved")]
    folder.configuration.write_text(sound, encoding="utf-8")
    outcome = issue(folder, corrected)
    assert outcome.json["counts"]["reissued"] == 1
    assert_reissued_once(folder, corrected)


# --- the ledger afterwards ------------------------------------------------------------------------


def lived_through(folder: Folder) -> list[str]:
    """Reissued twice, revoked, reissued once more; what was upheld among it. The ids in their order."""
    ids = [certificate_of(folder)]
    upheld = ("--given-name", "Aina Maria", *UPHELD)
    for number, more in enumerate(((), upheld)):
        outcome = reissue(folder, ids[-1], *more, "--again", "--json", reason=f"{WHY} ({number})")
        assert outcome.code == 0, outcome.err
        ids.append(certificate_of(folder))
    assert folder.call("revoke", ids[-1], "--reason", WHY, "--yes").code == 0
    assert reissue(folder, ids[-1], *upheld, "--again", reason="Upheld after all").code == 0
    ids.append(certificate_of(folder))
    assert len(set(ids)) == 4
    return ids


def test_the_ledger_is_what_its_events_tell_whatever_was_decided(folder: Folder) -> None:
    lived_through(folder)
    outcome = folder.call("ledger", "verify", "--json")
    assert outcome.code == 0, outcome.out


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE acts SET reason = 'Another one' WHERE kind = 'revocation'", "revocation of certificate"),
        ("DELETE FROM acts WHERE kind = 'revocation'", "revocation of certificate"),
        ("UPDATE certificates SET successor_id = NULL WHERE generation = 1", "certificate"),
        ("UPDATE certificates SET predecessor_id = NULL WHERE generation = 2", "certificate"),
    ],
)
def test_what_was_decided_cannot_be_changed_unnoticed(folder: Folder, change: str, told: str) -> None:
    lived_through(folder)
    with sqlite3.connect(folder.path / "ledger.sqlite") as connection:
        assert connection.execute(change).rowcount == 1
    connection.close()
    outcome = folder.call("ledger", "verify")
    assert outcome.code == 5
    assert told in outcome.out.lower()


def test_a_ledger_rebuilt_from_its_files_knows_who_replaced_whom(folder: Folder) -> None:
    ids = lived_through(folder)
    before = folder.call("plan", "--registry", folder.path / "registry", "--json").json["decisions"]
    for file in folder.path.glob("ledger.sqlite*"):
        file.unlink()
    rebuilt = folder.call("ledger", "rebuild", "--from", folder.path / "out")
    assert rebuilt.code == 0, rebuilt.err
    assert folder.call("ledger", "verify").code == 0
    told = [story(folder, one) for one in ids]
    assert [one.certificate.state for one in told] == ["superseded", "superseded", "revoked", "issued"]
    after = folder.call("plan", "--registry", folder.path / "registry", "--json").json["decisions"]
    assert [each["certificate_id"] for each in after] == [each["certificate_id"] for each in before]
