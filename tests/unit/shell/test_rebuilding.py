"""Certificates of one person, level and area, brought into the order in which they replaced each other."""

from dataclasses import replace
from datetime import date

import pytest

from sealtool.errors import LedgerInconsistentError
from sealtool.ledger import CertificateState, FoundCertificate, FoundDocument
from sealtool.model import CertificateId, Decision, Level, Person, PersonId, Procedure, RunId
from sealtool.rebuilding import _in_succession

DAY = date(2026, 3, 2)
DECISION = Decision(
    person=Person(PersonId("10000000P"), "Aina", "Fictícia", ""),
    level=Level.B1,
    area=None,
    accredited_on=DAY,
    procedures=(Procedure.TEST,),
    areas=(),
    rules_version="2025-10-27",
)
FIRST = FoundCertificate(
    certificate_id=CertificateId("first"),
    decision=DECISION,
    issued_on=DAY,
    state=CertificateState.ISSUED,
    predecessor_id=None,
    successor_id=None,
    run_id=RunId("20260302T030000Z-000001"),
    documents=(FoundDocument("2026/B1/first.pdf", "ab" * 32, 1, 1, ("ca", "es"), {}, RunId("a run"), None),),
)


def after(one: FoundCertificate, certificate_id: str) -> FoundCertificate:
    return replace(FIRST, certificate_id=CertificateId(certificate_id), predecessor_id=one.certificate_id)


SECOND = after(FIRST, "another")
THIRD = after(SECOND, "next")


def test_each_is_ended_by_the_one_that_names_it_and_waits_for_a_manifest_that_says_so() -> None:
    chain = list(_in_succession([THIRD, FIRST, SECOND]))
    assert [(one.certificate_id, one.generation, one.state) for one in chain] == [
        ("first", 0, "superseded"),
        ("another", 1, "superseded"),
        ("next", 2, "issued"),
    ]
    assert [one.successor_id for one in chain] == ["another", "next", None]
    assert [one.documents[0].manifest_run for one in chain] == [None, None, "a run"]


def test_what_was_revoked_before_it_was_replaced_stays_revoked() -> None:
    revoked = replace(FIRST, state=CertificateState.REVOKED)
    assert next(_in_succession([revoked, SECOND])).state is CertificateState.REVOKED


def test_what_a_manifest_says_of_the_successor_needs_no_other_manifest() -> None:
    listed = replace(FIRST, state=CertificateState.SUPERSEDED, successor_id=SECOND.certificate_id)
    assert next(_in_succession([SECOND, listed])).documents == FIRST.documents


@pytest.mark.parametrize(
    "found",
    [
        [FIRST, THIRD],
        [SECOND],
        [FIRST, SECOND, after(FIRST, "beside")],
        [FIRST, after(THIRD, "another"), THIRD],
        [FIRST, replace(FIRST, certificate_id=CertificateId("beside"))],
    ],
    ids=["a gap", "no first", "two in one place", "a circle", "two firsts"],
)
def test_certificates_that_do_not_follow_one_from_another_are_a_doubt(found: list[FoundCertificate]) -> None:
    with pytest.raises(LedgerInconsistentError, match="do not all follow one from another"):
        list(_in_succession(found))


def test_certificates_of_different_people_do_not_follow_from_each_other() -> None:
    other = replace(DECISION, person=replace(DECISION.person, person_id=PersonId("10000001D")))
    found = [FIRST, replace(FIRST, certificate_id=CertificateId("beside"), decision=other)]
    assert [(one.generation, one.successor_id) for one in _in_succession(found)] == [(0, None), (0, None)]
