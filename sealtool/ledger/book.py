"""The ledger itself: one method for each thing that may happen to a certificate, each in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import MAXYEAR, MINYEAR, date, datetime
from typing import Any, Self

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from sealtool.canonical import canonical_json
from sealtool.errors import LedgerError, LedgerInconsistentError, LedgerLockedError
from sealtool.identifiers import start_of_run
from sealtool.ledger import appeals, entries, manifests, renewals, statistics
from sealtool.ledger.agreement import contradiction
from sealtool.ledger.certificates import (
    ISSUED,
    NOT_PUBLISHED,
    RELEASED,
    Step,
    area_number,
    decided,
    decision_on_record,
    expect,
    file_on_record,
    move,
)
from sealtool.ledger.chunks import chunks
from sealtool.ledger.databases import Database, cause
from sealtool.ledger.events import Event, append_events, broken_link, chain_head, hash_of_event, instant
from sealtool.ledger.legibility import (
    DOCUMENT,
    EVENT,
    RUN,
    IllegibleRowError,
    RecordedSource,
    changed_outside,
    legible,
    read_json,
    read_moment,
)
from sealtool.ledger.register import record_assessments
from sealtool.ledger.tables import certificates, documents, events, runs
from sealtool.ledger.values import (
    UNPUBLISHED,
    Act,
    CertificateState,
    CertificateStory,
    DocumentOnRecord,
    IssuedCertificate,
    LedgerDocument,
    ManifestEntry,
    ManifestOnRecord,
    PendingRenewal,
    RegisterEntry,
    RenewalCount,
    Renewed,
    Reservation,
    RunFacts,
    RunState,
    RunSummary,
    SealedDocument,
    Statistics,
)
from sealtool.model import Assessment, CertificateId, Level, PersonId, RunId


class Ledger:
    """An open ledger. Reading needs no lock; every change of a run happens inside :meth:`exclusive`.

    Every method may raise LedgerError (the database cannot be used) or LedgerInconsistentError (it refused
    what was asked, because it contradicts what it already knows).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the database."""
        self._database.close()

    @property
    def name(self) -> str:
        """How messages call it: a path or an address."""
        return self._database.name

    def insist_on_write_access(self) -> None:
        """Raises LedgerError where it is plain that nothing could be written."""
        self._database.insist_on_write_access()

    def is_held(self) -> bool:
        """Whether a run is going on."""
        try:
            with self._database.exclusive(patient=False):
                return False
        except LedgerLockedError:
            return True

    def exclusive(self) -> AbstractContextManager[None]:
        """Holds the ledger against every other run; LedgerLockedError where one has it."""
        return self._database.exclusive()

    # --- runs -------------------------------------------------------------------------------------

    def begin_run(self, run_id: RunId, facts: RunFacts, *, at: datetime) -> None:
        """Opens a run. Runs that never ended are marked as interrupted: the lock proves that they are over."""
        sources = [{"name": one.name, "sha256": one.sha256, "rows": one.rows} for one in facts.sources]
        with self._transaction() as connection:
            connection.execute(update(runs).where(runs.c.state == RunState.RUNNING).values(state=RunState.INTERRUPTED))
            connection.execute(
                insert(runs).values(
                    run_id=run_id,
                    command=facts.command,
                    started_at=instant(at),
                    state=RunState.RUNNING,
                    tool_version=facts.tool_version,
                    rules_version=facts.rules_version,
                    rules_sha256=facts.rules_sha256,
                    sources=canonical_json(sources),
                    counts="{}",
                )
            )
            payload = {
                "command": facts.command,
                "tool_version": facts.tool_version,
                "rules_version": facts.rules_version,
                "rules_sha256": facts.rules_sha256,
                "sources": sources,
            }
            append_events(connection, run_id, [Event("run_started", payload)], at=at)

    def end_run(
        self, run_id: RunId, state: RunState, figures: Mapping[str, int], *, at: datetime, message: str = ""
    ) -> None:
        """Closes a run with its figures, and with what stopped it."""
        counts = {**figures, **({"message": message} if message else {})}
        with self._transaction() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.run_id == run_id)
                .values(state=state, finished_at=instant(at), counts=canonical_json(counts))
            )
            append_events(connection, run_id, [Event("run_ended", {"state": state, "counts": counts})], at=at)

    def last_runs(self, limit: int) -> tuple[RunSummary, ...]:
        """The newest runs, newest first."""
        query = select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id.desc()).limit(limit)
        with self._reading() as connection:
            return tuple(map(_summary, connection.execute(query)))

    def newest_run_id(self) -> RunId | None:
        """The id that sorts behind all others; None before the first run."""
        with self._reading() as connection:
            newest = connection.execute(select(func.max(runs.c.run_id).label("run_id"))).one()
            return None if newest.run_id is None else _id_of_run(newest)

    def last_row_counts(self) -> dict[str, int]:
        """How many rows each file of the export had in the newest run that read one; empty at first."""
        query: Select[Any] = (
            select(runs.c.run_id, runs.c.sources)
            .where(runs.c.sources != "[]")
            .order_by(runs.c.started_at.desc(), runs.c.run_id.desc())
            .limit(1)
        )
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
            return {} if row is None else _row_counts(row)

    # --- the register -----------------------------------------------------------------------------

    def record_register(
        self,
        run_id: RunId,
        assessments: Iterable[tuple[PersonId, Assessment]],
        rules_version: str,
        *,
        at: datetime,
        settled: Collection[tuple[str, str, int]] = (),
    ) -> int:
        """Brings the register up to date for the people and levels assessed; returns the lines that changed.

        What is ``settled`` (person, level, area; 0 for the whole level) stays as it is: a human decided on it.
        """
        with self._transaction() as connection:
            return record_assessments(connection, run_id, assessments, rules_version, at=at, settled=settled)

    def register_entries(
        self, levels: Collection[Level], people: Collection[PersonId] | None = None
    ) -> Iterator[RegisterEntry]:
        """The register with the certificates of each line, in order of person, level and area; read as it is asked for.

        Args:
            levels: only these.
            people: only these; None for everybody.
        """
        with self._reading() as connection:
            yield from entries.register_entries(connection, levels, people)

    def statistics(self, *, since: date | None = None, until: date | None = None) -> Statistics:
        """How many certificates were issued from one day to another, both included; None for without end."""
        with self._reading() as connection:
            return statistics.statistics(connection, since, until)

    def newest_complete_run(self) -> RunSummary | None:
        """The newest ``issue`` for everybody that came to its end; None before the first."""
        with self._reading() as connection:
            row = connection.execute(statistics.newest_complete_run()).one_or_none()
            return None if row is None else _summary(row)

    # --- certificates -----------------------------------------------------------------------------

    def certificates_on_record(self, levels: Collection[Level]) -> tuple[IssuedCertificate, ...]:
        """The newest certificate of each person, level and area that is not released, for the levels asked for.

        Superseded ones are left out, since their successor stands for them, and reissues that are not issued yet.
        """
        with self._reading() as connection:
            rows = connection.execute(appeals.newest_of_each(levels))
            newest = {(row.person_id, row.level, row.area): row for row in rows}
            return tuple(map(appeals.certificate_of, newest.values()))

    def reserve(self, run_id: RunId, reservations: Sequence[Reservation], *, at: datetime) -> None:
        """Sets ids aside. The database refuses a second certificate for the same person, level and area."""
        rows: list[dict[str, Any]] = [
            {
                "certificate_id": reservation.certificate_id,
                "person_id": reservation.decision.person.person_id,
                "level": str(reservation.decision.level),
                "area": area_number(reservation.decision),
                "generation": 0,
                "state": CertificateState.RESERVED,
                "reserved_run": run_id,
                **decided(reservation.decision),
            }
            for reservation in reservations
        ]
        if not rows:
            return
        happened = [Event("reserved", decision_on_record(row), row["certificate_id"]) for row in rows]
        with self._transaction() as connection:
            connection.execute(insert(certificates), rows)
            append_events(connection, run_id, happened, at=at)

    def revise_reservations(self, run_id: RunId, reservations: Sequence[Reservation], *, at: datetime) -> None:
        """Gives reservations, of which nothing was sealed yet, the decision that the registry supports now."""
        if not reservations:
            return
        with self._transaction() as connection:
            for reservation in reservations:
                changed = connection.execute(
                    update(certificates)
                    .where(certificates.c.certificate_id == reservation.certificate_id)
                    .where(certificates.c.state == CertificateState.RESERVED)
                    .values(**decided(reservation.decision))
                )
                expect(changed.rowcount == 1, f"certificate {reservation.certificate_id} is not reserved")
            append_events(
                connection,
                run_id,
                [
                    Event("reservation_revised", decision_on_record(decided(one.decision)), one.certificate_id)
                    for one in reservations
                ],
                at=at,
            )

    def release(self, run_id: RunId, ids: Sequence[CertificateId], *, at: datetime) -> None:
        """Gives up reservations that the registry no longer supports and of which nothing was sealed."""
        self._move(run_id, ids, RELEASED, at=at)

    def record_sealed(self, run_id: RunId, sealed: Sequence[SealedDocument], *, at: datetime) -> None:
        """Notes sealed files before they are published, so that none can ever appear that the ledger does not know."""
        rows: list[dict[str, Any]] = [
            {
                "path": one.path,
                "certificate_id": one.certificate_id,
                "sha256": one.sha256,
                "size": one.size,
                "pages": one.pages,
                "languages": ",".join(one.languages),
                "seal": canonical_json(dict(one.seal)),
                "provable_until": one.provable_until and instant(one.provable_until),
            }
            for one in sealed
        ]
        if not rows:
            return
        issued_on = {one.certificate_id: one.issued_on.isoformat() for one in sealed}
        with self._transaction() as connection:
            for day in sorted(set(issued_on.values())):
                for ids in chunks([certificate_id for certificate_id, issued in issued_on.items() if issued == day]):
                    changed = connection.execute(
                        update(certificates)
                        .where(certificates.c.certificate_id.in_(ids))
                        .where(certificates.c.state == CertificateState.RESERVED)
                        .values(state=CertificateState.SEALED, issued_on=day)
                    )
                    expect(changed.rowcount == len(ids), f"not all of {', '.join(ids)} are reserved")
            connection.execute(insert(documents), rows)
            happened = [
                Event(
                    "sealed",
                    {"issued_on": issued_on[row["certificate_id"]], **file_on_record(row)},
                    row["certificate_id"],
                )
                for row in rows
            ]
            append_events(connection, run_id, happened, at=at)

    def record_issued(self, run_id: RunId, ids: Sequence[CertificateId], *, at: datetime) -> None:
        """Notes that every file of these certificates is published; those whose places they take end with it."""
        with self._transaction() as connection:
            appeals.supersede_predecessors(connection, run_id, ids, at=at)
            move(connection, run_id, ids, ISSUED, at=at)

    def record_unpublished(self, run_id: RunId, ids: Sequence[CertificateId], *, at: datetime) -> None:
        """Takes sealed certificates whose files never were published back to ``reserved``."""
        with self._transaction() as connection:
            for certificate_id in ids:
                connection.execute(delete(documents).where(documents.c.certificate_id == certificate_id))
            move(connection, run_id, ids, NOT_PUBLISHED, at=at)

    def sealed_documents(self) -> tuple[LedgerDocument, ...]:
        """The files of certificates that were sealed but not yet known to be published, by certificate."""
        query = (
            select(documents, certificates.c.state)
            .join(certificates, certificates.c.certificate_id == documents.c.certificate_id)
            .where(certificates.c.state == CertificateState.SEALED)
            .order_by(documents.c.path)
        )
        with self._reading() as connection:
            return tuple(map(_ledger_document, connection.execute(query)))

    def counts_by_level_and_state(self) -> tuple[tuple[str, CertificateState, int], ...]:
        """How many certificates there are, by level and state."""
        query = (
            select(certificates.c.level, certificates.c.state, func.count().label("number"))
            .group_by(certificates.c.level, certificates.c.state)
            .order_by(certificates.c.level, certificates.c.state)
        )
        with self._reading() as connection:
            return tuple(map(_count_of_certificates, connection.execute(query)))

    # --- appeals ----------------------------------------------------------------------------------

    def story(self, certificate_id: CertificateId) -> CertificateStory | None:
        """A certificate with what became of it; None where there is none of that id."""
        with self._reading() as connection:
            return appeals.story(connection, certificate_id)

    def pending_reissues(self) -> tuple[Reservation, ...]:
        """Reissues that were decided and of which nothing was published yet."""
        with self._reading() as connection:
            return appeals.pending_reissues(connection)

    def reserve_reissue(self, run_id: RunId, reservation: Reservation, act: Act, *, at: datetime) -> None:
        """Sets an id aside for the successor of a certificate; the old one stays in force until that is issued."""
        with self._transaction() as connection:
            appeals.reserve_reissue(connection, run_id, reservation, act, at=at)

    def revoke(self, run_id: RunId, certificate_id: CertificateId, act: Act, *, at: datetime) -> None:
        """Withdraws an issued certificate."""
        with self._transaction() as connection:
            appeals.revoke(connection, run_id, certificate_id, act, at=at)

    # --- manifests --------------------------------------------------------------------------------

    def entries_without_manifest(self) -> tuple[ManifestEntry, ...]:
        """Every issued document that no manifest lists yet, or not as it is now, in order of path."""
        with self._reading() as connection:
            return manifests.entries(connection, unlisted_only=True)

    def entries(self) -> tuple[ManifestEntry, ...]:
        """Every document that was ever issued, in order of path."""
        with self._reading() as connection:
            return manifests.entries(connection, unlisted_only=False)

    def announce_manifest(self, run_id: RunId, paths: Sequence[str], files: Mapping[str, str], *, at: datetime) -> None:
        """Notes a manifest before its files are written.

        Args:
            run_id: the run the manifest is of.
            paths: the documents it lists.
            files: its own files, path below the output folder to SHA-256.
            at: now.
        """
        with self._transaction() as connection:
            manifests.announce(connection, run_id, paths, files, at=at)

    def confirm_manifest(self, run_id: RunId, sha256: str, *, at: datetime) -> None:
        """Notes that every file of an announced manifest is published."""
        with self._transaction() as connection:
            manifests.confirm(connection, run_id, sha256, at=at)

    def withdraw_manifest(self, run_id: RunId, *, at: datetime) -> None:
        """Forgets an announced manifest whose files were never completed; its documents await the next one."""
        with self._transaction() as connection:
            manifests.withdraw(connection, run_id, at=at)

    def unconfirmed_manifests(self) -> tuple[ManifestOnRecord, ...]:
        """Manifests that were announced, and may or may not have been written."""
        with self._reading() as connection:
            return manifests.unconfirmed(connection)

    def manifest_files(self) -> frozenset[str]:
        """Where every manifest is that was written, with its seal and its table, below the output folder."""
        with self._reading() as connection:
            return manifests.files(connection)

    def last_manifest(self) -> tuple[RunId, str] | None:
        """Run and SHA-256 of the newest manifest that was written; None before the first."""
        with self._reading() as connection:
            return manifests.last(connection)

    # --- renewals ---------------------------------------------------------------------------------

    def documents_on_record(
        self, *, until: datetime | None = None, limit: int | None = None
    ) -> tuple[DocumentOnRecord, ...]:
        """Every published document, or those that are not provable beyond a moment, in the order they run out."""
        with self._reading() as connection:
            return renewals.documents_on_record(connection, until=until, limit=limit)

    def newest_seal_valid_until(self) -> datetime | None:
        """Until when the certificate behind the newest seal is valid; None before the first."""
        with self._reading() as connection:
            return renewals.newest_seal_valid_until(connection)

    def renewals_by_month(self) -> tuple[RenewalCount, ...]:
        """How many published documents run out in each month, in order of time."""
        with self._reading() as connection:
            return renewals.renewals_by_month(connection)

    def announce_renewals(self, run_id: RunId, renewed: Sequence[Renewed], *, at: datetime) -> None:
        """Notes the hashes of renewed files before they take the place of the present ones."""
        with self._transaction() as connection:
            renewals.announce(connection, run_id, renewed, at=at)

    def pending_renewals(self) -> tuple[PendingRenewal, ...]:
        """Renewals that were announced, and may or may not have taken place."""
        with self._reading() as connection:
            return renewals.pending(connection)

    def confirm_renewals(self, run_id: RunId, paths: Sequence[str], *, at: datetime) -> None:
        """Notes that renewed files have taken their places. The next manifest lists them again."""
        with self._transaction() as connection:
            renewals.confirm(connection, run_id, paths, at=at)

    def drop_renewals(self, run_id: RunId, paths: Sequence[str], *, at: datetime) -> None:
        """Forgets renewals that never took place: what was there before is still there."""
        with self._transaction() as connection:
            renewals.drop(connection, run_id, paths, at=at)

    def note_provable_until(self, run_id: RunId, found: Sequence[tuple[str, datetime]], *, at: datetime) -> None:
        """Writes down until when documents are provable whose row did not tell."""
        with self._transaction() as connection:
            renewals.note_provable_until(connection, run_id, found, at=at)

    # --- the chain --------------------------------------------------------------------------------

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest event."""
        with self._reading() as connection:
            return chain_head(connection)

    def last_event_at(self) -> datetime | None:
        """The moment of the newest event; None in an empty ledger."""
        query: Select[Any] = select(events.c.sequence, events.c.at).order_by(events.c.sequence.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else _moment_of_event(row)

    def event_hash(self, sequence: int) -> str | None:
        """The hash of the event of that number; None where there is no such event."""
        with self._reading() as connection:
            return hash_of_event(connection, sequence)

    def broken_link(self, *, after: int = 0) -> str | None:
        """What is wrong with the first event after that number that does not fit into the chain; None if nothing."""
        with self._reading() as connection:
            return broken_link(connection, after=after)

    def contradiction(self) -> str | None:
        """What is wrong with the first certificate that does not stand as the events tell; None if nothing is."""
        with self._reading() as connection:
            return contradiction(connection)

    def issued_paths(self) -> frozenset[str]:
        """Where the files of all certificates are that were issued at some time."""
        query = select(documents.c.path).join(certificates).where(certificates.c.state.not_in(UNPUBLISHED))
        with self._reading() as connection:
            return frozenset(map(_path, connection.execute(query)))

    def document_paths(self) -> frozenset[str]:
        """Where every file is that the ledger knows, below the output folder."""
        with self._reading() as connection:
            return frozenset(map(_path, connection.execute(select(documents.c.path))))

    # --- inside -----------------------------------------------------------------------------------

    def _move(self, run_id: RunId, ids: Sequence[CertificateId], step: Step, *, at: datetime) -> None:
        with self._transaction() as connection:
            move(connection, run_id, ids, step, at=at)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _in_our_words(self._database.name), self._database.writing() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _in_our_words(self._database.name), self._engine.connect() as connection:
            yield connection


@legible(RUN)
def _id_of_run(row: Row[Any]) -> RunId:
    start_of_run(row.run_id)  # behind which the next run begins
    return RunId(row.run_id)


@legible(RUN)
def _row_counts(row: Row[Any]) -> dict[str, int]:
    return {one["name"]: one["rows"] for one in read_json(row.sources, list[RecordedSource])}


@legible(RUN)
def _summary(row: Row[Any]) -> RunSummary:
    counts = read_json(row.counts, dict[str, int | str])
    if not row.command.split() or any((name == "message") is isinstance(value, int) for name, value in counts.items()):
        raise ValueError
    return RunSummary(
        run_id=RunId(row.run_id),
        command=row.command,
        state=RunState(row.state),
        started_at=_moment_of_run(row.started_at),
        finished_at=None if row.finished_at is None else _moment_of_run(row.finished_at),
        counts=counts,
    )


def _moment_of_run(text: str) -> datetime:
    """In a year of which every clock of the world can tell all days."""
    moment = read_moment(text)
    if moment.year in {MINYEAR, MAXYEAR}:
        raise ValueError("no moment of a run")
    return moment


@legible(DOCUMENT)
def _ledger_document(row: Row[Any]) -> LedgerDocument:
    return LedgerDocument(CertificateId(row.certificate_id), row.path, row.sha256, CertificateState(row.state))


@legible(DOCUMENT)
def _path(row: Row[Any]) -> str:
    path: str = row.path
    return path


@legible("certificates at level {level}")
def _count_of_certificates(row: Row[Any]) -> tuple[str, CertificateState, int]:
    return row.level, CertificateState(row.state), row.number


@legible(EVENT)
def _moment_of_event(row: Row[Any]) -> datetime:
    return read_moment(row.at)


@contextmanager
def _in_our_words(name: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise LedgerInconsistentError(
            f"The ledger {name} refused a change that contradicts what it already knows ({cause(error)}). "
            "The change was undone.",
            advice="Run `sealtool status`; if it happens again, report it with the log.",
        ) from error
    except IllegibleRowError as error:
        raise changed_outside(name, error.what, error.error) from error
    except SQLAlchemyError as error:
        raise LedgerError(
            f"The ledger {name} cannot be used: {cause(error)}. What was not yet recorded was undone.",
            advice="Check free space, permissions and the database itself, then call again: the next run goes on.",
        ) from error
