"""What humans decide about issued certificates: acts that supersede one by another, or revoke one.

A reissue goes the way of every certificate, ``reserved``, ``sealed``, ``issued``, as a further generation that names
its predecessor. The old one stays in force until the commit in which the new one becomes ``issued``: at no time are
there two, and at no time none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, not_, select, update

from sealtool.canonical import canonical_json, decision_from_json
from sealtool.ledger.certificates import (
    RELEASED,
    area_number,
    decided,
    decision_on_record,
    expect,
    issued_certificate,
    move,
)
from sealtool.ledger.chunks import chunks
from sealtool.ledger.events import Event, append_events, instant
from sealtool.ledger.legibility import ACT, CERTIFICATE, RecordedDecision, legible, read_json
from sealtool.ledger.register import enter_decision
from sealtool.ledger.tables import acts, certificates, documents, runs
from sealtool.ledger.values import (
    UNPUBLISHED,
    Act,
    ActKind,
    CertificateState,
    CertificateStory,
    IssuedCertificate,
    Reservation,
    RunState,
)
from sealtool.model import CertificateId, Decision, Level, RunId

_IS_PENDING_REISSUE: Final[ColumnElement[bool]] = certificates.c.predecessor_id.is_not(None) & certificates.c.state.in_(
    UNPUBLISHED
)

_REPLACEABLE: Final = frozenset({CertificateState.ISSUED, CertificateState.REVOKED})
"""States of certificates whose places another may take."""


def newest_of_each(levels: Iterable[Level]) -> Select[Any]:
    """The certificates that may stand for a person, level and area, oldest generation first.

    Superseded ones are left out: their successor stands for them. So are reissues that are not issued yet: until then
    the old one does.
    """
    overruled = acts.c.overruled.label("overruled")
    made = (acts.c.certificate_id == certificates.c.certificate_id) & (acts.c.kind == ActKind.REISSUE)
    return (
        select(certificates, overruled)
        .outerjoin(acts, made)
        .where(certificates.c.level.in_([str(level) for level in levels]))
        .where(certificates.c.state.not_in([CertificateState.RELEASED, CertificateState.SUPERSEDED]))
        .where(not_(_IS_PENDING_REISSUE))
        .order_by(certificates.c.person_id, certificates.c.level, certificates.c.area, certificates.c.generation)
    )


def certificate_of(row: Row[Any]) -> IssuedCertificate:
    """A row of :func:`newest_of_each` as a value."""
    return issued_certificate(row, overruled=row.overruled)


def story(connection: Connection, certificate_id: CertificateId) -> CertificateStory | None:
    """A certificate with what became of it; None where the ledger has no such id."""
    row = connection.execute(select(certificates).where(certificates.c.certificate_id == certificate_id)).one_or_none()
    if row is None:
        return None
    alike = (
        select(certificates)
        .where(certificates.c.person_id == row.person_id)
        .where(certificates.c.level == row.level)
        .where(certificates.c.area == row.area)
        .where(certificates.c.state != CertificateState.RELEASED)
        .order_by(certificates.c.generation)
    )
    rows = list(connection.execute(alike))
    published = [one for one in rows if one.state not in UNPUBLISHED]
    pending = [one for one in rows if one.state in UNPUBLISHED and one.predecessor_id is not None]
    newest = published[-1] if published else row
    told = connection.execute(select(acts).where(acts.c.certificate_id == newest.certificate_id))
    return CertificateStory(
        certificate=issued_certificate(row),
        decision=_decision(row),
        generation=row.generation,
        newest=issued_certificate(newest),
        pending=CertificateId(pending[-1].certificate_id) if pending else None,
        acts=tuple(_act(one) for one in told),
        is_unfinished=_is_unfinished(connection, newest.certificate_id),
    )


def pending_reissues(connection: Connection) -> tuple[Reservation, ...]:
    """Reissues that were decided and of which nothing was published yet, in order of id."""
    query = select(certificates).where(certificates.c.predecessor_id.is_not(None))
    query = query.where(certificates.c.state == CertificateState.RESERVED).order_by(certificates.c.certificate_id)
    return tuple(
        Reservation(CertificateId(row.certificate_id), _decision(row), CertificateId(row.predecessor_id))
        for row in connection.execute(query)
    )


def reserve_reissue(connection: Connection, run_id: RunId, reservation: Reservation, act: Act, *, at: datetime) -> None:
    """Sets an id aside for the successor of a certificate, or gives a reissue that was stopped its new content."""
    predecessor = _row(connection, reservation.predecessor)
    decision = reservation.decision
    key = (decision.person.person_id, str(decision.level), area_number(decision))
    expect(key == (predecessor.person_id, predecessor.level, predecessor.area), "a reissue is of another certificate")
    expect(predecessor.state in _REPLACEABLE, f"certificate {predecessor.certificate_id} is {predecessor.state}")
    revised = connection.execute(
        update(certificates)
        .where(certificates.c.certificate_id == reservation.certificate_id)
        .where(certificates.c.predecessor_id == predecessor.certificate_id)
        .where(certificates.c.state == CertificateState.RESERVED)
        .values(**decided(decision))
    )
    if not revised.rowcount:
        connection.execute(
            insert(certificates).values(
                certificate_id=reservation.certificate_id,
                person_id=predecessor.person_id,
                level=predecessor.level,
                area=predecessor.area,
                generation=predecessor.generation + 1,
                state=CertificateState.RESERVED,
                reserved_run=run_id,
                predecessor_id=predecessor.certificate_id,
                **decided(decision),
            )
        )
    _record(connection, run_id, reservation.certificate_id, act, at=at)
    payload = {**_told(act), "replaces": predecessor.certificate_id, **decision_on_record(decided(decision))}
    append_events(connection, run_id, [Event("reissue_decided", payload, reservation.certificate_id)], at=at)


def supersede_predecessors(
    connection: Connection, run_id: RunId, ids: Sequence[CertificateId], *, at: datetime
) -> None:
    """Ends the certificates whose places these take, in the transaction in which these become ``issued``.

    The next manifest lists the old ones again, with their new state; the register has the lines of the new ones.
    """
    for chunk in chunks(ids):
        query = select(certificates).where(certificates.c.certificate_id.in_(chunk))
        rows = connection.execute(query.where(certificates.c.predecessor_id.is_not(None))).all()
        for row in rows:
            _supersede(connection, run_id, row, at=at)


def _supersede(connection: Connection, run_id: RunId, successor: Row[Any], *, at: datetime) -> None:
    old = _row(connection, successor.predecessor_id)
    expect(
        old.state in _REPLACEABLE and old.successor_id is None,
        f"certificate {old.certificate_id}, which {successor.certificate_id} replaces, is {old.state}",
    )
    # One that was revoked stays so: nobody may think that it was in force until the new one came.
    state = CertificateState.SUPERSEDED if old.state == CertificateState.ISSUED else old.state
    connection.execute(
        update(certificates)
        .where(certificates.c.certificate_id == old.certificate_id)
        .values(state=state, successor_id=successor.certificate_id)
    )
    _list_again(connection, old.certificate_id)
    kind = "superseded" if state == CertificateState.SUPERSEDED else "successor_issued"
    happened = [Event(kind, {"successor": successor.certificate_id}, CertificateId(old.certificate_id))]
    append_events(connection, run_id, happened, at=at)
    enter_decision(connection, run_id, _decision(successor), at=at)


def revoke(connection: Connection, run_id: RunId, certificate_id: CertificateId, act: Act, *, at: datetime) -> None:
    """Withdraws a certificate. A reissue of it that was stopped is given up, in the same transaction.

    Of one that was revoked before, only such a reissue is left to be given up.
    """
    query = select(certificates).where(certificates.c.predecessor_id == certificate_id)
    stopped = connection.execute(query.where(certificates.c.state == CertificateState.RESERVED)).all()
    move(connection, run_id, [CertificateId(row.certificate_id) for row in stopped], RELEASED, at=at)
    changed = connection.execute(
        update(certificates)
        .where(certificates.c.certificate_id == certificate_id)
        .where(certificates.c.state.in_(_REPLACEABLE if stopped else {CertificateState.ISSUED}))
        .values(state=CertificateState.REVOKED)
    )
    expect(changed.rowcount == 1, f"certificate {certificate_id} is not issued")
    _list_again(connection, certificate_id)
    _record(connection, run_id, certificate_id, act, at=at)
    append_events(connection, run_id, [Event("revoked", _told(act), certificate_id)], at=at)


def _record(connection: Connection, run_id: RunId, certificate_id: CertificateId, act: Act, *, at: datetime) -> None:
    """The newest word about a certificate; the events keep every earlier one."""
    connection.execute(delete(acts).where(acts.c.certificate_id == certificate_id).where(acts.c.kind == act.kind))
    connection.execute(
        insert(acts).values(
            certificate_id=certificate_id,
            kind=act.kind,
            run_id=run_id,
            decided_at=instant(at),
            decided_by=act.decided_by,
            called_by=act.called_by,
            reason=act.reason,
            reference=act.reference,
            upheld=canonical_json(list(act.upheld)),
            overruled=act.overruled,
        )
    )


def _told(act: Act) -> dict[str, Any]:
    return {
        "decided_by": act.decided_by,
        "called_by": act.called_by,
        "reason": act.reason,
        "reference": act.reference,
        **({"upheld": list(act.upheld), "overruled": act.overruled} if act.overruled is not None else {}),
    }


@legible(ACT)
def _act(row: Row[Any]) -> Act:
    return Act(
        kind=ActKind(row.kind),
        reason=row.reason,
        decided_by=row.decided_by,
        called_by=row.called_by,
        reference=row.reference,
        upheld=tuple(read_json(row.upheld, list[str])),
        overruled=row.overruled,
    )


def _row(connection: Connection, certificate_id: str | None) -> Row[Any]:
    row = connection.execute(select(certificates).where(certificates.c.certificate_id == certificate_id)).one_or_none()
    expect(row is not None, f"there is no certificate {certificate_id}")
    assert row is not None  # noqa: S101 - said by expect, for the type checker
    return row


@legible(CERTIFICATE)
def _decision(row: Row[Any]) -> Decision:
    return decision_from_json(read_json(row.decision, RecordedDecision), row.rules_version)


def _list_again(connection: Connection, certificate_id: str) -> None:
    connection.execute(update(documents).where(documents.c.certificate_id == certificate_id).values(manifest_run=None))


def _is_unfinished(connection: Connection, certificate_id: str) -> bool:
    query = select(runs.c.run_id).join(acts, acts.c.run_id == runs.c.run_id)
    query = query.where(acts.c.certificate_id == certificate_id).where(runs.c.state != RunState.FINISHED)
    return connection.execute(query.limit(1)).one_or_none() is not None
