"""The main job as a user calls it: decide, render, seal, record, write the manifest."""

import csv
import io
import json
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sealtool.errors import SealKeyError
from sealtool.identifiers import parse_certificate_id
from sealtool.manifest import parse_manifest
from sealtool.model import CertificateOrder, Level
from sealtool.planning import Scope
from sealtool.rendering.facts import kind_of
from sealtool.workspace import tasks, utc_now
from tests.exports import write_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, SMALL_SAMPLE, Folder, Write, b1_by_test

A, B, C = PEOPLE[:3]
B1 = Scope((Level.B1,))


def manifest_of(folder: Folder) -> dict[str, Any]:
    (path,) = folder.manifests
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def test_a_level_that_was_reached_is_certified_and_sealed_at_the_configured_level(
    folder: Folder, write_registry: Write
) -> None:
    registry = write_registry([A], [b1_by_test(A)])
    outcome = folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 0
    (certificate,) = folder.certificates
    assert certificate.stem == outcome.json["issued"][0]
    assert certificate.parts[-3:-1] == (str(folder.workspace.today().year), "B1")
    verified = folder.call("verify", certificate, "--json")
    assert verified.code == 0
    (judged,) = verified.json["files"]
    assert (judged["verdict"], judged["pades_level"]) == ("PASSED", "B-LTA")
    shown = judged["certificate"]
    assert (shown["certificate_id"], shown["level"], shown["area"]) == (certificate.stem, "B1", None)
    assert [each["area"] for each in shown["areas"]] == [1, 2, 3, 4, 5, 6]
    assert shown["rules_version"] == "2025-10-27"


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT", "B-LTA"])
def test_each_level_of_the_seal_is_reached_and_verified(folder: Folder, write_registry: Write, level: str) -> None:
    folder.configure('level = "B-LTA"', f'level = "{level}"')
    registry = write_registry([A], [b1_by_test(A)])
    assert folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    verified = folder.call("verify", folder.path / "out", "--json").json
    assert verified["summary"] == {"PASSED": 2, "FAILED": 0, "INDETERMINATE": 0}
    assert {one["pades_level"] for one in verified["files"] if one["certificate"]} == {level}


def test_a_run_gets_ready_for_each_kind_once_and_not_at_all_where_nothing_is_new(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[CertificateOrder] = []
    monkeypatch.setattr(tasks, "get_ready", lambda _, order: asked.append(order))
    registry = write_registry([A, B, C], [b1_by_test(A), b1_by_test(B), b1_by_test(C)])
    for _ in range(2):
        assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
        assert len(asked) == len({kind_of(order) for order in asked}) == 1


def test_what_goes_wrong_in_getting_ready_stops_no_certificate(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "get_ready", lambda *_: pytest.fail("not ready"))
    registry = write_registry([A], [b1_by_test(A)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert len(quick_folder.certificates) == 1


def test_with_the_seal_of_another_organisation_no_page_is_laid_out_and_no_file_renewed(
    quick_folder: Folder, write_registry: Write
) -> None:
    registry = write_registry([A], [b1_by_test(A)])
    issue = ("issue", "--level", "B1", "--registry", registry)
    steps: list[str] = []
    quick_folder.configure("VATES-S0711001H", "S0711001H")

    refused = quick_folder.call(*issue)
    with pytest.raises(SealKeyError):
        quick_folder.workspace.issue(registry, B1, on_step=steps.append)

    assert refused.code == 6
    assert "is of VATES-S0711001H, and trust.organizations names S0711001H" in refused.err
    assert not {"certificate laid out", "certificate sealed"} & set(steps)
    quick_folder.configure('["S0711001H"]', '["VATES-S0711001H"]')
    assert quick_folder.call(*issue).code == 0
    (certificate,) = quick_folder.certificates
    before = certificate.read_bytes()
    quick_folder.configure("VATES-S0711001H", "S0711001H")
    assert quick_folder.call("extend", certificate).code == 6
    assert certificate.read_bytes() == before


def test_issuing_twice_issues_once(issued: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B)])
    before = {path: path.read_bytes() for path in issued.path.rglob("out/**/*") if path.is_file()}
    again = issued.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert again.code == 0
    assert again.json["issued"] == []
    assert again.json["manifest"] is None
    assert {path: path.read_bytes() for path in issued.path.rglob("out/**/*") if path.is_file()} == before


def test_what_is_new_is_issued_and_what_was_issued_stays(issued: Folder, write_registry: Write) -> None:
    first = issued.certificates
    issued.call("issue", "--level", "B1", "--registry", write_registry([A, B, C], map(b1_by_test, (A, B, C))))
    assert len(issued.certificates) == 3
    assert set(first) < set(issued.certificates)


def test_only_the_levels_asked_for_are_issued(quick_folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A], [b1_by_test(A), (A, "A1", "", "test", "2025-01-01", "")])
    quick_folder.call("issue", "--level", "A1", "--registry", registry)
    assert [path.parent.name for path in quick_folder.certificates] == ["A1"]


