"""What was added behind the seal, as bytes: updates in the one form in which sealing and its like write them.

ISO 32000-2, 7.5.6. Programs differ in what they make of a file that is written unusually: one reads over it, another
repairs the file, goes by whatever looks like an object or a trailer, and shows another page. So behind the seal there
are objects, each written plainly, their table of contents and where that begins, and not a byte besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pyhanko.pdf_utils import generic

from sealtool.verification.objects import object_of
from sealtool.verification.quick_reading import FileReader, Row, RowKind, plain_object, rows_of_table
from sealtool.verification.reasons import Objection, ReasonCode

_OBJECT: Final = re.compile(rb"[\r\n]*([1-9][0-9]{0,8}) 0 obj[\r\n ]+")
_STREAM: Final = re.compile(rb"[\r\n ]*stream\r?\n")
_END_OF_STREAM: Final = re.compile(rb"[\r\n]{0,2}endstream(?=[\r\n ])")
_END_OF_OBJECT: Final = re.compile(rb"[\r\n ]*endobj[\r\n]+")
_TABLE: Final = re.compile(rb"[\r\n]*(xref)\r?\n")
_SECTION: Final = re.compile(rb"(0|[1-9][0-9]{0,8}) ([1-9][0-9]{0,8}) ?\r?\n")
_LINE: Final = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \r| \n|\r\n)")
_TRAILER: Final = re.compile(rb"trailer[\r\n ]*")
_END: Final = re.compile(rb"[\r\n ]*startxref\r?\n([0-9]{1,10})\r?\n%%EOF(?:\r\n|\r|\n|\Z)")
_TRAILER_ENTRIES: Final = frozenset(
    {"/Size", "/Prev", "/Root", "/Info", "/ID", "/Type", "/W", "/Index", "/Length", "/Filter", "/DecodeParms"}
)


@dataclass(frozen=True, slots=True)
class Update:
    """One update.

    Attributes:
        offsets: where each of its objects begins, by number; that of a packed table of contents among them.
        table_at: where its table of contents begins.
        trailer: what the table says of the file as a whole.
        begin: its first byte.
        end: the first byte behind it.
    """

    offsets: Mapping[int, int]
    table_at: int
    trailer: Mapping[str, Any]
    begin: int
    end: int


class _Table(NamedTuple):
    """A table of contents: where it begins and ends, its trailer and its rows."""

    begin: int
    trailer: Mapping[str, Any]
    rows: Sequence[Row]
    end: int


def read_updates(reader: FileReader, start: int) -> Sequence[Update]:
    """The updates of a file from byte ``start`` to its end.

    Raises:
        Objection: CHANGED_AFTER_SEAL, where they are written in any other form.
    """
    updates = []
    while start < len(reader.stream.content):
        update = _read_update(reader, start)
        updates.append(update)
        start = update.end
    return updates


def changed(detail: str) -> Objection:
    """What is said of a file that was changed after it was sealed."""
    return Objection(ReasonCode.CHANGED_AFTER_SEAL, detail)


def _read_update(reader: FileReader, begin: int) -> Update:
    content, offsets, at = reader.stream.content, dict[int, int](), begin
    while header := _OBJECT.match(content, at):
        number = int(header[1])
        if number in offsets:
            raise changed(f"Object {number} was added twice.")
        offsets[number] = header.start(1)
        found, at = _read_object(reader, header.end(), generic.Reference(number, 0, reader))
        if isinstance(found, dict) and found.get("/Type") == "/XRef":
            table = _Table(offsets[number], found, _packed_rows(reader, number), at)
            break
    else:
        table = _read_table(reader, at)
    _check_rows(table, offsets)
    end = _END.match(content, table.end)
    if end is None or int(end[1]) != table.begin:
        raise _unusual(table.end)
    if set(table.trailer) - _TRAILER_ENTRIES:
        raise changed("A table of contents holds something else.")
    return Update(offsets, table.begin, table.trailer, begin, end.end())


def _unusual(at: int) -> Objection:
    return changed(f"What was added is not written in the usual way (byte {at}).")


def _read_object(reader: FileReader, at: int, holder: generic.Reference) -> tuple[Any, int]:
    """A dictionary or an array, and where the object ends that it is, with its stream."""
    content = reader.stream.content
    found, end = _plain(reader, at, holder)
    if isinstance(found, dict) and (stream := _STREAM.match(content, end)):
        length = found.get("/Length")
        if not isinstance(length, generic.NumberObject) or length < 0:
            raise _unusual(at)
        end = _behind(_END_OF_STREAM, content, stream.end() + length)
    return found, _behind(_END_OF_OBJECT, content, end)


def _plain(reader: FileReader, at: int, holder: generic.Reference) -> tuple[Any, int]:
    found = plain_object(reader, at, holder)
    if found is None:
        raise _unusual(at)
    return found


def _behind(pattern: re.Pattern[bytes], content: bytes, at: int) -> int:
    match = pattern.match(content, at)
    if match is None:
        raise _unusual(at)
    return match.end()


def _packed_rows(reader: FileReader, number: int) -> Sequence[Row]:
    rows = rows_of_table(object_of(reader, number))
    if rows is None:
        raise changed(f"The table of contents in object {number} is not written in the usual way.")
    return rows


def _read_table(reader: FileReader, at: int) -> _Table:
    content = reader.stream.content
    table = _TABLE.match(content, at)
    if table is None:
        raise _unusual(at)
    at, rows = table.end(), []
    while section := _SECTION.match(content, at):
        first, count = int(section[1]), int(section[2])
        at = section.end()
        for number in range(first, first + count):
            line = _LINE.match(content, at)
            if line is None:
                raise _unusual(at)
            kind = RowKind.IN_USE if line[3] == b"n" else RowKind.FREE
            rows.append(Row(number, kind, int(line[1]), int(line[2])))
            at = line.end()
    trailer, end = _plain(reader, _behind(_TRAILER, content, at), generic.Reference(0, 0, reader))
    if not isinstance(trailer, dict):
        raise _unusual(at)
    return _Table(table.start(1), trailer, rows, end)


def _check_rows(table: _Table, offsets: Mapping[int, int]) -> None:
    """A table lists each object where it is, a packed one itself or not, the head of the free list, and no more."""
    free = [(row.number, row.place) for row in table.rows if row.kind == RowKind.FREE]
    places = {row.number: row.place for row in table.rows if row.kind == RowKind.IN_USE and row.rest == 0}
    itself = {number: at for number, at in offsets.items() if at == table.begin}
    is_whole = len(free) + len(places) == len(table.rows) and itself | places == offsets
    if not is_whole or free not in ([], [(0, 0)]):
        raise changed("Something was added that the table of contents does not list, or not as it is.")
