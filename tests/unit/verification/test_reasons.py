"""The codes are an interface: each is explained, and stays what it is."""

from __future__ import annotations

import pytest

from sealtool.model import Verdict
from sealtool.verification import REASONS, ReasonCode
from sealtool.verification.reasons import Findings, Objection

FAILURES = {"FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE"}  # EN 319 102-1, table 5, as used here


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_code_is_explained_in_sentences(code: ReasonCode) -> None:
    explanation = REASONS[code]
    assert code.value == code.name
    assert explanation.sentence.endswith(".")
    assert explanation.sentence.count(".") >= 1
    assert len(explanation.sentence) > 60
    assert (explanation.verdict is Verdict.FAILED) is (explanation.sub_indication in FAILURES)


def test_failed_outweighs_indeterminate_and_what_decided_stands_first() -> None:
    findings = Findings()
    assert (findings.verdict, findings.sub_indication, findings.reasons) == (Verdict.PASSED, "", ())
    findings.add(Objection(ReasonCode.RECORD_MISSING))
    findings.add(Objection(ReasonCode.DIGEST_MISMATCH))
    findings.add(Objection(ReasonCode.RECORD_MISSING, "again"))
    assert (findings.verdict, findings.sub_indication) == (Verdict.FAILED, "HASH_FAILURE")
    assert [reason.code for reason in findings.reasons] == ["DIGEST_MISMATCH", "RECORD_MISSING"]
