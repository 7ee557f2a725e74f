"""Making, opening and migrating a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from sealtool.errors import ConfigurationError, LedgerError
from sealtool.ledger.book import Ledger
from sealtool.ledger.databases import SCHEMA_HEAD, Database, cause, upgrade, version_of
from sealtool.ledger.postgresql import DRIVER, PostgresqlDatabase
from sealtool.ledger.sqlite import SqliteDatabase

__all__ = ["SCHEMA_HEAD", "create_ledger", "database_at", "ledger_version", "migrate_ledger", "open_ledger"]

_SQLITE: Final = "sqlite:///"

_EARLIER: Final = frozenset({"0001", "0002", "0003"})
"""Versions that can be brought to the newest one."""

Password = Callable[[], str]
"""Tells the password of the database, when it is needed."""


def create_ledger(url: str, password: Password | None = None) -> Ledger:
    """Makes a new, empty ledger.

    Raises:
        LedgerError: there is one already, or it cannot be made.
        ConfigurationError: the URL means nothing.
    """
    database = database_at(url, password)
    with _closed_on_error(database), _in_our_words(f"The ledger {database.name} cannot be made"):
        database.make_room()
        upgrade(database.engine)
        return Ledger(database)


def open_ledger(url: str, password: Password | None = None) -> Ledger:
    """Opens a ledger that exists, and changes nothing about it. A missing one is never replaced by an empty one: that
    would issue everything a second time.

    Raises:
        LedgerError: it is not there, cannot be read, or is of another version.
        ConfigurationError: the URL means nothing, or what is written there would not last.
    """
    with _closed_on_error(database_at(url, password)) as database:
        version = _version(database)
        if version in _EARLIER:
            raise LedgerError(
                f"The ledger {database.name} was made by an earlier sealtool: it has version {version}, and this one "
                f"works with version {SCHEMA_HEAD}. It was left as it is.",
                advice="Call `sealtool ledger migrate BACKUP`: it makes a backup first.",
            )
        if version != SCHEMA_HEAD:
            raise _of_another_kind(database, version)
        return Ledger(database)


def ledger_version(url: str, password: Password | None = None) -> str | None:
    """The version of the ledger there; None where the database holds none.

    Raises:
        LedgerError: it is not there, or cannot be read.
        ConfigurationError: the URL means nothing, or what is written there would not last.
    """
    database = database_at(url, password)
    try:
        return _version(database)
    finally:
        database.close()


@contextmanager
def migrate_ledger(url: str, password: Password | None = None) -> Iterator[tuple[Ledger, str]]:
    """Holds a ledger of this or an earlier version, hands it over for a backup, and then brings it up to date.

    Migrations add columns, tables and triggers, and change nothing that is on record: in one transaction, or not at
    all. What goes wrong inside the block leaves the ledger as it is.

    Yields:
        The ledger, good for no more than a backup, and its version before.

    Raises:
        LedgerError: it is not there, cannot be read, is of a later version, or is held by a run.
    """
    with _closed_on_error(database_at(url, password)) as database:
        version = _version(database)
        if version is None or version not in {SCHEMA_HEAD, *_EARLIER}:
            raise _of_another_kind(database, version)
    with Ledger(database) as ledger, ledger.exclusive():
        version = _version(database) or SCHEMA_HEAD  # now that nobody else can change it
        yield ledger, version
        with _in_our_words(f"The ledger {database.name} was left as it is: version {SCHEMA_HEAD} cannot be reached"):
            upgrade(database.engine)


def database_at(url: str, password: Password | None = None) -> Database:
    """The place that an address names.

    What stands behind ``sqlite:///`` is a path, taken as it is: a folder may have a question mark in its name.

    Raises:
        ConfigurationError: the URL means nothing, or has a password in it.
    """
    path = url.removeprefix(_SQLITE)
    if path not in {url, "", ":memory:"}:
        return SqliteDatabase(Path(path))
    parsed = _parsed(url)
    if parsed is None or parsed.drivername != DRIVER:
        raise ConfigurationError(
            f"ledger.url begins with '{url.partition(':')[0][:20]}', which this version cannot use as a ledger.",
            advice=f"Name an SQLite file, like sqlite:///ledger.sqlite, or a PostgreSQL database, like "
            f"{DRIVER}://sealtool@db.example/sealtool.",
        )
    if parsed.password is not None or "password" in parsed.query:
        raise ConfigurationError(
            "ledger.url has a password in it, and everybody who may read the configuration would know it.",
            advice="Name its source in ledger.password, or write it to ~/.pgpass.",
        )
    return PostgresqlDatabase(parsed, password)


def _parsed(url: str) -> URL | None:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        return None


@contextmanager
def _closed_on_error(database: Database) -> Iterator[Database]:
    try:
        yield database
    except BaseException:
        database.close()
        raise


def _version(database: Database) -> str | None:
    database.insist_on_presence()
    try:
        return version_of(database.engine)
    except SQLAlchemyError as error:
        raise LedgerError(
            f"The ledger {database.name} cannot be read: {cause(error)}.",
            advice="If it is damaged, restore it from a backup. Do not delete it.",
        ) from error


def _of_another_kind(database: Database, version: str | None) -> LedgerError:
    found = f"has version {version}" if version else "is no ledger of sealtool"
    return LedgerError(
        f"The database {database.name} {found}; this sealtool works with version {SCHEMA_HEAD}.",
        advice="Use the sealtool that fits the ledger, or restore the right one.",
    )


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerError(
            f"{what}: {cause(error)}.", advice="Check free space and permissions, then call again."
        ) from error
