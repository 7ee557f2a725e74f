"""What a forger has: certificates as they were issued, and time stamps that anybody can buy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from pyhanko.sign import timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

from sealtool.demo import create_demo_pki
from sealtool.founding import found_workspace
from sealtool.model import PadesLevel
from sealtool.verification import Trust, load_trust
from sealtool.workspace import utc_now
from tests.exports import write_export
from tests.pipeline.conftest import PEOPLE, Folder

BB, LTA = PadesLevel.B_B, PadesLevel.B_LTA
LEVELS = (BB, LTA)


@dataclass(frozen=True)
class Workshop:
    """The material of all attacks on issued certificates.

    Attributes:
        issued: a B1 certificate for each level of the seal.
        others: for each level another certificate, of the same person: an A1.
        trust: root and revocation lists of the demonstration, and the organisation whose seals count.
        now: when everything is judged.
    """

    folder: Path
    issued: Mapping[PadesLevel, bytes]
    others: Mapping[PadesLevel, bytes]
    trust: Trust
    now: datetime

    @cached_property
    def stamper(self) -> timestamps.DummyTimeStamper:
        """The demonstration's authority, trusted like the seal's."""
        pki = self.folder / "pki"
        held = load_pkcs12((pki / "tsa.p12").read_bytes(), (pki / "tsa.passphrase").read_bytes().strip())
        assert held.cert is not None
        assert held.key is not None
        key = held.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return timestamps.DummyTimeStamper(
            tsa_cert=asn1_x509.Certificate.load(held.cert.certificate.public_bytes(Encoding.DER)),
            tsa_key=asn1_keys.PrivateKeyInfo.load(key),
            certs_to_embed=SimpleCertificateStore.from_certs(
                asn1_x509.Certificate.load(one.certificate.public_bytes(Encoding.DER)) for one in held.additional_certs
            ),
            fixed_dt=self.now,
        )


def open_workshop(place: Path) -> Workshop:
    """Issues the certificates in a new demonstration folder, with the real command."""
    started = utc_now()
    found_workspace(place / "work", demo=True, now=started, make_pki=partial(create_demo_pki, key_bits=2048))
    folder = Folder(place / "work")
    folder.configure("workers = 0", "workers = 1")
    text = folder.configuration.read_text(encoding="utf-8")
    registry = _registry(place / "registry")
    files: dict[tuple[PadesLevel, str], bytes] = {}
    for level, person in zip(LEVELS, PEOPLE, strict=False):
        folder.configuration.write_text(text.replace('level = "B-LTA"', f'level = "{level}"'), encoding="utf-8")
        outcome = folder.call(
            "issue", "--registry", registry, "--level", "B1", "--level", "A1", "--person", person, "--json"
        )
        assert outcome.code == 0, outcome.out + outcome.err
        files |= {(level, path.parent.name): path.read_bytes() for path in folder.certificates if _is_new(path, files)}
    pki = folder.path / "pki"
    trust = load_trust([pki / "root.pem", pki / "root.crl", pki / "issuing.crl"], ["VATES-S0711001H"])
    return Workshop(
        folder.path,
        {level: files[level, "B1"] for level in LEVELS},
        {level: files[level, "A1"] for level in LEVELS},
        trust,
        utc_now(),
    )


def _is_new(path: Path, known: Mapping[tuple[PadesLevel, str], bytes]) -> bool:
    return path.read_bytes() not in known.values()


def _registry(folder: Path) -> Path:
    people = PEOPLE[: len(LEVELS)]
    grants = [(person, level, "", "test", "2025-03-12", "REF-1") for person in people for level in ("B1", "A1")]
    return write_export(folder, [(person, "Gal·la", "Puigserver i Sant-Joan", "d'Ocón") for person in people], grants)
