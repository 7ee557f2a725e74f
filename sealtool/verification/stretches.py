"""Stretches of time in which nothing begins or ends, of all that a judgement looks at.

A chain is judged at a moment by what its certificates, revocation lists and OCSP responses say of time: that moment is
compared with theirs, and with nothing else. So between two of those that follow each other every moment gives the same
outcome.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from pyhanko_certvalidator.policy_decl import FRESHNESS_FALLBACK_VALIDITY_DEFAULT

from sealtool.verification.remembering import remembered

_GUARD: Final = timedelta(seconds=10)
"""Nearer to a time than this a moment is like no other: the library allows for clocks that differ by a second."""
# UTCTime and GeneralizedTime, as RFC 5280, 4.1.2.5 and RFC 6960 write them, or so that it looks like one of them.
_TIME: Final = re.compile(rb"([\x17\x18])([\x0a-\x20])([0-9]{8}[0-9.,Z+-]*)")
_WRITTEN: Final = re.compile(rb"([0-9]{2}|[0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.[0-9]+)?Z")
_UTC_TIME: Final = b"\x17"
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)  # RFC 5280, 4.1.2.5: of what has no end
_PIVOT: Final = 50  # RFC 5280, 4.1.2.5.1: years from 50 on are of the century before


def stretch_of(moment: datetime, data: Iterable[bytes]) -> str:
    """The name of the stretch around a moment; of the moment alone, where it is close to one of the times.

    Args:
        moment: aware.
        data: DER of all that says something of time; parts of it, as long as no value is cut.
    """
    begin, end = _EARLIEST, _LATEST
    for encoded in data:
        times = _times(encoded)
        if times is None:
            return moment.isoformat()
        at = bisect_right(times, moment)
        if at:
            begin = max(begin, times[at - 1])
        if at < len(times):
            end = min(end, times[at])
    if moment - begin <= _GUARD or end - moment <= _GUARD:
        return moment.isoformat()
    return f"{begin.isoformat()}/{end.isoformat()}"


@remembered(entries=64, longest=1024 * 1024)
def _times(encoded: bytes) -> tuple[datetime, ...] | None:
    """All times in it, in order; None where one is not written as it should be.

    Data that do not say when they end are taken for good for a while: that end is one more time.
    """
    found: set[datetime] = set()
    for tag, length, text in _TIME.findall(encoded):
        if len(text) < length[0]:
            continue  # it only looked like a time
        time = _read(tag, text[: length[0]])
        if time is None:
            return None
        found.add(time)
        if time < _LATEST:
            found.add(time + FRESHNESS_FALLBACK_VALIDITY_DEFAULT)
    return tuple(sorted(found))


def _read(tag: bytes, text: bytes) -> datetime | None:
    written = _WRITTEN.fullmatch(text)
    if written is None or (len(written[1]) == len(b"26")) is not (tag == _UTC_TIME):
        return None
    year, month, day, hour, minute, second = map(int, written.groups())
    if tag == _UTC_TIME:
        year += 1900 if year >= _PIVOT else 2000
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)  # less than a second is less than the guard
    except ValueError:
        return None
