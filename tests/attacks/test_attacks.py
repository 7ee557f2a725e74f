"""Every known way to deceive a reader of our certificates is refused, each for a reason of its own."""

from __future__ import annotations

from collections import Counter

import pytest

from sealtool.model import Verdict, Verification
from sealtool.verification import ReasonCode, verify_certificate
from tests.attacks.catalogue import Attack, Evidence, Group, shop_evidence
from tests.attacks.every import ATTACKS
from tests.attacks.workshop import LTA, Workshop
from tests.pki.tampering import stamped

_verified: dict[Evidence, Verification] = {}


def _verify(evidence: Evidence) -> Verification:
    if evidence not in _verified:
        _verified[evidence] = verify_certificate(evidence.content, evidence.trust, now=evidence.now)
    return _verified[evidence]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_no_attack_passes(workshop: Workshop, attack: Attack) -> None:
    before = attack.sound(workshop)
    assert _verify(before).verdict is Verdict.PASSED, "the file was not sound before the attack"
    forged = attack.forged(workshop)
    assert forged.content != before.content or forged != before
    verification = _verify(forged)
    assert verification.verdict is not Verdict.PASSED
    assert verification.certificate is None
    assert attack.codes & {reason.code for reason in verification.reasons}, verification.reasons


def test_a_time_stamp_that_is_bought_over_a_certificate_as_it_was_issued_does_no_harm(workshop: Workshop) -> None:
    """So what refuses a stamped forgery is the forgery, and not the way in which these tests buy a time stamp."""
    again = stamped(workshop.issued[LTA], workshop.stamper)
    assert _verify(shop_evidence(workshop, again)).verdict is Verdict.PASSED


def test_every_attack_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(attack.name for attack in ATTACKS).items() if times > 1] == []


def test_every_attack_expects_codes_that_there_are() -> None:
    assert {code for attack in ATTACKS for code in attack.codes} <= set(ReasonCode)
    assert all(attack.codes for attack in ATTACKS)


def test_no_group_is_empty() -> None:
    assert {attack.group for attack in ATTACKS} == set(Group)
