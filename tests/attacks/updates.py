"""Incremental updates as an editor would save them: each shows, says or does something that was not sealed.

Those that must not even pass with a sound time stamp over them are listed twice in the catalogue: plain, and
stamped. A forger can buy a time stamp from any trusted authority.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields

from tests.attacks.catalogue import Attack, Group, OnIssued
from tests.attacks.workshop import BB, LTA, Workshop
from tests.pki.tampering import incremental_update, raw_update, stamped

Writer = IncrementalPdfFileWriter
Change = Callable[[Writer], None]

_FORGED_TEXT = b"q 1 1 1 rg 0 0 600 850 re f Q BT /Helv 40 Tf 72 600 Td (LEVEL C2) Tj ET"


def _dictionary(**entries: Any) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name(f"/{key}"): value for key, value in entries.items()})


def _page(writer: Writer, number: int = 0) -> generic.DictionaryObject:
    return writer.root["/Pages"]["/Kids"][number]  # type: ignore[no-any-return]


def _rectangle(*sides: int) -> generic.ArrayObject:
    return generic.ArrayObject(map(generic.NumberObject, sides))


def _text_stream(data: bytes = _FORGED_TEXT) -> generic.StreamObject:
    return generic.StreamObject(stream_data=data)


def _helvetica() -> generic.DictionaryObject:
    return _dictionary(Type=pdf_name("/Font"), Subtype=pdf_name("/Type1"), BaseFont=pdf_name("/Helvetica"))


def replace_content(writer: Writer) -> None:
    page = _page(writer)
    page["/Contents"] = writer.add_object(_text_stream())
    writer.update_container(page)


def overwrite_content(writer: Writer) -> None:
    stream = _page(writer)["/Contents"]
    stream._data, stream._encoded_data = _FORGED_TEXT, None
    writer.update_container(stream)


def cover_content(writer: Writer) -> None:
    page = _page(writer)
    cover = writer.add_object(_text_stream(b"q 1 1 1 rg 0 0 600 850 re f Q"))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), cover])
    writer.update_container(page)


def swap_font(writer: Writer) -> None:
    for reference in list(_page(writer)["/Resources"]["/Font"].values()):
        font = reference.get_object() if isinstance(reference, generic.IndirectObject) else reference
        for key in [key for key in font if key not in ("/Type", "/Subtype")]:
            del font[key]
        font.update(_helvetica())
        writer.update_container(font)


def shrink_view(writer: Writer) -> None:
    page = _page(writer)
    page["/CropBox"] = page["/MediaBox"] = _rectangle(0, 700, 595, 842)
    writer.update_container(page)


def add_page(writer: Writer) -> None:
    tree = writer.root["/Pages"]
    page = _dictionary(Type=pdf_name("/Page"), MediaBox=_rectangle(0, 0, 595, 842), Resources=_dictionary())
    page["/Parent"], page["/Contents"] = writer.root.raw_get("/Pages"), writer.add_object(_text_stream())
    tree["/Kids"].append(writer.add_object(page))
    tree["/Count"] = generic.NumberObject(tree["/Count"] + 1)
    writer.update_container(tree)


def remove_page(writer: Writer) -> None:
    tree = writer.root["/Pages"]
    del tree["/Kids"][-1]
    tree["/Count"] = generic.NumberObject(tree["/Count"] - 1)
    writer.update_container(tree)


def turn_pages_round(writer: Writer) -> None:
    tree = writer.root["/Pages"]
    tree["/Kids"].reverse()
    writer.update_container(tree)


def swap_page_tree(writer: Writer) -> None:
    page = _dictionary(Type=pdf_name("/Page"), MediaBox=_rectangle(0, 0, 595, 842), Resources=_dictionary())
    page["/Contents"] = writer.add_object(_text_stream())
    tree = _dictionary(Type=pdf_name("/Pages"), Count=generic.NumberObject(1))
    tree["/Kids"] = generic.ArrayObject([writer.add_object(page)])
    writer.root["/Pages"] = writer.add_object(tree)
    writer.update_root()


def annotation(subtype: str, **entries: Any) -> Change:
    def change(writer: Writer) -> None:
        page = _page(writer)
        look = generic.StreamObject(stream_data=_FORGED_TEXT)
        look.update(_dictionary(Type=pdf_name("/XObject"), Subtype=pdf_name("/Form"), BBox=_rectangle(0, 0, 600, 850)))
        look["/Resources"] = _dictionary(Font=_dictionary(Helv=_helvetica()))
        widget = _dictionary(Type=pdf_name("/Annot"), Subtype=pdf_name(subtype), F=generic.NumberObject(4), **entries)
        widget["/Rect"], widget["/AP"] = _rectangle(0, 0, 600, 850), _dictionary(N=writer.add_object(look))
        page["/Annots"].append(writer.add_object(widget))
        writer.update_container(page)
        writer.update_container(page["/Annots"])

    return change


def add_text_field(writer: Writer) -> None:
    widget = _dictionary(Type=pdf_name("/Annot"), Subtype=pdf_name("/Widget"), FT=pdf_name("/Tx"), T=pdf_string("a"))
    widget |= _dictionary(V=pdf_string("LEVEL C2"), Rect=_rectangle(72, 600, 400, 650), DA=pdf_string("/Helv 40 Tf"))
    reference = writer.add_object(widget)
    form, page = writer.root["/AcroForm"], _page(writer)
    form["/Fields"].append(reference)
    page["/Annots"].append(reference)
    for changed in (form, form["/Fields"], page, page["/Annots"]):
        writer.update_container(changed)


def show_the_seals_widget(writer: Writer) -> None:
    """The field of the seal is made as large as the page and given a look."""
    widget = writer.root["/AcroForm"]["/Fields"][0]
    look = _text_stream()
    look.update(_dictionary(Type=pdf_name("/XObject"), Subtype=pdf_name("/Form"), BBox=_rectangle(0, 0, 600, 850)))
    widget["/Rect"], widget["/AP"] = _rectangle(0, 0, 600, 850), _dictionary(N=writer.add_object(look))
    writer.update_container(widget)


def change_information(writer: Writer) -> None:
    writer.trailer["/Info"]["/Title"] = pdf_string("LEVEL C2")
    writer.update_container(writer.trailer["/Info"])


def change_xmp(writer: Writer) -> None:
    metadata = writer.root["/Metadata"]
    metadata._data = metadata.data.replace(b"B1", b"C2")
    metadata._encoded_data = None
    writer.update_container(metadata)


def lengthen_xmp_title(writer: Writer) -> None:
    """The title of the XMP packet gains a text that looks as a change of dates does."""
    metadata = writer.root["/Metadata"]
    metadata._data = metadata.data.replace(b"</rdf:li>", b' xmp:ModifyDate="LEVEL C2"</rdf:li>', 1)
    metadata._encoded_data = None
    writer.update_container(metadata)


def _record(writer: Writer) -> generic.DictionaryObject:
    return writer.root["/AF"][0]  # type: ignore[no-any-return]


def _overwrite_record(writer: Writer, encoded: Callable[[bytes, int], bytes]) -> None:
    """Puts a record at C2 into the place of the sealed one; ``encoded`` is told its text and the other's length."""
    stream = _record(writer)["/EF"]["/F"]
    forged = stream.data.replace(b'"area":null', b'"area":1').replace(b'"level":"B1"', b'"level":"C2"')
    stream._encoded_data = encoded(forged, len(stream.encoded_data))
    stream._data = None
    writer.update_container(stream)


