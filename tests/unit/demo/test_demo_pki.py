from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealtool.demo import DemoPki, create_demo_pki
from sealtool.errors import OutputError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def pki(work: Path) -> DemoPki:
    return create_demo_pki(work, now=NOW, key_bits=2048)


@pytest.fixture(scope="module")
def seal(work: Path, pki: DemoPki) -> x509.Certificate:
    return x509.load_der_x509_certificate((work / pki.seal_certificate).read_bytes())


class Oids(core.SequenceOf):
    _child_spec = core.ObjectIdentifier


class Statement(core.Sequence):
    _fields: ClassVar = [("id", core.ObjectIdentifier), ("info", Oids, {"optional": True})]


class Statements(core.SequenceOf):
    _child_spec = Statement


def opened(work: Path, file: Any, passphrase_file: Any) -> Any:
    return load_pkcs12((work / file).read_bytes(), (work / passphrase_file).read_bytes().strip())


def test_folder_and_files_are_for_their_owner_alone(work: Path, pki: DemoPki) -> None:
    assert stat.S_IMODE((work / "pki").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (work / "pki").iterdir()} == {0o600}
    assert [entry.name for entry in work.iterdir()] == ["pki"]


def test_files_are_named_relative_to_the_work_folder(work: Path, pki: DemoPki) -> None:
    for name in pki.__dataclass_fields__:
        place = getattr(pki, name)
        assert not Path(place).is_absolute()
        assert list(work.glob(str(place)))


def test_seal_says_everywhere_that_it_is_a_demonstration(seal: x509.Certificate) -> None:
    names = {attribute.oid: attribute.value for attribute in seal.subject}

    assert names[NameOID.COUNTRY_NAME] == "ES"
    assert "no value" in names[NameOID.ORGANIZATION_NAME]
    assert "no legal value" in names[NameOID.COMMON_NAME]
    assert names[NameOID.ORGANIZATION_IDENTIFIER] == "VATES-S0711001H"
    assert all("no value" in attribute.value for attribute in seal.issuer if attribute.oid == NameOID.ORGANIZATION_NAME)


def test_seal_has_the_policies_and_usage_of_a_qualified_seal(seal: x509.Certificate) -> None:
    policies = seal.extensions.get_extension_for_class(x509.CertificatePolicies).value
    usage = seal.extensions.get_extension_for_class(x509.KeyUsage).value

    assert {policy.policy_identifier.dotted_string for policy in policies} == {
        "2.16.724.1.3.5.6.2",
        "0.4.0.194112.1.1",
    }
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign


def test_seal_claims_compliance_and_eseal_but_no_device(seal: x509.Certificate) -> None:
    extension = seal.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")).value
    assert isinstance(extension, x509.UnrecognizedExtension)

    statements = Statements.load(extension.value, strict=True).native

    assert [dict(statement) for statement in statements] == [
        {"id": "0.4.0.1862.1.1", "info": None},
        {"id": "0.4.0.1862.1.6", "info": ["0.4.0.1862.1.6.2"]},
    ]


def test_seal_lives_three_years_and_everything_else_outlives_it(
    work: Path, pki: DemoPki, seal: x509.Certificate
) -> None:
    assert timedelta(days=3 * 365) <= seal.not_valid_after_utc - NOW <= timedelta(days=3 * 366)
    authority = opened(work, pki.tsa_pkcs12, pki.tsa_passphrase_file).cert.certificate
    roots = x509.load_pem_x509_certificates((work / pki.trust_anchor).read_bytes())
    crls = [x509.load_der_x509_crl(path.read_bytes()) for path in work.glob(pki.crl_files)]

    assert len(crls) == 2
    for ending in [
        authority.not_valid_after_utc,
        *(root.not_valid_after_utc for root in roots),
        *(crl.next_update_utc for crl in crls),
    ]:
        assert ending is not None
        assert ending > seal.not_valid_after_utc


def test_time_stamp_authority_stamps_and_does_nothing_else(work: Path, pki: DemoPki) -> None:
    certificate = opened(work, pki.tsa_pkcs12, pki.tsa_passphrase_file).cert.certificate
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    assert usage.critical
    assert list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def test_keys_of_seal_and_time_stamps_may_be_of_another_kind(tmp_path: Path) -> None:
    seal_key, time_stamp_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    files = create_demo_pki(tmp_path, now=NOW, key_bits=2048, seal_key=seal_key, time_stamp_key=time_stamp_key)

    for key, file, passphrase_file in (
        (seal_key, files.seal_pkcs12, files.seal_passphrase_file),
        (time_stamp_key, files.tsa_pkcs12, files.tsa_passphrase_file),
    ):
        bundle = opened(tmp_path, file, passphrase_file)
        assert bundle.key.private_numbers() == key.private_numbers()
        assert bundle.cert.certificate.public_key() == key.public_key()


def test_passphrases_are_random(work: Path, pki: DemoPki, tmp_path: Path) -> None:
    other = create_demo_pki(tmp_path, now=NOW, key_bits=2048)
    passphrases = {
        (folder / file).read_text()
        for folder, files in ((work, pki), (tmp_path, other))
        for file in (files.seal_passphrase_file, files.tsa_passphrase_file)
    }

    assert len(passphrases) == 4
    assert min(map(len, passphrases)) >= 32


def test_keys_of_the_authorities_are_nowhere(work: Path, pki: DemoPki) -> None:
    assert not [file.name for file in (work / "pki").iterdir() if b"PRIVATE KEY" in file.read_bytes()]
    assert sorted(file.name for file in (work / "pki").glob("*.p12")) == ["seal.p12", "tsa.p12"]


@pytest.mark.parametrize(
    ("file", "passphrase"), [("seal_pkcs12", "seal_passphrase_file"), ("tsa_pkcs12", "tsa_passphrase_file")]
)
def test_openssl_finds_the_certificates_sound(
    work: Path, pki: DemoPki, tmp_path: Path, file: str, passphrase: str
) -> None:
    certificate = opened(work, getattr(pki, file), getattr(pki, passphrase)).cert.certificate
    (tmp_path / "leaf.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    moment = str(int((NOW + timedelta(days=365)).timestamp()))
    trust = ["-CAfile", work / pki.trust_anchor, "-untrusted", work / pki.issuing_certificate]

    result = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-attime", moment, *trust, tmp_path / "leaf.pem"],
        capture_output=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def test_certificates_lead_to_no_address(work: Path, pki: DemoPki, seal: x509.Certificate) -> None:
    for kind in (x509.AuthorityInformationAccess, x509.CRLDistributionPoints):
        with pytest.raises(x509.ExtensionNotFound):
            seal.extensions.get_extension_for_class(kind)


def test_folder_with_a_pki_is_left_alone(work: Path, pki: DemoPki) -> None:
    before = {file.name: file.read_bytes() for file in (work / "pki").iterdir()}

    with pytest.raises(OutputError, match="there already") as caught:
        create_demo_pki(work, now=NOW, key_bits=2048)

    assert caught.value.advice
    assert {file.name: file.read_bytes() for file in (work / "pki").iterdir()} == before


def test_missing_work_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        create_demo_pki(tmp_path / "nowhere", now=NOW, key_bits=2048)
