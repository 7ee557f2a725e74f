"""The ledger over the years, as its administrator keeps it: examined, copied, lost, and written anew."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sealtool.appeals import Grounds
from sealtool.errors import LedgerInconsistentError
from sealtool.identifiers import new_certificate_id
from sealtool.ledger import restoring
from sealtool.model import Level
from sealtool.planning import Scope
from sealtool.upholding import Upheld
from tests.exports import write_plain_export
from tests.ledgers import Place, postgresql_place, sqlite_place
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test
from tests.pipeline.test_crashes import ended_by, in_a_child, killed_after
from tests.postgresql import Cluster

A, B, C = PEOPLE[:3]
B1 = Scope((Level.B1,))
OLD_LEDGERS = Path(__file__).parents[1] / "ledgers_of_before"


@pytest.fixture(scope="module")
def issued_once(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Two certificates in two manifests, one of them renewed, and a backup; not to be touched."""
    folder = quick_demo_folder.copied_to(tmp_path_factory.mktemp("issued") / "work")
    folder.workspace.issue(write_plain_export(folder.path / "registry", (A, B), map(b1_by_test, (A, B))), B1)
    folder.workspace.extend([folder.certificates[0]])
    folder.workspace.keeping.back_up(folder.path / "as-issued.jsonl")
    return folder


@pytest.fixture(scope="module")
def issued_database(issued_once: Folder, cluster: Cluster) -> str:
    """The same ledger on a server, to be copied."""
    name = cluster.database()
    with restoring(cluster.url(name), issued_once.path / "as-issued.jsonl", aside="before"):
        pass
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_place(request: pytest.FixtureRequest, issued_once: Folder, tmp_path: Path) -> Place:
    """Where the ledger of ``issued`` is."""
    shutil.copytree(issued_once.path, tmp_path / "issued")
    if request.param == "sqlite":
        return sqlite_place(tmp_path / "issued")
    place = postgresql_place(request.getfixturevalue("cluster"), request.getfixturevalue("issued_database"))
    Folder(tmp_path / "issued").configure('url = "sqlite:///ledger.sqlite"', place.toml)
    (tmp_path / "issued" / "ledger.sqlite").unlink()
    return place


@pytest.fixture
def issued(ledger_place: Place, tmp_path: Path) -> Folder:
    """Two certificates in two manifests, one of them renewed."""
    return Folder(tmp_path / "issued")


def plan(folder: Folder, registry: Path) -> object:
    return folder.call("plan", "--level", "B1", "--registry", registry, "--json").json


def status(folder: Folder) -> tuple[object, ...]:
    said = folder.call("status", "--json").json
    return said["certificates"], said["renewals"], said["needs_human"]


def findings(folder: Folder) -> list[tuple[str, str | None]]:
    outcome = folder.call("ledger", "verify", "--json")
    found = [(one["code"], one["certificate_id"]) for one in outcome.json["findings"]]
    assert outcome.json["schema"] == "sealtool.ledger-verification/1"
    assert outcome.code == (5 if found else 0)
    return found


# --- examined -------------------------------------------------------------------------------------


def test_nothing_speaks_against_what_was_issued_and_renewed(issued: Folder) -> None:
    assert findings(issued) == []
    assert "Nothing speaks against it" in issued.call("ledger", "verify").out


def test_a_manifest_that_pins_another_event_is_found(issued: Folder, ledger_place: Place) -> None:
    (first, _) = issued.manifests
    content = json.loads(first.read_bytes())
    content["run"]["ledger_head"] = "ab" * 32
    first.write_text(json.dumps(content), encoding="utf-8")
    assert findings(issued) == [("MANIFEST_DIFFERS", None), ("MANIFEST_DIFFERS", None)]


def test_manifests_that_are_gone_strange_or_broken_are_found(issued: Folder) -> None:
    (first, second) = issued.manifests
    shutil.copy(second, second.with_name("20200101T000000Z-000000.json"))
    first.unlink()
    second.write_bytes(b"{}")
    codes = {code for code, _ in findings(issued)}
    assert codes >= {"MANIFEST_MISSING", "MANIFEST_UNREADABLE", "MANIFEST_DIFFERS", "LISTING_DIFFERS"}


