"""Objects of a file that is judged, read in large steps.

The library reads a PDF byte by byte, which took a third of the time of a file, and offers no place to do better. So its
reader of objects is replaced by one that does the same, only sooner, for what is written plainly: without comments,
escapes, names given twice, or anything else that is not a matter of course. All else is left to the library, errors
included. It knows the streams of this module and no others: what sealing reads, it reads as ever.
"""

from __future__ import annotations

import contextlib
import io
import re
from binascii import unhexlify
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.reader import PdfFileReader

_DEEPEST: Final = 32
_WHITE: Final = rb" \n\r\t\f\x00"
_AT_END: Final = rb"(?=[ \n\r\t\f\x00()<>\[\]/])"
# ISO 32000-2, 7.2 and 7.3. The groups are numbered, for what becomes of them below.
_TOKEN: Final = re.compile(
    rb"[ \n\r\t\f\x00]*+(?:"
    rb"/([!\"$&'*-.0-;=?-Z\\^-z|~]++)" + _AT_END + rb"|([1-9][0-9]{0,8}) ([0-9]{1,5}) R" + _AT_END + rb"|"
    rb"([+-]?[0-9]++)" + _AT_END + rb"|([+-]?[0-9]++\.[0-9]*+)" + _AT_END + rb"|"
    rb"\(((?:[^()\\]++|\\(?:[0-3][0-7]{2}|[()\\bfnrt]))*+)\)|<([0-9A-Fa-f]*+)>|"
    rb"(true|false|null)" + _AT_END + rb"|(<<|\[|>>|\]))"
)
_NAME, _REFERENCE, _GENERATION, _STRUCTURE = 1, 2, 3, 9
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{3})|(.))", re.DOTALL)
_ESCAPED: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_Object = Any  # the library's classes of objects share a base, and not what is needed of them


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


class FileReader(PdfFileReader):
    """A file that is judged."""

    def __init__(self, content: bytes, **settings: Any) -> None:
        self._unpacked: dict[int, tuple[list[int], int, bytes] | None] = {}
        super().__init__(FileContent(content), **settings)

    def _get_object_from_stream(self, idnum: int, stmnum: int, idx: int) -> _Object:
        """An object out of a stream of objects, which the library would unpack and go through for each of them."""
        if stmnum not in self._unpacked:
            self._unpacked[stmnum] = self._unpack(stmnum)
        unpacked = self._unpacked[stmnum]
        if unpacked is not None:
            table, first, content = unpacked
            if idx < len(table) // 2 and table[::2].index(idnum) == idx:
                with contextlib.suppress(_NotPlainError):
                    return _packed(content, first + table[2 * idx + 1], generic.Reference(idnum, 0, self))
        return super()._get_object_from_stream(idnum, stmnum, idx)

    def _unpack(self, number: int) -> tuple[list[int], int, bytes] | None:
        """ISO 32000-2, 7.5.7: numbers and offsets, where the objects begin, and all of it; None where it is not plain."""
        stream = generic.Reference(number, 0, self).get_object()
        if not isinstance(stream, generic.StreamObject) or stream.get("/Type") != "/ObjStm":
            return None
        content = stream.read_data(DecodePurpose.OBJECT_STREAM)
        first, count = stream.get("/First"), stream.get("/N")
        if not isinstance(first, int) or not isinstance(count, int) or not 0 < first <= len(content):
            return None
        table = content[:first].split()
        if len(table) != 2 * count or not all(map(bytes.isdigit, table)):
            return None
        return list(map(int, table)), first, content


