"""What judgements have in common is kept once, and nothing of them changes by it."""

from __future__ import annotations

import pickle
from dataclasses import replace

from sealtool.auditing.sharing import Sharing
from sealtool.model import SealQualification, TimeStampQualification
from tests.unit.reporting.examples import EVIDENCE, MISSING, SEAL, passed

_FROM_ANOTHER_PROCESS = pickle.dumps(passed().verification)
_QUALIFIED = replace(
    SEAL,
    subject="not_qualified",  # the same text as the next two
    qualification=SealQualification.NOT_QUALIFIED,
    time_stamp_qualification=TimeStampQualification.NOT_QUALIFIED,
)


def test_two_judgements_of_one_seal_share_what_is_said_of_it() -> None:
    sharing = Sharing()
    one, other = (sharing.shared(pickle.loads(_FROM_ANOTHER_PROCESS)) for _ in range(2))  # noqa: S301 - our own bytes
    assert one == other == passed().verification
    assert one.seal is not None
    assert other.seal is not None
    assert one.seal.subject is other.seal.subject
    assert one.evidence is not None
    assert other.evidence is not None
    assert one.evidence.certificates is other.evidence.certificates


def test_values_that_are_equal_but_of_other_kinds_are_kept_apart() -> None:
    before = replace(passed().verification, seal=_QUALIFIED)
    after = Sharing().shared(before).seal
    assert after is not None
    assert isinstance(after.qualification, SealQualification)
    assert isinstance(after.time_stamp_qualification, TimeStampQualification)
    assert type(after.subject) is str


def test_a_judgement_that_lacks_a_seal_or_evidence_stays_as_it_is() -> None:
    sharing = Sharing()
    without_evidence = replace(passed().verification, evidence=None)
    without_seal = replace(passed().verification, seal=None, evidence=EVIDENCE)
    for verification in (MISSING.verification, without_evidence, without_seal):
        assert sharing.shared(verification) == verification
