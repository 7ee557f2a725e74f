"""What was added behind the seal: nothing but validation data and document time stamps.

EN 319 142-1, 5.4 and 5.5; ISO 32000-2, 12.8.2.2 (DocMDP permits these at every level). A general difference
analysis has to understand every kind of change and takes superlinear time on tagged files. This rule is
narrower, so it can be checked by looking at the few objects that each update defines: each is either new and
hangs on an entry that may grow, or replaces one of the objects that carry those entries and is otherwise equal.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.pdf_utils.xref import TrailerDictionary

from sealtool.verification.layout import Layout
from sealtool.verification.objects import entries, lookup, object_of
from sealtool.verification.reasons import Objection, ReasonCode

_Container = generic.DictionaryObject | TrailerDictionary
# NUL and comments are white space, too (ISO 32000-2, 7.2.3): a program that repairs files reads over them.
_SPACE = rb"(?:[\0\s]++|%[^\r\n]*+[\r\n])+"  # no possessive quantifier behind the group: see quick_reading.py
_OBJECT_HEADER = re.compile(rb"(?<![0-9])([0-9]++)" + _SPACE + rb"([0-9]++)" + _SPACE + rb"obj\b")
_BEHIND_NUMBER = re.compile(_SPACE + rb"[0-9]++" + _SPACE + rb"R\b")
# its beginning lets the search leap from digit to digit
_REFERENCE = re.compile(rb"([0-9](?<![0-9][0-9])[0-9]*+)" + _BEHIND_NUMBER.pattern)
_MOST_UPDATES = 256  # two with each archive time stamp, which lasts for years
_FEW = 32
_LONGEST_NUMBER = 20  # digits; no object has a longer one, but for zeros before it
_CATALOG_MAY_CHANGE = frozenset({"/DSS", "/AcroForm", "/Extensions"})
_FORM_MAY_CHANGE = frozenset({"/Fields", "/SigFlags"})
_INFO_MAY_CHANGE = frozenset({"/ModDate", "/Producer"})
_WIDGET_KEYS = frozenset({"/FT", "/T", "/TU", "/Type", "/Subtype", "/F", "/Ff", "/Rect", "/P", "/V", "/Lock"})
_DSS_PARTS = ("/Certs", "/CRLs", "/OCSPs", "/VRI")
_METADATA_KEYS = frozenset({"/Type", "/Subtype", "/Length", "/Filter", "/DecodeParms"})
_CHANGING_XMP = re.compile(
    rb"\s(?:xmp:(?:ModifyDate|MetadataDate)|pdf:Producer)=(?:\"[^\"]*\"|'[^']*')"
    rb"|<(xmp:ModifyDate|xmp:MetadataDate|pdf:Producer)>[^<]*</\1>"
)


class _Header(NamedTuple):
    """What stands before an object."""

    offset: int
    number: int
    generation: int


def check_later_changes(content: bytes, layout: Layout) -> None:
    """Objects to anything behind the seal that archiving does not add.

    Raises:
        Objection: CHANGED_AFTER_SEAL.
    """
    if layout.whole is layout.sealed:
        return
    updates = _updates(content, layout)
    defined = set().union(*updates.values())
    existing = _existing(layout.sealed, defined)
    for revision, numbers in updates.items():
        allowed = _replaceable(layout, _view(layout.whole, revision), numbers)
        for number in sorted((existing & numbers) - allowed):
            raise _changed(f"Object {number} was replaced.")
    # What is new hangs on what may grow, and on nothing else: a sealed page may have named it in advance.
    for text in _sealed_texts(content, layout):
        for number in sorted(_referred(text, defined - existing)):
            raise _changed(f"Object {number} was referred to before it was there.")


def _view(whole: PdfFileReader, revision: int) -> PdfHandler:
    """The file as an update left it: who asks for an earlier state of the file is shown that, restored or not."""
    is_last = revision == whole.xrefs.total_revisions - 1
    return whole if is_last else whole.get_historical_resolver(revision)


def _changed(detail: str) -> Objection:
    return Objection(ReasonCode.CHANGED_AFTER_SEAL, detail)


def _existing(reader: PdfFileReader, numbers: set[int]) -> set[int]:
    """Those of the numbers that a file knows, be it as free."""
    sections = [reader.xrefs.get_xref_data(revision) for revision in range(reader.xrefs.total_revisions)]
    tables = [known for one in sections for known in (one.standard_xrefs, one.xrefs_in_objstm, one.freed)]
    return {number for number in numbers if any(number in known for known in tables)}


def _sealed_texts(content: bytes, layout: Layout) -> Iterator[bytes]:
    """Where the sealed file refers to objects: in plain sight, and in its object streams."""
    sealed = layout.sealed
    sections = (sealed.xrefs.get_xref_data(revision) for revision in range(sealed.xrefs.total_revisions))
    yield content[: layout.seal.end]
    for number in {place.obj_stream_id for section in sections for place in section.xrefs_in_objstm.values()}:
        yield object_of(sealed, number).data


def _referred(text: bytes, numbers: set[int]) -> set[int]:
    """Those of the numbers that a text refers to, however they are written.

    An expression for all references is tried at each digit of a file; an update defines a few objects, and to look for
    their digits takes a tenth of the time.
    """
    if len(numbers) > _FEW:
        return numbers & {int(found) for found in set(_REFERENCE.findall(text))}
    return {number for number in numbers if _refers(text, b"%d" % number)}


def _refers(text: bytes, digits: bytes) -> bool:
    at = -1
    while (at := text.find(digits, at + 1)) >= 0:
        end = at + len(digits)
        before = text[max(0, at - _LONGEST_NUMBER) : at].rstrip(b"0")
        if not before[-1:].isdigit() and not text[end : end + 1].isdigit() and _BEHIND_NUMBER.match(text, end):
            return True
    return False


def _updates(content: bytes, layout: Layout) -> dict[int, set[int]]:
    """The objects that each revision defines anew, after checking that every program sees the same ones."""
    before, after = layout.sealed.xrefs.total_revisions, layout.whole.xrefs.total_revisions
    xrefs = layout.whole.xrefs
    # The updates build on the very file that was sealed ...
    if after <= before or xrefs.get_startxref_for_revision(before - 1) != layout.sealed.last_startxref:
        raise _changed("What was added does not build on the sealed file.")
    if after - before > _MOST_UPDATES:
        raise _changed("It has more updates than archiving makes.")
    updates: dict[int, set[_Header]] = {}
    for revision in range(before, after):
        section = xrefs.get_xref_data(revision)
        stream = xrefs.get_xref_container_info(revision).stream_ref
        if section.freed or section.xrefs_in_objstm or any(gen for gen, _ in section.standard_xrefs.values()):
            raise _changed("Objects were removed or packed.")
        listed = {_Header(offset, number, 0) for number, (_, offset) in section.standard_xrefs.items()}
        if stream is not None:
            start = xrefs.get_xref_container_info(revision).start_location
            listed.add(_Header(start, stream.idnum, stream.generation))
        updates[revision] = listed
    # ... and define just these objects, by the numbers that stand before them: a program that repairs files instead of
    # reading the table goes by those, and sees no others.
    seen = set(_object_headers(content, layout))
    if seen != set().union(*updates.values()) or content.count(b"startxref", layout.seal.end) != after - before:
        raise _changed("Something was added that the table of contents does not list.")
    return {revision: {header.number for header in listed} for revision, listed in updates.items()}


def _object_headers(content: bytes, layout: Layout) -> Iterator[_Header]:
    """Where an object begins behind the seal, or seems to, and as which.

    The values of time stamps, which are hexadecimal digits from end to end (see :mod:`sealtool.verification.layout`),
    are read as empty: nothing can begin there, and looking at each digit takes long.
    """
    text, shifts, start = b"", [], layout.seal.end
    for begin, end in (*(stamp.gap for stamp in layout.time_stamps), (len(content), len(content))):
        shifts.append((len(text), start - len(text)))
        text += content[start : begin + 1]
        start = max(start, end - 1)
    for match in _OBJECT_HEADER.finditer(text):
        at = match.start()
        shift = next(shift for position, shift in reversed(shifts) if position <= at)
        yield _Header(at + shift, int(match[1]), int(match[2]))


def _replaceable(layout: Layout, new: PdfHandler, defined: set[int]) -> set[int]:
    """The sealed objects that a revision may replace, each that was checked to be otherwise equal."""
    old = layout.sealed
    if old.root_ref.idnum != new.root_ref.idnum or _raw(old.trailer, "/Info") != _raw(new.trailer_view, "/Info"):
        raise _changed("The file was given another catalogue.")
    stamps = {stamp.field_number for stamp in layout.time_stamps}
    allowed = {old.root_ref.idnum, *_indirect(old.root, "/AcroForm"), *_indirect(old.root["/AcroForm"], "/Fields")}
    _check_equal(old.root, new.root, _CATALOG_MAY_CHANGE, "The catalogue")
    for number in _check_form(old.root["/AcroForm"], new.root["/AcroForm"], stamps):
        allowed |= _check_widget(old, new, number, stamps)
    allowed |= _check_metadata(old, new, defined)
    allowed |= _check_information(old, new, defined)
    return allowed | set(_security_store(old.root))


def _check_form(old: generic.DictionaryObject, new: generic.DictionaryObject, stamps: set[int]) -> list[int]:
    """The fields that were added, each a time stamp's."""
    _check_equal(old, new, _FORM_MAY_CHANGE, "The form")
    return _check_grown(old["/Fields"], new["/Fields"], stamps, "fields")


