"""Time stamp authorities that are real, on loopback, and fail in every way: certomancer, over HTTP."""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from asn1crypto import tsp

from sealtool.errors import ExitCode, ServiceUnreachableError
from sealtool.model import PadesLevel, SealedPdf, UnsealedPdf
from sealtool.sealing import (
    Credentials,
    HttpTimeStampAuthority,
    Patience,
    RevocationSources,
    Sealer,
    SealingProfile,
    SealKey,
    load_pkcs12,
)
from sealtool.sealing.network import AnswerTooLongError, open_session
from sealtool.sealing.retrying import LONGEST_PAUSE
from tests.pki.services import PASSPHRASE, Answer, Fault, Question, Services, changed, first, garbage, status

FIRST, SECOND = "/ocsp-only/tsa/first", "/ocsp-only/tsa/second"
IN_FLIGHT = 16
LONG = 64 * 1024 * 1024
"""Bytes."""


class Pauses(list[float]):
    """Takes the place of sleeping: remembers how long it would have been."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)

    def patience(self, retries: int = 2, *, random: float = 0.5) -> Patience:
        return Patience(retries, backoff_seconds=1.0, sleep=self.sleep, random=lambda: random)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture(scope="module")
def key(running_services: Services) -> SealKey:
    return load_pkcs12(running_services.pkcs12("seal"), PASSPHRASE)


@pytest.fixture
def make_sealer(services: Services, key: SealKey, pauses: Pauses, now: datetime) -> Callable[..., Sealer]:
    def make(
        *names: str, level: PadesLevel = PadesLevel.B_T, patience: Patience | None = None, **authority: Any
    ) -> Sealer:
        return Sealer(
            key,
            SealingProfile(level),
            time_stamps=[
                HttpTimeStampAuthority(
                    name if name.startswith("http") else services.time_stamp_url(name),
                    timeout_seconds=authority.pop("timeout", 5.0),
                    patience=patience or pauses.patience(),
                    **authority,
                )
                for name in names
            ],
            trust_anchors=[services.certificate("root")],
            revocation=RevocationSources(allow_fetching=True),
            clock=lambda: now,
        )

    return make


Make = Callable[..., Sealer]


def seal(sealer: Sealer, pdf: UnsealedPdf, documents: int = 1) -> list[SealedPdf]:
    async def all_of_them() -> list[SealedPdf]:
        async with sealer:
            return [await sealer.seal(pdf) for _ in range(documents)]

    return asyncio.run(all_of_them())


async def prepared(sealer: Sealer) -> None:
    async with sealer:
        await sealer.prepare()


def unreachable(sealer: Sealer, pdf: UnsealedPdf) -> str:
    with pytest.raises(ServiceUnreachableError) as caught:
        seal(sealer, pdf)
    assert caught.value.exit_code is ExitCode.SERVICE_UNREACHABLE
    assert caught.value.advice
    return caught.value.message


def refusal(failure: str) -> Fault:
    """RFC 3161, 2.4.2."""
    said = tsp.PKIStatusInfo({"status": "rejection", "status_string": ["not now"], "fail_info": {failure}}).dump()
    return lambda _: Answer(200, bytes((0x30, len(said))) + said, "application/timestamp-reply")


def asked_differently(change: Callable[[tsp.TimeStampReq], None]) -> Fault:
    """An honest time stamp of another request."""

    def answer(question: Question) -> Answer:
        request = tsp.TimeStampReq.load(question.content)
        change(request)
        return question.honest(request.dump(force=True))

    return answer


def wrong_nonce(request: tsp.TimeStampReq) -> None:
    request["nonce"] = 7


def wrong_imprint(request: tsp.TimeStampReq) -> None:
    request["message_imprint"]["hashed_message"] = bytes(32)


def broken_signature(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def redirected(path: str) -> Fault:
    return lambda question: question.honest(path=path)


LASTING = {
    "refusal": refusal("bad_alg"),
    "wrong nonce": asked_differently(wrong_nonce),
    "wrong imprint": asked_differently(wrong_imprint),
    "broken signature": changed(broken_signature),
    "expired certificate": redirected("/ocsp-only/tsa/expired"),
    "revoked certificate": redirected("/ocsp-only/tsa/revoked"),
    "garbage": garbage,
    "web page": lambda _: Answer(200, b"<html>welcome</html>"),
    "HTTP 401": status(401),
    "HTTP 404": status(404),
    "Retry-After beyond patience": status(503, Retry_After="31"),
    "Retry-After tomorrow": status(
        429, Retry_After=format_datetime(datetime(2025, 11, 4, 12, 0, tzinfo=UTC), usegmt=True)
    ),
    "endless": lambda _: Answer(200, bytes(2 * 1024 * 1024), "application/timestamp-reply"),
}
PASSING = {
    "HTTP 500": status(500),
    "HTTP 503": status(503),
    "HTTP 429": status(429),
    "timeNotAvailable": refusal("time_not_available"),
    "systemFailure": refusal("system_failure"),
}


def with_and_without_archive(fault: str) -> list[object]:
    """A fault with a seal's time stamp alone, and with those that archive the file behind it."""
    archived = () if fault in {"refusal", "HTTP 404"} else (pytest.mark.long,)
    return [pytest.param(fault, PadesLevel.B_T), pytest.param(fault, PadesLevel.B_LTA, marks=archived)]


