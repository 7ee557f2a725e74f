"""Copies of a ledger, and ledgers of before: nothing is lost on the way from one file or database to another."""

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sealtool.errors import LedgerError, LedgerInconsistentError, LedgerLockedError, OutputError
from sealtool.ledger import (
    Custody,
    Ledger,
    Reservation,
    create_ledger,
    ledger_version,
    migrate_ledger,
    open_ledger,
    restoring,
)
from sealtool.ledger.opening import SCHEMA_HEAD
from sealtool.model import CertificateId, Level
from tests.ledgers import Place, sqlite_place
from tests.unit.ledger.conftest import NOW, RUN, sealed

OLD_LEDGERS = Path(__file__).parents[2] / "ledgers_of_before"
ASIDE = "before-20260302-030000"


@pytest.fixture
def issued(ledger: Ledger, reserve: Callable[..., Reservation]) -> Ledger:
    """A ledger with a certificate of which one document was issued."""
    reserve("A")
    document = replace(sealed("A"), seal={"pades_level": "B-B", "valid_until": "2028-01-01T00:00:00Z"})
    ledger.record_sealed(RUN, [document], at=NOW)
    ledger.record_issued(RUN, [CertificateId("A")], at=NOW)
    return ledger


def back_up(ledger: Ledger, file: Path) -> Path:
    Custody(ledger).back_up(file, tool_version="0.1.0", at=NOW)
    return file


def restore(place: Place, file: Path) -> None:
    with restoring(place.url, file, aside=ASIDE):
        pass


def told(ledger: Ledger) -> tuple[object, ...]:
    return (
        ledger.head(),
        ledger.certificates_on_record(list(Level)),
        ledger.documents_on_record(),
        ledger.last_runs(9),
    )


# --- backup and restore ---------------------------------------------------------------------------


def test_a_ledger_that_was_lost_is_restored_as_it_was(issued: Ledger, ledger_place: Place, tmp_path: Path) -> None:
    before, backup = told(issued), back_up(issued, tmp_path / "backup.jsonl")
    issued.close()
    ledger_place.remove()
    restore(ledger_place, backup)
    with open_ledger(ledger_place.url) as restored:
        assert told(restored) == before
        assert Custody(restored).findings() == ()


