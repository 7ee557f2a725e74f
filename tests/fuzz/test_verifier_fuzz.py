"""Bytes of a sealed file, changed one at a time: none of the results may pass, none may raise."""

from __future__ import annotations

import os

import pytest

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_certificate, verify_detached
from tests.pki.answered_seals import ListingTimeStamper, answered_pki, with_responses
from tests.pki.authorities import NOW, pki
from tests.pki.sealed_files import detached_seal, seal, small_pdf
from tests.pki.tampering import flip

pytestmark = pytest.mark.fuzz
MASKS = (0x01, 0x20, 0xFF)


def _trust() -> Trust:
    hierarchy = pki()
    return Trust((hierarchy.root.der,), (), hierarchy.lists)


EVERY_BYTE = "SEALTOOL_FUZZ_EVERY_BYTE" in os.environ
"""Hours instead of minutes."""

POSITIONS = 600
"""How many bytes of a file are tried one by one otherwise, evenly spread."""


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("level", list(PadesLevel))
def test_no_changed_byte_of_a_certificate_passes(level: PadesLevel, mask: int) -> None:
    content, trust = seal(small_pdf(pages=1), level), _trust()
    assert verify_certificate(content, trust, now=NOW).verdict is Verdict.PASSED
    stride = 1 if EVERY_BYTE else max(1, len(content) // POSITIONS)
    passed = [
        position
        for position in range(mask % stride, len(content), stride)
        if verify_certificate(flip(content, position, mask), trust, now=NOW).verdict is Verdict.PASSED
    ]
    assert passed == []


@pytest.mark.parametrize("level", [PadesLevel.B_LT, PadesLevel.B_LTA])
def test_no_truncation_of_a_certificate_passes(level: PadesLevel) -> None:
    content, trust = seal(small_pdf(pages=1), level), _trust()
    ends = {len(content) - 1, *range(0, len(content), 1 if EVERY_BYTE else 97)}
    for end in sorted(ends):
        verdict = verify_certificate(content[:end], trust, now=NOW, expected_level=level).verdict
        assert verdict is not Verdict.PASSED, end


@pytest.mark.parametrize("mask", MASKS)
def test_no_changed_byte_of_a_detached_seal_passes(mask: int) -> None:
    content = b'{"schema":"sealtool.manifest/1"}'
    signature, trust = detached_seal(content), _trust()
    passed = [
        position
        for position in range(len(signature))
        if verify_detached(content, flip(signature, position, mask), trust, now=NOW).verdict is Verdict.PASSED
    ]
    assert passed == []


@pytest.mark.parametrize("mask", MASKS)
def test_no_changed_byte_of_a_detached_seal_with_ocsp_responses_passes(mask: int) -> None:
    """One response comes twice, so that hiding it would not be noticed by its absence."""
    content, answered = b'{"schema":"sealtool.manifest/1"}', answered_pki()
    responses = (*answered.responses(), answered.response("seal"), answered.response("tsa", by="issuing"))
    signature = with_responses(answered.detached_seal(content), responses)
    assert verify_detached(content, signature, answered.trust, now=NOW).verdict is Verdict.PASSED
    passed = [
        position
        for position in range(len(signature))
        if verify_detached(content, flip(signature, position, mask), answered.trust, now=NOW).verdict is Verdict.PASSED
    ]
    assert passed == []


@pytest.mark.parametrize("mask", MASKS)
def test_no_changed_byte_of_a_time_stamp_with_revocation_lists_passes(mask: int) -> None:
    content = seal(small_pdf(pages=1), PadesLevel.B_T, stamper=ListingTimeStamper(pki(), pki().lists))
    start = content.index(b"/Contents <") + len(b"/Contents <")
    end, trust = content.index(b">", start), _trust()
    stride = 1 if EVERY_BYTE else 9  # odd, so that both digits of a byte have their turn
    passed = [
        position
        for position in range(start + mask % stride, end, stride)
        if content[position : position + 8].strip(b"0")  # not the filling
        and verify_certificate(_digit_changed(content, position, mask), trust, now=NOW).verdict is Verdict.PASSED
    ]
    assert passed == []


def _digit_changed(content: bytes, position: int, mask: int) -> bytes:
    digit = b"%X" % (int(content[position : position + 1], 16) ^ (mask & 0xF or 0x2))
    return content[:position] + digit + content[position + 1 :]
