"""The numbers of a report: what counts for what, at both sides of each border; and what everybody may see of them."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest

from sealtool.ledger import RunState, RunSummary, Statistics
from sealtool.model import Area, Procedure, RunId
from sealtool.reporting.charts import Bar, Chart
from sealtool.reporting.figures import ENOUGH, STEP, Export, Figures, LastRun, Problem, export_of, figures, last_run
from sealtool.reporting.kinds import KINDS, OTHER, kind_of

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "docs" / "schemas" / "report-1.schema.json").read_bytes())
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SOME = Statistics(
    by_level=Counter({("B1", "issued"): 12, ("B1", "superseded"): 2, ("C2", "revoked"): 1, ("C2", "issued"): 3}),
    by_month=Counter({"2025-11": 9, "2026-02": 9}),
    by_month_of_accreditation=Counter({"2024-03": 15}),
    by_procedures=Counter({("training",): 7, ("training", "test"): 5}),
    by_area=Counter(
        {("B1", 1, "training"): 12, ("B1", 2, "training"): 7, ("A1", 2, "test"): 5, ("C2", 2, "evidence"): 3}
    ),
    days_to_certificate=Counter({7: 1, 8: 1, 31: 1, 400: 1}),
    people=11,
    runs=Counter({"finished": 3, "failed": 1}),
)
PROBLEMS = [Problem("training.csv", line, "hours", "Aina", "This is no number of hours.") for line in (7, 9)]


def report_of(statistics: Statistics = SOME, *, export: Export | None = None, last: LastRun | None = None) -> Figures:
    return figures(statistics, made_at=NOW, since=date(2025, 1, 1), export=export, last_run=last)


def chart(report: Figures, key: str) -> Chart:
    (found,) = (one for one in report.charts if one.key == key)
    return found


def counts(report: Figures, key: str) -> dict[str, int]:
    return {bar.key: bar.count for bar in chart(report, key).bars}


def parts(report: Figures, key: str, bar: str) -> dict[str, int]:
    found = chart(report, key)
    (one,) = (one for one in found.bars if one.key == bar)
    return dict(zip(found.parts, one.parts, strict=True))


def test_a_level_counts_what_became_of_its_certificates() -> None:
    report = report_of()
    assert parts(report, "levels", "B1") == {"issued": 12, "superseded": 2, "revoked": 0}
    assert counts(report, "levels") == {"A1": 0, "A2": 0, "B1": 14, "B2": 0, "C1": 0, "C2": 4}
    assert (report.issued, report.in_force, report.superseded, report.revoked, report.people) == (18, 15, 2, 1, 11)


def test_a_certificate_counts_for_each_procedure_that_it_names() -> None:
    found = counts(report_of(), "procedures")
    assert (found["training"], found["test"], found["degree"]) == (12, 5, 0)
    assert set(found) == set(Procedure)


def test_an_area_counts_by_its_procedures_over_all_levels_and_c2_stands_by_itself() -> None:
    report = report_of()
    assert parts(report, "areas", "2") == dict.fromkeys(Procedure, 0) | {"training": 7, "test": 5}
    assert counts(report, "areas")["2"] == 12
    assert counts(report, "c2_areas") == {str(int(area)): 3 if area == 2 else 0 for area in Area}


def test_months_without_certificates_are_numbers_too_and_years_have_their_sums() -> None:
    report = report_of()
    assert counts(report, "months") == {"2025-11": 9, "2025-12": 0, "2026-01": 0, "2026-02": 9}
    assert [(year.key, year.count) for year in chart(report, "months").years] == [("2025", 9), ("2026", 9)]
    assert counts(report, "months_of_accreditation") == {"2024-03": 15}


@pytest.mark.parametrize(
    ("days", "place"),
    [
        *((0, "7"), (7, "7"), (8, "31"), (31, "31"), (32, "92"), (92, "92"), (93, "183")),
        *((183, "183"), (184, "365"), (365, "365"), (366, "longer"), (5000, "longer")),
    ],
)
def test_a_wait_belongs_to_the_first_border_that_it_does_not_pass(days: int, place: str) -> None:
    found = counts(report_of(Statistics(days_to_certificate=Counter({days: 2}))), "waiting")
    assert found == dict.fromkeys(("7", "31", "92", "183", "365", "longer"), 0) | {place: 2}


@pytest.mark.parametrize(
    ("days", "quartiles"),
    [
        ({5: 1}, (5, 5, 5)),
        ({1: 1, 2: 1, 3: 1, 4: 1}, (1, 2, 3)),
        ({1: 3, 100: 1}, (1, 1, 1)),
        ({1: 2, 100: 3}, (1, 100, 100)),
        ({1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, (2, 3, 4)),
    ],
)
def test_quartiles_are_days_within_which_so_many_had_theirs(
    days: dict[int, int], quartiles: tuple[int, int, int]
) -> None:
    waiting = report_of(Statistics(days_to_certificate=Counter(days))).waiting
    assert waiting is not None
    assert (waiting.lower, waiting.median, waiting.upper) == quartiles


# --- held, and why --------------------------------------------------------------------------------


def test_problems_are_counted_by_place_and_kind_the_most_frequent_first() -> None:
    export = export_of(2, [Problem("people.csv", 3, "", "x", "The row has 3 cells."), *PROBLEMS])
    assert [(one.file, one.column, one.kind, one.count) for one in export.troubles] == [
        ("training.csv", "hours", "no number of hours", 2),
        ("people.csv", "", "a wrong number of cells", 1),
    ]
    assert (export.held, export.problems) == (2, 3)


def test_the_last_run_tells_what_it_left_to_humans() -> None:
    counted = {"issued": 5, "held": 3, "problems": 4, "changed": 2, "lost": 1, "message": "x"}
    run = RunSummary(RunId("x"), "issue B1", RunState.FINISHED, datetime(2026, 11, 23, 3, tzinfo=UTC), None, counted)
    assert last_run(run) == LastRun("issue B1", "2026-11-23", held=3, problems=4, changed=2, lost=1, failed=0)
    assert last_run(None) is None


def test_an_export_knows_better_than_the_last_run_who_is_held() -> None:
    run = LastRun("issue B1", "2026-11-23", 3, 4, 0, 0, 0)
    assert report_of(export=Export(2, 1, ()), last=run).held == 2
    assert report_of(last=run).held == 3
    assert report_of().held is None


def _faults() -> Iterator[str]:
    """The messages of faults in cells, as far as they are always the same."""
    for file in (REPOSITORY / "sealtool" / "registry").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "CellFault":
                text = node.args[0]
                pieces = text.values if isinstance(text, ast.JoinedStr) else [text]
                yield "This " + "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in pieces)


def test_every_fault_that_a_cell_can_have_is_of_a_kind() -> None:
    faults = list(_faults())
    assert len(faults) > 12
    assert [one for one in faults if kind_of(Problem("f", 2, "c", "v", one)) == OTHER] == []


def test_a_message_that_nobody_knows_is_something_else_and_stays_out() -> None:
    assert kind_of(Problem("f", 2, "c", "v", "Aina Fictícia, 10000000P")) == OTHER
    assert len({words for words, _ in KINDS}) == len(KINDS)


# --- for everybody --------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, 0), (2, 0), (3, 5), (7, 5), (8, 10), (1_000_002, 1_000_000)])
def test_what_everybody_may_see_is_rounded_to_the_nearest_step(count: int, shown: int) -> None:
    report = report_of(Statistics(by_level=Counter({("B1", "revoked"): count}), people=count)).for_everybody()
    assert (report.issued, report.revoked, report.people, report.step) == (shown, shown, shown, 5)
    assert parts(report, "levels", "B1") == {"issued": 0, "superseded": 0, "revoked": shown}


def test_nothing_that_everybody_may_see_can_be_found_out_from_its_sum() -> None:
    """Were sums made of rounded parts, or parts left open one by one, the difference would tell the part."""
    report = report_of(export=export_of(4, PROBLEMS * 2), last=LastRun("issue B1", "2026-11-23", 1, 4, 1, 6, 7))
    told = json.dumps({name: value for name, value in report.for_everybody().as_json().items() if name not in EXACT})
    numbers = [value for value in _numbers(json.loads(told)) if value % STEP]
    assert numbers == []
    assert [value for value in _numbers(report.as_json()["charts"]) if value % STEP]  # which they were not before
    assert counts(report.for_everybody(), "levels")["B1"] == 15  # 14, and not 10 and 0
    assert [year.count for year in chart(report.for_everybody(), "months").years] == [10, 10]  # 9 and 9


EXACT = {"runs", "days_to_certificate"}
"""Of no person, and told of many only."""


def _numbers(value: object) -> Iterator[int]:
    match value:
        case dict():
            for one in value.values():
                yield from _numbers(one)
        case list():
            for one in value:
                yield from _numbers(one)
        case int():
            yield value


@pytest.mark.parametrize(("certificates", "told"), [(ENOUGH - 1, False), (ENOUGH, True)])
def test_everybody_is_told_how_long_it_took_only_where_that_is_nobodys_own_time(certificates: int, told: bool) -> None:
    report = report_of(Statistics(days_to_certificate=Counter({9: certificates})))
    assert report.waiting is not None
    assert (report.for_everybody().waiting is not None) == told


def test_a_kind_of_problem_that_is_too_rare_is_not_told_at_all() -> None:
    export = report_of(export=export_of(9, PROBLEMS)).for_everybody().export
    assert export is not None
    assert export.troubles == ()


# --- JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistics", [SOME, Statistics()], ids=["some", "none"])
@pytest.mark.parametrize("export", [None, export_of(2, PROBLEMS)], ids=["no export", "export"])
@pytest.mark.parametrize("everybody", [False, True])
def test_the_json_is_as_the_published_schema_says(statistics: Statistics, export: Export, *, everybody: bool) -> None:
    report = report_of(statistics, export=export, last=LastRun("issue B1", "2026-11-23", 3, 4, 0, 0, 0))
    document = (report.for_everybody() if everybody else report).as_json()
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(document)))


def test_the_schema_has_no_place_for_anything_else() -> None:
    document = report_of().as_json()
    for told in ({**document, "name": "x"}, {**document, "charts": {**document["charts"], "people": []}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(told)))


def test_bars_of_one_chart_have_the_parts_of_the_chart() -> None:
    report = report_of()
    broken = replace(chart(report, "levels"), bars=(Bar("B1", "B1", 3, (1, 2)),))
    with pytest.raises(ValueError, match="shorter"):
        replace(report, charts=(broken,)).as_json()
