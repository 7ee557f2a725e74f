"""``sealtool report`` on a ledger: counts that are right, and nobody's name among them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test

A, B, C = PEOPLE[:3]
NAMES = ("Aina Marisol", "Berenguera", "Climent")


@pytest.fixture
def registry(write_registry: Write) -> Path:
    grants = [b1_by_test(A), (B, "C2", "4", "observation", "2025-05-02", "ACTA-77"), (C, "B1", "", "degree", "x", "")]
    return write_registry([A, B, C], grants, names=NAMES)


@pytest.fixture
def issued(any_folder: Folder, registry: Path) -> Folder:
    assert any_folder.call("issue", "--level", "B1", "--level", "C2", "--registry", registry).code == 1  # one is held
    return any_folder


def test_what_was_issued_is_counted(issued: Folder) -> None:
    outcome = issued.call("report", "--json")
    assert outcome.code == 0
    levels = {one["name"]: one["count"] for one in outcome.json["charts"]["levels"]}
    assert (levels["B1"], levels["C2"], levels["A1"]) == (1, 1, 0)
    assert outcome.json["open_questions"]["held"] == 1
    assert outcome.json["runs"] == {"finished": 1}


def test_days_of_issue_bound_what_is_counted(issued: Folder) -> None:
    assert issued.call("report", "--json", "--to", "2025-01-01").json["issued"] == 0
    assert issued.call("report", "--json", "--from", "2025-01-01").json["issued"] == 2


def test_reissued_certificates_count_once_as_in_force(issued: Folder, registry: Path) -> None:
    (certificate,) = (path.stem for path in issued.certificates if path.parent.name == "B1")
    done = issued.call(
        "reissue", certificate, "--reason", "lost", "--registry", registry, "--again", "--yes", "--by", "X"
    )
    assert done.code == 0, done.err
    figures = issued.call("report", "--json").json
    assert (figures["issued"], figures["in_force"]) == (3, 2)
    (b1,) = (one for one in figures["charts"]["levels"] if one["name"] == "B1")
    assert b1["parts"] == {"in force": 1, "superseded": 1, "revoked": 0}


def test_an_export_tells_where_its_problems_are(issued: Folder, registry: Path) -> None:
    questions = issued.call("report", "--json", "--registry", registry).json["open_questions"]
    assert questions["held"] == 1
    assert {one["where"] for one in questions["problems"]} == {
        "accreditations.csv, granted_on",
        "accreditations.csv, procedure",
    }


def test_no_person_and_no_certificate_is_named(issued: Folder, registry: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    outcome = issued.call("report", "--output", page, "--registry", registry, "--json")
    assert outcome.code == 0
    told = page.read_text(encoding="utf-8") + outcome.out + outcome.err
    certificates = [path.stem for path in issued.certificates]
    assert len(certificates) == 2
    for secret in (*PEOPLE[:3], *NAMES, "Fictícia", "ACTA-77", "REF-1", *certificates):
        assert secret not in told


def test_the_page_is_for_its_owner_and_takes_the_place_of_an_earlier_one(quick_folder: Folder, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    for _ in range(2):
        assert quick_folder.call("report", "--output", page).code == 0
        assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_no_other_file_is_overwritten(quick_folder: Folder) -> None:
    ledger = quick_folder.path / "ledger.sqlite"
    before = ledger.read_bytes()
    outcome = quick_folder.call("report", "--output", ledger)
    assert outcome.code == 2
    assert "Nothing was written" in outcome.err
    assert ledger.read_bytes() == before


@pytest.mark.parametrize(
    "arguments", [(), ("--json", "--from", "2026-02-01", "--to", "2026-01-01"), ("--json", "--from", "1.2.2026")]
)
def test_a_call_that_means_nothing_is_wrong_usage(quick_folder: Folder, arguments: tuple[str, ...]) -> None:
    assert quick_folder.call("report", *arguments).code == 2
