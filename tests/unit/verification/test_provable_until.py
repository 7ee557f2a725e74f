"""Until when a file proves its seal without being renewed: to the second the moment from which on it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_certificate
from tests.pki.authorities import NOW, SEALED_AT, YEAR

Sealed = dict[PadesLevel, bytes]

SEAL_ENDS = SEALED_AT + YEAR
AUTHORITY_ENDS = SEALED_AT + 8 * YEAR


@pytest.mark.parametrize("level", list(PadesLevel))
def test_a_file_passes_until_that_moment_and_not_a_second_longer(
    sealed: Sealed, trust_with_lists: Trust, level: PadesLevel
) -> None:
    end = verify_certificate(sealed[level], trust_with_lists, now=NOW).provable_until
    assert end == (AUTHORITY_ENDS if level is PadesLevel.B_LTA else SEAL_ENDS)
    # at B-B nothing but the lists of the day tells of revocation, and those at hand are of another day
    if level is not PadesLevel.B_B:
        assert verify_certificate(sealed[level], trust_with_lists, now=end).verdict is Verdict.PASSED
    late = verify_certificate(sealed[level], trust_with_lists, now=end + timedelta(seconds=1))
    assert late.verdict is Verdict.INDETERMINATE
    assert late.provable_until is None


def test_of_several_archive_time_stamps_the_newest_counts(restamped: bytes, trust: Trust) -> None:
    verification = verify_certificate(restamped, trust, now=NOW + timedelta(days=1))
    assert verification.provable_until == AUTHORITY_ENDS


def test_a_file_that_does_not_pass_proves_nothing(sealed: Sealed, trust: Trust) -> None:
    assert verify_certificate(sealed[PadesLevel.B_T], trust, now=NOW).provable_until is None
    changed = sealed[PadesLevel.B_LTA].replace(b"level B1", b"level C1")
    assert verify_certificate(changed, trust, now=NOW).provable_until is None
