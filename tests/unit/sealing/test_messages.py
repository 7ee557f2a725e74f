"""Messages from a mould are those of the library: to the byte, or but for the signature where it never is the same."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes as PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.sign.general import SigningError
from pyhanko.sign.timestamps import TimeStamper

from sealtool.model import PadesLevel
from sealtool.sealing import SealingProfile, SealKey, load_pkcs12
from sealtool.sealing import messages as module
from sealtool.sealing.messages import SealMessages
from sealtool.sealing.moulds import MessageMould
from sealtool.sealing.profile import KNOWN_POLICIES
from tests.unit.sealing.conftest import PASSPHRASE, certificate, pkcs12

FIRST = hashlib.sha256(b"first").digest()
PROFILES = {
    "plain": SealingProfile(PadesLevel.B_B),
    "with a policy": SealingProfile(PadesLevel.B_B, policy=KNOWN_POLICIES["AGE-1.9"]),
}


class CountingMessages(SealMessages):
    """Knows how often the library had to put a message together."""

    plain_ones = 0

    async def plainly(self, document_digest: bytes, stamper: Any) -> cms.ContentInfo:
        self.plain_ones += 1
        return await super().plainly(document_digest, stamper)


def key_file(folder: Path, key: PrivateKey, *, pss: bool = False) -> SealKey:
    return load_pkcs12(pkcs12(folder / "seal.p12", key, certificate("a seal", key)), PASSPHRASE, prefer_pss=pss)


@pytest.fixture(scope="module")
def rsa_seal(tmp_path_factory: pytest.TempPathFactory) -> SealKey:
    return key_file(tmp_path_factory.mktemp("rsa"), rsa.generate_private_key(public_exponent=65537, key_size=2048))


def used(key: SealKey, profile: SealingProfile, stamper: Any = None) -> CountingMessages:
    """After the first message, before which the mould is taken."""
    messages = CountingMessages(key.signer, profile)
    asyncio.run(messages.seal_of(FIRST, stamper))
    return messages


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that the library put together on trial."""
    trials: list[str] = []
    original = module.trial_message

    async def noting(*arguments: Any) -> cms.ContentInfo:
        trials.append("a trial")
        await asyncio.sleep(0)
        return await original(*arguments)

    monkeypatch.setattr(module, "trial_message", noting)
    return trials


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_message_from_the_mould_has_the_bytes_of_the_library(rsa_seal: SealKey, profile: SealingProfile) -> None:
    messages = used(rsa_seal, profile)

    @settings(max_examples=25)
    @given(st.binary(min_size=32, max_size=32))
    def same(digest: bytes) -> None:
        assert asyncio.run(messages.seal_of(digest, None)) == asyncio.run(messages.plainly(digest, None)).dump()

    same()


def test_the_library_puts_one_message_on_trial_together_for_all_in_flight(rsa_seal: SealKey, trials: list[str]) -> None:
    messages = CountingMessages(rsa_seal.signer, PROFILES["plain"])
    digests = [hashlib.sha256(bytes([number])).digest() for number in range(8)]

    async def in_flight() -> list[bytes]:
        return await asyncio.gather(*(messages.seal_of(digest, None) for digest in digests))

    made = asyncio.run(in_flight())
    assert (len(trials), messages.plain_ones) == (1, 0)
    assert made == [asyncio.run(messages.plainly(digest, None)).dump() for digest in digests]


