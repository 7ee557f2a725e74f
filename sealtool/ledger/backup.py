"""A ledger as one file that no database is needed to read: JSON Lines, and a hash over all of them at the end.

The first line says what it is, each of the others holds one row, the last one the SHA-256 of all before it. Rows stand
in order of table and key, so two copies of the same ledger differ in their first line and their hash alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, insert, select
from sqlalchemy.exc import SQLAlchemyError

from sealtool.canonical import canonical_json
from sealtool.errors import LedgerError, LedgerInconsistentError, OutputError
from sealtool.ledger.databases import Database, cause, upgrade
from sealtool.ledger.events import chain_head, instant

SCHEMA: Final = "sealtool.ledger-backup/1"

_LONGEST_LINE: Final = 64 * 1024 * 1024
_ROWS_AT_ONCE: Final = 500
_NOT_OF_THE_LEDGER: Final = "alembic_version"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup whose hash was checked.

    Attributes:
        version: the migration that its rows are of.
        sequence: number of the newest event, 0 where there is none.
        head: its hash.
        rows: how many there are.
    """

    file: Path
    version: str
    made_at: str
    sequence: int
    head: str
    rows: int


def write_backup(connection: Connection, file: Path, *, version: str, tool_version: str, at: datetime) -> Backup:
    """Copies a ledger as it is at this moment into a new file, which only its owner can read.

    Raises:
        OutputError: the file is there already, or cannot be written.
    """
    sequence, head = chain_head(connection)
    made_at = instant(at)
    header = {
        "schema": SCHEMA,
        "version": version,
        "tool_version": tool_version,
        "made_at": made_at,
        "ledger_sequence": sequence,
        "ledger_head": head,
    }
    digest, rows = hashlib.sha256(), 0
    unfinished = file.parent / f".{file.name}.{secrets.token_hex(4)}"
    try:
        with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
            for line in _lines(connection, header):
                digest.update(line)
                out.write(line)
                rows += 1
            out.write(_line({"rows": rows - 1, "sha256": digest.hexdigest()}))
            out.flush()
            os.fsync(out.fileno())
        os.link(unfinished, file)  # never over a file that is there
        _sync(file.parent)
    except OSError as error:
        raise OutputError(
            f"The backup {file} cannot be written: {error.strerror or error}. The ledger is as it was.",
            advice="Name a file that is not there yet, in a folder with room for it.",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # what is there no more, or never could be
            unfinished.unlink()
    return Backup(file, version, made_at, sequence, head, rows - 1)


def read_backup(file: Path) -> Backup:
    """Checks a backup from its first byte to its last.

    Raises:
        LedgerError: it cannot be read, is none, or is not what was written.
    """
    digest, count, last, header = hashlib.sha256(), 0, b"", b""
    for line in _raw_lines(file):
        digest.update(last)  # all but the last one, which holds the hash
        header = header or line
        count, last = count + 1, line
    try:
        first, end = json.loads(header), json.loads(last)
        if first["schema"] != SCHEMA:
            raise _unusable(file, f"it does not say that it is {SCHEMA}")
        if end != {"rows": count - 2, "sha256": digest.hexdigest()}:
            raise _unusable(file, "its hash is another one, so it was changed or is not whole")
        return Backup(
            file, first["version"], first["made_at"], first["ledger_sequence"], first["ledger_head"], count - 2
        )
    except (ValueError, KeyError, TypeError):
        raise _unusable(file, "it is not whole, or something else") from None


def load_backup(backup: Backup, database: Database) -> None:
    """Fills an empty place with the rows of a backup, at the version that they are of, and brings it up to date.

    Raises:
        LedgerError: the database refused, or the rows are not those of that version.
    """
    try:
        upgrade(database.engine, backup.version)
        with database.engine.begin() as connection:
            tables = {table.name: table for table in _tables(connection)}
            for name, rows in _portions(backup.file):
                connection.execute(insert(tables[name]), rows)
            if chain_head(connection) != (backup.sequence, backup.head):
                raise _unusable(backup.file, "its newest event is not the one that it names")
        upgrade(database.engine)
    except (SQLAlchemyError, KeyError) as error:
        why = cause(error) if isinstance(error, SQLAlchemyError) else f"there is no table {error}"
        raise _unusable(
            backup.file, f"its rows do not fit into a ledger of version {backup.version} ({why})"
        ) from error


def _lines(connection: Connection, header: dict[str, Any]) -> Iterator[bytes]:
    yield _line(header)
    for table in _tables(connection):
        query = select(table).order_by(*table.primary_key.columns)
        for row in connection.execution_options(stream_results=True).execute(query).mappings():
            yield _line({"table": table.name, "row": dict(row)})


def _tables(connection: Connection) -> list[Table]:
    """Those that are there, whatever the version, in an order in which no row comes before one that it needs."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != _NOT_OF_THE_LEDGER]


def _line(value: object) -> bytes:
    return f"{canonical_json(value)}\n".encode()


def _raw_lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as content:
            while line := content.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        raise LedgerError(
            f"The backup {file} cannot be read: {error.strerror or error}.", advice="Check its path and permissions."
        ) from error


def _portions(file: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows, some of one table at a time."""
    name, rows = "", list[dict[str, Any]]()
    for raw in _raw_lines(file):
        line = json.loads(raw)
        if "table" not in line:
            continue
        if rows and (line["table"] != name or len(rows) == _ROWS_AT_ONCE):
            yield name, rows
            rows = []
        name = line["table"]
        rows.append(line["row"])
    if rows:
        yield name, rows


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(file: Path, why: str) -> LedgerInconsistentError:
    return LedgerInconsistentError(
        f"{file} cannot be used as a backup of the ledger: {why}. Nothing was changed.", advice="Take another backup."
    )
