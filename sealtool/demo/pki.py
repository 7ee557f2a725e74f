"""Writes the demonstration PKI into the folder of a first-time user."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from sealtool.demo.authorities import (
    Holder,
    PrivateKey,
    empty_crl,
    issuing_authority,
    root_authority,
    seal,
    time_stamp_authority,
)
from sealtool.errors import OutputError

FOLDER = "pki"
KEY_BITS = 3072
"""RSA of less than 3000 bits is not recommended for new keys (ETSI TS 119 312)."""

_READ_ME = """\
A throw-away PKI for trying the tool out. What these keys seal has no legal value, and no validator outside this
folder trusts it. The keys of the two authorities were never written down, so nothing more can be issued or revoked.

root.pem               root certificate: the trust anchor
issuing.pem            certificate of the issuing authority
seal.p12, tsa.p12      keys and certificates of the seal and of the time stamp authority
*.passphrase           their passphrases; for the owner's eyes only
seal.cer               certificate of the seal (DER)
root.crl, issuing.crl  revocation lists of both authorities
"""


@dataclass(frozen=True, slots=True)
class DemoPki:
    """The files of a demonstration PKI, relative to the work folder, as a configuration names them.

    Attributes:
        trust_anchor: root certificate, PEM.
        issuing_certificate: certificate of the issuing authority, PEM.
        seal_pkcs12: key, certificate and issuer of the seal.
        seal_passphrase_file: its passphrase.
        seal_certificate: certificate of the seal, DER, as administrations publish theirs.
        tsa_pkcs12: key, certificate and issuer of the time stamp authority.
        tsa_passphrase_file: its passphrase.
        crl_files: glob pattern of the revocation lists, DER.
    """

    trust_anchor: PurePosixPath
    issuing_certificate: PurePosixPath
    seal_pkcs12: PurePosixPath
    seal_passphrase_file: PurePosixPath
    seal_certificate: PurePosixPath
    tsa_pkcs12: PurePosixPath
    tsa_passphrase_file: PurePosixPath
    crl_files: str


def create_demo_pki(
    folder: Path,
    *,
    now: datetime,
    key_bits: int = KEY_BITS,
    seal_key: PrivateKey | None = None,
    time_stamp_key: PrivateKey | None = None,
) -> DemoPki:
    """Make a root, an issuing authority, a seal, a time stamp authority and revocation lists in ``folder/pki``.

    Args:
        folder: the work folder; it exists.
        now: start of validity, aware: the seal lives three years from it, everything else six.
        key_bits: of every RSA key that is made.
        seal_key: of the seal, where it is not to be made here: of another kind, or on its way to a token.
        time_stamp_key: of the time stamp authority, in the same way.

    Raises:
        OutputError: there is such a folder already, or it cannot be written.
    """
    root = root_authority(now, key_bits)
    issuing = issuing_authority(root, now, key_bits)
    sealing = seal(issuing, now, seal_key or key_bits)
    stamping = time_stamp_authority(issuing, now, time_stamp_key or key_bits)
    seal_passphrase, tsa_passphrase = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    _write(
        folder / FOLDER,
        {
            "root.pem": root.certificate.public_bytes(Encoding.PEM),
            "issuing.pem": issuing.certificate.public_bytes(Encoding.PEM),
            "root.crl": empty_crl(root, now).public_bytes(Encoding.DER),
            "issuing.crl": empty_crl(issuing, now).public_bytes(Encoding.DER),
            "seal.cer": sealing.certificate.public_bytes(Encoding.DER),
            "seal.p12": _pkcs12("demo seal", sealing, issuing, seal_passphrase),
            "seal.passphrase": f"{seal_passphrase}\n".encode(),
            "tsa.p12": _pkcs12("demo tsa", stamping, issuing, tsa_passphrase),
            "tsa.passphrase": f"{tsa_passphrase}\n".encode(),
            "README.txt": _READ_ME.encode(),
        },
    )
    base = PurePosixPath(FOLDER)
    return DemoPki(
        trust_anchor=base / "root.pem",
        issuing_certificate=base / "issuing.pem",
        seal_pkcs12=base / "seal.p12",
        seal_passphrase_file=base / "seal.passphrase",
        seal_certificate=base / "seal.cer",
        tsa_pkcs12=base / "tsa.p12",
        tsa_passphrase_file=base / "tsa.passphrase",
        crl_files=str(base / "*.crl"),
    )


def _pkcs12(name: str, holder: Holder, issuer: Holder, passphrase: str) -> bytes:
    return serialize_key_and_certificates(
        name.encode(),
        holder.key,
        holder.certificate,
        [issuer.certificate],
        BestAvailableEncryption(passphrase.encode()),
    )


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """All the files or none: written beside their place first, for the owner alone."""
    if folder.exists():
        raise OutputError(
            f"The folder {folder} is there already; a new demonstration PKI would leave what the old one sealed "
            "without trust.",
            advice="Use another work folder, or remove that one if nothing in it is needed.",
        )
    try:
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as unfinished:
            finished = Path(unfinished) / folder.name
            finished.mkdir(mode=0o700)
            for name, content in files.items():
                # private from the first moment on: a chmod afterwards would leave a gap
                descriptor = os.open(finished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(content)
            finished.rename(folder)
    except OSError as error:
        raise OutputError(
            f"The demonstration PKI cannot be written to {folder}: {error.strerror}.",
            advice="Check that the work folder exists, may be written, and that there is room on the disk.",
        ) from error
