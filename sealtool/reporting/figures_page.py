"""The figures as one HTML page: no script, nothing from elsewhere, to be read, printed and published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sealtool.reporting.charts import Bar, Chart
from sealtool.reporting.figures import SCHEMA, Figures
from sealtool.reporting.pages import page_environment

_TEMPLATE: Final = "figures.html.j2"
_BEGINNING: Final = f"<!DOCTYPE html>\n<!-- {SCHEMA} -->".encode()

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FEW_MONTHS: Final = 24
"""Of so many, each has its letter below its column."""
_LEAST_COLUMNS: Final = 12
"""One month alone is still a column, and no wall."""
_MOST_LINES: Final = 4
_LEAST: Final = 0.8
"""What is not nothing can be seen: hundredths of the longest bar."""
_ROOM_FOR_A_YEAR: Final = 8
"""Hundredths of the width, below which the number of a year would run into the next one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at an axis, so many hundredths from its beginning, and so wide."""

    at: float
    text: str
    width: float = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of months, drawn: everything in hundredths of its width and height.

    Attributes:
        columns: from the left, width and height of each.
        lines: across, each with its number.
        letters: of the months, where there is room for them.
        years: below the first month of each.
    """

    columns: tuple[tuple[float, float, float], ...]
    lines: tuple[Mark, ...]
    letters: tuple[Mark, ...]
    years: tuple[Mark, ...]


def figures_page(figures: Figures) -> bytes:
    """The page, in UTF-8. It holds no personal data."""
    environment = page_environment()
    environment.filters["count"] = "{:,}".format
    environment.globals |= {
        "columns": drawn_columns,
        "rows_of_years": rows_of_years,
        "length": length,
        "lengths": lengths,
    }
    page = environment.get_template(_TEMPLATE).render(report=figures, schema=SCHEMA, months=MONTHS)
    return page.encode("utf-8")


def is_earlier_page(beginning: bytes) -> bool:
    """Whether a file that begins so is a page that was written here, so that a newer one may take its place."""
    return beginning.startswith(_BEGINNING)


def length(count: int, longest: int) -> float:
    """How long a bar is, in hundredths of the longest one; 0 of nothing alone."""
    return max(_LEAST, 100 * count / longest) if count else 0


def lengths(parts: Sequence[int], count: int, longest: int) -> list[float]:
    """The same of the parts of a bar, which share its length."""
    whole, total = length(count, longest), sum(parts)
    return [whole * part / total if total else 0 for part in parts]


def rows_of_years(chart: Chart) -> Iterator[tuple[Bar, list[int | None]]]:
    """The table of a chart of months: each year with its sum and its twelve months, None for those outside."""
    found = {bar.key: bar.count for bar in chart.bars}
    for year in chart.years:
        yield year, [found.get(f"{year.key}-{month:02}") for month in range(1, 13)]


def drawn_columns(chart: Chart) -> Columns:
    """A chart of months as columns that grow to the right."""
    step = _step_of_lines(chart.longest)
    top = step * -(-chart.longest // step)
    width = 100 / max(len(chart.bars), _LEAST_COLUMNS)
    few = len(chart.bars) <= _FEW_MONTHS
    return Columns(
        columns=tuple(
            (width * (place + 0.14), width * 0.72, length(bar.count, top)) for place, bar in enumerate(chart.bars)
        ),
        lines=tuple(Mark(100 * value / top, f"{value:,}") for value in range(0, top + 1, step)),
        letters=tuple(
            Mark(width * place, MONTHS[int(bar.key[5:]) - 1][0], width) for place, bar in enumerate(chart.bars) if few
        ),
        years=tuple(_years(chart, width)),
    )


def _step_of_lines(longest: int) -> int:
    """1, 2 or 5, or these with noughts: the least with which a few lines are enough."""
    magnitude = 1
    while True:
        for digit in (1, 2, 5):
            if digit * magnitude * _MOST_LINES >= longest:
                return digit * magnitude
        magnitude *= 10


def _years(chart: Chart, width: float) -> Iterator[Mark]:
    place = 0
    for year, group in groupby(chart.bars, key=lambda bar: bar.key[:4]):
        months = len(list(group))
        if months * width >= _ROOM_FOR_A_YEAR or len(chart.years) == 1:
            yield Mark(place * width, year, months * width)
        place += months
