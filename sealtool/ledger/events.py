"""The chain of events: each carries the hash of the one before, so nothing can be edited, removed or moved.

``hash = SHA-256(canonical JSON of [sequence, at, run_id, kind, certificate_id, payload, previous_hash])``;
the first event builds on 64 zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from sealtool.canonical import canonical_json, sha256_hex
from sealtool.ledger.tables import events
from sealtool.model import CertificateId, RunId

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``payload`` must be JSON."""

    kind: str
    payload: object
    certificate_id: CertificateId | None = None


def instant(moment: datetime) -> str:
    """The moment as the ledger writes it: ISO 8601 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def chain_head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest event; ``(0, GENESIS)`` in an empty ledger."""
    row = connection.execute(
        select(events.c.sequence, events.c.hash).order_by(events.c.sequence.desc()).limit(1)
    ).one_or_none()
    return (0, GENESIS) if row is None else (row.sequence, row.hash)


def append_events(connection: Connection, run_id: RunId, happened: Iterable[Event], *, at: datetime) -> None:
    """Adds events to the chain, within the caller's transaction: they stand or fall with what they tell."""
    sequence, previous = chain_head(connection)
    rows = []
    for event in happened:
        sequence += 1
        payload = canonical_json(event.payload)
        row = {
            "sequence": sequence,
            "at": instant(at),
            "run_id": run_id,
            "kind": event.kind,
            "certificate_id": event.certificate_id,
            "payload": payload,
            "previous_hash": previous,
        }
        previous = row["hash"] = event_hash(list(row.values()))
        rows.append(row)
    if rows:
        connection.execute(insert(events), rows)


def event_hash(fields: Sequence[Any]) -> str:
    """The hash of an event from its seven fields in the order of the table."""
    return sha256_hex(canonical_json(list(fields)))


def broken_link(connection: Connection, *, after: int = 0) -> str | None:
    """Follows the chain; what is wrong with the first event that does not fit, or None.

    Args:
        connection: to the ledger.
        after: number of the last event that is known to be right; 0 to begin at the beginning.
    """
    known = connection.execute(select(events.c.hash).where(events.c.sequence == after)).scalar_one_or_none()
    expected, previous = after + 1, known or GENESIS
    query = select(events).where(events.c.sequence > after).order_by(events.c.sequence)
    for row in connection.execution_options(stream_results=True).execute(query):
        if row.sequence != expected:
            return f"event {expected} is missing"
        if row.previous_hash != previous or row.hash != event_hash(list(row)[:-1]):
            return f"event {expected} ({row.kind}, {row.at}) was changed after it was written"
        expected, previous = expected + 1, row.hash
    return None
