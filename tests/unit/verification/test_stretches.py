"""Between two times that follow each other, of all that certificates, lists and responses say, nothing changes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sealtool.model import PadesLevel
from sealtool.verification import Trust, chain
from sealtool.verification.chain import Judge, Judgement, Material
from sealtool.verification.message import read_seal
from sealtool.verification.remembering import Precedents
from sealtool.verification.stretches import stretch_of, times_in
from tests.pki.authorities import SEALED_AT, YEAR, Pki, ocsp_response, revocation_list
from tests.pki.sealed_files import seal, small_pdf
from tests.pki.tampering import contents_gap

HOUR = timedelta(hours=1)


class _NoPrecedents(Precedents[Judgement]):
    def find(self, key: bytes) -> Judgement | None:
        del key


def _materials(hierarchy: Pki) -> dict[str, Material]:
    trust = Trust((hierarchy.root.der,))
    above, revoked = hierarchy.lists[0], {hierarchy.seals["rsa"].certificate.serial_number: SEALED_AT + 3 * HOUR}
    listing = revocation_list(hierarchy.issuing, revoked)
    response = ocsp_response(hierarchy.seals["rsa"], hierarchy.issuing)
    later = ocsp_response(hierarchy.seals["rsa"], hierarchy.issuing, revoked_at=SEALED_AT + 5 * HOUR)
    endless = ocsp_response(hierarchy.seals["rsa"], hierarchy.issuing, lifetime=None)
    issuing = (hierarchy.issuing.der,)
    return {
        "lists": Material(trust, issuing, hierarchy.lists),
        "a list with a revocation": Material(trust, issuing, (above, listing)),
        "a response": Material(trust, issuing, (above,), (response,)),
        "a response that names no end": Material(trust, issuing, (above,), (endless,)),
        "a response that tells of a revocation": Material(trust, issuing, (above,), (later,)),
        "nothing": Material(trust, issuing),
    }


def _data(material: Material, message: bytes) -> tuple[bytes, ...]:
    trusted = (*material.trust.anchors, *material.trust.certificates, *material.trust.revocation_lists)
    return (
        message,
        *trusted,
        *material.certificates,
        *material.revocation_lists,
        *material.ocsp_responses,
    )


def _named(encoded: bytes) -> list[datetime]:
    found = times_in(encoded)
    assert found is not None
    return [datetime.fromtimestamp(seconds, UTC) for seconds in found]


def _moments(times: set[datetime]) -> Iterator[datetime]:
    """Near to each time, just outside of what is near, and between it and the next."""
    ordered = sorted(times)
    for time, following in zip(ordered, [*ordered[1:], ordered[-1] + YEAR], strict=True):
        for seconds in (-11, -0.5, 0.5, 11):
            yield time + timedelta(seconds=seconds)
        yield time + (following - time) / 2


@pytest.mark.parametrize(
    ("kind", "proven"),
    [
        ("lists", True),
        pytest.param("lists", False, marks=pytest.mark.long),
        pytest.param("a list with a revocation", True, marks=pytest.mark.long),
        pytest.param("a response", True, marks=pytest.mark.long),
        pytest.param("a response that names no end", True, marks=pytest.mark.long),
        pytest.param("a response that tells of a revocation", True, marks=pytest.mark.long),
        ("a response that tells of a revocation", False),
        pytest.param("nothing", True, marks=pytest.mark.long),
    ],
)
def test_all_moments_of_a_stretch_are_judged_alike_by_the_library(
    monkeypatch: pytest.MonkeyPatch, hierarchy: Pki, kind: str, *, proven: bool
) -> None:
    monkeypatch.setattr(chain, "_PRECEDENTS", _NoPrecedents())
    content = seal(small_pdf(), PadesLevel.B_B, who="rsa")
    start, end = contents_gap(content)
    message = read_seal(bytes.fromhex(content[start + 1 : end - 1].decode()))
    signed = next(
        each["values"][0].native
        for each in message.signer_info["signed_attrs"]
        if each["type"].native == "message_digest"
    )
    material = _materials(hierarchy)[kind]
    data = _data(material, message.encoded)
    outcomes = defaultdict(set)
    judge = Judge(material)

    async def judge_all() -> None:
        times = {time for one in data for time in _named(one)}
        for moment in _moments(times):
            judgement = await judge.judge_seal(message, signed, moment, proven=proven)
            outcomes[stretch_of(moment, data)].add((moment, judgement))

    asyncio.run(judge_all())
    assert all(len({judgement for _, judgement in found}) == 1 for found in outcomes.values())
    assert any(len(found) > 2 for name, found in outcomes.items() if "/" in name)
    if kind != "nothing":
        assert len({judgement for found in outcomes.values() for _, judgement in found}) > 1


def test_a_stretch_is_named_after_the_times_around_it(hierarchy: Pki) -> None:
    listing = revocation_list(hierarchy.issuing, this_update=SEALED_AT, lifetime=2 * HOUR)
    before, _, within, *_ = _named(listing)
    assert stretch_of(SEALED_AT + HOUR, [listing]) == stretch_of(SEALED_AT + 1.5 * HOUR, [listing, b""])
    assert stretch_of(SEALED_AT + HOUR, [listing]) != stretch_of(SEALED_AT + 3 * HOUR, [listing])
    assert (before, within) == (SEALED_AT, SEALED_AT + 2 * HOUR)


@pytest.mark.parametrize("seconds", [-10, 0, 0.5, 10])
def test_a_moment_close_to_a_time_is_like_no_other(hierarchy: Pki, seconds: float) -> None:
    listing = revocation_list(hierarchy.issuing)
    time, *_ = _named(listing)
    moment = time + timedelta(seconds=seconds)
    assert stretch_of(moment, [listing]) == moment.isoformat()


@pytest.mark.parametrize(
    ("encoded", "times"),
    [
        (b"\x17\x0d491231235959Z", [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)]),
        (b"\x17\x0d500101000000Z", [datetime(1950, 1, 1, tzinfo=UTC)]),
        (b"\x18\x0f20260302090000Z0", [SEALED_AT]),  # what follows begins with a digit
        (b"\x18\x1120260302090000.5Z", [SEALED_AT]),
        (b"\x18\x0f20260302090000Z\x17\x0d260302090000Z", [SEALED_AT]),
        (b"\x17\x0f260302090000Z", []),  # it is shorter than it says
        (b"\x18\x3020260302090000." + b"0" * 32 + b"Z", [SEALED_AT]),
        (b"\x0c\x17123456789 Department of x", []),  # a name whose length looks like a tag
        (b"\x18\x82\xff\xff20260302090000Z", []),
        (b"", []),
    ],
)
def test_times_are_read_as_they_are_written(encoded: bytes, times: list[datetime]) -> None:
    assert set(_named(encoded)) == {time + later for time in times for later in (timedelta(), HOUR / 2)}


def test_a_long_list_is_read_as_a_short_one(hierarchy: Pki) -> None:
    revoked = {serial: SEALED_AT - YEAR + serial * HOUR for serial in range(1, 600)}
    long, short = (revocation_list(hierarchy.issuing, dict(list(revoked.items())[:many])) for many in (599, 3))
    assert len(long) > 16 * 1024 > len(short)
    assert set(_named(long)) > set(_named(short))
    assert {SEALED_AT - YEAR + serial * HOUR for serial in range(1, 600)} < set(_named(long))


def test_what_has_no_end_is_read_too() -> None:
    (time, _) = times_in(b"\x18\x0f99991231235959Z") or ()
    assert datetime.fromtimestamp(time, UTC) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "encoded",
    [
        b"\x17\x0b2603020900Z",  # without seconds
        b"\x17\x11260302090000+0100",
        b"\x18\x0e20260302090000",  # of what place?
        b"\x18\x0d260302090000Z",  # the year of one kind under the tag of the other
        b"\x17\x0f20260302090000Z",
        b"\x17\x81\x0d260302090000Z",  # its length is not in DER
        b"\x18\x82\x00\x0f20260302090000Z",
        b"\x18\x84\x00\x00\x00\x0f20260302090000Z",
        b"\x18\x81\xa020260302090000." + b"0" * 144 + b"Z",
        b"\x18\x1020260302090000Z\n",  # the library reads over an end of line
        b"\x38\x80\x18\x0820260302\x18\x07090000Z\0\0",  # in parts
        b"\x38\x80\x38\x80\x18\x00\x18\x81\x00\x18\x81\x0820260302\0\0\x18\x07090000Z\0\0",
        b"\x17\x0d261302090000Z",  # the thirteenth month
    ],
)
def test_where_a_time_is_written_unusually_each_moment_is_judged_by_itself(encoded: bytes) -> None:
    assert times_in(encoded) is None
    assert stretch_of(SEALED_AT, [encoded]) == SEALED_AT.isoformat()
