"""How many certificates of which kind there are, for reports (Annex 1, fifth, 2). No person comes out of here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, CursorResult, Row, Select, distinct, func, select

from sealtool.ledger.chunks import streamed
from sealtool.ledger.legibility import CERTIFICATE, RecordedDecision, legible, read_day, read_json
from sealtool.ledger.tables import certificates, runs
from sealtool.ledger.values import ISSUED_ONCE, CertificateState, RunState, Statistics

_MONTH: Final = 7
"""Characters of a day that name its month."""


def statistics(connection: Connection, since: date | None, until: date | None) -> Statistics:
    """The certificates issued from one day to another, both included; read one by one, however many there are."""
    within = [certificates.c.state.in_(ISSUED_ONCE), *_between(certificates.c.issued_on, since, until)]
    found = Statistics(people=_people(connection, within), runs=_runs(connection, since, until))
    with _certificates(connection, within) as rows:
        for row in rows:
            _count(row, found)
    return found


def newest_complete_run() -> Select[Any]:
    """The newest ``issue`` for everybody that came to its end: what any other run counted is less than there is."""
    return (
        select(runs)
        .where(runs.c.command.like("issue %"), runs.c.command.not_like("% for %"))
        .where(runs.c.state == RunState.FINISHED)
        .order_by(runs.c.started_at.desc(), runs.c.run_id.desc())
        .limit(1)
    )


def _between(day: ColumnElement[str], since: date | None, until: date | None) -> Iterator[ColumnElement[bool]]:
    if since is not None:
        yield day >= since.isoformat()
    if until is not None:
        yield day <= until.isoformat()


def _people(connection: Connection, within: list[ColumnElement[bool]]) -> int:
    columns = certificates.c
    query = select(func.count(distinct(columns.person_id))).where(columns.state == CertificateState.ISSUED, *within)
    return int(connection.execute(query).scalar_one())


def _certificates(connection: Connection, within: list[ColumnElement[bool]]) -> CursorResult[Any]:
    columns = certificates.c
    told = (columns.certificate_id, columns.level, columns.state, columns.decision, columns.issued_on)
    query = select(*told, columns.predecessor_id)
    return streamed(connection, query.where(*within))


@legible(CERTIFICATE)
def _count(row: Row[Any], found: Statistics) -> None:
    found.by_level[row.level, row.state] += 1
    decision = read_json(row.decision, RecordedDecision)
    issued_on, accredited_on = read_day(row.issued_on), read_day(decision["accredited_on"])
    found.by_month[_month(issued_on)] += 1
    if row.predecessor_id is None:  # a successor tells how long an appeal took, not the first certificate
        found.days_to_certificate[(issued_on - accredited_on).days] += 1
    if row.state == CertificateState.ISSUED:
        found.by_month_of_accreditation[_month(accredited_on)] += 1
        found.by_procedures[tuple(decision["procedures"])] += 1
        for one in decision["areas"]:
            found.by_area[row.level, one["area"], one["procedure"]] += 1


def _month(day: date) -> str:
    return day.isoformat()[:_MONTH]


def _runs(connection: Connection, since: date | None, until: date | None) -> Counter[str]:
    within = _between(func.substr(runs.c.started_at, 1, len("2026-11-24")), since, until)
    query = select(runs.c.state, func.count().label("number")).where(*within).group_by(runs.c.state)
    return Counter(dict(map(_count_of_runs, connection.execute(query))))


@legible("runs of state {state}")
def _count_of_runs(row: Row[Any]) -> tuple[str, int]:
    return str(RunState(row.state)), row.number
