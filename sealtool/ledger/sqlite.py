"""A ledger in an SQLite file."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event

from sealtool.errors import LedgerError
from sealtool.ledger.locking import exclusive_file_lock, is_at
from sealtool.regular_files import real_path


class SqliteDatabase:
    """A file, and beside it the one that a run locks. Links are followed: one ledger has one lock."""

    def __init__(self, file: Path) -> None:
        self.file = real_path(file)
        self._identity: tuple[int, int] | None = None
        self._hold: int | None = None

    @property
    def name(self) -> str:
        """The path."""
        return str(self.file)

    @cached_property
    def engine(self) -> Engine:
        """Connections to the file."""
        # hide_parameters: what a statement was about must not reach a log
        engine = create_engine(URL.create("sqlite", database=str(self.file)), hide_parameters=True)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "connect", lambda *_: self._remember_the_file())
        event.listen(engine, "begin", _begin)
        return engine

    def insist_on_presence(self) -> None:
        """Raises LedgerError where there is no file."""
        if not self.file.is_file():
            raise LedgerError(
                f"There is no ledger at {self.file}. An empty one in its place would issue every certificate again.",
                advice="Restore it from a backup with `sealtool ledger restore`, or correct ledger.url in the "
                "configuration. Where there is no backup, `sealtool ledger rebuild` writes it anew from what was "
                "issued.",
            )

    def make_room(self) -> None:
        """Makes an empty file; LedgerError where there is one."""
        try:
            os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise LedgerError(
                f"There is a ledger already: {self.file}. A new one in its place would lose what it knows.",
                advice="Choose another folder.",
            ) from None
        except OSError as error:
            raise LedgerError(
                f"The ledger {self.file} cannot be made: {error.strerror or error}.",
                advice="Check that the folder exists and that you may write in it.",
            ) from error

    @contextmanager
    def exclusive(self, *, patient: bool = True) -> Iterator[None]:
        """Holds the ledger through a lock that the kernel takes back from a dead process."""
        with exclusive_file_lock(self._lock_file, beside=self.file, patient=patient) as descriptor:
            self._hold = descriptor
            try:
                yield
            finally:
                self._hold = None

    def insist_on_write_access(self) -> None:
        """Raises LedgerError where this user may not write the file, or nothing beside it, as every change needs."""
        for path in (self.file, self.file.parent):
            if path.exists() and not os.access(path, os.W_OK):
                raise LedgerError(
                    f"The ledger {self.file} cannot be written: this user may only read "
                    f"{'it' if path == self.file else f'its folder {path}'}. Nothing could be recorded, so nothing can "
                    "be issued.",
                    advice=f"Give the user of sealtool the right to write: chmod u+w {shlex.quote(str(path))}",
                )

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, of which nothing is kept where the file was taken away: SQLite would write on in what nobody
        can open any more. The same where the lock file was: another run may hold a new one.

        Raises:
            LedgerError: one of them is not there any more, or another one is; or it may only be read.
        """
        self.insist_on_write_access()
        with self.engine.begin() as connection:
            yield connection
            self._insist_on_the_same_file()
            self._insist_on_the_hold()

    def _remember_the_file(self) -> None:
        if self._identity is None:
            self._identity = self._file_identity()

    def _file_identity(self) -> tuple[int, int] | None:
        try:
            facts = self.file.stat()
        except OSError:
            return None
        return (facts.st_dev, facts.st_ino)

    def _insist_on_the_same_file(self) -> None:
        if self._identity is None or self._file_identity() != self._identity:
            raise LedgerError(
                f"The ledger {self.file} was taken away or replaced while this run had it. What came after was not "
                "recorded, so nothing more was made.",
                advice="Put the file back that was there, with its -wal file, and call again. If it is lost, restore a "
                "backup or call `sealtool ledger rebuild`.",
            )

    @property
    def _lock_file(self) -> Path:
        return self.file.with_name(f"{self.file.name}.lock")

    def _insist_on_the_hold(self) -> None:
        if self._hold is not None and not is_at(self._lock_file, self._hold):
            raise LedgerError(
                f"The lock file {self._lock_file} was removed while this run held the ledger, so another run may have "
                "begun. What came after was not recorded, so nothing more was made.",
                advice="See that no other run goes on, then call again: the next run goes on. Leave that file in its "
                "place; being there, it is in nobody's way.",
            )

    def draft(self) -> Self:
        """A file beside this one."""
        return type(self)(self.file.with_name(f"{self.file.name}.draft-{secrets.token_hex(4)}"))

    def give_way_to(self, draft: Self, *, aside: str) -> str:
        """Renames the draft into this place, and what is here out of it first."""
        with draft.engine.connect() as connection:  # all of it into the one file that is renamed
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        draft.close()
        self.close()
        before = self.file.with_name(f"{self.file.name}.{aside}") if self.file.exists() else None
        if before is not None:
            for ending in ("-wal", "-shm", ""):  # the file itself last: until then it is still the ledger
                part = Path(f"{self.file}{ending}")
                if part.exists():
                    part.rename(f"{before}{ending}")
        draft.file.rename(self.file)
        draft.discard()
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return "" if before is None else str(before)

    def discard(self) -> None:
        """Removes the file and its parts."""
        self.close()
        for ending in ("", "-wal", "-shm", ".lock"):
            Path(f"{self.file}{ending}").unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the file."""
        self._identity = None
        self.engine.dispose()


def _prepare(connection: Any, _record: object) -> None:
    """Durable on every commit (``synchronous=FULL``), readable while a run writes (WAL)."""
    connection.isolation_level = None  # the driver must not open transactions behind SQLAlchemy's back
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