def test_a_manifest_of_another_ledger_is_found(issued: Folder) -> None:
    (first, _) = issued.manifests
    other = json.loads(first.read_bytes())
    other["run"]["run_id"] = "20200101T000000Z-000000"
    first.with_name("20200101T000000Z-000000.json").write_text(json.dumps(other), encoding="utf-8")
    assert findings(issued) == [("MANIFEST_UNKNOWN", None)]


def test_a_document_that_was_moved_to_another_manifest_is_found(issued: Folder, ledger_place: Place) -> None:
    (first, second) = (manifest.stem for manifest in issued.manifests)
    ledger_place.execute(f"UPDATE documents SET manifest_run = '{second}' WHERE manifest_run = '{first}'")  # noqa: S608 - ours
    ((code, certificate_id),) = findings(issued)
    assert (code, certificate_id) == ("LISTING_DIFFERS", issued.certificates[1].stem)


# --- copied, lost and put back --------------------------------------------------------------------


def test_a_lost_ledger_is_restored_and_nothing_is_issued_twice(
    issued: Folder, ledger_place: Place, registry: Path
) -> None:
    backup, before, files = issued.path / "backup.jsonl", status(issued), issued.certificates
    planned = plan(issued, registry)
    assert issued.call("ledger", "backup", backup).code == 0
    ledger_place.remove()
    assert issued.call("issue", "--level", "B1", "--registry", registry).code == 5
    outcome = issued.call("ledger", "restore", backup)
    assert outcome.code == 0, outcome.err
    assert (status(issued), plan(issued, registry)) == (before, planned)
    assert issued.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert issued.certificates == files
    assert findings(issued) == []


def test_restoring_names_the_place_where_the_ledger_of_before_is_kept(quick_folder: Folder) -> None:
    backup, ledger = quick_folder.path / "backup.jsonl", quick_folder.path / "ledger.sqlite"
    quick_folder.call("ledger", "backup", backup)
    before = ledger.read_bytes()
    outcome = quick_folder.call("ledger", "restore", backup)
    (kept,) = quick_folder.path.glob("ledger.sqlite.before-*[0-9]")
    assert outcome.out.endswith(f"The ledger that was there before is kept: {kept}\n")
    assert kept.read_bytes() == before
    ledger.unlink()
    assert "before" not in quick_folder.call("ledger", "restore", backup).out


def test_a_backup_older_than_what_was_issued_is_not_restored_even_where_the_ledger_is_lost(
    issued: Folder, ledger_place: Place, write_registry: Write
) -> None:
    backup = issued.path / "backup.jsonl"
    issued.call("ledger", "backup", backup)
    more = write_registry([A, B, C], [b1_by_test(person) for person in (A, B, C)], name="more")
    issued.workspace.issue(more, B1)
    assert issued.call("ledger", "restore", backup).code == 5  # the present one has newer events
    ledger_place.remove()
    outcome = issued.call("ledger", "restore", backup)
    assert outcome.code == 5
    assert issued.call("status").code == 5  # there is none: nothing was put in its place
    assert "no ledger" in issued.call("status").err


def test_a_backup_that_does_not_know_every_document_is_not_restored_even_where_its_manifest_is_gone(
    issued: Folder, ledger_place: Place, write_registry: Write
) -> None:
    backup = issued.path / "backup.jsonl"
    issued.call("ledger", "backup", backup)
    more = write_registry([A, B, C], [b1_by_test(person) for person in (A, B, C)], name="more")
    issued.workspace.issue(more, B1)
    ledger_place.remove()
    for part in issued.manifests[-1].parent.glob(f"{issued.manifests[-1].stem}.*"):
        part.unlink()
    outcome = issued.call("ledger", "restore", backup)
    assert (outcome.code, "does not know" in outcome.err) == (5, True)


def test_a_backup_of_a_ledger_that_was_tampered_with_is_not_restored(issued: Folder, ledger_place: Place) -> None:
    backup = issued.path / "backup.jsonl"
    ledger_place.execute("UPDATE certificates SET issued_on = '2020-01-01'")
    issued.call("ledger", "backup", backup)
    outcome = issued.call("ledger", "restore", backup)
    assert outcome.code == 5
    assert "issued_on differs" in outcome.err


