"""Making, opening and migrating a ledger."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from sealtool.errors import ConfigurationError, LedgerError
from sealtool.ledger.book import Ledger

_SQLITE: Final = "sqlite:///"

SCHEMA_HEAD: Final = "0003"
"""The newest migration; a test holds it against the folder of migrations."""

_EARLIER: Final = frozenset({"0001", "0002"})
"""Versions that are brought to the newest one when they are opened."""


def create_ledger(url: str) -> Ledger:
    """Makes a new, empty ledger.

    Raises:
        LedgerError: there is one already, or it cannot be made.
        ConfigurationError: the URL means nothing.
    """
    file = _sqlite_file(url)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        raise LedgerError(
            f"There is a ledger already: {file}. A new one in its place would lose what it knows.",
            advice="Choose another folder.",
        ) from None
    except OSError as error:
        raise LedgerError(
            f"The ledger {file} cannot be made: {error.strerror or error}.",
            advice="Check that the folder exists and that you may write in it.",
        ) from error
    engine = _engine(file)
    upgrade(engine)
    return Ledger(engine, file)


def open_ledger(url: str) -> Ledger:
    """Opens a ledger that exists. A missing one is never replaced by an empty one: that would issue
    everything a second time. One that an earlier version of sealtool made is brought up to date first.

    Raises:
        LedgerError: it is not there, cannot be read, or is of another version.
        LedgerLockedError: it has to be brought up to date, and a run holds it.
        ConfigurationError: the URL means nothing.
    """
    file = _sqlite_file(url)
    if not file.is_file():
        raise LedgerError(
            f"There is no ledger at {file}. An empty one in its place would issue every certificate again.",
            advice="Restore it from a backup, correct ledger.url in the configuration, "
            "or make a new working folder with `sealtool init`.",
        )
    engine = _engine(file)
    try:
        version = _version(engine)
    except SQLAlchemyError as error:
        raise LedgerError(
            f"The ledger {file} cannot be read: {_cause(error)}.",
            advice="If the file is damaged, restore it from a backup. Do not delete it.",
        ) from error
    ledger = Ledger(engine, file)
    if version in _EARLIER:
        _bring_up_to_date(ledger, engine, file)
    elif version != SCHEMA_HEAD:
        found = f"has version {version}" if version else "is no ledger of sealtool"
        raise LedgerError(
            f"The database {file} {found}; this sealtool works with version {SCHEMA_HEAD}.",
            advice="Use the sealtool that fits the ledger, or restore the right file.",
        )
    return ledger


def _bring_up_to_date(ledger: Ledger, engine: Engine, file: Path) -> None:
    """Migrations add columns and tables, and change nothing that is on record: in one transaction, or not at all."""
    with ledger.exclusive():
        if _version(engine) == SCHEMA_HEAD:
            return  # another command was faster
        try:
            upgrade(engine)
        except SQLAlchemyError as error:
            raise LedgerError(
                f"The ledger {file} cannot be brought to version {SCHEMA_HEAD}: {_cause(error)}. It was left as it is.",
                advice="Check free space and permissions, then call again.",
            ) from error


def upgrade(engine: Engine) -> None:
    """Brings the tables to the newest version, in one transaction."""
    from alembic import command  # noqa: PLC0415 - half a second of imports that only migrations need
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, SCHEMA_HEAD)


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _sqlite_file(url: str) -> Path:
    """The file behind the address, with links followed: one ledger has one lock, whatever it is called.

    What stands behind ``sqlite:///`` is a path, taken as it is: a folder may have a question mark in its name.
    """
    path = url.removeprefix(_SQLITE)
    if path == url or not path or path == ":memory:":
        raise ConfigurationError(
            f"ledger.url is '{url}', which this version cannot use as a ledger.",
            advice="Name an SQLite file, like sqlite:///ledger.sqlite.",
        )
    return Path(path).resolve()


def _engine(file: Path) -> Engine:
    # hide_parameters: what a statement was about must not reach a log
    engine = create_engine(URL.create("sqlite", database=str(file)), hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Durable on every commit (``synchronous=FULL``), readable while a run writes (WAL)."""
    connection.isolation_level = None  # the driver must not open transactions behind SQLAlchemy's back
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error)
