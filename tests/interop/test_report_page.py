"""The page of ``sealtool report`` in a real browser: nothing sticks out, nothing is fetched, it prints."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealtool.ledger import Statistics
from sealtool.model import Level, Procedure
from sealtool.reporting.figures import Export, Figures, LastRun, Trouble, figures
from sealtool.reporting.figures_page import figures_page
from tests.interop.browser import Tab, browser
from tests.interop.java_judges import require

pytestmark = pytest.mark.interop

WIDTHS = (320, 390, 768, 1280)
"""A small telephone (WCAG 2.2, 1.4.10), a usual one, a tablet, a desk."""

_STICKING_OUT = """
    [...document.querySelectorAll('main *')].filter(one => {
      const box = one.getBoundingClientRect();
      return one.tagName != 'CAPTION' && box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
    }).map(one => one.outerHTML.slice(0, 200))
"""
_WRITTEN_OVER = """
    [...document.querySelectorAll('.number, .totals dd, .scale, .letters, .years')].flatMap(one => {
      const marks = [...one.children].map(mark => mark.getBoundingClientRect()).filter(box => box.width);
      const across = (a, b) => a.left < b.right - 1 && b.left < a.right - 1;
      const met = (a, b) => across(a, b) && a.top < b.bottom - 1 && b.top < a.bottom - 1;
      const meeting = marks.some((box, place) => marks.slice(place + 1).some(other => met(box, other)));
      const cut = one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1;
      return meeting || cut ? [one.outerHTML.slice(0, 200)] : [];
    })
"""


def large() -> Figures:
    """Ten years of large numbers in every place."""
    procedures = [str(procedure) for procedure in Procedure]
    months = [f"{year}-{month:02}" for year in range(2026, 2036) for month in range(1, 13)]
    statistics = Statistics(
        by_level=Counter({(str(level), state): 123_456 for level in Level for state in ("issued", "revoked")}),
        by_month=Counter({month: 12_345 + 100 * place for place, month in enumerate(months)}),
        by_month_of_accreditation=Counter(dict.fromkeys(months, 23_456)),
        by_procedures=Counter({tuple(procedures): 740_736}),
        by_area=Counter(
            {(level, area, one): 123_456 for level in ("A1", "C2") for area in range(1, 7) for one in procedures}
        ),
        days_to_certificate=Counter({3: 100, 40: 200_000, 900: 7}),
        people=543_210,
        runs=Counter({"finished": 3650, "failed": 3}),
    )
    troubles = tuple(Trouble("accreditations.csv", "granted_on", f"kind {number}", 1000) for number in range(20))
    return figures(
        statistics,
        made_at=datetime(2026, 12, 31, 12, 0, tzinfo=UTC),
        export=Export(1234, 20_000, troubles),
        last_run=LastRun("issue A1 A2 B1 B2 C1 C2", "2035-12-31", 1234, 20_000, 12, 3, 0),
    )


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_bytes(figures_page(large()))
    return file


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_of_the_window_or_is_cut_off(tab: Tab, page: Path, width: int) -> None:
    tab.open(page, width=width)
    assert tab.tell("document.documentElement.scrollWidth") <= width
    assert tab.tell(_STICKING_OUT) == []
    assert tab.tell(_WRITTEN_OVER) == []


def test_what_sticks_out_is_noticed(tab: Tab, page: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.html"
    wide.write_text(page.read_text(encoding="utf-8").replace("<main>", "<main><p style='width:900px'>x</p>"), "utf-8")
    tab.open(wide, width=390)
    assert tab.tell("document.documentElement.scrollWidth") > 390
    assert len(tab.tell(_STICKING_OUT)) == 1


def test_it_asks_for_nothing_and_the_browser_has_nothing_to_say_against_it(tab: Tab, page: Path) -> None:
    tab.open(page, width=1280)
    assert tab.requests == [page.as_uri()]
    assert tab.complaints == []


def test_what_it_would_fetch_or_run_is_noticed_and_forbidden(tab: Tab, page: Path, tmp_path: Path) -> None:
    """Its own policy holds in the browser, whoever wrote something into the page."""
    told = page.read_text(encoding="utf-8")
    intruder = "<img src='report.png'><script>document.title = 'was run'</script>"
    file = tmp_path / "report.html"
    file.write_text(told.replace("</main>", f"{intruder}</main>"), encoding="utf-8")
    tab.open(file, width=1280)
    assert len(tab.complaints) >= 2
    assert tab.tell("document.title") == "Certificates of digital competence in numbers"


@pytest.mark.parametrize("width", [390, 1280])
def test_whoever_hears_the_page_gets_its_headings_drawings_and_tables(tab: Tab, page: Path, width: int) -> None:
    """In a narrow window, too, where the tables are laid out in another way."""
    tab.open(page, width=width)
    told = tab.ask("Accessibility.getFullAXTree")["nodes"]
    seen = [one for one in told if not one["ignored"]]
    roles = Counter(one["role"]["value"] for one in seen)
    named = [one for one in seen if one["role"]["value"] in {"image", "img", "table", "heading", "region"}]
    assert all(one["name"]["value"] for one in named)
    assert (roles["image"] + roles["img"], roles["table"], roles["region"]) == (2, 10, 9)
    assert roles["rowheader"] == 6 + 6 + 6 + 6 + 10 + 10 + 6 + 20 + 3 + 2
    assert roles["columnheader"] == 5 + 2 + 8 + 2 + 14 + 14 + 2 + 2 + 2 + 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_bright_as_the_reader_likes(tab: Tab, page: Path, scheme: str) -> None:
    tab.open(page, width=1280, media={"prefers-color-scheme": scheme})
    ground = tab.tell("getComputedStyle(document.querySelector('main')).backgroundColor")
    red, green, blue = map(int, re.findall(r"\d+", ground))
    assert (red + green + blue > 600) == (scheme == "light")


@pytest.mark.parametrize("millimetres", [0, 60, 120])
def test_it_prints_on_a_few_sheets_of_a4_and_cuts_no_chart_in_two(
    tab: Tab, page: Path, tmp_path: Path, millimetres: int
) -> None:
    """Wherever on its sheet a chart would begin."""
    require("pdfinfo", "pdftotext")
    pushed, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    space = f"<main><p style='height:{millimetres}mm'></p>"
    pushed.write_text(page.read_text(encoding="utf-8").replace("<main>", space), encoding="utf-8")
    tab.open(pushed, width=1280, media={"prefers-color-scheme": "dark"})
    printed.write_bytes(tab.print())
    told = subprocess.run(["pdfinfo", printed], capture_output=True, text=True, check=True).stdout
    assert "(A4)" in told
    pages = re.search(r"Pages:\s+(\d+)", told)
    assert pages is not None
    assert 3 <= int(pages[1]) <= 6
    text = subprocess.run(["pdftotext", "-layout", printed, "-"], capture_output=True, text=True, check=True).stdout
    for chart in large().charts:
        last = chart.years[-1].name if chart.years else chart.bars[-1].name
        (sheet,) = (one for one in text.split("\f") if re.search(rf"^\s*{chart.title}$", one, re.MULTILINE))
        below = sheet[re.search(rf"^\s*{chart.title}$", sheet, re.MULTILINE).end() :]  # type: ignore[union-attr]
        assert re.search(rf"^\s*{re.escape(last)}\s.*\d", below, re.MULTILINE), chart.title


def test_it_can_be_looked_at(tab: Tab, page: Path) -> None:
    tab.open(page, width=390)
    picture = tab.picture()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 50_000
