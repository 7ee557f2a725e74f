"""Requests have the bytes of the library's, and who knows the parts of answers judges as who knows none."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from asn1crypto import cms, core, tsp
from pyhanko.sign.timestamps import TimeStamper

from sealtool.sealing import LocalTimeStampAuthority, time_stamps
from sealtool.sealing.der import SEQUENCE, element
from sealtool.sealing.stamp_moulds import AnswerMould
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampError
from tests.unit.sealing.conftest import Pki

NONCE = 0x0102030405060708

Change = Callable[[tsp.TimeStampReq], tsp.TimeStampReq]


@dataclass
class Judges:
    """What a client makes of an answer that knows others of the same authority, and one that knows none."""

    pki: Pki
    now: datetime
    experienced: CheckedTimeStamper = field(init=False)

    def __post_init__(self) -> None:
        self.experienced = self.new()
        assert isinstance(self.opinion(self.experienced, self.answer("first"), "first"), bytes)

    def new(self) -> CheckedTimeStamper:
        async def nobody(_: tsp.TimeStampReq) -> tsp.TimeStampResp:
            raise AssertionError("is not asked")

        return CheckedTimeStamper("an authority", nobody, lambda: self.now)

    def answer(self, content: str, change: Change = lambda request: request, **authority: Any) -> bytes:
        """What the authority says to a request, or to another one."""
        imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest_of(content)}
        fields = {"version": "v1", "message_imprint": imprint, "nonce": NONCE, "cert_req": True}
        by = LocalTimeStampAuthority(self.pki.authority._key, clock=authority.get("clock", lambda: self.now))
        return bytes(asyncio.run(by._answer(change(tsp.TimeStampReq(fields)))).dump())

    def opinions(self, answer: bytes, content: str) -> tuple[bytes | str, bytes | str]:
        """The token in the answer, or why there is none: by who knows others, and by who knows none."""
        return self.opinion(self.experienced, answer, content), self.opinion(self.new(), answer, content)

    def opinion(self, stamper: CheckedTimeStamper, answer: bytes, content: str) -> bytes | str:
        async def transport(_: tsp.TimeStampReq) -> tsp.TimeStampResp:
            return tsp.TimeStampResp.load(answer)

        stamper._transport = transport
        try:
            return bytes(asyncio.run(stamper.async_timestamp(digest_of(content), "sha256")).dump())
        except TimeStampError as error:
            return error.message


@pytest.fixture
def judges(pki: Pki, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Judges:
    monkeypatch.setattr(time_stamps, "get_nonce", lambda: NONCE)
    return Judges(pki, now)


@pytest.fixture
def by_library(judges: Judges, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The answers that went the library's way, of clients that are experienced by then."""
    assert judges.experienced._sound is not None
    noted: list[str] = []
    original = time_stamps.handle_tsp_response

    def noting(*arguments: Any) -> Any:
        noted.append("an answer")
        return original(*arguments)

    monkeypatch.setattr(time_stamps, "handle_tsp_response", noting)
    return noted


def digest_of(content: str) -> bytes:
    return hashlib.sha256(content.encode()).digest()


# --- requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_each_request_has_the_bytes_of_the_library(pki: Pki, now: datetime, algorithm: str) -> None:
    sent: list[bytes] = []

    async def transport(request: tsp.TimeStampReq) -> tsp.TimeStampResp:
        sent.append(request.dump())
        return await pki.authority._answer(request)

    stamper = CheckedTimeStamper("an authority", transport, lambda: now)
    digests = [hashlib.new(algorithm, bytes([number])).digest() for number in range(3)]
    for digest in digests:
        asyncio.run(stamper.async_timestamp(digest, algorithm))

    nonces = []
    for digest, request in zip(digests, sent, strict=True):
        nonces.append(tsp.TimeStampReq.load(request, strict=True)["nonce"].native)
        _, library_s = TimeStamper.request_cms(stamper, digest, algorithm)  # type: ignore[no-untyped-call]
        library_s["nonce"] = nonces[-1]
        assert request == library_s.dump()
    assert len(set(nonces)) == 3


# --- answers --------------------------------------------------------------------------------------------------


def test_the_library_judges_the_first_answer_only(judges: Judges, by_library: list[str]) -> None:
    for content in ("second", "third"):
        answer = judges.answer(content)
        assert (
            judges.opinion(judges.experienced, answer, content)
            == tsp.TimeStampResp.load(answer)["time_stamp_token"].dump()
        )
    assert by_library == []


@pytest.mark.parametrize("bit", [0, pytest.param(5, marks=pytest.mark.long)])
def test_who_knows_answers_of_an_authority_judges_each_changed_byte_as_who_knows_none(judges: Judges, bit: int) -> None:
    answer = judges.answer("second")
    token = tsp.TimeStampResp.load(answer)["time_stamp_token"].dump()

    assert judges.opinions(answer, "second") == (token, token)
    outcomes = []
    for at in range(bit, len(answer), 13):
        changed = answer[:at] + bytes([answer[at] ^ 1 << bit]) + answer[at + 1 :]
        outcomes.append(judges.opinions(changed, "second"))
    assert [one for one, _ in outcomes] == [other for _, other in outcomes]
    refusals = [one for one, _ in outcomes if isinstance(one, str)]
    assert len(refusals) > 0.4 * len(outcomes)  # the others are in what nothing in a token signs


