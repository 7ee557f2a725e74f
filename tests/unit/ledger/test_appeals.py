"""Acts in the ledger: one certificate in force, linked both ways, with its lines of the register."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from sealtool.errors import LedgerInconsistentError
from sealtool.ledger import Act, ActKind, CertificateState, Ledger, RegisterEntry, Reservation, RunState
from sealtool.model import Area, Assessment, CertificateId, CoveredArea, Decision, Level, PersonId, Procedure
from tests.unit.ledger.conftest import NOW, RUN, sealed

Decide = Callable[..., Decision]
Reserve = Callable[..., Reservation]
REISSUE = Act(ActKind.REISSUE, "Name corrected", "Commission", "operator", "E-1/2026")
REVOCATION = Act(ActKind.REVOCATION, "Wrong row", "Commission", "operator")
OLD, NEW, OTHER = CertificateId("OLD"), CertificateId("NEW"), CertificateId("OTHER")
LATER = date(2025, 6, 1)


@pytest.fixture
def issued(ledger: Ledger, reserve: Reserve) -> Ledger:
    """OLD is issued and listed."""
    reserve(OLD)
    publish(ledger, OLD)
    ledger.announce_manifest(RUN, [f"2026/B1/{OLD}.pdf"], {}, at=NOW)
    return ledger


def publish(ledger: Ledger, certificate_id: str) -> None:
    ledger.record_sealed(RUN, [sealed(certificate_id)], at=NOW)
    ledger.record_issued(RUN, [CertificateId(certificate_id)], at=NOW)


def state(ledger: Ledger, certificate_id: CertificateId) -> str:
    found = ledger.story(certificate_id)
    assert found is not None
    return str(found.certificate.state)


def lines(ledger: Ledger) -> dict[tuple[str, int], str]:
    with ledger._engine.connect() as connection:
        rows = connection.execute(text("SELECT level, area, obtained_on FROM register"))
        return {(row.level, row.area): row.obtained_on for row in rows}


def test_the_old_certificate_stands_until_the_new_one_is_issued(issued: Ledger, decide: Decide) -> None:
    issued.reserve_reissue(RUN, Reservation(NEW, decide(day=LATER), OLD), REISSUE, at=NOW)
    assert [one.certificate_id for one in issued.certificates_on_record([Level.B1])] == [OLD]
    issued.record_sealed(RUN, [sealed(NEW)], at=NOW)
    assert (state(issued, OLD), state(issued, NEW)) == ("issued", "sealed")
    issued.record_issued(RUN, [NEW], at=NOW)
    assert (state(issued, OLD), state(issued, NEW)) == ("superseded", "issued")
    assert [one.certificate_id for one in issued.certificates_on_record([Level.B1])] == [NEW]


def test_both_wait_for_a_manifest_with_each_others_ids(issued: Ledger, decide: Decide) -> None:
    assert issued.entries_without_manifest() == ()
    issued.reserve_reissue(RUN, Reservation(NEW, decide(day=LATER), OLD), REISSUE, at=NOW)
    publish(issued, NEW)
    found = {
        one.certificate_id: (one.state, one.predecessor_id, one.successor_id)
        for one in issued.entries_without_manifest()
    }
    assert found == {
        OLD: (CertificateState.SUPERSEDED, None, NEW),
        NEW: (CertificateState.ISSUED, OLD, None),
    }


def test_the_register_has_the_lines_of_the_new_one_from_that_commit_on(issued: Ledger, decide: Decide) -> None:
    issued.reserve_reissue(RUN, Reservation(NEW, decide(day=LATER), OLD), REISSUE, at=NOW)
    assert lines(issued) == {}
    publish(issued, NEW)
    assert lines(issued) == {("B1", area): "2025-06-01" for area in range(7)}


def test_only_what_is_issued_or_revoked_can_be_replaced(ledger: Ledger, reserve: Reserve, decide: Decide) -> None:
    reserve(OLD)
    with pytest.raises(LedgerInconsistentError, match="is reserved"):
        ledger.reserve_reissue(RUN, Reservation(NEW, decide(), OLD), REISSUE, at=NOW)


def test_a_reissue_is_of_the_same_person_and_level(issued: Ledger, decide: Decide) -> None:
    for other in (decide("10000001D"), decide(level=Level.A2)):
        with pytest.raises(LedgerInconsistentError, match="of another certificate"):
            issued.reserve_reissue(RUN, Reservation(NEW, other, OLD), REISSUE, at=NOW)


def test_a_certificate_has_one_successor(issued: Ledger, decide: Decide) -> None:
    issued.reserve_reissue(RUN, Reservation(NEW, decide(day=LATER), OLD), REISSUE, at=NOW)
    with pytest.raises(LedgerInconsistentError):
        issued.reserve_reissue(RUN, Reservation(OTHER, decide(day=LATER), OLD), REISSUE, at=NOW)
    publish(issued, NEW)
    with pytest.raises(LedgerInconsistentError, match="superseded"):
        issued.reserve_reissue(RUN, Reservation(OTHER, decide(day=LATER), OLD), REISSUE, at=NOW)


def test_a_pending_reissue_keeps_its_id_and_takes_the_newest_decision(issued: Ledger, decide: Decide) -> None:
    issued.reserve_reissue(RUN, Reservation(NEW, decide(day=LATER), OLD), REISSUE, at=NOW)
    upheld = replace(REISSUE, reason="Upheld", upheld=("accredited_on",), overruled="ab" * 32)
    again = Reservation(NEW, decide(day=date(2025, 7, 1)), OLD)
    issued.reserve_reissue(RUN, again, upheld, at=NOW)
    assert issued.pending_reissues() == (again,)
    publish(issued, NEW)
    assert issued.certificates_on_record([Level.B1])[0].overruled == "ab" * 32


def test_a_pending_reissue_is_read_back_as_it_was_decided(issued: Ledger, decide: Decide) -> None:
    plain = decide()
    areas = tuple(CoveredArea(area, LATER, Procedure.TRAINING, ("ACT-1", "ACT-2")) for area in Area)
    decision = replace(plain, areas=areas, person=replace(plain.person, second_surname="l'Horitzó"))
    issued.reserve_reissue(RUN, Reservation(NEW, decision, OLD), REISSUE, at=NOW)
    (pending,) = issued.pending_reissues()
    assert pending.decision == decision


def test_a_revoked_certificate_is_listed_again_and_stays_on_record(issued: Ledger) -> None:
    issued.revoke(RUN, OLD, REVOCATION, at=NOW)
    assert [one.state for one in issued.entries_without_manifest()] == [CertificateState.REVOKED]
    assert [one.state for one in issued.certificates_on_record([Level.B1])] == [CertificateState.REVOKED]
    with pytest.raises(LedgerInconsistentError, match="not issued"):
        issued.revoke(RUN, OLD, REVOCATION, at=NOW)


def test_a_revoked_certificate_that_gets_a_successor_stays_revoked(issued: Ledger, decide: Decide) -> None:
    issued.revoke(RUN, OLD, REVOCATION, at=NOW)
    issued.reserve_reissue(RUN, Reservation(NEW, decide(), OLD), REISSUE, at=NOW)
    publish(issued, NEW)
    assert (state(issued, OLD), state(issued, NEW)) == ("revoked", "issued")
    found = issued.story(OLD)
    assert found is not None
    assert (found.certificate.successor_id, found.newest.certificate_id) == (NEW, NEW)


def test_a_refused_act_leaves_no_trace(issued: Ledger, decide: Decide) -> None:
    before = issued.head()
    with pytest.raises(LedgerInconsistentError):
        issued.reserve_reissue(RUN, Reservation(NEW, decide("10000001D"), OLD), REISSUE, at=NOW)
    assert issued.head() == before
    assert issued.story(NEW) is None


def test_a_story_tells_of_an_act_whose_run_was_stopped(issued: Ledger) -> None:
    issued.revoke(RUN, OLD, REVOCATION, at=NOW)
    told = issued.story(OLD)
    assert told is not None
    assert (told.acts, told.is_unfinished) == ((REVOCATION,), True)
    issued.end_run(RUN, RunState.FINISHED, {}, at=NOW)
    told = issued.story(OLD)
    assert told is not None
    assert told.is_unfinished is False


def test_settled_lines_stay_while_others_of_the_level_change(ledger: Ledger) -> None:
    def held(*areas: int, day: date) -> list[tuple[PersonId, Assessment]]:
        covered = tuple(CoveredArea(Area(area), day, Procedure.EVIDENCE) for area in areas)
        return [(PersonId("10000000P"), Assessment(Level.C2, covered, ()))]

    ledger.record_register(RUN, held(2, 6, day=date(2025, 3, 12)), "v", at=NOW)
    changed = ledger.record_register(RUN, held(5, 6, day=LATER), "v", at=NOW, settled={("10000000P", "C2", 2)})
    assert changed == 2
    assert lines(ledger) == {("C2", 2): "2025-03-12", ("C2", 5): "2025-06-01", ("C2", 6): "2025-06-01"}
    ledger.record_register(RUN, held(5, day=NOW.date()), "v", at=NOW, settled={("10000000P", "C2", 0)})
    assert len(lines(ledger)) == 3


def test_the_register_lists_each_certificate_with_all_its_files(issued: Ledger, decide: Decide) -> None:
    issued.reserve_reissue(RUN, Reservation(NEW, decide(day=LATER), OLD), REISSUE, at=NOW)
    both = [replace(sealed(NEW), path=f"2026/B1/{NEW}.{language}.pdf") for language in ("ca", "es")]
    issued.record_sealed(RUN, both, at=NOW)
    issued.record_issued(RUN, [NEW], at=NOW)
    found = [(one.certificate_id, str(one.state), one.accredited_on, one.files) for one in listed(issued)]
    assert found == [
        (OLD, "superseded", "2025-03-12", ("2026/B1/OLD.pdf",)),
        (NEW, "issued", "2025-06-01", ("2026/B1/NEW.ca.pdf", "2026/B1/NEW.es.pdf")),
    ]


def test_what_is_only_reserved_is_no_certificate_in_the_register(ledger: Ledger, reserve: Reserve) -> None:
    reserve(OLD)
    assert listed(ledger) == []


def listed(ledger: Ledger) -> list[RegisterEntry]:
    return list(ledger.register_entries(list(Level)))
