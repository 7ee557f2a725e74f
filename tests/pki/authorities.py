"""A test PKI in memory: root, issuing CA, seal certificates, a time stamp authority and revocation lists.

Everything hangs on the fixed moments below, so that no test depends on today. The keys are made once a
process; nothing here is secret and nothing is trusted anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from asn1crypto import core
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

SEALED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When every test file is sealed."""

NOW = SEALED_AT + timedelta(hours=2)
"""When it is judged, unless a test says otherwise."""

YEAR = timedelta(days=365)
ORGANIZATION_IDENTIFIER = "VATES-S0711001H"
SEAL_POLICIES = ("2.16.724.1.3.5.6.2", "0.4.0.194112.1.1")
QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
# SEQUENCE OF QCStatement: QcCompliance (0.4.0.1862.1.1); QcType (0.4.0.1862.1.6) with eseal (…1.6.2)
ESEAL_STATEMENTS = bytes.fromhex("301f3008060604008e4601013013060604008e4601063009060704008e46010602")
ESIGN_STATEMENTS = ESEAL_STATEMENTS[:-1] + b"\x01"
WEB_STATEMENTS = ESEAL_STATEMENTS[:-1] + b"\x03"


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_der(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@cache
def key_for(purpose: str, kind: str = "p256") -> CertificateIssuerPrivateKeyTypes:
    """One key for each purpose, made once."""
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def _name(common_name: str, extra: Mapping[x509.ObjectIdentifier, str] | None = None) -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "ES"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test organisation"),
        *(x509.NameAttribute(oid, value) for oid, value in (extra or {}).items()),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name(attributes)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _key_usage(*granted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in granted for usage in _USAGES})


@dataclass(frozen=True)
class Profile:
    """What goes into a certificate."""

    common_name: str
    valid_from: datetime
    valid_until: datetime
    usages: tuple[str, ...]
    is_ca: bool = False
    subject_extra: Mapping[x509.ObjectIdentifier, str] = field(default_factory=dict)
    policies: tuple[str, ...] = ()
    extended_usages: tuple[x509.ObjectIdentifier, ...] = ()
    extended_usages_critical: bool = True
    statements: bytes | None = None
    responder: str = ""
    answers_for_good: bool = False
    """Whether nobody has to ask about it (id-pkix-ocsp-nocheck)."""


def issue(
    profile: Profile,
    key: CertificateIssuerPrivateKeyTypes,
    issuer: Identity | None,
    serial: int,
    digest: hashes.HashAlgorithm | None = None,
) -> Identity:
    """A certificate for ``key``, self-signed where there is no issuer."""
    subject = _name(profile.common_name, profile.subject_extra)
    issuer_key = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(profile.valid_from)
        .not_valid_after(profile.valid_until)
        .add_extension(x509.BasicConstraints(ca=profile.is_ca, path_length=None), critical=True)
        .add_extension(_key_usage(*profile.usages), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if profile.policies:
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in profile.policies]
        builder = builder.add_extension(x509.CertificatePolicies(policies), critical=False)
    if profile.extended_usages:
        extended = x509.ExtendedKeyUsage(profile.extended_usages)
        builder = builder.add_extension(extended, critical=profile.extended_usages_critical)
    if profile.responder:
        asked = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(profile.responder)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([asked]), critical=False)
    if profile.answers_for_good:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    if profile.statements is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(QC_STATEMENTS, profile.statements), critical=False)
    return Identity(builder.sign(issuer_key, digest or hashes.SHA256()), key)