def test_where_a_trial_fails_the_next_in_flight_tries_again(rsa_seal: SealKey, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = CountingMessages(rsa_seal.signer, PROFILES["plain"])
    faults = [SigningError("once")]
    original = module.trial_message

    async def faulty(*arguments: Any) -> cms.ContentInfo:
        await asyncio.sleep(0)
        if faults:
            raise faults.pop()
        return await original(*arguments)

    monkeypatch.setattr(module, "trial_message", faulty)

    async def in_flight() -> list[Any]:
        return await asyncio.gather(*(messages.seal_of(FIRST, None) for _ in range(3)), return_exceptions=True)

    first, second, third = asyncio.run(in_flight())
    assert isinstance(first, SigningError)
    assert second == third == asyncio.run(messages.plainly(FIRST, None)).dump()


def test_the_library_puts_every_message_together_where_there_can_be_no_mould(
    rsa_seal: SealKey, trials: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MessageMould, "of", lambda *_: None)
    messages = CountingMessages(rsa_seal.signer, PROFILES["plain"])
    for _ in range(2):
        assert asyncio.run(messages.seal_of(FIRST, None)) == asyncio.run(messages.plainly(FIRST, None)).dump()
    assert (len(trials), messages.plain_ones) == (1, 4)


@pytest.mark.parametrize(
    ("make", "pss"),
    [
        pytest.param(lambda: ec.generate_private_key(ec.SECP256R1()), False, id="P-256"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), False, id="P-384"),
        pytest.param(lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048), True, id="RSA-PSS"),
    ],
)
def test_signatures_of_any_length_fit_the_mould(make: Callable[[], PrivateKey], pss: bool, tmp_path: Path) -> None:
    key = key_file(tmp_path, make(), pss=pss)
    messages = used(key, PROFILES["plain"])
    for number in range(20):  # lengths of ECDSA signatures vary from one to the next
        digest = hashlib.sha256(str(number).encode()).digest()
        made = signer_of(asyncio.run(messages.seal_of(digest, None)))
        plain = signer_of(asyncio.run(messages.plainly(digest, None)).dump())
        signed = made["signed_attrs"].untag().dump()
        assert signed == plain["signed_attrs"].untag().dump()
        assert key.signer.is_ours(made["signature"].native, signed, "sha256")
        assert made["signature_algorithm"].dump() == plain["signature_algorithm"].dump()
    assert messages.plain_ones == 20


def test_a_stamped_message_from_the_mould_has_the_bytes_of_the_library(
    pki: Any, rsa_seal: SealKey, now: datetime
) -> None:
    token = asyncio.run(pki.authority.stamper(lambda: now).async_timestamp(FIRST, "sha256"))

    class Repeating(TimeStamper):
        async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
            del message_digest, md_algorithm
            return token

    stamper = Repeating()
    messages = used(rsa_seal, PROFILES["plain"], stamper)
    digest = hashlib.sha256(b"second").digest()
    assert asyncio.run(messages.seal_of(digest, stamper)) == asyncio.run(messages.plainly(digest, stamper)).dump()


def test_a_time_stamp_is_of_the_signature_beside_it(pki: Any, now: datetime) -> None:
    async def stamped() -> tuple[bytes, bytes]:
        stamper = pki.authority.stamper(lambda: now)
        messages = SealMessages(pki.seal.signer, PROFILES["plain"])
        first = await messages.seal_of(FIRST, stamper)
        return first, await messages.seal_of(hashlib.sha256(b"second").digest(), stamper)

    for message in asyncio.run(stamped()):
        signer = signer_of(message)
        (attribute,) = signer["unsigned_attrs"]
        assert attribute["type"].native == "signature_time_stamp_token"
        info = attribute["values"][0]["content"]["encap_content_info"]["content"].parsed
        imprint = info["message_imprint"]["hashed_message"].native
        assert imprint == hashlib.sha256(signer["signature"].native).digest()


def test_no_mould_is_taken_where_the_digest_stands_twice(rsa_seal: SealKey) -> None:
    message = asyncio.run(SealMessages(rsa_seal.signer, PROFILES["plain"]).plainly(FIRST, None))
    assert MessageMould.of(message, b"\x06\x09") is None  # an object identifier, of which there are several
    assert MessageMould.of(message, FIRST) is not None


def signer_of(message: bytes) -> Any:
    (signer,) = cms.ContentInfo.load(message, strict=True)["content"]["signer_infos"]
    return signer
