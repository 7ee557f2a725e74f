"""Attacks with odd certificates, algorithms, time stamps and validation data: made with the test PKI."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from asn1crypto import cms
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

from sealtool.model import SEAL_FIELD_NAME, PadesLevel
from tests.attacks.catalogue import Attack, Evidence, Group
from tests.attacks.insiders import bought, evidence, sound, trust_of
from tests.attacks.workshop import BB, LTA
from tests.fuzz.structures import message_of, with_message
from tests.pki.authorities import (
    NOW,
    SEALED_AT,
    WEB_STATEMENTS,
    Identity,
    Pki,
    Profile,
    employee_profile,
    issue,
    ocsp_response,
    pki,
    revocation_list,
    seal_profile,
    stamp_profile,
    with_digest,
)
from tests.pki.sealed_files import seal, small_pdf, stamper_of
from tests.pki.tampering import (
    certificates_of,
    contents_gap,
    incremental_update,
    stamped,
    with_certificates,
    with_contents_of,
    with_store,
)

BT, LT = PadesLevel.B_T, PadesLevel.B_LT
Forge = Callable[[PadesLevel], Evidence]


def _sealed(who: str, **settings: Any) -> Forge:
    return lambda level: evidence(seal(small_pdf(), level, who=who, signer_key_usage=set(), **settings))


def _with_identity(make: Callable[[], Identity]) -> Forge:
    """Sealed by somebody whom the hierarchy does not know by name."""

    def forge(level: PadesLevel) -> Evidence:
        ours = pki()
        theirs = Pki(ours.root, ours.issuing, ours.authority, {**ours.seals, "odd": make()}, ours.lists)
        return evidence(seal(small_pdf(), level, who="odd", hierarchy=theirs, signer_key_usage=set()))

    return forge


def _self_signed() -> Identity:
    return issue(seal_profile(), ec.generate_private_key(ec.SECP256R1()), None, 0x7B01)


def _below_a_seal() -> Identity:
    """Issued by a seal certificate, which is no authority."""
    return issue(seal_profile(), ec.generate_private_key(ec.SECP256R1()), pki().seals["seal"], 0x7B02)


def _of(profile: Profile) -> Callable[[], Identity]:
    """A sound certificate of the same authority as the seal's, with the same tax number in it."""
    return lambda: issue(profile, ec.generate_private_key(ec.SECP256R1()), pki().issuing, 0x7B04)


def _website() -> Profile:
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    return seal_profile(usages=("digital_signature",), extended_usages=usages, statements=WEB_STATEMENTS)


def _service(usage: x509.ObjectIdentifier) -> Profile:
    return seal_profile(usages=("digital_signature",), extended_usages=(usage,), statements=None)


def _signed_with_sha1() -> Identity:
    """A sound certificate, but for the digest of its signature; by hand, because the library refuses to make it."""
    ours = pki()
    certificate = asn1_x509.Certificate.load(ours.seals["seal"].der)
    algorithm = {"algorithm": "sha1_ecdsa"}
    certificate["signature_algorithm"] = certificate["tbs_certificate"]["signature"] = algorithm
    key = ours.issuing.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signed = certificate["tbs_certificate"].dump(force=True)
    certificate["signature_value"] = key.sign(signed, ec.ECDSA(hashes.SHA1()))  # noqa: S303
    return Identity(x509.load_der_x509_certificate(certificate.dump(force=True)), ours.seals["seal"].key)


def _revoked(level: PadesLevel) -> Evidence:
    hierarchy = pki()
    serial = hierarchy.seals["revoked"].certificate.serial_number
    listed = revocation_list(hierarchy.issuing, {serial: SEALED_AT - timedelta(days=1)}, this_update=NOW)
    return Evidence(seal(small_pdf(), level, who="revoked"), trust_of(hierarchy, (*hierarchy.lists, listed)), NOW)


