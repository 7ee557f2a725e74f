"""The register for whoever publishes it: its lines together with the certificates that were made of them.

What a certificate says is taken from the certificate, superseded and revoked ones included; what has none from the
register's own lines. Both are read in order of person, as they are asked for: 100,000 lines need no memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from sealtool.canonical import person_from_json
from sealtool.ledger.certificates import area_of
from sealtool.ledger.chunks import streamed
from sealtool.ledger.legibility import CERTIFICATE, LINE, RecordedDecision, legible, read_json
from sealtool.ledger.tables import WHOLE_LEVEL, certificates, documents, register
from sealtool.ledger.values import ISSUED_ONCE, CertificateState, RegisterEntry
from sealtool.model import CertificateId, Level, PersonId


def register_entries(
    connection: Connection, levels: Collection[Level], people: Collection[PersonId] | None
) -> Iterator[RegisterEntry]:
    """Every line, in order of person, level, area and generation.

    Args:
        connection: to the ledger.
        levels: only these.
        people: only these; None for everybody.
    """
    by_person = attrgetter("person_id")
    wanted = {str(level) for level in levels}
    # Of all levels: a certificate of another one may be all that tells the person's name.
    with streamed(connection, _certified(people)) as certified, streamed(connection, _lines(people)) as lines:
        # Each group is read before the next one is asked for, so that nothing but one person is in memory.
        of_both = merge(
            ((person_id, 0, list(rows)) for person_id, rows in groupby(certified, legible(CERTIFICATE)(by_person))),
            ((person_id, 1, list(rows)) for person_id, rows in groupby(lines, legible(LINE)(by_person))),
            key=lambda found: found[:2],
        )
        for person_id, found in groupby(of_both, key=lambda group: group[0]):
            groups = {which: rows for _, which, rows in found}
            of_person = _of_person(PersonId(person_id), groups.get(0, []), groups.get(1, []))
            yield from (entry for entry in of_person if entry.level in wanted)


def _certified(people: Collection[PersonId] | None) -> Select[Any]:
    query = select(certificates, documents.c.path).outerjoin(
        documents, documents.c.certificate_id == certificates.c.certificate_id
    )
    return _only(people, query.where(certificates.c.state.in_(ISSUED_ONCE)), certificates).order_by(
        certificates.c.person_id,
        certificates.c.level,
        certificates.c.area,
        certificates.c.generation,
        documents.c.path,
    )


def _lines(people: Collection[PersonId] | None) -> Select[Any]:
    query = _only(people, select(register), register)
    return query.order_by(register.c.person_id, register.c.level, register.c.area)


def _only(people: Collection[PersonId] | None, query: Select[Any], table: Table) -> Select[Any]:
    return query if people is None else query.where(table.c.person_id.in_(list(people)))


def _of_person(person_id: PersonId, certified: list[Row[Any]], lines: list[Row[Any]]) -> list[RegisterEntry]:
    documents_of = (list(rows) for _, rows in groupby(certified, key=attrgetter("certificate_id")))
    entries = [_of_certificate(rows[0], [one.path for one in rows if one.path is not None]) for rows in documents_of]
    newest = max(entries, key=_newness).person if entries else None
    named = frozenset((entry.level, entry.area or WHOLE_LEVEL) for entry in entries)
    entries += [replace(entry, person=newest) for entry in _of_lines(person_id, lines, named)]
    return sorted(entries, key=lambda entry: (entry.level, entry.area or WHOLE_LEVEL))


def _newness(entry: RegisterEntry) -> tuple[bool, str]:
    """What is in force has the person's name as it is."""
    return (entry.state is CertificateState.ISSUED, entry.issued_on or "")


@legible(CERTIFICATE)
def _of_certificate(row: Row[Any], files: list[str]) -> RegisterEntry:
    facts = read_json(row.decision, RecordedDecision)
    return RegisterEntry(
        person_id=PersonId(row.person_id),
        person=person_from_json(facts["person"]),
        level=row.level,
        area=area_of(row),
        accredited_on=facts["accredited_on"],
        procedures=tuple(facts["procedures"]),
        areas=tuple({name: one[name] for name in ("area", "covered_on", "procedure")} for one in facts["areas"]),
        certificate_id=CertificateId(row.certificate_id),
        state=CertificateState(row.state),
        issued_on=row.issued_on,
        predecessor_id=row.predecessor_id,
        successor_id=row.successor_id,
        files=tuple(files),
    )


def _of_lines(
    person_id: PersonId, lines: Iterable[Row[Any]], certified: frozenset[tuple[str, int]]
) -> Iterator[RegisterEntry]:
    """Levels without a certificate: each with the areas held, at C2 each area by itself."""
    open_lines = (line for line in lines if not {(line.level, line.area), (line.level, WHOLE_LEVEL)} & certified)
    for level, rows in groupby(open_lines, key=attrgetter("level")):
        found = {row.area: row for row in rows}
        whole = found.pop(WHOLE_LEVEL, None)
        areas = [_area_held(row) for row in found.values()]
        if level == Level.C2:
            for one in areas:  # Annex 1, fifth, 5: each area is accredited by itself
                yield RegisterEntry(
                    person_id, None, level, one["area"], one["covered_on"], (one["procedure"],), areas=(one,)
                )
            continue
        procedures = () if whole is None else _procedures(whole)
        obtained_on = None if whole is None else whole.obtained_on
        yield RegisterEntry(person_id, None, level, None, obtained_on, procedures, tuple(areas))


@legible(LINE)
def _area_held(row: Row[Any]) -> Mapping[str, Any]:
    return {"area": area_of(row), "covered_on": row.obtained_on, "procedure": _procedures(row)[0]}


@legible(LINE)
def _procedures(row: Row[Any]) -> tuple[str, ...]:
    return tuple(read_json(row.procedures, list[str]))