def test_a_ledger_of_before_is_migrated_by_command_and_only_then(quick_folder: Folder) -> None:
    file = quick_folder.path / "ledger.sqlite"
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((OLD_LEDGERS / "0001.sql").read_text(encoding="utf-8"))
    shutil.rmtree(quick_folder.path / "out")
    outcome = quick_folder.call("status")
    assert outcome.code == 5
    assert "sealtool ledger migrate" in outcome.err
    backup = quick_folder.path / "backup.jsonl"
    assert quick_folder.call("ledger", "migrate", backup).code == 0
    assert json.loads(backup.read_bytes().splitlines()[0])["version"] == "0001"
    assert quick_folder.call("ledger", "verify", "--json").json["ledger"]["events"] == 24
    again = quick_folder.call("ledger", "migrate", quick_folder.path / "another.jsonl")
    assert (again.code, (quick_folder.path / "another.jsonl").exists()) == (0, False)


def test_a_first_ledger_is_made_where_the_configuration_says(issued: Folder, ledger_place: Place) -> None:
    shutil.rmtree(issued.path / "out")
    assert issued.call("ledger", "create").code == 5  # there is one
    ledger_place.remove()
    assert issued.call("ledger", "create").code == 0
    assert issued.call("status").code == 0


def test_no_empty_ledger_is_made_beside_what_was_issued(issued: Folder, ledger_place: Place) -> None:
    ledger_place.remove()
    outcome = issued.call("ledger", "create")
    assert outcome.code == 5
    assert "ledger rebuild" in outcome.err


# --- written anew ---------------------------------------------------------------------------------


@pytest.mark.long
def test_a_lost_ledger_is_rebuilt_from_manifests_and_files_and_nothing_is_issued_twice(
    issued: Folder, ledger_place: Place, registry: Path, write_registry: Write
) -> None:
    before, planned, files = status(issued), plan(issued, registry), issued.certificates
    ledger_place.remove()
    outcome = issued.call("ledger", "rebuild", "--from", issued.path / "out")
    assert outcome.code == 0, outcome.err
    assert (status(issued), plan(issued, registry)) == (before, planned)
    assert issued.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert issued.certificates == files
    more = write_registry([A, B, C], [b1_by_test(person) for person in (A, B, C)], name="more")
    assert issued.call("issue", "--level", "B1", "--registry", more).code == 0
    assert (len(issued.certificates), len(issued.manifests)) == (3, 3)
    assert issued.call("verify", issued.path / "out").code == 0
    assert issued.call("extend", issued.certificates[2]).code == 0
    assert findings(issued) == []
    assert issued.call("status").code == 0


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)
def test_rebuilding_is_told_to_machines_as_other_runs_are(issued: Folder, ledger_place: Place) -> None:
    ledger_place.remove()
    issued.configure("[run]\n", '[run]\nmetrics = "sealtool.prom"\n')
    rebuilt = issued.call("ledger", "rebuild", "--from", issued.path / "out")
    begun, ended = map(json.loads, rebuilt.err.splitlines())
    assert (begun["event"], begun["command"], begun["asked_for"]) == ("run_begun", "ledger rebuild", "ledger rebuild")
    assert (ended["event"], ended["exit_code"], ended["counts"]) == ("run_ended", 0, {"rebuilt": 2})
    assert begun["run_id"] == ended["run_id"] == issued.call("status", "--json").json["runs"][0]["run_id"]
    assert 'sealtool_last_run_exit_code{command="ledger rebuild"} 0.0' in (issued.path / "sealtool.prom").read_text()
    again = issued.call("ledger", "rebuild", "--from", issued.path / "out")
    error, ended = map(json.loads, again.err.splitlines())
    assert (error["event"], error["error"], ended["exit_code"]) == ("error", "LedgerError", 5)


