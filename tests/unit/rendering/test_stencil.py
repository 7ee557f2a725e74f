"""Certificates filled in from the stencil of their kind are, byte for byte, those the engine lays out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from sealtool.errors import RenderingError
from sealtool.model import Area, CertificateId, CertificateOrder, Language, Level, Procedure
from sealtool.rendering import CertificateRenderer, RenderingOptions
from sealtool.rendering.facts import kind_of, page_facts, specimens_like
from sealtool.rendering.layout import Layout
from sealtool.rendering.stencil import ALPHABET

OrderFactory = Callable[..., CertificateOrder]

LONG = "Maria Immaculada Concepció dels Dolors Fernández de Córdoba y Álvarez"


def of(order: CertificateOrder, identifier: str) -> CertificateOrder:
    return replace(order, certificate_id=CertificateId(identifier))


@pytest.mark.parametrize(
    ("level", "area"), [*((level, None) for level in Level if level is not Level.C2), *((Level.C2, a) for a in Area)]
)
def test_every_level_and_area_is_filled_in_with_the_bytes_of_the_engine(
    renderer: CertificateRenderer,
    make_order: OrderFactory,
    engine_runs: list[str],
    level: Level,
    area: Area | None,
) -> None:
    order = make_order(("Joan", "d'Ocón", "Puig-server"), level=level, area=area)
    filled_in = renderer.render(order).content
    assert order.certificate_id not in engine_runs
    assert filled_in == renderer.render_plainly(order).content


def test_whoever_got_ready_for_a_kind_needs_the_engine_for_none_of_it(
    make_order: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, other = CertificateRenderer(RenderingOptions()), CertificateRenderer(RenderingOptions())
    order = make_order(("Aina", "Mas", "Roig"))
    ready.get_ready_for(make_order(("Joan", "Puig", "Mas")))
    expected = other.render(order)
    for name in ("lay_out", "cut_stencil"):
        monkeypatch.setattr(Layout, name, lambda *_, **__: pytest.fail("the engine was called"))
    assert ready.render(order) == expected


@pytest.mark.parametrize("language", Language)
def test_a_file_of_one_language_is_filled_in_with_the_bytes_of_the_engine(
    renderer: CertificateRenderer, make_order: OrderFactory, engine_runs: list[str], language: Language
) -> None:
    order = make_order(languages=(language,))
    filled_in = renderer.render(order).content
    assert order.certificate_id not in engine_runs
    assert filled_in == renderer.render_plainly(order).content


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_is_filled_in_with_the_bytes_of_the_engine(
    renderer: CertificateRenderer, make_order: OrderFactory, engine_runs: list[str], month: int
) -> None:
    order = make_order(accredited_on=date(2025, month, 28))
    filled_in = renderer.render(order).content
    assert order.certificate_id not in engine_runs
    assert filled_in == renderer.render_plainly(order).content


@pytest.mark.parametrize("person_id", ["10000000Z", "X1234567L", "Y0000000Z", "Z9999999H"])
def test_every_kind_of_identity_number_is_filled_in(
    renderer: CertificateRenderer, make_order: OrderFactory, engine_runs: list[str], person_id: str
) -> None:
    order = make_order(person_id=person_id)
    filled_in = renderer.render(order).content
    assert order.certificate_id not in engine_runs
    assert filled_in == renderer.render_plainly(order).content


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(ALPHABET + "łœßňΩ&<'\"", min_size=1, max_size=130).filter(lambda name: name.strip() != ""),
    identifier=st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=20, max_size=20),
    day=st.dates(date(2019, 1, 1), date(2039, 12, 31)),
)
def test_whatever_the_name_the_bytes_are_those_of_the_engine(
    renderer: CertificateRenderer, make_order: OrderFactory, name: str, identifier: str, day: date
) -> None:
    order = of(make_order((name.strip(), "", ""), accredited_on=day), identifier)
    if not renderer.unprintable(order.decision.person.full_name):
        assert renderer.render(order).content == renderer.render_plainly(order).content


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(LONG, id="needs two lines"),
        pytest.param("Linh Nguyễn", id="has a letter outside of the alphabet"),
        pytest.param("Anna  Maria", id="has two spaces"),
    ],
)
def test_what_does_not_fit_the_stencil_is_laid_out_by_the_engine(
    renderer: CertificateRenderer, make_order: OrderFactory, engine_runs: list[str], name: str
) -> None:
    order = make_order((name, "", ""))
    renderer.render(order)
    assert order.certificate_id in engine_runs


def test_nothing_of_one_person_is_left_on_the_certificate_of_the_next(
    renderer: CertificateRenderer, make_order: OrderFactory, engine_runs: list[str]
) -> None:
    first = of(make_order(("Wanda", "Kowal", ""), person_id="11111111H", accredited_on=date(2020, 1, 2)), "FIRST")
    second = of(make_order(("Joana", "Petit", ""), person_id="22222222J", accredited_on=date(2024, 8, 9)), "SECOND")
    contents = [renderer.render(order).content for order in (first, second)]
    assert not {"FIRST", "SECOND"} & set(engine_runs)
    reader = PdfReader(BytesIO(contents[1]))
    everything = " ".join(page.extract_text() for page in reader.pages)
    everything += reader.attachments["record.json"][0].decode() + str(reader.xmp_metadata and reader.metadata)
    for trace in ("Wanda", "Kowal", "11111111H", "2020", "FIRST", "specimen", "Nom Llinatge", "00000000T"):
        assert trace not in everything
        assert trace.encode() not in contents[1]
    for own in ("Joana Petit", "22222222J", "2024", "SECOND"):
        assert own in everything


@pytest.fixture
def own_templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    shutil.copytree(str(files("sealtool") / "templates"), folder)
    return folder


def styled(templates: Path, style: str) -> CertificateRenderer:
    """A renderer of these templates, with one more line in their style sheet."""
    with (templates / "certificate.css").open("a", encoding="utf-8") as sheet:
        sheet.write(f"\n{style}\n")
    return CertificateRenderer(RenderingOptions(templates=templates))


@pytest.mark.slow
@pytest.mark.parametrize(
    "style",
    [
        pytest.param(".name { text-align: center }", id="a centred name"),
        pytest.param(".facts { text-align: right }", id="facts on the right", marks=pytest.mark.long),
        pytest.param(".name { position: absolute; right: 0; top: 0; height: 9mm }", id="a name placed by its end"),
        pytest.param(".name { text-transform: uppercase }", id="a name in capitals", marks=pytest.mark.long),
        pytest.param(".identity { letter-spacing: .3mm }", id="spaced letters", marks=pytest.mark.long),
    ],
)
def test_templates_of_a_deployment_come_out_as_the_engine_lays_them_out(
    own_templates: Path, make_order: OrderFactory, style: str
) -> None:
    renderer = styled(own_templates, style)
    for name in ("Maria del Mar", "Jo"):
        order = make_order((name, "Puig", ""))
        assert renderer.render(order).content == renderer.render_plainly(order).content


@pytest.mark.slow
def test_a_template_that_keeps_the_identity_number_within_a_paragraph_still_prints_it(
    own_templates: Path, make_order: OrderFactory, engine_runs: list[str]
) -> None:
    layout = own_templates / "layout.html"
    one_paragraph = layout.read_text(encoding="utf-8").replace(
        '</p>\n<p class="statement">{% block after_name', " {% block after_name"
    )
    layout.write_text(one_paragraph, encoding="utf-8")
    order = make_order()
    content = CertificateRenderer(RenderingOptions(templates=own_templates)).render(order).content
    assert order.certificate_id in engine_runs
    assert order.decision.person.person_id in PdfReader(BytesIO(content)).pages[0].extract_text()


def test_specimens_are_of_the_kind_of_their_order_and_differ_in_all_else(make_order: OrderFactory) -> None:
    for name in ("Jo", "Maria del Mar Ferrer i Pons de Palma", LONG[:60], "x" * 40):
        for person_id in ("10000000Z", "Y0000000Z"):
            order = make_order((name, "", ""), person_id=person_id, procedures=tuple(Procedure))
            one, other = specimens_like(order)
            assert kind_of(one) == kind_of(other) == kind_of(order)
            facts = [page_facts(each, RenderingOptions(), None) for each in (one, other)]  # type: ignore[arg-type]
            for varying in ("full_name", "person_id", "accredited_on", "certificate_id"):
                assert facts[0][varying] != facts[1][varying]


@pytest.mark.slow
def test_a_kind_that_comes_out_in_a_font_nobody_named_is_refused_as_by_the_engine(
    own_templates: Path, make_order: OrderFactory
) -> None:
    renderer = styled(own_templates, '.name-4 { font-family: "No Such Family" }')
    renderer.render(make_order())
    with pytest.raises(RenderingError, match="a font its style sheet does not name"):
        renderer.render(make_order(("Xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "", "")))


@pytest.mark.slow
def test_a_kind_for_whose_names_there_is_no_room_comes_out_in_smaller_type_as_by_the_engine(
    own_templates: Path, make_order: OrderFactory
) -> None:
    renderer = styled(own_templates, ".name-3 { font-size: 30pt; line-height: 3; margin-bottom: 6cm }")
    order = make_order(("Maria Antonia del Carmen", "Fernandez", "de Cordoba i Oliver"))
    assert renderer.render(order).content == renderer.render_plainly(order).content
