"""What a file that is judged consists of, read in large steps.

The library reads a PDF byte by byte, which took a third of the time of a file, and offers no place to do better. So its
readers of dictionaries, arrays and tables are replaced by some that do the same, only sooner, for what is written
plainly: without comments, escapes in names, names given twice, or anything else that is not a matter of course. All
else is left to the library, errors included. They know the streams of this module and no others: what sealing reads,
the library reads as ever.
"""

from __future__ import annotations

import contextlib
import io
import re
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, pairwise
from typing import Any, BinaryIO, Final, NamedTuple

from pyhanko.pdf_utils import generic, xref
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.reader import PdfFileReader

from sealtool.verification.remembering import remembered

_DEEPEST: Final = 32
_WHITE: Final = rb" \n\r\t\f\x00"
_AT_END: Final = rb"(?=[ \n\r\t\f\x00()<>\[\]/])"
# ISO 32000-2, 7.2 and 7.3. The groups are numbered, for what becomes of them below. Possessive quantifiers stand behind
# sets only: behind groups Python 3.11 before 3.11.5 takes them for something else (python/cpython#106052).
_TOKEN: Final = re.compile(
    rb"[ \n\r\t\f\x00]*+(?:"
    rb"/([!\"$&'*-.0-;=?-Z\\^-z|~]++)" + _AT_END + rb"|([1-9][0-9]{0,8}) ([0-9]{1,5}) R" + _AT_END + rb"|"
    rb"([+-]?[0-9]++)" + _AT_END + rb"|([+-]?[0-9]++\.[0-9]*+)" + _AT_END + rb"|"
    rb"\(((?:[^()\\]++|\\(?:[0-3][0-7]{2}|[()\\bfnrt]))*)\)|<([0-9A-Fa-f]*+)>|"
    rb"(true|false|null)" + _AT_END + rb"|(<<|\[|>>|\]))"
)
_NAME, _REFERENCE, _GENERATION, _NUMBER, _STRUCTURE = 1, 2, 3, 4, 9
_TABLE: Final = re.compile(rb"[0-9 \n\r\t\f]*+")
_FIELDS: Final = 3
_HIGHEST_GENERATION: Final = 0xFFFF
_LONGEST: Final = 7  # bytes of a field: the library takes eight for a number with a sign
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{3})|(.))", re.DOTALL)
_ESCAPED: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_pdf: Any = generic  # which has no types for most of it
_Object = Any  # the library's classes of objects share a base, and not what is needed of them


class RowKind(IntEnum):
    """What a row of a table of cross-references is about (ISO 32000-2, table 18)."""

    FREE = 0
    IN_USE = 1
    PACKED = 2


class Row(NamedTuple):
    """A row of such a table: of a number, its kind, and the two fields that mean something else for each kind."""

    number: int
    kind: int
    place: int
    rest: int


class FileContent(io.BytesIO):
    """A file, or a stream in it, as the library reads it, and its bytes at hand.

    Attributes:
        content: the bytes.
        slowly: where the library was needed last; the parts of what it reads there are not tried again.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.content = content
        self.slowly = range(0)
        self._read: dict[tuple[int, Any], tuple[_Object, int]] = {}

    def plain(self, at: int, holder: Any) -> tuple[_Object, int]:
        """What begins right there, and where it ends: see :func:`_whole`. Read once, for the library and for us; nobody
        may write to it.

        Raises:
            _NotPlainError: it is for the library to read.
        """
        key = (at, holder)
        if key not in self._read:
            self._read[key] = _whole(self.content, at, holder)
        return self._read[key]


class FileReader(PdfFileReader):
    """A file that is judged."""

    def __init__(self, content: bytes, **settings: Any) -> None:
        self._unpacked: dict[int, _Unpacked | None] = {}
        super().__init__(FileContent(content), **settings)

    def let_go(self) -> None:
        """Lets go of everything that was read. To be called last.

        Each object refers to the reader and the reader to its objects; so without this all of it would stay until
        Python looks for such circles, and hundreds of files with it.
        """
        vars(self).clear()

    def _get_object_from_stream(self, idnum: int, stmnum: int, idx: int) -> _Object:
        """An object out of a stream of objects, which the library would unpack and go through for each of them."""
        if stmnum not in self._unpacked:
            self._unpacked[stmnum] = self._unpack(stmnum)
        unpacked = self._unpacked[stmnum]
        if unpacked is not None and unpacked.order.get(idnum) == idx:
            with contextlib.suppress(_NotPlainError):
                return _packed(unpacked.content, unpacked.offsets[idx], generic.Reference(idnum, 0, self))
        return super()._get_object_from_stream(idnum, stmnum, idx)  # type: ignore[no-untyped-call]

    def _unpack(self, number: int) -> _Unpacked | None:
        """None where the library has to look for each object by itself."""
        stream = generic.Reference(number, 0, self).get_object()
        if not isinstance(stream, generic.StreamObject) or stream.get("/Type") != "/ObjStm":
            return None
        content = stream.read_data(DecodePurpose.OBJECT_STREAM)
        first, count = stream.get("/First"), stream.get("/N")
        if not isinstance(first, int) or not isinstance(count, int) or not 0 < first <= len(content):
            return None
        table = content[:first]
        if not _TABLE.fullmatch(table) or len(fields := [int(field) for field in table.split()]) != 2 * count:
            return None
        order = {field: index for index, field in reversed(list(enumerate(fields[::2])))}
        return _Unpacked(content, order, [first + offset for offset in fields[1::2]])


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """A stream of objects (ISO 32000-2, 7.5.7).

    Attributes:
        order: the place of each object, by its number; the first, where there are several.
        offsets: where they begin in the content.
    """

    content: bytes
    order: dict[int, int]
    offsets: list[int]


class _NotPlainError(Exception):
    """Here is something that the library has to read."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


