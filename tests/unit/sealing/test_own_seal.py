"""Before anything is sealed it is known whether our own verifier would take it for a seal of ours."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealtool.errors import SealKeyError
from sealtool.own_seal import insist_on_own_seal
from sealtool.sealing import SealKey
from tests.pki.authorities import ORGANIZATION_IDENTIFIER, Profile, employee_profile, issue, pki, seal_profile

NOBODY: Any = None


def _key(profile: Profile) -> SealKey:
    held = issue(profile, ec.generate_private_key(ec.SECP256R1()), pki().issuing, 0x7D01)
    return SealKey("a file", held.certificate, (), NOBODY)


@pytest.mark.parametrize("organizations", [(), (ORGANIZATION_IDENTIFIER,), ("VATES-X", ORGANIZATION_IDENTIFIER)])
def test_the_seal_of_an_organisation_whose_seals_count_may_seal(organizations: tuple[str, ...]) -> None:
    insist_on_own_seal(_key(seal_profile()), organizations)


def test_the_seal_of_another_organisation_seals_nothing() -> None:
    with pytest.raises(SealKeyError, match=f"is of {ORGANIZATION_IDENTIFIER}, and trust.organizations names VATES-X"):
        insist_on_own_seal(_key(seal_profile()), ("VATES-X",))


@pytest.mark.parametrize("profile", [employee_profile(), seal_profile(subject_extra={})], ids=["employee", "nameless"])
def test_a_certificate_that_our_own_verifier_takes_for_no_seal_seals_nothing(profile: Profile) -> None:
    with pytest.raises(SealKeyError, match="none for the seals of an organisation"):
        insist_on_own_seal(_key(profile), ())