def revocation_list(
    issuer: Identity,
    revoked: Mapping[int, datetime] | None = None,
    *,
    this_update: datetime = SEALED_AT - timedelta(hours=1),
    lifetime: timedelta = timedelta(days=7),
    keeps_expired_since: bytes | None = None,
) -> bytes:
    """A complete list of ``issuer`` in DER.

    Args:
        issuer: signs it.
        revoked: maps serial numbers to moments.
        this_update: when it is made.
        lifetime: until the next one.
        keeps_expired_since: the value of expiredCertsOnCRL.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(this_update + lifetime)
        .add_extension(x509.CRLNumber(int(this_update.timestamp())), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if keeps_expired_since is not None:
        kept = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), keeps_expired_since)
        builder = builder.add_extension(kept, critical=False)
    for serial, moment in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False).build()
        )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def with_digest(revocation_list: bytes, issuer: Identity, digest: hashes.HashAlgorithm) -> bytes:
    """The same list, signed with another digest; by hand, because the library refuses the weak ones."""
    signed = asn1_crl.CertificateList.load(revocation_list)
    algorithm = {"algorithm": f"{digest.name}_ecdsa"}
    signed["signature_algorithm"] = signed["tbs_cert_list"]["signature"] = algorithm
    signed["signature"] = _signature(issuer, signed["tbs_cert_list"].dump(force=True), digest)
    return bytes(signed.dump(force=True))


def ocsp_response(
    of: Identity,
    issuer: Identity,
    *,
    this_update: datetime = SEALED_AT - timedelta(hours=1),
    lifetime: timedelta | None = timedelta(days=7),
    revoked_at: datetime | None = None,
    archive_cutoff: datetime | None = None,
    digest: hashes.HashAlgorithm | None = None,
    responder: Identity | None = None,
) -> bytes:
    """What the issuer answers about one certificate, itself or by a responder whose certificate is inside; DER."""
    digest, signer = digest or hashes.SHA256(), responder or issuer
    authority = asn1_x509.Certificate.load(issuer.der)
    single = {
        "cert_id": {
            "hash_algorithm": {"algorithm": "sha1"},
            "issuer_name_hash": authority.subject.sha1,
            "issuer_key_hash": authority.public_key.sha1,
            "serial_number": of.certificate.serial_number,
        },
        "cert_status": asn1_ocsp.CertStatus("good", core.Null())
        if revoked_at is None
        else asn1_ocsp.CertStatus("revoked", {"revocation_time": revoked_at}),
        "this_update": this_update,
    }
    if lifetime is not None:
        single["next_update"] = this_update + lifetime
    if archive_cutoff is not None:
        single["single_extensions"] = [
            {"extn_id": "archive_cutoff", "extn_value": core.GeneralizedTime(archive_cutoff)}
        ]
    answer = asn1_ocsp.ResponseData(
        {
            "responder_id": asn1_ocsp.ResponderId("by_key", asn1_x509.Certificate.load(signer.der).public_key.sha1),
            "produced_at": this_update,
            "responses": [single],
        }
    )
    basic = asn1_ocsp.BasicOCSPResponse(
        {
            "tbs_response_data": answer,
            "signature_algorithm": {
                "algorithm": f"{digest.name}_{'rsa' if isinstance(signer.key, rsa.RSAPrivateKey) else 'ecdsa'}"
            },
            "signature": _signature(signer, answer.dump(), digest),
            "certs": None if responder is None else [asn1_x509.Certificate.load(responder.der)],
        }
    )
    content = {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(basic.dump())}
    return bytes(asn1_ocsp.OCSPResponse({"response_status": "successful", "response_bytes": content}).dump())


def _signature(issuer: Identity, signed: bytes, digest: hashes.HashAlgorithm) -> bytes:
    if isinstance(issuer.key, rsa.RSAPrivateKey):
        return issuer.key.sign(signed, padding.PKCS1v15(), digest)
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    return issuer.key.sign(signed, ec.ECDSA(digest))


def seal_profile(**changes: object) -> Profile:
    """The profile of a seal certificate of medium level (Ley 40/2015), with what a test changes."""
    values: dict[str, object] = {
        "common_name": "Test seal",
        "valid_from": SEALED_AT - YEAR,
        "valid_until": SEALED_AT + YEAR,
        "usages": ("digital_signature", "content_commitment"),
        "subject_extra": {x509.ObjectIdentifier("2.5.4.97"): ORGANIZATION_IDENTIFIER},
        "policies": SEAL_POLICIES,
        "statements": ESEAL_STATEMENTS,
    }
    return Profile(**(values | changes))  # type: ignore[arg-type]


def stamp_profile(**changes: object) -> Profile:
    """The profile of a time stamp unit (RFC 3161, 2.3), with what a test changes."""
    values: dict[str, object] = {
        "common_name": "Test time stamp authority",
        "valid_from": SEALED_AT - YEAR,
        "valid_until": SEALED_AT + YEAR,
        "usages": ("digital_signature",),
        "extended_usages": (ExtendedKeyUsageOID.TIME_STAMPING,),
    }
    return Profile(**(values | changes))  # type: ignore[arg-type]


def employee_profile() -> Profile:
    """The profile of an employee's certificate for logging in, which names the organisation as that of a seal does."""
    names = {NameOID.GIVEN_NAME: "Aina", NameOID.SURNAME: "Prova", NameOID.SERIAL_NUMBER: "IDCES-10000000P"}
    return seal_profile(
        common_name="Aina Prova - 10000000P",
        usages=("digital_signature",),
        extended_usages=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION),
        subject_extra={x509.ObjectIdentifier("2.5.4.97"): ORGANIZATION_IDENTIFIER, **names},
        policies=(),
        statements=None,
    )


