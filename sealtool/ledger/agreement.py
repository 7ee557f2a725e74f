"""Whether certificates stand in their table as the events tell: asked before anything is decided on the table's word.

A row that somebody changed or took away would let a run issue a second certificate for the same person and level. The
whole examination (:mod:`sealtool.ledger.examination`) takes too long for every run; this looks at what decides: which
certificates there are, of whom, of what and in which state.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, case, select

from sealtool.canonical import sha256_hex
from sealtool.ledger.chunks import streamed
from sealtool.ledger.legibility import FAULTS
from sealtool.ledger.replay import STATES
from sealtool.ledger.tables import WHOLE_LEVEL, certificates, events
from sealtool.ledger.values import CertificateState

_DECIDED: Final = frozenset({"reserved", "reservation_revised", "reissue_decided", "certificate_rebuilt"})
"""Kinds of events that tell of a decision."""


@dataclass(slots=True)
class _Told:
    """What the events tell of a certificate.

    Attributes:
        state: where the last of them took it.
        decision: SHA-256 of the decision; None where no event tells.
    """

    state: str = CertificateState.RESERVED
    decision: str | None = None


def contradiction(connection: Connection) -> str | None:
    """What is wrong with the first certificate that does not stand as the events tell; None if nothing is."""
    left = _told(connection)
    columns = certificates.c
    query = select(
        columns.certificate_id, columns.state, columns.decision, columns.person_id, columns.level, columns.area
    )
    with streamed(connection, query.order_by(columns.certificate_id)) as rows:
        for certificate_id, state, decision, *key in map(tuple, rows):
            told = left.pop(certificate_id, None)
            if told is None:
                return f"certificate {certificate_id} is in its table, but no event tells of it"
            if told.state != state or not _agrees(decision, tuple(key), told.decision):
                return f"certificate {certificate_id} is not as the events tell"
    missing = next(iter(left), None)
    return None if missing is None else f"certificate {missing} is not in its table any more"


def _told(connection: Connection) -> dict[str, _Told]:
    told: dict[str, _Told] = {}
    kind = events.c.kind
    query = select(kind, events.c.certificate_id, case((kind.in_(_DECIDED), events.c.payload)))
    query = query.where(kind.in_([*STATES, *_DECIDED])).order_by(events.c.sequence)
    with streamed(connection, query) as rows:
        for happened, certificate_id, payload in map(tuple, rows):
            one = told.setdefault(certificate_id, _Told())
            one.state = STATES.get(happened, one.state)
            if happened in _DECIDED:
                facts = _facts(payload)
                one.decision = facts.get("decision_sha256")
                one.state = facts.get("state", one.state)
    return told


def _facts(payload: Any) -> dict[str, Any]:
    """What an event says. Whether it is what sealtool wrote, the chain of hashes tells."""
    try:
        facts = json.loads(payload)
    except FAULTS:
        return {}
    return facts if isinstance(facts, dict) else {}


def _agrees(text: Any, key: tuple[Any, ...], sha256: str | None) -> bool:
    """Whether a decision on record is the one that was made, about that person, level and area."""
    try:
        decision = json.loads(text)
        says = (decision["person_id"], decision["level"], decision["area"] or WHOLE_LEVEL)
        return says == key and sha256 in {None, sha256_hex(text)}
    except FAULTS:
        return False