def overwrite_record(writer: Writer) -> None:
    """Surely of another length: DSS compares streams by their entries, of which /Length is one, and not by content."""
    _overwrite_record(writer, lambda forged, _: zlib.compress(forged, 0))


def overwrite_record_same_length(writer: Writer) -> None:
    def encoded(forged: bytes, length: int) -> bytes:
        packed = zlib.compress(forged, 9)
        assert len(packed) <= length
        return packed.ljust(length, b"\0")

    _overwrite_record(writer, encoded)


def replace_record(writer: Writer) -> None:
    specification = _record(writer)
    forged = _text_stream(specification["/EF"]["/F"].data.replace(b'"B1"', b'"C2"'))
    forged.update(_dictionary(Type=pdf_name("/EmbeddedFile")))
    reference = writer.add_object(forged)
    specification["/EF"] = _dictionary(F=reference, UF=reference)
    writer.update_container(specification)


def _specification(writer: Writer, name: str, data: bytes) -> generic.IndirectObject:
    stream = _text_stream(data)
    stream.update(_dictionary(Type=pdf_name("/EmbeddedFile")))
    files = _dictionary(F=writer.add_object(stream))
    return writer.add_object(_dictionary(Type=pdf_name("/Filespec"), F=pdf_string(name), UF=pdf_string(name), EF=files))