def _revoked_since(level: PadesLevel) -> Evidence:
    hierarchy = pki()
    serial = hierarchy.seals["revoked"].certificate.serial_number
    listed = revocation_list(hierarchy.issuing, {serial: SEALED_AT + timedelta(hours=1)}, this_update=NOW)
    lists = (revocation_list(hierarchy.root), listed)
    return Evidence(seal(small_pdf(), level, who="revoked"), trust_of(hierarchy, lists), NOW)


def _revoked_authority(level: PadesLevel) -> Evidence:
    hierarchy = pki()
    listed = revocation_list(hierarchy.root, {2: SEALED_AT - timedelta(days=1)}, this_update=NOW)
    lists = (listed, revocation_list(hierarchy.issuing))
    return Evidence(seal(small_pdf(), level), trust_of(hierarchy, lists), NOW)


def _without_lists(level: PadesLevel) -> Evidence:
    return Evidence(seal(small_pdf(), level), trust_of(pki(), ()), NOW)


def _with_old_lists(level: PadesLevel) -> Evidence:
    return Evidence(seal(small_pdf(), level), trust_of(pki()), NOW + timedelta(days=30))


def _with_forged_lists(level: PadesLevel) -> Evidence:
    forger = pki("forger")
    return Evidence(seal(small_pdf(), level), trust_of(pki(), forger.lists), NOW)


def _with_weak_lists(level: PadesLevel) -> Evidence:
    hierarchy = pki()
    of_root, of_issuing = hierarchy.lists
    lists = (of_root, with_digest(of_issuing, hierarchy.issuing, hashes.SHA1()))  # noqa: S303
    return Evidence(seal(small_pdf(), level), trust_of(hierarchy, lists), NOW)


def _with_certificate_of_another(level: PadesLevel) -> Evidence:
    content = seal(small_pdf(), level)
    message = message_of(content)
    more = with_certificates(message, [*certificates_of(message), pki().seals["person"].der])
    return evidence(with_message(content, more))


def _called_good() -> Evidence:
    """The authority said that the seal is revoked, and then that it is good; both stand in the file."""
    ours = pki()
    authority = issue(stamp_profile(responder=_RESPONDER), ours.authority.key, ours.issuing, 0x7B06)
    office = issue(seal_profile(responder=_RESPONDER), ec.generate_private_key(ec.SECP256R1()), ours.issuing, 0x7B05)
    asked = replace(ours, authority=authority, seals={"office": office})
    answers = [
        ocsp_response(authority, ours.issuing),
        ocsp_response(office, ours.issuing),
        ocsp_response(
            office,
            ours.issuing,
            this_update=SEALED_AT - timedelta(hours=2),
            revoked_at=SEALED_AT - timedelta(days=1),
        ),
    ]
    content = seal(small_pdf(), BT, who="office", hierarchy=asked)
    content = with_store(content, ours.lists[:1], answers, [ours.issuing.der])
    return Evidence(stamped(content, stamper_of(asked, SEALED_AT)), trust_of(ours, ()), NOW)


