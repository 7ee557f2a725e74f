"""A ledger that does not know what was issued must never issue it again."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sealtool.ledger.events import event_hash
from sealtool.model import Level
from sealtool.planning import Scope
from tests.ledgers import Place
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test, issue_b1

A, B, C = PEOPLE[:3]


@pytest.fixture
def rolled_back(issued: Folder, write_registry: Write) -> Folder:
    """Issued, backed up, issued more; then the backup was restored."""
    ledger = issued.path / "ledger.sqlite"
    backup = shutil.copy(ledger, issued.path / "backup")
    more = write_registry([A, B, C], [b1_by_test(person) for person in (A, B, C)], name="more")
    assert issue_b1(issued, more) == 0
    shutil.move(backup, ledger)
    return issued


def test_a_ledger_restored_from_an_old_backup_stops_the_run(rolled_back: Folder, registry: Path) -> None:
    outcome = rolled_back.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == 5
    assert "old backup" in outcome.err
    assert len(rolled_back.certificates) == 3
    planned = rolled_back.call("plan", "--level", "B1", "--registry", registry)
    assert (planned.code, "old backup" in planned.err) == (0, True)


def test_of_two_ledgers_with_one_output_folder_only_one_issues_at_a_time(
    quick_folder: Folder, registry: Path, tmp_path: Path
) -> None:
    other = quick_folder.copied_to(tmp_path / "other")
    shutil.rmtree(other.path / "out")
    (other.path / "out").symlink_to(quick_folder.path / "out")
    outcomes = []

    def meanwhile(step: str) -> None:
        if step == "certificates reserved":
            outcomes.append(other.call("issue", "--level", "B1", "--registry", registry))

    quick_folder.workspace.issue(registry, Scope((Level.B1,)), on_step=meanwhile)
    assert [(one.code, "Another run" in one.err) for one in outcomes] == [(5, True)]
    assert len(quick_folder.certificates) == 2


def _stray(folder: Folder) -> None:
    (folder.certificates[0].parent / "notes.pdf").write_bytes(b"%PDF-1.7 of somebody else")


def _no_manifests(folder: Folder) -> None:
    shutil.rmtree(folder.path / "out" / "manifests")


def _a_file_in_its_place(folder: Folder) -> None:
    shutil.rmtree(folder.path / "out")
    (folder.path / "out").write_bytes(b"")


def _a_year_ahead(folder: Folder) -> None:
    with contextlib.closing(sqlite3.connect(folder.path / "ledger.sqlite")) as connection, connection:
        fields = connection.execute("SELECT * FROM events ORDER BY sequence DESC LIMIT 1").fetchone()
        ahead = [fields[0], fields[1].replace("20", "21", 1), *fields[2:-1]]
        connection.execute("DROP TRIGGER events_no_update")
        connection.execute(
            "UPDATE events SET at = ?, hash = ? WHERE sequence = ?", (ahead[1], event_hash(ahead), ahead[0])
        )


def _a_row_changed(folder: Folder) -> None:
    """Then nobody has the certificate that it was."""
    with contextlib.closing(sqlite3.connect(folder.path / "ledger.sqlite")) as connection, connection:
        connection.execute("UPDATE certificates SET level = 'B9' WHERE person_id = ?", (A,))


def _a_row_gone(folder: Folder) -> None:
    with contextlib.closing(sqlite3.connect(folder.path / "ledger.sqlite")) as connection, connection:
        connection.execute("DELETE FROM certificates WHERE person_id = ?", (A,))


@pytest.mark.parametrize("damage", [_stray, _no_manifests, _a_file_in_its_place, _a_year_ahead])
def test_a_plan_says_what_would_stop_the_next_run_in_its_words(
    issued: Folder, registry: Path, damage: Callable[[Folder], None]
) -> None:
    sound = issued.call("plan", "--level", "B1", "--registry", registry, "--json")
    assert (sound.code, sound.err, "obstacle" in sound.json) == (0, "", False)
    damage(issued)
    planned = issued.call("plan", "--level", "B1", "--registry", registry, "--json")
    stopped = issued.call("issue", "--level", "B1", "--registry", registry, "--json")
    obstacle = planned.json["obstacle"]
    assert planned.json == {**sound.json, "obstacle": obstacle}
    assert {"schema": "sealtool.error/1", **obstacle} == stopped.json
    assert f"`issue` would stop at this: {obstacle['message']}" in planned.err
    assert planned.code == sound.code


@pytest.mark.parametrize("damage", [_a_row_changed, _a_row_gone])
def test_a_certificate_that_the_events_tell_of_is_not_issued_again_where_its_row_says_something_else(
    issued: Folder, registry: Path, damage: Callable[[Folder], None]
) -> None:
    damage(issued)
    stopped = issued.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert (stopped.code, len(issued.certificates)) == (5, 2)
    assert "The ledger was changed outside sealtool: certificate" in stopped.err
    assert issued.call("plan", "--level", "B1", "--registry", registry, "--json").json["obstacle"]["exit_code"] == 5
    assert issued.call("status").code == 5
    assert issued.call("doctor", "--offline").code != 0


def test_a_plan_says_that_the_output_folder_refuses_to_be_written_in(
    issued: Folder, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = issued.certificates[0].parent.parent
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != year)  # the superuser may write anywhere
    planned = issued.call("plan", "--level", "B1", "--registry", registry)
    assert planned.code == 0
    assert f"{year} cannot be written or read: Permission denied." in planned.err


def test_status_says_that_the_ledger_was_rolled_back(rolled_back: Folder) -> None:
    assert rolled_back.call("status").code == 5


def test_a_rollback_is_noticed_even_without_manifests(rolled_back: Folder, registry: Path) -> None:
    for manifest in rolled_back.manifests:
        manifest.unlink()
    assert issue_b1(rolled_back, registry) == 5
    assert len(rolled_back.certificates) == 3


def test_a_ledger_changed_by_hand_since_the_last_manifest_stops_the_run(
    quick_folder: Folder, ledger_place: Place, registry: Path
) -> None:
    issue_b1(quick_folder, registry)
    ledger_place.disarm()
    ledger_place.execute("UPDATE events SET at = '2020' WHERE sequence = (SELECT max(sequence) FROM events)")
    assert issue_b1(quick_folder, registry) == 5
    assert quick_folder.call("status").code == 5


def test_an_output_folder_that_went_away_is_not_made_anew(issued: Folder, registry: Path) -> None:
    (issued.path / "out").rename(issued.path / "away")
    assert issue_b1(issued, registry) == 5
    assert not (issued.path / "out").exists()
    (issued.path / "away").rename(issued.path / "out")
    assert issue_b1(issued, registry) == 0


@pytest.mark.parametrize(
    ("names", "said", "advised"),
    [
        (["B1.ca-es", "NH52A-RQHZA-HRGY1-DV63T"], "B1/B1.ca-es.pdf", "Move it away"),
        (["B1.ca-es", "NH52A-RQHZA-HRGY1-DV63S"], "holds 1 document that the ledger does not know", "old backup"),
        (["H47GW-MC19B-FYVNM-YFE2N.ca", "NH52A-RQHZA-HRGY1-DV63S"], "holds 2 documents", "old backup"),
    ],
    ids=["foreign names", "a name of ours among them", "names of ours"],
)
def test_a_document_that_nobody_issued_stops_the_run_and_its_name_tells_why(
    issued: Folder, registry: Path, names: list[str], said: str, advised: str
) -> None:
    for name in names:
        shutil.copy(issued.certificates[0], issued.certificates[0].with_name(f"{name}.pdf"))
    for command in (("status",), ("issue", "--level", "B1", "--registry", registry)):
        outcome = issued.call(*command)
        told = outcome.out + outcome.err
        assert (outcome.code, said in told, advised in told) == (5, True, True)


def test_a_folder_that_lost_all_its_manifests_stops_the_run(any_folder: Folder, registry: Path) -> None:
    issue_b1(any_folder, registry)
    (any_folder.path / "out" / "manifests").rename(any_folder.path / "away")
    assert issue_b1(any_folder, registry) == 5
    outcome = any_folder.call("status")
    assert (outcome.code, "The ledger knows of manifests" in outcome.out) == (5, True)
    (any_folder.path / "away").rename(any_folder.path / "out" / "manifests")
    assert issue_b1(any_folder, registry) == 0


@pytest.mark.parametrize("ending", [".json", ".json.p7s", pytest.param(".csv", marks=pytest.mark.long)])
def test_a_part_of_a_manifest_that_is_missing_needs_a_human_and_stops_no_run(
    issued: Folder, write_registry: Write, ending: str
) -> None:
    more = write_registry([A, B, C], [b1_by_test(person) for person in (A, B, C)], name="more")
    assert issue_b1(issued, more) == 0
    first = issued.manifests[0]
    first.with_name(f"{first.stem}{ending}").unlink()
    outcome = issued.call("status", "--json")
    (found,) = outcome.json["needs_human"]
    assert (outcome.code, found["code"], f"{first.stem}{ending}" in found["message"]) == (1, "MANIFEST_MISSING", True)
    assert issue_b1(issued, more) == 0


@pytest.mark.parametrize("name", ["{run}.valide.json", "zzz.json", "report.html"])
def test_what_is_called_otherwise_than_manifests_are_is_not_taken_for_one(
    issued: Folder, registry: Path, name: str
) -> None:
    (manifest,) = issued.manifests
    manifest.with_name(name.format(run=manifest.stem)).write_text("{}", encoding="utf-8")
    assert issue_b1(issued, registry) == 0
    assert issued.call("status").code == 0
    assert issued.call("ledger", "verify").code == 0
    assert issued.call("verify", issued.path / "out").code == 1


def test_what_an_issued_certificate_says_stays_in_the_register_until_a_human_decides(
    issued: Folder, registry: Path, write_registry: Write
) -> None:
    without = write_registry([A, B], [b1_by_test(A)], name="without")
    issued.call("issue", "--level", "B1", "--registry", without, "--accept-shrink")
    with sqlite3.connect(issued.path / "ledger.sqlite") as connection:
        lines = connection.execute("SELECT count(*) FROM register WHERE person_id = ?", (B,)).fetchone()
    connection.close()
    assert lines == (7,)  # the level and its six areas


def test_the_same_ledger_under_another_name_has_the_same_lock(
    quick_folder: Folder, registry: Path, tmp_path: Path
) -> None:
    other = Folder(tmp_path / "other")
    shutil.copytree(quick_folder.path, other.path)
    (other.path / "ledger.sqlite").unlink()
    (other.path / "ledger.sqlite").symlink_to(quick_folder.path / "ledger.sqlite")
    with quick_folder.workspace.ledger() as ledger, ledger.exclusive():
        assert issue_b1(other, registry) == 5


@pytest.mark.parametrize("name", ["a?b", "a%41", "a*[x]", pytest.param("with space", marks=pytest.mark.long)])
def test_a_folder_may_have_an_odd_name(quick_folder: Folder, registry: Path, tmp_path: Path, name: str) -> None:
    odd = Folder(tmp_path / name)
    shutil.copytree(quick_folder.path, odd.path)
    assert issue_b1(odd, registry) == 0
    assert len(odd.certificates) == 2


def test_what_a_run_left_open_is_not_settled_by_a_later_run_for_somebody_else(
    issued: Folder, registry: Path, write_registry: Write
) -> None:
    corrected = write_registry([A, B], [b1_by_test(A, day="2025-06-01"), b1_by_test(B)], name="corrected")
    assert issue_b1(issued, corrected) == 1
    issued.call("issue", "--level", "B1", "--person", B, "--registry", corrected)
    outcome = issued.call("status")
    assert outcome.code == 1
    assert "contradicted 1 issued certificate" in outcome.out
    assert issue_b1(issued, registry) == 0
    assert issued.call("status").code == 0