def add_record(writer: Writer) -> None:
    forged = _record(writer)["/EF"]["/F"].data.replace(b'"B1"', b'"C2"')
    writer.root["/AF"].append(_specification(writer, "record.json", forged))
    writer.update_root()
    writer.update_container(writer.root["/AF"])


def add_attachment(writer: Writer) -> None:
    writer.root["/AF"].append(_specification(writer, "annex.txt", b"The holder has also obtained C2."))
    writer.update_root()
    writer.update_container(writer.root["/AF"])


def _script() -> generic.DictionaryObject:
    return _dictionary(S=pdf_name("/JavaScript"), JS=pdf_string("app.alert('LEVEL C2')"))


def add_open_action(writer: Writer) -> None:
    writer.root["/OpenAction"] = _script()
    writer.update_root()


def add_page_action(writer: Writer) -> None:
    page = _page(writer)
    page["/AA"] = _dictionary(O=_script())
    writer.update_container(page)


def add_named_script(writer: Writer) -> None:
    names = generic.ArrayObject([pdf_string("a"), writer.add_object(_script())])
    writer.root["/Names"]["/JavaScript"] = _dictionary(Names=names)
    writer.update_root()
    writer.update_container(writer.root["/Names"])


def add_xfa(writer: Writer) -> None:
    form = writer.root["/AcroForm"]
    form["/XFA"] = writer.add_object(_text_stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>"))
    writer.update_container(form)


def need_appearances(writer: Writer) -> None:
    form = writer.root["/AcroForm"]
    form["/NeedAppearances"] = generic.BooleanObject(value=True)
    writer.update_container(form)


def hide_in_layer(writer: Writer) -> None:
    """The page's content moves into a layer that is switched off."""
    layer = writer.add_object(_dictionary(Type=pdf_name("/OCG"), Name=pdf_string("text")))
    page, stream = _page(writer), _page(writer)["/Contents"]
    page["/Resources"]["/Properties"] = _dictionary(Layer=layer)
    stream._data, stream._encoded_data = b"/OC /Layer BDC\n" + stream.data + b"\nEMC\n", None
    settings = _dictionary(OFF=generic.ArrayObject([layer]))
    writer.root["/OCProperties"] = _dictionary(OCGs=generic.ArrayObject([layer]), D=settings)
    writer.update_root()
    for changed in (page, page["/Resources"], stream):
        writer.update_container(changed)


def another_version(writer: Writer) -> None:
    writer.root["/Version"] = pdf_name("/2.0")
    writer.root["/Extensions"] = _dictionary(
        ISO_=_dictionary(BaseVersion=pdf_name("/2.0"), ExtensionLevel=generic.NumberObject(32003))
    )
    writer.update_root()


def lift_permissions(writer: Writer) -> None:
    """The catalogue no longer says that the seal certifies, so any change would be permitted."""
    del writer.root["/Perms"]
    writer.update_root()


def lower_permissions(writer: Writer) -> None:
    """The certifying seal is said to permit annotations (P=3), and one is laid over the page."""
    seal = writer.root["/AcroForm"]["/Fields"][0]["/V"]
    seal["/Reference"][0]["/TransformParams"]["/P"] = generic.NumberObject(3)
    writer.update_container(seal)
    annotation("/FreeText", Contents=pdf_string("LEVEL C2"))(writer)


def retarget_link(writer: Writer) -> None:
    annotations = (one.get_object() for one in _page(writer)["/Annots"])
    link = next(one for one in annotations if one["/Subtype"] == "/Link")
    link["/A"] = _dictionary(S=pdf_name("/URI"), URI=pdf_string("https://forged.example/"))
    writer.update_container(link)


def add_second_language(writer: Writer) -> None:
    """What a screen reader says is swapped: the text of the tags differs from the page."""
    tree = writer.root["/StructTreeRoot"]["/K"]
    element = tree[0] if isinstance(tree, generic.ArrayObject) else tree
    element["/ActualText"] = pdf_string("LEVEL C2")
    writer.update_container(element)


def add_signature_field(writer: Writer) -> None:
    fields.append_signature_field(writer, fields.SigFieldSpec("Empty"))


def add_visible_signature_field(writer: Writer) -> None:
    fields.append_signature_field(writer, fields.SigFieldSpec("Empty", box=(0, 0, 600, 850)))


UPDATES: Mapping[str, tuple[Change, str]] = {
    "page text replaced": (replace_content, "The first page is given another content stream."),
    "page text overwritten": (overwrite_content, "The object that holds the text of the first page is defined anew."),
    "page text covered": (cover_content, "A white area is painted over the first page."),
    "fonts replaced": (swap_font, "The embedded fonts are exchanged, so the same codes show other letters."),
    "page cropped": (shrink_view, "The visible part of the first page is cut down."),
    "page added": (add_page, "A page with a forged text is added."),
    "page removed": (remove_page, "The last page is taken out."),
    "pages in another order": (turn_pages_round, "The pages change places."),
    "page tree replaced": (swap_page_tree, "The catalogue is pointed to other pages."),
    "annotation FreeText": (annotation("/FreeText", Contents=pdf_string("LEVEL C2")), "A text is laid over the page."),
    "annotation Stamp": (annotation("/Stamp"), "A rubber stamp is laid over the page."),
    "annotation Redact": (annotation("/Redact"), "A redaction is laid over the page."),
    "annotation Highlight": (annotation("/Highlight"), "A highlight with a look of its own covers the page."),
    "form field Widget": (add_text_field, "A filled-in text field is laid over the page."),
    "seal made visible": (show_the_seals_widget, "The seal's own field is enlarged and shows a forged page."),
    "document information": (change_information, "The title in the document information names another level."),
    "XMP title": (
        lengthen_xmp_title,
        "The title in the XMP packet gains a text that is written like a date of change.",
    ),
    "XMP": (change_xmp, "The XMP packet names another level."),
    "record overwritten": (overwrite_record, "The stream of the sealed record is defined anew, at C2."),
    "record overwritten, as long": (
        overwrite_record_same_length,
        "Likewise, with a stream of the same length as the sealed one.",
    ),
    "record replaced": (replace_record, "The attachment record.json is pointed to another stream, at C2."),
    "record added": (add_record, "A second record.json is attached, at C2."),
    "attachment added": (add_attachment, "Another file is attached, which readers list beside the record."),
    "script on opening": (add_open_action, "A script runs when the file is opened."),
    "script of a page": (add_page_action, "A script runs when the page is shown."),
    "named script": (add_named_script, "A script is put among the document's names."),
    "XFA form": (add_xfa, "An XFA form is added, which some readers show in place of the pages."),
    "looks to be made anew": (need_appearances, "Readers are told to draw all fields themselves."),
    "layer switched off": (hide_in_layer, "The text of the page moves into a layer that is switched off."),
    "other version": (another_version, "The file is said to be PDF 2.0 with extensions."),
    "certification lifted": (lift_permissions, "The catalogue no longer says that the seal certifies (DocMDP)."),
    "certification lowered": (lower_permissions, "The seal is said to permit comments (P=3), and one is added."),
    "link to elsewhere": (retarget_link, "The link for checking leads to a forger's site."),
    "other text for screen readers": (add_second_language, "The tags are given another text than the page."),
    "empty signature field": (add_signature_field, "An unsigned signature field is added."),
    "visible signature field": (add_visible_signature_field, "An unsigned, page-wide signature field is added."),
}


def plain(change: Change) -> Callable[[bytes, Workshop], bytes]:
    return lambda content, _: incremental_update(content, change)


def with_time_stamp(change: Change) -> Callable[[bytes, Workshop], bytes]:
    return lambda content, shop: stamped(incremental_update(content, change), shop.stamper)


def _second_definition(content: bytes, _: Workshop) -> bytes:
    """The page's text twice in one update: the table lists the second, a repairing reader takes the other."""
    reader = PdfFileReader(io.BytesIO(content))
    number = reader.root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum
    forged = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_FORGED_TEXT), _FORGED_TEXT)
    return raw_update(content, [(number, forged), (number, b"<< /Length 0 >>\nstream\n\nendstream")])


