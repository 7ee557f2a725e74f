"""Seal keys on tokens, on a real PKCS#11 module: SoftHSM."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import TokenFlag

from sealtool.errors import ExitCode, SealKeyError
from sealtool.model import PadesLevel, UnsealedPdf
from sealtool.sealing import DigestAlgorithm, RevocationSources, Sealer, SealingProfile, SealKey, TokenKey, load_pkcs11
from sealtool.sealing.token import refuse_risky_login
from tests.softhsm import PIN, Entry, SoftHsm, new_label, soft_hsm
from tests.unit.sealing.conftest import NOW, Issuer, Pki, certificate, crl

PIN_BYTES = PIN.encode()
KINDS = ("rsa-2048", "rsa-3072", "p-256", "p-384")


@pytest.fixture(scope="module")
def hsm() -> SoftHsm:
    return soft_hsm()


@dataclass(frozen=True)
class Filled:
    """A token with keys and certificates, and the authorities behind them."""

    place: TokenKey
    folder: Path
    root: Issuer
    issuing: Issuer
    keys: dict[str, Any]
    certificates: dict[str, x509.Certificate]

    def load(self, label: str, *, prefer_pss: bool = False, **changes: Any) -> SealKey:
        return load_pkcs11(replace(self.place, label=label, **changes), PIN_BYTES, prefer_pss=prefer_pss)

    def file(self, name: str, *certificates: x509.Certificate, encoding: Encoding = Encoding.PEM) -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(each.public_bytes(encoding) for each in certificates))
        return path

    @property
    def revocation(self) -> tuple[str, ...]:
        files = []
        for issuer in (self.root, self.issuing):
            path = self.folder / f"{issuer.certificate.serial_number}.crl"
            path.write_bytes(crl(issuer))
            files.append(str(path))
        return tuple(files)


@pytest.fixture(scope="module")
def token(hsm: SoftHsm, pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    life = (NOW - timedelta(days=900), NOW + timedelta(days=900))
    root_key, issuing_key, stranger_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = Issuer(certificate("root", root_key, authority=True, valid=life), root_key)
    issuing = Issuer(certificate("issuing", issuing_key, root, authority=True, valid=life), issuing_key)
    keys: dict[str, Any] = {
        "rsa-2048": pki.seal.signer._private_key,  # type: ignore[attr-defined]
        "rsa-3072": rsa.generate_private_key(65537, 3072),
        "p-256": ec.generate_private_key(ec.SECP256R1()),
        "p-384": ec.generate_private_key(ec.SECP384R1()),
    }
    certificates = {label: certificate(f"seal {label}", key, issuing) for label, key in keys.items()}
    p256, p384 = keys["p-256"], keys["p-384"]
    entries = [Entry(key, label, number) for number, (label, key) in enumerate(keys.items(), start=1)]
    entries += [Entry(certificates[label], f"certificate of {label}", n) for n, label in enumerate(keys, start=1)]
    entries += [
        Entry(issuing.certificate, "issuing", 90),
        Entry(root.certificate, "root", 91),
        Entry(certificate("stranger", stranger_key, authority=True), "stranger", 92),
        Entry(p256, "alone", 20),
        Entry(p256, "same label", 21),
        Entry(certificates["p-256"], "same label", 77),
        Entry(p256, "twice", 22),
        Entry(certificates["p-256"], "twice", 22),
        Entry(p384, "twice", 23),
        Entry(certificates["p-384"], "twice", 23),
        Entry(p256, "mixed up", 24),
        Entry(certificate("another", stranger_key, issuing), "of another", 24),
        Entry(p256, "renewed", 25),
        Entry(certificate("old", p256, issuing), "old", 25),
        Entry(certificate("new", p256, issuing), "new", 25),
        Entry(p256, "careful", 26, always_authenticate=True),
        Entry(certificates["p-256"], "careful", 26),
    ]
    label = new_label()
    hsm.new_token(label, entries)
    folder = tmp_path_factory.mktemp("token")
    return Filled(TokenKey(hsm.module, token=label), folder, root, issuing, keys, certificates)


@pytest.fixture
def small_token(hsm: SoftHsm, token: Filled) -> Iterator[tuple[TokenKey, Path]]:
    """A token to be pulled or offended, with its directory."""
    label = new_label()
    directory = hsm.new_token(
        label, [Entry(token.keys["p-256"], "seal", 1), Entry(token.certificates["p-256"], "seal", 1)]
    )
    yield TokenKey(hsm.module, token=label, label="seal"), directory
    shutil.rmtree(directory, ignore_errors=True)


def sealer(token: Filled, pki: Pki, key: SealKey, **profile: Any) -> Sealer:
    return Sealer(
        key,
        SealingProfile(PadesLevel.B_LTA, **profile),
        time_stamps=[pki.authority],
        trust_anchors=[token.root.certificate, *pki.anchors],
        revocation=RevocationSources((*token.revocation, *pki.revocation.crl_files)),
        clock=lambda: NOW,
    )


async def seal(token: Filled, pki: Pki, key: SealKey, pdf: UnsealedPdf, **profile: Any) -> bytes:
    async with sealer(token, pki, key, **profile) as each:
        return (await each.seal(pdf)).content


def byte_range(content: bytes) -> tuple[bytes, bytes]:
    """What the seal covers, and the seal (ISO 32000-1, 12.8.1)."""
    found = re.search(rb"/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)\s*\]", content)
    assert found
    start, length, second, rest = map(int, found.groups())
    cms = bytes.fromhex(content[start + length + 1 : second - 1].decode())
    return content[start : start + length] + content[second : second + rest], cms


def verify(public_key: Any, signature: bytes, data: bytes, digest: hashes.HashAlgorithm, *, pss: bool = False) -> None:
    """Raises InvalidSignature."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        public_key.verify(signature, data, ec.ECDSA(digest))
    elif pss:
        public_key.verify(signature, data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    else:
        public_key.verify(signature, data, padding.PKCS1v15(), digest)


# --- seals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("label", "pss"), [(kind, False) for kind in KINDS] + [("rsa-3072", True)])
def test_seal_of_a_token_at_b_lta_satisfies_openssl(  # noqa: PLR0917 - fixtures
    token: Filled, pki: Pki, pdf: UnsealedPdf, tmp_path: Path, now: datetime, label: str, pss: bool
) -> None:
    content, cms = byte_range(asyncio.run(seal(token, pki, token.load(label, prefer_pss=pss), pdf)))
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "seal").write_bytes(cms)
    root = token.file("root.pem", token.root.certificate)
    command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", tmp_path / "seal"]
    command += ["-content", tmp_path / "content", "-CAfile", root, "-purpose", "any", "-out", "/dev/null"]

    result = subprocess.run([*command, "-attime", str(int(now.timestamp()))], capture_output=True, check=False)

    assert result.returncode == 0, result.stderr
    described = subprocess.run(
        ["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp_path / "seal"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert ("rsassaPss" in described.stdout) is pss


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda each: each.name)
@pytest.mark.parametrize("raw", [False, True], ids=["as the token offers", "from digests alone"])
@pytest.mark.parametrize(("label", "pss"), [(kind, False) for kind in KINDS] + [("rsa-2048", True)])
def test_every_digest_is_signed_as_the_key_allows(
    token: Filled, label: str, pss: bool, raw: bool, digest: hashes.HashAlgorithm
) -> None:
    signer: Any = token.load(label, prefer_pss=pss).signer
    if raw:
        signer._handle = dataclasses.replace(signer._handle, mechanisms=frozenset())

    signature = signer.sign(b"data", digest.name)

    verify(token.keys[label].public_key(), signature, b"data", digest, pss=pss)


@dataclass
class Listening:
    """A key on the token, and what it was last given to sign."""

    key: Any
    data: bytes = b""

    def sign(self, data: bytes, **how: Any) -> bytes:
        self.data = data
        return bytes(self.key.sign(data, **how))


@pytest.mark.parametrize(("label", "size"), [("p-256", 32), ("p-384", 48)])
def test_a_digest_longer_than_an_elliptic_key_is_cut_here_because_not_every_token_does(
    token: Filled, label: str, size: int
) -> None:
    signer: Any = token.load(label).signer
    listening = Listening(signer._handle.private_key)
    signer._handle = dataclasses.replace(signer._handle, private_key=listening)

    signer.sign(b"data", "sha512")

    assert len(listening.data) == size


def test_the_salt_of_pss_is_as_long_as_the_digest_and_the_seal_says_so(token: Filled) -> None:
    mechanism = token.load("rsa-2048", prefer_pss=True).signer.get_signature_mechanism_for_digest("sha384")

    assert mechanism["algorithm"].native == "rsassa_pss"
    assert mechanism["parameters"]["salt_length"].native == 48
    assert mechanism["parameters"]["hash_algorithm"]["algorithm"].native == "sha384"
    assert mechanism["parameters"]["mask_gen_algorithm"]["parameters"]["algorithm"].native == "sha384"


def test_pss_means_nothing_for_an_elliptic_key(token: Filled) -> None:
    signer: Any = token.load("p-256", prefer_pss=True).signer

    verify(token.keys["p-256"].public_key(), signer.sign(b"data", "sha256"), b"data", hashes.SHA256())


def test_many_seals_in_flight_are_signed_one_after_another(token: Filled) -> None:
    signer = token.load("p-256").signer

    async def many() -> list[bytes]:
        return await asyncio.gather(*(signer.async_sign_raw(bytes([n]), "sha256") for n in range(40)))

    for number, signature in enumerate(asyncio.run(many())):
        verify(token.keys["p-256"].public_key(), signature, bytes([number]), hashes.SHA256())


def test_the_event_loop_goes_on_while_the_token_signs(token: Filled) -> None:
    signer: Any = token.load("rsa-3072").signer
    ticks = 0

    async def count() -> None:
        nonlocal ticks
        signing = asyncio.create_task(signer.async_sign_raw(b"x", "sha256"))
        while not signing.done():
            ticks += 1
            await asyncio.sleep(0)
        await signing

    asyncio.run(count())
    assert ticks > 1


@pytest.mark.parametrize("label", KINDS)
def test_dry_run_leaves_room_for_any_signature(token: Filled, label: str) -> None:
    signer: Any = token.load(label).signer

    longest = max(len(signer.sign(b"x", "sha256")) for _ in range(10))

    assert longest <= len(asyncio.run(signer.async_sign_raw(b"x", "sha256", dry_run=True))) <= longest + 4


def test_key_that_wants_its_pin_for_each_signature_gets_it(token: Filled) -> None:
    key = token.load("careful")
    signer: Any = key.signer

    for data in (b"one", b"two"):
        verify(token.keys["p-256"].public_key(), signer.sign(data, "sha256"), data, hashes.SHA256())
    assert PIN not in f"{key!r}{signer!r}{signer._handle!r}"


def test_the_pin_is_kept_for_no_other_key(token: Filled) -> None:
    signer: Any = token.load("p-256").signer

    assert signer._handle.pin is None


# --- key and certificate --------------------------------------------------------------------------------------


def test_certificate_on_the_token_is_found_by_the_id_of_the_key(token: Filled) -> None:
    assert token.load("p-256").certificate == token.certificates["p-256"]


def test_certificate_on_the_token_is_found_by_the_label_where_no_id_fits(token: Filled) -> None:
    assert token.load("same label").certificate == token.certificates["p-256"]


def test_key_is_found_by_its_id_alone(token: Filled) -> None:
    key = load_pkcs11(replace(token.place, key_id=b"\x04"), PIN_BYTES)

    assert key.certificate == token.certificates["p-384"]


def test_token_is_found_by_its_slot(token: Filled) -> None:
    listed = subprocess.run(["softhsm2-util", "--show-slots"], capture_output=True, check=True, text=True).stdout
    slot = re.search(rf"Slot (\d+)\n(?:(?!\nSlot ).)*Label: +{token.place.token}\s", listed, re.DOTALL)
    assert slot

    assert token.load("p-256", token=None, slot=int(slot[1])).source == f"token «{token.place.token}»"


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_certificate_may_be_a_file(token: Filled, encoding: Encoding) -> None:
    path = token.file("seal.crt", token.certificates["p-256"], encoding=encoding)

    assert token.load("alone", certificate=path).certificate == token.certificates["p-256"]


def test_a_seal_carries_the_issuers_on_the_token_and_no_stranger(token: Filled) -> None:
    assert token.load("p-256").chain == (token.issuing.certificate, token.root.certificate)


def test_a_certificate_that_is_its_own_issuer_is_carried_once(token: Filled) -> None:
    path = token.file("self.pem", certificate("self", token.keys["p-256"]))

    assert token.load("alone", certificate=path).chain == ()


def test_issuers_come_from_files_too(hsm: SoftHsm, token: Filled) -> None:
    label = new_label()
    hsm.new_token(label, [Entry(token.keys["p-256"], "seal", 1)])
    place = TokenKey(hsm.module, token=label, label="seal")
    issuing, root = token.issuing.certificate, token.root.certificate
    bundle = token.file("bundle.pem", token.certificates["p-256"], root, issuing)
    alone, chain = token.file("alone.pem", token.certificates["p-256"]), token.file("chain.pem", issuing)

    assert load_pkcs11(replace(place, certificate=bundle), PIN_BYTES).chain == (issuing, root)
    assert load_pkcs11(replace(place, certificate=alone, chain=(chain,)), PIN_BYTES).chain == (issuing,)
    assert load_pkcs11(replace(place, certificate=alone), PIN_BYTES).chain == ()


def test_unknown_key_is_an_error_that_lists_those_there_are(token: Filled) -> None:
    with pytest.raises(SealKeyError, match=r"no private key that signs with label «nobody»") as caught:
        token.load("nobody")

    assert "«p-256 (id 03)»" in caught.value.message
    assert caught.value.exit_code is ExitCode.SEAL_KEY


def test_two_keys_of_one_label_are_an_error_until_the_id_is_named(token: Filled) -> None:
    with pytest.raises(SealKeyError, match="2 private keys with label «twice»"):
        token.load("twice")
    assert token.load("twice", key_id=b"\x17").certificate == token.certificates["p-384"]


def test_key_without_certificate_is_an_error(token: Filled) -> None:
    with pytest.raises(SealKeyError, match="no certificate for the seal key"):
        token.load("alone")


def test_two_certificates_for_one_key_are_an_error_until_one_is_named(token: Filled) -> None:
    with pytest.raises(SealKeyError, match=r"2 certificates.*CN=old, valid until 2026-11-03"):
        token.load("renewed")
    assert token.load("renewed", certificate_label="new").common_name == "new"


@pytest.mark.parametrize("other", ["p-384", "rsa-2048"])
def test_certificate_of_another_key_is_an_error(token: Filled, other: str) -> None:
    path = token.file("other.pem", token.certificates[other])

    with pytest.raises(SealKeyError, match="do not belong together"):
        token.load("p-256", certificate=path)


def test_certificate_of_another_key_of_the_same_kind_is_found_out_by_signing(token: Filled) -> None:
    with pytest.raises(SealKeyError, match="do not belong together"):
        token.load("mixed up")


def test_weak_key_is_refused(token: Filled) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    path = token.file("weak.pem", certificate("weak", weak, token.issuing))

    with pytest.raises(SealKeyError, match="1024 bits"):
        token.load("rsa-2048", certificate=path)


@pytest.mark.parametrize("content", [b"%PDF", b"-----BEGIN CERTIFICATE-----\nx"])
def test_file_that_is_no_certificate_is_an_error(token: Filled, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "seal.pem").write_bytes(content)

    with pytest.raises(SealKeyError, match=r"seal\.pem holds no certificate"):
        token.load("alone", certificate=tmp_path / "seal.pem")


def test_missing_certificate_file_is_an_error_that_names_it(token: Filled) -> None:
    with pytest.raises(SealKeyError, match=r"nowhere\.pem"):
        token.load("alone", certificate=Path("nowhere.pem"))


# --- the token ------------------------------------------------------------------------------------------------


def test_missing_module_is_an_error_that_names_it(token: Filled) -> None:
    with pytest.raises(SealKeyError, match=r"nowhere\.so is not there"):
        token.load("p-256", module=Path("nowhere.so"))


def test_file_that_is_no_module_is_an_error(token: Filled, tmp_path: Path) -> None:
    (tmp_path / "module.so").write_bytes(b"no library")

    with pytest.raises(SealKeyError, match=r"module\.so cannot be loaded"):
        token.load("p-256", module=tmp_path / "module.so")


def test_missing_token_is_an_error_that_lists_those_there_are(token: Filled) -> None:
    with pytest.raises(SealKeyError, match=r"knows no token «unplugged»") as caught:
        token.load("p-256", token="unplugged")

    assert f"«{token.place.token}»" in caught.value.message
    assert "Plug the token in" in caught.value.advice


def test_empty_slot_is_an_error(token: Filled) -> None:
    with pytest.raises(SealKeyError, match="no token in slot 4711"):
        token.load("p-256", token=None, slot=4711)


def test_two_tokens_of_one_label_are_an_error(hsm: SoftHsm) -> None:
    label = new_label()
    directories = [hsm.new_token(label) for _ in range(2)]
    try:
        with pytest.raises(SealKeyError, match="several tokens"):
            load_pkcs11(TokenKey(hsm.module, token=label, label="seal"), PIN_BYTES)
    finally:
        for directory in directories:
            shutil.rmtree(directory)


def test_wrong_pin_is_an_error_without_the_pin_and_with_a_warning(small_token: tuple[TokenKey, Path]) -> None:
    place, _ = small_token

    with pytest.raises(SealKeyError, match="refused the PIN") as caught:
        load_pkcs11(place, b"wr0ng-pin")

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    assert "lock after a few wrong tries" in caught.value.advice
    assert "wr0ng" not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"
    load_pkcs11(place, PIN_BYTES)


def test_pin_that_is_no_text_is_not_tried(small_token: tuple[TokenKey, Path]) -> None:
    place, _ = small_token

    with pytest.raises(SealKeyError, match="not tried"):
        load_pkcs11(place, b"\xff\xfe")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (TokenFlag(0), None),
        (TokenFlag.USER_PIN_COUNT_LOW, None),
        (TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY, "one try left"),
        (TokenFlag.USER_PIN_LOCKED, "locked itself"),
    ],
    ids=["untouched", "a try was lost", "one try left", "locked"],
)
def test_the_last_try_of_a_pin_is_left_to_a_human(flags: TokenFlag, complaint: str | None) -> None:
    if complaint is None:
        refuse_risky_login(flags, "token «x»")
    else:
        with pytest.raises(SealKeyError, match=complaint):
            refuse_risky_login(flags, "token «x»")


