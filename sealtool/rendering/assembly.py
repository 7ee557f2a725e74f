"""The file of a stencil, put together of the objects that stay and those that change from person to person.

Writing a file anew encodes and compresses all of it again. Here what stays is encoded once. What comes out has the very
bytes that pydyf would have written (``pydyf.PDF.write``, with an object stream and an identifier).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from copy import copy
from hashlib import md5
from math import ceil, log
from typing import Any, Final

from sealtool.rendering.engine import PdfArray, PdfStream, PdfString

_HEADER: Final = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"
_PACKED: Final = 2
_BYTE: Final = 256


class Assembly:
    """The parts of a file.

    Args:
        file: complete and not yet written (``pydyf.PDF``).
        changing: the numbers of the objects that are set anew each time; all of them are streams.
    """

    def __init__(self, file: Any, changing: Container[int]) -> None:
        objects = list(file.objects)
        if file.info:
            objects.append(_numbered(file.info, len(objects)))
        packed = [each for each in objects if each.compressible]
        objects.append(_numbered(_stream_of(packed), len(objects)))
        order = {each.number: index for index, each in enumerate(packed)}
        self._rows = [_row(each, order.get(each.number), objects[-1].number) for each in objects]
        in_use = [each for each in objects if each.free != "f"]
        self._data: list[tuple[int, bytes | None]] = [
            (each.number, None if each.number in changing else each.data) for each in in_use
        ]
        loose = {each.number for each in in_use if not each.compressible}
        self._lines = [
            (number, None if data is None else _line(number, data)) for number, data in self._data if number in loose
        ]
        widest = max(*(each.generation for each in objects), len(packed))
        self._last_width = ceil(log(widest + 1, _BYTE))
        self._entries = {"Root": file.catalog.reference}
        if file.info:
            self._entries["Info"] = objects[-2].reference

    def file(self, changed: Mapping[int, bytes]) -> bytes:
        """The whole file, with the data of the objects that change, by their numbers."""
        position, pieces, offsets = len(_HEADER), [_HEADER], {}
        for number, line in self._lines:
            offsets[number] = position
            piece = _line(number, changed[number]) if line is None else line
            pieces.append(piece)
            position += len(piece)
        pieces += self._ending(offsets, position, self._digest(changed))
        return b"".join(pieces)

    def _digest(self, changed: Mapping[int, bytes]) -> bytes:
        digest = md5(usedforsecurity=False)
        for number, data in self._data:
            digest.update(changed[number] if data is None else data)
        return digest.hexdigest().encode()

    def _ending(self, offsets: Mapping[int, int], position: int, digest: bytes) -> Iterator[bytes]:
        """ISO 32000-2, 7.5.8: the table of all objects, with itself at its end."""
        number = len(self._rows)
        widths = (1, ceil(log(position + 1, _BYTE)), self._last_width)
        rows = [row if row is not None else (1, offsets[each], 0) for each, row in enumerate(self._rows)]
        table = b"".join(
            field.to_bytes(width) for row in (*rows, (1, position, 0)) for field, width in zip(row, widths, strict=True)
        )
        extra = {
            "Type": "/XRef",
            "Index": PdfArray((0, number + 1)),
            "W": PdfArray(widths),
            "Size": number + 1,
            **self._entries,
            "ID": PdfArray((PdfString(digest).data, PdfString(digest).data)),
        }
        yield _line(number, PdfStream([table], extra, compress=True).data)
        yield b"startxref\n%d\n%%%%EOF\n" % position


def _stream_of(packed: Iterable[Any]) -> Any:
    """ISO 32000-2, 7.5.7: numbers and offsets of the objects, and the objects."""
    table, contents, position = [], [], 0
    for each in packed:
        table.append(f"{each.number} {position}")
        contents.append(each.data)
        position += len(each.data) + 1
    head = " ".join(table)
    extra = {"Type": "/ObjStm", "N": len(contents), "First": len(head) + 1}
    return PdfStream([head, *contents], extra, compress=True)


def _row(each: Any, place: int | None, stream: int) -> tuple[int, int, int] | None:
    """What the table says of an object; None where that is its offset."""
    if place is not None:
        return _PACKED, stream, place
    return (0, 0, each.generation) if each.free == "f" else None


def _numbered(original: Any, number: int) -> Any:
    numbered = copy(original)
    numbered.number = number
    return numbered


def _line(number: int, data: bytes) -> bytes:
    return b"%d 0 obj\n%s\nendobj\n" % (number, data)
