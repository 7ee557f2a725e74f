"""The page of ``sealtool report`` in a real browser: nothing sticks out, nothing is fetched, it prints."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealtool.ledger import Statistics
from sealtool.model import Level, Procedure
from sealtool.reporting.figures import OpenQuestions, figures
from sealtool.reporting.figures_page import figures_page
from tests.interop.java_judges import require

pytestmark = pytest.mark.interop

_MEASURE = "<script>document.title = document.documentElement.scrollWidth + ' in ' + innerWidth</script>"
_PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def page() -> str:
    """With large numbers in every place."""
    procedures = [str(procedure) for procedure in Procedure]
    statistics = Statistics(
        by_level=Counter({(str(level), state): 123_456 for level in Level for state in ("issued", "revoked")}),
        by_month=Counter({f"2026-{month:02}": 40_000 for month in range(1, 13)}),
        by_procedures=Counter({tuple(procedures): 740_736}),
        by_area=Counter({(area, procedure): 123_456 for area in range(1, 7) for procedure in procedures}),
        days_to_certificate=Counter({3: 100, 40: 200_000, 900: 7}),
        runs=Counter({"finished": 365}),
    )
    made_at = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
    return figures_page(figures(statistics, OpenQuestions("the registry export", 24), made_at=made_at)).decode()


def browser(folder: Path, *arguments: str) -> str:
    require("chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    answer = subprocess.run(
        ["chromium", *options, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE_SECONDS,
        cwd=folder,
    )
    return answer.stdout


@pytest.mark.parametrize("width", [500, 1280])  # the least that the browser's own window can have, and a desk's
def test_nothing_sticks_out_of_the_window(page: str, width: int, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    # the page lets nothing run; what measures it here is allowed to
    file.write_text(page.replace("default-src 'none'; ", "").replace("</body>", f"{_MEASURE}</body>"), encoding="utf-8")
    seen = browser(tmp_path, f"--window-size={width},900", "--dump-dom", file.as_uri())
    measured = re.search(r"<title>(\d+) in (\d+)</title>", seen)
    assert measured is not None
    assert int(measured[1]) <= int(measured[2])


def test_it_prints_on_a_few_sheets(page: str, tmp_path: Path) -> None:
    require("pdfinfo")
    file, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(page, encoding="utf-8")
    browser(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", file.as_uri())
    told = subprocess.run(["pdfinfo", printed], capture_output=True, text=True, check=True).stdout
    assert "A4" in told
    pages = re.search(r"Pages:\s+(\d+)", told)
    assert pages is not None
    assert 2 <= int(pages[1]) <= 6