def _misnumbered(content: bytes, _: Workshop) -> bytes:
    """The table lists a new object, before which stands the number of the page's text: a repairing reader takes it."""
    reader = PdfFileReader(io.BytesIO(content))
    number, new = reader.root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum, b"%d" % reader.trailer["/Size"]
    forged = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_FORGED_TEXT), _FORGED_TEXT)
    listed = raw_update(content, [(int(new), forged)])[len(content) :]
    return content + listed.replace(b"%s 0 obj" % new, b"%s 0 obj" % (b"%d" % number).zfill(len(new)))


def _written(value: generic.PdfObject) -> bytes:
    out = io.BytesIO()
    value.write_to_stream(out, None)
    return b" ".join(out.getvalue().split())


def _forged_tree(content: bytes) -> tuple[int, list[tuple[int, bytes]]]:
    """A tree of pages with a forged one, to be added, and its number."""
    first = int(PdfFileReader(io.BytesIO(content)).trailer["/Size"])
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << >> >>"
    return first, [
        (first, b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (first + 1)),
        (first + 1, page % (first, first + 2)),
        (first + 2, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_FORGED_TEXT), _FORGED_TEXT)),
    ]


def _ends_for_some(content: bytes, _: Workshop) -> bytes:
    """pyHanko ends a dictionary at any two bytes of which the first is >; to others a comment begins there."""
    number, forged = _forged_tree(content)
    root = PdfFileReader(io.BytesIO(content)).root
    entries = {key: _written(root.raw_get(key)) for key in root}
    pages, store, _ = entries.pop("/Pages"), _written(root["/DSS"]), entries.pop("/DSS")
    rest = b" ".join(b"%s %s" % (key.encode(), value) for key, value in entries.items() if key != "/Extensions")
    hidden = b"/Pages %s /DSS << %s /P << /Q <<" % (pages, store.removeprefix(b"<<").removesuffix(b">>"))
    catalogue = b"<< %s /Extensions << /A 1 >%% %s\n>> /Pages %d 0 R >%% >>\n>>" % (rest, hidden, number)
    return raw_update(content, [*forged, (root.container_ref.idnum, catalogue)])


