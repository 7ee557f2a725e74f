"""A deployment's own templates: what they may change, and how they are told off."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from sealtool.errors import ConfigurationError, TemplateError
from sealtool.model import CertificateOrder
from sealtool.rendering import CertificateRenderer, RenderingOptions, has_fast_font_subsetting

OrderFactory = Callable[..., CertificateOrder]
Own = Callable[..., RenderingOptions]

PACKAGED = Path(__file__).parents[3] / "templates"


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """A deployment's folder with one changed copy of a packaged file."""

    def change(name: str, old: str, new: str) -> RenderingOptions:
        text = (PACKAGED / name).read_text(encoding="utf-8")
        assert old in text
        target = tmp_path / "own" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace(old, new, 1), encoding="utf-8")
        return RenderingOptions(templates=tmp_path / "own")

    return change


def text(options: RenderingOptions, order: CertificateOrder, page: int = 0) -> str:
    pdf = PdfReader(BytesIO(CertificateRenderer(options).render(order).content))
    return " ".join(pdf.pages[page].extract_text().split())


def test_one_file_of_a_deployment_replaces_the_packaged_one_and_no_other(own: Own, make_order: OrderFactory) -> None:
    options = own("es/certificate.html", "Fecha de acreditación", "Acreditada el")
    assert "Acreditada el: 12 de marzo" in text(options, make_order(), page=1)
    assert "Data d'acreditació: 12 de març" in text(options, make_order())


def test_a_resource_of_a_deployment_is_found_beside_its_templates(own: Own, make_order: OrderFactory) -> None:
    options = own("emblem.svg", "#1c3f60", "#8a1538")
    content = CertificateRenderer(options).render(make_order()).content
    assert content != CertificateRenderer(RenderingOptions()).render(make_order()).content


def test_a_template_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="does not exist or is no folder") as refused:
        CertificateRenderer(RenderingOptions(templates=tmp_path / "nowhere"))
    assert "[rendering]" in refused.value.advice


def test_an_unknown_variable_is_named_with_file_and_line(own: Own) -> None:
    options = own("ca/certificate.html", "{{ id_kind }}", "{{ dni_kind }}")
    line = (PACKAGED / "ca/certificate.html").read_text(encoding="utf-8").split("{{ id_kind }}")[0].count("\n") + 1
    with pytest.raises(TemplateError, match=rf"ca/certificate\.html, line {line}: 'dni_kind' is undefined"):
        CertificateRenderer(options)


def test_a_syntax_error_is_named_with_file_and_line(own: Own) -> None:
    options = own("layout.html", '<section class="page"', "{% if %}\n<section")
    with pytest.raises(TemplateError, match=r"layout\.html, line \d+: Expected an expression"):
        CertificateRenderer(options)


def test_a_word_that_only_some_certificates_need_is_missed_at_once(own: Own) -> None:
    options = own("ca/certificate.html", '"d\'agost",', "")
    with pytest.raises(TemplateError, match=r"ca/certificate\.html, line \d+"):
        CertificateRenderer(options)


def test_a_template_that_is_not_utf_8_is_refused(own: Own) -> None:
    options = own("ca/certificate.html", "Acreditació", "Acreditació")
    assert options.templates is not None
    file = options.templates / "ca/certificate.html"
    file.write_bytes(file.read_text(encoding="utf-8").replace("—", "-").replace("–", "-").encode("cp1252", "replace"))
    with pytest.raises(TemplateError, match="not UTF-8"):
        CertificateRenderer(options)


def test_a_template_without_a_title_is_refused(own: Own) -> None:
    options = own("es/certificate.html", "{% set title =", "{% set titulo =")
    with pytest.raises(TemplateError, match="sets no `title`"):
        CertificateRenderer(options)


def test_a_template_cannot_reach_into_python(own: Own) -> None:
    options = own("layout.html", "{{ full_name }}", "{{ ''.__class__.__mro__ }}")
    with pytest.raises(TemplateError, match="unsafe"):
        CertificateRenderer(options)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://192.0.2.1/emblem.svg",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
        "../../../../../../etc/passwd",
        "%2e%2e/%2e%2e/pyproject.toml",
        "/etc/passwd",
        "//192.0.2.1/emblem.svg",
        "https://templates.invalid@192.0.2.1/emblem.svg",
    ],
)
def test_a_resource_outside_the_template_folder_is_refused(own: Own, address: str) -> None:
    with pytest.raises(TemplateError, match=r"not in the template folder|not a file inside|does not exist"):
        CertificateRenderer(own("layout.html", 'src="emblem.svg"', f'src="{address}"'))


