"""Every byte of a sealed file, changed one at a time: none of the results may pass, none may raise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, verify_certificate, verify_detached

if "sealtool_test_pki" not in sys.modules:  # the test folders are no packages
    _package = ModuleType("sealtool_test_pki")
    _package.__path__ = [str(Path(__file__).resolve().parents[1] / "pki")]
    sys.modules["sealtool_test_pki"] = _package
    assert importlib.util.find_spec("sealtool_test_pki.authorities") is not None

from sealtool_test_pki.authorities import NOW, pki
from sealtool_test_pki.sealed_files import detached_seal, seal, small_pdf
from sealtool_test_pki.tampering import flip

pytestmark = pytest.mark.fuzz
MASKS = (0x01, 0x20, 0xFF)


def _trust() -> Trust:
    hierarchy = pki()
    return Trust((hierarchy.root.der,), (), hierarchy.lists)


# Every byte where little else protects the value; every third where a time stamp covers most of the file.
SWEEPS = [(PadesLevel.B_B, mask, 1) for mask in MASKS] + [
    (PadesLevel.B_T, 0x01, 1),
    (PadesLevel.B_T, 0xFF, 3),
    (PadesLevel.B_LT, 0x01, 3),
    (PadesLevel.B_LTA, 0x01, 3),
    (PadesLevel.B_LTA, 0x20, 3),
]


@pytest.mark.parametrize(("level", "mask", "stride"), SWEEPS)
def test_no_changed_byte_of_a_certificate_passes(level: PadesLevel, mask: int, stride: int) -> None:
    content, trust = seal(small_pdf(pages=1), level), _trust()
    assert verify_certificate(content, trust, now=NOW).verdict is Verdict.PASSED
    passed = [
        position
        for position in range(0, len(content), stride)
        if verify_certificate(flip(content, position, mask), trust, now=NOW).verdict is Verdict.PASSED
    ]
    assert passed == []


@pytest.mark.parametrize("level", [PadesLevel.B_LT, PadesLevel.B_LTA])
def test_no_truncation_of_a_certificate_passes(level: PadesLevel) -> None:
    content, trust = seal(small_pdf(pages=1), level), _trust()
    ends = {len(content) - 1, *range(0, len(content), 17)}
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
