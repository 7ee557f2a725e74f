"""The seal before DSS, the European Commission's validation library: offline, with its default policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.conftest import SEAL_LEVELS, Certificate, Issued, founded
from tests.interop.java_judges import DssVerdict, Task, ask_dss

pytestmark = pytest.mark.interop

LONG_TERM = ("B-LT", "B-LTA")
STAMPS = {"B-B": 0, "B-T": 1, "B-LT": 1, "B-LTA": 2}
MANIFEST_LEVELS = {
    "B-B": "CAdES-BASELINE-T",  # stamped wherever there is an authority
    "B-T": "CAdES-BASELINE-T",
    "B-LT": "CAdES-BASELINE-LT",  # brings its revocation lists
    "B-LTA": "CAdES-BASELINE-LT",
}
# DSS counts validation data only where an update *behind* the seal adds them: in the same revision it uses them for
# its verdict, and names the level below.
_ONE_REVISION = pytest.mark.xfail(
    strict=True, reason="DSS says T: the validation data stand in the revision of the seal, not in one behind it"
)


@pytest.fixture(scope="session")
def judged(issued: Issued, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, DssVerdict]:
    """Every certificate and manifest. From B-LT on, DSS has nothing to go by but the file and the anchor."""
    tasks = [Task(one.path, alone=one.seal_level in LONG_TERM) for one in issued.certificates]
    tasks += [Task(one.seal, alone=one.seal_level in LONG_TERM, content=one.path) for one in issued.manifests]
    verdicts = ask_dss(issued.anchor, issued.lists, tasks, tmp_path_factory.mktemp("dss"))
    return {task.path: verdict for task, verdict in zip(tasks, verdicts, strict=True)}


def changed_byte(certificate: Certificate) -> bytes:
    content = bytearray(certificate.path.read_bytes())
    content[content.index(b"/ByteRange") // 2] ^= 1  # well inside of what is sealed
    return bytes(content)


def appended_comment(certificate: Certificate) -> bytes:
    return certificate.path.read_bytes() + b"\n% appended\n"


@pytest.fixture(scope="session")
def tampered(issued: Issued, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], DssVerdict]:
    """By level of the seal and kind of change; with every list at hand, so that nothing but the change speaks."""
    folder = tmp_path_factory.mktemp("tampered")
    files: dict[tuple[str, str], Path] = {}
    for seal_level in SEAL_LEVELS:
        certificate = issued.sealed_at(seal_level)[0]
        for change in (changed_byte, appended_comment):
            path = folder / f"{seal_level}-{change.__name__}.pdf"
            path.write_bytes(change(certificate))
            files[seal_level, change.__name__] = path
    verdicts = ask_dss(issued.anchor, issued.lists, [Task(path, alone=False) for path in files.values()], folder)
    return dict(zip(files, verdicts, strict=True))


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_dss_passes_every_certificate(issued: Issued, judged: dict[Path, DssVerdict], seal_level: str) -> None:
    certificates = issued.sealed_at(seal_level)
    assert {(one.level, one.languages) for one in certificates} >= {
        (level, languages) for level in ("B1", "C2") for languages in [("ca", "es"), ("ca",), ("es",)]
    }
    for one in certificates:
        verdict = judged[one.path]
        assert (verdict.indication, verdict.errors) == ("TOTAL_PASSED", ()), one
        assert verdict.stamps == ("PASSED",) * STAMPS[seal_level], one


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_dss_finds_one_seal_and_every_byte_covered(
    issued: Issued, judged: dict[Path, DssVerdict], seal_level: str
) -> None:
    assert {(judged[one.path].signatures, judged[one.path].whole) for one in issued.sealed_at(seal_level)} == {
        (1, True)
    }


@pytest.mark.parametrize("seal_level", ["B-B", "B-T", pytest.param("B-LT", marks=_ONE_REVISION), "B-LTA"])
def test_dss_confirms_the_level_that_is_claimed(
    issued: Issued, judged: dict[Path, DssVerdict], seal_level: str
) -> None:
    claimed = f"PAdES-BASELINE-{seal_level.removeprefix('B-')}"
    assert {judged[one.path].level for one in issued.sealed_at(seal_level)} == {claimed}


def test_all_six_levels_are_among_the_judged(issued: Issued) -> None:
    for languages in [("ca", "es"), ("ca",), ("es",)]:
        levels = {one.level for one in issued.sealed_at("B-LTA") if one.languages == languages}
        assert levels == {"A1", "A2", "B1", "B2", "C1", "C2"}
    assert {one.area for one in issued.certificates if one.level == "C2"} == {4}


def test_dss_passes_the_seals_of_the_manifests_at_their_levels(issued: Issued, judged: dict[Path, DssVerdict]) -> None:
    assert len(issued.manifests) == 2 * len(SEAL_LEVELS)
    for one in issued.manifests:
        verdict = judged[one.seal]
        assert (verdict.indication, verdict.errors, verdict.signatures) == ("TOTAL_PASSED", (), 1)
        assert verdict.level == MANIFEST_LEVELS[one.seal_level]


def test_without_lists_dss_cannot_conclude_below_lt(issued: Issued, tmp_path: Path) -> None:
    """What passes at B-LT and above does so by the data inside: here DSS has nowhere else to look."""
    tasks = [Task(issued.sealed_at(seal_level)[0].path, alone=True) for seal_level in ("B-B", "B-T")]
    verdicts = ask_dss(issued.anchor, (), tasks, tmp_path)
    assert {one.indication for one in verdicts} == {"INDETERMINATE/CERTIFICATE_CHAIN_GENERAL_FAILURE"}
    assert all("No revocation data found for the certificate!" in one.errors for one in verdicts)


def test_dss_passes_nothing_under_another_root(issued: Issued, tmp_path: Path) -> None:
    stranger = founded(tmp_path / "stranger").path / "pki" / "root.pem"
    tasks = [Task(issued.sealed_at(seal_level)[0].path, alone=False) for seal_level in SEAL_LEVELS]
    verdicts = ask_dss(stranger, issued.lists, tasks, tmp_path)
    assert {one.indication for one in verdicts} == {"INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND"}


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_dss_fails_a_certificate_with_one_changed_byte(
    tampered: dict[tuple[str, str], DssVerdict], seal_level: str
) -> None:
    assert tampered[seal_level, "changed_byte"].indication == "TOTAL_FAILED/HASH_FAILURE"


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
def test_dss_sees_that_appended_bytes_are_not_covered(
    tampered: dict[tuple[str, str], DssVerdict], seal_level: str
) -> None:
    """Its indication stays TOTAL_PASSED, being that of the sealed revision: only the scope tells."""
    verdict = tampered[seal_level, "appended_comment"]
    assert (verdict.indication, verdict.whole) == ("TOTAL_PASSED", False)


@pytest.mark.parametrize("seal_level", SEAL_LEVELS)
@pytest.mark.parametrize("change", [changed_byte, appended_comment])
def test_what_was_tampered_with_never_passes_here(
    issued: Issued, tmp_path: Path, seal_level: str, change: Callable[[Certificate], bytes]
) -> None:
    path = tmp_path / "tampered.pdf"
    path.write_bytes(change(issued.sealed_at(seal_level)[0]))
    outcome = issued.folder.call("verify", path, "--json")
    assert (outcome.code, outcome.json["files"][0]["verdict"]) == (1, "FAILED")


def test_dss_fails_a_changed_manifest(issued: Issued, tmp_path: Path) -> None:
    manifest = issued.manifests[0]
    changed = tmp_path / "changed.json"
    changed.write_bytes(manifest.path.read_bytes().replace(b'"B1"', b'"C1"', 1))
    assert changed.read_bytes() != manifest.path.read_bytes()
    (verdict,) = ask_dss(issued.anchor, issued.lists, [Task(manifest.seal, alone=False, content=changed)], tmp_path)
    assert verdict.indication == "TOTAL_FAILED/HASH_FAILURE"
