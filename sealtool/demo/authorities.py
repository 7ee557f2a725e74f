"""Certificates and CRLs of the demonstration: made in memory, by authorities whose keys are then forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealtool.demo.qualified import eseal_statements

ORGANISATION = "DEMOSTRACIO - no value"
ORGANISATION_IDENTIFIER = "VATES-S0711001H"
"""Semantics identifier of legal persons, by tax number (EN 319 412-1, 5.1.4)."""

SEAL_POLICIES = ("2.16.724.1.3.5.6.2", "0.4.0.194112.1.1")
"""Seal of medium level (profiles of Ley 40/2015), and QCP-l (EN 319 411-2)."""

YEAR = timedelta(days=365)
SEAL_LIFE = 3 * YEAR
SERVICE_LIFE = 6 * YEAR
"""Of authorities, time stamps and CRLs: longer than any seal, so that nothing but the seal can run out."""

BACKDATED = timedelta(days=1)
"""Certificates are valid since the day before, whatever the clocks around say; CRLs since an hour ago, which is
after the certificates they speak of."""

_CRL_BACKDATED = timedelta(hours=1)


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: PrivateKey


def _new_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _name(common_name: str, *, seal: bool = False) -> x509.Name:
    identifier = [x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, ORGANISATION_IDENTIFIER)] if seal else []
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ES"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            *identifier,
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, digital_signature: bool = False, seals: bool = False, authority: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=seals,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _policies(*oids: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids])


def _issue(
    name: x509.Name,
    issuer: Holder | None,
    validity: tuple[datetime, datetime],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    key: int | PrivateKey,
) -> Holder:
    """A key (a new one where its bits are given) and its certificate, issued by ``issuer`` or by itself."""
    key = _new_key(key) if isinstance(key, int) else key
    issuer_name, issuer_key = (name, key) if issuer is None else (issuer.certificate.subject, issuer.key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Holder(builder.sign(issuer_key, hashes.SHA256()), key)


def root_authority(now: datetime, key_bits: int) -> Holder:
    """The trust anchor."""
    return _issue(
        _name("DEMO - Root CA (no legal value)"),
        None,
        (now - BACKDATED, now + SERVICE_LIFE),
        [(x509.BasicConstraints(ca=True, path_length=None), True), (_usage(authority=True), True)],
        key_bits,
    )


def issuing_authority(root: Holder, now: datetime, key_bits: int) -> Holder:
    """The authority that issues the seal and the time stamps' certificate."""
    any_policy = "2.5.29.32.0"
    return _issue(
        _name("DEMO - Issuing CA (no legal value)"),
        root,
        (now - BACKDATED, now + SERVICE_LIFE),
        [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (_usage(authority=True), True),
            (_policies(any_policy), False),
        ],
        key_bits,
    )


def seal(issuing: Holder, now: datetime, key: int | PrivateKey) -> Holder:
    """A seal that looks qualified (EN 319 412-3) and says in every name that it is not."""
    return _issue(
        _name("DEMO - SEGELL ELECTRONIC DE PROVA (no legal value)", seal=True),
        issuing,
        (now - BACKDATED, now + SEAL_LIFE),
        [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(digital_signature=True, seals=True), True),
            (_policies(*SEAL_POLICIES), False),
            (eseal_statements(), False),
        ],
        key,
    )


def time_stamp_authority(issuing: Holder, now: datetime, key: int | PrivateKey) -> Holder:
    """RFC 3161, 2.3: the extended key usage is there, critical, and alone."""
    return _issue(
        _name("DEMO - TSA (no legal value)"),
        issuing,
        (now - BACKDATED, now + SERVICE_LIFE),
        [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
        ],
        key,
    )


def empty_crl(authority: Holder, now: datetime) -> x509.CertificateRevocationList:
    """A CRL that lists nothing, for the whole life of the demonstration: the key to sign another is forgotten."""
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - _CRL_BACKDATED)
        .next_update(now + SERVICE_LIFE)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