def _check_widget(old: PdfFileReader, new: PdfHandler, number: int, stamps: set[int]) -> set[int]:
    """A time stamp's widget shows nothing, and its page gains that widget only."""
    widget = object_of(new, number)
    if set(widget) - _WIDGET_KEYS:
        raise _changed("A time stamp's field holds more than a time stamp.")
    rectangle = [float(side) for side in entries(lookup(widget, "/Rect"))]
    if rectangle and (rectangle[0] != rectangle[2] or rectangle[1] != rectangle[3]):
        raise _changed("A time stamp covers a part of the page.")
    if "/P" not in widget:
        return set()
    page_number = widget.raw_get("/P").idnum
    old_page = object_of(old, page_number)
    new_page = object_of(new, page_number)
    _check_equal(old_page, new_page, frozenset({"/Annots"}), "A page")
    if lookup(old_page, "/Type") != "/Page":
        raise _changed("A time stamp names a page that is none.")
    _check_grown(lookup(old_page, "/Annots"), lookup(new_page, "/Annots"), stamps, "annotations")
    return {page_number, *_indirect(old_page, "/Annots")}


def _check_metadata(old: PdfFileReader, new: PdfHandler, defined: set[int]) -> set[int]:
    """The XMP packet may say when and with what the file was last written, and nothing else that is new."""
    numbers = set(_indirect(old.root, "/Metadata"))
    for number in numbers & defined:
        before, after = object_of(old, number), object_of(new, number)
        same = _CHANGING_XMP.sub(b"", before.data) == _CHANGING_XMP.sub(b"", after.data)
        if not same or lookup(after, "/Type") != "/Metadata" or set(after) - _METADATA_KEYS:
            raise _changed("The description of the document was replaced.")
    return numbers


