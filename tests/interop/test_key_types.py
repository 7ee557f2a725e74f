"""Seals of every kind of key, and files that `sealtool extend` renewed, before the same judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealtool.model import Verdict
from sealtool.verification import load_trust, verify_certificate
from sealtool.workspace import utc_now
from tests.interop.java_judges import DssVerdict, Task, ask_dss, ask_verapdf, require
from tests.interop.key_types import KEY_TYPES, Renewable, issued_with
from tests.interop.test_debian_tools import cms_verify, said, signatures_in, trust_file

pytestmark = pytest.mark.interop

STAMPS = {"B-B": 0, "B-LTA": 2, "B-B, extended": 1, "B-LTA, renewed": 3}
LEVELS_OF_DSS = {
    "B-B": "PAdES-BASELINE-B",
    "B-LTA": "PAdES-BASELINE-LTA",
    "B-B, extended": "PAdES-BASELINE-LTA",
    "B-LTA, renewed": "PAdES-BASELINE-LTA",
}
each_key = pytest.mark.parametrize("key", KEY_TYPES)
each_file = pytest.mark.parametrize("file", STAMPS)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Renewable]:
    made: dict[str, Renewable] = {}

    def folder(key: str) -> Renewable:
        if key not in made:
            made[key] = issued_with(KEY_TYPES[key], tmp_path_factory.mktemp("key"))
        return made[key]

    return folder


@pytest.fixture(scope="session")
def judged(
    folders: Callable[[str], Renewable], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, DssVerdict]]:
    """By file; at B-B DSS is handed the lists, of the others each brings its own revocation data."""
    said: dict[str, dict[str, DssVerdict]] = {}

    def ask(key: str) -> dict[str, DssVerdict]:
        if key not in said:
            made = folders(key)
            tasks = [Task(path, alone=name != "B-B") for name, path in made.files.items()]
            verdicts = ask_dss(made.anchor, made.lists, tasks, tmp_path_factory.mktemp("dss"))
            said[key] = dict(zip(made.files, verdicts, strict=True))
        return said[key]

    return ask


@each_file
@each_key
def test_dss_passes_every_kind_of_key_at_the_level_that_is_claimed(
    judged: Callable[[str], dict[str, DssVerdict]], key: str, file: str
) -> None:
    verdict = judged(key)[file]
    assert (verdict.indication, verdict.errors, verdict.signatures) == ("TOTAL_PASSED", (), 1)
    assert verdict.level == LEVELS_OF_DSS[file]
    assert verdict.stamps == ("PASSED",) * STAMPS[file]
    assert verdict.whole


@each_key
def test_the_seals_are_of_the_key_they_are_meant_to_be(folders: Callable[[str], Renewable], key: str) -> None:
    made = folders(key)
    trust = load_trust([made.anchor, *made.lists])
    for path in made.files.values():
        verification = verify_certificate(path.read_bytes(), trust, now=utc_now())
        assert verification.verdict is Verdict.PASSED, verification.reasons
        assert verification.seal is not None
        assert verification.seal.signature_algorithm == KEY_TYPES[key].algorithm


@each_file
@each_key
def test_poppler_finds_every_kind_of_seal_valid(folders: Callable[[str], Renewable], key: str, file: str) -> None:
    require("pdfsig")
    seal, *stamps = said("pdfsig", folders(key).files[file]).split("Signature #")[1:]
    assert "Signature Validation: Signature is Valid." in seal
    assert "- Total document signed" in [seal, *stamps][-1]


@each_file
@each_key
def test_mupdf_finds_every_kind_of_seal_sound(folders: Callable[[str], Renewable], key: str, file: str) -> None:
    require("mutool")
    answer = said("mutool", "sign", "-v", folders(key).files[file])
    if KEY_TYPES[key].pss:
        # MuPDF 1.21 knows no RSA-PSS, and says so in these words
        assert "Digest error: Unknown error" in answer
        return
    expected = "unchanged since signing" if file == "B-B" else "valid but there have been edits since signing"
    assert expected in answer
    assert "Digest error" not in answer


@each_file
@each_key
def test_qpdf_finds_nothing_wrong_with_any_of_them(folders: Callable[[str], Renewable], key: str, file: str) -> None:
    require("qpdf")
    answer = said("qpdf", "--check", folders(key).files[file])
    assert "No syntax or stream encoding errors found" in answer
    assert "WARNING" not in answer


@each_file
@each_key
def test_openssl_verifies_every_kind_of_seal_and_the_last_time_stamp(
    folders: Callable[[str], Renewable], tmp_path: Path, key: str, file: str
) -> None:
    made = folders(key)
    trust = trust_file(made.anchor, made.lists, tmp_path)
    content = made.files[file].read_bytes()
    seal, *stamps = signatures_in(content)
    (tmp_path / "seal.der").write_bytes(seal.message)
    (tmp_path / "covered").write_bytes(seal.covered)
    assert "CMS Verification successful" in cms_verify(trust, tmp_path / "seal.der", tmp_path / "covered")
    assert [seal, *stamps][-1].end == len(content)
    for stamp in stamps:
        (tmp_path / "stamp.der").write_bytes(stamp.message)
        (tmp_path / "covered").write_bytes(stamp.covered)
        token = ("openssl", "ts", "-verify", "-token_in", "-in", tmp_path / "stamp.der")
        assert "Verification: OK" in said(*token, "-data", tmp_path / "covered", "-CAfile", trust)


@pytest.mark.parametrize("flavour", [pytest.param("3a", id="PDF/A-3a"), pytest.param("ua1", id="PDF/UA-1")])
def test_verapdf_finds_no_broken_rule_in_renewed_files(
    folders: Callable[[str], Renewable], tmp_path: Path, flavour: str
) -> None:
    files = [path for key in KEY_TYPES for path in folders(key).files.values()]
    broken = ask_verapdf(flavour, files, tmp_path)
    assert set(broken) == set(files)
    assert {rule for rules in broken.values() for rule in rules} == set()
