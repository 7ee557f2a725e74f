"""Time stamp authorities and CRL servers on loopback, in every mood."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from asn1crypto import tsp

from sealtool.errors import ExitCode, SealKeyError, SealtoolError, ServiceUnreachableError
from sealtool.model import PadesLevel, SealedPdf, UnsealedPdf
from sealtool.sealing import (
    HttpTimeStampAuthority,
    LocalTimeStampAuthority,
    RevocationSources,
    Sealer,
    SealingProfile,
)
from sealtool.sealing.retrying import ONE_TRY
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampAuthority

STAMPED = (PadesLevel.B_T, PadesLevel.B_LT, PadesLevel.B_LTA)
SHORT = 0.25


def asked_once(url: str) -> HttpTimeStampAuthority:
    """Retries have tests of their own."""
    return HttpTimeStampAuthority(url, timeout_seconds=SHORT, patience=ONE_TRY)


async def seal_with(
    pki: Any,
    pdf: UnsealedPdf,
    now: datetime,
    *authorities: TimeStampAuthority,
    level: PadesLevel = PadesLevel.B_T,
    documents: int = 1,
) -> list[SealedPdf]:
    async with Sealer(
        pki.seal,
        SealingProfile(level),
        time_stamps=authorities,
        trust_anchors=pki.anchors,
        revocation=pki.revocation,
        clock=lambda: now,
    ) as sealer:
        return [await sealer.seal(pdf) for _ in range(documents)]


def unreachable(pki: Any, pdf: UnsealedPdf, now: datetime, url: str, level: PadesLevel = PadesLevel.B_T) -> str:
    with pytest.raises(ServiceUnreachableError) as caught:
        asyncio.run(seal_with(pki, pdf, now, asked_once(url), level=level))
    assert caught.value.exit_code is ExitCode.SERVICE_UNREACHABLE
    assert url in caught.value.message
    assert caught.value.advice
    return caught.value.message


@pytest.mark.parametrize("level", STAMPED)
def test_authority_over_http_stamps(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, level: PadesLevel) -> None:
    service.answer = service.honest

    documents = asyncio.run(seal_with(pki, pdf, now, HttpTimeStampAuthority(service.url), level=level, documents=2))

    assert len(documents) == 2
    # one token to know the authority by, then one a seal, and at B-LTA one a document more
    assert service.requests == 1 + 2 * (2 if level is PadesLevel.B_LTA else 1)


def test_authority_is_asked_through_the_proxy_of_the_environment(
    pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("http_proxy", service.url)
    service.answer = service.honest

    asyncio.run(seal_with(pki, pdf, now, asked_once("http://authority.invalid/")))

    assert service.requests == 2
    monkeypatch.setenv("no_proxy", "authority.invalid")
    unreachable(pki, pdf, now, "http://authority.invalid/")
    assert service.requests == 2


def test_authority_where_nobody_listens(pki: Any, pdf: UnsealedPdf, now: datetime, free_port_url: str) -> None:
    unreachable(pki, pdf, now, free_port_url)


@pytest.mark.parametrize("level", STAMPED)
def test_authority_that_fails(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, level: PadesLevel) -> None:
    assert "HTTP status 500" in unreachable(pki, pdf, now, service.url, level)


def test_authority_that_never_answers(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    service.answer = service.silence

    assert "in time" in unreachable(pki, pdf, now, service.url)


@pytest.mark.parametrize(
    "garbage", [b"", b"garbage", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x30\x05\x30\x03\x02\x01\x00"]
)
def test_authority_that_answers_garbage(
    pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, garbage: bytes
) -> None:
    service.answer = lambda _: (200, garbage)

    unreachable(pki, pdf, now, service.url)


def test_authority_that_answers_a_web_page(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    service.answer, service.content_type = (lambda _: (200, b"<html>")), "text/html"

    unreachable(pki, pdf, now, service.url)


def test_authority_that_refuses(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    status = tsp.PKIStatusInfo({"status": "rejection", "status_string": ["no contract"]}).dump()
    refusal = bytes((0x30, len(status))) + status
    service.answer = lambda _: (200, refusal)

    assert "no contract" in unreachable(pki, pdf, now, service.url)


@pytest.mark.parametrize("field", ["message_imprint", "nonce"])
def test_authority_that_stamps_something_else(
    pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, field: str
) -> None:
    def dishonest(request: bytes) -> tuple[int, bytes]:
        asked = tsp.TimeStampReq.load(request)
        if field == "nonce":
            asked["nonce"] = 7
        else:
            asked["message_imprint"]["hashed_message"] = bytes(32)
        return service.honest(asked.dump(force=True))

    service.answer = dishonest

    unreachable(pki, pdf, now, service.url)


def test_authority_that_stamps_with_another_digest(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    def dishonest(request: bytes) -> tuple[int, bytes]:
        asked = tsp.TimeStampReq.load(request)
        asked["message_imprint"]["hash_algorithm"] = {"algorithm": "sha512"}
        return service.honest(asked.dump(force=True))

    service.answer = dishonest

    assert "digest algorithm" in unreachable(pki, pdf, now, service.url)


def test_authority_whose_signature_is_broken(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    def dishonest(request: bytes) -> tuple[int, bytes]:
        status, content = service.honest(request)
        return status, content[:-1] + bytes([content[-1] ^ 1])

    service.answer = dishonest

    assert "signature" in unreachable(pki, pdf, now, service.url)


@pytest.mark.parametrize(("ahead", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_authority_whose_clock_is_more_than_five_minutes_off(
    pki: Any, pdf: UnsealedPdf, now: datetime, ahead: int, accepted: bool
) -> None:
    authority = LocalTimeStampAuthority(pki.authority._key, clock=lambda: now + timedelta(seconds=ahead))

    if accepted:
        asyncio.run(seal_with(pki, pdf, now, authority))
    else:
        with pytest.raises(ServiceUnreachableError, match="clock"):
            asyncio.run(seal_with(pki, pdf, now, authority))


@pytest.mark.parametrize("level", STAMPED)
def test_authority_of_an_unknown_root_is_refused(
    pki: Any, odd: Any, pdf: UnsealedPdf, now: datetime, level: PadesLevel
) -> None:
    stranger = LocalTimeStampAuthority(odd.seal(), clock=lambda: now)

    with pytest.raises(ServiceUnreachableError, match="trust anchors"):
        asyncio.run(seal_with(pki, pdf, now, stranger, level=level))


def test_certificate_that_is_not_for_time_stamps_does_not_stamp(pki: Any, pdf: UnsealedPdf, now: datetime) -> None:
    impostor = LocalTimeStampAuthority(pki.seal, clock=lambda: now)

    with pytest.raises(ServiceUnreachableError, match="cannot be validated"):
        asyncio.run(seal_with(pki, pdf, now, impostor))


@pytest.mark.parametrize("level", STAMPED)
def test_next_authority_stamps_when_the_first_is_down(
    pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, level: PadesLevel
) -> None:
    down = asked_once(service.url)

    documents = asyncio.run(seal_with(pki, pdf, now, down, pki.authority, level=level, documents=3))

    assert len(documents) == 3
    assert service.requests == 1


@pytest.mark.parametrize("level", STAMPED)
def test_next_authority_stamps_when_the_first_dies_in_the_middle(
    pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, level: PadesLevel
) -> None:
    service.answer = lambda request: service.honest(request) if service.requests <= 2 else (503, b"")
    dying = asked_once(service.url)

    documents = asyncio.run(seal_with(pki, pdf, now, dying, pki.authority, level=level, documents=3))

    assert len(documents) == 3


def test_one_hiccup_of_the_only_authority_is_forgiven(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    service.answer = lambda request: (503, b"") if service.requests == 2 else service.honest(request)

    assert asyncio.run(seal_with(pki, pdf, now, asked_once(service.url)))


def test_all_authorities_down_names_each(
    pki: Any, pdf: UnsealedPdf, now: datetime, service: Any, free_port_url: str
) -> None:
    authorities = [asked_once(url) for url in (service.url, free_port_url)]

    with pytest.raises(ServiceUnreachableError) as caught:
        asyncio.run(seal_with(pki, pdf, now, *authorities))

    assert service.url in caught.value.message
    assert free_port_url in caught.value.message


def test_b_b_does_not_ask_for_time_stamps(pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    asyncio.run(seal_with(pki, pdf, now, HttpTimeStampAuthority(service.url), level=PadesLevel.B_B))

    assert service.requests == 0


def test_authority_that_changes_its_certificate_does_not_get_into_b_lt(
    pki: Any, odd: Any, pdf: UnsealedPdf, now: datetime
) -> None:
    other = LocalTimeStampAuthority(odd.seal(), clock=lambda: now)

    class Changing(TimeStampAuthority):
        name = "changing"
        answers = 0

        def stamper(self, clock: Any) -> CheckedTimeStamper:
            return CheckedTimeStamper("changing", self.answer, clock)

        async def answer(self, request: tsp.TimeStampReq) -> tsp.TimeStampResp:
            self.answers += 1
            return await (pki.authority if self.answers % 2 else other)._answer(request)

        async def aclose(self) -> None:
            pass

    with pytest.raises(ServiceUnreachableError, match="changing certificates"):
        asyncio.run(seal_with(pki, pdf, now, Changing(), level=PadesLevel.B_LT))


async def seal_fetching(odd: Any, pki: Any, key: Any, pdf: UnsealedPdf, now: datetime) -> SealedPdf:
    async with Sealer(
        key,
        SealingProfile(PadesLevel.B_LT),
        time_stamps=[pki.authority],
        trust_anchors=[odd.root.certificate, *pki.anchors],
        revocation=RevocationSources(pki.revocation.crl_files, allow_fetching=True, timeout_seconds=SHORT),
        clock=lambda: now,
    ) as sealer:
        return await sealer.seal(pdf)


def test_crl_is_fetched_where_that_is_allowed(
    odd: Any, pki: Any, pdf: UnsealedPdf, now: datetime, service: Any
) -> None:
    key = odd.seal(crl_address=f"{service.url}root.crl")
    service.answer, service.content_type = (lambda _: (200, odd.crl())), "application/pkix-crl"

    assert asyncio.run(seal_fetching(odd, pki, key, pdf, now)).pages == 2
    assert service.requests == 1


def test_seal_on_a_fetched_crl_is_refused(odd: Any, pki: Any, pdf: UnsealedPdf, now: datetime, service: Any) -> None:
    key = odd.seal(crl_address=f"{service.url}root.crl")
    service.answer = lambda _: (200, odd.crl(key))

    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(seal_fetching(odd, pki, key, pdf, now))


def test_seal_on_a_fetched_crl_is_refused_from_whatever_day_on(
    odd: Any, pki: Any, pdf: UnsealedPdf, now: datetime, service: Any
) -> None:
    key = odd.seal(crl_address=f"{service.url}root.crl")
    service.answer = lambda _: (200, odd.crl(key, on=now + timedelta(hours=1)))

    with pytest.raises(SealKeyError, match="revoked"):
        asyncio.run(seal_fetching(odd, pki, key, pdf, now))


@pytest.mark.parametrize("mood", ["fails", "silent", "garbage"])
def test_crl_that_cannot_be_fetched_is_an_error_and_no_downgrade(
    odd: Any, pki: Any, pdf: UnsealedPdf, service: Any, mood: str
) -> None:
    key = odd.seal(crl_address=f"{service.url}root.crl")
    service.answer = {
        "fails": lambda _: (500, b""),
        "silent": service.silence,
        "garbage": lambda _: (200, b"garbage"),
    }[mood]

    with pytest.raises(SealtoolError) as caught:
        asyncio.run(seal_fetching(odd, pki, key, pdf, pki.now))

    assert isinstance(caught.value, ServiceUnreachableError)
