"""A hierarchy over the years: seals and time stamp authorities that run out, and revocation lists of each day.

Loaded the way the tool loads them, and under the names that a demonstration folder has, so that a test can put one in
the place of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealtool.model import PadesLevel
from sealtool.sealing import (
    Extender,
    LocalTimeStampAuthority,
    RevocationSources,
    Sealer,
    SealingProfile,
    load_pkcs12,
    load_trust_anchors,
)
from sealtool.sealing.time_stamps import TimeStampAuthority
from sealtool.verification import Trust
from tests.pki.authorities import SEALED_AT, YEAR, Profile, issue, pki, revocation_list, seal_profile

PASSPHRASE = b"correct horse"
SEAL_ENDS = SEALED_AT + timedelta(days=30)
FIRST_ENDS = SEALED_AT + timedelta(days=120)
SECOND_ENDS = SEALED_AT + 5 * YEAR
"""When the seal certificate and the certificates of the two time stamp authorities run out."""

_SERIALS = {"seal": 0x5EA1, "next-seal": 0x5EA2, "first": 0x7501, "second": 0x7502}


@dataclass
class Clock:
    """The time it is, as a test sets it."""

    now: datetime = SEALED_AT

    def __call__(self) -> datetime:
        return self.now


def _authority_profile(name: str, end: datetime) -> Profile:
    usages = ("digital_signature",)
    stamping = (ExtendedKeyUsageOID.TIME_STAMPING,)
    return Profile(f"{name} authority", SEALED_AT - YEAR, end, usages, extended_usages=stamping)


@dataclass
class Timeline:
    """The files of the hierarchy in a folder, and what is made of them at the time that its clock tells."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    revoked: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "root.pem").write_bytes(pki().root.certificate.public_bytes(Encoding.PEM))
        for name in _SERIALS:
            for ending, content in (("p12", _bundle(name)), ("passphrase", PASSPHRASE)):
                secret = self.folder / f"{name}.{ending}"
                secret.touch(0o600)
                secret.write_bytes(content)
        self.at(self.clock.now)

    def at(self, moment: datetime) -> Timeline:
        """Moves the clock, and publishes the revocation lists of that day."""
        self.clock.now = moment
        published = moment - timedelta(hours=1)
        entries: Mapping[int, datetime] = {
            _SERIALS[name]: day for name, day in self.revoked.items() if day <= published
        }
        root, issuing = pki().root, pki().issuing
        (self.folder / "root.crl").write_bytes(revocation_list(root, this_update=published))
        (self.folder / "issuing.crl").write_bytes(revocation_list(issuing, entries, this_update=published))
        return self

    @property
    def lists(self) -> RevocationSources:
        return RevocationSources((str(self.folder / "*.crl"),))

    @property
    def trust(self) -> Trust:
        """The anchor alone: what a file at B-LT or B-LTA has to pass on."""
        return Trust((pki().root.der,))

    @property
    def informed_trust(self) -> Trust:
        """The anchor, and the lists of the day."""
        return Trust((pki().root.der,), (), tuple(path.read_bytes() for path in sorted(self.folder.glob("*.crl"))))

    def authority(self, name: str) -> LocalTimeStampAuthority:
        return LocalTimeStampAuthority.from_pkcs12(self.folder / f"{name}.p12", PASSPHRASE, clock=self.clock)

    def sealer(self, level: PadesLevel, authority: str = "first") -> Sealer:
        return Sealer(
            load_pkcs12(self.folder / "seal.p12", PASSPHRASE),
            SealingProfile(level),
            time_stamps=[self.authority(authority)],
            trust_anchors=load_trust_anchors([self.folder / "root.pem"]),
            revocation=self.lists,
            clock=self.clock,
        )

    def extender(self, *authorities: TimeStampAuthority, revocation: RevocationSources | None = None) -> Extender:
        return Extender(
            time_stamps=authorities or [self.authority("first")],
            trust_anchors=load_trust_anchors([self.folder / "root.pem"]),
            revocation=self.lists if revocation is None else revocation,
            clock=self.clock,
        )


@cache
def _bundle(name: str) -> bytes:
    """A PKCS#12 file, made once a process: keys take their time, and so does their encryption."""
    profiles = {
        "seal": seal_profile(valid_until=SEAL_ENDS),
        "next-seal": seal_profile(common_name="Next test seal", valid_until=SECOND_ENDS),
        "first": _authority_profile("First", FIRST_ENDS),
        "second": _authority_profile("Second", SECOND_ENDS),
    }
    key = ec.generate_private_key(ec.SECP256R1())  # opened in a tenth of the time of an RSA key
    issuing = pki().issuing
    certificate = issue(profiles[name], key, issuing, _SERIALS[name]).certificate
    encryption = (
        PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).build(PASSPHRASE)  # quick, and not a secret
    )
    return serialize_key_and_certificates(b"x", key, certificate, [issuing.certificate], encryption)
