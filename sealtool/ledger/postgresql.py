"""A ledger in a PostgreSQL database, in a schema of its own."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from sealtool.errors import ConfigurationError, LedgerError, LedgerLockedError
from sealtool.ledger.databases import cause
from sealtool.ledger.locking import attempts

SCHEMA: Final = "sealtool"
"""The schema of the ledger in its database."""

DRIVER: Final = "postgresql+psycopg"

_PATIENT: Final = {
    "application_name": "sealtool",
    "connect_timeout": "10",
    # A peer that is gone without a word is noticed within a minute, on both sides of the connection.
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "4",
    "tcp_user_timeout": "60000",
}


class PostgresqlDatabase:
    """A schema in a database.

    One session holds the ledger, by an advisory lock that the server takes back when the session ends; and **the same
    session writes**. So a run that lost its lock, because the network or the server went away, can write no more.

    Args:
        url: without a password.
        password: tells it when it is needed; None to leave that to libpq (``~/.pgpass``, ``PGPASSFILE``, peer …).
        schema: where the tables are.
    """

    def __init__(self, url: URL, password: Callable[[], str] | None = None, schema: str = SCHEMA) -> None:
        self._url = url
        self._password = password
        self._schema = schema
        self._session: Connection | None = None

    @property
    def name(self) -> str:
        """The address, without what is behind the question mark."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @cached_property
    def engine(self) -> Engine:
        """Connections to the database, with a snapshot for each transaction."""
        arguments: dict[str, Any] = {key: value for key, value in _PATIENT.items() if key not in self._url.query}
        if self._password is not None:
            arguments["password"] = self._password()
        try:
            engine = create_engine(
                self._url, hide_parameters=True, isolation_level="REPEATABLE READ", connect_args=arguments
            )
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "ledger.url names a PostgreSQL database, but the library that talks to one is not installed.",
                advice="Install sealtool with the extra `postgresql`: take requirements-postgresql.txt.",
            ) from error
        # before SQLAlchemy asks the first connection which schema is the usual one
        event.listen(engine, "connect", self._prepare, insert=True)
        return engine

    def insist_on_presence(self) -> None:
        """Raises LedgerError where there is no such schema, and ConfigurationError where commits would not last."""
        with _in_our_words(self.name), self.engine.connect() as connection:
            durable = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
            there = self._is_there(connection)
        if durable == "off":
            raise ConfigurationError(
                f"The server of {self.name} works with synchronous_commit = off: what it calls written may be lost "
                "with its power, and would then be issued again. Nothing was done.",
                advice="Take that setting back for this database or user: ALTER ROLE … RESET synchronous_commit.",
            )
        if not there:
            raise LedgerError(
                f"There is no ledger in {self.name} (schema {self._schema}). An empty one in its place would issue "
                "every certificate again.",
                advice="Restore it with `sealtool ledger restore`, or correct ledger.url. Where there is no backup, "
                "`sealtool ledger rebuild` writes it anew from what was issued; `sealtool ledger create` makes a first "
                "one.",
            )

    def make_room(self) -> None:
        """Makes the schema, or takes one that is there and empty; LedgerError where something is in it."""
        with _in_our_words(self.name), self.engine.begin() as connection:
            if not self._is_there(connection):
                connection.exec_driver_sql(f'CREATE SCHEMA "{self._schema}"')
                return
            found = connection.execute(
                text("SELECT count(*) FROM information_schema.tables WHERE table_schema = :schema"),
                {"schema": self._schema},
            )
            if found.scalar_one():
                raise LedgerError(
                    f"There is a ledger already: {self.name} (schema {self._schema}). A new one in its place would "
                    "lose what it knows.",
                    advice="Name another database in ledger.url.",
                )

    @contextmanager
    def exclusive(self, *, patient: bool = True) -> Iterator[None]:
        """Holds the ledger with a session of its own.

        Raises:
            LedgerLockedError: another session holds it, on this machine or another.
            LedgerError: the server is not there.
        """
        with _in_our_words(self.name):
            session = self.engine.connect()
            took = any(self._locked(session) for _ in attempts(patient=patient))
            holder = "" if took else self._holder(session)
            session.commit()
        if not took:
            session.close()
            raise LedgerLockedError(
                f"Another run of sealtool holds the ledger ({self.name}{holder}), and two runs at once could issue a "
                "certificate twice. Nothing was done.",
                advice="Wait for it to end and call again.",
            )
        self._session = session
        try:
            yield
        finally:
            self._session = None
            self._let_go(session)

    def insist_on_write_access(self) -> None:
        """Whether a role may write shows when it does."""

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction in the session that holds the ledger; in any where none does."""
        if self._session is None:
            with self.engine.begin() as connection:
                yield connection
            return
        if self._session.invalidated:  # SQLAlchemy would connect again, without the lock
            raise LedgerError(
                f"The connection that held the ledger ({self.name}) was lost, and with it the hold: another run may "
                "have begun. What was not yet recorded was undone.",
                advice="See that the database is there, then call again: the next run goes on.",
            )
        with self._session.begin():
            yield self._session

    def draft(self) -> Self:
        """A schema beside this one."""
        return type(self)(self._url, self._password, f"{self._schema}_draft_{secrets.token_hex(4)}")

    def give_way_to(self, draft: Self, *, aside: str) -> str:
        """Renames both schemas in one transaction."""
        before = f"{self._schema}_{aside}".replace("-", "_").lower()
        draft.close()
        with _in_our_words(self.name), self.writing() as connection:
            there = self._is_there(connection)
            if there:
                connection.exec_driver_sql(f'ALTER SCHEMA "{self._schema}" RENAME TO "{before}"')
            connection.exec_driver_sql(f'ALTER SCHEMA "{draft._schema}" RENAME TO "{self._schema}"')
        return f"schema {before}" if there else ""

    def discard(self) -> None:
        """Drops the schema."""
        with _in_our_words(self.name), self.engine.begin() as connection:
            connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE')
        self.close()

    def close(self) -> None:
        """Lets go of all connections."""
        self.engine.dispose()

    # --- inside -----------------------------------------------------------------------------------

    @property
    def _key(self) -> int:
        """Of the advisory lock: 64 bits, signed. The lock is of this database alone."""
        digest = hashlib.sha256(f"sealtool ledger {self._schema}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.execute(f'SET search_path TO "{self._schema}"')
        connection.commit()

    def _is_there(self, connection: Connection) -> bool:
        found = connection.execute(
            text("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = :schema"), {"schema": self._schema}
        )
        return bool(found.scalar_one())

    def _locked(self, session: Connection) -> bool:
        return bool(session.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one())

    def _holder(self, session: Connection) -> str:
        """Where the session that holds the ledger comes from, as far as the server tells us."""
        found = session.execute(
            text(
                "SELECT coalesce(host(client_addr), 'the machine of the database') FROM pg_catalog.pg_locks "
                "JOIN pg_catalog.pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted AND "
                "database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND "
                "((classid::bigint << 32) | objid::bigint) = :key AND objsubid = 1"
            ),
            {"key": self._key},
        ).scalar()
        return f", from {found}" if found else ""

    def _let_go(self, session: Connection) -> None:
        with contextlib.suppress(SQLAlchemyError):  # where the session is lost, so is its lock
            if not session.invalidated:
                session.rollback()
                session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
                session.commit()
        session.close()


@contextmanager
def _in_our_words(name: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerError(
            f"The ledger {name} cannot be used: {cause(error)}.",
            advice="See that the server is there and lets this user in, and that ledger.url is right.",
        ) from error
