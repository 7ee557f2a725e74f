"""asn1crypto, held to what it has read: it takes some definite lengths for indefinite ones.

A length of 128, 384, 640… octets ends with the octet 0x80, which alone would say that the length is indefinite
(X.690, 8.1.3). Up to 1.5.1 the library looks at that last octet only, where it writes a value that it has read
(https://github.com/wbond/asn1crypto/issues/249): it puts the value together anew, and each value in it. That takes
up to sixty times as long, and where a certificate within writes out what DER leaves out (`critical FALSE`), other
octets come out than those that were signed. A test tells when the library is mended, and this module can go.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from asn1crypto import core

_INDEFINITE: Final = 0x80
_LONG_TAG: Final = 0x1F
_MENDED: Final = (core.Asn1Value, core.Choice, core.Primitive, core.Sequence, core.SequenceOf)


def respect_definite_lengths() -> None:
    """From now on in this process, what was read with a definite length is written as it was read.

    Values that were changed since, and values with indefinite lengths, are written as the library does.
    Once is enough; again does nothing.
    """
    for kind in _MENDED:
        if not hasattr(kind.dump, "__wrapped__"):
            kind.dump = _respecting(kind.dump)


def _respecting(dump: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(dump)
    def respecting(value: Any, force: bool = False) -> bytes:  # noqa: FBT001, FBT002 - the library's own signature
        if not force and _ends_like_an_indefinite_length(value._header):  # noqa: SLF001
            contents = value.chosen.dump() if isinstance(value, core.Choice) else value.contents
            if value._header is not None:  # noqa: SLF001 - the library forgets it, when something within was changed
                return bytes(value._header + contents + value._trailer)  # noqa: SLF001
        return dump(value, force=force)

    return respecting


def _ends_like_an_indefinite_length(header: bytes | None) -> bool:
    """Whether tags and lengths of *header* (more than one pair with explicit tags) end with a definite length
    whose last octet is 0x80."""
    if header is None or header[-1:] != b"\x80":
        return False
    position = 0
    while True:
        position += 1
        if header[position - 1] & _LONG_TAG == _LONG_TAG:
            while header[position] & 0x80:
                position += 1
            position += 1
        length = header[position]
        position += 1 + (length & 0x7F if length > _INDEFINITE else 0)
        if position >= len(header):
            return length != _INDEFINITE