_read_dictionary_slowly = generic.DictionaryObject.read_from_stream
_read_array_slowly = generic.ArrayObject.read_from_stream


def _read_dictionary(stream: BinaryIO, container_ref: Any, *arguments: Any, **settings: Any) -> _Object:
    found = _read_plainly(b"<<", stream, container_ref, arguments, settings)
    if found is None:
        return _read_dictionary_slowly(stream, container_ref, *arguments, **settings)
    payload = _pdf._maybe_read_stream_payload(stream, found, container_ref.get_pdf_handler())  # noqa: SLF001
    return _pdf.DictionaryObject(found) if payload is None else _pdf.StreamObject(found, encoded_data=payload)


def _read_array(stream: BinaryIO, container_ref: Any, *arguments: Any, **settings: Any) -> _Object:
    found = _read_plainly(b"[", stream, container_ref, arguments, settings)
    return _read_array_slowly(stream, container_ref, *arguments, **settings) if found is None else found


def _read_plainly(
    opening: bytes, stream: BinaryIO, holder: Any, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> _Object:
    """What begins with ``opening``; None, and the stream where it was, where the library is needed."""
    is_special = bool(arguments) or any(settings.values())  # an operator of a page, metadata to be taken apart
    if is_special or not isinstance(stream, FileContent) or (at := stream.tell()) in stream.slowly:
        return None
    if not stream.content.startswith(opening, at):
        return None
    try:
        found, end = stream.plain(at, holder)
    except _NotPlainError as error:
        stream.slowly = range(at, error.at)
        return None
    stream.seek(end)
    return found


generic.DictionaryObject.read_from_stream = staticmethod(_read_dictionary)  # type: ignore[method-assign]
generic.ArrayObject.read_from_stream = staticmethod(_read_array)  # type: ignore[method-assign]

_parse_slowly = xref.parse_xref_stream


def _parse_table(stream: generic.StreamObject, strict: bool = True) -> Iterable[xref.XRefEntry]:  # noqa: FBT001, FBT002
    """A cross-reference stream (ISO 32000-2, 7.5.8), whose entries the library reads field by field."""
    is_ours = isinstance(stream.container_ref, generic.Reference) and isinstance(stream.container_ref.pdf, FileReader)
    table = _plain_table(stream, _LONGEST) if is_ours else None
    return _parse_slowly(stream, strict) if table is None else table


def _plain_table(stream: generic.StreamObject, longest: int) -> _Table | None:
    widths, index = stream.get("/W"), stream.get("/Index", [0, stream.get("/Size")])
    if not isinstance(widths, list) or not isinstance(index, list):
        return None
    widths, index = list(widths), list(index)
    if not _is_plain_table(widths, index) or max(widths) > longest:
        return None
    count, width = sum(index[1::2]), sum(widths)
    content = stream.read_data(DecodePurpose.XREF_STREAM, expected_size=count * (width + 1))
    return _Table(content, tuple(widths), tuple(index)) if len(content) == count * width else None


def rows_of_table(stream: Any) -> Sequence[Row] | None:
    """The rows of a packed table of cross-references, whatever their kinds; None where it is not written plainly."""
    table = _plain_table(stream, _LONGEST + 1) if isinstance(stream, generic.StreamObject) else None
    return None if table is None else list(_rows(table.content, table.widths, table.index))


def _is_plain_table(widths: list[Any], index: list[Any]) -> bool:
    """Three fields of usual lengths, and sections in order."""
    if len(widths) != _FIELDS or len(index) % 2 or not all(isinstance(one, int) and one >= 0 for one in widths + index):
        return False
    in_order = all(at + many <= next_at for (at, many), (next_at, _) in pairwise(_pairs(index)))
    return in_order and widths[0] > 0


def _pairs(index: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(index[::2], index[1::2], strict=True)


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a plain table, for whoever takes them one by one; see :func:`_process` for who does not."""

    content: bytes
    widths: tuple[int, ...]
    index: tuple[int, ...]

    def __iter__(self) -> Iterator[xref.XRefEntry]:
        for number, kind, place, rest in _rows(self.content, self.widths, self.index):
            if kind == RowKind.IN_USE:
                yield xref.XRefEntry(xref.XRefType.STANDARD, place, number, rest)
            elif kind == RowKind.PACKED:
                yield xref.XRefEntry(xref.XRefType.IN_OBJ_STREAM, xref.ObjStreamRef(place, rest), number)
            elif kind == RowKind.FREE:
                yield xref.XRefEntry(xref.XRefType.FREE, None, number, rest)


def _rows(content: bytes, widths: Sequence[int], index: Sequence[int]) -> Iterator[Row]:
    """The rows, read column by column."""
    row, numbers = sum(widths), chain.from_iterable(range(at, at + many) for at, many in _pairs(index))
    fields, start = [], 0
    for width in widths:
        field = [0] * (len(content) // row)
        for column in range(start, start + width):
            field = [before << 8 | byte for before, byte in zip(field, content[column::row], strict=True)]
        fields.append(field)
        start += width
    return map(Row._make, zip(numbers, *fields, strict=True))


@dataclass(frozen=True, slots=True)
class _Section:
    """What the library makes of the rows of a table (``xref.XRefSectionData``), number 0 left out."""

    standard: dict[int, tuple[int, int]]
    packed: dict[int, xref.ObjStreamRef]
    freed: dict[int, int]
    named: set[tuple[int, int]]


@remembered(entries=16, longest=8 * 1024)
def _section(content: bytes, widths: tuple[int, ...], index: tuple[int, ...]) -> _Section | None:
    """None where the library has to object. A file with archive time stamps is read twice, with and without them."""
    rows = list(_rows(content, widths, index))
    if any(rest > _HIGHEST_GENERATION for _, kind, _, rest in rows if kind != RowKind.PACKED):
        return None
    known = [row for row in rows if row[0]]
    standard = {number: (rest, place) for number, kind, place, rest in known if kind == RowKind.IN_USE}
    packed = {number: xref.ObjStreamRef(place, rest) for number, kind, place, rest in known if kind == RowKind.PACKED}
    freed = {number: rest for number, kind, _, rest in known if kind == RowKind.FREE}
    named = {(number, generation) for number, (generation, _) in standard.items()}
    named |= {(number, 0) for number in packed} | {(number, generation - 1) for number, generation in freed.items()}
    return _Section(standard, packed, freed, named)


_process_slowly = xref.XRefSectionData.process_entries


def _process(self: xref.XRefSectionData, entries: Iterable[xref.XRefEntry], strict: bool) -> int:  # noqa: FBT001
    """Takes a plain table as a whole."""
    section = _section(entries.content, entries.widths, entries.index) if isinstance(entries, _Table) else None
    if section is None:
        return int(_process_slowly(self, iter(entries), strict))
    self.standard_xrefs.update(section.standard)
    self.xrefs_in_objstm.update(section.packed)
    self.freed.update(section.freed)
    self.explicit_refs_in_revision.update(section.named)
    self.obj_streams_used.update(place.obj_stream_id for place in section.packed.values())
    return max((number for number, _ in section.named), default=0)


xref.XRefSectionData.process_entries = _process  # type: ignore[method-assign]
xref.parse_xref_stream = _parse_table  # type: ignore[assignment]


def _packed(content: bytes, at: int, holder: Any) -> _Object:
    """An object from a stream of objects, where no streams are and no references stand for objects."""
    found, end = _whole(content, at, holder)
    behind = content[end:].lstrip(_WHITE)[:1]
    if isinstance(found, generic.IndirectObject) or behind in {b"%", b"s"}:
        raise _NotPlainError(end)
    if isinstance(found, dict):
        found = _pdf.DictionaryObject(found)
        found.container_ref = holder
    return found


def _whole(content: bytes, at: int, holder: Any) -> tuple[_Object, int]:
    """An object that begins right there, and where it ends; of a dictionary, which may be a stream's, the entries."""
    token = _TOKEN.match(content, at)
    if token is None or content[at] in _WHITE or token.lastindex == _NUMBER:  # which may begin a reference
        raise _NotPlainError(at)
    if token.lastindex == _STRUCTURE and token[_STRUCTURE] == b"<<":
        return _entries(content, token.end(), holder, 0)
    return _made(content, token, holder, 0)


def plain_object(reader: FileReader, at: int, holder: generic.Reference) -> tuple[Any, int] | None:
    """A dictionary or array that is written plainly and begins right there, and where it ends; None for all else."""
    try:
        found, end = reader.stream.plain(at, holder)
    except (_NotPlainError, IndexError):
        return None
    return (found, end) if isinstance(found, dict | list) else None


def _made(content: bytes, token: re.Match[bytes], holder: Any, depth: int) -> tuple[_Object, int]:
    kind, end = token.lastindex or 0, token.end()
    made: _Object
    if kind == _NAME:
        made = _pdf.NameObject("/" + token[kind].decode("ascii"))
    elif kind == _GENERATION:
        made = _pdf.IndirectObject(int(token[_REFERENCE]), int(token[kind]), holder.get_pdf_handler())
    elif kind == _STRUCTURE:
        return _structure(content, token, holder, depth)
    else:
        made = _SIMPLE[kind](token[kind])
    made.container_ref = holder
    return made, end


def _structure(content: bytes, token: re.Match[bytes], holder: Any, depth: int) -> tuple[_Object, int]:
    opened = token[_STRUCTURE]
    if depth > _DEEPEST or opened in {b">>", b"]"}:
        raise _NotPlainError(token.end())
    made: _Object
    if opened == b"<<":
        entries, end = _entries(content, token.end(), holder, depth + 1)
        made = _pdf.DictionaryObject(entries)
    else:
        made = _pdf.ArrayObject()
        end = token.end()
        while (token := _token(content, end))[_STRUCTURE] != b"]":
            value, end = _made(content, token, holder, depth + 1)
            made.append(value)
        end = token.end()
    made.container_ref = holder
    return made, end


def _entries(content: bytes, at: int, holder: Any, depth: int) -> tuple[dict[generic.NameObject, _Object], int]:
    entries: dict[generic.NameObject, _Object] = {}
    while (token := _token(content, at))[_STRUCTURE] != b">>":
        if token.lastindex != _NAME:
            raise _NotPlainError(token.end())
        name = _pdf.NameObject("/" + token[_NAME].decode("ascii"))
        value, at = _made(content, _token(content, token.end()), holder, depth)
        if name in entries:
            raise _NotPlainError(at)
        entries[name] = value
    return entries, token.end()


def _token(content: bytes, at: int) -> re.Match[bytes]:
    token = _TOKEN.match(content, at)
    if token is None:
        raise _NotPlainError(at)
    return token


def _literal(written: bytes) -> _Object:
    """ISO 32000-2, 7.3.4.2."""
    return generic.pdf_string(_ESCAPE.sub(_meant, written) if b"\\" in written else written)


def _meant(escape: re.Match[bytes]) -> bytes:
    return bytes((int(escape[1], 8),)) if escape[1] else _ESCAPED.get(escape[2], escape[2])


def _hexadecimal(digits: bytes) -> _Object:
    # ISO 32000-2, 7.3.4.3: where the last digit is missing, it is 0.
    return generic.pdf_string(unhexlify(digits + b"0" * (len(digits) % 2)))


def _word(word: bytes) -> _Object:
    return _pdf.NullObject() if word == b"null" else _pdf.BooleanObject(word == b"true")


_SIMPLE: Final[dict[int, Callable[[bytes], _Object]]] = {
    _NUMBER: generic.NumberObject,
    5: lambda digits: _pdf.FloatObject(digits.decode("ascii")),
    6: _literal,
    7: _hexadecimal,
    8: _word,
}
