"""Words across a page that make sure nobody takes it for a certificate."""

from __future__ import annotations

from math import cos, hypot, radians, sin
from typing import Any, Final

from sealtool.rendering.engine import Dictionary

_FONT: Final = "Watermark"
_ANGLE: Final = radians(52)
_LETTER_WIDTH: Final = 0.62  # of a capital of Helvetica-Bold, in sizes of type, on average


def stamp(file: Any, words: str) -> None:
    """Put words in outline, from the lower left to the upper right, on every page of a painted file.

    Args:
        file: the objects of a file that is complete and not yet written (``pydyf.PDF``).
        words: a few, in letters of Latin-1.
    """
    by_reference = {each.reference: each for each in file.objects}
    font = Dictionary(
        {"Type": "/Font", "Subtype": "/Type1", "BaseFont": "/Helvetica-Bold", "Encoding": "/WinAnsiEncoding"}
    )
    file.add_object(font)
    for reference in file.page_references:
        page = by_reference[reference]
        by_reference[by_reference[page["Resources"]]["Font"]][_FONT] = font.reference
        _, _, width, height = page["MediaBox"]
        by_reference[page["Contents"]].stream += _operators(words, width, height)


def _operators(words: str, width: float, height: float) -> list[bytes]:
    size = 0.78 * hypot(width, height) / (_LETTER_WIDTH * len(words))
    across, up = cos(_ANGLE), sin(_ANGLE)
    half = _LETTER_WIDTH * size * len(words) / 2
    x, y = width / 2 - half * across, height / 2 + half * up  # y runs downwards on the engine's pages
    place = f"{across:.4f} {-up:.4f} {-up:.4f} {-across:.4f} {x:.2f} {y:.2f} Tm"
    shown = words.encode("cp1252").hex()
    look = f"BT /{_FONT} {size:.1f} Tf 1 Tr .5 w .87 .55 .5 RG {place} <{shown}> Tj ET"
    return [b"/Artifact BMC q", look.encode(), b"Q EMC"]
