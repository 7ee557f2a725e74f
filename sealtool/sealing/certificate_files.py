"""Certificates beside a seal key: read from files, put in the order that leads to the root."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sealtool.errors import SealKeyError
from sealtool.regular_files import read_regular_file
from sealtool.sealing.keys import SealingPublicKey, refuse_weak_key


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of a file, PEM or DER; OSError or ValueError where there are none to be read."""
    content = read_regular_file(path)
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificates(content)
    return [x509.load_der_x509_certificate(content)]


def certificates_in(path: Path, setting: str) -> list[x509.Certificate]:
    """The certificates of a file, PEM or DER.

    Args:
        path: the file.
        setting: the part of the configuration that names it, for the advice.

    Raises:
        SealKeyError: it cannot be read, or holds no certificate.
    """
    try:
        return read_certificates(path)
    except OSError as error:
        raise SealKeyError(
            f"The certificate of the seal cannot be read from {path}: {error.strerror}.",
            advice=f"Check the path in {setting}.",
        ) from error
    except ValueError as error:
        raise SealKeyError(
            f"The file {path} holds no certificate, in PEM or in DER.",
            advice="Put the certificate there that belongs to the key of the seal.",
        ) from error


def sealing_public_key(certificate: x509.Certificate, source: str) -> SealingPublicKey:
    """The public key of a seal certificate.

    Raises:
        SealKeyError: it cannot be read, or seals are not made with its kind or size.
    """
    try:
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SealKeyError(
            f"The certificate «{certificate.subject.rfc4514_string()}» for the key on the {source} has a key that "
            "cannot be read.",
            advice="Ask the issuer for a seal with an RSA key of 3072 bits or an ECDSA key on P-256 or P-384.",
        ) from error
    refuse_weak_key(public_key, source)
    if not isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):  # pragma: no cover
        raise TypeError(type(public_key).__name__)  # refuse_weak_key lets no other kind through
    return public_key


def issuers_of(certificate: x509.Certificate, pool: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Of all the certificates at hand, those that lead to the root: a seal carries no others."""
    pool = list(dict.fromkeys(pool))
    chain: list[x509.Certificate] = []
    last = certificate
    while issuer := next((each for each in pool if each not in chain and _issued(each, last)), None):
        chain.append(issuer)
        last = issuer
    return tuple(chain)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if issuer == certificate:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
