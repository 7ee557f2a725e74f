"""Previews: every kind of certificate, of nobody, that nobody can take for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import cast

import pytest
from PIL import Image
from pypdf import PdfReader

from sealtool.accreditation import load_rules
from sealtool.model import Area, CertificateOrder, Language, Level, UnsealedPdf
from sealtool.rendering import CertificateRenderer
from sealtool.rendering.preview import WATERMARK, contact_sheet, page_images, previews

BILINGUAL = [tuple(Language)]
LAW = load_rules("2025-10-27", on=date(2026, 1, 1))


@dataclass
class Noting:
    """Lays nothing out, and keeps what was ordered."""

    orders: list[CertificateOrder] = field(default_factory=list)

    def render_preview(self, order: CertificateOrder, _: str) -> UnsealedPdf:
        self.orders.append(order)
        return UnsealedPdf(b"", pages=2)


def test_each_level_shows_the_procedures_that_the_law_has_for_it_and_no_other() -> None:
    noting = Noting()
    list(previews(cast("CertificateRenderer", noting), Level, Area, BILINGUAL, LAW.procedures))
    shown: dict[str, set[str]] = {}
    for decision in (order.decision for order in noting.orders):
        assert {each.procedure for each in decision.areas} == set(decision.procedures)
        shown.setdefault(str(decision.level), set()).update(map(str, decision.procedures))
    assert shown == {
        "A1": {"training", "test", "degree", "external"},
        "A2": {"training", "test", "degree", "external"},
        "B1": {"training", "test", "observation", "external"},
        "B2": {"training", "test", "observation", "external"},
        "C1": {"observation", "evidence", "external"},
        "C2": {"observation", "evidence", "external"},
    }


def test_there_is_one_for_each_level_and_each_area_of_c2(renderer: CertificateRenderer) -> None:
    names = [each.name for each in previews(renderer, Level, Area, BILINGUAL, LAW.procedures)]
    assert names == [
        *(f"{level}.ca-es" for level in ("A1", "A2", "B1", "B2", "C1")),
        *(f"C2-area-{number}.ca-es" for number in range(1, 7)),
    ]


def test_each_layout_is_a_file_of_its_own(renderer: CertificateRenderer) -> None:
    shown = list(previews(renderer, [Level.B1], Area, [(Language.CATALAN,), (Language.SPANISH,)], LAW.procedures))
    assert [each.name for each in shown] == ["B1.ca", "B1.es"]
    assert [len(PdfReader(BytesIO(each.content)).pages) for each in shown] == [1, 1]


def test_the_watermark_crosses_every_page_and_hides_nothing(renderer: CertificateRenderer) -> None:
    (shown,) = previews(renderer, [Level.B1], Area, BILINGUAL, LAW.procedures)
    for page in PdfReader(BytesIO(shown.content)).pages:
        text = page.extract_text()
        assert WATERMARK in text
        assert "B1" in text
    for image in page_images(shown.content, 300):
        reddish = sum(count for count, (red, green, blue) in image.getcolors(2**24) if red > green + 25 > blue)
        assert reddish > 1500
        corners = [image.crop(box).getcolors(2**16) for box in ((20, 330, 130, 424), (180, 0, 300, 120))]
        assert all(any(red > green + 25 for _, (red, green, _blue) in corner) for corner in corners)


def test_a_preview_has_no_form_and_no_seal(renderer: CertificateRenderer) -> None:
    (shown,) = previews(renderer, [Level.A1], Area, BILINGUAL, LAW.procedures)
    assert b"/ByteRange" not in shown.content
    assert "/AcroForm" not in PdfReader(BytesIO(shown.content)).trailer["/Root"]


@pytest.mark.parametrize("number", [1, 4])
def test_the_contact_sheet_shows_every_page(renderer: CertificateRenderer, number: int) -> None:
    shown = list(previews(renderer, list(Level)[:number], Area, BILINGUAL, LAW.procedures))
    sheet = Image.open(BytesIO(contact_sheet(shown)))
    columns, rows = min(6, 2 * number), -(-2 * number // 6)
    assert sheet.size[0] // columns == pytest.approx(284, abs=14)
    assert sheet.size[1] // rows == pytest.approx(420, abs=14)
