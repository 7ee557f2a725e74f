"""The file around the wording: pages, structure, metadata, record, and bytes that never vary."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from pypdf import PdfReader

from sealtool.errors import RenderingError
from sealtool.model import RECORD_ATTACHMENT_NAME, Area, CertificateOrder, Language, Level, Person, Procedure
from sealtool.rendering import CertificateRenderer, certificate_record

OrderFactory = Callable[..., CertificateOrder]
TextOf = Callable[..., str]

LONG_NAME = (
    "Maria Immaculada Concepció dels Dolors",
    "Fernández de Córdoba y Álvarez de las Asturias",
    "Bohórquez-Montcada i Sant Joan Oms",
)
HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "{% include 'emblem.svg' %}",
    "file:///etc/passwd",
    "&amp;&lt;b&gt;",
    "</p></section><section><h1>A1</h1>",
    '"><img src="http://192.0.2.1/x.png">',
    "</style>*{display:none}",
    "url(http://192.0.2.1/) ; } .name{font-size:0}",
    "<a href='https://192.0.2.1/'>",
    "(Tj) ET endstream endobj",
    "x" * 120,
    "Maria " * 20,
]


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_printed_and_changes_nothing_else(
    renderer: CertificateRenderer, make_order: OrderFactory, name: str
) -> None:
    document = renderer.render(make_order((name.strip(), "", "")))
    pdf = read(document.content)
    assert document.pages == len(pdf.pages) == 2
    for page in pdf.pages:
        text = page.extract_text()
        assert "".join(name.split()) in "".join(text.split())
        links = [annotation.get_object()["/A"]["/URI"] for annotation in page["/Annots"]]
        assert links == ["https://valide.redsara.es/valide/"]
        assert page.extract_text().count("B1") == 2


@pytest.mark.parametrize("languages", [(Language.CATALAN,), (Language.SPANISH,), tuple(Language)])
def test_there_is_one_a4_page_for_each_language(
    renderer: CertificateRenderer, make_order: OrderFactory, languages: tuple[Language, ...]
) -> None:
    document = renderer.render(make_order(languages=languages))
    pages = read(document.content).pages
    assert document.pages == len(pages) == len(languages)
    assert {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in pages} == {(595, 842)}


def test_the_longest_certificate_still_has_one_page_for_each_language(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    assert len(" ".join(LONG_NAME)) == 120
    order = make_order(LONG_NAME, level=Level.C2, area=Area(6), procedures=tuple(Procedure))
    assert len(read(renderer.render(order).content).pages) == 2


@pytest.mark.parametrize("length", [25, 66, 72])
@pytest.mark.parametrize(
    "words", ["MARIA MAGDALENA FERNANDEZ MONTEMAYOR GOMEZ IMMACULADA CONCEPCIO MAGRANER", "W" * 72]
)
def test_a_name_in_capitals_gets_smaller_type_where_the_page_has_little_room(
    renderer: CertificateRenderer, make_order: OrderFactory, words: str, length: int
) -> None:
    order = make_order((words[:length], "", ""), level=Level.C2, area=Area(6), procedures=(Procedure.EXTERNAL,))
    assert len(read(renderer.render(order).content).pages) == 2
    assert renderer.coverage.has_room(order.decision.person.full_name)


@pytest.mark.parametrize(
    ("name", "unusual"),
    [
        ("Marcel·lí D'Àngel-Güell", set()),
        ("Ștefan Þór", set()),
        ("Nguyễn Ngọc Nguyễn", {"ễ", "ọ"}),
        ("Andre\u0301 Q\u0303\u0323e", {"e\u0301", "Q\u0303\u0323"}),
        ("\u0301Andre", {"\u0301"}),
        ("M@ria", {"@"}),
    ],
)
def test_letters_that_not_every_font_holds_are_unusual(
    renderer: CertificateRenderer, name: str, unusual: set[str]
) -> None:
    assert renderer.coverage.unusual_letters(name) == unusual


@pytest.mark.parametrize("words", [80, 200, 500, 2000])
def test_a_name_that_would_run_into_the_footer_is_refused(
    renderer: CertificateRenderer, make_order: OrderFactory, words: int
) -> None:
    with pytest.raises(RenderingError, match="pages instead of 2") as refused:
        renderer.render(make_order(("Maria " * words, "", "")))
    assert "Maria" not in str(refused.value)


@pytest.mark.parametrize("character", ["ش", "א", "漢", "\u202e", "\u200b", "\u00ad", "\t", "\n", "\ue000", "😀"])
def test_characters_that_no_font_shows_are_named_and_never_rendered(
    renderer: CertificateRenderer, make_order: OrderFactory, character: str
) -> None:
    name = f"Aina{character}Vidal{character}"
    assert renderer.unprintable(name) == (character,)
    with pytest.raises(RenderingError, match=f"U\\+{ord(character):04X}") as refused:
        renderer.render(make_order((name, "", "")))
    assert "Aina" not in str(refused.value)


def test_names_of_the_islands_and_of_europe_are_printable(renderer: CertificateRenderer) -> None:
    assert renderer.unprintable("Marcel·lí L'Ŀonç Àèéíòóúïüçñ Nguyễn Şahin Łukasz Ørsted ĽÚBICA Ţ Ț Ő-º") == ()


def test_an_accent_that_stands_apart_is_judged_by_the_letter_it_makes(renderer: CertificateRenderer) -> None:
    assert renderer.unprintable("Andre\u0301") == ()


def test_the_record_inside_says_what_the_page_says(renderer: CertificateRenderer, make_order: OrderFactory) -> None:
    order = make_order(level=Level.C2, area=Area(6), procedures=(Procedure.EVIDENCE,))
    attached = read(renderer.render(order).content).attachments[RECORD_ATTACHMENT_NAME]
    assert attached == [certificate_record(order)]
    assert json.loads(attached[0]) == {
        "schema": "sealtool.record/1",
        "certificate_id": "7KQ2-M4TX-9WBD-5",
        "level": "C2",
        "area": 6,
        "accredited_on": "2025-03-12",
        "issued_on": "2025-10-27",
        "languages": ["ca", "es"],
        "procedures": ["evidence"],
        "person": {
            "person_id": "10000000P",
            "given_name": "Maria del Mar",
            "first_surname": "Ferrer",
            "second_surname": "i Pons",
        },
        "areas": [{"area": 6, "covered_on": "2025-03-12", "procedure": "evidence"}],
        "rules_version": "2025-10-27",
    }


def test_the_record_is_canonical_json(make_order: OrderFactory) -> None:
    order = make_order(("Marcel·lí", "Núñez", ""))
    text = certificate_record(order).decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text.startswith('{"accredited_on":"2025-03-12","area":null,"areas":[{"area":1,')
    assert "Marcel·lí" in text
    assert not text.endswith("\n")


def test_the_record_is_an_associated_file_of_type_json(renderer: CertificateRenderer, make_order: OrderFactory) -> None:
    root = read(renderer.render(make_order()).content).root_object
    [file] = root["/AF"]
    assert file.get_object()["/AFRelationship"] == "/Data"
    assert file.get_object()["/EF"]["/F"].get_object()["/Subtype"] == "/application/json"


def test_the_metadata_names_the_office_and_never_the_person(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    pdf = read(renderer.render(make_order()).content)
    assert pdf.metadata is not None
    assert pdf.metadata.title == (
        "Acreditació del nivell B1 de competència digital docent · "
        "Acreditación del nivel B1 de competencia digital docente"
    )
    assert pdf.metadata.author == "El secretari autonòmic de Desenvolupament Educatiu"
    assert pdf.metadata["/CreationDate"] == pdf.metadata["/ModDate"] == "D:20251027000000Z"
    xmp = pdf.root_object["/Metadata"].get_object().get_data().decode()
    assert ">7KQ2-M4TX-9WBD-5</dc:identifier>" in xmp
    assert "Ferrer" not in xmp + str(pdf.metadata)
    assert "10000000P" not in xmp + str(pdf.metadata)


def test_the_metadata_declares_archiving_and_accessibility_in_one_rdf_element(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    pdf = read(renderer.render(make_order()).content)
    xmp = pdf.root_object["/Metadata"].get_object().get_data().decode()
    assert 'pdfaid:part="3" pdfaid:conformance="A"' in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert xmp.count("<rdf:RDF") == 1


def test_each_page_is_tagged_in_its_language_and_each_figure_described(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    pdf = read(renderer.render(make_order()).content)
    assert pdf.root_object["/Lang"] == "ca"
    [root] = pdf.root_object["/StructTreeRoot"]["/K"]
    sections = [section.get_object() for section in root.get_object()["/K"]]
    assert [(section["/S"], section["/Lang"]) for section in sections] == [("/Sect", "ca"), ("/Sect", "es")]
    figures = [each for section in sections for each in _figures(section)]
    assert [figure["/Alt"][:8] for figure in figures] == ["Emblema:", "Codi QR ", "Emblema:", "Código Q"]
    emblem, code = (tuple(float(value) for value in figure["/A"]["/BBox"]) for figure in figures[:2])
    assert emblem == pytest.approx((85.04, 731.34, 133.23, 779.53), abs=0.5)  # at the top, in points from the bottom
    assert code[3] < 842 / 3


def _figures(element: dict[str, object]) -> list[dict[str, object]]:
    found = [element] if element["/S"] == "/Figure" else []
    for kid in element.get("/K", []):  # type: ignore[attr-defined]
        child = kid.get_object()
        if isinstance(child, dict) and child.get("/Type") == "/StructElem":
            found += _figures(child)
    return found


def test_the_file_is_one_clean_revision_of_pdf_1_7_and_small(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    content = renderer.render(make_order()).content
    assert content.startswith(b"%PDF-1.7\n")
    assert content.count(b"%%EOF") == content.count(b"startxref") == 1
    assert len(content) < 80_000


def test_all_fonts_are_embedded_subsets(renderer: CertificateRenderer, make_order: OrderFactory) -> None:
    fonts = read(renderer.render(make_order()).content).pages[0]["/Resources"]["/Font"]
    assert len(fonts) == 2
    for font in fonts.values():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile3" in descriptor or "/FontFile2" in descriptor
        assert "+" in font["/BaseFont"]


def test_the_same_order_gives_the_same_bytes(renderer: CertificateRenderer, make_order: OrderFactory) -> None:
    first = renderer.render(make_order()).content
    renderer.render(make_order(("Somebody", "Else", "")))
    assert renderer.render(make_order()).content == first


@pytest.mark.slow
def test_another_process_with_another_hash_seed_gives_the_same_bytes(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    script = (
        "import sys, pickle, hashlib; from sealtool.rendering import *; "
        "order = pickle.load(sys.stdin.buffer); "
        "print(hashlib.sha256(CertificateRenderer(RenderingOptions()).render(order).content).hexdigest())"
    )
    expected = hashlib.sha256(renderer.render(make_order()).content).hexdigest()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=pickle.dumps(make_order()),
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Pacific/Kiritimati"},
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode().strip() == expected


def test_a_different_day_of_issue_gives_different_bytes(
    renderer: CertificateRenderer, make_order: OrderFactory
) -> None:
    order = make_order()
    assert renderer.render(order).content != renderer.render(replace(order, issued_on=date(2025, 10, 28))).content


def test_the_second_surname_may_be_missing(make_order: OrderFactory, text_of: TextOf) -> None:
    order = make_order()
    person = replace(order.decision.person, second_surname="")
    text = text_of(replace(order, decision=replace(order.decision, person=person)))
    assert isinstance(person, Person)
    assert "a Maria del Mar Ferrer, amb" in text
