"""Every kind of certificate at a glance: for those who write templates, with invented people and nothing sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Final

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from sealtool.model import Area, CertificateOrder, Language, Level, Person, PersonId, Procedure
from sealtool.rendering.facts import specimen
from sealtool.rendering.renderer import CertificateRenderer

WATERMARK: Final = "MOSTRA · MUESTRA"

_PEOPLE: Final = (
    Person(PersonId("00000000T"), "Aina", "Mostra", "i Exemple"),
    Person(PersonId("X0000000T"), "Jo", "Muestra", ""),
    Person(PersonId("11111111H"), "Maria del Mar", "Puig-Mostra", "Fernández de Ejemplo"),
    Person(
        PersonId("22222222J"),
        "Maria Immaculada Concepció dels Dolors",
        "Fernández de Muestra y Álvarez de las Asturias",
        "Bohórquez-Mostra i Sant Joan",
    ),
)
"""In turn: a usual name, the shortest, one in a smaller size of type, the longest."""

_COLUMNS: Final = 6
_PAGE_WIDTH: Final = 270
_GAP: Final = 14
_LABEL: Final = 24


@dataclass(frozen=True, slots=True)
class Preview:
    """One certificate of nobody.

    Attributes:
        name: of its file, without the ending: ``B1.ca-es``, ``C2-area-4.es``.
        content: a PDF, watermarked, without a seal.
    """

    name: str
    content: bytes


def previews(
    renderer: CertificateRenderer,
    levels: Iterable[Level],
    areas: Iterable[Area],
    layouts: Sequence[tuple[Language, ...]],
    procedures: Callable[[Level], Sequence[Procedure]],
) -> Iterator[Preview]:
    """A certificate for each level (at C2, for each area) and layout; the names and procedures go round.

    Args:
        renderer: lays them out.
        levels: in the order to be shown.
        areas: those to be shown at C2.
        layouts: the languages of one file, a page each.
        procedures: by which a level can be obtained.

    Raises:
        TemplateError: a template cannot be filled in; the message names file and line.
        RenderingError: the text does not fit its pages.
    """
    chosen_areas = tuple(areas)
    kinds = [(level, area) for level in levels for area in (chosen_areas if level is Level.C2 else (None,))]
    for number, (level, area) in enumerate(kinds):
        for languages in layouts:
            order = replace(_order(number, level, area, procedures(level)), languages=languages)
            content = renderer.render_preview(order, WATERMARK).content
            kind = f"{level}" if area is None else f"{level}-area-{int(area)}"
            yield Preview(f"{kind}.{'-'.join(languages)}", content)


def _order(number: int, level: Level, area: Area | None, procedures: Sequence[Procedure]) -> CertificateOrder:
    order = specimen()
    covered = tuple(
        each._replace(procedure=procedures[index % len(procedures)])
        for index, each in enumerate(order.decision.areas)
        if area in {None, each.area}
    )
    used = tuple(procedure for procedure in procedures if procedure in {each.procedure for each in covered})
    decision = replace(
        order.decision,
        person=_PEOPLE[number % len(_PEOPLE)],
        level=level,
        area=area,
        procedures=used,
        areas=covered,
    )
    return replace(order, decision=decision)


def contact_sheet(shown: Sequence[Preview]) -> bytes:
    """All pages of all previews side by side, as a PNG."""
    pages = [(each.name, image) for each in shown for image in page_images(each.content, _PAGE_WIDTH)]
    tallest = max(image.height for _, image in pages)
    rows = -(-len(pages) // _COLUMNS)
    columns = min(_COLUMNS, len(pages))
    step_x, step_y = _PAGE_WIDTH + _GAP, tallest + _LABEL + _GAP
    sheet = Image.new("RGB", (_GAP + columns * step_x, _GAP + rows * step_y), "#d8d8d8")
    pen, type_face = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for number, (name, image) in enumerate(pages):
        x, y = _GAP + number % _COLUMNS * step_x, _GAP + number // _COLUMNS * step_y
        sheet.paste(image, (x, y))
        pen.text((x, y + tallest + 3), name, fill="#222222", font=type_face)
    output = BytesIO()
    sheet.save(output, "PNG")
    return output.getvalue()


def page_images(content: bytes, width: int) -> Iterator[Image.Image]:
    """The pages of a PDF as people see them, so many pixels wide."""
    document = pypdfium2.PdfDocument(content)
    try:
        for page in document:
            yield page.render(scale=width / page.get_width()).to_pil().convert("RGB")
    finally:
        document.close()
