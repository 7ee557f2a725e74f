"""Bytes of a sealed file, changed one at a time: none of the results may pass, none may raise."""

from __future__ import annotations

import os

import pytest

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_certificate, verify_detached
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

POSITIONS = 1_200
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
