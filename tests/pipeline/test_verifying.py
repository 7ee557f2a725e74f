"""``verify``: what an auditor calls, on what ``issue`` left behind."""

import json
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test, call

A, B = PEOPLE[:2]


@pytest.fixture
def issued(folder: Folder, write_registry: Write) -> Folder:
    outcome = folder.call(
        "issue", "--level", "B1", "--registry", write_registry([A, B], [b1_by_test(A), b1_by_test(B)])
    )
    assert outcome.code == 0
    return folder


def reasons(outcome: Outcome) -> dict[str, list[str]]:
    return {
        Path(one["path"]).name: [reason["code"] for reason in one["reasons"]]
        for one in outcome.json["files"]
        if one["reasons"]
    }


def test_everything_that_was_issued_passes(issued: Folder) -> None:
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 0
    assert outcome.json["summary"] == {"PASSED": 3, "FAILED": 0, "INDETERMINATE": 0}


def test_a_certificate_needs_nothing_but_the_root_to_be_verified(issued: Folder, tmp_path: Path) -> None:
    root = next(issued.path.glob("pki/*root*.pem"))
    alone = shutil.copy(issued.certificates[0], tmp_path / "certificate.pdf")
    outcome = call("verify", alone, "--trust", root, "--json")
    assert outcome.code == 0
    assert outcome.json["files"][0]["pades_level"] == "B-LTA"


def test_what_was_certified_is_shown_and_not_only_that_it_passed(issued: Folder) -> None:
    outcome = issued.call("verify", issued.certificates[0])
    assert "level B1, Persona" in outcome.out
    assert "accredited on 2025-03-12" in outcome.out


def test_trust_never_comes_from_the_file_itself(issued: Folder, tmp_path: Path, demo_folder: Path) -> None:
    other = tmp_path / "other"
    assert call("init", other, "--demo").code == 0
    outcome = call("verify", issued.certificates[0], "--trust", next(other.glob("pki/*root*.pem")), "--json")
    assert outcome.code == 1
    assert outcome.json["files"][0]["verdict"] == "INDETERMINATE"


def test_without_trust_nothing_is_verified(issued: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEALTOOL_CONFIG", raising=False)
    outcome = call("verify", issued.certificates[0])
    assert outcome.code == 3
    assert "--trust" in outcome.err


def test_a_changed_byte_never_passes(issued: Folder) -> None:
    certificate = issued.certificates[0]
    content = bytearray(certificate.read_bytes())
    content[len(content) // 3] ^= 1
    certificate.write_bytes(content)
    outcome = issued.call("verify", certificate, "--json")
    assert outcome.code == 1
    assert outcome.json["summary"]["PASSED"] == 0


def test_an_appended_byte_never_passes(issued: Folder) -> None:
    with issued.certificates[0].open("ab") as file:
        file.write(b"x")
    assert issued.call("verify", issued.certificates[0]).code == 1


def test_a_soundly_sealed_file_of_another_hash_fails_its_manifest(issued: Folder) -> None:
    first, second = issued.certificates
    shutil.copy(second, first)
    outcome = issued.call("verify", issued.manifests[0], "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {first.name: ["HASH_DIFFERS"]}


def test_a_missing_file_is_named_by_the_manifest(issued: Folder) -> None:
    issued.certificates[0].unlink()
    outcome = issued.call("verify", issued.manifests[0], "--json")
    assert outcome.code == 1
    assert list(reasons(outcome).values()) == [["FILE_MISSING"]]


def test_an_extra_file_among_the_issued_ones_is_named(issued: Folder) -> None:
    extra = issued.certificates[0].with_name("EXTRA.pdf")
    shutil.copy(issued.certificates[0], extra)
    outcome = issued.call("verify", issued.manifests[0], "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {"EXTRA.pdf": ["NOT_IN_MANIFEST"]}


def test_files_of_another_run_are_no_extra_files(issued: Folder, write_registry: Write) -> None:
    third = PEOPLE[2]
    registry = write_registry([A, B, third], [b1_by_test(person) for person in (A, B, third)], name="later")
    issued.call("issue", "--level", "B1", "--registry", registry)
    assert len(issued.manifests) == 2
    assert issued.call("verify", issued.manifests[0]).code == 0


def test_a_manifest_that_was_edited_fails_and_vouches_for_nothing(issued: Folder) -> None:
    manifest = issued.manifests[0]
    manifest.write_bytes(manifest.read_bytes().replace(b'"issued"', b'"revoked"', 1))
    outcome = issued.call("verify", manifest, "--json")
    assert outcome.code == 1
    assert outcome.json["summary"]["FAILED"] == 1


def test_a_manifest_without_its_seal_does_not_pass(issued: Folder) -> None:
    manifest = issued.manifests[0]
    manifest.with_name(f"{manifest.name}.p7s").unlink()
    outcome = issued.call("verify", manifest, "--json")
    assert outcome.code == 1
    assert reasons(outcome)[manifest.name] == ["MANIFEST_SEAL_MISSING"]


def test_an_empty_folder_is_no_success(folder: Folder, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = folder.call("verify", empty)
    assert outcome.code == 2
    assert "nothing was verified" in outcome.err


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"hello", b"\x00" * 1000])
def test_a_file_that_is_no_certificate_gets_a_verdict_and_no_traceback(
    folder: Folder, tmp_path: Path, content: bytes
) -> None:
    odd = tmp_path / "odd.pdf"
    odd.write_bytes(content)
    outcome = folder.call("verify", odd, "--json")
    assert outcome.code == 1
    assert outcome.json["files"][0]["verdict"] in {"FAILED", "INDETERMINATE"}
    assert outcome.json["files"][0]["reasons"]
    assert "Traceback" not in outcome.err


def test_a_folder_is_judged_in_parallel_with_the_same_outcome(issued: Folder) -> None:
    alone = issued.call("verify", issued.path / "out", "--workers", "1", "--json")
    together = issued.call("verify", issued.path / "out", "--workers", "2", "--json")
    assert together.code == alone.code == 0
    assert together.json == alone.json


def test_the_record_inside_names_the_version_of_the_law(issued: Folder, tmp_path: Path) -> None:
    (record,) = PdfReader(issued.certificates[0]).attachments["record.json"]
    assert json.loads(record)["rules_version"] == "2025-10-27"


def test_the_manifest_brings_its_own_revocation_data(issued: Folder) -> None:
    root = next(issued.path.glob("pki/*root*.pem"))
    outcome = call("verify", issued.path / "out", "--trust", root, "--json")
    assert outcome.code == 0, outcome.out
