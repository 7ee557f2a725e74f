"""``verify``: what an auditor calls, on what ``issue`` left behind, and on what an enemy made of it."""

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader

from sealtool.auditing import Auditing, FileReason, Judges
from sealtool.auditing.files import MAX_BYTES, FileRefusedError, read_file
from sealtool.manifest import DocumentEntry, Manifest, PreviousManifest, parse_manifest
from sealtool.workspace.tasks import judge_certificate, judge_seal
from tests.exports import write_plain_export
from tests.pipeline.conftest import (
    PEOPLE,
    Folder,
    Outcome,
    Write,
    as_somebody_who_may_not_read_everything,
    b1_by_test,
    call,
)
from tests.pipeline.judges import MisbehavingJudge

A, B = PEOPLE[:2]


@pytest.fixture(scope="session")
def issued_once(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates and their manifest, for every test to copy."""
    place = tmp_path_factory.mktemp("issued")
    folder = Folder(demo_folder).copied_to(place / "work")
    registry = write_plain_export(place / "registry", (A, B), map(b1_by_test, (A, B)))
    assert folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    return folder.path


@pytest.fixture
def issued(issued_once: Path, tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "work")
    shutil.copytree(issued_once, folder.path)
    return folder


@pytest.fixture
def root(issued: Folder) -> Path:
    return next(issued.path.glob("pki/*root*.pem"))


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


def test_a_certificate_needs_nothing_but_the_root_to_be_verified(issued: Folder, root: Path, tmp_path: Path) -> None:
    alone = shutil.copy(issued.certificates[0], tmp_path / "certificate.pdf")
    outcome = call("verify", alone, "--trust", root, "--json")
    assert outcome.code == 0
    assert outcome.json["files"][0]["pades_level"] == "B-LTA"


def test_what_was_certified_is_shown_and_not_only_that_it_passed(issued: Folder) -> None:
    outcome = issued.call("verify", issued.certificates[0])
    assert "level B1, Persona" in outcome.out
    assert "accredited on 2025-03-12" in outcome.out


def test_trust_never_comes_from_the_file_itself(issued: Folder, root: Path, quick_demo_folder: Folder) -> None:
    other = next(quick_demo_folder.path.glob("pki/*root*.pem"))
    assert other.read_bytes() != root.read_bytes()
    outcome = call("verify", issued.certificates[0], "--trust", other, "--json")
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


def test_the_manifest_brings_its_own_revocation_data(issued: Folder, root: Path) -> None:
    outcome = call("verify", issued.path / "out", "--trust", root, "--json")
    assert outcome.code == 0, outcome.out


# --- what lies among issued certificates -----------------------------------------------------------


def test_extra_files_are_named_whatever_they_are_called(issued: Folder) -> None:
    names = ["FORGED.PDF", "X.Pdf", "forged", ".pdf", "forged.pdf.bak", ".sealtool-unfinished-0011"]
    for name in names:
        shutil.copy(issued.certificates[0], issued.certificates[0].with_name(name))
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {name: ["NOT_IN_MANIFEST"] for name in names}


def test_extra_files_are_named_wherever_in_the_output_folder_they_lie(issued: Folder) -> None:
    places = [".", "2026", "manifests", "manifests/old", "new/folder"]
    for number, place in enumerate(places):
        folder = issued.path / "out" / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"note-{number}").write_text("hello", encoding="utf-8")
    outcome = issued.call("verify", issued.manifests[0], "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {f"note-{number}": ["NOT_IN_MANIFEST"] for number in range(len(places))}


def test_a_forged_extra_file_stays_failed(issued: Folder) -> None:
    content = bytearray(issued.certificates[0].read_bytes())
    content[len(content) // 3] ^= 1
    issued.certificates[0].with_name("forged").write_bytes(content)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.json["summary"] == {"PASSED": 3, "FAILED": 1, "INDETERMINATE": 0}
    assert reasons(outcome)["forged"][-1] == "NOT_IN_MANIFEST"


@pytest.mark.parametrize("left", [".json.p7s", ".csv"])
def test_what_is_left_of_a_manifest_that_was_taken_away_is_named(issued: Folder, left: str) -> None:
    manifest = issued.manifests[0]
    shutil.copy(manifest.with_name(f"{manifest.stem}{left}"), manifest.with_name(f"20270101T000000Z-000000{left}"))
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert reasons(outcome) == {f"20270101T000000Z-000000{left}": ["NOT_IN_MANIFEST"]}


def test_the_seal_of_the_only_manifest_tells_that_the_manifest_was_taken_away(issued: Folder) -> None:
    issued.manifests[0].unlink()
    assert issued.call("verify", issued.path / "out").code == 1


def test_in_a_plain_folder_a_pdf_is_judged_in_any_letter_case_and_nothing_else(issued: Folder, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "A.PDF").write_bytes(b"hello")
    (plain / "notes.txt").write_bytes(b"hello")
    outcome = issued.call("verify", plain, "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {"A.PDF": ["NOT_A_PDF"]}


def test_beside_a_manifest_that_was_handed_over_by_itself_other_things_may_lie(issued: Folder, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    shutil.copytree(issued.path / "out", desk)
    for file in (desk / "manifests").iterdir():
        file.rename(desk / file.name)
    (desk / "manifests").rmdir()
    (desk / "letter.txt").write_text("hello", encoding="utf-8")
    manifest = next(desk.glob("*.json"))
    assert issued.call("verify", manifest).code == 0
    next(desk.glob("*.csv")).unlink()
    assert issued.call("verify", manifest).code == 0
    shutil.copy(issued.certificates[0], desk / "2026" / "forged")
    shutil.copy(issued.certificates[0], desk / "FORGED.PDF")
    outcome = issued.call("verify", manifest, "--json")
    assert reasons(outcome) == {"forged": ["NOT_IN_MANIFEST"], "FORGED.PDF": ["NOT_IN_MANIFEST"]}


# --- links, pipes, and what cannot be read ---------------------------------------------------------


def irregular(*names: str) -> dict[str, list[str]]:
    return {name: ["NOT_A_REGULAR_FILE"] for name in names}


def test_a_linked_folder_among_issued_certificates_is_named_and_not_entered(issued: Folder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(issued.certificates[0], elsewhere / "X.pdf")
    (issued.certificates[0].parent / "d").symlink_to(elsewhere)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {"d": ["NOT_A_REGULAR_FILE"]}


def test_a_folder_of_certificates_replaced_by_a_link_does_not_pass(issued: Folder, tmp_path: Path) -> None:
    level = issued.certificates[0].parent
    names = [one.name for one in issued.certificates]
    level.rename(tmp_path / "elsewhere")
    level.symlink_to(tmp_path / "elsewhere")
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == irregular(level.name, *names)


def test_a_listed_file_replaced_by_a_link_to_the_same_content_does_not_pass(issued: Folder, tmp_path: Path) -> None:
    certificate = issued.certificates[0]
    certificate.rename(tmp_path / "elsewhere.pdf")
    certificate.symlink_to(tmp_path / "elsewhere.pdf")
    outcome = issued.call("verify", issued.manifests[0], "--json")
    assert reasons(outcome) == {certificate.name: ["NOT_A_REGULAR_FILE"]}


def test_a_manifest_replaced_by_a_link_vouches_for_nothing(issued: Folder, tmp_path: Path) -> None:
    manifest = issued.manifests[0]
    manifest.rename(tmp_path / manifest.name)
    manifest.symlink_to(tmp_path / manifest.name)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.json["summary"]["PASSED"] == 0
    assert reasons(outcome)[manifest.name] == ["NOT_A_REGULAR_FILE"]


def test_a_folder_that_the_user_names_by_a_link_is_judged(issued: Folder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(issued.path / "out")
    assert issued.call("verify", tmp_path / "link").code == 0


def test_links_in_a_plain_folder_are_named_and_never_followed(issued: Folder, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copy(issued.certificates[0], plain / "good.pdf")
    (plain / "loop.pdf").symlink_to("loop.pdf")
    (plain / "dangling").symlink_to("nowhere")
    (plain / "up").symlink_to("..")
    outcome = issued.call("verify", plain, "--json")
    assert outcome.code == 1
    assert reasons(outcome) == irregular("loop.pdf", "dangling", "up")


def test_a_pipe_that_is_named_by_the_number_of_its_stream_is_no_file_that_a_manifest_lists(issued: Folder) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"%PDF-")
    os.close(writing)
    outcome = issued.call("verify", f"/dev/fd/{reading}", "--json")
    os.close(reading)
    assert outcome.code == 1
    assert reasons(outcome) == irregular(str(reading))


@pytest.mark.parametrize(("ending", "what"), [(".json.p7s", "seal"), (".csv", "table")])
def test_whoever_names_a_part_of_a_manifest_is_told_to_name_the_manifest(
    issued: Folder, ending: str, what: str
) -> None:
    manifest = issued.manifests[0]
    outcome = issued.call("verify", manifest.with_name(f"{manifest.stem}{ending}"), "--json")
    (one,) = outcome.json["files"]
    assert (outcome.code, one["verdict"], one["reasons"][0]["code"]) == (1, "FAILED", "NOT_A_PDF")
    told = f"It is the {what} of a manifest: name the manifest itself, the .json beside it."
    assert one["reasons"][0]["message"].endswith(told)


def test_a_pipe_stops_no_audit(issued: Folder, tmp_path: Path) -> None:
    certificate, manifest = issued.certificates[0], issued.manifests[0]
    certificate.unlink()
    os.mkfifo(certificate)
    os.mkfifo(certificate.with_name("extra"))
    os.mkfifo(manifest.with_name("z.json"))
    outcome = issued.call("verify", issued.path / "out", certificate, "--json")
    assert outcome.code == 1
    assert reasons(outcome) == irregular(certificate.name, "extra", "z.json")
    (tmp_path / "plain").mkdir()
    os.mkfifo(tmp_path / "plain" / "x.pdf")
    os.mkfifo(tmp_path / "plain" / "queue")
    assert reasons(issued.call("verify", tmp_path / "plain", "--json")) == {"x.pdf": ["NOT_A_REGULAR_FILE"]}


def test_a_socket_and_a_folder_in_the_place_of_files_are_named(issued: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = issued.certificates
    first.unlink()
    second.unlink()
    second.mkdir()
    monkeypatch.chdir(first.parent)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(first.name)
    outcome = issued.call("verify", issued.manifests[0], "--json")
    assert reasons(outcome) == irregular(first.name, second.name)


def test_what_cannot_be_read_is_named_and_never_skipped(issued: Folder) -> None:
    prefix = as_somebody_who_may_not_read_everything()
    first, second = issued.certificates
    closed = issued.path / "out" / "closed"
    closed.mkdir()
    shutil.copy(first, closed / "X.pdf")
    for path in (closed, second):
        path.chmod(0)
    command = [sys.executable, "-m", "sealtool", "--config", str(issued.configuration), "verify", "--json"]
    done = subprocess.run([*prefix, *command, issued.path / "out", second], capture_output=True, text=True, check=False)
    closed.chmod(stat.S_IRWXU)
    outcome = Outcome(done.returncode, done.stdout, done.stderr)
    assert outcome.code == 1, done.stderr
    assert reasons(outcome) == {"closed": ["UNREADABLE"], second.name: ["UNREADABLE"]}
    assert outcome.json["summary"] == {"PASSED": 2, "FAILED": 0, "INDETERMINATE": 2}


def test_a_file_that_is_far_too_large_is_not_read(issued: Folder) -> None:
    with issued.certificates[0].open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert reasons(outcome) == {issued.certificates[0].name: ["TOO_LARGE"]}
    (judged,) = [one for one in outcome.json["files"] if one["reasons"]]
    assert judged["sha256"] == ""


def test_a_file_of_just_the_largest_size_is_read_and_a_byte_more_is_not(tmp_path: Path) -> None:
    path = Path(os.path.realpath(tmp_path)) / "file"
    path.write_bytes(b"0123456789")
    assert read_file(path, most=10) == b"0123456789"
    with pytest.raises(FileRefusedError) as refused:
        read_file(path, most=9)
    assert refused.value.code is FileReason.TOO_LARGE


def test_names_that_are_no_text_leave_valid_json(issued: Folder) -> None:
    odd = os.fsencode(issued.certificates[0].parent) + b"/odd-\xff.pdf"
    shutil.copy(issued.certificates[0], odd)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    outcome.out.encode("utf-8")
    assert reasons(outcome) == {"odd-\\xff.pdf": ["NOT_IN_MANIFEST"]}
    assert "odd-\\xff.pdf" in issued.call("verify", issued.path / "out").out
    empty = os.fsencode(issued.path) + b"/empty-\xff"
    Path(os.fsdecode(empty)).mkdir()
    nothing = issued.call("verify", os.fsdecode(empty), "--json")
    assert nothing.code == 2
    assert "empty-\\xff" in nothing.json["message"]


def test_a_name_cannot_forge_a_line_of_the_report(issued: Folder) -> None:
    forging = "x\nPASSED  out\r\x1b[2K\x9b2K\u202efdp"
    shutil.copy(issued.certificates[0], issued.certificates[0].with_name(forging))
    outcome = issued.call("verify", issued.path / "out")
    assert outcome.code == 1
    assert all(character.isprintable() or character == "\n" for character in outcome.out)
    assert "x\\nPASSED  out\\r\\x1b[2K\\x9b2K\\u202efdp" in outcome.out


# --- manifests -------------------------------------------------------------------------------------


def publish(folder: Folder, documents: Iterable[DocumentEntry], run_id: str, **run: Any) -> Path:
    """A further manifest of the issuer, soundly sealed, that names the newest one as its predecessor."""
    newest = folder.manifests[-1]
    content = newest.read_bytes()
    parsed = parse_manifest(content)
    previous = PreviousManifest(run_id=newest.stem, sha256=sha256(content).hexdigest())
    entry = parsed.run.model_copy(update={"run_id": run_id, "previous_manifest": previous, **run})
    manifest = Manifest(run=entry, documents=tuple(documents))
    path = newest.with_name(f"{run_id}.json")
    path.write_bytes(manifest.to_json())
    path.with_suffix(".csv").write_bytes(manifest.to_csv())
    path.with_name(f"{path.name}.p7s").write_bytes(asyncio.run(_sealed(folder, manifest.to_json())))
    return path


async def _sealed(folder: Folder, content: bytes) -> bytes:
    sealer = folder.workspace.sealer()
    try:
        return await sealer.seal_detached(content)
    finally:
        await sealer.aclose()


def documents(folder: Folder) -> list[DocumentEntry]:
    return list(parse_manifest(folder.manifests[0].read_bytes()).documents)


NEXT, LAST = "20990101T000000Z-000000", "20990102T000000Z-000000"


def test_a_table_that_was_changed_is_named_with_its_manifest(issued: Folder) -> None:
    table = issued.manifests[0].with_suffix(".csv")
    table.write_bytes(table.read_bytes().replace(b"B1", b"C1", 1))
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {issued.manifests[0].name: ["CSV_DIFFERS"]}


def test_a_table_that_was_taken_away_is_missed(issued: Folder) -> None:
    issued.manifests[0].with_suffix(".csv").unlink()
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {issued.manifests[0].name: ["CSV_MISSING"]}


def test_manifests_that_follow_each_other_pass(issued: Folder) -> None:
    publish(issued, documents(issued), NEXT)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.json["summary"] == {"PASSED": 4, "FAILED": 0, "INDETERMINATE": 0}


def test_a_manifest_taken_away_with_its_certificates_is_missed_by_the_next(issued: Folder) -> None:
    first, second = documents(issued)
    publish(issued, [second], NEXT)
    taken = issued.manifests[0]
    for path in (taken, taken.with_suffix(".csv"), taken.with_name(f"{taken.name}.p7s")):
        path.unlink()
    (issued.path / "out" / first.path).unlink()
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {f"{NEXT}.json": ["PREVIOUS_MANIFEST_MISSING"]}
    assert taken.name in outcome.out


def test_a_manifest_before_that_is_another_one_is_named(issued: Folder) -> None:
    previous = PreviousManifest(run_id=issued.manifests[0].stem, sha256="0" * 64)
    publish(issued, documents(issued), NEXT, previous_manifest=previous)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert reasons(outcome) == {f"{NEXT}.json": ["PREVIOUS_MANIFEST_DIFFERS"]}


def test_a_manifest_that_only_lies_beside_is_named_where_it_is_not_sound(issued: Folder) -> None:
    asked = issued.manifests[0]
    later = publish(issued, documents(issued), NEXT)
    assert len(issued.call("verify", asked, "--json").json["files"]) == 3
    later.with_name(f"{later.name}.p7s").unlink()
    outcome = issued.call("verify", asked, "--json")
    assert reasons(outcome) == {later.name: ["MANIFEST_SEAL_MISSING"]}


def test_each_manifest_and_each_file_is_judged_once(issued: Folder, tmp_path: Path) -> None:
    for number in range(4):
        publish(issued, documents(issued), f"20990101T00000{number}Z-000000")
    trust, now = issued.workspace.trust, issued.workspace.now()
    files = MisbehavingJudge(partial(judge_certificate, trust, now), tmp_path / "files")
    seals = MisbehavingJudge(partial(judge_seal, trust, now), tmp_path / "seals")
    audit = Auditing(Judges(files, seals), 2).run([issued.path / "out", *issued.manifests])
    assert audit.passed
    assert len(audit.files) == 7
    assert len(seals.entries()) == 5
    assert len(files.entries()) == 2


def test_a_manifest_that_says_another_level_than_the_record_is_noticed(issued: Folder) -> None:
    first, _ = documents(issued)
    publish(issued, [first.model_copy(update={"level": "C1"})], NEXT)
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {Path(first.path).name: ["RECORD_DIFFERS"]}


def test_a_ledger_that_says_something_else_than_the_record_is_noticed_where_it_is_at_hand(issued: Folder) -> None:
    first, _ = documents(issued)
    with sqlite3.connect(issued.path / "ledger.sqlite") as connection:
        query = (
            "UPDATE certificates SET decision = replace(decision, '2025-03-12', '2025-03-13') WHERE certificate_id = ?"
        )
        assert connection.execute(query, (first.certificate_id,)).rowcount == 1
    connection.close()
    outcome = issued.call("verify", issued.path / "out", "--json")
    assert reasons(outcome) == {Path(first.path).name: ["RECORD_DIFFERS"]}
    (judged,) = [one for one in outcome.json["files"] if one["reasons"]]
    assert "the day of accreditation" in judged["reasons"][0]["message"]
    public = [file for file in (issued.path / "pki").iterdir() if file.suffix in {".pem", ".crl"}]
    handed_in = [argument for file in public for argument in ("--trust", file)]
    assert issued.call("verify", issued.path / "out", *handed_in).code == 0


def test_an_audit_needs_no_ledger(issued: Folder) -> None:
    for file in issued.path.glob("ledger.sqlite*"):
        file.unlink()
    assert issued.call("verify", issued.path / "out").code == 0


@pytest.mark.parametrize(("state", "code"), [("superseded", "SUPERSEDED"), ("revoked", "WITHDRAWN")])
def test_a_certificate_that_the_newest_manifest_takes_back_does_not_pass(issued: Folder, state: str, code: str) -> None:
    first, second = documents(issued)
    publish(issued, [first.model_copy(update={"state": state, "successor": second.certificate_id})], NEXT)
    for asked in (issued.path / "out", issued.manifests[0], issued.manifests[1]):
        outcome = issued.call("verify", asked, "--json")
        assert outcome.code == 1
        assert reasons(outcome) == {Path(first.path).name: [code]}
        (judged,) = [one for one in outcome.json["files"] if one["reasons"]]
        assert judged["verdict"] == "INDETERMINATE"
        assert judged["certificate"]["certificate_id"] == first.certificate_id
        assert second.certificate_id in judged["reasons"][0]["message"]


def test_the_last_word_on_a_certificate_is_that_of_the_newest_run_whatever_its_file_is_called(issued: Folder) -> None:
    first, _ = documents(issued)
    publish(issued, [first.model_copy(update={"state": "revoked"})], NEXT)
    last = publish(issued, [first], LAST)
    assert issued.call("verify", issued.path / "out").code == 0
    for path in (last, last.with_suffix(".csv"), last.with_name(f"{last.name}.p7s")):
        path.rename(path.with_name(path.name.replace(LAST, "00000101T000000Z-000000")))
    assert issued.call("verify", issued.path / "out").code == 0


# --- whose seals count -----------------------------------------------------------------------------


OURS, OTHER = "VATES-S0711001H", "VATES-Q0000000J"


@pytest.mark.parametrize(
    ("organizations", "code"), [([OURS], 0), ([OTHER], 1), ([OTHER, OURS], 0)], ids=["ours", "another", "both"]
)
def test_only_seals_of_the_organizations_named_count(
    issued: Folder, root: Path, organizations: list[str], code: int
) -> None:
    options = [word for one in organizations for word in ("--organization", one)]
    outcome = call("verify", issued.path / "out", "--trust", root, *options, "--json")
    assert outcome.code == code
    codes = {code for one in reasons(outcome).values() for code in one}
    assert ("FOREIGN_ORGANIZATION" in codes) is bool(code)


def test_trust_by_hand_keeps_the_organizations_of_the_configuration(issued: Folder, root: Path) -> None:
    issued.configure(f'organizations = ["{OURS}"]', f'organizations = ["{OTHER}"]')
    certificate = issued.certificates[0]
    outcome = issued.call("verify", certificate, "--trust", root, "--json")
    assert outcome.code == 1
    assert reasons(outcome) == {certificate.name: ["FOREIGN_ORGANIZATION"]}
    assert issued.call("verify", certificate, "--trust", root, "--organization", OURS).code == 0
    assert issued.call("verify", certificate, "--organization", OURS).code == 0


def test_a_configuration_that_cannot_be_read_never_widens_whose_seals_count(issued: Folder, root: Path) -> None:
    issued.configuration.write_text("broken", encoding="utf-8")
    certificate = issued.certificates[0]
    outcome = issued.call("verify", certificate, "--trust", root)
    assert outcome.code == 3
    assert "--organization" in outcome.err
    assert issued.call("verify", certificate, "--trust", root, "--organization", OURS).code == 0


def test_an_empty_organization_is_no_organization(issued: Folder, root: Path) -> None:
    assert call("verify", issued.certificates[0], "--trust", root, "--organization", "").code == 2


# --- the report for people -------------------------------------------------------------------------


def test_of_many_files_those_that_passed_are_counted_and_the_others_said_once(issued: Folder) -> None:
    for number in range(9):
        (issued.path / "out" / f"note-{number}").write_text("hello", encoding="utf-8")
    outcome = issued.call("verify", issued.path / "out")
    assert outcome.code == 1
    assert outcome.out.count("NOT_IN_MANIFEST") == 1
    assert all(f"note-{number}\n" in outcome.out for number in range(9))
    assert "certifies" not in outcome.out
    assert outcome.out.endswith("12 files: 3 PASSED, 0 FAILED, 9 INDETERMINATE\n")


# --- reports in files ------------------------------------------------------------------------------


def test_the_page_and_the_validation_report_tell_what_the_json_tells(issued: Folder, tmp_path: Path) -> None:
    page, report = tmp_path / "report.html", tmp_path / "report.xml"
    issued.certificates[0].unlink()
    outcome = issued.call("verify", issued.path / "out", "--html", page, "--etsi", report, "--json")
    assert outcome.code == 1
    told = page.read_text(encoding="utf-8")
    assert "FILE_MISSING" in told
    assert "Persona 1 Fictícia" in told or "Persona 0 Fictícia" in told
    (anchor,) = issued.workspace.trust.anchors
    assert sha256(anchor).hexdigest() in told
    found = ET.parse(report).getroot().findall("{*}SignatureValidationReport")  # noqa: S314 - our own
    indications = [one.findtext("{*}SignatureValidationStatus/{*}MainIndication") for one in found]
    assert [str(one).rpartition(":")[2] for one in indications].count("total-passed") == 2
    assert len(indications) == len(outcome.json["files"]) == 3
    assert {stat.S_IMODE(one.stat().st_mode) for one in (page, report)} == {0o600}


@pytest.mark.parametrize("option", ["--html", "--etsi"])
def test_a_report_never_takes_the_place_of_a_certificate(issued: Folder, option: str) -> None:
    certificate = issued.certificates[0]
    before = certificate.read_bytes()
    outcome = issued.call("verify", issued.path / "out", option, certificate)
    assert outcome.code == 2
    assert "never replaces" in outcome.err
    assert certificate.read_bytes() == before
