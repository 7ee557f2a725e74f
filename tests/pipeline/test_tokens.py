"""Issuing with a key on a token (a real PKCS#11 module, SoftHSM): issued, judged, pulled, put back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from sealtool.errors import ExitCode, SealKeyError
from sealtool.model import Level
from sealtool.planning import Scope
from sealtool.workspace import utc_now
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test
from tests.softhsm import PIN, Entry, PrivateKey, SoftHsm, new_label, soft_hsm
from tests.unit.sealing.conftest import Issuer, certificate

A = PEOPLE[0]
B1 = Scope((Level.B1,))


@pytest.fixture(scope="module")
def hsm() -> SoftHsm:
    return soft_hsm()


UseToken = Callable[..., Path]


@pytest.fixture
def use_token(folder: Folder, hsm: SoftHsm, tmp_path: Path) -> UseToken:
    """Puts key and certificates on a token and its name into the configuration; returns the token's directory."""

    def use(key: PrivateKey, *certificates: x509.Certificate, pss: bool = False) -> Path:
        label = new_label()
        entries = [Entry(key, "seal", 1)]
        entries += [Entry(each, f"certificate {n}", n) for n, each in enumerate(certificates, start=1)]
        directory = hsm.new_token(label, entries)
        (tmp_path / "pin").write_text(f"{PIN}\n", encoding="utf-8")
        (tmp_path / "pin").chmod(0o600)
        folder.configure(
            'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
            f'pkcs11 = {{ module = "{hsm.module}", token = "{label}", key = "seal", pss = {str(pss).lower()} }}\n'
            f'passphrase = {{ file = "{tmp_path / "pin"}" }}',
        )
        return directory

    return use


@pytest.fixture
def demo_seal(folder: Folder) -> tuple[PrivateKey, x509.Certificate, x509.Certificate]:
    """Key, certificate and issuer of the demonstration's seal, RSA-3072."""
    passphrase = (folder.path / "pki" / "seal.passphrase").read_bytes().strip()
    bundle = load_pkcs12((folder.path / "pki" / "seal.p12").read_bytes(), passphrase)
    assert bundle.cert is not None
    return bundle.key, bundle.cert.certificate, bundle.additional_certs[0].certificate  # type: ignore[return-value]


def assert_pdfsig_finds_it_sound(path: Path) -> None:
    judged = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=True).stdout
    assert "Signature is Valid" in judged, judged


@pytest.mark.parametrize("pss", [False, True], ids=["PKCS#1 v1.5", "PSS"])
def test_what_an_rsa_key_on_a_token_sealed_passes(
    folder: Folder,
    use_token: UseToken,
    demo_seal: tuple[PrivateKey, x509.Certificate, x509.Certificate],
    write_registry: Write,
    pss: bool,
) -> None:
    use_token(*demo_seal, pss=pss)
    registry = write_registry([A], [b1_by_test(A)])

    outcome = folder.call("issue", "--level", "B1", "--registry", registry)

    assert outcome.code == 0, outcome.err
    verified = folder.call("verify", folder.path / "out", "--json").json
    assert verified["summary"] == {"PASSED": 2, "FAILED": 0, "INDETERMINATE": 0}
    assert {entry["pades_level"] for entry in verified["files"]} >= {"B-LTA"}
    assert_pdfsig_finds_it_sound(folder.certificates[0])
    assert PIN not in "".join(path.read_text("latin-1") for path in folder.path.rglob("*") if path.is_file())


