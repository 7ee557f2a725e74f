"""Whom the verifier trusts: what is handed in, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from sealtool.errors import ConfigurationError
from sealtool.regular_files import read_regular_file
from sealtool.verification.facts import organization_identifier
from sealtool.verification.qualified import NO_SERVICES, QualifiedServices

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_XML_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_CERTIFICATE_LABELS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_FOLDER_SUFFIXES = {".pem", ".crt", ".cer", ".der", ".crl", ".key", ".p12", ".pfx", ".xml", ".xtsl"}
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
        services: what trusted lists say. Services are anchors for the times at which they had qualified status, and
            only for what they are listed for; the ``anchors`` above are so at any time.
    """

    anchors: tuple[bytes, ...]
    certificates: tuple[bytes, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()
    organizations: tuple[str, ...] = ()
    services: QualifiedServices = NO_SERVICES


@dataclass(slots=True)
class _HandedIn:
    """What lies in the files, each thing once."""

    certificates: dict[bytes, x509.Certificate] = field(default_factory=dict)
    revocation_lists: dict[bytes, None] = field(default_factory=dict)
    trusted_lists: dict[Path, bytes] = field(default_factory=dict)

    def take(self, place: Path) -> None:
        content = _content(place)
        if _XML_BEGINNING.match(content):
            self.trusted_lists[place] = content
            return
        for item in _items(place, content):
            if isinstance(item, x509.Certificate):
                self.certificates[item.public_bytes(Encoding.DER)] = item
            else:
                self.revocation_lists[item.public_bytes(Encoding.DER)] = None


def load_trust(paths: Iterable[Path], organizations: Iterable[str] = (), *, now: datetime | None = None) -> Trust:
    """Reads certificates and revocation lists, PEM or DER, and trusted lists, from files and folders (one level deep).

    A self-signed certificate of an authority becomes an anchor; so does an intermediate authority whose issuer
    was not handed in. Everything else helps to build chains, may sign a trusted list, and is trusted for nothing more.

    Args:
        paths: files and folders.
        organizations: organizationIdentifiers whose seals are accepted. They do not sign trusted lists.
        now: when trusted lists have to be in force, aware. Without it none may be among the files.

    Raises:
        ConfigurationError: nothing usable, something that is none of these, a trusted list that cannot be believed,
            or a private key lying among them.
        ValueError: there is a trusted list, and ``now`` is not given.
    """
    places = [Path(path) for path in paths]
    accepted = tuple(organizations)
    handed_in = _HandedIn()
    for place in _files(places):
        handed_in.take(place)
    certificates = handed_in.certificates
    anchors = tuple(der for der, found in certificates.items() if _is_anchor(found, certificates.values()))
    services = _services(handed_in, accepted, now)
    if not anchors and not services:
        where = ", ".join(str(place) for place in places) or "the configuration"
        raise ConfigurationError(
            f"No certificate of an authority was found in {where}, so no seal could be traced to anybody.",
            advice="Hand in the root certificate of the authority that issued the seal certificate, as PEM or DER; or "
            "an EU trusted list with the certificate of its signer.",
        )
    helpers = tuple(der for der in certificates if der not in anchors)
    return Trust(anchors, helpers, tuple(handed_in.revocation_lists), accepted, services)


def _services(handed_in: _HandedIn, organizations: Collection[str], now: datetime | None) -> QualifiedServices:
    if not handed_in.trusted_lists:
        return NO_SERVICES
    if now is None or now.tzinfo is None:
        raise ValueError("a trusted list is in force at a moment, which must be given and aware")
    # Whose seals are judged cannot say who vouches for them.
    signers = [
        one
        for one in handed_in.certificates.values()
        if not _is_authority(one) and organization_identifier(one) not in organizations
    ]
    # The libraries for lists take half a second to load: only where there is one.
    from sealtool.verification.trusted_lists import read_trusted_lists  # noqa: PLC0415

    return read_trusted_lists(handed_in.trusted_lists, signers, now)


def _files(places: list[Path]) -> Iterator[Path]:
    for place in places:
        with _in_our_words(place):
            found = _files_in(place) if place.is_dir() else [place]
        yield from found


def _files_in(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in _FOLDER_SUFFIXES)


def _content(place: Path) -> bytes:
    with _in_our_words(place):
        if place.stat().st_size > _MAX_BYTES:
            raise ConfigurationError(
                f"{place} is too large to be a certificate, a revocation list or a trusted list.",
                advice="Check the path of the trust.",
            )
        return read_regular_file(place)


@contextmanager
def _in_our_words(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{place} cannot be read ({error.strerror}), so whom to trust is unknown.",
            advice="Check the path and its permissions.",
        ) from error


def _items(place: Path, data: bytes) -> Iterator[x509.Certificate | x509.CertificateRevocationList]:
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
            f"{place} is neither a certificate nor a revocation list nor a trusted list: whom to trust is unclear.",
            advice="Hand in certificates (PEM or DER), revocation lists (CRL) and EU trusted lists (XML) only.",
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


def _is_authority(candidate: x509.Certificate) -> bool:
    try:
        return candidate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _is_anchor(candidate: x509.Certificate, handed_in: Iterable[x509.Certificate]) -> bool:
    if not _is_authority(candidate):
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
