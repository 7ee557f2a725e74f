"""The page of a report: every number as text, every drawing with a name, colours that stand out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from sealtool.ledger import Statistics
from sealtool.reporting.charts import Bar, Chart
from sealtool.reporting.figures import Export, Figures, LastRun, Trouble
from sealtool.reporting.figures_page import drawn_columns, figures_page, is_earlier_page, length, lengths, rows_of_years
from tests.unit.reporting.colours import contrast
from tests.unit.reporting.test_figures import SOME, report_of

EXPORT = Export(24, 21, (Trouble("training.csv", "hours", "no number of hours", 12), Trouble("people.csv", "", "x", 9)))
RUN = LastRun("issue A1 B1", "2026-11-23", 24, 21, 3, 2, 1)
FULL = report_of(export=EXPORT, last=RUN)
EMPTY = report_of(Statistics())


def parsed(page: bytes) -> ET.Element:
    """The page as XML, which is stricter than a browser."""
    text = page.decode("utf-8").removeprefix("<!DOCTYPE html>\n")
    return ET.fromstring(re.sub(r"<(meta[^>]*)>", r"<\1/>", text))  # noqa: S314 - our own page


def text_of(element: ET.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def sections(page: ET.Element) -> dict[str, ET.Element]:
    return {str(one.get("aria-labelledby")): one for one in page.iter("section")}


@pytest.fixture(
    params=[FULL, FULL.for_everybody(), report_of(last=RUN), EMPTY, EMPTY.for_everybody()],
    ids=["full", "for everybody", "no export", "empty", "empty for everybody"],
)
def report(request: pytest.FixtureRequest) -> Figures:
    found: Figures = request.param
    return found


def test_the_page_is_well_formed_stands_alone_and_runs_nothing(report: Figures) -> None:
    page = figures_page(report)
    elements = {element.tag for element in parsed(page).iter()}
    assert not elements & {"script", "link", "img", "iframe", "object", "form", "base", "a"}
    assert not re.search(rb"https?:|url\(|@import| on\w+=", page)
    assert b"default-src 'none'; style-src 'unsafe-inline'" in page


def test_headings_are_in_order_and_name_their_sections(report: Figures) -> None:
    page = parsed(figures_page(report))
    ranks = [int(one.tag[1]) for one in page.iter() if re.fullmatch("h[1-6]", one.tag)]
    assert ranks[0] == 1
    assert ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))
    assert list(sections(page)) == [one.get("id") for one in page.iter("h2")]
    assert page.get("lang") == "en"


def test_every_id_is_there_once_and_every_name_refers_to_one(report: Figures) -> None:
    page = parsed(figures_page(report))
    ids = [str(one.get("id")) for one in page.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    for one in page.iter():
        assert set((one.get("aria-labelledby") or "").split()) <= set(ids)


def test_every_drawing_has_a_name_or_is_told_by_the_numbers_beside_it(report: Figures) -> None:
    for drawing in parsed(figures_page(report)).iter("svg"):
        if drawing.get("aria-hidden") != "true":
            title, about = drawing.find("title"), drawing.find("desc")
            assert drawing.get("role") == "img"
            assert title is not None
            assert about is not None
            assert drawing.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
            assert text_of(title)
            assert "table that follows" in text_of(about)


def test_every_chart_has_all_its_numbers_in_a_table_with_a_caption_and_headers() -> None:
    page = parsed(figures_page(FULL))
    for chart in FULL.charts:
        (table,) = sections(page)[chart.key].iter("table")
        caption = table.find("caption")
        assert caption is not None
        assert text_of(caption) == f"{chart.title}: {chart.about}"
        assert {one.get("scope") for one in table.iter("th")} == {"col", "row"}
        cells = Counter(text_of(cell) for cell in table.iter("td"))
        for bar in chart.bars:
            for number in (bar.count, *bar.parts):
                cells[f"{number:,}"] -= 1
        for year in chart.years:
            cells[f"{year.count:,}"] -= 1
        assert {text: left for text, left in cells.items() if left and text} == {}


def test_tables_stay_tables_for_whoever_hears_them_where_they_are_laid_out_otherwise() -> None:
    """What a narrow window takes apart loses its meaning in browsers, unless it is said again."""
    roles = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
    for table in parsed(figures_page(FULL)).iter("table"):
        if table.get("class"):
            for one in table.iter():
                assert one.get("role") == roles.get(one.tag, one.get("role")), one.tag
            assert {one.get("role") for one in table.iter("th")} == {"columnheader", "rowheader"}


def test_who_is_held_and_why_is_told_by_what_is_known() -> None:
    held = text_of(sections(parsed(figures_page(FULL)))["held"])
    for told in (
        "21 problems hold 24 people",
        "no number of hours",
        "training.csv, hours",
        "issue A1 B1",
        "2026-11-23",
    ):
        assert told in held
    assert "found 21 problems" in text_of(sections(parsed(figures_page(report_of(last=RUN))))["held"])
    assert "No run has read" in text_of(sections(parsed(figures_page(EMPTY)))["held"])


def test_rates_of_what_was_superseded_and_revoked_are_told_and_of_nothing_there_are_none() -> None:
    levels = text_of(sections(parsed(figures_page(FULL)))["levels"])
    assert "Of 18, 2 (11.1%) were superseded and 1 (5.6%) revoked." in levels
    assert "%" not in text_of(sections(parsed(figures_page(EMPTY)))["levels"])


def test_the_top_says_for_whom_the_page_is() -> None:
    assert "It is for the office" in figures_page(FULL).decode()
    everybody = figures_page(FULL.for_everybody()).decode()
    assert "It is for the office" not in everybody
    assert "rounded to a multiple of 5" in everybody


def test_an_empty_ledger_has_a_page_too() -> None:
    page = parsed(figures_page(EMPTY))
    assert "None in this time." in text_of(sections(page)["levels"])
    assert list(page.iter("table")) == []


@pytest.mark.parametrize("chart", [one for one in FULL.charts if one.parts], ids=lambda chart: chart.key)
def test_parts_are_told_apart_by_words_and_not_by_colour_alone(chart: Chart) -> None:
    section = sections(parsed(figures_page(FULL)))[chart.key]
    headers = [text_of(one) for one in section.iter("th") if one.get("scope") == "col"]
    assert headers[2:] == list(chart.parts.values())
    told = {one.get("data-part") for one in section.iter("td") if one.get("data-part")}
    assert told == set(chart.parts.values())


def test_only_a_page_written_here_is_known_as_one() -> None:
    assert is_earlier_page(figures_page(FULL)[:4096])
    assert not is_earlier_page(b"<!DOCTYPE html>\n<html>")


# --- drawing --------------------------------------------------------------------------------------


def months(*counts: int) -> Chart:
    bars = tuple(Bar(f"{2020 + place // 12}-{place % 12 + 1:02}", "", count) for place, count in enumerate(counts))
    years = tuple(Bar(year, year, 0) for year in sorted({bar.key[:4] for bar in bars}))
    return replace(FULL.charts[-3], bars=bars, years=years)


@pytest.mark.parametrize(
    ("longest", "lines"),
    [
        (1, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6"]),
        (9, ["0", "5", "10"]),
        (434, ["0", "200", "400", "600"]),
        (800_000, ["0", "200,000", "400,000", "600,000", "800,000"]),
    ],
)
def test_a_few_round_lines_reach_as_high_as_the_highest_column(longest: int, lines: list[str]) -> None:
    drawn = drawn_columns(months(longest))
    assert [line.text for line in drawn.lines] == lines
    ((_, _, height),) = drawn.columns
    assert height == pytest.approx(100 * longest / int(lines[-1].replace(",", "")))


def test_what_is_not_nothing_can_be_seen_and_nothing_cannot() -> None:
    assert length(0, 1000) == 0
    assert length(1, 100_000) == pytest.approx(0.8)
    assert length(500, 1000) == pytest.approx(50)
    assert lengths([0, 0], 0, 10) == [0, 0]
    assert sum(lengths([1, 2, 1], 4, 8)) == pytest.approx(50)


@pytest.mark.parametrize(("number", "letters"), [(1, 1), (24, 24), (25, 0)])
def test_months_have_their_letters_as_long_as_there_is_room(number: int, letters: int) -> None:
    drawn = drawn_columns(months(*[3] * number))
    assert len(drawn.letters) == letters
    assert len(drawn.columns) == number
    left, width, _ = drawn.columns[-1]
    assert left + width < 100


def test_a_year_of_one_month_is_not_written_into_the_next_year() -> None:
    chart = months(*[3] * 25)
    assert [mark.text for mark in drawn_columns(chart).years] == ["2020", "2021"]
    assert [mark.text for mark in drawn_columns(months(3)).years] == ["2020"]


def test_the_table_of_months_leaves_open_what_is_outside() -> None:
    (year, counts), *_ = rows_of_years(months(*[4] * 13))
    assert (year.key, counts) == ("2020", [4] * 12)
    *_, (_, counts) = rows_of_years(months(*[4] * 13))
    assert counts == [4, *[None] * 11]


# --- colours --------------------------------------------------------------------------------------


def _palettes() -> dict[str, dict[str, str]]:
    rules = re.findall(r":root \{([^}]*)\}", figures_page(FULL).decode())
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", one)) for one in rules]
    return dict(zip(("light", "dark", "print"), found, strict=True))


PALETTES = _palettes()


@pytest.mark.parametrize("name", ["light", "dark", "print"])
def test_text_stands_out_from_every_ground(name: str) -> None:
    palette = PALETTES[name]
    for ink in ("ink", "quiet"):
        for ground in ("paper", "shade"):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("name", ["light", "dark", "print"])
def test_bars_stand_out_from_the_ground_they_lie_on(name: str) -> None:
    """The first part is the bar where there are no others: WCAG 2.2, 1.4.11. The others are told by numbers, too."""
    palette = PALETTES[name]
    for part in ("part-0", "part-2", "part-4"):
        for ground in ("paper", "shade"):
            assert contrast(palette[part], palette[ground]) >= 3, (part, ground)


def test_every_part_that_a_chart_can_have_has_a_colour() -> None:
    most = max(len(chart.parts) for chart in FULL.charts)
    assert most == 6
    for palette in PALETTES.values():
        assert len({palette[f"part-{number}"] for number in range(most)}) == most


def test_some_is_what_the_examples_have_in_every_chart() -> None:
    assert all(chart.longest for chart in report_of(SOME).charts)