def test_a_rebuilt_ledger_says_so_for_good_and_what_it_goes_on_from(issued: Folder, ledger_place: Place) -> None:
    pinned = json.loads(issued.manifests[-1].read_bytes())["run"]
    ledger_place.remove()
    issued.call("ledger", "rebuild", "--from", issued.path / "out")
    rebuilt = issued.call("ledger", "verify", "--json").json["ledger"]["rebuilt"]
    assert {name: rebuilt[name] for name in ("manifest", "ledger_sequence", "ledger_head")} == {
        "manifest": pinned["run_id"],
        "ledger_sequence": pinned["ledger_sequence"],
        "ledger_head": pinned["ledger_head"],
    }
    assert "Rebuilt at" in issued.call("ledger", "verify").out
    ((sequence, kind),) = ledger_place.execute("SELECT sequence, kind FROM events ORDER BY sequence LIMIT 1")
    assert (sequence, kind) == (pinned["ledger_sequence"] + 1, "rebuilt")


def test_a_rebuilt_ledger_is_copied_and_restored_like_any_other(issued: Folder, ledger_place: Place) -> None:
    ledger_place.remove()
    issued.call("ledger", "rebuild", "--from", issued.path / "out")
    issued.call("ledger", "backup", issued.path / "backup.jsonl")
    ledger_place.remove()
    assert issued.call("ledger", "restore", issued.path / "backup.jsonl").code == 0
    assert findings(issued) == []


def test_a_chain_that_only_says_it_was_rebuilt_is_not_believed(issued: Folder, ledger_place: Place) -> None:
    ledger_place.disarm()
    ledger_place.execute("DELETE FROM events WHERE sequence < 3")
    ledger_place.execute("UPDATE events SET kind = 'rebuilt' WHERE sequence = 3")
    assert {code for code, _ in findings(issued)} >= {"EVENT_REMOVED", "EVENT_EDITED"}
    assert issued.call("status").code == 5


def test_a_ledger_that_is_there_is_never_rebuilt(issued: Folder) -> None:
    outcome = issued.call("ledger", "rebuild", "--from", issued.path / "out")
    assert outcome.code == 5
    assert "was not lost" in outcome.err


def test_certificates_that_no_manifest_lists_yet_are_taken_up_and_listed_by_the_next(
    quick_folder: Folder, registry: Path
) -> None:
    quick_folder.workspace.issue(registry, Scope((Level.B1,), people=frozenset({A})))  # type: ignore[arg-type]
    die = killed_after("certificates issued")
    ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die)))
    assert (len(quick_folder.certificates), len(quick_folder.manifests)) == (2, 1)
    lose_the_ledger(quick_folder)
    outcome = quick_folder.call("ledger", "rebuild", "--from", quick_folder.path / "out")
    assert outcome.code == 0, outcome.err
    quick_folder.workspace.issue(registry, B1)
    assert (len(quick_folder.certificates), len(quick_folder.manifests)) == (2, 2)
    assert quick_folder.call("verify", quick_folder.path / "out").code == 0
    assert findings(quick_folder) == []


def test_a_reissue_that_no_manifest_lists_yet_ends_the_certificate_that_its_file_names(
    quick_folder: Folder, registry: Path
) -> None:
    quick_folder.workspace.issue(registry, B1)
    (old, *_) = on_record(quick_folder)
    proposal = quick_folder.workspace.propose_reissue(old, registry, Grounds("On appeal", "tester"), Upheld())
    die = killed_after("certificates issued")
    ended_by(in_a_child(lambda: quick_folder.workspace.reissue(proposal, on_step=die)))
    assert (len(quick_folder.certificates), len(quick_folder.manifests)) == (3, 1)
    before, planned = on_record(quick_folder), plan(quick_folder, registry)
    lose_the_ledger(quick_folder)
    outcome = quick_folder.call("ledger", "rebuild", "--from", quick_folder.path / "out")
    assert outcome.code == 0, outcome.err
    assert (on_record(quick_folder), plan(quick_folder, registry)) == (before, planned)
    assert before[old] == (0, "superseded")
    quick_folder.workspace.issue(registry, B1)
    assert "SUPERSEDED" in quick_folder.call("verify", quick_folder.path / "out").out
    assert findings(quick_folder) == []


