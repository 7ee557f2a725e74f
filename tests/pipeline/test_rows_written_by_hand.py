"""Whatever somebody writes in a row of the ledger, every command ends in plain words, and none as a fault."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Integer

from sealtool.errors import ExitCode
from sealtool.ledger import Renewed
from sealtool.ledger.tables import metadata
from tests.exports import write_plain_export
from tests.ledgers import sqlite_place
from tests.pipeline.conftest import PEOPLE, Folder, b1_by_test

OCTETS, NO_TEXT, DEEP = b"\xff\xfe", "", "[" * 3000
FAR_OFF: Final = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
MOMENTS: Final = frozenset(
    {"at", "started_at", "finished_at", "provable_until", "decided_at", "issued_on", "obtained_on"}
)
JSON: Final = frozenset(
    {"sources", "counts", "manifest", "procedures", "evidence", "decision", "seal", "upheld", "payload"}
)
TABLES: Final = {table.name: table for table in metadata.sorted_tables}


@pytest.fixture(scope="module")
def a_row_everywhere(issued_once: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Two certificates, one of them revoked, both about to be renewed; nothing refuses changes."""
    place = tmp_path_factory.mktemp("rows")
    folder = issued_once.copied_to(place / "work")
    write_plain_export(place / "registry", PEOPLE[:2], map(b1_by_test, PEOPLE[:2]))
    revoked = folder.certificates[0].stem
    assert folder.call("revoke", revoked, "--reason", "It was wrong.", "--by", "the office", "--yes").code == 0
    with folder.workspace.ledger() as ledger:
        run_id, now = ledger.newest_run_id(), folder.workspace.now()
        assert run_id is not None
        ends = now + timedelta(days=365)
        renewed = [
            Renewed(one.path, one.sha256, "ef" * 32, 2000, {"pades_level": "B-LTA"}, ends)
            for one in ledger.documents_on_record()
        ]
        ledger.announce_renewals(run_id, renewed, at=now)
    sqlite_place(folder.path).disarm()
    assert folder.call("ledger", "verify").code == 0
    return folder


def odd_values(column: str) -> Iterator[object]:
    yield OCTETS
    if column in MOMENTS | JSON:
        yield NO_TEXT
    if column in MOMENTS:
        yield from FAR_OFF
    if column in JSON:
        yield DEEP


def commands(folder: Folder) -> list[tuple[object, ...]]:
    plan = ("plan", "--all", "--registry", folder.path.parent / "registry")
    verify = ("ledger", "verify")
    return [("status",), ("register",), ("report", "--json"), verify, (*verify, "--json"), plan]


@pytest.mark.parametrize(
    "table", [name if name == "documents" else pytest.param(name, marks=pytest.mark.long) for name in TABLES]
)
def test_no_command_breaks_down_over_what_stands_in_a_row(a_row_everywhere: Folder, table: str) -> None:
    folder = a_row_everywhere
    texts = [column.name for column in TABLES[table].columns if not isinstance(column.type, Integer)]
    for column, value in ((name, value) for name in texts for value in odd_values(name)):
        with written(folder.path / "ledger.sqlite", table, column, value):
            for command in commands(folder):
                outcome = folder.call(*command)
                assert outcome.code in {ExitCode.DONE, ExitCode.NEEDS_HUMAN, ExitCode.LEDGER}, (command, column, value)
                assert command[0] != "ledger" or outcome.code == ExitCode.LEDGER, (column, value)


@contextlib.contextmanager
def written(ledger: Path, table: str, column: str, value: object) -> Iterator[None]:
    """In the last row, for a while."""
    where = f"WHERE rowid = (SELECT max(rowid) FROM {table})"  # noqa: S608 - ours
    with contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        rowid, before = connection.execute(f"SELECT rowid, {column} FROM {table} {where}").fetchone()  # noqa: S608 - ours
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))  # noqa: S608 - ours
        try:
            yield
        finally:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (before, rowid))  # noqa: S608 - ours
