import contextlib
import fcntl
import itertools
import sqlite3
import stat
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

import sealtool.ledger
from sealtool.errors import ConfigurationError, LedgerError, LedgerInconsistentError, LedgerLockedError
from sealtool.ledger import CertificateState, Ledger, Reservation, RunState, create_ledger, open_ledger
from sealtool.ledger.opening import SCHEMA_HEAD
from sealtool.ledger.tables import metadata
from sealtool.model import (
    Area,
    Assessment,
    CertificateId,
    CoveredArea,
    Decision,
    Level,
    PersonId,
    Procedure,
    RunId,
)
from tests.ledgers import Place
from tests.unit.ledger.conftest import FACTS, NOW, RUN, sealed

Decide = Callable[..., Decision]
Reserve = Callable[..., Reservation]


def states(ledger: Ledger) -> dict[str, str]:
    return {one.certificate_id: str(one.state) for one in ledger.certificates_on_record(list(Level))}


def test_a_second_certificate_for_the_same_person_and_level_is_refused(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    with pytest.raises(LedgerInconsistentError):
        reserve("B")
    assert states(ledger) == {"A": "reserved"}


def test_another_person_may_have_one_too(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A", "10000000P")
    reserve("B", "10000001D")
    assert len(states(ledger)) == 2


def test_a_released_reservation_makes_room_for_a_new_one(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.release(RUN, [CertificateId("A")], at=NOW)
    reserve("B")
    assert states(ledger) == {"B": "reserved"}


def test_a_certificate_goes_from_reserved_over_sealed_to_issued(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.record_sealed(RUN, [sealed("A")], at=NOW)
    assert states(ledger) == {"A": "sealed"}
    ledger.record_issued(RUN, [CertificateId("A")], at=NOW)
    assert states(ledger) == {"A": "issued"}


def test_what_was_not_sealed_cannot_be_issued(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    with pytest.raises(LedgerInconsistentError, match="not all of A are sealed"):
        ledger.record_issued(RUN, [CertificateId("A")], at=NOW)


def test_what_was_issued_cannot_be_released(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.record_sealed(RUN, [sealed("A")], at=NOW)
    ledger.record_issued(RUN, [CertificateId("A")], at=NOW)
    with pytest.raises(LedgerInconsistentError):
        ledger.release(RUN, [CertificateId("A")], at=NOW)
    assert states(ledger) == {"A": "issued"}


def test_what_was_sealed_cannot_be_sealed_again(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.record_sealed(RUN, [sealed("A")], at=NOW)
    with pytest.raises(LedgerInconsistentError):
        ledger.record_sealed(RUN, [sealed("A")], at=NOW)


def test_a_refused_change_leaves_no_event_behind(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    before = ledger.head()
    with pytest.raises(LedgerInconsistentError):
        reserve("B")
    assert ledger.head() == before


def test_unpublished_files_are_forgotten_and_the_id_stays_reserved(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.record_sealed(RUN, [sealed("A")], at=NOW)
    ledger.record_unpublished(RUN, [CertificateId("A")], at=NOW)
    assert states(ledger) == {"A": "reserved"}
    assert ledger.document_paths() == frozenset()


def test_a_reservation_takes_the_decision_the_registry_supports_now(
    ledger: Ledger, reserve: Reserve, decide: Decide
) -> None:
    reserve("A")
    later = Reservation(CertificateId("A"), decide(day=date(2025, 4, 1)))
    ledger.revise_reservations(RUN, [later], at=NOW)
    (one,) = ledger.certificates_on_record([Level.B1])
    assert one.decision["accredited_on"] == "2025-04-01"


def test_only_the_levels_asked_for_are_returned(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    assert ledger.certificates_on_record([Level.A1]) == ()


# --- the chain -------------------------------------------------------------------------------------------


def test_the_chain_of_an_untouched_ledger_is_whole(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    assert ledger.broken_link() is None


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("UPDATE events SET payload = '{}' WHERE sequence = 2", "event 2"),
        ("DELETE FROM events WHERE sequence = 2", "event 2 is missing"),
        ("UPDATE events SET at = '2020-01-01T00:00:00+00:00' WHERE sequence = 1", "event 1"),
    ],
    ids=["edited", "removed", "first edited"],
)
def test_a_tampered_event_is_found_and_named(
    ledger: Ledger, reserve: Reserve, ledger_place: Place, tampering: str, complaint: str
) -> None:
    reserve("A", "10000000P")
    reserve("B", "10000001D")
    ledger_place.disarm()
    ledger_place.execute(tampering)
    assert complaint in str(ledger.broken_link())


def test_reordered_events_are_found(ledger: Ledger, reserve: Reserve, ledger_place: Place) -> None:
    reserve("A", "10000000P")
    reserve("B", "10000001D")
    ledger_place.disarm()
    for before, after in ((2, -3), (3, 2), (-3, 3)):
        ledger_place.execute(f"UPDATE events SET sequence = {after} WHERE sequence = {before}")  # noqa: S608 - ours
    assert "event 2" in str(ledger.broken_link())


@pytest.mark.parametrize(
    "change",
    ["UPDATE events SET payload = '{}' WHERE sequence = 1", "DELETE FROM events", "UPDATE events SET at = '2020'"],
)
def test_the_database_itself_refuses_to_change_or_remove_events(
    ledger: Ledger, reserve: Reserve, ledger_place: Place, change: str
) -> None:
    reserve("A")
    before = ledger.head()
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError), match="never changed or removed"):
        ledger_place.execute(change)
    assert ledger.head() == before
    assert ledger.broken_link() is None


# --- runs ------------------------------------------------------------------------------------------------


def test_a_run_that_never_ended_is_called_interrupted_by_the_next(ledger: Ledger) -> None:
    ledger.begin_run(RunId("20260303T030000Z-000002"), FACTS, at=NOW + timedelta(days=1))
    assert [run.state for run in ledger.last_runs(2)] == [RunState.RUNNING, RunState.INTERRUPTED]


def test_the_rows_of_the_newest_run_are_remembered(ledger: Ledger) -> None:
    assert ledger.last_row_counts() == {"people.csv": 10}


def test_a_new_ledger_remembers_no_rows(place: Place) -> None:
    with create_ledger(place.url) as ledger:
        assert ledger.last_row_counts() == {}


# --- the register ----------------------------------------------------------------------------------------


def assessment(day: date) -> Assessment:
    return Assessment(Level.B1, (CoveredArea(Area(1), day, Procedure.TRAINING, ("ACT-1",)),), ())


def test_an_area_enters_the_register_before_its_level_is_complete(ledger: Ledger) -> None:
    lines = ledger.record_register(RUN, [(PersonId("10000000P"), assessment(date(2025, 1, 1)))], "2025-10-27", at=NOW)
    assert lines == 1


def test_the_register_changes_only_where_something_changed(ledger: Ledger) -> None:
    for day, changed in ((date(2025, 1, 1), 1), (date(2025, 1, 1), 0), (date(2025, 1, 2), 1)):
        entries = [(PersonId("10000000P"), assessment(day))]
        assert ledger.record_register(RUN, entries, "2025-10-27", at=NOW) == changed


def test_a_line_that_is_no_longer_supported_leaves_the_register_but_not_the_events(ledger: Ledger) -> None:
    person = PersonId("10000000P")
    ledger.record_register(RUN, [(person, assessment(date(2025, 1, 1)))], "2025-10-27", at=NOW)
    assert ledger.record_register(RUN, [(person, Assessment(Level.B1, (), ()))], "2025-10-27", at=NOW) == 1
    with ledger._engine.connect() as connection:
        kinds = connection.exec_driver_sql("SELECT kind FROM events").scalars().all()
    assert kinds.count("register_removed") == 1


def test_people_who_were_not_assessed_keep_their_lines(ledger: Ledger) -> None:
    ledger.record_register(RUN, [(PersonId("10000000P"), assessment(date(2025, 1, 1)))], "2025-10-27", at=NOW)
    other = [(PersonId("10000001D"), Assessment(Level.B1, (), ()))]
    assert ledger.record_register(RUN, other, "2025-10-27", at=NOW) == 0


# --- manifests -------------------------------------------------------------------------------------------


def issued(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.record_sealed(RUN, [sealed("A")], at=NOW)
    ledger.record_issued(RUN, [CertificateId("A")], at=NOW)


def test_an_issued_document_waits_for_a_manifest_until_one_is_announced(ledger: Ledger, reserve: Reserve) -> None:
    issued(ledger, reserve)
    (entry,) = ledger.entries_without_manifest()
    ledger.announce_manifest(RUN, [entry.path], {"manifests/x.json": "00" * 32}, at=NOW)
    assert ledger.entries_without_manifest() == ()


def test_a_withdrawn_manifest_leaves_its_documents_to_the_next(ledger: Ledger, reserve: Reserve) -> None:
    issued(ledger, reserve)
    ledger.announce_manifest(RUN, ["2026/B1/A.pdf"], {"manifests/x.json": "00" * 32}, at=NOW)
    ledger.withdraw_manifest(RUN, at=NOW)
    assert [entry.path for entry in ledger.entries_without_manifest()] == ["2026/B1/A.pdf"]
    assert ledger.unconfirmed_manifests() == ()


def test_a_confirmed_manifest_is_no_longer_in_question(ledger: Ledger, reserve: Reserve) -> None:
    issued(ledger, reserve)
    ledger.announce_manifest(RUN, ["2026/B1/A.pdf"], {"manifests/x.json": "00" * 32}, at=NOW)
    assert [one.run_id for one in ledger.unconfirmed_manifests()] == [RUN]
    ledger.confirm_manifest(RUN, "00" * 32, at=NOW)
    assert ledger.unconfirmed_manifests() == ()


# --- opening ---------------------------------------------------------------------------------------------


def test_a_missing_ledger_is_never_replaced_by_an_empty_one(place: Place) -> None:
    for _ in range(2):
        with pytest.raises(LedgerError, match="issue every certificate again"):
            open_ledger(place.url)


def test_an_existing_ledger_is_never_overwritten(ledger: Ledger, ledger_place: Place) -> None:
    with pytest.raises(LedgerError, match="There is a ledger already"):
        create_ledger(ledger_place.url)
    assert ledger.head()[0] == 1


def test_a_file_that_is_no_database_is_an_error_in_plain_words(ledger_file: Path) -> None:
    ledger_file.write_bytes(b"not a database" * 100)
    with pytest.raises(LedgerError, match="cannot be read"):
        open_ledger(f"sqlite:///{ledger_file}")


def test_a_ledger_of_another_version_is_refused(ledger: Ledger, ledger_place: Place) -> None:
    ledger.close()
    ledger_place.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="version 9999"):
        open_ledger(ledger_place.url)


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/x", "sqlite://", "postgresql://host/x", "postgresql"])
def test_an_address_that_means_nothing_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_ledger(url)


def test_nobody_else_may_read_the_ledger(ledger_file: Path) -> None:
    create_ledger(f"sqlite:///{ledger_file}").close()
    assert stat.S_IMODE(ledger_file.stat().st_mode) == 0o600


def test_a_row_that_cannot_be_read_is_a_ledger_that_was_changed(
    ledger: Ledger, reserve: Reserve, ledger_place: Place
) -> None:
    reserve("A")
    ledger_place.execute("UPDATE certificates SET decision = '{'")
    with pytest.raises(LedgerInconsistentError, match="cannot be read"):
        ledger.certificates_on_record([Level.B1])


def test_the_ledger_is_held_by_one_at_a_time(ledger: Ledger) -> None:
    with ledger.exclusive(), pytest.raises(LedgerLockedError, match="Another run"), ledger.exclusive():
        pass


def test_a_ledger_that_is_held_for_a_moment_is_waited_for(
    ledger_place: Place, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = contextlib.ExitStack()
    monkeypatch.setattr("sealtool.ledger.locking.PATIENCE_SECONDS", 30)
    monkeypatch.setattr("sealtool.ledger.locking.time.sleep", lambda _: looking.close())
    with looking, open_ledger(ledger_place.url) as another:
        looking.enter_context(another.exclusive())
        assert ledger.is_held()
        with ledger.exclusive():
            assert another.is_held()


def test_a_run_whose_lock_file_was_removed_writes_no_more(ledger_file: Path) -> None:
    with create_ledger(f"sqlite:///{ledger_file}") as one, one.exclusive():
        one.begin_run(RUN, FACTS, at=NOW)
        ledger_file.with_name("ledger.sqlite.lock").unlink()
        with open_ledger(f"sqlite:///{ledger_file}") as another, another.exclusive():
            with pytest.raises(LedgerError, match="was removed while this run held the ledger"):
                one.end_run(RUN, RunState.FINISHED, {}, at=NOW)
            another.end_run(RUN, RunState.INTERRUPTED, {}, at=NOW)
        assert [run.state for run in one.last_runs(2)] == [RunState.INTERRUPTED]


def test_a_lock_file_that_is_removed_before_it_is_locked_holds_nothing(
    ledger_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_file, flock = ledger_file.with_name("ledger.sqlite.lock"), fcntl.flock
    removals = iter([lock_file.unlink])

    def too_late(descriptor: int, operation: int) -> None:
        for remove in itertools.islice(removals, 1):
            remove()
        flock(descriptor, operation)

    monkeypatch.setattr("sealtool.ledger.locking.fcntl.flock", too_late)
    url = f"sqlite:///{ledger_file}"
    with create_ledger(url) as one, open_ledger(url) as another, one.exclusive():
        assert another.is_held()


def test_the_ledger_is_free_again_afterwards(ledger: Ledger) -> None:
    with ledger.exclusive():
        pass
    with ledger.exclusive():
        pass


def test_every_commit_is_durable(ledger_file: Path) -> None:
    with create_ledger(f"sqlite:///{ledger_file}") as ledger, ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_the_code_works_with_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(sealtool.ledger.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_HEAD


def test_the_migrations_make_the_tables_that_the_code_describes(
    ledger: Ledger, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    described = create_engine(f"sqlite:///{tmp_path / 'described.sqlite'}")
    if ledger._engine.dialect.name == "postgresql":
        cluster = request.getfixturevalue("cluster")
        described = create_engine(cluster.url(cluster.database()))
    metadata.create_all(described)
    made, wanted = inspect(ledger._engine), inspect(described)
    for table in metadata.tables:
        columns = [
            {
                column["name"]: (str(column["type"]).partition(" COLLATE ")[0], column["nullable"])
                for column in one.get_columns(table)
            }
            for one in (made, wanted)
        ]
        assert columns[0] == columns[1]
        indexes = [
            {
                index["name"]: (
                    index["unique"],
                    index["column_names"],
                    {name: str(option) for name, option in index.get("dialect_options", {}).items()},
                )
                for index in one.get_indexes(table)
            }
            for one in (made, wanted)
        ]
        assert indexes[0] == indexes[1]
    described.dispose()


def test_a_certificate_state_is_known_for_each_level(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    assert ledger.counts_by_level_and_state() == (("B1", CertificateState.RESERVED, 1),)
