"""How many certificates of which kind there are, for reports (Annex 1, fifth, 2). No person comes out of here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from sealtool.ledger.tables import certificates, runs
from sealtool.ledger.values import CertificateState, Statistics

_ISSUED_ONCE: Final = (CertificateState.ISSUED, CertificateState.SUPERSEDED, CertificateState.REVOKED)
_AT_A_TIME: Final = 1000


def statistics(connection: Connection, since: date | None, until: date | None) -> Statistics:
    """The certificates issued from one day to another, both included; read one by one, however many there are."""
    found = Statistics()
    for row in _certificates(connection, since, until):
        _count(found, row)
    found.runs.update(_runs(connection, since, until))
    return found


def _certificates(connection: Connection, since: date | None, until: date | None) -> Iterator[Row[Any]]:
    columns = certificates.c
    query = select(
        columns.level, columns.area, columns.state, columns.decision, columns.issued_on, columns.predecessor_id
    ).where(columns.state.in_(_ISSUED_ONCE))
    if since is not None:
        query = query.where(columns.issued_on >= since.isoformat())
    if until is not None:
        query = query.where(columns.issued_on <= until.isoformat())
    return iter(connection.execution_options(stream_results=True, yield_per=_AT_A_TIME).execute(query))


def _count(found: Statistics, row: Row[Any]) -> None:
    found.by_level[row.level, row.state] += 1
    found.by_month[row.issued_on[:7]] += 1
    decision: dict[str, Any] = json.loads(row.decision)
    if row.predecessor_id is None:  # a successor tells how long an appeal took, not the first certificate
        waited = date.fromisoformat(row.issued_on) - date.fromisoformat(decision["accredited_on"])
        found.days_to_certificate[waited.days] += 1
    if row.state == CertificateState.ISSUED:
        found.by_procedures[tuple(decision["procedures"])] += 1
        for one in decision["areas"]:
            found.by_area[one["area"], one["procedure"]] += 1


def _runs(connection: Connection, since: date | None, until: date | None) -> Counter[str]:
    query = select(runs.c.state, func.count().label("count")).group_by(runs.c.state)
    if since is not None:
        query = query.where(func.substr(runs.c.started_at, 1, 10) >= since.isoformat())
    if until is not None:
        query = query.where(func.substr(runs.c.started_at, 1, 10) <= until.isoformat())
    return Counter({row.state: row.count for row in connection.execute(query)})