def _second_trailer(content: bytes, _: Workshop) -> bytes:
    """A keyword that repairing readers stumble over, and a trailer for them with a catalogue of its own."""
    number, forged = _forged_tree(content)
    root = number + len(forged)
    updated = raw_update(content, [*forged, (root, b"<< /Type /Catalog /Pages %d 0 R >>" % number)])
    behind = updated[len(content) :].replace(b"xref\n", b"xref!\n", 1)
    return content + behind.replace(
        b"\nstartxref", b"\ntrailer\n<< /Size %d /Root %d 0 R >>\nstartxref" % (root + 1, root)
    )


def _for_a_while(change: Change) -> Callable[[bytes, Workshop], bytes]:
    """One update makes the change, the next takes it back: both leave a file that ends as a PDF does."""

    def restored(content: bytes, _: Workshop) -> bytes:
        sealed = PdfFileReader(io.BytesIO(content)).root

        def restore(writer: Writer) -> None:
            writer.root.clear()
            writer.root.update({key: sealed.raw_get(key) for key in sealed})
            writer.update_root()

        return incremental_update(incremental_update(content, change), restore)

    return restored


def _packed(content: bytes, _: Workshop) -> bytes:
    """The first page is defined anew inside an object stream."""

    def change(writer: Writer) -> None:
        stream = writer.prepare_object_stream()
        page = _page(writer)
        page["/Contents"] = writer.add_object(_text_stream())
        stream.add_object(page.container_ref.idnum, page)

    return incremental_update(content, change)


