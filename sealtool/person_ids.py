"""DNI and NIE as people write them, and the one form in which they are compared."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s.-]")
_SHORTENED: Final = re.compile(r"(?P<prefix>[XYZ]?)(?P<number>[0-9]{1,8})(?P<letter>[A-Z])")


def compact_id(text: str) -> str:
    """Without white space, full stops and hyphens, in capitals."""
    bare = _SEPARATORS.sub("", text)
    # upper() turns some letters of other alphabets into A to Z; those are no part of an id
    return bare.upper() if bare.isascii() else bare


def canonical_id(text: str) -> str:
    """Compact, with the leading zeros that it may have lost. Whether it is an id, nobody has looked at yet."""
    compact = compact_id(text)
    match = _SHORTENED.fullmatch(compact)
    if match is None:
        return compact
    prefix, number, letter = match.groups()
    return f"{prefix}{number.zfill(8 - len(prefix))}{letter}"