@dataclass(frozen=True)
class Pki:
    """One hierarchy. Every seal hangs on the issuing CA; the time stamp authority too."""

    root: Identity
    issuing: Identity
    authority: Identity
    seals: Mapping[str, Identity]
    lists: tuple[bytes, bytes]
    """Lists of root and issuing CA with nothing on them, valid around the time of sealing."""


SERIALS = {"seal": 0x7A01, "expired": 0x7A02, "revoked": 0x7A03, "encipherment": 0x7A04, "person": 0x7A05}
SERIALS |= {"weak_key": 0x7A06, "sha1": 0x7A07, "rsa": 0x7A08, "future": 0x7A09, "other_office": 0x7A0A}


def _seals(issuing: Identity, purpose: str) -> dict[str, Identity]:
    oid = x509.ObjectIdentifier("2.5.4.97")
    profiles = {
        "seal": (seal_profile(), "p256"),
        "rsa": (seal_profile(), "rsa2048"),
        "expired": (seal_profile(valid_until=SEALED_AT - timedelta(days=1)), "p256"),
        "future": (seal_profile(valid_from=SEALED_AT + timedelta(days=1)), "p256"),
        "revoked": (seal_profile(), "p256"),
        "encipherment": (seal_profile(usages=("key_encipherment",)), "p256"),
        "person": (seal_profile(subject_extra={}, statements=ESIGN_STATEMENTS), "p256"),
        "other_office": (seal_profile(subject_extra={oid: "VATES-Q0000000J"}), "p256"),
        "weak_key": (seal_profile(), "rsa1024"),
    }
    return {
        name: issue(profile, key_for(f"{purpose} {name}", kind), issuing, SERIALS[name])
        for name, (profile, kind) in profiles.items()
    }


@cache
def pki(purpose: str = "ours") -> Pki:
    """A whole hierarchy. Another ``purpose`` has the same names and serial numbers, but other keys."""
    ca_usages = ("key_cert_sign", "crl_sign")
    start = SEALED_AT - 5 * YEAR
    root = issue(
        Profile("Test root", start, SEALED_AT + 20 * YEAR, ca_usages, is_ca=True), key_for(f"{purpose} root"), None, 1
    )
    issuing = issue(
        Profile("Test issuing CA", start, SEALED_AT + 10 * YEAR, ca_usages, is_ca=True),
        key_for(f"{purpose} issuing"),
        root,
        2,
    )
    authority = issue(
        stamp_profile(valid_until=SEALED_AT + 8 * YEAR),
        key_for(f"{purpose} authority", "rsa2048"),
        issuing,
        3,
    )
    lists = (revocation_list(root), revocation_list(issuing))
    return Pki(root, issuing, authority, _seals(issuing, purpose), lists)