def _other_catalogue(content: bytes, _: Workshop) -> bytes:
    """The trailer names another catalogue, copied but for its pages."""
    reader = PdfFileReader(io.BytesIO(content))
    size = int(reader.trailer["/Size"])
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << >> >>"
    forged = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_FORGED_TEXT), _FORGED_TEXT)
    form = reader.root.raw_get("/AcroForm").idnum
    objects = [
        (size, b"<< /Type /Catalog /Pages %d 0 R /AcroForm %d 0 R >>" % (size + 1, form)),
        (size + 1, b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (size + 2)),
        (size + 2, page % (size + 1, size + 3)),
        (size + 3, forged),
    ]
    return raw_update(content, objects, root=size)


def _generation(content: bytes, _: Workshop) -> bytes:
    """The page's text once more, under the same number and generation 1."""
    reader = PdfFileReader(io.BytesIO(content))
    number = reader.root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum
    forged = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_FORGED_TEXT), _FORGED_TEXT)
    return raw_update(content, [(number, forged)], generation=1)


def _rewritten(content: bytes, _: Workshop) -> bytes:
    """The whole file is read and saved anew, as a printer driver or an optimiser would."""
    out = io.BytesIO()
    copy_into_new_writer(PdfFileReader(io.BytesIO(content))).write(out)
    return out.getvalue()


def _twice_stamped(make: Callable[[bytes, Workshop], bytes]) -> Callable[[bytes, Workshop], bytes]:
    return lambda content, shop: stamped(make(content, shop), shop.stamper)


_STRUCTURE = {
    "object defined twice": (_second_definition, "One update defines the text of the page twice."),
    "listed under another number": (
        _misnumbered,
        "The text of the page once more, under its own number where it stands and a new one in the table.",
    ),
    "ends for some": (
        _ends_for_some,
        "The catalogue ends for some programs where for others a comment begins; these see other pages.",
    ),
    "second trailer": (
        _second_trailer,
        "A table is written so that some programs repair the file, and find a trailer with another catalogue.",
    ),
    "other pages for a while": (
        _for_a_while(swap_page_tree),
        "One update points the catalogue to other pages, the next points it back.",
    ),
    "script for a while": (_for_a_while(add_open_action), "One update adds a script, the next takes it out."),
    "packed into an object stream": (_packed, "The page is defined anew inside an object stream."),
    "another catalogue": (_other_catalogue, "The trailer names another catalogue, with other pages and the same seal."),
}


def attacks() -> list[Attack]:
    update = OnIssued(
        Group.UPDATE, ("NOT_ENTIRE_FILE", "SEVERAL_SEALS", "SEAL_FIELD_UNEXPECTED", "ACTIVE_CONTENT"), (BB,)
    )
    bought = OnIssued(Group.STAMPED, ("CHANGED_AFTER_SEAL", *update.codes[1:]), (LTA,))
    found: list[Attack] = []
    for name, (change, description) in UPDATES.items():
        found += update(name, description, plain(change))
        found += bought(f"{name}, stamped", description, with_time_stamp(change))
    structure = OnIssued(Group.STRUCTURE, ("NOT_ENTIRE_FILE", "UNREADABLE"), (LTA,))
    found += structure(
        "another generation", "The text of the page once more, under the next generation number.", _generation
    )
    for name, (make, description) in _STRUCTURE.items():
        found += structure(name, description, make)
        found += structure(
            f"{name}, stamped",
            f"{description} A time stamp covers it.",
            _twice_stamped(make),
            "CHANGED_AFTER_SEAL",
            "UNREADABLE",
        )
    found += structure(
        "saved anew",
        "The file is read and written anew, without updates.",
        _rewritten,
        "BYTE_RANGE_MALFORMED",
        "DIGEST_MISMATCH",
        "UNREADABLE",
    )
    return found
