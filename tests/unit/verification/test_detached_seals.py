"""Detached seals over manifests."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_detached
from tests.fuzz import structures
from tests.pki.authorities import NOW, SEALED_AT, YEAR, pki
from tests.pki.sealed_files import detached_seal, with_lists
from tests.pki.tampering import flip

MANIFEST = b'{"schema":"sealtool.manifest/1"}'


@pytest.fixture(scope="module")
def signature() -> bytes:
    return detached_seal(MANIFEST)


def test_a_sound_detached_seal_passes(signature: bytes, trust_with_lists: Trust) -> None:
    verification = verify_detached(MANIFEST, signature, trust_with_lists, now=NOW)
    assert (verification.verdict, verification.reasons) == (Verdict.PASSED, ())
    assert (verification.pades_level, verification.sealed_at) == (PadesLevel.B_T, SEALED_AT)
    assert verification.seal is not None
    assert verification.seal.signing_time == SEALED_AT


def test_a_detached_seal_in_pem_passes(signature: bytes, trust_with_lists: Trust) -> None:
    pem = b"-----BEGIN CMS-----\n" + base64.encodebytes(signature) + b"-----END CMS-----\n"
    assert verify_detached(MANIFEST, pem, trust_with_lists, now=NOW).verdict is Verdict.PASSED


def test_a_detached_seal_without_time_stamp_is_of_the_lowest_level(trust_with_lists: Trust) -> None:
    verification = verify_detached(MANIFEST, detached_seal(MANIFEST, stamped=False), trust_with_lists, now=NOW)
    assert (verification.verdict, verification.pades_level) == (Verdict.PASSED, PadesLevel.B_B)


def test_a_changed_manifest_is_refused(signature: bytes, trust_with_lists: Trust) -> None:
    verification = verify_detached(MANIFEST + b" ", signature, trust_with_lists, now=NOW)
    assert (verification.verdict, verification.sub_indication) == (Verdict.FAILED, "HASH_FAILURE")
    assert [reason.code for reason in verification.reasons] == ["DIGEST_MISMATCH"]


def test_a_foreign_signer_is_not_trusted(trust_with_lists: Trust) -> None:
    foreign = detached_seal(MANIFEST, hierarchy=pki("forger"), stamped=False)
    verification = verify_detached(MANIFEST, foreign, trust_with_lists, now=NOW)
    assert verification.verdict is Verdict.INDETERMINATE
    assert verification.reasons[0].code in {"UNTRUSTED", "CHAIN_UNSOUND"}


def test_without_revocation_data_a_detached_seal_is_left_open(signature: bytes, trust: Trust) -> None:
    verification = verify_detached(MANIFEST, signature, trust, now=NOW)
    assert (verification.verdict, verification.sub_indication) == (Verdict.INDETERMINATE, "TRY_LATER")


def test_an_expired_detached_seal_is_left_open(signature: bytes, trust_with_lists: Trust) -> None:
    verification = verify_detached(MANIFEST, signature, trust_with_lists, now=NOW + 2 * YEAR)
    assert [reason.code for reason in verification.reasons] == ["SEAL_CERTIFICATE_EXPIRED"]


@pytest.mark.parametrize("broken", [b"", b"x", b"0" * 500, b"-----BEGIN CMS-----\n!!\n-----END CMS-----\n"])
def test_what_is_no_seal_is_refused(broken: bytes, trust: Trust) -> None:
    verification = verify_detached(MANIFEST, broken, trust, now=NOW)
    assert verification.verdict is Verdict.FAILED
    assert verification.reasons[0].code in {"NO_SEAL", "SIGNATURE_MALFORMED"}


def test_anything_behind_a_detached_seal_is_refused(signature: bytes, trust_with_lists: Trust) -> None:
    verification = verify_detached(MANIFEST, signature + b"x", trust_with_lists, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]


@pytest.mark.parametrize("armoured", [False, True])
def test_zeros_behind_a_detached_seal_are_refused(signature: bytes, trust_with_lists: Trust, armoured: bool) -> None:
    """In a PDF they fill the room that was left for the seal; a file of its own has none to fill."""
    padded = signature + b"\0"
    if armoured:
        padded = b"-----BEGIN CMS-----\n" + base64.encodebytes(padded) + b"-----END CMS-----\n"
    verification = verify_detached(MANIFEST, padded, trust_with_lists, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]


def test_a_seal_of_nothing_but_empty_lines_is_refused_at_once(trust: Trust) -> None:
    started = time.process_time()
    verification = verify_detached(MANIFEST, b"-----BEGIN CMS-----" + b"\n" * 1500, trust, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]
    assert time.process_time() - started < 1


@pytest.mark.parametrize("change", [structures.with_long_length, structures.with_indefinite_length])
def test_a_detached_seal_that_is_not_in_der_is_refused(
    signature: bytes, trust_with_lists: Trust, change: Callable[[bytes], bytes]
) -> None:
    verification = verify_detached(MANIFEST, change(signature), trust_with_lists, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]


def test_no_changed_byte_of_a_detached_seal_passes(signature: bytes, trust_with_lists: Trust) -> None:
    """A sample; tests/fuzz takes every byte."""
    for position in range(3, len(signature), len(signature) // 40):
        changed = flip(signature, position)
        assert verify_detached(MANIFEST, changed, trust_with_lists, now=NOW).verdict is not Verdict.PASSED, position


@pytest.fixture(scope="module")
def self_sufficient() -> bytes:
    """A seal with the revocation lists it needs inside."""
    return with_lists(detached_seal(MANIFEST), pki().lists)


def test_a_detached_seal_may_bring_its_revocation_lists(self_sufficient: bytes, trust: Trust) -> None:
    assert verify_detached(MANIFEST, self_sufficient, trust, now=NOW).verdict is Verdict.PASSED


def test_revocation_lists_in_another_order_or_form_are_refused(self_sufficient: bytes, trust_with_lists: Trust) -> None:
    """A detached seal has them in the order of DER; nothing signs them but their issuers."""
    first, second = sorted(pki().lists)
    for changed in (
        self_sufficient.replace(first + second, second + first),
        structures.with_other_bytes(self_sufficient, first, structures.with_long_length(first)),
        structures.with_other_bytes(self_sufficient, first, first + first),
    ):
        assert changed != self_sufficient
        verification = verify_detached(MANIFEST, changed, trust_with_lists, now=NOW)
        assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]


def test_a_revocation_list_of_somebody_else_is_refused(signature: bytes, trust_with_lists: Trust) -> None:
    foreign = with_lists(signature, pki("forger").lists)
    verification = verify_detached(MANIFEST, foreign, trust_with_lists, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]


def test_no_changed_byte_of_a_self_sufficient_seal_passes(self_sufficient: bytes, trust_with_lists: Trust) -> None:
    """The trust has the lists, too, so that a list hidden by a changed byte would not be missed."""
    for position in range(3, len(self_sufficient), len(self_sufficient) // 120):
        changed = flip(self_sufficient, position)
        assert verify_detached(MANIFEST, changed, trust_with_lists, now=NOW).verdict is not Verdict.PASSED, position


# Places that the parser passes over: a second element under an explicit tag, a third part of an algorithm, an attribute
# without a value.
SMUGGLED: dict[str, tuple[tuple[int, ...], int]] = {
    "beside the signed data": ((1, 0), 2),
    "beside the time stamp": ((1, 0, 4, 0, 6, 0, 1, 0, 1, 0), 2),
    "beside what the time stamp says": ((1, 0, 4, 0, 6, 0, 1, 0, 1, 0, 2, 1, 0), 2),
    "behind what the time stamp says": ((1, 0, 4, 0, 6, 0, 1, 0, 1, 0, 2, 1), 2),
    "behind the algorithm of the time stamp": ((1, 0, 4, 0, 6, 0, 1, 0, 1, 0, 4, 0, 4, 1), 2),
    "a time stamp taken out of its attribute": ((1, 0, 4, 0, 6, 0, 1, 0), 0),
}


@pytest.mark.parametrize(("place", "times"), SMUGGLED.values(), ids=SMUGGLED)
def test_nothing_can_be_smuggled_into_the_message(trust_with_lists: Trust, place: tuple[int, ...], times: int) -> None:
    content = b'{"schema":"sealtool.manifest/1"}'
    sound = detached_seal(content)
    assert verify_detached(content, sound, trust_with_lists, now=NOW).verdict is Verdict.PASSED
    verification = verify_detached(content, structures.repeated(sound, place, times), trust_with_lists, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]


@pytest.mark.parametrize("depth", [9, 11])
def test_nothing_can_be_smuggled_into_what_is_signed(signature: bytes, trust_with_lists: Trust, depth: int) -> None:
    """The library leaves out what it does not expect before it checks the signature."""
    place = (1, 0, 4, 0, 3, 3, 1, 0, 0, 0, 1)[:depth]
    forged = structures.with_null_behind(signature, place)
    verification = verify_detached(MANIFEST, forged, trust_with_lists, now=NOW)
    assert [reason.code for reason in verification.reasons] == ["SIGNATURE_MALFORMED"]