def like(model: x509.Certificate, key: ec.EllipticCurvePrivateKey, issuer: Issuer) -> x509.Certificate:
    """The same seal with another key, from another authority."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(model.not_valid_before_utc)
        .not_valid_after(model.not_valid_after_utc)
    )
    for extension in model.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(issuer.key, hashes.SHA256())  # type: ignore[arg-type]


def test_what_an_elliptic_key_on_a_token_sealed_passes(
    folder: Folder,
    use_token: UseToken,
    demo_seal: tuple[PrivateKey, x509.Certificate, x509.Certificate],
    write_registry: Write,
) -> None:
    now = utc_now()
    life = (now - timedelta(days=1), now + timedelta(days=9000))
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = Issuer(certificate("another root", root_key, authority=True, valid=life), root_key)
    (folder.path / "pki" / "another.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    lists = x509.CertificateRevocationListBuilder().issuer_name(root.certificate.subject)
    revoked = lists.last_update(now - timedelta(hours=1)).next_update(life[1]).sign(root_key, hashes.SHA256())
    (folder.path / "pki" / "another.crl").write_bytes(revoked.public_bytes(Encoding.DER))
    folder.configure('anchors = ["pki/root.pem"]', 'anchors = ["pki/root.pem", "pki/another.pem"]')
    use_token(key, like(demo_seal[1], key, root), root.certificate)
    registry = write_registry([A], [b1_by_test(A)])

    outcome = folder.call("issue", "--level", "B1", "--registry", registry)

    assert outcome.code == 0, outcome.err
    verified = folder.call("verify", folder.path / "out", "--json").json
    assert verified["summary"] == {"PASSED": 2, "FAILED": 0, "INDETERMINATE": 0}
    assert_pdfsig_finds_it_sound(folder.certificates[0])


def test_a_wrong_pin_is_exit_6_and_nothing_is_issued(
    folder: Folder,
    use_token: UseToken,
    demo_seal: tuple[PrivateKey, x509.Certificate, x509.Certificate],
    write_registry: Write,
    tmp_path: Path,
) -> None:
    use_token(*demo_seal)
    (tmp_path / "pin").write_text("wr0ng-pin", encoding="utf-8")

    outcome = folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)]))

    assert outcome.code == ExitCode.SEAL_KEY
    assert "refused the PIN" in outcome.err
    assert "wr0ng" not in outcome.err
    assert folder.certificates == []


@pytest.mark.long
def test_a_token_pulled_in_the_middle_is_exit_6_and_the_next_run_completes(  # noqa: PLR0917 - fixtures
    folder: Folder,
    use_token: UseToken,
    demo_seal: tuple[PrivateKey, x509.Certificate, x509.Certificate],
    write_registry: Write,
    hsm: SoftHsm,
    tmp_path: Path,
) -> None:
    directory = use_token(*demo_seal)
    people = PEOPLE[:24]  # more than are worked on at a time: the last come too late
    registry = write_registry(people, map(b1_by_test, people))

    def pull_after_the_first_seal(step: str) -> None:
        if step == "certificate sealed" and directory.exists():
            shutil.move(directory, tmp_path / "pulled")

    with pytest.raises(SealKeyError, match="stays pending") as caught:
        folder.workspace.issue(registry, B1, on_step=pull_after_the_first_seal)

    assert caught.value.exit_code is ExitCode.SEAL_KEY
    issued_before = {path.name: path.read_bytes() for path in folder.certificates}
    assert 0 < len(issued_before) < len(people)
    assert folder.manifests == []

    hsm.look_again()
    without = folder.call("issue", "--level", "B1", "--registry", registry)
    assert without.code == ExitCode.SEAL_KEY
    assert "knows no token" in without.err

    shutil.move(tmp_path / "pulled", directory)
    command = [sys.executable, "-m", "sealtool", "--config", folder.configuration, "issue", "--level", "B1"]
    completed = subprocess.run(
        [*command, "--registry", registry], env=hsm.environment(), capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr
    assert len(folder.certificates) == len(people)
    assert issued_before.items() <= {path.name: path.read_bytes() for path in folder.certificates}.items()
    assert folder.call("verify", folder.path / "out").code == 0
    assert folder.call("status").code == 0


# --- the configuration --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seal", "complaint"),
    [
        ('pkcs12 = "seal.p12"\npkcs11 = { module = "m.so", token = "t", key = "k" }', "pkcs12 and pkcs11 exclude"),
        ('pkcs11 = { module = "m.so", key = "k" }', "exactly one of token and slot"),
        ('pkcs11 = { module = "m.so", token = "t", slot = 1, key = "k" }', "exactly one of token and slot"),
        ('pkcs11 = { module = "m.so", token = "t" }', "key, key_id or both"),
        ('pkcs11 = { module = "m.so", token = "t", key_id = "1" }', "seal.pkcs11.key_id"),
        (
            'pkcs11 = { module = "m.so", slot = 0, key = "k", certificate = "c.pem", certificate_label = "c" }',
            "certificate and certificate_label exclude",
        ),
        ('pkcs11 = { module = "m.so", token = "t", key = "k", pin = "1234" }', "pin: there is no such key"),
        ('pkcs11 = { token = "t", key = "k" }', "seal.pkcs11.module"),
    ],
    ids=["two keys", "no token", "two tokens", "no key", "half a byte", "two certificates", "a PIN", "no module"],
)
def test_a_mistake_in_the_configuration_of_a_token_is_exit_3(folder: Folder, seal: str, complaint: str) -> None:
    folder.configure('pkcs12 = "pki/seal.p12"', seal)

    outcome = folder.call("status")

    assert outcome.code == ExitCode.CONFIGURATION
    assert complaint in outcome.err


def test_paths_of_a_token_are_taken_from_the_folder_of_the_configuration(folder: Folder) -> None:
    folder.configure(
        'pkcs12 = "pki/seal.p12"',
        'pkcs11 = { module = "m.so", slot = 0, key_id = "0aFF", certificate = "c.pem", chain = ["i.pem", "/r.pem"] }',
    )

    settings = folder.workspace.settings.seal.pkcs11

    assert settings is not None
    assert settings.module == folder.path / "m.so"
    assert settings.certificate == folder.path / "c.pem"
    assert settings.chain == (folder.path / "i.pem", Path("/r.pem"))


def test_a_token_without_a_source_of_its_pin_is_exit_3(folder: Folder, write_registry: Write) -> None:
    folder.configure(
        'pkcs12 = "pki/seal.p12"\npassphrase = { file = "pki/seal.passphrase" }',
        'pkcs11 = { module = "m.so", token = "t", key = "k" }',
    )

    outcome = folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)]))

    assert outcome.code == ExitCode.CONFIGURATION
    assert "seal.passphrase" in outcome.err
