"""What sealing appends to a file: the update that carries a seal or an archive time stamp, with room for its message.

The library reads a file and writes the update behind it, which takes most of the time of a seal. The updates of two
files differ in places, date, identifier and message only, as long as the objects that are changed were the same
before. A mould keeps the parts of an update that the library wrote, and puts the others together of them. It is used
only after it gave back the very bytes that it was taken of, and only for files whose objects it knows: those of
certificates of one kind (ADR 0020). All others are updated by the library.
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from binascii import hexlify
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.sign.general import SigningError

from sealtool.sealing.signatures import digest_of_parts

_BYTE_RANGE: Final = re.compile(rb"/ByteRange (\[[0-9 ]+\] *)\n")
_CONTENTS: Final = re.compile(rb"/Contents (<[0-9A-F]+>)\n")
_MOMENT: Final = re.compile(rb"/M (\([^()]+\))\n")
_END: Final = re.compile(rb"startxref\n([0-9]+)\n%%EOF\n\Z")
_TAIL: Final = 64
_HEADER: Final = 9  # %PDF-1.7
# The table of cross-references, as the layout engine writes it and as the library does.
_FIRST_TABLE: Final = re.compile(
    rb"[0-9]+ 0 obj\n<</Type /XRef/Index \[0 ([0-9]+)\]/W \[1 ([1-8]) ([1-8])\]/Size \1"
    rb"(/Root [0-9]+ 0 R(?:/Info [0-9]+ 0 R)?)/ID \[\(([0-9a-f]+)\) \([0-9a-f]+\)\]/Filter /FlateDecode"
    rb"/Length ([0-9]+)>>\nstream\n"
)
_LATER_TABLE: Final = re.compile(
    rb"([0-9]+ 0 obj\n<<\n/W \[ 1 8 2 \]\n/Type /XRef\n/Filter /FlateDecode\n/Size ([0-9]+)\n/Root [0-9]+ 0 R\n"
    rb"(?:/Info [0-9]+ 0 R\n)?/ID \[ <)[0-9a-f]+> <([0-9a-f]{32})> \]\n/Prev [0-9]+(\n/Index \[ ([0-9 ]+) \]\n/Length )"
    rb"([0-9]+)\n>>\nstream\n"
)
_ROW: Final = struct.Struct(">BQH")  # kind, place, generation
_LOOSE, _PACKED = 1, 2
_NO_OBJECT: Final = _ROW.pack(0, 0, 0xFFFF)
_KEPT: Final = 128


@dataclass(frozen=True, slots=True)
class Ground:
    """What an update is written upon, as far as it enters into it.

    Attributes:
        key: of all objects that an update may change: files that have it in common can be updated alike.
        known: the numbers of these objects.
        size: one more than the highest number of an object.
        identifier: the first of the file's two, as the library writes it.
        table: where the newest table of cross-references begins.
    """

    key: bytes
    known: frozenset[int]
    size: int
    identifier: bytes
    table: int


@dataclass(slots=True)
class Prepared:
    """A file with an update that has room for a message.

    Attributes:
        gap: the half-open range of bytes that no message speaks for: where it stands.
        ground: of what may be written behind; None where that is for the library to find out.
    """

    content: bytearray
    gap: tuple[int, int]
    ground: Ground | None

    def digest(self, algorithm: str) -> bytes:
        """Of everything but the gap."""
        start, end = self.gap
        view = memoryview(self.content)
        return digest_of_parts((view[:start], view[end:]), algorithm)

    def fill(self, message: bytes) -> None:
        """Puts the message into the gap.

        Raises:
            SigningError: it is longer than the room for it.
        """
        start, end = self.gap
        digits = hexlify(message).upper()
        if len(digits) > end - start - 2:
            raise SigningError(f"the message needs {len(digits)} characters, and there is room for {end - start - 2}")
        self.content[start + 1 : start + 1 + len(digits)] = digits


def prepared_by_library(content: bytes, length: int) -> Prepared:
    """A file as the library writes it.

    Args:
        content: with an update that has one message.
        length: of the file before.

    Raises:
        SigningError: the update has not the form that the library gives it.
    """
    place = _only(_CONTENTS, content[length:])
    if place is None:
        raise SigningError("the library left no room for the message")
    return Prepared(bytearray(content), (length + place.start, length + place.stop), None)


@dataclass(frozen=True, slots=True)
class UpdateMould:
    """The parts that the updates of files with the same ground have in common.

    Attributes:
        body: the update up to its table, with zeros in the room for the message.
        contents, byte_range, moment: where these stand in the body; updates without a date have no moment.
        offsets: of the objects in the body, in the order of the table.
        numbers: of the same objects.
        before_identifiers, before_length: of the table, what stands before what differs.
        size: one more than the highest number of an object.
    """

    body: bytes
    contents: slice
    byte_range: slice
    moment: slice | None
    offsets: tuple[int, ...]
    numbers: frozenset[int]
    before_identifiers: bytes
    before_length: bytes
    size: int

    @classmethod
    def of(cls, base: bytes, updated: bytes, ground: Ground) -> UpdateMould | None:
        """The mould of an update that the library wrote; None where another one could not be made of its parts."""
        end = _END.search(updated, len(updated) - _TAIL)
        table = _LATER_TABLE.match(updated, int(end[1])) if end is not None else None
        if table is None or not updated.startswith(base) or table.start() < len(base):
            return None
        body = updated[len(base) : table.start()]
        contents, byte_range, moment = (_only(pattern, body) for pattern in (_CONTENTS, _BYTE_RANGE, _MOMENT))
        rows = zlib.decompress(updated[table.end() : table.end() + int(table[6])])
        numbers = _numbers(table[5])
        offsets = tuple(place - len(base) for _, place, _ in _ROW.iter_unpack(rows[_ROW.size :]))
        if contents is None or byte_range is None or len(numbers) != len(offsets) or min(offsets) < 0:
            return None
        if not {number for number in numbers if number < ground.size} <= ground.known:
            return None  # what it changes may be another object in another file
        if moment is None and _MOMENT.search(body):
            return None  # which of the dates is its own?
        empty = b"<%b>" % (b"0" * (contents.stop - contents.start - 2))
        mould = cls(
            body=body[: contents.start] + empty + body[contents.stop :],
            contents=contents,
            byte_range=byte_range,
            moment=moment,
            offsets=offsets[:-1],
            numbers=frozenset(numbers),
            before_identifiers=table[1],
            before_length=table[4],
            size=int(table[2]),
        )
        date = b"" if moment is None else body[moment]
        again = mould.poured(base, ground, date, table[3])
        again.content[again.gap[0] : again.gap[1]] = body[contents]
        return mould if again.content == updated else None

    @property
    def room(self) -> int:
        """Hexadecimal characters for a message."""
        return len(self.body[self.contents]) - 2

    def poured(self, base: bytes | bytearray, ground: Ground, moment: bytes, identifier: bytes) -> Prepared:
        """The update of another file of the same ground.

        Args:
            base: the file.
            ground: its own, with its own places.
            moment: when, as it is written; of no length where the update has no date.
            identifier: the second of the file's two: 32 hexadecimal characters.
        """
        start, table_at = len(base), len(base) + len(self.body)
        places = (*(start + offset for offset in self.offsets), table_at)
        rows = zlib.compress(b"".join((_NO_OBJECT, *(_ROW.pack(_LOOSE, place, 0) for place in places))))
        table = (
            *(self.before_identifiers, ground.identifier, b"> <", identifier, b"> ]\n/Prev %d" % ground.table),
            *(self.before_length, b"%d\n>>\nstream\n" % len(rows), rows, b"\nendstream\nendobj\n"),
            b"\nstartxref\n%d\n%%%%EOF\n" % table_at,
        )
        content = bytearray().join((base, self.body, *table))
        gap = (start + self.contents.start, start + self.contents.stop)
        covered = b"[0 %d %d %d]" % (*gap, len(content) - gap[1])
        _write_over(content, start, self.byte_range, covered.ljust(self.byte_range.stop - self.byte_range.start))
        if self.moment is not None:
            _write_over(content, start, self.moment, moment)
        return Prepared(content, gap, self.ground_behind(ground, table_at))

    def ground_behind(self, ground: Ground, table_at: int) -> Ground:
        """The ground of what is written behind this update."""
        key = sha256(ground.key + self.body).digest()
        return Ground(key, ground.known | self.numbers, self.size, ground.identifier, table_at)


@dataclass(slots=True)
class UpdateMoulds:
    """The moulds of what is appended with one material; other material makes other updates, and needs moulds anew."""

    _material: object = None
    _kept: dict[bytes, UpdateMould] = field(default_factory=dict)

    def poured(
        self,
        base: bytes | bytearray,
        ground: Ground | None,
        material: object,
        *,
        moment: datetime,
        room: int | None = None,
    ) -> Prepared | None:
        """A file with its update; None where the library has to write it.

        Args:
            base: the file.
            ground: its ground.
            material: what the update is made with; the same object as ever for the same.
            moment: for updates with a date, aware.
            room: hexadecimal characters for the message, where they are not of the material.
        """
        mould = self._kept.get(ground.key) if ground is not None and material is self._material else None
        if mould is None or ground is None or room not in {None, mould.room}:
            return None
        date = b"" if mould.moment is None else _written(generic.pdf_date(moment))
        if mould.moment is not None and len(date) != mould.moment.stop - mould.moment.start:
            return None
        return mould.poured(base, ground, date, secrets.token_hex(16).encode())

    def learn(self, base: bytes, updated: bytes, ground: Ground | None, material: object) -> Ground | None:
        """Takes a mould of an update that the library wrote; returns the ground of what is written behind it."""
        mould = None if ground is None else UpdateMould.of(base, updated, ground)
        if mould is None or ground is None:
            return None
        if material is not self._material or len(self._kept) >= _KEPT:
            self._material = material
            self._kept.clear()
        self._kept[ground.key] = mould
        return mould.ground_behind(ground, len(base) + len(mould.body))


def ground_of(content: bytes) -> Ground | None:
    """The ground of a file as the layout engine writes it: most objects packed into one; None of any other."""
    end = _END.search(content, len(content) - _TAIL)
    table = _FIRST_TABLE.match(content, int(end[1])) if end is not None else None
    if table is None:
        return None
    size, place_width, last_width = int(table[1]), int(table[2]), int(table[3])
    try:
        rows = zlib.decompress(content[table.end() : table.end() + int(table[6])])
    except zlib.error:
        return None
    width = 1 + place_width + last_width
    if len(rows) != size * width:
        return None
    packed = [number for number in range(size) if rows[number * width] == _PACKED]
    streams = {rows[number * width + 1 : number * width + 1 + place_width] for number in packed}
    if len(streams) != 1:
        return None
    stream = int.from_bytes(streams.pop())
    if stream >= size or rows[stream * width] != _LOOSE:
        return None
    place = int.from_bytes(rows[stream * width + 1 : stream * width + 1 + place_width])
    key = sha256(content[:_HEADER] + table[4] + repr((size, packed)).encode())
    key.update(b"".join(rows[number * width : (number + 1) * width] for number in packed))
    key.update(content[place : table.start()])
    return Ground(key.digest(), frozenset(packed), size, hexlify(table[5]), table.start())


def _only(pattern: re.Pattern[bytes], body: bytes) -> slice | None:
    """Where the value stands that is there exactly once."""
    found = list(pattern.finditer(body))
    return slice(*found[0].span(1)) if len(found) == 1 else None


def _numbers(index: bytes) -> list[int]:
    """ISO 32000-2, 7.5.8.2: the numbers of the objects in a table, without that of no object."""
    fields = list(map(int, index.split()))
    sections = zip(fields[::2], fields[1::2], strict=True)
    _, *numbers = (number for first, count in sections for number in range(first, first + count))
    return numbers


def _write_over(content: bytearray, start: int, place: slice, value: bytes) -> None:
    content[start + place.start : start + place.stop] = value


def _written(value: Any) -> bytes:
    output = BytesIO()
    value.write_to_stream(output)
    return output.getvalue()
