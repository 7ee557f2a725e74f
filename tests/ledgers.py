"""Places where a ledger can be kept, and ways to write in one behind its back."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.postgresql import Cluster

_DISARM = {
    "sqlite": ("DROP TRIGGER IF EXISTS events_no_update", "DROP TRIGGER IF EXISTS events_no_delete"),
    "postgresql": ("DROP TRIGGER IF EXISTS events_append_only ON events",),
}


@dataclass(frozen=True)
class Place:
    """Where a ledger is, and whoever may write in it without sealtool.

    Attributes:
        execute: statement -> the rows it gives.
        remove: takes what is there away for good.
    """

    kind: str
    url: str
    execute: Callable[[str], list[Any]]
    remove: Callable[[], None]

    def disarm(self) -> None:
        """Takes away what refuses changes of events, as whoever owns the database can."""
        for statement in _DISARM[self.kind]:
            self.execute(statement)

    @property
    def toml(self) -> str:
        return f'url = "{self.url}"'


def sqlite_place(folder: Path) -> Place:
    file = folder / "ledger.sqlite"

    def execute(statement: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(statement).fetchall()

    def remove() -> None:
        for part in folder.glob("ledger.sqlite*"):
            part.unlink()

    return Place("sqlite", f"sqlite:///{file}", execute, remove)


def postgresql_place(cluster: Cluster, template: str = "template1") -> Place:
    database = cluster.database(template)

    def execute(statement: str) -> list[Any]:
        with contextlib.closing(cluster.connect(database)) as connection:
            connection.execute("SET search_path TO sealtool")
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    return Place("postgresql", cluster.url(database), execute, lambda: execute("DROP SCHEMA sealtool CASCADE") and None)
