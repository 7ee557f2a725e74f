"""Working out once what the same bytes mean: thousands of files bring the same certificates and revocation lists."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from hashlib import sha256
from typing import Final, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_KEPT: Final = 256


def remembered(*, entries: int, longest: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The same function, remembering its latest results.

    Only for functions of bytes, and of nothing else: no clock, no trust, no other state. Then what is remembered is
    what would be worked out again, and it makes no difference which file was there before. A file can crowd out what
    others left, which costs them time and nothing else; it cannot make the memory grow, which is bounded in number and
    length; and what a function raises is never kept. The results are shared, so nobody may write to them.

    Args:
        entries: how many results are kept.
        longest: bytes of all arguments together; whatever is longer is worked out each time.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(maxsize=entries)(function)

        @wraps(function)
        def remembering(*arguments: P.args, **named: P.kwargs) -> T:
            is_short = sum(map(len, arguments)) <= longest  # type: ignore[arg-type]
            return (kept if is_short else function)(*arguments, **named)  # type: ignore[arg-type]

        return remembering

    return decorate


parts = remembered(entries=256, longest=64 * 1024)
"""For what a certificate, an attribute, or another small part of a message means."""

lists = remembered(entries=8, longest=1024 * 1024)
"""For what a revocation list means, which may be long."""

entries_of_lists = remembered(entries=32, longest=256 * 1024)
"""For what a revocation list says of one certificate: there are a few pairs for each list."""


class Precedents(Generic[T]):
    """What was passed before, by all that it depended on. The oldest make room for the newest."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, T] = OrderedDict()

    def find(self, key: bytes) -> T | None:
        """What was passed under this key; None where nothing was."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: bytes, passed: T) -> None:
        """Remembers what was passed."""
        self._kept[key] = passed
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def key_of(*groups: Iterable[bytes]) -> bytes:
    """One key for groups of bytes: another for whatever differs in any of them, in their number or order."""
    digest = sha256()
    for group in groups:
        parts = tuple(group)
        digest.update(len(parts).to_bytes(8))
        for part in parts:
            digest.update(len(part).to_bytes(8))
            digest.update(part)
    return digest.digest()