def test_only_the_people_asked_for_get_certificates(quick_folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B)])
    outcome = quick_folder.call("issue", "--level", "B1", "--person", B.lower(), "--registry", registry, "--json")
    assert [one["person_id"] for one in outcome.json["decisions"]] == [B]
    assert len(quick_folder.certificates) == 1


def test_each_area_of_c2_gets_a_certificate_of_its_own(quick_folder: Folder, write_registry: Write) -> None:
    grants = [(A, "C2", area, "evidence", "2025-05-05", "") for area in ("2", "6")]
    registry = write_registry([A], grants)
    quick_folder.call("issue", "--level", "C2", "--registry", registry)
    verified = quick_folder.call("verify", quick_folder.path / "out", "--json").json
    assert sorted(one["certificate"]["area"] for one in verified["files"] if one["certificate"]) == [2, 6]


def test_c2_can_be_asked_for_area_by_area(quick_folder: Folder, write_registry: Write) -> None:
    grants = [(A, "C2", area, "evidence", "2025-05-05", "") for area in ("2", "6")]
    registry = write_registry([A], grants)
    outcome = quick_folder.call("issue", "--level", "C2", "--area", "6", "--registry", registry, "--json")
    assert [one["area"] for one in outcome.json["decisions"]] == [6]
    assert len(quick_folder.certificates) == 1


def test_whoever_is_held_gets_nothing_and_everybody_else_goes_on(quick_folder: Folder, write_registry: Write) -> None:
    broken = (B, "B1", "", "test", "31/02/2025", "")
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B), broken])
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 1
    assert [one["person_id"] for one in outcome.json["decisions"]] == [A]
    assert outcome.json["held"] == [{"person_id": B, "problems": [0]}]
    assert outcome.json["problems"][0]["line"] == 4
    assert len(quick_folder.certificates) == 1


def test_a_broken_export_issues_nothing_and_exits_4(quick_folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A], [b1_by_test(A)])
    (registry / "people.csv").unlink()
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == 4
    assert "people.csv" in outcome.err
    assert quick_folder.certificates == []


def test_an_export_that_shrank_stops_the_run_until_somebody_accepts_it(
    quick_folder: Folder, write_registry: Write
) -> None:
    quick_folder.call("issue", "--level", "B1", "--registry", write_registry(PEOPLE[:20], [b1_by_test(A)]))
    shrunk = write_registry(PEOPLE[:10], [b1_by_test(A)], name="shrunk")
    refused = quick_folder.call("issue", "--level", "B1", "--registry", shrunk)
    assert refused.code == 4
    assert "--accept-shrink" in refused.err
    assert quick_folder.call("issue", "--level", "B1", "--registry", shrunk, "--accept-shrink").code == 0


def test_a_name_without_glyphs_holds_the_person_instead_of_printing_boxes(
    quick_folder: Folder, write_registry: Write
) -> None:
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B)], names=["Aina", "山田"])
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 1
    assert outcome.json["held"] == [{"person_id": B, "problems": [0]}]
    assert "U+5C71" in outcome.json["problems"][0]["message"]
    assert len(quick_folder.certificates) == 1


