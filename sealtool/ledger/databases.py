"""What a ledger asks of the database that keeps it. SQLite and PostgreSQL each answer in a module of their own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, Self

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

SCHEMA_HEAD: Final = "0004"
"""The newest migration; a test holds it against the folder of migrations."""


class Database(Protocol):
    """A place for one ledger.

    Attributes:
        name: how messages call it; holds no secret.
        engine: connections to it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - said above

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - said above

    def insist_on_presence(self) -> None:
        """Raises LedgerError where there is nothing that could be a ledger."""

    def make_room(self) -> None:
        """Makes an empty place for a new ledger; LedgerError where something is there already."""

    def exclusive(self, *, patient: bool = True) -> AbstractContextManager[None]:
        """Holds the ledger against every other run; LedgerLockedError where one has it, and does not let go at once.

        Args:
            patient: whether to wait for that at all.
        """

    def insist_on_write_access(self) -> None:
        """Raises LedgerError where it is plain that nothing could be written."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction. While the ledger is held, it is lost with the hold."""

    def draft(self) -> Self:
        """A place beside this one, where a ledger can be made that is to take its place."""

    def give_way_to(self, draft: Self, *, aside: str) -> str:
        """Puts a draft into this place, in one step. Call with the ledger held where there is one.

        Args:
            draft: made by :meth:`draft`.
            aside: the word under which what was here before is kept.

        Returns:
            The name of what was here before; empty where nothing was.
        """

    def discard(self) -> None:
        """Removes a draft that is not needed."""

    def close(self) -> None:
        """Lets go of all connections."""


def version_of(engine: Engine) -> str | None:
    """The migration that a database is at; None where it holds no ledger. Raises SQLAlchemyError."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(engine: Engine, to: str = SCHEMA_HEAD) -> None:
    """Brings the tables to a version, in one transaction; from nothing where there are none. Raises SQLAlchemyError."""
    from alembic import command  # noqa: PLC0415 - half a second of imports that only migrations need
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if connection.dialect.name == "postgresql":
            connection.execute(text(_BYTE_ORDER))


# Ids, days and moments are compared as text, and the order of bytes is the one that SQLite has. Whatever a migration
# adds is brought to it, so that none has to think of it.
_BYTE_ORDER: Final = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN
    SELECT table_name, column_name, data_type, character_maximum_length AS length
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')
      AND collation_name IS DISTINCT FROM 'C'
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE %s COLLATE "C"', one.table_name, one.column_name,
      one.data_type || CASE WHEN one.length IS NULL THEN '' ELSE '(' || one.length || ')' END);
  END LOOP;
END $$
"""


def cause(error: SQLAlchemyError) -> str:
    """What the database says, in its first line: the others may quote the row, which is personal data."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.partition("\n")[0]
