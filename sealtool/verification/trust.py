"""Whom the verifier trusts: what is handed in, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from sealtool.errors import ConfigurationError

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_FOLDER_SUFFIXES = {".pem", ".crt", ".cer", ".der", ".crl", ".key", ".p12", ".pfx"}
_MAX_BYTES = 64 * 1024 * 1024
_KEY_ADVICE = (
    "Move the key to where only the sealing process can read it and keep public certificates and revocation lists "
    "here; if others could read this place, have the certificate revoked."
)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a verification may rely on. Frozen and picklable: everything is DER.

    Attributes:
        anchors: certificates of the authorities that are trusted as such, for seals and time stamps alike.
        certificates: others that help to build a chain; they are trusted for nothing.
        revocation_lists: CRLs; each counts only if it is signed by the authority it speaks for.
        organizations: organizationIdentifiers (``VATES-S0711001H``) whose seals are accepted; empty accepts the
            seal of any organisation that the anchors vouch for.
    """

    anchors: tuple[bytes, ...]
    certificates: tuple[bytes, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()
    organizations: tuple[str, ...] = ()


def load_trust(paths: Iterable[Path], organizations: Iterable[str] = ()) -> Trust:
    """Reads certificates and revocation lists, PEM or DER, from files and folders (one level deep).

    A self-signed certificate of an authority becomes an anchor; so does an intermediate authority whose issuer
    was not handed in. Everything else helps to build chains and is trusted for nothing.

    Raises:
        ConfigurationError: nothing usable, something that is neither certificate nor revocation list, or a
            private key lying among them.
    """
    certificates: dict[bytes, x509.Certificate] = {}
    lists: dict[bytes, None] = {}
    places = [Path(path) for path in paths]
    for place in _files(places):
        for item in _read(place):
            if isinstance(item, x509.Certificate):
                certificates[item.public_bytes(Encoding.DER)] = item
            else:
                lists[item.public_bytes(Encoding.DER)] = None
    anchors = tuple(der for der, found in certificates.items() if _is_anchor(found, certificates.values()))
    if not anchors:
        where = ", ".join(str(place) for place in places) or "the configuration"
        raise ConfigurationError(
            f"No certificate of an authority was found in {where}, so no seal could be traced to anybody.",
            advice="Hand in the root certificate of the authority that issued the seal certificate, as PEM or DER.",
        )
    helpers = tuple(der for der in certificates if der not in anchors)
    return Trust(anchors, helpers, tuple(lists), tuple(organizations))


def _files(places: list[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(
                entry for entry in place.iterdir() if entry.is_file() and entry.suffix.lower() in _FOLDER_SUFFIXES
            )
        else:
            yield place


def _read(place: Path) -> Iterator[x509.Certificate | x509.CertificateRevocationList]:
    try:
        if place.stat().st_size > _MAX_BYTES:
            raise ConfigurationError(
                f"{place} is too large to be a certificate or revocation list.", advice="Check the path of the trust."
            )
        data = place.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{place} cannot be read ({error.strerror}), so whom to trust is unknown.",
            advice="Check the path and its permissions.",
        ) from error
    if place.suffix.lower() in (".p12", ".pfx", ".key") or b"PRIVATE KEY-----" in data:
        raise _private_key(place)
    blocks = list(_PEM_BLOCK.finditer(data))
    try:
        if blocks:
            for block in blocks:
                yield _from_pem(block.group(1), block.group(0))
        else:
            yield _from_der(data)
    except ValueError as error:
        if _is_private_key(data):
            raise _private_key(place) from None
        raise ConfigurationError(
            f"{place} is neither a certificate nor a revocation list, so it is unclear whom to trust.",
            advice="Hand in certificates (PEM or DER) and revocation lists (CRL) only.",
        ) from error


def _private_key(place: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{place} holds a private key among the trusted certificates, which are meant to be public.",
        advice=_KEY_ADVICE,
    )


def _is_private_key(data: bytes) -> bool:
    try:
        load_der_private_key(data, None)
    except TypeError:
        return True  # an encrypted one
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _from_pem(label: bytes, block: bytes) -> x509.Certificate | x509.CertificateRevocationList:
    if label in _CERTIFICATE_LABELS:
        return x509.load_pem_x509_certificate(block)
    if label == b"X509 CRL":
        return x509.load_pem_x509_crl(block)
    raise ValueError(label)


def _from_der(data: bytes) -> x509.Certificate | x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_certificate(data)
    except ValueError:
        return x509.load_der_x509_crl(data)


def _is_anchor(candidate: x509.Certificate, handed_in: Iterable[x509.Certificate]) -> bool:
    try:
        constraints = candidate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    if not constraints.ca:
        return False
    if _issued_by(candidate, candidate):
        return True
    return not any(_issued_by(candidate, other) for other in handed_in if other != candidate)


def _issued_by(candidate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        candidate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
