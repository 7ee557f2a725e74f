"""Previews: every kind of certificate, of nobody, that nobody can take for one."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader

from sealtool.model import Area, Language, Level
from sealtool.rendering import CertificateRenderer
from sealtool.rendering.preview import WATERMARK, contact_sheet, page_images, previews

BILINGUAL = [tuple(Language)]


def test_there_is_one_for_each_level_and_each_area_of_c2(renderer: CertificateRenderer) -> None:
    names = [each.name for each in previews(renderer, Level, Area, BILINGUAL)]
    assert names == [
        *(f"{level}.ca-es" for level in ("A1", "A2", "B1", "B2", "C1")),
        *(f"C2-area-{number}.ca-es" for number in range(1, 7)),
    ]


def test_each_layout_is_a_file_of_its_own(renderer: CertificateRenderer) -> None:
    shown = list(previews(renderer, [Level.B1], Area, [(Language.CATALAN,), (Language.SPANISH,)]))
    assert [each.name for each in shown] == ["B1.ca", "B1.es"]
    assert [len(PdfReader(BytesIO(each.content)).pages) for each in shown] == [1, 1]


def test_the_watermark_crosses_every_page_and_hides_nothing(renderer: CertificateRenderer) -> None:
    (shown,) = previews(renderer, [Level.B1], Area, BILINGUAL)
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
    (shown,) = previews(renderer, [Level.A1], Area, BILINGUAL)
    assert b"/ByteRange" not in shown.content
    assert "/AcroForm" not in PdfReader(BytesIO(shown.content)).trailer["/Root"]


@pytest.mark.parametrize("number", [1, 4])
def test_the_contact_sheet_shows_every_page(renderer: CertificateRenderer, number: int) -> None:
    shown = list(previews(renderer, list(Level)[:number], Area, BILINGUAL))
    sheet = Image.open(BytesIO(contact_sheet(shown)))
    columns, rows = min(6, 2 * number), -(-2 * number // 6)
    assert sheet.size[0] // columns == pytest.approx(284, abs=14)
    assert sheet.size[1] // rows == pytest.approx(420, abs=14)
