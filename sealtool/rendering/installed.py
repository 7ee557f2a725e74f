"""What this machine has to lay certificates out with, for whoever looks after it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from sealtool.rendering.engine import HTML
from sealtool.rendering.fonts import substituted_families


def engine_version() -> str:
    """The layout engine, which has loaded its system libraries when this can be asked."""
    return f"WeasyPrint {version('weasyprint')}"


def missing_families(families: Iterable[str]) -> tuple[str, ...]:
    """Those of the font families that fontconfig does not find, and for which it would take another one."""
    return tuple(family for family in families if not _is_found(family))


def _is_found(family: str) -> bool:
    document = HTML(string=f"<p style=\"font-family: '{family}'\">Aà</p>").render()
    document.write_pdf()  # which fonts it took is known when it has painted
    return not substituted_families(document, (family,))
