"""What is handed in as trust, and what is refused there."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from sealtool.errors import ConfigurationError
from sealtool.model import PadesLevel, Verdict
from sealtool.verification import Trust, load_trust, verify_certificate
from tests.pki.authorities import NOW, SERIALS, YEAR, Pki, pki, revocation_list
from tests.pki.sealed_files import seal, small_pdf

PEM = serialization.Encoding.PEM


def _write(place: Path, *contents: bytes) -> Path:
    place.write_bytes(b"".join(contents))
    return place


def test_a_pem_file_with_root_and_issuing_authority_trusts_the_root_alone(tmp_path: Path, hierarchy: Pki) -> None:
    both = [identity.certificate.public_bytes(PEM) for identity in (hierarchy.issuing, hierarchy.root)]
    assert load_trust([_write(tmp_path / "ca.pem", *both)]) == Trust((hierarchy.root.der,), (hierarchy.issuing.der,))


def test_an_issuing_authority_alone_is_trusted_as_such(tmp_path: Path, hierarchy: Pki) -> None:
    assert load_trust([_write(tmp_path / "ca.cer", hierarchy.issuing.der)]).anchors == (hierarchy.issuing.der,)


def test_an_issuing_authority_vouches_for_seals_with_its_own_revocation_list_alone(
    tmp_path: Path, hierarchy: Pki
) -> None:
    _write(tmp_path / "ca.cer", hierarchy.issuing.der)
    _write(tmp_path / "issuing.crl", hierarchy.lists[1])
    trust = load_trust([tmp_path])
    for level in PadesLevel:
        judged = verify_certificate(seal(small_pdf(), level), trust, now=NOW)
        assert (judged.verdict, judged.pades_level) == (Verdict.PASSED, level)
    forged = seal(small_pdf(), PadesLevel.B_B, hierarchy=pki("forger"))
    assert verify_certificate(forged, trust, now=NOW).verdict is not Verdict.PASSED
    revoked = seal(small_pdf(), PadesLevel.B_B, who="revoked")
    _write(tmp_path / "issuing.crl", revocation_list(hierarchy.issuing, {SERIALS["revoked"]: NOW - YEAR}))
    assert verify_certificate(revoked, load_trust([tmp_path]), now=NOW).verdict is not Verdict.PASSED


def test_a_folder_gives_certificates_and_lists_and_ignores_other_files(tmp_path: Path, hierarchy: Pki) -> None:
    _write(tmp_path / "root.der", hierarchy.root.der)
    _write(tmp_path / "seal.crt", hierarchy.seals["seal"].der)
    _write(tmp_path / "issuing.crl", hierarchy.lists[1])
    _write(tmp_path / "root-crl.pem", x509.load_der_x509_crl(hierarchy.lists[0]).public_bytes(PEM))
    _write(tmp_path / "README.md", b"how to bring one's own")
    trust = load_trust([tmp_path], organizations=["VATES-S0711001H"])
    assert trust.anchors == (hierarchy.root.der,)
    assert trust.certificates == (hierarchy.seals["seal"].der,)
    assert set(trust.revocation_lists) == set(hierarchy.lists)
    assert trust.organizations == ("VATES-S0711001H",)
    assert verify_certificate(seal(small_pdf(), PadesLevel.B_B), trust, now=NOW).verdict is Verdict.PASSED


def test_a_forgers_root_of_the_same_name_is_another_anchor(tmp_path: Path, hierarchy: Pki) -> None:
    forger = pki("forger")
    _write(tmp_path / "a.pem", forger.root.certificate.public_bytes(PEM))
    _write(tmp_path / "b.pem", hierarchy.issuing.certificate.public_bytes(PEM))
    assert set(load_trust([tmp_path]).anchors) == {forger.root.der, hierarchy.issuing.der}


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    place = _write(tmp_path / "ca.pem", content)
    with pytest.raises(ConfigurationError, match="neither a certificate") as caught:
        load_trust([place])
    assert str(place) in caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_a_private_key_among_the_trust_is_refused(tmp_path: Path, hierarchy: Pki, name: str) -> None:
    key = hierarchy.root.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(tmp_path / name, hierarchy.root.certificate.public_bytes(PEM), key)
    with pytest.raises(ConfigurationError, match="private key") as caught:
        load_trust([tmp_path])
    assert "PRIVATE" not in str(caught.value)


def test_an_unencrypted_key_in_der_is_refused(tmp_path: Path, hierarchy: Pki) -> None:
    with pytest.raises(ConfigurationError, match="private key"):
        load_trust([_write(tmp_path / "ca.der", hierarchy.root.key_der)])


@pytest.mark.parametrize("name", ["missing.pem", "missing"])
def test_a_missing_place_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_trust([tmp_path / name])


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No certificate of an authority"):
        load_trust([tmp_path])


def test_a_seal_certificate_alone_is_no_trust(tmp_path: Path, hierarchy: Pki) -> None:
    with pytest.raises(ConfigurationError, match="No certificate of an authority"):
        load_trust([_write(tmp_path / "seal.cer", hierarchy.seals["seal"].der)])
