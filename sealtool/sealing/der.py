"""DER, as far as messages are put together of encoded parts."""

from __future__ import annotations

from typing import Final

from asn1crypto import parser

OCTET_STRING: Final = 0x04
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0
CONTEXT_1: Final = 0xA1
_LONG_FORM: Final = 0x80


def element(tag: int, *contents: bytes) -> bytes:
    """An element (X.690, 8.1 and 10.1: the shortest definite form of length)."""
    content = b"".join(contents)
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content


def content_of(encoded: bytes) -> bytes:
    """What stands in the element at the beginning of ``encoded``, whatever its tag.

    Raises:
        ValueError: there is no whole element.
    """
    return bytes(parser.parse(encoded)[4])
