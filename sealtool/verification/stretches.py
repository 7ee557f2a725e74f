"""Stretches of time in which nothing begins or ends, of all that a judgement looks at.

A chain is judged at a moment by what its certificates, revocation lists and OCSP responses say of time: that moment is
compared with theirs, and with nothing else. So between two of those that follow each other every moment gives the same
outcome.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Final

from pyhanko_certvalidator.policy_decl import FRESHNESS_FALLBACK_VALIDITY_DEFAULT

from sealtool.verification import remembering

_GUARD: Final = 10
"""Seconds. Nearer to a time than this a moment is like no other: the library allows for clocks that differ by one."""
# UTCTime and GeneralizedTime with the length in one octet, and in more, which DER has not for what is so short.
_TIME: Final = re.compile(rb"([\x17\x18])([\x0a-\x7f])(?=[0-9]{8})")
_LONG_FORM: Final = re.compile(rb"[\x17\x18]([\x81-\xfe])")
# Their text as the library reads it: an end of line may stand behind it.
_TEXT: Final = re.compile(rb"[0-9]{8}[0-9.,Z+-]*\n?")
# A time in parts, the first of which may be empty, or in parts again.
_IN_PARTS: Final = re.compile(
    rb"[\x37\x38]\x80(?:[\x37\x38]\x80|[\x17\x18](?:[\x81-\xfe]\x00*)?\x00)*"
    rb"[\x17\x18](?:[\x81-\xfe]\x00*)?[\x01-\xff][0-9]"
)
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
    if _IN_PARTS.search(encoded) or any(map(_is_time, _contents_in_long_form(encoded))):
        return None
    found: set[int] = set()
    for match in _TIME.finditer(encoded):
        text = encoded[match.end() : match.end() + match[2][0]]
        if len(text) < match[2][0] or not _is_time(text):
            continue  # it only looked like one
        time = _read(match[1], text)
        if time is None:
            return None
        found |= {time, time + _WITHOUT_END}
    return array("q", sorted(found))


def _is_time(text: bytes) -> bool:
    return _TEXT.fullmatch(text) is not None


def _contents_in_long_form(encoded: bytes) -> Iterator[bytes]:
    """What would stand in a time whose length takes several octets (X.690, 8.1.3.5), wherever one seems to begin."""
    for match in _LONG_FORM.finditer(encoded):
        begin = match.end() + (match[1][0] & 0x7F)
        length = int.from_bytes(encoded[match.end() : begin])
        if begin + length <= len(encoded):
            yield encoded[begin : begin + length]


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
