"""The numbers of a report, and the page that shows them."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import pytest

from sealtool.ledger import Statistics
from sealtool.model import Problem
from sealtool.reporting.figures import Figures, OpenQuestions, figures, questions_of_export
from sealtool.reporting.figures_page import figures_page, is_earlier_page

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SOME = Statistics(
    by_level=Counter({("B1", "issued"): 12, ("B1", "superseded"): 2, ("C2", "revoked"): 1}),
    by_month=Counter({"2025-11": 9, "2026-02": 6}),
    by_procedures=Counter({("training",): 7, ("training", "test"): 5}),
    by_area=Counter({(1, "training"): 12, (2, "training"): 7, (2, "test"): 5}),
    days_to_certificate=Counter({7: 1, 8: 1, 31: 1, 400: 1}),
    runs=Counter({"finished": 3, "failed": 1}),
)


def report_of(statistics: Statistics = SOME, *, published: bool = False, **given: OpenQuestions) -> Figures:
    questions = given.get("questions", OpenQuestions())
    return figures(statistics, questions, made_at=NOW, since=date(2025, 1, 1), published=published)


def bars(report: Figures, key: str) -> dict[str, int]:
    (chart,) = (chart for chart in report.charts if chart.key == key)
    return {bar.name: bar.count for bar in chart.bars}


def test_a_level_counts_what_became_of_its_certificates() -> None:
    (chart,) = (chart for chart in report_of().charts if chart.key == "levels")
    (b1,) = (bar for bar in chart.bars if bar.name == "B1")
    assert dict(zip(chart.parts, b1.parts, strict=True)) == {"in force": 12, "superseded": 2, "revoked": 0}
    assert (report_of().issued, report_of().in_force) == (15, 12)


def test_a_certificate_counts_for_each_procedure_that_it_names() -> None:
    found = bars(report_of(), "procedures")
    assert (found["training"], found["specific test"], found["university degree"]) == (12, 5, 0)


def test_months_without_certificates_are_numbers_too() -> None:
    assert bars(report_of(), "months") == {"2025-11": 9, "2025-12": 0, "2026-01": 0, "2026-02": 6}


def test_a_wait_of_seven_days_is_up_to_a_week_and_of_eight_is_not() -> None:
    found = bars(report_of(), "waiting")
    assert (found["up to a week"], found["up to a month"], found["longer"]) == (1, 2, 1)


@pytest.mark.parametrize(
    ("days", "quartiles"),
    [
        ({5: 1}, (5, 5, 5)),
        ({1: 1, 2: 1, 3: 1, 4: 1}, (1, 2, 3)),
        ({1: 3, 100: 1}, (1, 1, 1)),
        ({1: 2, 100: 3}, (1, 100, 100)),
    ],
)
def test_quartiles_are_days_within_which_so_many_had_theirs(
    days: dict[int, int], quartiles: tuple[int, int, int]
) -> None:
    waiting = report_of(Statistics(days_to_certificate=Counter(days))).waiting
    assert waiting is not None
    assert (waiting.lower, waiting.median, waiting.upper) == quartiles


def test_problems_are_counted_by_place_and_say_nothing_of_what_they_hold() -> None:
    problems = [Problem("training.csv", line, "hours", "Aina", "of 10000000P") for line in (7, 9)]
    questions = questions_of_export(2, [*problems, Problem("people.csv", 3, "", "x", "y")])
    assert {bar.name: bar.count for bar in questions.problems} == {"training.csv, hours": 2, "people.csv": 1}
    page = figures_page(report_of(questions=questions)).decode()
    assert "training.csv, hours" in page
    assert "Aina" not in page
    assert "10000000P" not in page


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (1, "under 5"), (4, "under 5"), (5, "5")])
def test_a_published_report_leaves_small_counts_open(count: int, shown: str) -> None:
    report = report_of(Statistics(by_level=Counter({("B1", "issued"): count})), published=True)
    assert report.shown(count) == shown
    assert report.as_json()["issued"] == (None if shown == "under 5" else count)


def test_a_published_page_does_not_draw_what_it_leaves_open() -> None:
    few = Statistics(by_level=Counter({("A1", "issued"): 100, ("C2", "issued"): 3}))
    page = figures_page(report_of(few, published=True)).decode()
    assert 'width="3.00"' not in page
    assert 'width="3.00"' in figures_page(report_of(few)).decode()


def test_an_empty_ledger_has_a_page_too() -> None:
    page = figures_page(report_of(Statistics())).decode()
    assert "Nothing was issued in this time." in page


@pytest.mark.parametrize("published", [False, True])
def test_the_page_is_well_formed_stands_alone_and_runs_nothing(*, published: bool) -> None:
    page = figures_page(report_of(published=published)).decode()
    markup = re.sub(r"<(meta[^>]*)>", r"<\1/>", page.removeprefix("<!DOCTYPE html>\n"))
    ET.fromstring(markup)  # noqa: S314 - our own page
    assert not re.search(r"<script|https?:|url\(|@import|<link|<img", page)
    assert "default-src 'none'" in page


def test_every_chart_has_a_caption_a_heading_and_its_numbers_as_text() -> None:
    report = report_of()
    page = figures_page(report).decode()
    for chart in report.charts:
        section = page[page.index(f'aria-labelledby="{chart.key}"') :]
        section = section[: section.index("</section>")]
        assert f'<h2 id="{chart.key}">{chart.title}</h2>' in section
        assert "<caption>" in section
        for bar in chart.bars:
            assert report.shown(bar.count) in section
    assert page.count("<h1>") == 1


def test_only_a_page_written_here_is_known_as_one() -> None:
    assert is_earlier_page(figures_page(report_of())[:4096])
    assert not is_earlier_page(b"<!DOCTYPE html>\n<html>")
