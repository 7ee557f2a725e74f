"""Issuing with seals of every kind and state: what may seal does, and passes; what may not is exit 6."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from pyhanko.pdf_utils.reader import PdfFileReader

from sealtool.errors import ExitCode
from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test
from tests.pipeline.other_seals import DAY, NEITHER, SIGNING_ALONE, OtherAuthority

pytestmark = pytest.mark.long

A = PEOPLE[0]


@pytest.fixture
def other(folder: Folder) -> OtherAuthority:
    return OtherAuthority.beside(folder)


def issue(folder: Folder, write_registry: Write) -> Outcome:
    return folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)]))


# --- what may seal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new_key", "pss", "algorithm"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), False, "sha256_rsa"),
        (lambda: rsa.generate_private_key(65537, 2048), True, "rsassa_pss"),
        (lambda: rsa.generate_private_key(65537, 4096), True, "rsassa_pss"),
        (lambda: ec.generate_private_key(ec.SECP256R1()), False, "sha256_ecdsa"),
        (lambda: ec.generate_private_key(ec.SECP256R1()), True, "sha256_ecdsa"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), False, "sha256_ecdsa"),
    ],
    ids=["RSA-2048", "RSA-2048 PSS", "RSA-4096 PSS", "P-256", "P-256, PSS means nothing", "P-384"],
)
def test_a_key_in_a_file_seals_and_what_it_sealed_passes(  # noqa: PLR0917 - fixtures
    folder: Folder,
    other: OtherAuthority,
    write_registry: Write,
    new_key: Callable[[], CertificateIssuerPrivateKeyTypes],
    pss: bool,
    algorithm: str,
) -> None:
    other.seal(new_key(), more=f"pss = {str(pss).lower()}")

    outcome = issue(folder, write_registry)

    assert outcome.code == 0, outcome.err
    verified = folder.call("verify", folder.path / "out", "--json").json
    assert verified["summary"] == {"PASSED": 2, "FAILED": 0, "INDETERMINATE": 0}
    with folder.certificates[0].open("rb") as file:
        (seal,) = PdfFileReader(file).embedded_regular_signatures
        mechanism = seal.signer_info["signature_algorithm"]
        assert mechanism["algorithm"].native == algorithm
        if algorithm == "rsassa_pss":
            assert mechanism["parameters"]["salt_length"].native == 32  # as long as the digest


def test_a_seal_with_digital_signature_alone_seals_and_what_it_sealed_passes(
    folder: Folder, other: OtherAuthority, write_registry: Write
) -> None:
    other.seal(usage=SIGNING_ALONE)
    assert issue(folder, write_registry).code == 0
    assert folder.call("verify", folder.path / "out").code == 0


# --- what may not -----------------------------------------------------------------------------------------------


def refused(folder: Folder, write_registry: Write) -> str:
    outcome = issue(folder, write_registry)
    assert outcome.code == ExitCode.SEAL_KEY
    assert folder.certificates == []
    assert folder.manifests == []
    return outcome.err


def test_an_expired_seal_is_exit_6_and_nothing_is_issued(
    folder: Folder, other: OtherAuthority, write_registry: Write
) -> None:
    other.seal(ends=other.now - timedelta(seconds=1))
    assert "expired" in refused(folder, write_registry)
    other.seal(ends=other.now + DAY)
    assert issue(folder, write_registry).code == 0


def test_a_revoked_seal_is_exit_6_and_nothing_is_issued(
    folder: Folder, other: OtherAuthority, write_registry: Write
) -> None:
    issued = other.seal(revoked=True)
    assert "revoked" in refused(folder, write_registry)
    other.write_list()  # as it was before
    assert issue(folder, write_registry).code == 0
    assert issued.not_valid_after_utc > other.now


def test_a_certificate_that_is_not_for_seals_is_exit_6_and_nothing_is_issued(
    folder: Folder, other: OtherAuthority, write_registry: Write
) -> None:
    other.seal(usage=NEITHER)
    assert "not meant for seals" in refused(folder, write_registry)


# --- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ('pkcs12 = "pki/seal.p12"', "passphrase of the seal key"),
        ('pkcs11 = { module = "m.so", token = "t", key = "k" }', "PIN of the seal key's token"),
    ],
    ids=["file", "token"],
)
def test_a_file_has_a_passphrase_and_a_token_a_pin(
    folder: Folder, write_registry: Write, key: str, secret: str
) -> None:
    folder.configure(
        'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
        f'{key}\npassphrase = {{ env = "NOT_SET_ANYWHERE" }}',
    )
    assert secret in refused(folder, write_registry)


@pytest.mark.parametrize(
    ("sources", "secret"),
    [
        ('token = { env = "NOT_SET_ANYWHERE" }', "access token of the signing service"),
        ('token = { env = "PATH" }, pin = { env = "NOT_SET_ANYWHERE" }', "PIN of the seal key at the signing service"),
    ],
    ids=["token", "PIN"],
)
def test_a_service_has_an_access_token_and_a_pin(
    folder: Folder, write_registry: Write, sources: str, secret: str
) -> None:
    folder.configure(
        'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
        f'csc = {{ url = "http://127.0.0.1:9", credential = "c", {sources} }}',
    )
    assert secret in refused(folder, write_registry)