def test_an_option_gives_one_file_for_each_language(quick_folder: Folder, write_registry: Write) -> None:
    quick_folder.configure("one_file_per_language = false", "one_file_per_language = true")
    registry = write_registry([A], [b1_by_test(A)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert sorted(path.suffixes[0] for path in quick_folder.certificates) == [".ca", ".es"]
    assert [entry["languages"] for entry in manifest_of(quick_folder)["documents"]] == [["ca"], ["es"]]
    assert quick_folder.call("verify", quick_folder.path / "out").code == 0


# --- the manifest ----------------------------------------------------------------------------------------


def test_the_manifest_follows_its_published_schema(issued: Folder) -> None:
    schema = json.loads((REPOSITORY / "docs" / "schemas" / "manifest-1.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(manifest_of(issued))


def test_the_manifest_lists_each_certificate_with_its_hash(issued: Folder) -> None:
    listed = {entry["path"]: entry for entry in manifest_of(issued)["documents"]}
    assert {issued.path / "out" / path for path in listed} == set(issued.certificates)
    for path, entry in listed.items():
        assert entry["bytes"] == (issued.path / "out" / path).stat().st_size
        assert entry["pages"] == 2
        assert entry["state"] == "issued"
        assert entry["seal"]["organization_identifier"] == "VATES-S0711001H"
        assert int(entry["seal"]["serial_number_hex"], 16) == int(entry["seal"]["serial_number"])
        assert parse_certificate_id(entry["certificate_id"]) is not None


def test_the_manifest_names_nobody(issued: Folder) -> None:
    for path in (issued.path / "out" / "manifests").iterdir():
        content = path.read_bytes()
        for personal in (A, B, "Persona", "Fict"):
            assert personal.encode() not in content
    assert not any(A in str(path) or B in str(path) for path in issued.path.rglob("*"))


def test_the_csv_twin_has_the_same_documents(issued: Folder) -> None:
    (twin,) = issued.path.glob("out/manifests/*.csv")
    rows = list(csv.DictReader(io.StringIO(twin.read_text(encoding="utf-8-sig")), delimiter=";"))
    entries = manifest_of(issued)["documents"]
    assert [(row["certificate_id"], row["sha256"], row["seal.serial_number"]) for row in rows] == [
        (entry["certificate_id"], entry["sha256"], entry["seal"]["serial_number"]) for entry in entries
    ]


def test_the_detached_seal_of_the_manifest_satisfies_openssl(issued: Folder) -> None:
    (manifest,) = issued.manifests
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{manifest}.p7s"]
    command += ["-content", str(manifest), "-CAfile", str(next(issued.path.glob("pki/*root*.pem"))), "-purpose", "any"]
    subprocess.run([*command, "-out", "/dev/null"], check=True, capture_output=True)


def test_the_manifest_pins_the_head_of_the_ledger(issued: Folder) -> None:
    run = parse_manifest(issued.manifests[0].read_bytes()).run
    with issued.workspace.ledger() as ledger:
        assert 0 < run.ledger_sequence < ledger.head()[0]
        assert ledger.broken_link() is None


def test_nobody_else_may_read_what_was_issued(issued: Folder) -> None:
    for path in issued.path.rglob("out/**/*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


# --- plan ------------------------------------------------------------------------------------------------


def everything_in(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_plan_writes_nothing(quick_folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A], [b1_by_test(A)])
    before = everything_in(quick_folder.path)
    assert quick_folder.call("plan", "--all", "--registry", registry).code == 0
    assert everything_in(quick_folder.path) == before


@pytest.mark.long
def test_plan_says_what_issue_then_does(quick_folder: Folder) -> None:
    planned = quick_folder.call("plan", "--all", "--registry", SMALL_SAMPLE, "--json").json
    assert quick_folder.call("issue", "--all", "--dry-run", "--registry", SMALL_SAMPLE, "--json").json == planned
    done = quick_folder.call("issue", "--all", "--registry", SMALL_SAMPLE, "--json").json
    assert [{**one, "certificate_id": None} for one in done["decisions"]] == planned["decisions"]
    assert {one["certificate_id"] for one in done["decisions"]} == {path.stem for path in quick_folder.certificates}
    assert len(quick_folder.certificates) == len(planned["decisions"])
    after = quick_folder.call("plan", "--all", "--registry", SMALL_SAMPLE, "--json").json
    assert {one["action"] for one in after["decisions"]} == {"none"}


def test_plan_shows_what_changed_since_it_was_issued(issued: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [b1_by_test(A, day="2025-04-01"), b1_by_test(B)], name="later")
    outcome = issued.call("plan", "--level", "B1", "--registry", registry, "--json")
    assert outcome.code == 1
    assert [(one["person_id"], one["action"]) for one in outcome.json["decisions"]] == [(A, "changed"), (B, "none")]


def test_plan_shows_a_corrected_name_as_changed(issued: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B)], names=["Altra"], name="later")
    outcome = issued.call("plan", "--level", "B1", "--registry", registry, "--json")
    assert [one["action"] for one in outcome.json["decisions"]] == ["changed", "none"]
    changed = outcome.json["decisions"][0]
    assert changed["changes"] == [{"item": "given_name", "was": "Persona 0", "is": "Altra"}]
    assert changed["certificate_id"] in {path.stem for path in issued.certificates}
    assert "given_name: Persona 0 -> Altra" in issued.call("plan", "--level", "B1", "--registry", registry).out


def test_plan_lists_what_the_registry_no_longer_supports(issued: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [b1_by_test(A)], name="later")
    assert issued.call("plan", "--level", "B1", "--registry", registry).code == 4  # half of the grants are gone
    outcome = issued.call("plan", "--level", "B1", "--registry", registry, "--accept-shrink", "--json")
    assert [(one["person_id"], one["action"]) for one in outcome.json["decisions"]] == [(A, "none"), (B, "lost")]
    assert outcome.json["decisions"][1]["accredited_on"] == "2025-03-12"


def test_issue_never_touches_what_changed_or_was_lost(issued: Folder, write_registry: Write) -> None:
    before = everything_in(issued.path / "out")
    registry = write_registry([A, B], [b1_by_test(A, day="2025-04-01")], name="later")
    assert issued.call("issue", "--level", "B1", "--registry", registry, "--accept-shrink").code == 1
    assert everything_in(issued.path / "out") == before


# --- the day of issue -----------------------------------------------------------------------------


def test_a_certificate_that_is_sealed_after_midnight_says_the_new_day(
    quick_folder: Folder, write_registry: Write
) -> None:
    begun = utc_now().astimezone(quick_folder.workspace.timezone)
    midnight = (begun + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    clock = [midnight - timedelta(seconds=2)]

    def step(name: str) -> None:
        if name == "certificate laid out":
            clock[0] = midnight + timedelta(seconds=30)

    registry = write_registry([A], [b1_by_test(A)])
    _, report = replace(quick_folder.workspace, now=lambda: clock[0].astimezone(UTC)).issue(
        registry, Scope((Level.B1,)), on_step=step
    )
    assert (len(report.issued), report.failures) == (1, [])
    (document,) = manifest_of(quick_folder)["documents"]
    sealed_at = datetime.fromisoformat(document["seal"]["signing_time"])
    (certificate,) = quick_folder.certificates
    shown = subprocess.run(["pdftotext", certificate, "-"], capture_output=True, text=True, check=True).stdout
    assert sealed_at.astimezone(midnight.tzinfo).date() == midnight.date()
    assert f"Palma, {midnight.day} de " in " ".join(shown.split())


# --- another id -----------------------------------------------------------------------------------


def test_a_person_who_got_another_id_is_held_until_a_human_has_withdrawn_the_first_certificate(
    quick_folder: Folder, write_registry: Write
) -> None:
    foreign = "X1234567L"
    registry = write_registry([foreign], [b1_by_test(foreign)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    (first,) = quick_folder.certificates
    registry = write_registry([A], [b1_by_test(A)])
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert (outcome.code, outcome.json["issued"]) == (1, [])
    (problem,) = outcome.json["problems"]
    assert (problem["column"], problem["value"]) == ("person_id", A)
    assert foreign in problem["message"]
    assert first.stem in problem["message"]
    revoked = quick_folder.call("revoke", first.stem, "--reason", "another id", "--yes")
    assert revoked.code == 0, revoked.err
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert (outcome.code, len(outcome.json["issued"])) == (0, 1)


@pytest.mark.parametrize(
    ("name", "day", "is_held"),
    [
        (("Àina", "FICTICIA", ""), "2025-03-12", True),
        (("Aina", "Fictícia", "Roig"), "2025-03-12", True),
        (("Aina", "Fictícia", ""), "2025-02-01", True),
        (("Aina", "Fictícia", "Roig"), "2025-02-01", False),
        (("Joana", "Fictícia", ""), "2025-03-12", False),
    ],
    ids=["other accents", "a second surname", "another day", "another name and day", "somebody else"],
)
def test_another_id_is_noticed_also_where_name_or_day_changed_with_it(
    quick_folder: Folder, tmp_path: Path, name: tuple[str, ...], day: str, is_held: bool
) -> None:
    foreign = "X1234567L"
    registry = write_export(tmp_path / "registry", [(foreign, "Aina", "Fictícia", "")], [b1_by_test(foreign)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    write_export(registry, [(A, *name)], [b1_by_test(A, day)])
    outcome = quick_folder.call("plan", "--level", "B1", "--registry", registry, "--json").json
    assert [one["person_id"] for one in outcome["held"]] == [A] * is_held
    assert [foreign in one["message"] for one in outcome["problems"]] == [True] * is_held


@pytest.mark.parametrize("only", [(), ("--person", A)], ids=["everybody", "one person"])
def test_another_id_is_noticed_also_where_the_first_one_is_still_among_the_people(
    quick_folder: Folder, tmp_path: Path, only: tuple[str, ...]
) -> None:
    foreign = "X1234567L"
    people = [(foreign, "Aina", "Fictícia", ""), (A, "Aina", "Fictícia", "")]
    registry = write_export(tmp_path / "registry", people, [b1_by_test(foreign)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    write_export(registry, people, [b1_by_test(foreign), b1_by_test(A)])
    two = quick_folder.call("plan", "--level", "B1", "--registry", registry, "--json", *only).json
    assert ([one["person_id"] for one in two["decisions"] if one["action"] == "issue"], two["held"]) == ([A], [])
    write_export(registry, people, [b1_by_test(A)])
    one = quick_folder.call("plan", "--level", "B1", "--registry", registry, "--json", *only).json
    assert [held["person_id"] for held in one["held"]] == [A]


@pytest.mark.parametrize(
    ("name", "reference", "is_told"),
    [("Aina", "REF-1", True), ("Àina", "REF-1", False), ("Aina", "REF-2", False)],
    ids=["two ids", "another name", "other evidence"],
)
def test_two_ids_with_one_name_and_the_same_evidence_are_told_before_they_are_issued(
    quick_folder: Folder, tmp_path: Path, name: str, reference: str, is_told: bool
) -> None:
    foreign = "X1234567L"
    people = [(foreign, "Aina", "Fictícia", ""), (A, name, "Fictícia", "")]
    grants = [b1_by_test(foreign), (*b1_by_test(A)[:-1], reference)]
    registry = write_export(tmp_path / "registry", people, grants)

    def warned() -> list[str]:
        outcome = quick_folder.call("plan", "--level", "B1", "--registry", registry, "--json")
        assert (outcome.code, outcome.json["held"]) == (0, [])
        return [one["value"] for one in outcome.json["warnings"] if "on the same evidence" in one["message"]]

    assert warned() == [A, foreign] * is_told
    only_one = quick_folder.call("issue", "--level", "B1", "--person", foreign, "--registry", registry)
    assert only_one.code == 0
    assert warned() == [A] * is_told
    second = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert (second.code, "Perhaps one person with two ids (1):" in second.out) == (0, is_told)
    assert warned() == []


def test_two_people_of_one_name_both_have_their_certificates_once_the_first_is_upheld_as_the_problem_says(
    quick_folder: Folder, tmp_path: Path
) -> None:
    name = ("Aina", "Fictícia", "Roig")
    registry = write_export(tmp_path / "registry", [(A, *name)], [b1_by_test(A)])
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    (first,) = quick_folder.certificates
    write_export(registry, [(A, *name), (B, *name)], [b1_by_test(B)])
    (problem,) = quick_folder.call("plan", "--level", "B1", "--registry", registry, "--json").json["problems"]
    assert "`reissue` with its day as --accredited-on, and --again" in problem["message"]
    upheld = ["--accredited-on", "2025-03-12", "--again", "--by", "The board", "--file", "1/2026"]
    grounds = ["--reason", "two people", *upheld, "--registry", registry, "--yes"]
    assert quick_folder.call("reissue", first.stem, *grounds).code == 0
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry, "--json")
    assert (outcome.code, len(outcome.json["issued"])) == (0, 1)