@pytest.mark.parametrize(("fault", "level"), [case for fault in LASTING for case in with_and_without_archive(fault)])
def test_what_cannot_pass_is_not_asked_again_and_the_next_authority_stamps_at_once(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf, fault: str, *, level: PadesLevel
) -> None:
    services.faults[FIRST] = LASTING[fault]

    (document,) = seal(make_sealer("first", "second", level=level), pdf)

    assert services.requests[FIRST] == 1
    assert pauses == []
    name = b"Second test time stamp authority"
    assert name.hex().encode() in document.content.lower()  # tokens stand in hexadecimal
    assert (name in document.content) is (level is PadesLevel.B_LTA)  # and so that they can be archived, beside


@pytest.mark.parametrize("fault", LASTING)
def test_what_cannot_pass_seals_nothing_without_another_authority(
    services: Services, make_sealer: Make, pdf: UnsealedPdf, fault: str
) -> None:
    services.faults[FIRST] = LASTING[fault]

    assert services.time_stamp_url("first") in unreachable(make_sealer("first"), pdf)


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_asked_again(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf, fault: str
) -> None:
    services.faults[FIRST] = first(PASSING[fault], times=2)

    seal(make_sealer("first"), pdf)

    # one token to know the authority by, on the third try, and one of the seal
    assert services.requests[FIRST] == 4
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "fault",
    [one if one in {"HTTP 503", "systemFailure"} else pytest.param(one, marks=pytest.mark.long) for one in PASSING],
)
def test_what_does_not_pass_after_all_retries_goes_to_the_next_authority(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf, fault: str
) -> None:
    services.faults[FIRST] = PASSING[fault]

    seal(make_sealer("first", "second"), pdf, documents=2)

    assert services.requests[FIRST] == 3
    assert len(pauses) == 2


def test_slow_authority_is_given_up_after_its_retries(services: Services, make_sealer: Make, pdf: UnsealedPdf) -> None:
    services.faults[FIRST] = services.silence

    assert "did not answer in time" in unreachable(make_sealer("first", timeout=0.1), pdf)
    assert services.requests[FIRST] == 3


def test_authority_that_is_down_is_given_up_after_its_retries(
    make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf, free_port_url: str
) -> None:
    assert free_port_url in unreachable(make_sealer(free_port_url), pdf)
    assert len(pauses) == 2


def test_second_authority_stamps_while_the_first_is_down(
    services: Services, make_sealer: Make, pdf: UnsealedPdf, free_port_url: str
) -> None:
    assert len(seal(make_sealer(free_port_url, "second", level=PadesLevel.B_LTA), pdf, documents=2)) == 2
    assert services.requests[SECOND] == 1 + 2 * 2


def test_all_down_seals_nothing_and_names_each(
    services: Services, make_sealer: Make, pdf: UnsealedPdf, free_port_url: str
) -> None:
    services.faults[SECOND] = status(503)

    message = unreachable(make_sealer(free_port_url, "second"), pdf)

    assert free_port_url in message
    assert services.time_stamp_url("second") in message


def test_pauses_grow_and_differ_from_machine_to_machine(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf
) -> None:
    services.faults[FIRST] = status(503)

    for random in (0.0, 0.5, 1.0):
        unreachable(make_sealer("first", patience=pauses.patience(3, random=random)), pdf)

    assert pauses == [0.5, 1.0, 2.0, 1.0, 2.0, 4.0, 1.5, 3.0, 6.0]


@pytest.mark.parametrize(("asked_for", "waited"), [("7", 7.0), ("30", 30.0), ("0", 1.0), ("soon", 1.0)])
def test_authority_is_asked_again_when_it_says(
    services: Services, make_sealer: Make, pauses: Pauses, asked_for: str, waited: float
) -> None:
    services.faults[FIRST] = first(status(503, Retry_After=asked_for))

    asyncio.run(prepared(make_sealer("first")))

    assert pauses == [waited]


def test_authority_may_say_when_by_a_date(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf, now: datetime
) -> None:
    later = format_datetime(now + timedelta(seconds=9), usegmt=True)
    services.faults[FIRST] = first(status(429, Retry_After=later))

    seal(make_sealer("first"), pdf)

    assert pauses == [9.0]


def test_no_pause_is_longer_than_half_a_minute(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf
) -> None:
    services.faults[FIRST] = status(503)

    unreachable(make_sealer("first", patience=pauses.patience(8)), pdf)

    assert max(pauses) == LONGEST_PAUSE


# --- many in flight -------------------------------------------------------------------------------