_RESPONDER = "http://responders.test.invalid"
_WEAK = ("WEAK_ALGORITHM",)
_NOBODY = ("UNTRUSTED", "CHAIN_UNSOUND")
_SIGNERS: Mapping[str, tuple[Forge, str, tuple[str, ...]]] = {
    "another authority of the same names": (
        lambda level: evidence(seal(small_pdf(), level, hierarchy=pki("forger"))),
        "Every name and serial number is the same, the keys are not.",
        (*_NOBODY, "SIGNATURE_INVALID"),
    ),
    "self-signed": (
        _with_identity(_self_signed),
        "The forger vouches for the forger.",
        (*_NOBODY, "NOT_FOR_SEALING"),
    ),
    "below a seal certificate": (
        _with_identity(_below_a_seal),
        "A seal certificate was used as an authority.",
        (*_NOBODY, "NOT_FOR_SEALING"),
    ),
    "expired": (_sealed("expired"), "Sealed after the certificate's end.", ("SEAL_CERTIFICATE_EXPIRED",)),
    "not yet valid": (_sealed("future"), "Sealed before its beginning.", ("SEAL_CERTIFICATE_NOT_YET_VALID",)),
    "revoked": (_revoked, "Sealed after the certificate was revoked.", ("SEAL_CERTIFICATE_REVOKED",)),
    "revoked since": (
        _revoked_since,
        "Revoked after the sealing that only the seal itself dates.",
        ("SEAL_CERTIFICATE_REVOKED",),
    ),
    "revoked authority": (_revoked_authority, "The authority above it is revoked.", ("AUTHORITY_REVOKED",)),
    "unknown revocation": (_without_lists, "Nobody says whether it was revoked.", ("NO_REVOCATION_DATA",)),
    "old revocation lists": (_with_old_lists, "The lists are of last month.", ("NO_REVOCATION_DATA",)),
    "forged revocation lists": (_with_forged_lists, "Lists under the authority's name.", ("NO_REVOCATION_DATA",)),
    "revocation lists of SHA-1": (_with_weak_lists, "A list that is signed with SHA-1.", ("NO_REVOCATION_DATA",)),
    "person": (_sealed("person"), "A person's certificate for signatures.", ("NOT_FOR_SEALING",)),
    "employee": (
        _with_identity(_of(employee_profile())),
        "An employee's certificate for logging in, which names the organisation.",
        ("NOT_FOR_SEALING",),
    ),
    "website": (
        _with_identity(_of(_website())),
        "The qualified certificate of the organisation's website.",
        ("NOT_FOR_SEALING",),
    ),
    "time stamp unit": (
        _with_identity(_of(_service(ExtendedKeyUsageOID.TIME_STAMPING))),
        "A certificate of the organisation for time stamps.",
        ("NOT_FOR_SEALING",),
    ),
    "OCSP responder": (
        _with_identity(_of(_service(ExtendedKeyUsageOID.OCSP_SIGNING))),
        "A certificate of the organisation for OCSP responses.",
        ("NOT_FOR_SEALING",),
    ),
    "authority": (
        _with_identity(_of(seal_profile(is_ca=True, usages=("digital_signature", "key_cert_sign")))),
        "An authority seals by itself.",
        ("NOT_FOR_SEALING",),
    ),
    "encipherment": (_sealed("encipherment"), "A certificate that may only encipher.", ("NOT_FOR_SEALING",)),
    "SHA-1": (_sealed("seal", md_algorithm="sha1"), "The seal is made with SHA-1.", _WEAK),
    "MD5": (_sealed("rsa", md_algorithm="md5"), "The seal is made with MD5.", (*_WEAK, "SIGNATURE_MALFORMED")),
    "certificate of SHA-1": (
        _with_identity(_signed_with_sha1),
        "Its certificate is signed with SHA-1.",
        _WEAK,
    ),
    "certificate of another holder": (
        _with_certificate_of_another,
        "The seal carries the certificate of a person besides its own, of the same authority.",
        ("SIGNATURE_MALFORMED",),
    ),
    "short key": (_sealed("weak_key"), "An RSA key of 1024 bits.", _WEAK),
}


# --- time stamps and validation data --------------------------------------------------------


def _stamper(identity: Identity) -> timestamps.DummyTimeStamper:
    return timestamps.DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(identity.der),
        tsa_key=asn1_keys.PrivateKeyInfo.load(identity.key_der),
        certs_to_embed=SimpleCertificateStore.from_certs([asn1_x509.Certificate.load(pki().issuing.der)]),
        fixed_dt=SEALED_AT,
    )


class _Distracted(timestamps.DummyTimeStamper):
    """Stamps something else than it was asked to."""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        return await super().async_timestamp(bytes(reversed(message_digest)), md_algorithm)


class _Nameless(timestamps.DummyTimeStamper):
    """Signs what it says and no more: not which certificate it is to be verified with."""

    def _sign_tst_info(self, tst_info_data: bytes, *_: object) -> tuple[bytes, cms.CMSAttributes]:
        digest = hashlib.sha256(tst_info_data).digest()
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [digest]}),
            ]
        )
        key = pki().authority.key
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256()), attributes


