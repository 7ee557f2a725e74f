"""The seal key as the rest of the room sees it, wherever it is kept.

A key source (a PKCS#12 file, a PKCS#11 token, a remote signing service) makes a :class:`SealKey`: the seal
certificate, its chain, and something that signs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.sign.signers.pdf_cms import Signer

from sealtool.errors import SealKeyError

SealingPublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

SMALLEST_RSA_KEY = 2048
"""Bits; ETSI TS 119 312 knows no shorter one."""

_RENEW = "Renew the seal certificate with its issuer and name the new key in the configuration."


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key that can seal, with its certificate. Never shows the key.

    Attributes:
        source: where the key is kept, for messages (the path of the PKCS#12 file, the label of the token).
        certificate: the seal certificate.
        chain: certificates of its issuers, as far as the source has them.
        signer: makes the signatures; the one place where the private key is.
    """

    source: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    signer: Signer = field(repr=False, compare=False)

    @property
    def subject(self) -> str:
        """Distinguished name of the seal, RFC 4514."""
        return self.certificate.subject.rfc4514_string()

    @property
    def common_name(self) -> str:
        """Common name of the seal, or the whole name where there is none."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else self.subject

    @property
    def organization(self) -> str:
        """The organizationIdentifier of the seal (EN 319 412-3, 4.2.1), empty where it has none."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
        return str(names[0].value) if names else ""

    @property
    def not_before(self) -> datetime:
        """First moment of validity, UTC."""
        return self.certificate.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """Last moment of validity, UTC."""
        return self.certificate.not_valid_after_utc

    def check(self, now: datetime) -> None:
        """See :func:`check_seal_certificate`."""
        check_seal_certificate(self, now)


def check_seal_certificate(key: SealKey, now: datetime) -> None:
    """Make sure that the seal certificate may seal at ``now``, as far as the certificate alone can tell.

    Trust and revocation are asked when the first document is sealed.

    Raises:
        SealKeyError: it is not yet valid, has expired, is not meant for signatures or seals, or belongs to a CA.
    """
    what = f"The seal certificate «{key.common_name}» ({key.source})"
    if now < key.not_before:
        raise SealKeyError(
            f"{what} is not valid before {key.not_before:%Y-%m-%d %H:%M} UTC: a seal made now would be invalid.",
            advice="Check the clock of this machine, or wait for that day.",
        )
    if now > key.not_after:
        raise SealKeyError(
            f"{what} expired on {key.not_after:%Y-%m-%d %H:%M} UTC: a seal made now would be invalid.", advice=_RENEW
        )
    if _is_authority(key.certificate):
        raise SealKeyError(
            f"{what} is the certificate of a certification authority, which must not seal documents.",
            advice="Name the key and certificate of the seal itself in the configuration.",
        )
    if not _may_sign(key.certificate):
        # EN 319 412-2, 4.3.2 (through EN 319 412-3): one of the two is there in every certificate for seals
        raise SealKeyError(
            f"{what} is not meant for seals: its key usage has neither digitalSignature nor nonRepudiation, so "
            "validators would refuse what it seals.",
            advice="Name the key and certificate of the seal itself in the configuration.",
        )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature or usage.content_commitment


def refuse_weak_key(public_key: PublicKeyTypes, source: str) -> None:
    """Make sure that a key is of a kind and size that seals are made with.

    Raises:
        SealKeyError: it is neither RSA of 2048 bits or more nor ECDSA on P-256 or P-384.
    """
    advice = "Ask the issuer for a seal with an RSA key of 3072 bits or an ECDSA key on P-256 or P-384."
    match public_key:
        case rsa.RSAPublicKey() if public_key.key_size < SMALLEST_RSA_KEY:
            raise SealKeyError(
                f"The RSA key in {source} has {public_key.key_size} bits; seals made with less than "
                f"{SMALLEST_RSA_KEY} are not trusted.",
                advice=advice,
            )
        case rsa.RSAPublicKey():
            return
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1()):
            return
        case _:
            raise SealKeyError(
                f"The key in {source} is of a kind that seals are not made with; RSA, and ECDSA on P-256 or P-384 are.",
                advice=advice,
            )


def longest_signature(public_key: SealingPublicKey) -> int:
    """Bytes that a signature of this key has at most."""
    size = (public_key.key_size + 7) // 8
    # ECDSA: two integers, each with a sign byte, tag and length, in a sequence (RFC 3279, 2.2.3)
    return size if isinstance(public_key, rsa.RSAPublicKey) else 2 * (size + 3) + 3


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """The same certificate as the PDF library wants it."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
