"""Seals like that of the demonstration, from an authority whose key is at hand: expired, revoked, or odd."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12, serialize_key_and_certificates

from sealtool.workspace import utc_now
from tests.pipeline.conftest import Folder
from tests.unit.sealing.conftest import Issuer, certificate

DAY = timedelta(days=1)
PASSPHRASE = "another passphrase"
BOTH, SIGNING_ALONE, NEITHER = (True, True), (True, False), (False, False)
"""Key usages: digitalSignature, nonRepudiation."""


@dataclass(frozen=True)
class OtherAuthority:
    """A root of its own, trusted by the folder beside that of the demonstration."""

    folder: Folder
    root: Issuer
    now: datetime

    @classmethod
    def beside(cls, folder: Folder) -> OtherAuthority:
        now = utc_now()
        key = ec.generate_private_key(ec.SECP256R1())
        root = certificate("another root", key, authority=True, valid=(now - 900 * DAY, now + 9000 * DAY))
        (folder.path / "pki" / "another.pem").write_bytes(root.public_bytes(Encoding.PEM))
        folder.configure('anchors = ["pki/root.pem"]', 'anchors = ["pki/root.pem", "pki/another.pem"]')
        return cls(folder, Issuer(root, key), now)

    def seal(
        self,
        key: CertificateIssuerPrivateKeyTypes | None = None,
        *,
        ends: datetime | None = None,
        usage: tuple[bool, bool] = BOTH,
        revoked: bool = False,
        more: str = "",
    ) -> x509.Certificate:
        """Makes a seal, and makes it the folder's.

        Args:
            key: its key; a new one on P-256 where there is none.
            ends: the end of its validity; in a year where none is named.
            usage: digitalSignature and nonRepudiation.
            revoked: whether the authority's revocation list has it.
            more: further lines for the section [seal].
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        issued = self._issue(key, ends or self.now + 365 * DAY, usage)
        content = serialize_key_and_certificates(
            b"seal",
            key,  # type: ignore[arg-type]
            issued,
            [self.root.certificate],
            BestAvailableEncryption(PASSPHRASE.encode()),
        )
        (self.folder.path / "pki" / "seal.p12").write_bytes(content)
        (self.folder.path / "pki" / "seal.passphrase").write_text(PASSPHRASE, encoding="utf-8")
        self.write_list(*([issued] if revoked else []))
        if more:
            self.folder.configure('pkcs12 = "pki/seal.p12"', f'pkcs12 = "pki/seal.p12"\n{more}')
        return issued

    def write_list(self, *revoked: x509.Certificate) -> None:
        """The authority's revocation list."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.root.certificate.subject)
        builder = builder.last_update(self.now - timedelta(hours=1)).next_update(self.now + 9000 * DAY)
        for each in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(each.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(self.now - timedelta(hours=2)).build())
        signed = builder.sign(self.root.key, hashes.SHA256())  # type: ignore[arg-type]
        (self.folder.path / "pki" / "another.crl").write_bytes(signed.public_bytes(Encoding.DER))

    def _issue(
        self, key: CertificateIssuerPrivateKeyTypes, ends: datetime, usage: tuple[bool, bool]
    ) -> x509.Certificate:
        model = self._model()
        builder = (
            x509.CertificateBuilder()
            .subject_name(model.subject)
            .issuer_name(self.root.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - 400 * DAY)
            .not_valid_after(ends)
        )
        for extension in model.extensions:
            match extension.value:
                case x509.SubjectKeyIdentifier() | x509.AuthorityKeyIdentifier():
                    continue
                case x509.KeyUsage():
                    value: x509.ExtensionType = _key_usage(*usage)
                case value:
                    pass
            builder = builder.add_extension(value, critical=extension.critical)
        return builder.sign(self.root.key, hashes.SHA256())

    def _model(self) -> x509.Certificate:
        passphrase = (self.folder.path / "pki" / "seal.passphrase").read_bytes().strip()
        bundle = load_pkcs12((self.folder.path / "pki" / "seal.p12").read_bytes(), passphrase)
        assert bundle.cert is not None
        return bundle.cert.certificate


def _key_usage(signs: bool, seals: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=seals,
        key_encipherment=not signs and not seals,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