def _own(kind: type[timestamps.DummyTimeStamper], **settings: Any) -> timestamps.DummyTimeStamper:
    """The trusted authority, as somebody lets it work."""
    own = stamper_of(pki(), SEALED_AT)
    return kind(own.tsa_cert, own.tsa_key, certs_to_embed=own.certs_to_embed, fixed_dt=SEALED_AT, **settings)


def _authority_for(*usages: x509.ObjectIdentifier, is_critical: bool = True) -> timestamps.DummyTimeStamper:
    """A certificate of the same authority, for other things than time stamps, or for more."""
    profile = stamp_profile(common_name="Not a TSA", extended_usages=usages, extended_usages_critical=is_critical)
    return _stamper(issue(profile, pki().authority.key, pki().issuing, 0x7B03))


def _stamped_by(make: Callable[[], timestamps.TimeStamper]) -> Callable[[], bytes]:
    return lambda: seal(small_pdf(), BT, stamper=make())


def _without_store() -> bytes:
    """Another update behind an archived file, with a sound time stamp over it."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        del writer.root["/DSS"]
        writer.update_root()

    return bought(incremental_update(seal(small_pdf(), LT), change))


def _with_foreign_store() -> bytes:
    return bought(with_store(seal(small_pdf(), LT), pki("forger").lists))


def _stamp_moved() -> bytes:
    """The document time stamp of another file."""
    return _with_last_contents(seal(small_pdf(), LTA), seal(small_pdf(pages=1), LTA))


def _with_last_contents(content: bytes, other: bytes) -> bytes:
    start, end = contents_gap(content, 1)
    other_start, other_end = contents_gap(other, 1)
    assert end - start == other_end - other_start
    return content[:start] + other[other_start:other_end] + content[end:]


def _careless() -> timestamps.DummyTimeStamper:
    """It signs with SHA-256 whatever digest it is handed."""
    return _own(timestamps.DummyTimeStamper, override_md="sha256")


def _stamped_of_sha1() -> bytes:
    content = seal(small_pdf(), BT)
    message = cms.ContentInfo.load(message_of(content))
    signer = message["content"]["signer_infos"][0]
    digest = hashlib.sha1(signer["signature"].native, usedforsecurity=False).digest()
    signer["unsigned_attrs"][0]["values"] = [asyncio.run(_careless().async_timestamp(digest, "sha1"))]
    return with_message(content, message.dump())


def _partly_stamped() -> bytes:
    """An honest time stamp over all but the last bytes, and a whole one behind it."""
    content = bytearray(seal(small_pdf(), LTA))
    (*_, numbers) = re.finditer(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\] *", content)
    first, before, resumed, after = (int(number) for number in numbers.groups())
    shorter = b"/ByteRange [%d %d %d %d]" % (first, before, resumed, after - 30)
    content[numbers.start() : numbers.end()] = shorter.ljust(numbers.end() - numbers.start())
    covered = content[:before] + content[resumed : resumed + after - 30]
    token = _own(timestamps.DummyTimeStamper).async_timestamp(hashlib.sha256(covered).digest(), "sha256")
    value = asyncio.run(token).dump().hex().upper().encode()
    content[before + 1 : resumed - 1] = value.ljust(resumed - before - 2, b"0")
    return bought(bytes(content))


def _stamp_copied() -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        (stamp,) = (one.get_object()["/V"] for one in form["/Fields"] if one.get_object()["/T"] != SEAL_FIELD_NAME)
        value = stamp.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW).original_bytes
        copy = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/DocTimeStamp"),
                pdf_name("/Filter"): pdf_name("/Adobe.PPKLite"),
                pdf_name("/SubFilter"): pdf_name("/ETSI.RFC3161"),
                pdf_name("/ByteRange"): generic.ArrayObject(map(generic.NumberObject, stamp["/ByteRange"])),
                pdf_name("/Contents"): generic.ByteStringObject(value),
            }
        )
        field = generic.DictionaryObject(
            {
                pdf_name("/FT"): pdf_name("/Sig"),
                pdf_name("/T"): generic.pdf_string("Copy"),
                pdf_name("/V"): writer.add_object(copy),
            }
        )
        form["/Fields"].append(writer.add_object(field))
        for changed in (form["/Fields"], form):
            writer.update_container(changed)
        writer.update_root()

    return bought(incremental_update(seal(small_pdf(), LTA), change))


def _stamp_in_the_seals_place() -> bytes:
    content = seal(small_pdf(), LTA)
    start, end = contents_gap(content, 1)
    value = content[start + 1 : end - 1]
    seal_start, seal_end = contents_gap(content)
    return content[: seal_start + 1] + value.ljust(seal_end - seal_start - 2, b"0") + content[seal_end - 1 :]


def _dropped_from_the_lists() -> Evidence:
    """Sealed with a revoked key, and given validation data once the certificate has run out and is on no list more."""
    ours, later = pki(), SEALED_AT + timedelta(days=60)
    thief = _of(seal_profile(valid_until=SEALED_AT + timedelta(days=30)))()
    content = seal(small_pdf(), BT, who="thief", hierarchy=replace(ours, seals={"thief": thief}))
    lists = [revocation_list(one, this_update=later - timedelta(hours=1)) for one in (ours.root, ours.issuing)]
    content = with_store(bought(content), lists, certificates=[ours.issuing.der])
    return Evidence(stamped(content, stamper_of(ours, later)), trust_of(ours, ()), later)


_STAMP_BAD = ("TIME_STAMP_INVALID",)
_TIMES: Mapping[str, tuple[Callable[[], bytes], str, tuple[str, ...]]] = {
    "stamp of something else": (
        _stamped_by(lambda: _own(_Distracted)),
        "The seal's time stamp is of other bytes.",
        _STAMP_BAD,
    ),
    "untrusted authority": (
        _stamped_by(lambda: stamper_of(pki("forger"), SEALED_AT)),
        "The time stamp is a forger's.",
        _STAMP_BAD,
    ),
    "no time stamp authority": (
        _stamped_by(lambda: _authority_for(ExtendedKeyUsageOID.CLIENT_AUTH)),
        "The certificate is none for time stamps.",
        _STAMP_BAD,
    ),
    "time stamps among other things": (
        _stamped_by(lambda: _authority_for(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH)),
        "The certificate is for time stamps, and for other things.",
        _STAMP_BAD,
    ),
    "time stamps if you like": (
        _stamped_by(lambda: _authority_for(ExtendedKeyUsageOID.TIME_STAMPING, is_critical=False)),
        "The certificate is for time stamps, and does not insist on it.",
        _STAMP_BAD,
    ),
    "nameless time stamp": (
        _stamped_by(lambda: _own(_Nameless)),
        "What is signed of the time stamp does not name its certificate.",
        ("SIGNATURE_MALFORMED",),
    ),
    "time stamp of SHA-1": (
        _stamped_of_sha1,
        "The time stamp is about a SHA-1 digest.",
        ("WEAK_ALGORITHM",),
    ),
    "archive stamp of SHA-1": (
        lambda: stamped(seal(small_pdf(), LT), _careless(), digest="sha1"),
        "The archive time stamp is about a SHA-1 digest.",
        ("WEAK_ALGORITHM",),
    ),
    "archive stamp of a part": (
        _partly_stamped,
        "An archive time stamp leaves out the end of its update; another, later one is sound.",
        ("BYTE_RANGE_MALFORMED",),
    ),
    "archive stamp counted twice": (
        _stamp_copied,
        "A second field names the same archive time stamp; a later one is sound.",
        ("BYTE_RANGE_MALFORMED",),
    ),
    "older than the seal": (
        _stamped_by(lambda: stamper_of(pki(), SEALED_AT - timedelta(hours=1))),
        "Stamped before it was sealed.",
        ("TIME_ORDER",),
    ),
    "from the future": (
        _stamped_by(lambda: stamper_of(pki(), NOW + timedelta(hours=1))),
        "Stamped later than today.",
        ("TIME_ORDER", "NO_REVOCATION_DATA"),
    ),
    "archive stamp of another file": (
        _stamp_moved,
        "The archive time stamp of another file.",
        ("TIME_STAMP_INVALID", "BYTE_RANGE_MALFORMED"),
    ),
    "archive stamp of a forger": (
        lambda: stamped(seal(small_pdf(), LT), stamper_of(pki("forger"), SEALED_AT)),
        "The archive stamp is a forger's.",
        _STAMP_BAD,
    ),
    "archive stamp of something else": (
        lambda: stamped(seal(small_pdf(), LT), _own(_Distracted)),
        "The archive time stamp is of other bytes.",
        _STAMP_BAD,
    ),
    "stamp in the seal's place": (
        _stamp_in_the_seals_place,
        "The archive time stamp's value in place of the seal's.",
        ("SIGNATURE_MALFORMED", "TIME_STAMP_INVALID"),
    ),
    "no time of sealing": (
        lambda: seal(small_pdf(), BT, moment=None),
        "The seal does not say when it was made, so that nothing can contradict its time stamp.",
        ("SIGNATURE_MALFORMED",),
    ),
    "value of another seal": (
        lambda: with_contents_of(seal(small_pdf(), BT), seal(small_pdf(pages=1), BT)),
        "Another file's stamped seal.",
        ("DIGEST_MISMATCH",),
    ),
    "no validation data": (
        _without_store,
        "The validation data are taken out; a sound archive stamp covers that.",
        ("NO_REVOCATION_DATA", "LEVEL_NOT_REACHED"),
    ),
    "others' validation data": (
        _with_foreign_store,
        "The validation data are exchanged for a forger's; a sound archive stamp covers that.",
        ("NO_REVOCATION_DATA", "SIGNATURE_MALFORMED"),
    ),
}
_ALONE = {"no validation data", "others' validation data"}
"""Judged with the anchor and no lists: otherwise nothing is missing, and the seal is sound."""


def _time_evidence(name: str, make: Callable[[], bytes]) -> Evidence:
    return Evidence(make(), trust_of(pki(), () if name in _ALONE else None), NOW)


def attacks() -> list[Attack]:
    signers = [
        Attack(
            f"signer: {name}",
            Group.SIGNER,
            description,
            BB,
            sound(BB),
            lambda _, forge=forge: forge(BB),  # type: ignore[misc]
            frozenset(codes),
        )
        for name, (forge, description, codes) in _SIGNERS.items()
    ]
    times = [
        Attack(
            f"time: {name}",
            Group.TIME,
            description,
            LT if name in _ALONE else LTA if "archive" in name else BT,
            sound(LT if name in _ALONE else LTA if "archive" in name else BT),
            lambda _, name=name, make=make: _time_evidence(name, make),  # type: ignore[misc]
            frozenset(codes),
        )
        for name, (make, description, codes) in _TIMES.items()
    ]
    dropped = Attack(
        "time: dropped from the lists",
        Group.TIME,
        "Sealed after the certificate was revoked; archived when it had run out and the lists no longer name it.",
        LTA,
        sound(LTA),
        lambda _: _dropped_from_the_lists(),
        frozenset({"NO_REVOCATION_DATA"}),
    )
    called_good = Attack(
        "signer: revoked, and called good",
        Group.SIGNER,
        "The file has an OCSP response that calls the seal's certificate revoked, and one that calls it good.",
        LTA,
        sound(LTA),
        lambda _: _called_good(),
        frozenset({"SEAL_CERTIFICATE_REVOKED"}),
    )
    return [*signers, called_good, *times, dropped]
