"""The tokens that the demonstration authority puts together are those that the library builds."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.signers.pdf_cms import Signer

from sealtool.sealing import LocalTimeStampAuthority
from sealtool.sealing.keys import as_asn1
from sealtool.sealing.local_authority import POLICY
from tests.unit.sealing.conftest import NOW, Pki


def request(content: bytes, algorithm: str, nonce: int | None) -> tsp.TimeStampReq:
    imprint = {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": hashlib.new(algorithm, content).digest()}
    nonces = {} if nonce is None else {"nonce": nonce}
    return tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True, **nonces})


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that the library built."""
    built: list[str] = []
    original = Signer.async_sign_general_data

    async def noting(self: Signer, *arguments: object, **named: object) -> object:
        built.append("a token")
        return await original(self, *arguments, **named)

    monkeypatch.setattr(Signer, "async_sign_general_data", noting)
    return built


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("nonce", [None, 1, 2**63])
def test_a_later_token_has_the_bytes_of_the_library(
    pki: Pki, built: list[str], algorithm: str, nonce: int | None
) -> None:
    used, new = (
        LocalTimeStampAuthority(pki.authority._key, clock=lambda: NOW, serial_numbers=lambda: 7) for _ in range(2)
    )
    asyncio.run(used._answer(request(b"first", algorithm, 5)))
    second = asyncio.run(used._answer(request(b"second", algorithm, nonce)))
    assert len(built) == 1
    assert second.dump() == asyncio.run(new._answer(request(b"second", algorithm, nonce))).dump()
    assert len(built) == 2


@pytest.mark.parametrize("nonce", [None, 1, 2**63])
@pytest.mark.parametrize("serial_number", [1, 128, 2**63 - 1])
def test_an_answer_says_of_the_stamp_what_the_library_would_write(
    pki: Pki, nonce: int | None, serial_number: int
) -> None:
    authority = LocalTimeStampAuthority(pki.authority._key, clock=lambda: NOW, serial_numbers=lambda: serial_number)
    asked = request(b"content", "sha256", nonce)
    name = as_asn1(pki.authority._key.certificate).subject
    expected = {
        "version": "v1",
        "policy": POLICY,
        "message_imprint": asked["message_imprint"],
        "serial_number": serial_number,
        "gen_time": NOW,
        "accuracy": {"seconds": 1},
        "tsa": asn1_x509.GeneralName(name="directory_name", value=name),
    }
    if nonce is not None:
        expected["nonce"] = nonce

    answer = asyncio.run(authority._answer(asked))

    content = answer["time_stamp_token"]["content"]["encap_content_info"]["content"]
    assert bytes(content) == tsp.TSTInfo(expected).dump()
    again = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": answer["time_stamp_token"]})
    assert answer.dump() == again.dump()


def test_tokens_of_another_digest_algorithm_are_built_anew(pki: Pki, built: list[str]) -> None:
    authority = LocalTimeStampAuthority(pki.authority._key, clock=lambda: NOW)
    for algorithm in ("sha256", "sha512", "sha256"):
        answer = asyncio.run(authority._answer(request(b"content", algorithm, None)))
        signed = answer["time_stamp_token"]["content"]["digest_algorithms"][0]["algorithm"].native
        assert signed == algorithm
    assert len(built) == 2
