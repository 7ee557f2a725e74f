"""What an archive and a screen reader need beyond the pages: XMP metadata, language and figures in the tags.

The aim is a file that is PDF/A-3a (ISO 19005-3) and PDF/UA-1 (ISO 14289-1) at once. The engine takes one
variant a file, so the second is declared here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, register_namespace, tostring

from sealtool.model import CertificateOrder
from sealtool.rendering.engine import Dictionary, Document, DocumentMetadata, PdfStream
from sealtool.rendering.wording import WordedPage

PDF_VARIANT = "pdf/a-3a"
_POINTS_PER_CSS_PIXEL = 0.75
_EFFORT = 5  # of compressing a page

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_PDFUAID = "http://www.aiim.org/pdfua/ns/id/"

# ISO 19005-3, 6.6.2.3.3: these prefixes are prescribed, although names alone should count in XML.
for _prefix, _name in (
    ("pdfaExtension", "http://www.aiim.org/pdfa/ns/extension/"),
    ("pdfaSchema", "http://www.aiim.org/pdfa/ns/schema#"),
    ("pdfaProperty", "http://www.aiim.org/pdfa/ns/property#"),
    ("pdfuaid", _PDFUAID),
):
    register_namespace(_prefix, _name)

# ISO 19005-3, 6.6.2.3: a property that PDF/A does not know by itself, as pdfuaid:part, needs its description.
_PDFUA_IDENTIFICATION = f"""<rdf:RDF xmlns:rdf="{_RDF}">
<rdf:Description rdf:about="" xmlns:pdfuaid="{_PDFUAID}"><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{_PDFUAID}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 the document conforms to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF>"""


class CertificateMetadata(DocumentMetadata):  # type: ignore[misc]
    """The document's metadata; all of it follows from the order, so that the bytes do too."""

    def __init__(self, order: CertificateOrder, pages: tuple[WordedPage, ...]) -> None:
        # No clock: the day of issue at midnight, UTC, which names the same day wherever it is read.
        created = f"{order.issued_on.isoformat()}T00:00:00Z"
        super().__init__(
            title=" · ".join(dict.fromkeys(page.title for page in pages)),
            authors=[pages[0].office],
            generator="sealtool",
            created=created,
            modified=created,
            lang=pages[0].language.value,
        )
        self._identifier = order.certificate_id
        self._languages = [page.language.value for page in pages]

    def generate_rdf_metadata(self, variant: str, version: int, conformance: str | None) -> bytes:
        """The engine's RDF with identifier, languages and the PDF/UA declaration in the same rdf:RDF element."""
        rdf = fromstring(super().generate_rdf_metadata(variant, version, conformance))  # noqa: S314 - our own output
        description = SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
        SubElement(description, f"{{{_DC}}}identifier").text = self._identifier
        bag = SubElement(SubElement(description, f"{{{_DC}}}language"), f"{{{_RDF}}}Bag")
        for language in self._languages:
            SubElement(bag, f"{{{_RDF}}}li").text = language
        rdf.extend(_pdfua_identification())
        content: bytes = tostring(rdf, encoding="utf-8")
        return content


def _pdfua_identification() -> Iterable[Element]:
    return list(fromstring(_PDFUA_IDENTIFICATION))  # noqa: S314 - a constant


def finish(pdf: Any, document: Document, pages: tuple[WordedPage, ...]) -> None:
    """Complete a painted file just before it is written out."""
    _mark_languages_and_figures(pdf, document, pages)
    # The engine lists each attachment twice, once by name and once as an object.
    pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])
    _lighten_pages(pdf)


def lightened(operator: bytes) -> bytes:
    """An operator of a page, and where it shows text without the moves of nothing that the engine puts between glyphs.

    ISO 32000-2, 9.4.3: a move of 0 moves nothing. They are a sixth of a page, and readers take each for a text.
    """
    return operator.replace(b">0<", b"").replace(b">0]", b">]") if operator.endswith(b"] TJ") else operator


class _PageContent(PdfStream):  # type: ignore[misc]
    """What paints a page, which differs from person to person.

    The engine compresses as much as can be, which takes more than twice as long, for one part in a hundred.
    """

    def __init__(self, original: Any) -> None:
        super().__init__(original.stream, original.extra)
        self.number = original.number

    @property
    def data(self) -> bytes:
        plain: bytes = super().data
        content = zlib.compress(plain.partition(b"stream\n")[2].removesuffix(b"\nendstream"), _EFFORT)
        entries = Dictionary({**self.extra, "Filter": "/FlateDecode", "Length": len(content)})
        return b"\n".join((entries.data, b"stream", content, b"endstream"))


def _lighten_pages(pdf: Any) -> None:
    by_reference = {each.reference: each for each in pdf.objects}
    for page in pdf.page_references:
        original = by_reference[by_reference[page]["Contents"]]
        original.stream = [lightened(each) if isinstance(each, bytes) else each for each in original.stream]
        if original.compress:
            pdf.objects[original.number] = _PageContent(original)


def _mark_languages_and_figures(pdf: Any, document: Document, pages: tuple[WordedPage, ...]) -> None:
    """Say in the structure tree which language each page speaks, and where its figures lie.

    The engine writes one language for the whole file, and the boxes of figures in pixels from the top where
    ISO 32000-1, 14.8.5.4.3 wants points from the bottom.
    """
    heights = dict(zip(pdf.page_references, (page.height for page in document.pages), strict=True))
    languages = dict(zip(pdf.page_references, (page.language.value for page in pages), strict=True))
    for element in pdf.objects:
        if not isinstance(element, dict) or element.get("Type") != "/StructElem":
            continue
        if element["S"] == "/Sect":
            element["Lang"] = f"({languages[element['Pg']]})"
        elif element["S"] == "/Figure":
            left, top, right, bottom = element["A"]["BBox"]
            height = heights[element["Pg"]]
            corners = (left, height - bottom, right, height - top)
            element["A"]["BBox"][:] = [round(corner * _POINTS_PER_CSS_PIXEL, 2) for corner in corners]
