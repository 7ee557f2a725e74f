"""The sealed bytes before veraPDF, the reference for PDF/A and PDF/UA."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.conftest import Issued
from tests.interop.java_judges import ask_verapdf

pytestmark = pytest.mark.interop


@pytest.mark.parametrize(
    "flavour",
    [pytest.param("3a", id="PDF/A-3a"), pytest.param("ua1", id="PDF/UA-1")],
)
def test_verapdf_finds_no_broken_rule_in_any_sealed_certificate(
    issued: Issued, tmp_path_factory: pytest.TempPathFactory, flavour: str
) -> None:
    files = [one.path for one in issued.certificates]
    broken = ask_verapdf(flavour, files, tmp_path_factory.mktemp("verapdf"))
    assert set(broken) == set(files)
    assert {rule for rules in broken.values() for rule in rules} == set()


@pytest.mark.parametrize("flavour", [pytest.param("3a", id="PDF/A-3a"), pytest.param("ua1", id="PDF/UA-1")])
def test_verapdf_finds_fault_with_a_certificate_that_lost_its_tags(
    issued: Issued, tmp_path: Path, flavour: str
) -> None:
    """That it finds nothing elsewhere means something."""
    content = issued.certificates[0].path.read_bytes()
    untagged = tmp_path / "untagged.pdf"
    untagged.write_bytes(content.replace(b"/StructTreeRoot", b"/StructTreeNone"))
    assert untagged.read_bytes() != content
    (rules,) = ask_verapdf(flavour, [untagged], tmp_path).values()
    assert any("StructTreeRoot" in rule for rule in rules)
