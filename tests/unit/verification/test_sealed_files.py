"""What passes, at which level, and what is told about it."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, async_verify_certificate, verify_certificate
from tests.pki.authorities import NOW, ORGANIZATION_IDENTIFIER, SEAL_POLICIES, SEALED_AT, YEAR, pki
from tests.pki.authorities import revocation_list as make_list
from tests.pki.sealed_files import small_pdf

Sealed = dict[PadesLevel, bytes]


@pytest.mark.parametrize("level", list(PadesLevel))
def test_a_sound_seal_passes_at_its_level_when_lists_are_handed_in(
    sealed: Sealed, trust_with_lists: Trust, level: PadesLevel
) -> None:
    verification = verify_certificate(sealed[level], trust_with_lists, now=NOW, expected_level=level)
    assert (verification.verdict, verification.reasons, verification.sub_indication) == (Verdict.PASSED, (), "")
    assert verification.pades_level is level
    assert verification.sealed_at == SEALED_AT


@pytest.mark.parametrize("level", [PadesLevel.B_LT, PadesLevel.B_LTA])
def test_a_long_term_seal_passes_on_the_anchor_alone(sealed: Sealed, trust: Trust, level: PadesLevel) -> None:
    verification = verify_certificate(sealed[level], trust, now=NOW)
    assert (verification.verdict, verification.pades_level) == (Verdict.PASSED, level)


@pytest.mark.parametrize("level", [PadesLevel.B_B, PadesLevel.B_T])
def test_a_seal_without_revocation_data_is_left_open(sealed: Sealed, trust: Trust, level: PadesLevel) -> None:
    verification = verify_certificate(sealed[level], trust, now=NOW)
    assert (verification.verdict, verification.sub_indication) == (Verdict.INDETERMINATE, "TRY_LATER")
    assert [reason.code for reason in verification.reasons] == ["NO_REVOCATION_DATA"]
    assert verification.pades_level is None
    assert verification.certificate is None


def test_an_archived_seal_passes_when_its_certificate_has_long_expired(sealed: Sealed, trust: Trust) -> None:
    later = NOW + 3 * YEAR
    verification = verify_certificate(sealed[PadesLevel.B_LTA], trust, now=later)
    assert verification.seal is not None
    assert verification.seal.valid_until < later
    assert (verification.verdict, verification.pades_level) == (Verdict.PASSED, PadesLevel.B_LTA)
    assert verification.sealed_at == SEALED_AT


def test_an_archived_seal_is_left_open_once_the_time_stamp_authority_has_expired(sealed: Sealed, trust: Trust) -> None:
    verification = verify_certificate(sealed[PadesLevel.B_LTA], trust, now=NOW + 9 * YEAR)
    assert verification.verdict is Verdict.INDETERMINATE
    assert [reason.code for reason in verification.reasons] == ["TIME_STAMP_EXPIRED"]


def test_a_long_term_seal_without_archive_time_stamp_ends_with_its_certificate(sealed: Sealed, trust: Trust) -> None:
    end = SEALED_AT + YEAR
    assert verify_certificate(sealed[PadesLevel.B_LT], trust, now=end).verdict is Verdict.PASSED
    verification = verify_certificate(sealed[PadesLevel.B_LT], trust, now=end + timedelta(seconds=1))
    assert (verification.verdict, verification.sub_indication) == (Verdict.INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")
    assert [reason.code for reason in verification.reasons] == ["SEAL_CERTIFICATE_EXPIRED"]


def test_a_proven_seal_survives_a_later_revocation(sealed: Sealed, trust: Trust) -> None:
    hierarchy = pki()
    serial = hierarchy.seals["seal"].certificate.serial_number
    later = make_list(hierarchy.issuing, {serial: SEALED_AT + timedelta(days=9)}, this_update=NOW + timedelta(days=10))
    informed = Trust(trust.anchors, (), (make_list(hierarchy.root), later))
    verification = verify_certificate(sealed[PadesLevel.B_LT], informed, now=NOW + timedelta(days=11))
    assert verification.verdict is Verdict.PASSED


def test_an_rsa_seal_passes(sealed_rsa: bytes, trust: Trust) -> None:
    verification = verify_certificate(sealed_rsa, trust, now=NOW)
    assert verification.verdict is Verdict.PASSED
    assert verification.seal is not None
    assert verification.seal.signature_algorithm == "RSA with SHA-256"


def test_the_facts_of_the_seal_are_those_a_validator_shows(sealed: Sealed, trust: Trust) -> None:
    facts = verify_certificate(sealed[PadesLevel.B_LTA], trust, now=NOW).seal
    assert facts is not None
    assert facts.organization_identifier == ORGANIZATION_IDENTIFIER
    assert f"organizationIdentifier={ORGANIZATION_IDENTIFIER}" in facts.subject
    assert facts.serial_number == str(pki().seals["seal"].certificate.serial_number)
    assert facts.policy_oids == SEAL_POLICIES
    assert facts.qualified_statements == ("0.4.0.1862.1.1", "0.4.0.1862.1.6.2")
    assert (facts.valid_from, facts.valid_until) == (SEALED_AT - YEAR, SEALED_AT + YEAR)
    assert (facts.sub_filter, facts.digest_algorithm) == ("ETSI.CAdES.detached", "SHA-256")
    assert facts.signature_algorithm == "ECDSA with SHA-256"
    assert facts.signing_time == facts.time_stamp_at == SEALED_AT
    assert "CN=Test time stamp authority" in facts.time_stamp_authority
    assert facts.signature_policy == ""


def test_what_is_certified_is_read_from_the_record(sealed: Sealed, trust: Trust) -> None:
    verification = verify_certificate(sealed[PadesLevel.B_LT], trust, now=NOW)
    certificate = verification.certificate
    assert certificate is not None
    assert (certificate.certificate_id, certificate.level, certificate.area) == ("TEST-0000-0001", "B1", None)
    assert (certificate.person_id, certificate.full_name) == ("10000000P", "Aina Maria de la Prova Col·lell")
    assert (certificate.accredited_on, certificate.issued_on) == ("2025-03-12", "2026-03-02")
    assert (verification.pages, verification.size) == (2, len(sealed[PadesLevel.B_LT]))


def test_a_tagged_pdf_of_weasyprint_passes_at_every_level(sealed_tagged: Sealed, trust_with_lists: Trust) -> None:
    for level, content in sealed_tagged.items():
        verification = verify_certificate(content, trust_with_lists, now=NOW)
        assert (verification.reasons, verification.pades_level, verification.pages) == ((), level, 2)


def test_a_second_archive_time_stamp_is_accepted(restamped: bytes, trust: Trust) -> None:
    verification = verify_certificate(restamped, trust, now=NOW + timedelta(days=1))
    assert (verification.reasons, verification.pades_level) == ((), PadesLevel.B_LTA)


def test_a_seal_of_an_expected_organisation_passes(sealed: Sealed, trust: Trust) -> None:
    ours = Trust(trust.anchors, organizations=(ORGANIZATION_IDENTIFIER,))
    assert verify_certificate(sealed[PadesLevel.B_LT], ours, now=NOW).verdict is Verdict.PASSED


async def _verify_inside_a_loop(content: bytes, trust: Trust) -> Verdict:
    return (await async_verify_certificate(content, trust, now=NOW)).verdict


def test_verification_runs_inside_an_event_loop(sealed: Sealed, trust: Trust) -> None:
    import asyncio  # noqa: PLC0415

    assert asyncio.run(_verify_inside_a_loop(sealed[PadesLevel.B_LT], trust)) is Verdict.PASSED


def test_trust_and_verification_cross_process_boundaries(sealed: Sealed, trust_with_lists: Trust) -> None:
    copy = pickle.loads(pickle.dumps(trust_with_lists))  # noqa: S301 - our own pickle
    assert copy == trust_with_lists
    verification = verify_certificate(sealed[PadesLevel.B_B], copy, now=NOW)
    assert pickle.loads(pickle.dumps(verification)) == verification  # noqa: S301


def test_a_naive_moment_is_a_programming_error(trust: Trust) -> None:
    with pytest.raises(ValueError, match="aware"):
        verify_certificate(small_pdf(), trust, now=datetime(2026, 3, 2))  # noqa: DTZ001


def test_the_moment_may_be_in_any_zone(sealed: Sealed, trust: Trust) -> None:
    from datetime import timezone  # noqa: PLC0415

    palma = NOW.astimezone(timezone(timedelta(hours=1)))
    verification = verify_certificate(sealed[PadesLevel.B_LT], trust, now=palma)
    assert verification.sealed_at is not None
    assert verification.sealed_at.tzinfo is UTC
