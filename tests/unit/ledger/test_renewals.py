"""Renewals in the ledger: what runs out when, and the way from one hash to the next."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sealtool.errors import LedgerInconsistentError
from sealtool.ledger import (
    Ledger,
    PendingRenewal,
    RenewalCount,
    Renewed,
    Reservation,
)
from sealtool.model import CertificateId, RunId
from tests.unit.ledger.conftest import FACTS, NOW, RUN, sealed

Reserve = Callable[..., Reservation]

ENDS = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)
OLD, NEW = "ef" * 32, "ab" * 32
PATH = "2026/B1/A.pdf"
SEAL = {"pades_level": "B-LTA", "valid_until": "2028-01-01T00:00:00Z"}


@pytest.fixture
def issue(ledger: Ledger, reserve: Reserve) -> Callable[..., None]:
    """Issues a certificate of one document, to somebody else each time."""
    people = iter(["10000000P", "10000001D", "10000002X"])

    def make(certificate_id: str, provable_until: datetime | None = ENDS) -> None:
        reserve(certificate_id, next(people))
        document = replace(sealed(certificate_id), seal=SEAL, provable_until=provable_until)
        ledger.record_sealed(RUN, [document], at=NOW)
        ledger.record_issued(RUN, [CertificateId(certificate_id)], at=NOW)

    return make


def renewed(**changes: object) -> Renewed:
    later = ENDS + timedelta(days=1000)
    facts = {"path": PATH, "replaces": OLD, "sha256": NEW, "size": 2000, "seal": SEAL, "provable_until": later}
    return Renewed(**(facts | changes))  # type: ignore[arg-type]


def kinds(ledger: Ledger) -> list[tuple[str, dict[str, str]]]:
    with ledger._engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT kind, payload FROM events ORDER BY sequence").all()
    return [(kind, json.loads(payload)) for kind, payload in rows]


def test_a_renewal_goes_from_announced_to_confirmed(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("A")
    ledger.announce_renewals(RUN, [renewed()], at=NOW)
    assert ledger.pending_renewals() == (PendingRenewal(PATH, NEW, OLD),)
    (before,) = ledger.documents_on_record()
    assert (before.sha256, before.provable_until) == (OLD, ENDS)
    ledger.confirm_renewals(RUN, [PATH], at=NOW)
    (after,) = ledger.documents_on_record()
    assert (after.sha256, after.provable_until) == (NEW, ENDS + timedelta(days=1000))
    assert ledger.pending_renewals() == ()
    assert ledger.broken_link() is None


def test_the_chain_of_events_tells_both_hashes(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("A")
    ledger.announce_renewals(RUN, [renewed()], at=NOW)
    ledger.confirm_renewals(RUN, [PATH], at=NOW)
    (announced, told), (confirmed, told_again) = kinds(ledger)[-2:]
    assert (announced, confirmed) == ("renewal_announced", "renewed")
    assert told == told_again
    assert {"path": PATH, "sha256": NEW, "replaces": OLD}.items() <= told.items()


def test_a_renewed_document_waits_for_a_manifest_again(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("A")
    ledger.announce_manifest(RUN, [PATH], {"manifests/x.json": "00" * 32}, at=NOW)
    ledger.announce_renewals(RUN, [renewed()], at=NOW)
    assert ledger.entries_without_manifest() == ()
    ledger.confirm_renewals(RUN, [PATH], at=NOW)
    (entry,) = ledger.entries_without_manifest()
    assert (entry.sha256, entry.size, entry.provable_until) == (NEW, 2000, ENDS + timedelta(days=1000))


def test_no_manifest_lists_a_document_that_may_be_the_old_one_or_the_new_one(
    ledger: Ledger, issue: Callable[..., None]
) -> None:
    issue("A")
    ledger.announce_renewals(RUN, [renewed()], at=NOW)
    assert ledger.entries_without_manifest() == ()
    ledger.drop_renewals(RUN, [PATH], at=NOW)
    assert [entry.path for entry in ledger.entries_without_manifest()] == [PATH]


def test_a_dropped_renewal_leaves_everything_as_it_was(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("A")
    before = ledger.documents_on_record()
    ledger.announce_renewals(RUN, [renewed()], at=NOW)
    ledger.drop_renewals(RUN, [PATH], at=NOW)
    assert ledger.documents_on_record() == before
    assert ledger.pending_renewals() == ()
    assert kinds(ledger)[-1] == ("renewal_dropped", {"path": PATH})


@pytest.mark.parametrize("changes", [{"replaces": NEW}, {"path": "2026/B1/B.pdf"}], ids=["another hash", "unknown"])
def test_only_what_is_on_record_with_its_hash_can_be_renewed(
    ledger: Ledger, issue: Callable[..., None], changes: dict[str, str]
) -> None:
    issue("A")
    with pytest.raises(LedgerInconsistentError, match="not on record"):
        ledger.announce_renewals(RUN, [renewed(**changes)], at=NOW)
    assert ledger.pending_renewals() == ()


def test_a_document_is_not_renewed_twice_at_once(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("A")
    ledger.announce_renewals(RUN, [renewed()], at=NOW)
    with pytest.raises(LedgerInconsistentError):
        ledger.announce_renewals(RUN, [renewed(sha256="00" * 32)], at=NOW)
    assert ledger.pending_renewals() == (PendingRenewal(PATH, NEW, OLD),)


def test_a_renewal_that_was_not_announced_cannot_be_confirmed(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("A")
    with pytest.raises(LedgerInconsistentError, match="announced"):
        ledger.confirm_renewals(RUN, [PATH], at=NOW)


def test_documents_are_told_in_the_order_they_run_out_and_up_to_a_moment(
    ledger: Ledger, issue: Callable[..., None]
) -> None:
    issue("A", ENDS)
    issue("B", ENDS - timedelta(days=1))
    issue("C", ENDS + timedelta(days=1))
    assert [one.certificate_id for one in ledger.documents_on_record()] == ["B", "A", "C"]
    assert [one.certificate_id for one in ledger.documents_on_record(until=ENDS)] == ["B", "A"]
    before = ENDS - timedelta(microseconds=1)
    assert [one.certificate_id for one in ledger.documents_on_record(until=before)] == ["B"]


def test_what_was_not_published_is_not_among_them(ledger: Ledger, reserve: Reserve) -> None:
    reserve("A")
    ledger.record_sealed(RUN, [replace(sealed("A"), seal=SEAL)], at=NOW)
    assert ledger.documents_on_record() == ()
    assert ledger.renewals_by_month() == ()


def test_what_runs_out_is_counted_by_month(ledger: Ledger, issue: Callable[..., None]) -> None:
    issue("B")
    issue("A")
    issue("C", ENDS + timedelta(days=31))
    assert ledger.renewals_by_month() == (
        RenewalCount("2031-05", 2, "2026/B1/A.pdf"),
        RenewalCount("2031-06", 1, "2026/B1/C.pdf"),
    )


def test_without_a_word_on_record_the_end_of_the_seal_certificate_stands(
    ledger: Ledger, issue: Callable[..., None]
) -> None:
    issue("A", None)
    (one,) = ledger.documents_on_record(until=datetime(2028, 1, 1, tzinfo=UTC) + timedelta(seconds=1))
    assert (one.provable_until, one.is_noted) == (datetime(2028, 1, 1, tzinfo=UTC), False)
    ledger.note_provable_until(RUN, [(PATH, ENDS)], at=NOW)
    (one,) = ledger.documents_on_record()
    assert (one.provable_until, one.is_noted) == (ENDS, True)
    assert kinds(ledger)[-1][0] == "provable_until_noted"


def test_the_newest_run_is_the_one_whose_id_sorts_last(ledger: Ledger) -> None:
    assert ledger.newest_run_id() == RUN
    later = RunId("20260303T030000Z-000000")
    ledger.begin_run(later, FACTS, at=NOW)
    assert ledger.newest_run_id() == later
