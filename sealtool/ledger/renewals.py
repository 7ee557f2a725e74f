"""Documents that are renewed: announced, replaced in the folder, confirmed; and until when each is provable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, literal_column, select, update

from sealtool.canonical import canonical_json
from sealtool.ledger.certificates import expect, file_on_record
from sealtool.ledger.chunks import chunks
from sealtool.ledger.events import Event, append_events, instant
from sealtool.ledger.legibility import DOCUMENT, legible, read_json, read_moment
from sealtool.ledger.seal_json import valid_until
from sealtool.ledger.tables import certificates, documents, renewals
from sealtool.ledger.values import UNPUBLISHED, DocumentOnRecord, PendingRenewal, RenewalCount, Renewed
from sealtool.model import CertificateId, RunId

_MONTH: Final = 7
"""Characters of a moment that name its month."""


def _provable_until() -> ColumnElement[str]:
    """Rows of before migration 0002 do not tell; for them the end of the seal certificate stands, as it did then."""
    return func.coalesce(documents.c.provable_until, valid_until(documents.c.seal))


def documents_on_record(
    connection: Connection, *, until: datetime | None = None, limit: int | None = None
) -> tuple[DocumentOnRecord, ...]:
    """Every published document, or those that are not provable beyond a moment; those that run out first come first."""
    end = _provable_until()
    query = (
        select(documents, end.label("end"))
        .join(certificates, certificates.c.certificate_id == documents.c.certificate_id)
        .where(certificates.c.state.not_in(UNPUBLISHED))
        .order_by(end, documents.c.path)
        .limit(limit)
    )
    if until is not None:
        query = query.where(end <= instant(until))
    return tuple(_on_record(row) for row in connection.execute(query))


def newest_seal_valid_until(connection: Connection) -> datetime | None:
    """The end of the seal certificate of a document that was issued last; None before the first."""
    query = (
        select(documents.c.path, valid_until(documents.c.seal).label("end"))
        .join(certificates, certificates.c.certificate_id == documents.c.certificate_id)
        .where(certificates.c.issued_on.is_not(None))
        .order_by(certificates.c.issued_on.desc(), valid_until(documents.c.seal).desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _end(row)


def renewals_by_month(connection: Connection) -> tuple[RenewalCount, ...]:
    """How many published documents run out in each month, in order of time."""
    month = func.substr(_provable_until(), 1, _MONTH).label("month")
    query = (
        select(month, func.count().label("documents"), func.min(documents.c.path).label("first"))
        .join(certificates, certificates.c.certificate_id == documents.c.certificate_id)
        .where(certificates.c.state.not_in(UNPUBLISHED))
        .group_by(literal_column("month"))  # by its name: PostgreSQL takes each bound value for another expression
        .order_by(month)
    )
    return tuple(map(_renewal_count, connection.execute(query)))


def announce(connection: Connection, run_id: RunId, renewed: Sequence[Renewed], *, at: datetime) -> None:
    """Notes the hashes of renewed files before they take the place of the present ones."""
    if not renewed:
        return
    known = _known(connection, [one.path for one in renewed])
    for one in renewed:
        row = known.get(one.path)
        expect(row is not None and row.sha256 == one.replaces, f"{one.path} is not on record with the hash renewed")
    rows: list[dict[str, Any]] = [
        {
            "path": one.path,
            "sha256": one.sha256,
            "size": one.size,
            "seal": canonical_json(dict(one.seal)),
            "provable_until": instant(one.provable_until),
        }
        for one in renewed
    ]
    connection.execute(insert(renewals), rows)
    happened = [
        Event(
            "renewal_announced",
            {**file_on_record(row), "replaces": one.replaces},
            CertificateId(known[one.path].certificate_id),
        )
        for one, row in zip(renewed, rows, strict=True)
    ]
    append_events(connection, run_id, happened, at=at)


def pending(connection: Connection) -> tuple[PendingRenewal, ...]:
    """Renewals that were announced, and may or may not have taken place, in order of path."""
    query = select(renewals.c.path, renewals.c.sha256, documents.c.sha256.label("replaces"))
    query = query.join(documents, documents.c.path == renewals.c.path).order_by(renewals.c.path)
    return tuple(PendingRenewal(row.path, row.sha256, row.replaces) for row in connection.execute(query))


def confirm(connection: Connection, run_id: RunId, paths: Sequence[str], *, at: datetime) -> None:
    """Notes that the renewed files have taken their places. The next manifest lists them again."""
    happened = []
    known = _known(connection, paths)
    announced = _announced(connection, paths)
    for path in paths:
        expect(path in announced, f"no renewal of {path} was announced")
        row, before = announced[path], known[path]
        connection.execute(
            update(documents)
            .where(documents.c.path == path)
            .values(
                sha256=row.sha256,
                size=row.size,
                seal=row.seal,
                provable_until=row.provable_until,
                manifest_run=None,
            )
        )
        payload = {**file_on_record(row._mapping), "replaces": before.sha256}  # noqa: SLF001 - SQLAlchemy's public name
        happened.append(Event("renewed", payload, CertificateId(before.certificate_id)))
    _forget(connection, paths)
    append_events(connection, run_id, happened, at=at)


def drop(connection: Connection, run_id: RunId, paths: Sequence[str], *, at: datetime) -> None:
    """Forgets renewals that never took place: what was there before is still there."""
    known = _known(connection, paths)
    _forget(connection, paths)
    happened = [Event("renewal_dropped", {"path": path}, CertificateId(known[path].certificate_id)) for path in paths]
    append_events(connection, run_id, happened, at=at)


def note_provable_until(
    connection: Connection, run_id: RunId, found: Sequence[tuple[str, datetime]], *, at: datetime
) -> None:
    """Writes down until when documents are provable whose row did not tell."""
    known = _known(connection, [path for path, _ in found])
    happened = []
    for path, moment in found:
        text = instant(moment)
        connection.execute(update(documents).where(documents.c.path == path).values(provable_until=text))
        payload = {"path": path, "provable_until": text}
        happened.append(Event("provable_until_noted", payload, CertificateId(known[path].certificate_id)))
    append_events(connection, run_id, happened, at=at)


def _known(connection: Connection, paths: Sequence[str]) -> dict[str, Any]:
    query = select(documents.c.path, documents.c.certificate_id, documents.c.sha256)
    rows = (connection.execute(query.where(documents.c.path.in_(chunk))) for chunk in chunks(paths))
    return {row.path: row for found in rows for row in found}


def _announced(connection: Connection, paths: Sequence[str]) -> dict[str, Any]:
    rows = (connection.execute(select(renewals).where(renewals.c.path.in_(chunk))) for chunk in chunks(paths))
    return {row.path: row for found in rows for row in found}


def _forget(connection: Connection, paths: Sequence[str]) -> None:
    for chunk in chunks(paths):
        connection.execute(delete(renewals).where(renewals.c.path.in_(chunk)))


@legible(DOCUMENT)
def _end(row: Row[Any]) -> datetime | None:
    return None if row.end is None else read_moment(row.end)


@legible("document {first}")
def _renewal_count(row: Row[Any]) -> RenewalCount:
    date.fromisoformat(f"{row.month}-01")
    return RenewalCount(row.month, row.documents, row.first)


@legible(DOCUMENT)
def _on_record(row: Row[Any]) -> DocumentOnRecord:
    return DocumentOnRecord(
        certificate_id=CertificateId(row.certificate_id),
        path=row.path,
        sha256=row.sha256,
        pades_level=read_json(row.seal, dict[str, Any])["pades_level"],
        provable_until=read_moment(row.end),
        is_noted=row.provable_until is not None,
    )
