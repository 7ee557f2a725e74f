"""Manifests in the ledger: announced with the hashes of their files, then written, then confirmed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select, update

from sealtool.canonical import canonical_json
from sealtool.identifiers import is_run_id
from sealtool.ledger.certificates import manifest_entry
from sealtool.ledger.chunks import chunks
from sealtool.ledger.events import Event, append_events
from sealtool.ledger.legibility import RUN, legible, read_json
from sealtool.ledger.tables import certificates, documents, renewals, runs
from sealtool.ledger.values import UNPUBLISHED, ManifestEntry, ManifestOnRecord
from sealtool.model import RunId

_SHA256: Final = re.compile("[0-9a-f]{64}")


def entries(connection: Connection, *, unlisted_only: bool) -> tuple[ManifestEntry, ...]:
    """Issued documents in order of path: all of them, or those of which no manifest speaks as they are now.

    One whose renewal is pending waits: its file may be the old one or the new one, and no manifest guesses which.
    """
    query = (
        select(certificates, documents)
        .join(documents, documents.c.certificate_id == certificates.c.certificate_id)
        .where(certificates.c.state.not_in(UNPUBLISHED))
        .order_by(documents.c.path)
    )
    if unlisted_only:
        query = query.where(documents.c.manifest_run.is_(None), documents.c.path.not_in(select(renewals.c.path)))
    return tuple(manifest_entry(row) for row in connection.execute(query))


def announce(
    connection: Connection, run_id: RunId, paths: Sequence[str], files: Mapping[str, str], *, at: datetime
) -> None:
    """Notes a manifest, the documents it lists and the hashes of its own files."""
    for chunk in chunks(paths):
        connection.execute(update(documents).where(documents.c.path.in_(chunk)).values(manifest_run=run_id))
    text = canonical_json(dict(files))
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(manifest=text))
    happened = [Event("manifest_announced", {"documents": len(paths), "files": dict(files)})]
    append_events(connection, run_id, happened, at=at)


def confirm(connection: Connection, run_id: RunId, sha256: str, *, at: datetime) -> None:
    """Notes that every file of an announced manifest is published."""
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(manifest_sha256=sha256))
    append_events(connection, run_id, [Event("manifest_written", {"sha256": sha256})], at=at)


def withdraw(connection: Connection, run_id: RunId, *, at: datetime) -> None:
    """Forgets an announced manifest whose files were never completed."""
    connection.execute(update(documents).where(documents.c.manifest_run == run_id).values(manifest_run=None))
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(manifest=None))
    append_events(connection, run_id, [Event("manifest_withdrawn", {})], at=at)


def unconfirmed(connection: Connection) -> tuple[ManifestOnRecord, ...]:
    """Manifests that were announced, and may or may not have been written."""
    query: Select[Any] = select(runs.c.run_id, runs.c.manifest).where(runs.c.manifest.is_not(None))
    rows = connection.execute(query.where(runs.c.manifest_sha256.is_(None)).order_by(runs.c.run_id))
    return tuple(ManifestOnRecord(RunId(row.run_id), files_of(row)) for row in rows)


def files(connection: Connection) -> frozenset[str]:
    """The paths of all files of all manifests that were written."""
    query: Select[Any] = select(runs.c.run_id, runs.c.manifest).where(runs.c.manifest_sha256.is_not(None))
    return frozenset(path for row in connection.execute(query) for path in files_of(row))


def last(connection: Connection) -> tuple[RunId, str] | None:
    """Run and SHA-256 of the newest manifest that was written; None before the first."""
    query: Select[Any] = select(runs.c.run_id, runs.c.manifest_sha256).where(runs.c.manifest_sha256.is_not(None))
    row = connection.execute(query.order_by(runs.c.run_id.desc()).limit(1)).one_or_none()
    return None if row is None else _written(row)


@legible(RUN)
def _written(row: Row[Any]) -> tuple[RunId, str]:
    if not (is_run_id(row.run_id) and _SHA256.fullmatch(row.manifest_sha256)):
        raise ValueError("no manifest that the next one could name")
    return RunId(row.run_id), row.manifest_sha256


@legible(RUN)
def files_of(row: Row[Any]) -> Mapping[str, str]:
    """The files of a manifest with their SHA-256, from a row of runs that announced one."""
    files: Mapping[str, str] = read_json(row.manifest, dict[str, str])
    return files
