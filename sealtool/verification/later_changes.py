"""What was added behind the seal: nothing but validation data and document time stamps.

EN 319 142-1, 5.4 and 5.5; ISO 32000-2, 12.8.2.2 (DocMDP permits these at every level). A general difference
analysis has to understand every kind of change and takes superlinear time on tagged files. This rule is
narrower, so it can be checked by looking at the few objects that each update defines: each is either new and
hangs on an entry that may grow, or replaces one of the objects that carry those entries and is otherwise equal.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.pdf_utils.xref import TrailerDictionary

from sealtool.verification.layout import Layout
from sealtool.verification.objects import entries, lookup, object_of
from sealtool.verification.reasons import Objection, ReasonCode
from sealtool.verification.updates import Update, changed, read_updates

_Container = generic.DictionaryObject | TrailerDictionary
# NUL and comments are white space, too (ISO 32000-2, 7.2.3): a program that repairs files reads over them.
_SPACE = rb"(?:[\0\s]++|%[^\r\n]*+[\r\n])+"  # no possessive quantifier behind the group: see quick_reading.py
_NUMBER_OF_OBJECT = rb"([0-9](?<![0-9][0-9])[0-9]*+)"  # its beginning lets a search leap from digit to digit
_OBJECT_HEADER = re.compile(_NUMBER_OF_OBJECT + _SPACE + rb"([0-9]++)" + _SPACE + rb"obj\b")
_CATALOGUE_NAMED = re.compile(rb"/Root" + _SPACE + rb"[0-9]")
_BEHIND_NUMBER = re.compile(_SPACE + rb"[0-9]++" + _SPACE + rb"R\b")
_NUMBER = re.compile(rb"[0-9]{1,10}(?![0-9])")
_REFERENCE = re.compile(_NUMBER_OF_OBJECT + _BEHIND_NUMBER.pattern)
_MOST_UPDATES = 256  # two with each archive time stamp, which lasts for years
_FEW = 32
_LONGEST_NUMBER = 20  # digits; no object has a longer one, but for zeros before it
_CATALOG_MAY_CHANGE = frozenset({"/DSS", "/AcroForm", "/Extensions"})
_FORM_MAY_CHANGE = frozenset({"/Fields", "/SigFlags"})
_WIDGET_KEYS = frozenset({"/FT", "/T", "/TU", "/Type", "/Subtype", "/F", "/Ff", "/Rect", "/P", "/V", "/Lock"})
_STAMP_KEYS = frozenset({"/Type", "/Filter", "/SubFilter", "/ByteRange", "/Contents", "/V"})
_EXTENSION_KEYS = frozenset({"/Type", "/BaseVersion", "/ExtensionLevel", "/ExtensionRevision"})
# EN 319 142-1, 5.4.2: lists of streams, by the names that they have in the store, and for each signature
_DSS_LISTS = ("/Certs", "/CRLs", "/OCSPs")
_VRI_LISTS = ("/Cert", "/CRL", "/OCSP")
_VRI_KEYS = frozenset({"/Type", "/TU", "/TS", *_VRI_LISTS})
_DSS_PARTS = (*_DSS_LISTS, "/VRI")
_DATA_KEYS = frozenset({"/Length", "/Filter"})


class _Header(NamedTuple):
    """What stands before an object."""

    offset: int
    number: int
    generation: int


def check_later_changes(content: bytes, layout: Layout) -> None:
    """Objects to anything behind the seal that archiving does not add.

    Raises:
        Objection: CHANGED_AFTER_SEAL or BYTE_RANGE_MALFORMED.
    """
    if layout.whole is layout.sealed:
        return
    updates = _updates(content, layout)
    defined = set().union(*updates.values())
    existing = _existing(layout.sealed, defined)
    for revision, numbers in updates.items():
        view = _view(layout.whole, revision)
        replaceable, addable = _check_archiving(layout, view)
        for number in sorted((existing & numbers) - replaceable):
            raise changed(f"Object {number} was replaced.")
        for number in sorted(numbers - existing - addable - set(_tables(layout.whole, revision))):
            raise changed(f"Object {number} was added, which belongs to no time stamp and no validation data.")
    # What is new hangs on what may grow, and on nothing else: a sealed page may have named it in advance.
    for text in _sealed_texts(content, layout):
        for number in sorted(_referred(text, defined - existing)):
            raise changed(f"Object {number} was referred to before it was there.")


def _view(whole: PdfFileReader, revision: int) -> PdfHandler:
    """The file as an update left it: who asks for an earlier state of the file is shown that, restored or not."""
    is_last = revision == whole.xrefs.total_revisions - 1
    return whole if is_last else whole.get_historical_resolver(revision)


def _existing(reader: PdfFileReader, numbers: set[int]) -> set[int]:
    """Those of the numbers that a file knows, be it as free."""
    sections = [reader.xrefs.get_xref_data(revision) for revision in range(reader.xrefs.total_revisions)]
    tables = [known for one in sections for known in (one.standard_xrefs, one.xrefs_in_objstm, one.freed)]
    return {number for number in numbers if any(number in known for known in tables)}


def _sealed_texts(content: bytes, layout: Layout) -> Iterator[bytes]:
    """Where the sealed file refers to objects: in plain sight, and in its object streams.

    The seal's value, hexadecimal digits from end to end, is read as empty: nothing is referred to in there.
    """
    sealed, (begin, end) = layout.sealed, layout.seal.gap
    sections = (sealed.xrefs.get_xref_data(revision) for revision in range(sealed.xrefs.total_revisions))
    yield content[: begin + 1] + content[end - 1 : layout.seal.end]
    for number in {place.obj_stream_id for section in sections for place in section.xrefs_in_objstm.values()}:
        yield object_of(sealed, number).data


def _referred(text: bytes, numbers: set[int]) -> set[int]:
    """Those of the numbers that a text refers to, however they are written.

    An expression for all references is tried at each digit of a file. An update defines a few objects, whose numbers
    begin alike, and to look for that beginning takes a fiftieth of the time.
    """
    if len(numbers) > _FEW:
        return numbers & {int(found) for found in set(_REFERENCE.findall(text))}
    beginnings = {b"%d" % (number // 10 or number) for number in numbers}
    return {number for beginning in beginnings for number in _references(text, beginning) if number in numbers}


def _references(text: bytes, beginning: bytes) -> Iterator[int]:
    """Numbers of objects that a text refers to, and that begin with those digits."""
    at = -1
    while (at := text.find(beginning, at + 1)) >= 0:
        number = _NUMBER.match(text, at)
        if number and _BEHIND_NUMBER.match(text, number.end()):
            before = text[max(0, at - _LONGEST_NUMBER) : at].rstrip(b"0")
            if not before[-1:].isdigit():
                yield int(number[0])


def _updates(content: bytes, layout: Layout) -> dict[int, set[int]]:
    """The objects that each revision defines anew, after checking that every program sees the same ones."""
    before, after = layout.sealed.xrefs.total_revisions, layout.whole.xrefs.total_revisions
    if after - before > _MOST_UPDATES:
        raise changed("It has more updates than archiving makes.")
    updates = dict(enumerate(read_updates(layout.whole, layout.seal.end), before))
    if len(updates) != after - before:
        raise changed("What was added does not build on the sealed file.")
    previous, size = layout.sealed.last_startxref, int(layout.sealed.trailer["/Size"])
    for revision, update in updates.items():
        least = max(size, *(number + 1 for number in update.offsets))
        _check_trailer(update.trailer, layout.sealed, previous, (least, least + 1))  # pyHanko may count one more
        size = int(update.trailer["/Size"])
        _check_seen_alike(update, layout.whole, revision)
        previous = update.table_at
    _check_coverage(updates.values(), layout)
    # A program that repairs files goes by what looks like an object or a trailer, wherever it stands.
    seen = sorted(_object_headers(content, layout))
    listed = sorted(_Header(at, number, 0) for update in updates.values() for number, at in update.offsets.items())
    behind = content[layout.seal.end :]
    if seen != listed or len(_CATALOGUE_NAMED.findall(behind)) != len(updates):
        raise changed("Something was added that the table of contents does not list.")
    return {revision: set(update.offsets) for revision, update in updates.items()}


def _check_coverage(updates: Iterable[Update], layout: Layout) -> None:
    """Each time stamp covers the file as it was with its update, no more and no less, and is the only one in there."""
    left = {(stamp.gap[0], stamp.end) for stamp in layout.time_stamps}
    for update in updates:
        within = {(begin, end) for begin, end in left if update.begin <= begin and end == update.end}
        left -= within if len(within) == 1 else set()
    if left or len({stamp.gap for stamp in layout.time_stamps}) < len(layout.time_stamps):
        raise Objection(ReasonCode.BYTE_RANGE_MALFORMED, "A time stamp does not cover all of the file as it was then.")


def _check_trailer(
    trailer: Mapping[str, Any], sealed: PdfFileReader, previous: int | None, sizes: Collection[int]
) -> None:
    """The file has the same catalogue and description, the sealed file is where it builds on."""
    for key in ("/Root", "/Info"):
        if _plainly(trailer.get(key)) != _raw(sealed.trailer, key):
            raise changed("The file was given another catalogue, or another description.")
    if trailer.get("/Prev") != previous or trailer.get("/Size") not in sizes:
        raise changed("What was added does not build on the sealed file.")


def _check_seen_alike(update: Update, whole: PdfFileReader, revision: int) -> None:
    """The library, which everything else goes by, sees the update as it is written."""
    section, tables = whole.xrefs.get_xref_data(revision), _tables(whole, revision)
    seen = tables | {number: place for number, (_, place) in section.standard_xrefs.items()}
    is_packed_away = section.freed or section.xrefs_in_objstm or any(gen for gen, _ in section.standard_xrefs.values())
    start = whole.xrefs.get_xref_container_info(revision).declared_startxref
    if is_packed_away or seen != update.offsets or start != update.table_at:
        raise changed("Objects were removed or packed, or are not where they are said to be.")


def _tables(reader: PdfFileReader, revision: int) -> dict[int, int]:
    """Number and place of a packed table of contents; none where a revision has a plain one."""
    table = reader.xrefs.get_xref_container_info(revision)
    return {} if table.stream_ref is None else {table.stream_ref.idnum: table.declared_startxref}


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


def _check_archiving(layout: Layout, new: PdfHandler) -> tuple[set[int], set[int]]:
    """Compares a later state of the file with the sealed one.

    Returns:
        The sealed objects that may be replaced, each of which is otherwise equal, and the objects that may be new, each
        of which hangs where archiving puts it.
    """
    old = layout.sealed
    stamps = {stamp.field_number for stamp in layout.time_stamps}
    _check_equal(old.root, new.root, _CATALOG_MAY_CHANGE, "The catalogue")
    _check_extensions(lookup(old.root, "/Extensions", {}), lookup(new.root, "/Extensions", {}))
    _check_equal(old.root["/AcroForm"], new.root["/AcroForm"], _FORM_MAY_CHANGE, "The form")
    added = _check_grown(old.root["/AcroForm"]["/Fields"], new.root["/AcroForm"]["/Fields"], stamps, "fields")
    replaceable = {old.root_ref.idnum, *_form(old.root), *_security_store(old.root)}
    addable = {*_form(new.root), *added, *_check_store(new.root)}
    for number in added:
        page, annotations = _check_widget(old, new, number, stamps)
        replaceable |= page
        addable |= annotations | set(_check_stamp(object_of(new, number)))
    return replaceable, addable


def _form(root: generic.DictionaryObject) -> Iterator[int]:
    yield from _indirect(root, "/AcroForm")
    yield from _indirect(root["/AcroForm"], "/Fields")


def _check_extensions(old: generic.DictionaryObject, new: generic.DictionaryObject) -> None:
    """ISO 32000-2, 7.12: nothing but names and numbers is told of an extension that archiving makes use of."""
    _check_equal(old, new, frozenset(set(new) - set(old)), "The list of extensions")
    for key in set(new) - set(old):
        extension = new.raw_get(key)
        is_plain = isinstance(extension, generic.DictionaryObject) and not set(extension) - _EXTENSION_KEYS
        if not is_plain or not all(isinstance(value, generic.NameObject | int) for value in extension.values()):
            raise changed("The list of extensions holds something else.")


def _check_stamp(widget: generic.DictionaryObject) -> Iterator[int]:
    if "/V" in widget:
        if set(widget["/V"]) - _STAMP_KEYS:
            raise changed("A time stamp says something besides.")
        yield from _indirect(widget, "/V")


def _check_widget(old: PdfFileReader, new: PdfHandler, number: int, stamps: set[int]) -> tuple[set[int], set[int]]:
    """A time stamp's widget shows nothing, and its page gains that widget only.

    Returns:
        The sealed objects that may be replaced for it, and those that may be new.
    """
    widget = object_of(new, number)
    if set(widget) - _WIDGET_KEYS:
        raise changed("A time stamp's field holds more than a time stamp.")
    rectangle = [float(side) for side in entries(lookup(widget, "/Rect"))]
    if rectangle and (rectangle[0] != rectangle[2] or rectangle[1] != rectangle[3]):
        raise changed("A time stamp covers a part of the page.")
    if "/P" not in widget:
        return set(), set()
    page_number = widget.raw_get("/P").idnum
    old_page = object_of(old, page_number)
    new_page = object_of(new, page_number)
    _check_equal(old_page, new_page, frozenset({"/Annots"}), "A page")
    if lookup(old_page, "/Type") != "/Page":
        raise changed("A time stamp names a page that is none.")
    _check_grown(lookup(old_page, "/Annots"), lookup(new_page, "/Annots"), stamps, "annotations")
    return {page_number, *_indirect(old_page, "/Annots")}, set(_indirect(new_page, "/Annots"))


def _security_store(root: generic.DictionaryObject) -> Iterator[int]:
    """The containers of a DSS: they may be replaced; what they hold is judged on its own signatures."""
    if "/DSS" in root:
        yield from _indirect(root, "/DSS")
        for part in _DSS_PARTS:
            yield from _indirect(root["/DSS"], part)


def _check_store(root: generic.DictionaryObject) -> Iterator[int]:
    """All that a DSS consists of: certificates, lists, answers, and what belongs to which signature."""
    if "/DSS" not in root:
        return
    store = root["/DSS"]
    _check_keys(store, {"/Type", *_DSS_PARTS})
    yield from _security_store(root)
    holders = [(store, _DSS_LISTS)]
    for key in lookup(store, "/VRI", {}):
        if key != "/Type":
            yield from _indirect(store["/VRI"], key)
            _check_keys(store["/VRI"][key], _VRI_KEYS)
            holders.append((store["/VRI"][key], _VRI_LISTS))
    for holder, names in holders:
        for name in names:
            yield from _indirect(holder, name)
            for entry in entries(lookup(holder, name)):
                _check_keys(entry.get_object(), _DATA_KEYS)
                yield entry.idnum


def _check_keys(store: generic.DictionaryObject, keys: Collection[str]) -> None:
    if set(store) - set(keys):
        raise changed("The validation data hold something else.")


def _raw(container: _Container, key: str) -> bytes | None:
    if key not in container:
        return None
    return _plainly(container.raw_get(key))


def _plainly(value: generic.PdfObject | None) -> bytes | None:
    """How a value is written; a reference is not followed."""
    return None if value is None else _written(value)


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
            raise changed(f"{what} was changed ({key}).")


def _check_grown(
    old: generic.ArrayObject | None, new: generic.ArrayObject | None, allowed: set[int], what: str
) -> list[int]:
    """``new`` is ``old`` with nothing but references to ``allowed`` behind it; the numbers of those."""
    before = [_written(entry) for entry in entries(old)]
    after = list(entries(new))
    kept, added = after[: len(before)], after[len(before) :]
    if [_written(entry) for entry in kept] != before:
        raise changed(f"The {what} were changed.")
    if any(not isinstance(entry, generic.IndirectObject) or entry.idnum not in allowed for entry in added):
        raise changed(f"There are {what} that are no time stamp.")
    return [entry.idnum for entry in added]
