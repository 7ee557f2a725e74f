"""The figures as one HTML page: no script, nothing from elsewhere, to be read, printed and published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sealtool.reporting.figures import SCHEMA, Figures

_TEMPLATE: Final = "figures.html.j2"
_BEGINNING: Final = f"<!DOCTYPE html>\n<!-- {SCHEMA} -->".encode()


def figures_page(figures: Figures) -> bytes:
    """The page, in UTF-8. It holds no personal data."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(_TEMPLATE).render(
        report=figures, shown=figures.shown, widths=_widths, schema=SCHEMA
    )
    return page.encode("utf-8")


def _widths(parts: Sequence[int], longest: int) -> list[float]:
    """The parts of a bar, in hundredths of the longest one."""
    return [100 * part / longest for part in parts]


def is_earlier_page(beginning: bytes) -> bool:
    """Whether a file that begins so is a page that was written here, so that a newer one may take its place."""
    return beginning.startswith(_BEGINNING)
