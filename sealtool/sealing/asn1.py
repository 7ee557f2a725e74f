"""Encoded parts of signed messages, and putting them together (DER, X.690)."""

from __future__ import annotations

from typing import Final

from asn1crypto import cms

OCTET_STRING: Final = 0x04
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0
CONTEXT_1: Final = 0xA1

_LONG_FORM: Final = 0x80


def parts_of(value: cms.SignedData | cms.SignerInfo, *names: str) -> bytes:
    """Some fields of a structure as they stand in it, one behind the other."""
    return b"".join(value[name].dump() for name in names)


def der(tag: int, *contents: bytes) -> bytes:
    """An element with a tag and the shortest definite form of its length (X.690, 8.1 and 10.1)."""
    content = b"".join(contents)
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content
