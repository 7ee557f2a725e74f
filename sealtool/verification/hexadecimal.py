"""Hexadecimal strings of a file that is judged, read in one step.

The library reads them character by character. The message of a seal has tens of thousands, which took a sixth of the
time of a file, and the library offers no place to do better. So its reader is replaced by one that does the same, only
sooner. It knows the streams of this module and no others: what sealing reads, it reads as ever. What is not plain
(white space or a comment within, a wrong character, no end) is left to the library, errors included.
"""

from __future__ import annotations

import io
import re
from binascii import unhexlify
from typing import BinaryIO

from pyhanko.pdf_utils import generic

_PLAIN = re.compile(rb"<([0-9A-Fa-f]*+)>")
_String = generic.TextStringObject | generic.ByteStringObject


class FileContent(io.BytesIO):
    """A file as the library reads it, and its bytes at hand."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.content = content


_read_slowly = generic.read_hex_string_from_stream


def _read(stream: BinaryIO) -> _String:
    plain = _PLAIN.match(stream.content, stream.tell()) if isinstance(stream, FileContent) else None
    if plain is None:
        return _read_slowly(stream)
    stream.seek(plain.end())
    digits = plain[1]
    # ISO 32000-2, 7.3.4.3: where the last digit is missing, it is 0.
    return generic.pdf_string(unhexlify(digits + b"0" * (len(digits) % 2)))


generic.read_hex_string_from_stream = _read