def test_a_ledger_moves_from_any_database_to_any_other(
    issued: Ledger, place: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    target = place
    if place.kind == "sqlite":
        (tmp_path / "moved").mkdir()
        target = sqlite_place(tmp_path / "moved")
    restore(target, back_up(issued, tmp_path / "backup.jsonl"))
    with open_ledger(target.url) as moved:
        assert told(moved) == told(issued)
        again = back_up(moved, tmp_path / "again.jsonl")
    assert again.read_bytes() == (tmp_path / "backup.jsonl").read_bytes()


def test_a_restored_ledger_refuses_changes_of_events_like_any_other(
    issued: Ledger, ledger_place: Place, tmp_path: Path
) -> None:
    restore(ledger_place, back_up(issued, tmp_path / "backup.jsonl"))
    with pytest.raises(Exception, match="never changed or removed"):
        ledger_place.execute("DELETE FROM events")


def test_what_was_there_before_a_restore_is_kept(issued: Ledger, ledger_place: Place, tmp_path: Path) -> None:
    backup = back_up(issued, tmp_path / "backup.jsonl")
    issued.close()
    restore(ledger_place, backup)
    if ledger_place.kind == "sqlite":
        assert (tmp_path / f"ledger.sqlite.{ASIDE}").is_file()
    else:
        schemas = ledger_place.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sealtool%' ORDER BY 1")
        assert [name for (name,) in schemas] == ["sealtool", "sealtool_before_20260302_030000"]


def test_a_ledger_with_newer_events_is_not_overwritten(issued: Ledger, ledger_place: Place, tmp_path: Path) -> None:
    backup = back_up(issued, tmp_path / "backup.jsonl")
    issued.withdraw_manifest(RUN, at=NOW)
    before = told(issued)
    with pytest.raises(LedgerError, match="would be lost"):
        restore(ledger_place, backup)
    assert told(issued) == before
    assert not [path for path in tmp_path.iterdir() if "draft" in path.name]


def test_a_ledger_of_another_history_is_not_overwritten(issued: Ledger, ledger_place: Place, tmp_path: Path) -> None:
    backup = back_up(issued, tmp_path / "backup.jsonl")
    ledger_place.disarm()
    ledger_place.execute("UPDATE events SET hash = 'x' WHERE sequence = 4")
    with pytest.raises(LedgerError, match="would be lost"):
        restore(ledger_place, backup)


def test_nothing_is_restored_while_a_run_holds_the_ledger(issued: Ledger, ledger_place: Place, tmp_path: Path) -> None:
    backup = back_up(issued, tmp_path / "backup.jsonl")
    with issued.exclusive(), pytest.raises(LedgerLockedError):
        restore(ledger_place, backup)


def test_a_backup_is_consistent_while_a_run_holds_the_ledger(issued: Ledger, tmp_path: Path) -> None:
    with issued.exclusive():
        backup = Custody(issued).back_up(tmp_path / "backup.jsonl", tool_version="0.1.0", at=NOW)
    assert (backup.sequence, backup.head) == issued.head()


def test_a_backup_is_for_its_owner_alone_and_replaces_no_file(issued: Ledger, tmp_path: Path) -> None:
    backup = back_up(issued, tmp_path / "backup.jsonl")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    before = backup.read_bytes()
    with pytest.raises(OutputError, match="cannot be written"):
        back_up(issued, backup)
    assert backup.read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("ledger_place", ["sqlite"], indirect=True)  # it is refused before any database is asked
@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:2], lines[2].replace(b"B1", b"C2"), *lines[3:]],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [*lines, b"{}\n"],
        lambda _: [],
        lambda _: [b"\xff\n", b"{}\n"],
        lambda lines: [lines[0].replace(b"ledger-backup/1", b"ledger-backup/2"), *lines[1:]],
    ],
    ids=["edited", "removed", "cut short", "reordered", "longer", "empty", "no text", "another schema"],
)
def test_a_damaged_backup_is_refused(
    issued: Ledger, ledger_place: Place, tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    backup = back_up(issued, tmp_path / "backup.jsonl")
    lines = backup.read_bytes().splitlines(keepends=True)
    backup.write_bytes(b"".join(damage(lines)))
    before = told(issued)
    with pytest.raises(LedgerInconsistentError, match="cannot be used as a backup"):
        restore(ledger_place, backup)
    assert told(issued) == before


def test_a_backup_says_what_it_is_in_its_first_line(issued: Ledger, tmp_path: Path) -> None:
    header = json.loads(back_up(issued, tmp_path / "backup.jsonl").read_bytes().splitlines()[0])
    assert header["schema"] == "sealtool.ledger-backup/1"
    assert header["version"] == SCHEMA_HEAD
    assert (header["ledger_sequence"], header["ledger_head"]) == issued.head()


# --- ledgers of before ----------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Place:
    """The ledger of the first version, with two certificates and their manifest."""
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.executescript((OLD_LEDGERS / "0001.sql").read_text(encoding="utf-8"))
    return sqlite_place(tmp_path)


def migrated(place: Place, backup: Path) -> None:
    with migrate_ledger(place.url) as (ledger, version):
        Custody(ledger).back_up(backup, tool_version="0.1.0", at=NOW, version=version)


def test_a_ledger_of_before_is_not_opened_and_left_as_it_is(old: Place) -> None:
    tables = "SELECT sql FROM sqlite_master ORDER BY name"
    before = old.execute(tables)
    with pytest.raises(LedgerError, match="ledger migrate"):
        open_ledger(old.url)
    assert ledger_version(old.url) == "0001"
    assert old.execute(tables) == before


def test_a_ledger_of_before_keeps_all_that_it_knows(old: Place, tmp_path: Path) -> None:
    rows = old.execute("SELECT sequence, hash FROM events ORDER BY sequence")
    migrated(old, tmp_path / "backup.jsonl")
    with open_ledger(old.url) as ledger:
        assert ledger.head() == rows[-1]
        assert [one.state for one in ledger.certificates_on_record([Level.B1])] == ["issued", "issued"]
        assert [one.is_noted for one in ledger.documents_on_record()] == [False, False]
        assert Custody(ledger).findings() == ()
    assert old.execute("SELECT sequence, hash FROM events ORDER BY sequence") == rows


def test_a_migrated_ledger_is_held_to_be_added_to_only(old: Place, tmp_path: Path) -> None:
    migrated(old, tmp_path / "backup.jsonl")
    with pytest.raises(sqlite3.IntegrityError, match="never changed or removed"):
        old.execute("UPDATE events SET at = ''")


def test_the_backup_of_a_ledger_of_before_is_restored_at_the_newest_version(
    old: Place, place: Place, tmp_path: Path
) -> None:
    migrated(old, tmp_path / "backup.jsonl")
    with open_ledger(old.url) as ledger:
        before = told(ledger)
    old.remove()
    restore(place, tmp_path / "backup.jsonl")
    with open_ledger(place.url) as restored:
        assert told(restored) == before


def test_a_ledger_whose_backup_cannot_be_written_is_not_migrated(old: Place, tmp_path: Path) -> None:
    (tmp_path / "backup.jsonl").write_text("in the way")
    with pytest.raises(OutputError):
        migrated(old, tmp_path / "backup.jsonl")
    assert ledger_version(old.url) == "0001"


def test_a_ledger_of_before_is_left_alone_while_a_run_holds_it(old: Place, tmp_path: Path) -> None:
    with migrate_ledger(old.url), pytest.raises(LedgerLockedError):
        migrated(old, tmp_path / "backup.jsonl")


def test_a_ledger_that_is_up_to_date_is_migrated_to_what_it_is(place: Place) -> None:
    create_ledger(place.url).close()
    with migrate_ledger(place.url) as (_, version):
        assert version == SCHEMA_HEAD
    assert ledger_version(place.url) == SCHEMA_HEAD