def test_who_knows_answers_of_an_authority_judges_each_cut_as_who_knows_none(judges: Judges) -> None:
    answer = judges.answer("second")
    for length in range(0, len(answer), 31):
        experienced, new = judges.opinions(answer[:length], "second")
        assert experienced == new
        assert isinstance(new, str)


@pytest.mark.parametrize("part", ["signature", "signed_attrs", "encap_content_info"])
def test_a_token_with_a_part_of_another_is_refused_by_who_knows_both(judges: Judges, part: str) -> None:
    answers = [judges.answer(content) for content in ("second", "third")]
    assert all(
        isinstance(judges.opinion(judges.experienced, answers[at], ("second", "third")[at]), bytes) for at in (0, 1)
    )
    into, out_of = (tsp.TimeStampResp.load(answer) for answer in answers)
    into_data, out_of_data = (each["time_stamp_token"]["content"] for each in (into, out_of))
    if part == "encap_content_info":
        into_data[part] = out_of_data[part]
    else:
        into_data["signer_infos"][0][part] = out_of_data["signer_infos"][0][part]

    experienced, new = judges.opinions(into.dump(), "second")
    assert experienced == new
    assert isinstance(new, str)


def other_imprint(request: tsp.TimeStampReq) -> tsp.TimeStampReq:
    request["message_imprint"]["hashed_message"] = digest_of("something else")
    return request


def other_algorithm(request: tsp.TimeStampReq) -> tsp.TimeStampReq:
    request["message_imprint"]["hash_algorithm"] = {"algorithm": "sha512"}
    return request


def other_nonce(request: tsp.TimeStampReq) -> tsp.TimeStampReq:
    request["nonce"] = NONCE + 1
    return request


def no_nonce(request: tsp.TimeStampReq) -> tsp.TimeStampReq:
    del request["nonce"]
    return request


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_imprint, "stamped something else"),
        (other_algorithm, "another digest algorithm"),
        (other_nonce, "not a time stamp"),
        (no_nonce, "not a time stamp"),
    ],
)
def test_a_well_signed_answer_to_another_request_is_refused_by_both(
    judges: Judges, change: Change, words: str, by_library: list[str]
) -> None:
    experienced, new = judges.opinions(judges.answer("second", change), "second")
    assert experienced == new
    assert isinstance(new, str)
    assert words in new
    assert len(by_library) == 2


@pytest.mark.parametrize(("ahead", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_clock_is_held_against_ours_by_both(judges: Judges, ahead: int, accepted: bool) -> None:
    answer = judges.answer("second", clock=lambda: judges.now + timedelta(seconds=ahead))
    experienced, new = judges.opinions(answer, "second")
    assert experienced == new
    assert isinstance(new, bytes) is accepted


def status_of(**fields: Any) -> bytes:
    return bytes(tsp.PKIStatusInfo(fields).dump())


@pytest.mark.parametrize(
    ("status", "accepted"),
    [
        (status_of(status="granted", status_string=["as you like"]), True),
        (status_of(status="granted_with_mods"), False),
        (status_of(status="rejection"), False),
        (status_of(status="waiting", fail_info={"system_failure"}), False),
        (b"\x30\x00", False),
        (b"", False),
    ],
)
def test_another_status_is_judged_alike_by_both(judges: Judges, status: bytes, accepted: bool) -> None:
    token = tsp.TimeStampResp.load(judges.answer("second"))["time_stamp_token"].dump()
    experienced, new = judges.opinions(element(SEQUENCE, status, token), "second")
    assert experienced == new
    assert isinstance(new, bytes) is accepted


@pytest.mark.parametrize(
    "form", ["longer length", "bytes behind", pytest.param("indefinite length", marks=pytest.mark.long), "more inside"]
)
def test_another_encoding_is_judged_alike_by_both(judges: Judges, form: str) -> None:
    answer = judges.answer("second")
    content = answer[4:]
    assert answer[:2] == b"\x30\x82"
    changed = {
        "longer length": b"\x30\x83" + len(content).to_bytes(3) + content,
        "bytes behind": answer + b"\x05\x00",
        "indefinite length": b"\x30\x80" + content + b"\x00\x00",
        "more inside": element(SEQUENCE, content, b"\x05\x00"),
    }[form]
    experienced, new = judges.opinions(changed, "second")
    assert experienced == new


def test_a_token_with_something_unsigned_beside_is_judged_alike_by_both(judges: Judges, by_library: list[str]) -> None:
    answer = tsp.TimeStampResp.load(judges.answer("second"))
    answer["time_stamp_token"]["content"]["signer_infos"][0]["unsigned_attrs"] = [{"type": "1.2.3.4", "values": []}]
    experienced, new = judges.opinions(answer.dump(), "second")
    assert experienced == new
    assert isinstance(new, bytes)
    assert len(by_library) == 2


def test_no_mould_is_taken_of_an_answer_that_could_not_be_put_together_again(judges: Judges) -> None:
    answer = tsp.TimeStampResp.load(judges.answer("second"))
    certificate = judges.experienced.certificate
    assert AnswerMould.of(answer, certificate) is not None
    token = cms.ContentInfo.load(answer["time_stamp_token"].dump())
    unusual = element(SEQUENCE, answer["status"].dump(), token.dump(), core.Null().dump())
    assert AnswerMould.of(tsp.TimeStampResp.load(unusual), certificate) is None
    token["content"]["signer_infos"][0]["unsigned_attrs"] = [{"type": "1.2.3.4", "values": []}]
    unusual = element(SEQUENCE, answer["status"].dump(), token.dump())
    assert AnswerMould.of(tsp.TimeStampResp.load(unusual), certificate) is None