@pytest.mark.parametrize("byte", [0, pytest.param(31, marks=pytest.mark.long)])
def test_generations_that_first_stand_in_the_same_manifest_are_told_apart_by_their_files(
    quick_folder: Folder, registry: Path, monkeypatch: pytest.MonkeyPatch, byte: int
) -> None:
    die = killed_after("certificates issued")
    ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die)))
    (old, *_) = on_record(quick_folder)
    new = new_certificate_id(lambda count: bytes([byte, *range(count - 1)]))  # before or behind the old one
    monkeypatch.setattr("sealtool.appeals.new_certificate_id", lambda _: new)
    by_whom = ("--reason", "On appeal", "--again", "--yes", "--registry", registry)
    assert quick_folder.call("reissue", old, *by_whom).code == 0
    before = on_record(quick_folder)
    lose_the_ledger(quick_folder)
    assert quick_folder.call("ledger", "rebuild", "--from", quick_folder.path / "out").code == 0
    assert on_record(quick_folder) == before
    assert quick_folder.call("revoke", new, "--reason", "On appeal", "--yes").code == 0


def on_record(folder: Folder) -> dict[str, tuple[int, str]]:
    """Generation and state of each certificate; those of the first person first."""
    with closing(sqlite3.connect(folder.path / "ledger.sqlite")) as connection:
        query = "SELECT certificate_id, generation, state FROM certificates ORDER BY person_id, generation"
        return {row[0]: row[1:] for row in connection.execute(query)}


def lose_the_ledger(folder: Folder) -> None:
    for part in folder.path.glob("ledger.sqlite*"):
        part.unlink()


def test_each_language_of_a_certificate_comes_back(quick_folder: Folder, registry: Path) -> None:
    quick_folder.configure("one_file_per_language = false", "one_file_per_language = true")
    quick_folder.workspace.issue(registry, B1)
    before = status(quick_folder)
    lose_the_ledger(quick_folder)
    assert quick_folder.call("ledger", "rebuild", "--from", quick_folder.path / "out").code == 0
    assert status(quick_folder) == before
    assert findings(quick_folder) == []


def test_one_language_of_two_is_no_certificate(quick_folder: Folder, registry: Path) -> None:
    quick_folder.configure("one_file_per_language = false", "one_file_per_language = true")
    quick_folder.workspace.issue(registry, Scope((Level.B1,), people=frozenset({A})))  # type: ignore[arg-type]
    before, die = set(quick_folder.certificates), killed_after("file published")
    ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die)))
    (half,) = set(quick_folder.certificates) - before
    lose_the_ledger(quick_folder)
    outcome = quick_folder.call("ledger", "rebuild", "--from", quick_folder.path / "out")
    assert outcome.code == 5
    assert f"{half.name.partition('.')[0]} are in ca, and have to be in ca, es" in outcome.err
    half.unlink()
    assert quick_folder.call("ledger", "rebuild", "--from", quick_folder.path / "out").code == 0
    quick_folder.workspace.issue(registry, B1)
    assert len(quick_folder.certificates) == 4
    assert findings(quick_folder) == []


def _missing(folder: Folder) -> None:
    folder.certificates[0].unlink()


def _changed(folder: Folder) -> None:
    content = bytearray(folder.certificates[0].read_bytes())
    content[2000] ^= 1
    folder.certificates[0].write_bytes(content)


def _renamed(folder: Folder) -> None:
    """A sound certificate that no manifest lists, under a name that is not its own."""
    shutil.copy(folder.certificates[0], folder.certificates[0].with_name("AAAAA-AAAAA-AAAAA-AAAAA.pdf"))


def _manifest_changed(folder: Folder) -> None:
    manifest = folder.manifests[0]
    manifest.write_bytes(manifest.read_bytes().replace(b'"pages":', b'"pages": '))


def _manifest_gone(folder: Folder) -> None:
    folder.manifests[0].unlink()


def _no_manifests(folder: Folder) -> None:
    shutil.rmtree(folder.path / "out" / "manifests")


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)  # it is refused before anything is written
@pytest.mark.parametrize("damage", [_missing, _changed, _renamed, _manifest_changed, _manifest_gone, _no_manifests])
def test_a_folder_that_leaves_a_doubt_makes_no_ledger(
    issued: Folder, ledger_place: Place, damage: Callable[[Folder], None]
) -> None:
    ledger_place.remove()
    damage(issued)
    outcome = issued.call("ledger", "rebuild", "--from", issued.path / "out")
    assert outcome.code == LedgerInconsistentError.exit_code
    assert "nothing was made" in outcome.err
    assert not list(issued.path.glob("ledger.sqlite*[!k]"))  # but for the lock
