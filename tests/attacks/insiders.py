"""Attacks by who controls a page before it is sealed, or has the key of some certificate: made with the test PKI."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec

from sealtool.model import PadesLevel
from sealtool.verification import Trust
from tests.attacks.catalogue import Attack, Evidence, Group
from tests.attacks.workshop import BB, LTA, Workshop
from tests.pki.authorities import NOW, SEALED_AT, Pki, pki
from tests.pki.sealed_files import page_text, record_attachment, seal, small_pdf, stamper_of
from tests.pki.tampering import incremental_update, raw_update, stamped

LT = PadesLevel.B_LT


def trust_of(hierarchy: Pki, lists: tuple[bytes, ...] | None = None) -> Trust:
    return Trust((hierarchy.root.der,), (), hierarchy.lists if lists is None else lists)


def evidence(content: bytes) -> Evidence:
    return Evidence(content, trust_of(pki()), NOW)


def bought(content: bytes) -> bytes:
    return stamped(content, stamper_of(pki(), SEALED_AT))


@cache
def _sound(level: PadesLevel) -> bytes:
    return seal(small_pdf(), level)


def sound(level: PadesLevel) -> Callable[[Workshop], Evidence]:
    return lambda _: evidence(_sound(level))


# --- shadow attacks: prepared, sealed, switched ---------------------------------------------

_COVER = b"q 1 1 1 rg 0 0 600 850 re f Q"
_TRUE_TEXT = page_text(1)
_OTHER_TEXT = page_text(1, "C2")
_CLAIM = b"BT /F1 12 Tf 72 600 Td (and an honorary doctor) Tj ET"
_SPARE = 90
"""A number that no object of a small file has."""


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def _prepared(*objects: tuple[int, bytes], page: bytes = b"") -> bytes:
    """A small file with more objects in it, and entries written into its first page."""
    content = small_pdf()
    number = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"].raw_get(0).idnum
    more = [*objects]
    if page:
        start = content.index(b"%d 0 obj\n" % number)
        body = content[start : content.index(b"endobj", start)].split(b"obj\n", 1)[1].strip()
        more.append((number, body[:-2] + page + b" >>"))
    return raw_update(content, more)


def _text_number(content: bytes) -> int:
    contents = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"][0].raw_get("/Contents")
    if isinstance(contents, generic.ArrayObject):
        contents = contents.raw_get(0)
    return int(contents.idnum)


def _covered() -> bytes:
    """Another claim lies under a white form, over which the true text is drawn."""
    text = _text_number(small_pdf())
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 600 850]"
    page = b"/Contents [%d 0 R %d 0 R]" % (_SPARE, text)
    return _replaced_contents(page, (_SPARE, _stream(_CLAIM)), (_SPARE + 1, _stream(_COVER, entries)))


def _replaced_contents(contents: bytes, *objects: tuple[int, bytes]) -> bytes:
    content = small_pdf()
    number = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"].raw_get(0).idnum
    start = content.index(b"%d 0 obj\n" % number)
    body = content[start : content.index(b"endobj", start)].split(b"obj\n", 1)[1].strip()
    old = b"/Contents %d 0 R" % _text_number(content)
    assert old in body
    return raw_update(content, [*objects, (number, body.replace(old, contents))])


def _dangling() -> bytes:
    """The page draws a second stream that is not there yet."""
    return _replaced_contents(b"/Contents [%d 0 R %d 0 R]" % (_text_number(small_pdf()), _SPARE))


def _two_trees() -> bytes:
    """A second tree of pages lies unused in the file."""
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << >> >>"
    return _prepared(
        (_SPARE, b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (_SPARE + 1)),
        (_SPARE + 1, page % (_SPARE, _SPARE + 2)),
        (_SPARE + 2, _stream(_OTHER_TEXT)),
    )


def _font() -> bytes:
    """The text is drawn with a font whose glyphs an object of its own describes."""
    return _prepared((_SPARE, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"))


def _defined_twice() -> bytes:
    """The text of the page stands in the file twice; the table lists the true one."""
    text = _text_number(small_pdf())
    return raw_update(small_pdf(), [(text, _stream(_OTHER_TEXT)), (text, _stream(_TRUE_TEXT))])


def _uncover(content: bytes) -> bytes:
    return raw_update(content, [(_text_number(small_pdf()), _stream(b"% gone"))])


def _swap_text(content: bytes) -> bytes:
    return raw_update(content, [(_text_number(small_pdf()), _stream(_OTHER_TEXT))])


def _fill_gap(content: bytes) -> bytes:
    return raw_update(content, [(_SPARE, _stream(_COVER + _OTHER_TEXT))])


def _switch_trees(content: bytes) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[pdf_name("/Pages")] = generic.IndirectObject(_SPARE, 0, writer)
        writer.update_root()

    return incremental_update(content, change)


def _swap_font(content: bytes) -> bytes:
    font = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"][0]["/Resources"]["/Font"].raw_get("/F1").idnum
    return raw_update(content, [(font, b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>")])


def _lose_table(content: bytes) -> bytes:
    """Readers that find no table repair the file, and may take the first definition, or the last."""
    return content + b"startxref\n0\n%%EOF\n"


Prepare = Callable[[], bytes]
Switch = Callable[[bytes], bytes]

_SHADOWS: Mapping[str, tuple[Prepare, Switch, str]] = {
    "hide": (_covered, _uncover, "A prepared cover or text is taken away after sealing."),
    "replace": (small_pdf, _swap_text, "The object of the page's text is defined anew."),
    "replace the font": (_font, _swap_font, "The page's font is exchanged for one with other letters."),
    "hide and replace": (_two_trees, _switch_trees, "An unused second tree of pages becomes the one that is shown."),
    "fill a gap": (_dangling, _fill_gap, "The page draws an object that is only defined after sealing."),
}
_UNSTAMPABLE: Mapping[str, tuple[Prepare, Switch, str]] = {
    "object defined twice": (
        _defined_twice,
        _lose_table,
        "Of two definitions, the other one counts once the table is lost.",
    ),
}


def _shadows() -> list[Attack]:
    plain = [
        _prepared_attack(f"shadow: {name}, {level}", level, prepare, switch, description)
        for name, (prepare, switch, description) in {**_SHADOWS, **_UNSTAMPABLE}.items()
        for level in (BB, LTA)
    ]
    covered = [
        _prepared_attack(
            f"shadow: {name}, stamped, {level}",
            level,
            prepare,
            _then_bought(switch),
            f"{description} A sound time stamp covers it.",
        )
        for name, (prepare, switch, description) in _SHADOWS.items()
        for level in (LT, LTA)
    ]
    return plain + covered


def _then_bought(switch: Switch) -> Switch:
    return lambda content: bought(switch(content))


def _prepared_attack(name: str, level: PadesLevel, prepare: Prepare, switch: Switch, description: str) -> Attack:
    return Attack(
        name,
        Group.SHADOW,
        description,
        level,
        lambda _: evidence(seal(prepare(), level)),
        lambda _: evidence(switch(seal(prepare(), level))),
        frozenset({"NOT_ENTIRE_FILE", "CHANGED_AFTER_SEAL", "UNREADABLE"}),
    )


# --- hidden from the table, and seen by readers that repair ---------------------------------


def _hidden(separator: bytes) -> Switch:
    """An object in an update that no table lists, written so that a search for `5 0 obj` does not find it."""

    def change(content: bytes) -> bytes:
        number = _text_number(content)
        forged = separator.join((b"%d" % number, b"0", b"obj\n")) + _stream(_OTHER_TEXT) + b"\nendobj\n"
        return bought(raw_update(content, [(_SPARE, b"null")], unlisted=forged))

    return change


def _hybrid(content: bytes) -> bytes:
    """A classic table and a hidden stream of references beside it: readers differ in which they follow."""
    section = b"<< /Type /XRef /W [1 2 1] /Index [0 1] /Size 1 /Length 4 >>\nstream\n\x00\x00\x00\x00\nendstream"
    place = len(content)
    return bought(raw_update(content, [(_SPARE, section)], trailer=b"/XRefStm %d" % place))


_STRUCTURES: Mapping[str, tuple[Switch, str]] = {
    "unlisted object": (_hidden(b" "), "An object that no table lists; readers that repair files find it."),
    "unlisted object, NUL": (_hidden(b"\0"), "The same, with NUL bytes for spaces."),
    "unlisted object, comment": (_hidden(b" %\n"), "The same, with comments between its numbers."),
    "hybrid references": (_hybrid, "A table with a second, hidden one beside it."),
}


def _structures() -> list[Attack]:
    return [
        Attack(
            f"{name}, stamped, {LT}",
            Group.STRUCTURE,
            f"{description} A sound time stamp covers it.",
            LT,
            sound(LT),
            lambda _, change=change: evidence(change(_sound(LT))),  # type: ignore[misc]
            frozenset({"CHANGED_AFTER_SEAL", "UNREADABLE", "NOT_ENTIRE_FILE"}),
        )
        for name, (change, description) in _STRUCTURES.items()
    ]


# --- sealed, but showing or doing something of its own --------------------------------------

_LAYERS = b"/OCProperties << /OCGs [] /D << /AS [<< /Event /Print /Category [/Print] /OCGs [] >>] >> >>"
_CATALOGUES: Mapping[str, tuple[bytes, str, str]] = {
    "script on opening": (b"/OpenAction << /S /JavaScript /JS (1) >>", "A script runs on opening.", "ACTIVE_CONTENT"),
    "script on printing": (
        b"/AA << /WP << /S /JavaScript /JS (1) >> >>",
        "A script runs before printing.",
        "ACTIVE_CONTENT",
    ),
    "program started": (
        b"/OpenAction << /S /Launch /F (calc.exe) >>",
        "A program starts on opening.",
        "ACTIVE_CONTENT",
    ),
    "portfolio": (
        b"/Collection << /View /T >>",
        "Readers show the attachments in place of the pages.",
        "ACTIVE_CONTENT",
    ),
    "layers": (_LAYERS, "Layers show one text on the screen and another on paper.", "ACTIVE_CONTENT"),
    "bookmark that acts": (
        b"/Outlines << /First << /Title (x) /A << /S /URI /URI (https://forged.example) >> >> >>",
        "A bookmark leads to a forger's site.",
        "ACTIVE_CONTENT",
    ),
}
_ANNOTATIONS: Mapping[str, tuple[bytes, str, str]] = {
    "text over the page": (b"/Subtype /FreeText /Contents (C2)", "A text lies over the page.", "ANNOTATION_UNEXPECTED"),
    "stamp over the page": (b"/Subtype /Stamp", "A rubber stamp lies over the page.", "ANNOTATION_UNEXPECTED"),
    "redaction": (b"/Subtype /Redact", "A redaction waits to be applied.", "ANNOTATION_UNEXPECTED"),
    "film": (b"/Subtype /RichMedia", "A film plays on the page.", "ANNOTATION_UNEXPECTED"),
    "link that shows": (b"/Subtype /Link /AP << >>", "A link has a look of its own.", "ANNOTATION_UNEXPECTED"),
    "link that acts": (b"/Subtype /Link /A << /S /SubmitForm >>", "A link sends something.", "ACTIVE_CONTENT"),
}


def _nameless_page() -> bytes:
    """The page does not say that it is one; readers take it for one all the same, with its annotations."""
    content = small_pdf()
    tree = PdfFileReader(io.BytesIO(content)).root.raw_get("/Pages").idnum
    second = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"].raw_get(1).idnum
    note = b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 600 850] /Contents (LEVEL C2) >>"
    page = b"<< /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << >> /Annots [%s] >>"
    return raw_update(content, [(second, page % (tree, _text_number(content), note))])


def _inside() -> list[Attack]:
    files: dict[str, tuple[Callable[[], bytes], str, str]] = {}
    for name, (catalog, description, code) in _CATALOGUES.items():
        files[name] = (lambda catalog=catalog: small_pdf(catalog=catalog), description, code)  # type: ignore[misc]
    for name, (body, description, code) in _ANNOTATIONS.items():
        raw = b"<< /Type /Annot /Rect [0 0 600 850] %s >>" % body
        files[name] = (lambda raw=raw: small_pdf(annotation=raw), description, code)  # type: ignore[misc]
    files["page without a type"] = (
        _nameless_page,
        "A page that does not say it is one carries a text over it.",
        "ANNOTATION_UNEXPECTED",
    )
    files["XFA form"] = (_with_xfa, "An XFA form that some readers show in place of the pages.", "ACTIVE_CONTENT")
    files["two records"] = (
        lambda: small_pdf((record_attachment(), record_attachment(level="C2"))),
        "Two records of different levels.",
        "RECORD_AMBIGUOUS",
    )
    files["no record"] = (lambda: small_pdf(()), "A sealed document that is no certificate.", "RECORD_MISSING")
    return [
        Attack(
            f"sealed: {name}",
            Group.INSIDE,
            description,
            BB,
            sound(BB),
            lambda _, make=make: evidence(seal(make(), BB)),  # type: ignore[misc]
            frozenset({code}),
        )
        for name, (make, description, code) in files.items()
    ]


def _with_xfa() -> bytes:
    return small_pdf(catalog=b"/AcroForm << /Fields [] /XFA (<xdp/>) >>")


# --- other seals, fields and permissions ----------------------------------------------------


def _countersigned(level: PadesLevel, who: str = "seal", hierarchy: Pki | None = None) -> Callable[[], bytes]:
    def make() -> bytes:
        once = seal(small_pdf(), level)
        settings: dict[str, Any] = {"field_name": "Second", "certify": False, "docmdp_permissions": None}
        return seal(once, level, who=who, hierarchy=hierarchy, **settings)

    return make


def _with_empty_field() -> bytes:
    spec = fields.SigFieldSpec("Empty", box=None)
    return seal(incremental_update(small_pdf(), lambda writer: fields.append_signature_field(writer, spec)), BB)


def _permitting(permission: fields.MDPPerm) -> Callable[[], bytes]:
    """The seal permits comments or forms (DocMDP), and what it permits is done."""

    def make() -> bytes:
        content = seal(small_pdf(annotation=_PLAIN_LINK), BB, docmdp_permissions=permission)

        def change(writer: IncrementalPdfFileWriter) -> None:
            page = writer.root["/Pages"]["/Kids"][0]
            note = generic.DictionaryObject(
                {pdf_name("/Type"): pdf_name("/Annot"), pdf_name("/Subtype"): pdf_name("/FreeText")}
            )
            note[pdf_name("/Contents")] = generic.pdf_string("LEVEL C2")
            note[pdf_name("/Rect")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 600, 850)))
            page["/Annots"].append(writer.add_object(note))
            writer.update_container(page["/Annots"])

        return bought(incremental_update(content, change))

    return make


_PLAIN_LINK = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.org/) >> >>"


def _approval_and_form() -> bytes:
    """An approval seal (no DocMDP) with a form field filled in afterwards."""
    content = seal(small_pdf(), BB, certify=False, docmdp_permissions=None)

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        field = {"/FT": pdf_name("/Tx"), "/T": generic.pdf_string("level"), "/V": generic.pdf_string("C2")}
        reference = writer.add_object(generic.DictionaryObject({pdf_name(key): value for key, value in field.items()}))
        form["/Fields"].append(reference)
        writer.update_container(form["/Fields"])

    return bought(incremental_update(content, change))


def _field_locked() -> bytes:
    """The seal locks no field at all (FieldMDP, Include nothing), and the field of a form is added."""
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=["nothing"])
    spec = fields.SigFieldSpec("Seal", box=None, field_mdp_spec=lock, doc_mdp_update_value=fields.MDPPerm.FILL_FORMS)
    prepared = incremental_update(small_pdf(), lambda writer: fields.append_signature_field(writer, spec))
    content = seal(prepared, BB, certify=False, docmdp_permissions=None)
    return seal(content, BB, field_name="Second", certify=False, docmdp_permissions=None)


_FIELDS: Mapping[str, tuple[Callable[[], bytes], str, tuple[str, ...]]] = {
    "second seal": (_countersigned(LT), "A second, sound seal of the office on top.", ("SEVERAL_SEALS",)),
    "second seal of a person": (_countersigned(BB, "person"), "A person signs on top.", ("SEVERAL_SEALS",)),
    "second seal of a stranger": (
        _countersigned(BB, hierarchy=pki("forger")),
        "A stranger's seal on top.",
        ("SEVERAL_SEALS",),
    ),
    "empty field, sealed": (_with_empty_field, "A signature field that waits to be filled in.", ("SEVERAL_SEALS",)),
    "another field name": (
        lambda: seal(small_pdf(), BB, field_name="Signature1"),
        "The seal stands in another field.",
        ("SEAL_FIELD_UNEXPECTED",),
    ),
    "comments permitted": (
        _permitting(fields.MDPPerm.ANNOTATE),
        "The seal permits comments (P=3), and one is laid over the page.",
        ("CHANGED_AFTER_SEAL",),
    ),
    "forms permitted": (
        _permitting(fields.MDPPerm.FILL_FORMS),
        "The seal permits forms (P=2); a comment is laid over the page.",
        ("CHANGED_AFTER_SEAL",),
    ),
    "approval only": (
        _approval_and_form,
        "The seal certifies nothing (no DocMDP); a field is filled in.",
        ("CHANGED_AFTER_SEAL", "SEAL_FIELD_UNEXPECTED"),
    ),
    "field lock": (
        _field_locked,
        "The seal locks no field (FieldMDP), and a second signature is added.",
        ("SEVERAL_SEALS",),
    ),
}


def _fields() -> list[Attack]:
    return [
        Attack(
            f"field: {name}",
            Group.FIELDS,
            description,
            LT if make is _FIELDS["second seal"][0] else BB,
            sound(BB),
            lambda _, make=make: evidence(make()),  # type: ignore[misc]
            frozenset(codes),
        )
        for name, (make, description, codes) in _FIELDS.items()
    ]


def attacks() -> list[Attack]:
    return [*_shadows(), *_structures(), *_inside(), *_fields()]
