"""Pages as they were approved. A change on purpose: ``make golden``, and a look at the difference before the commit."""

from __future__ import annotations

import pytest
from PIL import ImageChops, ImageStat

from sealtool.model import CertificateOrder
from sealtool.rendering import CertificateRenderer
from sealtool.rendering.preview import page_images
from tests import golden_pages

ORDERS = dict(golden_pages.orders())
MOST_DIFFERENCE = 2.5
"""Mean difference of grey, of 255: another release of a font or of PDFium moves edges by parts of a pixel; a line
that moved by one millimetre makes about 4."""


@pytest.mark.parametrize("name", ORDERS)
def test_the_text_of_a_page_is_exactly_the_approved_one(renderer: CertificateRenderer, name: str) -> None:
    approved = (golden_pages.FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert golden_pages.text_of(renderer.render(ORDERS[name]).content) == approved


@pytest.mark.parametrize("name", golden_pages.PICTURED)
def test_a_page_looks_as_it_was_approved(renderer: CertificateRenderer, name: str) -> None:
    images = list(page_images(renderer.render(ORDERS[name]).content, golden_pages.IMAGE_WIDTH))
    assert len(images) == 2
    for number, image in enumerate(images, start=1):
        assert difference(image, golden_pages.golden_image(name, number)) < MOST_DIFFERENCE


def difference(image: object, approved: object) -> float:
    grey = image.convert("L")  # type: ignore[attr-defined]
    return float(ImageStat.Stat(ImageChops.difference(grey, approved)).mean[0])  # type: ignore[arg-type]


def test_a_line_that_moved_by_a_millimetre_is_noticed(renderer: CertificateRenderer) -> None:
    (image, _) = page_images(renderer.render(ORDERS["B1"]).content, golden_pages.IMAGE_WIDTH)
    moved = image.copy()
    pixels_a_millimetre = golden_pages.IMAGE_WIDTH / 210
    moved.paste(image, (0, round(pixels_a_millimetre)))
    assert difference(moved, golden_pages.golden_image("B1", 1)) > MOST_DIFFERENCE


def test_there_is_no_approved_page_that_nobody_compares() -> None:
    texts = {f"{name}.txt" for name in ORDERS}
    pictures = {f"{name}.{number}.png" for name in golden_pages.PICTURED for number in (1, 2)}
    assert {path.name for path in golden_pages.FOLDER.iterdir()} == texts | pictures


def test_every_level_and_area_has_an_approved_page() -> None:
    shown = {
        (order.decision.level, order.decision.area) for order in ORDERS.values() if isinstance(order, CertificateOrder)
    }
    assert len(shown) == 11
