"""Whether a ledger is what sealtool wrote: the whole chain of events, and every table held against it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from sealtool.canonical import canonical_json, sha256_hex
from sealtool.ledger.events import GENESIS, event_hash, is_beginning
from sealtool.ledger.findings import FindingCode, LedgerFinding
from sealtool.ledger.legibility import ACT, CERTIFICATE, DOCUMENT, FAULTS, LINE, RENEWAL, RUN
from sealtool.ledger.replay import HASH_OF, Expected, Told
from sealtool.ledger.tables import WHOLE_LEVEL, acts, certificates, documents, events, register, renewals, runs

_NOUNS: Final[Mapping[str, str]] = {
    "runs": RUN,
    "register": LINE,
    "certificates": CERTIFICATE,
    "documents": DOCUMENT,
    "renewals": RENEWAL,
    "acts": ACT,
}

_ONE_BY_ONE: Final = 1_000
"""Of so many events side by side that are not there, each is told by itself; of more, the first and the last."""
_TRIES: Final = 200_000
"""So often in all, an event that does not fit is tried with another number; what is not found is told as changed."""


def examine(connection: Connection) -> tuple[LedgerFinding, ...]:
    """Everything that speaks against a ledger, in order of the events, then of the tables."""
    told = Told()
    found = [*_chain(connection, told)]
    found += [
        LedgerFinding(
            FindingCode.EVENT_UNKNOWN,
            f"Event {sequence} is a '{kind}', which this sealtool does not know: a later one wrote it.",
            sequence,
            kind,
        )
        for sequence, kind in told.unknown
    ]
    expectations = (
        (runs, told.runs),
        (register, told.register),
        (certificates, told.certificates),
        (documents, told.documents),
        (renewals, told.renewals),
        (acts, told.acts),
    )
    for table, expected in expectations:
        found += _table(connection, table, expected)
    return tuple(map(_in_plain_text, found))


def _in_plain_text(found: LedgerFinding) -> LedgerFinding:
    """A row in which somebody wrote may hold octets, and an event such a code point as stands in no text."""
    kind, certificate_id = (text if isinstance(text, str) else None for text in (found.kind, found.certificate_id))
    message = found.message.encode(errors="backslashreplace").decode()
    return replace(found, message=message, kind=kind, certificate_id=certificate_id)


# --- the chain ------------------------------------------------------------------------------------


def _chain(connection: Connection, told: Told) -> Iterator[LedgerFinding]:
    """Follows every event, in memory only where one does not fit."""
    expected, previous = 1, GENESIS
    before: tuple[int, str, str | None] | None = None
    gaps: list[range] = []
    bad: list[Row[Any]] = []
    breaks: list[LedgerFinding] = []
    query = select(events).order_by(events.c.sequence)
    for row in connection.execution_options(stream_results=True).execute(query):
        begins = before is None and is_beginning(row)
        sound = row.hash == event_hash(list(row)[:-1])
        if row.sequence != expected and not begins:
            gaps.append(range(expected, row.sequence))
        elif row.previous_hash != previous and not begins and sound and before is not None and not _is_bad(before, bad):
            breaks.append(
                LedgerFinding(
                    FindingCode.EVENT_EDITED,
                    f"Event {before[0]} ({before[1]}) was written anew: event {row.sequence} builds on another one.",
                    *before,
                )
            )
        if not sound:
            bad.append(row)
        try:
            told.follow(row)
        except FAULTS:
            if sound:
                breaks.append(_edited(row))
        expected, previous, before = row.sequence + 1, row.hash, (row.sequence, row.kind, row.certificate_id)
    moved = _original_places(bad, gaps)
    yield from _missing(gaps, set(moved.values()))
    yield from (_moved(row, moved[row.sequence]) if row.sequence in moved else _edited(row) for row in bad)
    yield from breaks


def _is_bad(event: tuple[int, str, str | None], bad: list[Row[Any]]) -> bool:
    return bool(bad) and bad[-1].sequence == event[0]


def _original_places(bad: list[Row[Any]], gaps: list[range]) -> dict[int, int]:
    """The numbers under which events were written of which only the number was changed, by the present ones."""
    likely = sorted(gaps, key=_size)
    places = list(islice(chain((row.sequence for row in bad), *likely), _TRIES))
    tries = iter(range(_TRIES))
    moved = {}
    for row in bad:
        others = list(row)[1:-1]
        for place, _ in zip(places, tries, strict=False):
            if event_hash([place, *others]) == row.hash:
                moved[row.sequence] = place
                break
    return moved


def _missing(gaps: list[range], taken: set[int]) -> Iterator[LedgerFinding]:
    for gap in gaps:
        if _size(gap) > _ONE_BY_ONE:
            yield LedgerFinding(FindingCode.EVENT_REMOVED, f"Events {gap[0]} to {gap[-1]} were removed.", gap[0])
            continue
        for sequence in gap:
            if sequence not in taken:
                yield LedgerFinding(FindingCode.EVENT_REMOVED, f"Event {sequence} was removed.", sequence)


def _size(gap: range) -> int:
    """Also where a number is so far off that no length can tell."""
    return gap.stop - gap.start


def _moved(row: Row[Any], original: int) -> LedgerFinding:
    message = f"Event {original} ({row.kind}) was moved: it stands as number {row.sequence} now."
    return LedgerFinding(FindingCode.EVENT_MOVED, message, original, row.kind, row.certificate_id)


def _edited(row: Row[Any]) -> LedgerFinding:
    message = f"Event {row.sequence} ({row.kind}, {row.at}) was changed after it was written."
    return LedgerFinding(FindingCode.EVENT_EDITED, message, row.sequence, row.kind, row.certificate_id)


# --- the tables -----------------------------------------------------------------------------------


def _table(connection: Connection, table: Table, expected: dict[Any, Expected]) -> Iterator[LedgerFinding]:
    left = dict(expected)
    query = select(table).order_by(*table.primary_key.columns)
    for found in connection.execution_options(stream_results=True).execute(query).mappings():
        row = dict(found)
        names = [column.name for column in table.primary_key.columns]
        key = row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)
        wanted = left.pop(key, None)
        noun = _noun(table, row)
        if wanted is None:
            yield LedgerFinding(
                FindingCode.ROW_WITHOUT_EVENT,
                f"{noun} is in the ledger, but no event tells of it.",
                certificate_id=row.get("certificate_id"),
            )
        elif wrong := sorted({*_differing(row, wanted.facts), *_contradicting(table, row), *_octets(row)}):
            yield _found(
                FindingCode.ROW_DIFFERS, f"{noun} is not as the events tell: {', '.join(wrong)} differs.", wanted
            )
    for key, one in left.items():
        parts = key if isinstance(key, tuple) else (key,)
        named = dict(zip((column.name for column in table.primary_key.columns), parts, strict=True))
        yield _found(FindingCode.ROW_MISSING, f"{_noun(table, named)} is not in the ledger any more.", one)


def _found(code: FindingCode, message: str, wanted: Expected) -> LedgerFinding:
    told = f"{message[0].upper()}{message[1:]} The last event about it is {wanted.sequence} ({wanted.kind})."
    return LedgerFinding(code, told, wanted.sequence, wanted.kind, wanted.certificate_id)


def _noun(table: Table, row: Mapping[str, Any]) -> str:
    noun = _NOUNS[table.name].format_map(row)
    return f"{noun[0].upper()}{noun[1:]}"


def _differing(row: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        column = name if name in row else name.removesuffix(HASH_OF)
        present = row[name] if name in row else _hash_of(row.get(column))
        if not (present in value if isinstance(value, frozenset) else present == value):
            yield column


def _octets(row: Mapping[str, Any]) -> Iterator[str]:
    """Columns that hold no text where one belongs, also those of which no event tells."""
    return (column for column, value in row.items() if isinstance(value, bytes))


def _hash_of(text: object) -> str | None:
    return sha256_hex(text) if isinstance(text, str) else None


def _contradicting(table: Table, row: Mapping[str, Any]) -> Iterator[str]:
    """Columns of a certificate that are not those of its decision, whose hash the events have."""
    if table is not certificates:
        return
    try:
        decision = json.loads(row["decision"])
        fingerprint = _fingerprint(decision)
    except FAULTS:
        yield "decision"
        return
    if fingerprint != row["fingerprint"]:
        yield "decision"
    stands = {"person_id": row["person_id"], "level": row["level"], "area": row["area"]}
    says = {name: decision.get(name) for name in stands} | {"area": decision.get("area") or WHOLE_LEVEL}
    yield from (name for name in stands if stands[name] != says[name])


def _fingerprint(decision: Mapping[str, Any]) -> str:
    """As :func:`sealtool.canonical.decision_fingerprint` makes it, from the decision on record."""
    areas = [{name: value for name, value in area.items() if name != "evidence"} for area in decision["areas"]]
    return sha256_hex(canonical_json({**decision, "areas": areas}))