def test_token_pulled_between_two_seals_is_a_seal_key_error(
    token: Filled, pki: Pki, pdf: UnsealedPdf, small_token: tuple[TokenKey, Path]
) -> None:
    place, directory = small_token
    key = load_pkcs11(replace(place, chain=(token.file("issuing.pem", token.issuing.certificate),)), PIN_BYTES)

    async def pulled() -> None:
        async with sealer(token, pki, key, digest=DigestAlgorithm.SHA512) as each:
            await each.seal(pdf)
            shutil.rmtree(directory)
            await each.seal(pdf)

    with pytest.raises(SealKeyError, match=r"stopped signing.*stays pending") as caught:
        asyncio.run(pulled())

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    assert "the next run goes on" in caught.value.advice
    room = asyncio.run(key.signer.async_sign_raw(b"x", "sha256", dry_run=True))
    assert not any(room), "a dry run asks nothing of the token"


def test_without_its_library_a_token_is_an_error_that_says_what_to_install(
    hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    for name in ("sealtool.sealing.token", "sealtool.sealing.token_signer"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    with pytest.raises(SealKeyError, match="not installed") as caught:
        load_pkcs11(TokenKey(hsm.module, token="x", label="seal"), b"x")

    assert "python-pkcs11" in caught.value.advice
