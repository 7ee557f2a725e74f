"""What keeping a ledger for ten years takes: examining it, copying it, putting it back, writing it anew."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from sealtool.errors import LedgerError
from sealtool.ledger import rebuilding
from sealtool.ledger.backup import Backup, load_backup, read_backup, write_backup
from sealtool.ledger.book import Ledger
from sealtool.ledger.certificates import manifest_entry
from sealtool.ledger.databases import SCHEMA_HEAD, Database, cause, upgrade, version_of
from sealtool.ledger.events import GENESIS, beginning, newest, told_by
from sealtool.ledger.examination import examine
from sealtool.ledger.findings import LedgerFinding
from sealtool.ledger.legibility import IllegibleRowError
from sealtool.ledger.manifests import files_of
from sealtool.ledger.opening import Password, database_at
from sealtool.ledger.tables import certificates, documents, runs
from sealtool.ledger.values import UNPUBLISHED, ManifestEntry, RunFacts, RunState
from sealtool.model import RunId


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document on record, and the run of the manifest that lists it; None where it waits for one."""

    entry: ManifestEntry
    manifest_run: RunId | None


@dataclass(frozen=True, slots=True)
class Custody:
    """A ledger in the hands of whoever looks after it. Every method may raise LedgerError."""

    ledger: Ledger

    def findings(self) -> tuple[LedgerFinding, ...]:
        """Everything that speaks against the chain of events, and against the tables by what it tells."""
        with self.ledger._reading() as connection:  # noqa: SLF001 - of this room
            return examine(connection)

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest event, also where that is none that sealtool writes."""
        with self.ledger._reading() as connection:  # noqa: SLF001 - of this room
            last = newest(connection)
            return (0, GENESIS) if last is None else (last.sequence, str(last.hash))

    def listed_documents(self) -> Mapping[str, ListedDocument]:
        """Every document that was published, by path. What cannot be read is left out: it is among the findings."""
        query = select(certificates, documents).join(
            documents, documents.c.certificate_id == certificates.c.certificate_id
        )
        query = query.where(certificates.c.state.not_in(UNPUBLISHED))
        found = {}
        with self.ledger._reading() as connection:  # noqa: SLF001 - of this room
            for row in connection.execute(query):
                with contextlib.suppress(IllegibleRowError):
                    found[row.path] = ListedDocument(manifest_entry(row), row.manifest_run)
        return found

    def manifests(self) -> Mapping[RunId, Mapping[str, str]]:
        """Every manifest that was announced: its files with their SHA-256, by run. Likewise."""
        query: Select[Any] = select(runs.c.run_id, runs.c.manifest).where(runs.c.manifest.is_not(None))
        found = {}
        with self.ledger._reading() as connection:  # noqa: SLF001 - of this room
            for row in connection.execute(query):
                with contextlib.suppress(IllegibleRowError):
                    found[RunId(row.run_id)] = files_of(row)
        return found

    def rebuilt_from(self) -> Mapping[str, Any] | None:
        """What the first event of a rebuilt ledger says; None of one that was never lost."""
        with self.ledger._reading() as connection:  # noqa: SLF001 - of this room
            first = beginning(connection)
            return None if first is None else {"at": str(first.at), "sequence": first.sequence, **told_by(first)}

    def back_up(self, file: Path, *, tool_version: str, at: datetime, version: str = SCHEMA_HEAD) -> Backup:
        """Copies the ledger as it is now into a new file, also while a run goes on; OutputError where it cannot."""
        with self.ledger._reading() as connection:  # noqa: SLF001 - of this room
            return write_backup(connection, file, version=version, tool_version=tool_version, at=at)


@dataclass(slots=True)
class Restored:
    """A ledger on its way back into its place.

    Attributes:
        ledger: what the backup holds, in a place beside.
        backup: it.
        kept: the name of the ledger that was there before, once it has given way; empty where there was none.
    """

    ledger: Ledger
    backup: Backup
    kept: str = ""


@contextlib.contextmanager
def restoring(url: str, file: Path, *, aside: str, password: Password | None = None) -> Iterator[Restored]:
    """Loads a backup into a place beside the ledger, for the caller to judge, and puts it in its place when the block
    ends without an error. What was there is kept under another name.

    Args:
        url: of the ledger.
        file: the backup.
        aside: the word under which what was there is kept.
        password: of the database.

    Raises:
        LedgerError: the backup is none or damaged; or the ledger that is there has events that the backup has not, or
            cannot be read.
    """
    backup = read_backup(file)
    database = database_at(url, password)
    with contextlib.closing(database), database.exclusive(), _draft_of(database) as draft:
        load_backup(backup, draft)
        with Ledger(draft) as ledger:
            _insist_on_nothing_newer(database, ledger, file)
            restored = Restored(ledger, backup)
            yield restored
        restored.kept = database.give_way_to(draft, aside=aside)


@contextlib.contextmanager
def rebuilding_at(url: str, *, aside: str, password: Password | None = None) -> Iterator[Ledger]:
    """An empty ledger in a place beside the one that was lost, which takes that place when the block ends without an
    error.

    Raises:
        LedgerError: there is a ledger.
    """
    database = database_at(url, password)
    with contextlib.closing(database), database.exclusive(), _draft_of(database) as draft:
        if _present_version(database) is not None:
            raise LedgerError(
                f"There is a ledger at {database.name}: it was not lost. Rebuilding it would lose what only it knows.",
                advice="Look at it with `sealtool ledger verify`. Where it is beyond help, put it aside by hand first.",
            )
        upgrade(draft.engine)
        with Ledger(draft) as ledger:
            yield ledger
        database.give_way_to(draft, aside=aside)


def write_rebuilt(ledger: Ledger, run_id: RunId, facts: RunFacts, found: rebuilding.Found, *, at: datetime) -> None:
    """Writes what was found into an empty ledger, in the course of a run of its own."""
    with ledger._transaction() as connection:  # noqa: SLF001 - of this room
        rebuilding.begin(connection, run_id, found, at=at)
    ledger.begin_run(run_id, facts, at=at)
    with ledger._transaction() as connection:  # noqa: SLF001 - of this room
        rebuilding.enter(connection, run_id, found, at=at)
    ledger.end_run(run_id, RunState.FINISHED, {"rebuilt": len(found.certificates)}, at=at)


@contextlib.contextmanager
def _draft_of(database: Database) -> Iterator[Database]:
    draft = database.draft()
    try:
        draft.make_room()
        yield draft
    except BaseException:
        draft.discard()
        raise


def _present_version(database: Database) -> str | None:
    """The version of what is in a place; None where nothing is."""
    try:
        database.insist_on_presence()
    except LedgerError:
        return None
    try:
        version = version_of(database.engine)
        return version or ("unknown" if inspect(database.engine).get_table_names() else None)
    except SQLAlchemyError as error:
        raise LedgerError(
            f"What is at {database.name} cannot be read ({cause(error)}), so nobody can tell what it knows. It was "
            "left as it is.",
            advice="Put it aside by hand, and call again.",
        ) from error


def _insist_on_nothing_newer(database: Database, restored: Ledger, file: Path) -> None:
    version = _present_version(database)
    if version is None:
        return
    if version != SCHEMA_HEAD:
        raise LedgerError(
            f"The ledger at {database.name} is of another version ({version}), so nobody can tell what it knows. "
            "Nothing was changed.",
            advice="Bring it up to date with `sealtool ledger migrate`, or put it aside by hand.",
        )
    sequence, head = Custody(Ledger(database)).head()
    if sequence and restored.event_hash(sequence) != head:
        last, _ = restored.head()
        raise LedgerError(
            f"The ledger at {database.name} has events that the backup {file} has not: its newest is {sequence}, that "
            f"of the backup {last}. They would be lost, and what they tell of issued again. Nothing was changed.",
            advice="Take a newer backup. Where the present ledger is beyond help, put it aside by hand first.",
        )
