"""The register of accreditations (Annex 1, fifth, 4): each level, and the level of each area, with its day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import chain, groupby
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from sealtool.canonical import canonical_json
from sealtool.ledger.chunks import chunks
from sealtool.ledger.events import Event, append_events
from sealtool.ledger.legibility import LINE, legible
from sealtool.ledger.tables import WHOLE_LEVEL, register
from sealtool.model import Assessment, Decision, PersonId, Procedure, RunId

_Key = tuple[str, str, int]


def record_assessments(  # noqa: PLR0913 - what one change needs
    connection: Connection,
    run_id: RunId,
    assessments: Iterable[tuple[PersonId, Assessment]],
    rules_version: str,
    *,
    at: datetime,
    settled: Collection[tuple[str, str, int]] = (),
) -> int:
    """Writes what changed, and an event with the lines before and after; returns how many lines changed.

    Lines of people or levels that were not assessed stay as they are: whoever is held keeps what they had. So do the
    lines that are ``settled`` (person, level and area, 0 for the whole level): a human decided on them.

    It is done for some people at a time: the register of everybody would take hundreds of megabytes.
    """
    in_order = sorted(assessments, key=lambda pair: pair[0])
    by_person = (
        (person_id, [assessment for _, assessment in pairs])
        for person_id, pairs in groupby(in_order, key=lambda pair: pair[0])
    )
    return sum(
        _record_some(connection, run_id, dict(some), rules_version, at=at, settled=settled)
        for some in chunks(by_person)
    )


def _record_some(  # noqa: PLR0913 - what one change needs
    connection: Connection,
    run_id: RunId,
    assessments: Mapping[PersonId, list[Assessment]],
    rules_version: str,
    *,
    at: datetime,
    settled: Collection[tuple[str, str, int]],
) -> int:
    wanted: dict[_Key, dict[str, Any]] = {
        (person_id, line["level"], line["area"]): line
        for person_id, of_person in assessments.items()
        for assessment in of_person
        for line in _lines(person_id, assessment)
        if not _is_settled((person_id, line["level"], line["area"]), settled)
    }
    assessed = {
        (person_id, str(assessment.level)) for person_id, of_person in assessments.items() for assessment in of_person
    }
    levels = {level for _, level in assessed}
    query = select(register).where(register.c.person_id.in_(assessments)).where(register.c.level.in_(levels))
    current = _by_key(connection.execute(query))
    gone = [
        row
        for key, row in current.items()
        if key not in wanted and key[:2] in assessed and not _is_settled(key, settled)
    ]
    return _change(connection, run_id, wanted, current, gone, rules_version, at=at)


def enter_decision(connection: Connection, run_id: RunId, decision: Decision, *, at: datetime) -> int:
    """Writes what a certificate says over what the register said; returns how many lines changed."""
    person_id = decision.person.person_id
    assessment = Assessment(decision.level, decision.areas, (decision,))
    wanted: dict[_Key, dict[str, Any]] = {
        (person_id, line["level"], line["area"]): line for line in _lines(person_id, assessment)
    }
    query = select(register).where(register.c.person_id == person_id).where(register.c.level == str(decision.level))
    return _change(connection, run_id, wanted, _by_key(connection.execute(query)), [], decision.rules_version, at=at)


def _is_settled(key: _Key, settled: Collection[_Key]) -> bool:
    person_id, level, _ = key
    return key in settled or (person_id, level, WHOLE_LEVEL) in settled


def _change(  # noqa: PLR0913, PLR0917 - what one change needs
    connection: Connection,
    run_id: RunId,
    wanted: dict[_Key, dict[str, Any]],
    current: dict[_Key, Row[Any]],
    gone: list[Row[Any]],
    rules_version: str,
    *,
    at: datetime,
) -> int:
    new = [line for key, line in wanted.items() if not _same(line, current.get(key))]
    replaced = [row for line in new if (row := current.get((line["person_id"], line["level"], line["area"])))]
    for row in (*gone, *replaced):
        connection.execute(
            delete(register)
            .where(register.c.person_id == row.person_id)
            .where(register.c.level == row.level)
            .where(register.c.area == row.area)
        )
    for line in new:
        line.update(rules_version=rules_version, run_id=run_id)
    for some in chunks(new):
        connection.execute(insert(register), some)
    removed = (Event("register_removed", _as_found(row)) for row in (*gone, *replaced))
    entered = (Event("register_entered", line) for line in new)
    append_events(connection, run_id, chain(removed, entered), at=at)
    return len(gone) + len(new)


def _lines(person_id: PersonId, assessment: Assessment) -> Iterator[dict[str, Any]]:
    for covered in assessment.areas:
        yield {
            "person_id": person_id,
            "level": str(assessment.level),
            "area": int(covered.area),
            "obtained_on": covered.covered_on.isoformat(),
            "procedures": _as_text((covered.procedure,)),
            "evidence": canonical_json(list(covered.evidence)),
        }
    for decision in assessment.decisions:
        if decision.area is None:
            yield {
                "person_id": person_id,
                "level": str(assessment.level),
                "area": WHOLE_LEVEL,
                "obtained_on": decision.accredited_on.isoformat(),
                "procedures": _as_text(decision.procedures),
                "evidence": "[]",
            }


@legible(LINE)
def _as_found(row: Row[Any]) -> dict[str, Any]:
    return row._asdict()


def _by_key(rows: Iterable[Row[Any]]) -> dict[_Key, Row[Any]]:
    return {(row.person_id, row.level, row.area): row for row in rows}


@cache
def _as_text(procedures: tuple[Procedure, ...]) -> str:
    return canonical_json([str(procedure) for procedure in procedures])


def _same(line: dict[str, Any], row: Row[Any] | None) -> bool:
    return row is not None and (row.obtained_on, row.procedures, row.evidence) == (
        line["obtained_on"],
        line["procedures"],
        line["evidence"],
    )
