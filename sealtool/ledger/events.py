"""The chain of events: each carries the hash of the one before, so nothing can be edited, removed or moved.

``hash = SHA-256(canonical JSON of [sequence, at, run_id, kind, certificate_id, payload, previous_hash])``;
the first event builds on 64 zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from sealtool.canonical import canonical_json, sha256_hex
from sealtool.ledger.chunks import chunks
from sealtool.ledger.legibility import EVENT, RecordedBeginning, legible, read_json
from sealtool.ledger.tables import events
from sealtool.model import CertificateId, RunId

GENESIS = "0" * 64

REBUILT = "rebuilt"
"""The kind of the event that a rebuilt ledger begins with."""


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
    row = newest(connection)
    return (0, GENESIS) if row is None else _place_in_chain(row)


def newest(connection: Connection) -> Row[Any] | None:
    """Number and hash of the newest event as they stand there; None in an empty ledger."""
    query: Select[Any] = select(events.c.sequence, events.c.hash).order_by(events.c.sequence.desc()).limit(1)
    return connection.execute(query).one_or_none()


@legible(EVENT)
def _place_in_chain(row: Row[Any]) -> tuple[int, str]:
    return row.sequence, row.hash


def append_events(
    connection: Connection,
    run_id: RunId,
    happened: Iterable[Event],
    *,
    at: datetime,
    after: tuple[int, str] | None = None,
) -> None:
    """Adds events to the chain, within the caller's transaction: they stand or fall with what they tell.

    ``after`` is number and hash of what they go on from where that is not on record: of a rebuilt ledger's beginning.
    """
    sequence, previous = after or chain_head(connection)
    for some in chunks(happened):
        rows = []
        for event in some:
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
        connection.execute(insert(events), rows)


def event_hash(fields: Sequence[Any]) -> str:
    """The hash of an event from its seven fields in the order of the table.

    Empty, which fits no event, where a field is none that sealtool writes.
    """
    try:
        return sha256_hex(canonical_json(list(fields)))
    except (TypeError, ValueError):
        return ""


def is_beginning(row: Row[Any]) -> bool:
    """Whether an event begins the chain of a rebuilt ledger: it goes on from the event that the newest manifest pins,
    and says so (ADR 0012)."""
    if row.kind != REBUILT:
        return False
    try:
        payload = told_by(row)
    except ValueError:  # whoever wrote in it may have left anything
        return False
    return (payload["ledger_sequence"], payload["ledger_head"]) == (row.sequence - 1, row.previous_hash)


def told_by(first: Row[Any]) -> RecordedBeginning:
    """What the first event of a rebuilt ledger says. ValueError where it is something else."""
    told: RecordedBeginning = read_json(first.payload, RecordedBeginning)
    return told


def beginning(connection: Connection) -> Row[Any] | None:
    """The first event of a rebuilt ledger; None where the ledger was never lost."""
    first = connection.execute(select(events).order_by(events.c.sequence).limit(1)).one_or_none()
    return first if first is not None and is_beginning(first) else None


def hash_of_event(connection: Connection, sequence: int) -> str | None:
    """The hash of the event of that number; None where there is none. A rebuilt ledger knows that before its first."""
    found = connection.execute(select(events.c.hash).where(events.c.sequence == sequence)).scalar_one_or_none()
    if found is None and (first := beginning(connection)) is not None and first.sequence == sequence + 1:
        return str(first.previous_hash)
    return found


def broken_link(connection: Connection, *, after: int = 0) -> str | None:
    """Follows the chain; what is wrong with the first event that does not fit, or None.

    Args:
        connection: to the ledger.
        after: number of the last event that is known to be right; 0 to begin at the beginning.
    """
    first = beginning(connection)
    if first is not None and after < first.sequence:
        after = first.sequence - 1
    expected, previous = after + 1, hash_of_event(connection, after) or GENESIS
    query = select(events).where(events.c.sequence > after).order_by(events.c.sequence)
    with connection.execution_options(stream_results=True).execute(query) as rows:
        for *fields, found in rows:
            sequence, at, _, kind, *_, goes_on_from = fields
            if sequence != expected:
                return f"event {expected} is missing"
            if goes_on_from != previous or found != event_hash(fields):
                return f"event {expected} ({kind}, {at}) was changed after it was written"
            expected, previous = expected + 1, found
    return None