class _NotPlainError(Exception):
    """Here is something that the library has to read."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


_read_slowly = generic.read_object


def _read(stream: BinaryIO, container_ref: generic.Dereferenceable, *arguments: Any, **settings: Any) -> _Object:
    is_plain = isinstance(stream, FileContent) and not arguments and not any(settings.values())
    if not is_plain or (at := stream.tell()) in stream.slowly:
        return _read_slowly(stream, container_ref, *arguments, **settings)
    try:
        found, end = _whole(stream.content, at, container_ref)
    except _NotPlainError as error:
        stream.slowly = range(at, error.at)
        return _read_slowly(stream, container_ref, *arguments, **settings)
    stream.seek(end)
    if not isinstance(found, dict):
        return found
    payload = generic._maybe_read_stream_payload(stream, found, container_ref.get_pdf_handler())  # noqa: SLF001
    made = generic.DictionaryObject(found) if payload is None else generic.StreamObject(found, encoded_data=payload)
    made.container_ref = container_ref
    return made


generic.read_object = _read


def _packed(content: bytes, at: int, holder: generic.Dereferenceable) -> _Object:
    """An object from a stream of objects, where no streams are and no references stand for objects."""
    found, end = _whole(content, at, holder)
    behind = content[end:].lstrip(_WHITE)[:1]
    if isinstance(found, generic.IndirectObject) or behind in {b"%", b"s"}:
        raise _NotPlainError(end)
    if isinstance(found, dict):
        found = generic.DictionaryObject(found)
        found.container_ref = holder
    return found


def _whole(content: bytes, at: int, holder: generic.Dereferenceable) -> tuple[_Object, int]:
    """An object that nothing stands before, and where it ends; of a dictionary, which may be a stream's, the entries."""
    token = _TOKEN.match(content, at)
    if token is None or content[at] in _WHITE:
        raise _NotPlainError(at)
    if token.lastindex == _STRUCTURE and token[_STRUCTURE] == b"<<":
        return _entries(content, token.end(), holder, 0)
    return _made(content, token, holder, 0)


def _made(content: bytes, token: re.Match[bytes], holder: generic.Dereferenceable, depth: int) -> tuple[_Object, int]:
    kind, end = token.lastindex, token.end()
    made: _Object
    if kind == _NAME:
        made = generic.NameObject("/" + token[kind].decode("ascii"))
    elif kind == _GENERATION:
        made = generic.IndirectObject(int(token[_REFERENCE]), int(token[kind]), holder.get_pdf_handler())
    elif kind == _STRUCTURE:
        return _structure(content, token, holder, depth)
    else:
        made = _SIMPLE[kind](token[kind])
    made.container_ref = holder
    return made, end


def _structure(
    content: bytes, token: re.Match[bytes], holder: generic.Dereferenceable, depth: int
) -> tuple[_Object, int]:
    opened = token[_STRUCTURE]
    if depth > _DEEPEST or opened in {b">>", b"]"}:
        raise _NotPlainError(token.end())
    made: _Object
    if opened == b"<<":
        entries, end = _entries(content, token.end(), holder, depth + 1)
        made = generic.DictionaryObject(entries)
    else:
        made = generic.ArrayObject()
        end = token.end()
        while (token := _token(content, end))[_STRUCTURE] != b"]":
            value, end = _made(content, token, holder, depth + 1)
            made.append(value)
        end = token.end()
    made.container_ref = holder
    return made, end


def _entries(
    content: bytes, at: int, holder: generic.Dereferenceable, depth: int
) -> tuple[dict[generic.NameObject, _Object], int]:
    entries: dict[generic.NameObject, _Object] = {}
    while (token := _token(content, at))[_STRUCTURE] != b">>":
        if token.lastindex != _NAME:
            raise _NotPlainError(token.end())
        name = generic.NameObject("/" + token[_NAME].decode("ascii"))
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
    return generic.NullObject() if word == b"null" else generic.BooleanObject(word == b"true")


_SIMPLE: Final[dict[int, Callable[[bytes], _Object]]] = {
    4: generic.NumberObject,
    5: lambda digits: generic.FloatObject(digits.decode("ascii")),
    6: _literal,
    7: _hexadecimal,
    8: _word,
}
