"""Elements of DER (X.690): taken apart as they stand in a file, and written in the one way there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asn1crypto import core, parser

BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0
CONTEXT_1: Final = 0xA1
CONTEXT_2: Final = 0xA2
NULL: Final = b"\x05\x00"


def element(tag: int, *contents: bytes) -> bytes:
    """An element, with the shortest definite form of its length (X.690, 10.1). Only for tags of one byte."""
    return bytes(parser.emit(tag >> 6, tag >> 5 & 1, tag & 0x1F, b"".join(contents)))


def octets_as_bits(octets: bytes) -> bytes:
    """A bit string of whole octets, as signatures are (X.690, 8.6.2)."""
    return element(BIT_STRING, b"\0", octets)


def elements(contents: bytes) -> Iterator[bytes]:
    """The children of a structure, as they stand in the file."""
    position = 0
    while position < len(contents):
        length = parser.peek(contents[position:])
        yield contents[position : position + length]
        position += length


def object_identifier(encoded: bytes) -> core.ObjectIdentifier:
    """An object identifier written anew: the parser passes over zeros in front of its numbers (X.690, 8.19.2)."""
    return core.ObjectIdentifier(core.ObjectIdentifier.load(encoded, strict=True).dotted)
