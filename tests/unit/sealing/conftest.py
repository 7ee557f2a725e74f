"""One demonstration PKI a session, a small PDF, and a maker of odd certificates with cheap keys."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import weasyprint
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from sealtool.demo import DemoPki, create_demo_pki
from sealtool.model import UnsealedPdf
from sealtool.sealing import (
    LocalTimeStampAuthority,
    RevocationSources,
    SealKey,
    load_pkcs12,
    load_trust_anchors,
)
from tests.pki.services import Services, running
from tests.web_servers import Reply, answering

# in the past of every machine: the validation of the library takes its own clock for when it first saw a file
NOW = datetime(2025, 11, 3, 12, 0, tzinfo=UTC)
PASSPHRASE = b"correct horse"


@dataclass(frozen=True)
class Pki:
    """The demonstration PKI, loaded as the tool loads it."""

    folder: Path
    files: DemoPki
    seal: SealKey
    authority: LocalTimeStampAuthority
    anchors: tuple[x509.Certificate, ...]
    revocation: RevocationSources
    now: datetime = NOW

    def passphrase(self, file: object) -> bytes:
        return (self.folder / str(file)).read_bytes().strip()


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("work")
    files = create_demo_pki(folder, now=NOW, key_bits=2048)
    seal = load_pkcs12(folder / files.seal_pkcs12, (folder / files.seal_passphrase_file).read_bytes().strip())
    authority = LocalTimeStampAuthority.from_pkcs12(
        folder / files.tsa_pkcs12, (folder / files.tsa_passphrase_file).read_bytes().strip(), clock=lambda: NOW
    )
    anchors = load_trust_anchors([folder / files.trust_anchor])
    return Pki(folder, files, seal, authority, anchors, RevocationSources((str(folder / files.crl_files),)))


@pytest.fixture(scope="session")
def pdf() -> UnsealedPdf:
    html = """<html lang="ca"><title>Certificat</title><body><h1>Certificat</h1><p>Primera pàgina</p>
    <p style="break-before: page" lang="es">Segunda página</p></body></html>"""
    with warnings.catch_warnings():
        # WeasyPrint leaves the colour profile of PDF/A open
        warnings.simplefilter("ignore", ResourceWarning)
        content = weasyprint.HTML(string=html).write_pdf(pdf_variant="pdf/a-3a")
        gc.collect()
    return UnsealedPdf(content, pages=2)


@dataclass(frozen=True)
class Issuer:
    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes


def certificate(
    common_name: str,
    key: CertificateIssuerPrivateKeyTypes,
    issuer: Issuer | None = None,
    *,
    authority: bool = False,
    signs: bool = True,
    valid: tuple[datetime, datetime] = (NOW - timedelta(days=1), NOW + timedelta(days=365)),
    crl_address: str = "",
) -> x509.Certificate:
    """Of a key: a seal's unless told otherwise, self-issued where there is no issuer."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    issuer_key = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signs and not authority,
                content_commitment=False,
                key_encipherment=not signs,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if crl_address:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_address)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pkcs12(path: Path, key: CertificateIssuerPrivateKeyTypes, cert: x509.Certificate | None) -> Path:
    path.touch(0o600)
    path.write_bytes(serialize_key_and_certificates(b"seal", key, cert, None, BestAvailableEncryption(PASSPHRASE)))
    return path


def crl(issuer: Issuer, *revoked: x509.Certificate, on: datetime = NOW - timedelta(hours=2)) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - timedelta(hours=1))
        .next_update(NOW + timedelta(days=7))
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(on).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class OddSeals:
    """Seals of a small authority with elliptic keys, as odd as a test wants them."""

    folder: Path
    root: Issuer

    def certificate(self, name: str, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
        return certificate(name, key, self.root)

    def seal(self, *, name: str = "odd seal", **oddities: object) -> SealKey:
        key = ec.generate_private_key(ec.SECP256R1())
        issued = certificate(name, key, self.root, **oddities)  # type: ignore[arg-type]
        return load_pkcs12(pkcs12(self.folder / f"{issued.serial_number}.p12", key, issued), PASSPHRASE)

    def crl_file(self, *revoked: SealKey, on: datetime = NOW - timedelta(hours=2)) -> RevocationSources:
        path = self.folder / "root.crl"
        path.write_bytes(self.crl(*revoked, on=on))
        return RevocationSources((str(path),))

    def crl(self, *revoked: SealKey, on: datetime = NOW - timedelta(hours=2)) -> bytes:
        return crl(self.root, *(key.certificate for key in revoked), on=on)


@pytest.fixture
def odd(tmp_path: Path) -> OddSeals:
    key = ec.generate_private_key(ec.SECP256R1())
    root = certificate("odd root", key, authority=True, valid=(NOW - timedelta(days=900), NOW + timedelta(days=900)))
    return OddSeals(tmp_path, Issuer(root, key))


Answer = Callable[[bytes], tuple[int, bytes]]


@dataclass
class Service:
    """An HTTP server on loopback that answers as the test says."""

    url: str
    authority: LocalTimeStampAuthority
    answer: Answer = lambda _: (500, b"")
    content_type: str = "application/timestamp-reply"
    requests: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def honest(self, request: bytes) -> tuple[int, bytes]:
        """As an authority should."""
        return 200, asyncio.run(self.authority._answer(tsp.TimeStampReq.load(request))).dump()

    def silence(self, _: bytes) -> tuple[int, bytes]:
        self.stop.wait(5)
        return 500, b""


@pytest.fixture
def service(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Service("", pki.authority)

    def answer(_: Message, content: bytes) -> Reply:
        state.requests += 1
        status, content = state.answer(content)
        return status, {"Content-Type": state.content_type}, content

    with answering(answer) as state.url:
        yield state
        state.stop.set()


@pytest.fixture(scope="session")
def running_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with running(tmp_path_factory.mktemp("services"), NOW) as services:
        yield services


@pytest.fixture
def services(running_services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """OCSP responders, CRL repositories and time stamp authorities, all of them well and honest to begin with."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running_services.reset(NOW)
    yield running_services
    breakdowns = list(running_services.breakdowns)
    running_services.reset(NOW)
    assert breakdowns == []


@pytest.fixture
def free_port_url() -> str:
    """An address where nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_address[1]
    server.server_close()
    return f"http://127.0.0.1:{port}/"