def _check_information(old: PdfFileReader, new: PdfHandler, defined: set[int]) -> set[int]:
    numbers = set(_indirect(old.trailer, "/Info"))
    if numbers & defined:
        _check_equal(old.trailer["/Info"], new.trailer_view["/Info"], _INFO_MAY_CHANGE, "The document information")
    return numbers


def _security_store(root: generic.DictionaryObject) -> Iterator[int]:
    """The containers of the sealed DSS: they may be replaced; what they hold is judged on its own signatures."""
    if "/DSS" in root:
        yield from _indirect(root, "/DSS")
        for part in _DSS_PARTS:
            yield from _indirect(root["/DSS"], part)


def _raw(container: _Container, key: str) -> object:
    if key not in container:
        return None
    value = container.raw_get(key)
    return value.idnum if isinstance(value, generic.IndirectObject) else _written(value)


def _indirect(container: _Container, key: str) -> Iterator[int]:
    if key in container:
        value = container.raw_get(key)
        if isinstance(value, generic.IndirectObject):
            yield value.idnum


def _written(value: generic.PdfObject) -> bytes:
    out = io.BytesIO()
    value.write_to_stream(out, None)
    return out.getvalue()


def _check_equal(old: generic.DictionaryObject, new: generic.DictionaryObject, but: frozenset[str], what: str) -> None:
    for key in (set(old) | set(new)) - but:
        if _raw(old, key) != _raw(new, key):
            raise _changed(f"{what} was changed ({key}).")


def _check_grown(
    old: generic.ArrayObject | None, new: generic.ArrayObject | None, allowed: set[int], what: str
) -> list[int]:
    """``new`` is ``old`` with nothing but references to ``allowed`` behind it; the numbers of those."""
    before = [_written(entry) for entry in entries(old)]
    after = list(entries(new))
    kept, added = after[: len(before)], after[len(before) :]
    if [_written(entry) for entry in kept] != before:
        raise _changed(f"The {what} were changed.")
    if any(not isinstance(entry, generic.IndirectObject) or entry.idnum not in allowed for entry in added):
        raise _changed(f"There are {what} that are no time stamp.")
    return [entry.idnum for entry in added]
