"""Seal keys kept in PKCS#12 files (``.p12``, ``.pfx``)."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12 as parse_pkcs12

from sealtool.errors import SealKeyError
from sealtool.sealing.certificate_files import issuers_of
from sealtool.sealing.held_key import HeldKeySigner
from sealtool.sealing.keys import SealKey, refuse_weak_key
from sealtool.sealing.secret_files import read_secret_file

_EXPORT_AGAIN = "Export the seal again, with its private key and certificate, and name that file."


def load_pkcs12(path: Path, passphrase: bytes, *, prefer_pss: bool = False) -> SealKey:
    """The seal key of a PKCS#12 file. The private key is parsed here, once, and held.

    Args:
        path: the file.
        passphrase: opens it.
        prefer_pss: sign with RSA-PSS instead of RSA PKCS#1 v1.5; means nothing for ECDSA keys.

    Raises:
        SealKeyError: the file is open to other users, cannot be read or opened, or lacks key or certificate; they do
            not belong together, or the key is too weak.
    """
    bundle = _opened(path, passphrase)
    private_key = bundle.key
    if private_key is None:
        raise SealKeyError(
            f"The file {path} holds no private key, so nothing can be sealed with it.", advice=_EXPORT_AGAIN
        )
    others = [entry.certificate for entry in bundle.additional_certs]
    public_key = private_key.public_key()
    if bundle.cert is None and not others:
        raise SealKeyError(
            f"The file {path} holds no certificate, so nobody could tell whose seal it is.", advice=_EXPORT_AGAIN
        )
    if bundle.cert is None or bundle.cert.certificate.public_key() != public_key:
        raise SealKeyError(
            f"No certificate in {path} belongs to the private key in it, so its seals could not be validated.",
            advice=_EXPORT_AGAIN,
        )
    refuse_weak_key(public_key, str(path))
    if not isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):  # pragma: no cover
        raise TypeError(type(private_key).__name__)  # refuse_weak_key lets no other kind through
    certificate = bundle.cert.certificate
    chain = issuers_of(certificate, others)
    signer = HeldKeySigner(private_key, certificate, chain, prefer_pss=prefer_pss)
    return SealKey(source=str(path), certificate=certificate, chain=chain, signer=signer)


def _opened(path: Path, passphrase: bytes) -> PKCS12KeyAndCertificates:
    content = read_secret_file(path, "seal key")
    try:
        return parse_pkcs12(content, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # the library does not tell a wrong passphrase from a file that is something else
        raise SealKeyError(
            f"The seal key in {path} cannot be opened: the passphrase is wrong, or the file is not PKCS#12.",
            advice="Check the passphrase source in the configuration, then the file (openssl pkcs12 -info -in …).",
        ) from error
