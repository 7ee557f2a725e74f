"""``sealtool report`` on a ledger: counts that are right, and nobody's name among them."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.exports import write_plain_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, b1_by_test

A, B, C, D = PEOPLE[:4]
NAMES = ("Aina Marisol", "Berenguera", "Climent", "Dolça")
SCHEMA = json.loads((REPOSITORY / "docs" / "schemas" / "report-1.schema.json").read_bytes())


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return export(tmp_path / "registry")


def export(place: Path) -> Path:
    """A has B1, B has areas 4 and 6 of C2, C is held, D has nothing."""
    grants = [
        b1_by_test(A),
        (B, "C2", "4", "observation", "2025-05-02", "ACTA-77"),
        (B, "C2", "6", "evidence", "2025-06-02", "ACTA-78"),
        (C, "B1", "", "degree", "x", ""),
    ]
    return write_plain_export(place, [A, B, C, D], grants, NAMES)


def issue(folder: Folder, registry: Path, *arguments: object) -> Folder:
    outcome = folder.call("issue", "--level", "B1", "--level", "C2", "--registry", registry, *arguments)
    assert outcome.code == 1  # one is held
    return folder


@pytest.fixture(scope="module")
def issued_once(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Not to be touched."""
    place = tmp_path_factory.mktemp("report")
    return issue(quick_demo_folder.copied_to(place / "work"), export(place / "registry"))


def figures(folder: Folder, *arguments: object) -> dict[str, Any]:
    outcome = folder.call("report", "--json", *arguments)
    assert outcome.code == 0, outcome.err
    jsonschema.Draft202012Validator(SCHEMA).validate(outcome.json)
    found: dict[str, Any] = outcome.json
    return found


def chart(found: dict[str, Any], key: str) -> dict[str, int]:
    return {one["key"]: one["count"] for one in found["charts"][key] if one["count"]}


def test_what_was_issued_is_counted_in_each_kind_of_database(any_folder: Folder, registry: Path) -> None:
    issued = issue(any_folder, registry)
    found = figures(issued)
    assert (found["issued"], found["in_force"], found["people"]) == (3, 3, 2)
    assert chart(found, "levels") == {"B1": 1, "C2": 2}
    assert chart(found, "procedures") == {"test": 1, "observation": 1, "evidence": 1}
    assert chart(found, "areas") == dict.fromkeys("123456", 1)
    assert chart(found, "c2_areas") == {"4": 1, "6": 1}
    assert chart(found, "months") == {issued.workspace.today().isoformat()[:7]: 3}
    assert chart(found, "months_of_accreditation") == {"2025-03": 1, "2025-05": 1, "2025-06": 1}
    assert found["runs"] == {"finished": 1}
    assert figures(issued, "--from", "2025-01-01", "--to", "2025-12-31")["issued"] == 0
    assert figures(issued, "--from", "2025-01-01")["people"] == 2
    assert figures(issued, "--from", "01/01/2025", "--to", "31/12/2025")["issued"] == 0
    assert figures(issued, "--from", "01/01/2025", "--to", "31/12/2999")["people"] == 2


def test_the_time_to_the_certificate_is_counted_in_days(issued: Folder) -> None:
    today = issued.workspace.today()
    waited = sorted((today - type(today).fromisoformat(day)).days for day in ("2025-03-12", "2025-05-02", "2025-06-02"))
    assert list(figures(issued)["days_to_certificate"].values()) == waited


def test_days_of_issue_bound_what_is_counted_and_belong_to_it(issued: Folder) -> None:
    today = issued.workspace.today().isoformat()
    before = figures(issued, "--to", "2025-12-31")
    assert (before["people"], before["runs"], before["charts"]["months"]) == (0, {}, [])
    assert figures(issued, "--from", today, "--to", today)["issued"] == 3


def test_a_reissue_and_a_revocation_are_counted_for_what_they_are(issued: Folder, registry: Path) -> None:
    b1, c2 = (next(path.stem for path in issued.certificates if path.parent.name == level) for level in ("B1", "C2"))
    because = ("--reason", "lost", "--yes", "--by", "X")
    assert issued.call("reissue", b1, *because, "--registry", registry, "--again").code == 0
    assert issued.call("revoke", c2, *because).code == 0
    found = figures(issued)
    assert (found["issued"], found["in_force"], found["superseded"], found["revoked"]) == (4, 2, 1, 1)
    assert chart(found, "c2_areas").keys() < {"4", "6"}
    assert sum(chart(found, "waiting").values()) == 3  # the successor is no first certificate
    assert found["last_run"]["command"] == "issue B1 C2"


def test_an_export_tells_why_people_are_held_and_the_last_run_how_many(issued: Folder, registry: Path) -> None:
    told = figures(issued)
    assert (told["held"], told["export"], told["last_run"]["held"]) == (1, None, 1)
    told = figures(issued, "--registry", registry)
    assert (told["held"], told["export"]["problems"]) == (1, 2)
    assert [tuple(one.values()) for one in told["export"]["kinds"]] == [
        ("accreditations.csv", "granted_on", "no date", 1),
        ("accreditations.csv", "procedure", "a procedure that does not grant the level", 1),
    ]


def test_the_configured_export_is_read_where_none_is_named(issued: Folder, registry: Path, tmp_path: Path) -> None:
    issued.configure("[registry]\n", f'[registry]\nfolder = "{registry}"\n')
    assert figures(issued)["export"]["held"] == 1
    (registry / "people.csv").unlink()
    page = tmp_path / "report.html"
    outcome = issued.call("report", "--output", page)
    assert (outcome.code, page.exists()) == (4, False)


def test_a_run_for_one_person_does_not_hide_who_else_is_held(issued: Folder, registry: Path) -> None:
    issue(issued, registry, "--person", A)
    assert figures(issued)["held"] == 1


def test_no_person_and_no_certificate_is_named(issued: Folder, registry: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    outcome = issued.call("report", "--output", page, "--registry", registry, "--json")
    assert outcome.code == 0
    told = page.read_text(encoding="utf-8") + outcome.out + outcome.err
    certificates = [path.stem for path in issued.certificates]
    assert len(certificates) == 3
    for secret in (A, B, C, D, *NAMES, "Fictícia", "ACTA-7", "REF-1", *certificates):
        assert secret not in told
    assert not re.search(r"\b[0-9XYZ][0-9]{7}[A-Z]\b", told)  # the shape of a DNI or NIE


def test_what_everybody_may_see_has_no_count_of_a_few(issued: Folder, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    issued.call("report", "--output", page)
    exact = page.read_text(encoding="utf-8")
    assert issued.call("report", "--output", page, "--publish").code == 0
    found = figures(issued, "--publish")
    assert (found["issued"], found["people"], found["rounded_to"], found["days_to_certificate"]) == (5, 0, 5, None)
    cell = '<td role="cell" class="number sum">1</td>'
    assert cell in exact
    assert cell not in page.read_text(encoding="utf-8")


def test_an_empty_ledger_has_a_report_too(quick_folder: Folder, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert quick_folder.call("report", "--output", page).code == 0
    found = figures(quick_folder)
    assert (found["issued"], found["held"], found["last_run"], found["runs"]) == (0, None, None, {})


def test_the_page_is_for_its_owner_and_takes_the_place_of_an_earlier_one(quick_folder: Folder, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    for _ in range(2):
        assert quick_folder.call("report", "--output", page).code == 0
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.html"]


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
