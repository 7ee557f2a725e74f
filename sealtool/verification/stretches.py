"""Stretches of time in which nothing begins or ends, of all that a judgement looks at.

A chain is judged at a moment by what its certificates, revocation lists and OCSP responses say of time: that moment is
compared with theirs, and with nothing else. So between two of those that follow each other every moment gives the same
outcome.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Final

from pyhanko_certvalidator.policy_decl import FRESHNESS_FALLBACK_VALIDITY_DEFAULT

from sealtool.verification import remembering

_GUARD: Final = 10
"""Seconds. Nearer to a time than this a moment is like no other: the library allows for clocks that differ by one."""
# UTCTime and GeneralizedTime, as RFC 5280, 4.1.2.5 and RFC 6960 write them, or so that it looks like one of them.
_TIME: Final = re.compile(rb"([\x17\x18])(\x81?)([\x0a-\x20])([0-9]{8}[0-9.,Z+-]*)")
_WRITTEN: Final = re.compile(rb"([0-9]{2}|[0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.[0-9]+)?Z")
_UTC_TIME: Final = b"\x17"
_WITHOUT_END: Final = int(FRESHNESS_FALLBACK_VALIDITY_DEFAULT.total_seconds())
_SHORT: Final = 16 * 1024
_PIVOT: Final = 50  # RFC 5280, 4.1.2.5.1: years from 50 on are of the century before


def stretch_of(moment: datetime, data: Iterable[bytes]) -> str:
    """The name of the stretch around a moment; of the moment alone, where it is close to one of the times.

    Args:
        moment: aware.
        data: DER of all that says something of time; parts of it, as long as no value is cut.
    """
    seconds = moment.timestamp()
    begin, end = -inf, inf
    for encoded in data:
        times = times_in(encoded)
        if times is None:
            return moment.isoformat()
        at = bisect_right(times, seconds)
        if at:
            begin = max(begin, times[at - 1])
        if at < len(times):
            end = min(end, times[at])
    if seconds - begin <= _GUARD or end - seconds <= _GUARD:
        return moment.isoformat()
    return f"{begin}/{end}"


def times_in(encoded: bytes) -> Sequence[int] | None:
    """All times that DER names, in seconds since 1970, in order; None where one is not written as it should be.

    Data that do not say when they end are taken for good for a while: that end is one more time.
    """
    return (_times_in_part if len(encoded) <= _SHORT else _times_in_list)(encoded)


def _times(encoded: bytes) -> Sequence[int] | None:
    found: set[int] = set()
    for tag, long_form, length, text in _TIME.findall(encoded):
        if len(text) < length[0]:
            continue  # it only looked like a time
        time = None if long_form else _read(tag, text[: length[0]])
        if time is None:
            return None
        found |= {time, time + _WITHOUT_END}
    return array("q", sorted(found))


_times_in_part = remembering.parts(_times)
_times_in_list = remembering.lists(_times)


def _read(tag: bytes, text: bytes) -> int | None:
    written = _WRITTEN.fullmatch(text)
    if written is None or (len(written[1]) == len(b"26")) is not (tag == _UTC_TIME):
        return None
    year, month, day, hour, minute, second = map(int, written.groups())
    if tag == _UTC_TIME:
        year += 1900 if year >= _PIVOT else 2000
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp())  # parts of a second are less than the guard
