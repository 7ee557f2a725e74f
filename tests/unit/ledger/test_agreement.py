"""Before anything is decided, certificates are held against the events: a row changed or gone is told."""

from collections.abc import Callable

import pytest

from sealtool.ledger import Act, ActKind, CertificateState, Ledger, Reservation
from sealtool.model import CertificateId, Decision
from tests.ledgers import Place
from tests.unit.ledger.conftest import NOW, RUN, sealed

A, B = "10000000P", "10000001D"
REISSUE = Act(ActKind.REISSUE, "It was wrong.", "the office", "somebody")
REVOCATION = Act(ActKind.REVOCATION, "It was wrong.", "the office", "somebody")


@pytest.fixture
def told(
    ledger: Ledger, reserve: Callable[..., Reservation], decide: Callable[..., Decision], ledger_place: Place
) -> Ledger:
    """A is superseded by C; B is revoked; D was released, and E is reserved anew with another decision."""
    reserve("A", A)
    reserve("B", B)
    ledger.record_sealed(RUN, [sealed("A"), sealed("B")], at=NOW)
    ledger.record_issued(RUN, [CertificateId("A"), CertificateId("B")], at=NOW)
    ledger.reserve_reissue(RUN, Reservation(CertificateId("C"), decide(A), CertificateId("A")), REISSUE, at=NOW)
    ledger.record_sealed(RUN, [sealed("C")], at=NOW)
    ledger.record_unpublished(RUN, [CertificateId("C")], at=NOW)
    ledger.record_sealed(RUN, [sealed("C")], at=NOW)
    ledger.record_issued(RUN, [CertificateId("C")], at=NOW)
    ledger.revoke(RUN, CertificateId("B"), REVOCATION, at=NOW)
    reserve("D", "10000002X")
    ledger.release(RUN, [CertificateId("D")], at=NOW)
    reserve("E", "10000003B")
    ledger.revise_reservations(RUN, [Reservation(CertificateId("E"), decide("10000003B"))], at=NOW)
    ledger_place.disarm()
    return ledger


def test_a_ledger_that_nobody_touched_agrees(told: Ledger) -> None:
    assert told.contradiction() is None


def test_a_ledger_in_which_nothing_happened_agrees(ledger: Ledger) -> None:
    assert ledger.contradiction() is None


CHANGES = (
    "person_id = '10000009J'",
    "level = 'B9'",
    'level = \'A1\', decision = replace(decision, \'"level":"B1"\', \'"level":"A1"\')',
    "area = 3",
    "state = 'reserved', area = 1",
    'decision = replace(decision, \'"level":"B1"\', \'"level":"B2"\')',
    "decision = '[]'",
    "decision = '{'",
)


COLUMNS = ("person_id", "level", "area", "state", "decision")


def put_back(ledger_place: Place, certificate_id: str, before: tuple[object, ...]) -> None:
    values = ", ".join(
        f"{name} = {value}" if isinstance(value, int) else f"{name} = '{value}'"
        for name, value in zip(COLUMNS, before, strict=True)
    )
    ledger_place.execute(f"UPDATE certificates SET {values} WHERE certificate_id = '{certificate_id}'")  # noqa: S608 - ours


def test_a_certificate_of_somebody_or_something_else_or_in_another_state_is_named(
    told: Ledger, ledger_place: Place
) -> None:
    ledger_place.execute("DROP INDEX one_issued_certificate_each")
    states = [f"state = '{state}'" for state in CertificateState]
    for certificate_id in "ABCDE":
        (before,) = ledger_place.execute(
            f"SELECT {', '.join(COLUMNS)} FROM certificates WHERE certificate_id = '{certificate_id}'"  # noqa: S608 - ours
        )
        for change in (*CHANGES, *states):
            if change == f"state = '{before[3]}'":
                continue
            ledger_place.execute(f"UPDATE certificates SET {change} WHERE certificate_id = '{certificate_id}'")  # noqa: S608 - ours
            assert told.contradiction() == f"certificate {certificate_id} is not as the events tell", change
            put_back(ledger_place, certificate_id, tuple(before))
        assert told.contradiction() is None


def test_a_certificate_that_is_gone_is_named(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("DELETE FROM certificates WHERE certificate_id = 'E'")
    assert told.contradiction() == "certificate E is not in its table any more"


def test_a_certificate_of_which_no_event_tells_is_named(told: Ledger, ledger_place: Place) -> None:
    ledger_place.execute("UPDATE certificates SET certificate_id = 'Z' WHERE certificate_id = 'E'")
    assert told.contradiction() == "certificate Z is in its table, but no event tells of it"
