from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from io import BytesIO

import pytest
from pypdf import PdfReader

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
from sealtool.rendering.layout import Layout

OrderFactory = Callable[..., CertificateOrder]
TextOf = Callable[..., str]


@pytest.fixture(scope="session")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(RenderingOptions())


@pytest.fixture
def engine_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The certificates that the engine laid out from beginning to end."""
    runs: list[str] = []
    lay_out = Layout.lay_out

    def counted(self: Layout, markup: str, order: CertificateOrder, *args: object, **options: object) -> object:
        runs.append(order.certificate_id)
        return lay_out(self, markup, order, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Layout, "lay_out", counted)
    return runs


@pytest.fixture(scope="session")
def make_order() -> OrderFactory:
    def make(
        name: tuple[str, str, str] = ("Maria del Mar", "Ferrer", "i Pons"),
        *,
        person_id: str = "10000000P",
        level: Level = Level.B1,
        area: Area | None = None,
        procedures: tuple[Procedure, ...] = (Procedure.TRAINING, Procedure.TEST),
        accredited_on: date = date(2025, 3, 12),
        issued_on: date = date(2025, 10, 27),
        languages: tuple[Language, ...] = tuple(Language),
    ) -> CertificateOrder:
        covered = tuple(
            CoveredArea(each, accredited_on, procedures[number % len(procedures)], ("ACT-000012",))
            for number, each in enumerate(Area if area is None else (area,))
        )
        decision = Decision(
            Person(PersonId(person_id), *name), level, area, accredited_on, procedures, covered, "2025-10-27"
        )
        return CertificateOrder(CertificateId("7KQ2-M4TX-9WBD-5"), decision, issued_on, languages)

    return make


@pytest.fixture(scope="session")
def text_of(renderer: CertificateRenderer) -> TextOf:
    """The text of one page, every run of white space taken as one space: lines may break where they like."""

    @cache
    def pages(order: CertificateOrder) -> list[str]:
        content = renderer.render(order).content
        return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(content)).pages]

    def read(order: CertificateOrder, page: int = 0) -> str:
        return pages(order)[page]

    return read