def in_flight(sealer: Sealer, pdf: UnsealedPdf) -> list[SealedPdf | BaseException]:
    async def all_at_once() -> list[SealedPdf | BaseException]:
        async with sealer:
            await sealer.prepare()
            return await asyncio.gather(*(sealer.seal(pdf) for _ in range(IN_FLIGHT)), return_exceptions=True)

    return asyncio.run(all_at_once())


def test_a_slow_authority_is_asked_for_all_seals_in_flight_at_once(
    services: Services, make_sealer: Make, pdf: UnsealedPdf
) -> None:
    together = threading.Barrier(IN_FLIGHT)  # answers nobody before all have asked

    def slow(question: Question) -> Answer:
        if services.requests[FIRST] > 1:
            together.wait(timeout=20)
        return question.honest()

    services.faults[FIRST] = slow

    documents = in_flight(make_sealer("first", timeout=30.0), pdf)

    assert all(isinstance(document, SealedPdf) for document in documents)
    assert services.requests[FIRST] == 1 + IN_FLIGHT


def dead_from_the_second_request_on(services: Services) -> Fault:
    return lambda question: question.honest() if services.requests[FIRST] == 1 else Answer(503, b"")


def test_an_authority_that_dies_is_retried_by_one_for_all_and_the_next_one_takes_over(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf
) -> None:
    services.faults[FIRST] = dead_from_the_second_request_on(services)

    documents = in_flight(make_sealer("first", "second"), pdf)

    assert all(isinstance(document, SealedPdf) for document in documents)
    assert len(pauses) == 2
    assert services.requests[FIRST] <= 1 + IN_FLIGHT + 2
    assert services.requests[SECOND] == 1 + IN_FLIGHT


def test_the_only_authority_that_dies_is_asked_anew_by_one_for_all(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf
) -> None:
    services.faults[FIRST] = dead_from_the_second_request_on(services)

    failures = in_flight(make_sealer("first"), pdf)

    assert all(isinstance(failure, ServiceUnreachableError) for failure in failures)
    # the retries of the one that stamped, then those of one more gathering
    assert len(pauses) == 2 + 2
    assert services.requests[FIRST] <= 1 + IN_FLIGHT + 2 + 3


def test_a_hiccup_in_the_middle_costs_one_pause_for_all(
    services: Services, make_sealer: Make, pauses: Pauses, pdf: UnsealedPdf
) -> None:
    together = threading.Barrier(IN_FLIGHT)  # answers nobody before all have asked
    asked = itertools.count()

    def hiccup(question: Question) -> Answer:
        if not 0 < next(asked) <= IN_FLIGHT:
            return question.honest()
        together.wait(timeout=10)
        return Answer(503, b"")

    services.faults[FIRST] = hiccup

    documents = in_flight(make_sealer("first"), pdf)

    assert all(isinstance(document, SealedPdf) for document in documents)
    assert len(pauses) == 1


# --- who asks -------------------------------------------------------------------------------------

SECRET = "hush-hush"


def demanding(expected: str) -> Fault:
    def answer(question: Question) -> Answer:
        known = question.headers.get("Authorization") == expected
        return question.honest() if known else Answer(401, b"")

    return answer


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials(SECRET.encode(), "office"), f"Basic {base64.b64encode(f'office:{SECRET}'.encode()).decode()}"),
        (Credentials(SECRET.encode()), f"Bearer {SECRET}"),
    ],
)
def test_authority_is_told_who_asks(
    services: Services, make_sealer: Make, pdf: UnsealedPdf, credentials: Credentials, header: str
) -> None:
    services.faults[FIRST] = demanding(header)

    assert seal(make_sealer("first", credentials=credentials), pdf)


def test_wrong_credentials_show_nowhere(
    services: Services, make_sealer: Make, pdf: UnsealedPdf, caplog: pytest.LogCaptureFixture
) -> None:
    services.faults[FIRST] = demanding("Bearer of something else")
    credentials = Credentials(SECRET.encode(), "office")

    with caplog.at_level(logging.DEBUG):
        message = unreachable(make_sealer("first", credentials=credentials), pdf)

    assert "401" in message
    encoded = base64.b64encode(f"office:{SECRET}".encode()).decode()
    for shown in (message, repr(credentials), caplog.text):
        assert SECRET not in shown
        assert encoded not in shown


# --- the length of answers ------------------------------------------------------------------------


def test_long_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\n\r\n")
        try:
            while sent < LONG:
                writer.write(bytes(64 * 1024))
                sent += 64 * 1024
                await writer.drain()
        except OSError:
            pass  # nobody reads on, as it should be
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(pour, "127.0.0.1", 0)
        address = "http://{}:{}/".format(*server.sockets[0].getsockname())
        async with server, open_session(longest_answer=100_000) as session, session.get(address) as response:
            await response.read()

    with pytest.raises(AnswerTooLongError):
        asyncio.run(ask())
    assert sent < LONG
