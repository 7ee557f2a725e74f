from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from sealtool.errors import ExitCode, SealKeyError
from sealtool.sealing import check_seal_certificate, load_pkcs12
from sealtool.sealing import pkcs12 as key_files

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _keys_are_written_for_their_owner_alone() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_key_file_that_is_open_to_others_is_refused_with_the_command_that_closes_it(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "seal.p12"
    path.write_bytes(b"whatever it holds")
    path.chmod(mode)

    with pytest.raises(SealKeyError, match="open to other users") as caught:
        load_pkcs12(path, b"x")

    assert f"chmod 600 {path}" in caught.value.advice


def test_seal_key_is_loaded_with_its_certificate_and_issuer(pki: Any) -> None:
    assert "DEMO" in pki.seal.common_name
    assert pki.seal.common_name in pki.seal.subject
    assert [issuer.subject for issuer in pki.seal.chain] == [pki.seal.certificate.issuer]


def test_certificates_that_do_not_lead_from_the_seal_to_its_root_stay_out_of_the_chain(
    pki: Any, tmp_path: Path
) -> None:
    """Whatever else lies in the file: a seal that carried it would be refused."""
    held, other = (
        pkcs12.load_pkcs12((pki.folder / file).read_bytes(), pki.passphrase(secret))
        for file, secret in (
            (pki.files.seal_pkcs12, pki.files.seal_passphrase_file),
            (pki.files.tsa_pkcs12, pki.files.tsa_passphrase_file),
        )
    )
    more = [each.certificate for each in (other.cert, *held.additional_certs)]
    path = tmp_path / "seal.p12"
    path.write_bytes(serialize_key_and_certificates(b"x", held.key, held.cert.certificate, more, NoEncryption()))

    key = load_pkcs12(path, b"")

    assert key.chain == pki.seal.chain
    assert len(list(key.signer.cert_registry)) == len(key.chain)


def test_wrong_passphrase_is_an_error_with_advice_and_without_the_passphrase(pki: Any) -> None:
    with pytest.raises(SealKeyError, match=r"seal\.p12") as caught:
        load_pkcs12(pki.folder / pki.files.seal_pkcs12, b"hunter2-wrong")

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    assert caught.value.advice
    assert "hunter2" not in f"{caught.value!r}{caught.value}"


def test_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SealKeyError, match=r"nowhere\.p12"):
        load_pkcs12(tmp_path / "nowhere.p12", b"x")


def test_file_that_is_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    path.write_bytes(b"%PDF-1.7")

    with pytest.raises(SealKeyError, match="not PKCS#12"):
        load_pkcs12(path, b"x")


def test_file_without_key_is_an_error(pki: Any, tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    path.write_bytes(serialize_key_and_certificates(b"x", None, None, [pki.seal.certificate], NoEncryption()))

    with pytest.raises(SealKeyError, match="no private key"):
        load_pkcs12(path, b"")


def test_file_without_certificate_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(serialize_key_and_certificates(b"x", key, None, None, NoEncryption()))

    with pytest.raises(SealKeyError, match="no certificate"):
        load_pkcs12(path, b"")


def test_key_with_the_certificate_of_another_is_an_error(pki: Any, tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(serialize_key_and_certificates(b"x", key, None, [pki.seal.certificate], NoEncryption()))

    with pytest.raises(SealKeyError, match=r"No certificate .* belongs"):
        load_pkcs12(path, b"")


@pytest.mark.parametrize(("bits", "accepted"), [(2048, True), (2040, False)])
def test_rsa_key_of_less_than_2048_bits_is_refused(odd: Any, tmp_path: Path, bits: int, accepted: bool) -> None:
    key = rsa.generate_private_key(65537, bits)
    path = tmp_path / "seal.p12"
    path.write_bytes(serialize_key_and_certificates(b"x", key, odd.certificate("rsa", key), None, NoEncryption()))

    if accepted:
        load_pkcs12(path, b"")
    else:
        with pytest.raises(SealKeyError, match="2040 bits"):
            load_pkcs12(path, b"")


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())])
def test_other_kinds_of_key_are_refused(odd: Any, tmp_path: Path, key: Any) -> None:
    path = tmp_path / "seal.p12"
    path.write_bytes(serialize_key_and_certificates(b"x", key, odd.certificate("odd", key), None, NoEncryption()))

    with pytest.raises(SealKeyError, match="kind"):
        load_pkcs12(path, b"")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_dry_run_leaves_room_for_any_ecdsa_signature(odd: Any, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    path = tmp_path / "seal.p12"
    path.write_bytes(serialize_key_and_certificates(b"x", key, odd.certificate("ec", key), None, NoEncryption()))
    signer = load_pkcs12(path, b"").signer

    async def sizes() -> tuple[int, int]:
        real = [await signer.async_sign_raw(b"x", "sha256") for _ in range(20)]
        return max(map(len, real)), len(await signer.async_sign_raw(b"x", "sha256", dry_run=True))

    longest, room = asyncio.run(sizes())
    assert longest <= room <= longest + 4


def test_dry_run_does_not_sign(pki: Any) -> None:
    assert asyncio.run(pki.seal.signer.async_sign_raw(b"x", "sha256", dry_run=True)) == bytes(256)


def test_nothing_shown_of_a_key_is_secret(pki: Any) -> None:
    passphrase = pki.passphrase(pki.files.seal_passphrase_file).decode()
    private = str(pki.seal.signer._private_key.private_numbers().d)

    shown = f"{pki.seal!r}{pki.seal}{pki.seal.signer!r}{pki.seal.signer}{pki.authority!r}"

    assert passphrase not in shown
    assert private not in shown
    assert "RSAPrivateKey" not in shown


def test_validity_is_checked_at_both_ends(pki: Any) -> None:
    first, last = pki.seal.not_before, pki.seal.not_after

    check_seal_certificate(pki.seal, first)
    check_seal_certificate(pki.seal, last)
    with pytest.raises(SealKeyError, match="not valid before"):
        pki.seal.check(first - SECOND)
    with pytest.raises(SealKeyError, match="expired"):
        pki.seal.check(last + SECOND)


def test_certificate_not_meant_for_seals_is_refused(odd: Any, now: datetime) -> None:
    with pytest.raises(SealKeyError, match="not meant for seals"):
        odd.seal(signs=False).check(now)


def test_certificate_of_an_authority_is_refused(odd: Any, now: datetime) -> None:
    with pytest.raises(SealKeyError, match="certification authority"):
        odd.seal(authority=True).check(now)


def test_certificate_that_only_signs_is_accepted(odd: Any, now: datetime) -> None:
    key = odd.seal()

    usage = key.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.content_commitment
    key.check(now)


def test_private_key_is_parsed_once_however_often_it_signs(pki: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[object] = []

    def counting(original: Any) -> Any:
        def count(*arguments: Any, **named: Any) -> Any:
            parsed.append(original)
            return original(*arguments, **named)

        return count

    monkeypatch.setattr(key_files, "parse_pkcs12", counting(pkcs12.load_pkcs12))
    for name in ("load_der_private_key", "load_pem_private_key"):
        monkeypatch.setattr(serialization, name, counting(getattr(serialization, name)))

    key = load_pkcs12(pki.folder / pki.files.seal_pkcs12, pki.passphrase(pki.files.seal_passphrase_file))
    for _ in range(3):
        asyncio.run(key.signer.async_sign_raw(b"x", "sha256"))

    assert len(parsed) == 1
