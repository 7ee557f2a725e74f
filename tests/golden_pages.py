"""Pages that must not change unnoticed: text exactly, looks within a tolerance. ``make golden`` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pypdfium2
from PIL import Image

from sealtool.model import (
    Area,
    CertificateId,
    CertificateOrder,
    CoveredArea,
    Decision,
    Language,
    Level,
    Person,
    PersonId,
    Procedure,
)
from sealtool.rendering import CertificateRenderer, RenderingOptions
from sealtool.rendering.preview import page_images

FOLDER = Path(__file__).parent / "golden"
IMAGE_WIDTH = 420

_USUAL = Person(PersonId("00000000T"), "Maria del Mar", "Ferrer", "i Pons")
_LONGEST = Person(
    PersonId("X0000000T"),
    "Maria Immaculada Concepció dels Dolors",
    "Fernández de Córdoba y Álvarez de las Asturias",
    "Bohórquez-Montcada i Sant Joan Oms",
)


def orders() -> Iterator[tuple[str, CertificateOrder]]:
    """Every level and C2 area with usual names, and each extreme: the longest name, one surname, every procedure."""
    for level in Level:
        for area in Area if level is Level.C2 else (None,):
            yield f"{level}-{int(area)}" if area else str(level), _order(level, area, _USUAL, 2)
    yield "C2-6-longest", _order(Level.C2, Area.LEARNERS_DIGITAL_COMPETENCE, _LONGEST, 1)
    yield "B2-every-procedure", _order(Level.B2, None, _LONGEST, len(Procedure))
    yield "A1-one-surname", _order(Level.A1, None, Person(PersonId("Y0000000Z"), "Jo", "Ng", ""), 1)


def _order(level: Level, area: Area | None, person: Person, procedures: int) -> CertificateOrder:
    used = tuple(Procedure)[:procedures]
    covered = tuple(
        CoveredArea(each, date(2025, 3, 12), used[index % len(used)])
        for index, each in enumerate(Area if area is None else (area,))
    )
    decision = Decision(person, level, area, date(2025, 3, 12), used, covered, "2025-10-27")
    return CertificateOrder(CertificateId("7KQ2M-4TX9W-BD500-SPEC1"), decision, date(2025, 10, 27), tuple(Language))


PICTURED = ("B1", "C2-6-longest", "B2-every-procedure")


def text_of(content: bytes) -> str:
    """All pages, in the order they are read; a line for each line."""
    document = pypdfium2.PdfDocument(content)
    try:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
    return "\n\f\n".join("\n".join(page.splitlines()) for page in pages) + "\n"


def write_anew() -> None:
    renderer = CertificateRenderer(RenderingOptions())
    for old in FOLDER.glob("*"):
        old.unlink()
    for name, order in orders():
        content = renderer.render(order).content
        (FOLDER / f"{name}.txt").write_text(text_of(content), encoding="utf-8")
        if name in PICTURED:
            for number, image in enumerate(page_images(content, IMAGE_WIDTH), start=1):
                grey = image.convert("L").quantize(16)
                grey.save(FOLDER / f"{name}.{number}.png", optimize=True)


def golden_image(name: str, number: int) -> Image.Image:
    return Image.open(FOLDER / f"{name}.{number}.png").convert("L")


if __name__ == "__main__":
    write_anew()