def test_a_style_sheet_cannot_import_from_outside(own: Own) -> None:
    with pytest.raises(TemplateError, match=r"http://192\.0\.2\.1/x\.css"):
        CertificateRenderer(own("certificate.css", "@page", '@import "http://192.0.2.1/x.css"; @page'))


def test_a_drawing_cannot_fetch_from_outside(own: Own) -> None:
    options = own("emblem.svg", "</svg>", '<image href="file:///etc/passwd" width="9" height="9"/></svg>')
    with pytest.raises(TemplateError, match="file:///etc/passwd"):
        CertificateRenderer(options)


@pytest.mark.parametrize("name", ["emblem.svg", "certificate.css", "es/certificate.html"])
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    link = tmp_path / "own" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(PACKAGED / name)
    with pytest.raises(TemplateError, match="not a file inside the template folder"):
        CertificateRenderer(RenderingOptions(templates=tmp_path / "own"))


def test_what_the_layout_engine_does_not_know_is_an_error_with_its_place(own: Own) -> None:
    options = own("certificate.css", "text-align: right", "text-allign: right")
    with pytest.raises(TemplateError, match=r"text-allign.*\d+:\d+"):
        CertificateRenderer(options)


def test_an_image_without_a_description_is_refused(own: Own) -> None:
    options = own("layout.html", 'alt="{{ emblem_description }}"', "")
    with pytest.raises(TemplateError, match="alt description"):
        CertificateRenderer(options)


def test_a_missing_font_names_the_package_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lato_only = tmp_path / "fonts.conf"
    lato_only.write_text(
        f"<fontconfig><dir>/usr/share/fonts/truetype/lato</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(lato_only))
    with pytest.raises(ConfigurationError, match="EB Garamond cannot be found") as missing:
        CertificateRenderer(RenderingOptions())
    assert "fonts-ebgaramond" in missing.value.advice


def test_a_marking_with_a_letter_that_no_font_of_the_page_has_is_no_missing_font() -> None:
    with pytest.raises(ConfigurationError, match=r"rendering\.marking cannot be printed at the top of a page"):
        CertificateRenderer(RenderingOptions(marking="😀"))


def test_a_missing_font_is_told_also_where_there_is_a_marking() -> None:
    with pytest.raises(ConfigurationError, match="The font No Such Family cannot be found"):
        CertificateRenderer(RenderingOptions(font_families=("No Such Family", "EB Garamond", "Lato"), marking="PROVA"))


def test_templates_that_make_no_page_for_each_language_are_refused_before_the_first_certificate(tmp_path: Path) -> None:
    (tmp_path / "layout.html").touch()
    with pytest.raises(TemplateError, match=r"A certificate of nobody cannot be laid out .* 1 pages instead of 2"):
        CertificateRenderer(RenderingOptions(templates=tmp_path))


def test_a_font_that_the_options_do_not_name_is_refused(own: Own) -> None:
    options = own("certificate.css", "8.4pt/12.6pt Lato", '8.4pt/12.6pt "No Such Family"')
    with pytest.raises(ConfigurationError, match="cannot be found"):
        CertificateRenderer(options)


def test_a_font_of_no_package_is_named_by_the_key_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError) as missing:
        CertificateRenderer(RenderingOptions(font_families=("No Such Family", "EB Garamond", "Lato")))
    assert "rendering.fonts" in missing.value.advice


def test_the_validation_address_is_the_deployments(make_order: OrderFactory) -> None:
    options = RenderingOptions(validation_url="https://validacio.example/")
    pdf = PdfReader(BytesIO(CertificateRenderer(options).render(make_order()).content))
    for page in pdf.pages:
        assert "https://validacio.example/" in page.extract_text()
        assert [each.get_object()["/A"]["/URI"] for each in page["/Annots"]] == ["https://validacio.example/"]


def test_options_can_be_sent_to_a_worker_process() -> None:
    options = RenderingOptions(templates=Path("own"))
    assert pickle.loads(pickle.dumps(options)) == options  # noqa: S301 - our own pickle


def test_the_fast_font_subsetter_is_installed_here() -> None:
    assert has_fast_font_subsetting()
