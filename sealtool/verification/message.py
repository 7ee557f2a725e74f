"""The CMS message of a seal or time stamp, and all of it that no signature protects.

RFC 5652, EN 319 142-1 section 6.3, RFC 3161. The library checks what is signed. What is not signed must then
either be checked by itself or be fixed to one form: otherwise bytes could change without anybody noticing.

That form is DER, for time stamps as well: RFC 3161, 3.4 wants it of what an authority answers. Whether a later time
stamp covers them makes no difference, so that a file is judged alike before and after it is extended. What authorities
rightly do one way or the other is left to them: which certificates of authorities a time stamp carries, in which order,
and which name an algorithm has of those that mean the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from asn1crypto import algos, cms, core, parser, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko.sign.ades import cades_asn1  # noqa: F401 - registers the CAdES attributes with asn1crypto
from pyhanko.sign.general import extract_certificate_info, extract_signer_info

from sealtool.verification import remembering
from sealtool.verification.algorithms import names_its_digest, spellings
from sealtool.verification.der import (
    CONTEXT_0,
    CONTEXT_1,
    OCTET_STRING,
    SEQUENCE,
    SET,
    element,
    elements,
    octets_as_bits,
)
from sealtool.verification.reasons import Objection, ReasonCode

_SIGNATURE_TIME_STAMP = "signature_time_stamp_token"
_SIGNING_CERTIFICATE = ("signing_certificate_v2", "signing_certificate")
_SIGNED_DATA = cms.ContentType("signed_data").dump()
_TIME_STAMP_TYPE = cms.CMSAttributeType(_SIGNATURE_TIME_STAMP).dump()
_CONTENT_TYPES = {name: cms.ContentType(name).dump() for name in ("data", "tst_info")}
_VERSIONS = {name: cms.CMSVersion(name).dump() for name in ("v1", "v3", "v5")}


@dataclass(frozen=True)
class Message:
    """A signed message of the only form that is accepted: one signer, whose certificate is inside.

    Nobody may write to its parts: what is asked of it often is worked out once.

    Attributes:
        encoded: the message as it stands in the file, without padding.
        certificates: all that are inside, the signer's first.
    """

    encoded: bytes
    signed_data: cms.SignedData
    signer_info: cms.SignerInfo
    signer: asn1_x509.Certificate
    certificates: tuple[asn1_x509.Certificate, ...]

    @cached_property
    def is_seal(self) -> bool:
        """Whether what is signed stands outside, as that of a seal does and that of a time stamp does not."""
        return self.signed_data["encap_content_info"]["content"] is core.VOID

    @cached_property
    def brought(self) -> tuple[bytes, ...]:
        """The certificates, as DER."""
        return tuple(certificate.dump() for certificate in self.certificates)

    @cached_property
    def digest_name(self) -> str:
        """The digest algorithm, in the spelling of hashlib."""
        return str(self.signer_info["digest_algorithm"]["algorithm"].native)

    @cached_property
    def named_digest(self) -> bytes:
        """The digest that is signed; empty where there is not exactly one."""
        values = list(attribute_values(self.signer_info["signed_attrs"], "message_digest"))
        return bytes(values[0].native) if len(values) == 1 else b""

    @cached_property
    def signature(self) -> bytes:
        """What a signature time stamp stamps."""
        return bytes(self.signer_info["signature"].native)

    @property
    def revocation_lists(self) -> tuple[bytes, ...]:
        """The revocation lists that travel with the message, as DER."""
        return tuple(choice.chosen.dump() for choice in self.revocation_data if choice.name == "crl")

    @property
    def ocsp_responses(self) -> tuple[bytes, ...]:
        """The OCSP responses that travel with the message, as DER (RFC 5940)."""
        others = [choice.chosen for choice in self.revocation_data if choice.name == "other"]
        return tuple(other["other_rev_info"].dump() for other in others)

    @cached_property
    def revocation_data(self) -> tuple[cms.RevocationInfoChoice, ...]:
        """Everything in the place of revocation data: see :mod:`sealtool.verification.revocation_data`."""
        return tuple(self.signed_data["crls"] or ())

    @cached_property
    def time_stamp_info(self) -> tsp.TSTInfo:
        """What a time stamp says."""
        return self.signed_data["encap_content_info"]["content"].parsed

    @cached_property
    def stamped_at(self) -> datetime:
        """When a time stamp was given, aware, UTC."""
        moment: datetime = self.time_stamp_info["gen_time"].native
        return moment

    @cached_property
    def likeness(self) -> tuple[bytes, ...]:
        """What another message shares that differs in nothing but its own: digest, signature, what a time stamp says,
        and the time stamp of a seal. Empty where none can be told to.
        """
        if self.is_seal:
            unsigned = self.signer_info["unsigned_attrs"]
            own = unsigned.contents if unsigned else b""
        else:
            own = self.signed_data["encap_content_info"]["content"].contents
        return _without(self.encoded, [self.named_digest, self.signature, *([own] if own else [])])


def read_seal(encoded: bytes, *, is_detached: bool = False) -> Message:
    """The message of a seal: content outside of it, the signer's certificate named in what is signed.

    Args:
        encoded: DER; in a PDF the zeros behind it that fill its room.
        is_detached: whether it is a file of its own. Then nothing may stand behind it, and revocation lists and OCSP
            responses in it, which have no other place there (EN 319 122-1, 6.3). Nothing signs them but their issuers:
            see :mod:`sealtool.verification.revocation_data`.

    Raises:
        Objection: SIGNATURE_MALFORMED or NO_SEAL_CERTIFICATE.
    """
    message = _read(encoded, "data", padded=not is_detached)
    if message.revocation_data and not is_detached:
        raise malformed("It carries data that nothing protects.")
    _check_algorithms_of_seal(message.signer_info)
    if not any(True for _ in attribute_values(message.signer_info["signed_attrs"], "signing_certificate_v2")):
        # EN 319 142-1, 6.3 (f): without it the certificate could be exchanged for another of the same key.
        raise malformed("What is signed does not name the certificate.")
    unsigned = message.signer_info["unsigned_attrs"]
    kinds = [attribute["type"].native for attribute in unsigned] if unsigned else []
    if kinds not in ([], [_SIGNATURE_TIME_STAMP]):
        raise malformed("It carries attributes that nothing protects.")
    return message


def read_time_stamp(encoded: bytes) -> Message:
    """The message of a time stamp token (RFC 3161, 2.4.2).

    Authorities may add revocation data, which nothing signs but their issuers: see
    :mod:`sealtool.verification.revocation_data`.

    Raises:
        Objection: SIGNATURE_MALFORMED or NO_SEAL_CERTIFICATE.
    """
    message = _read(encoded, "tst_info", padded=True)
    if message.signer_info["unsigned_attrs"]:
        raise malformed("A time stamp carries attributes that nothing protects.")
    if not isinstance(message.time_stamp_info, tsp.TSTInfo):
        raise malformed("A time stamp does not say what it stamps.")
    signed = message.signer_info["signed_attrs"]
    if not any(True for kind in _SIGNING_CERTIFICATE for _ in attribute_values(signed, kind)):
        # RFC 3161, 2.4.2; RFC 5816: as for seals.
        raise malformed("What a time stamp signs does not name its certificate.")
    return message


def signature_time_stamp(seal: Message) -> Message | None:
    """The time stamp on the seal's signature value, where there is one.

    Raises:
        Objection: there is one and it is malformed.
    """
    unsigned = seal.signer_info["unsigned_attrs"]
    tokens = list(attribute_values(unsigned, _SIGNATURE_TIME_STAMP)) if unsigned else []
    if len(tokens) > 1:
        raise malformed("It carries several time stamps.")
    return read_time_stamp(tokens[0].dump()) if tokens else None


def check_certificates(message: Message, path: Iterable[bytes], known: Iterable[bytes]) -> None:
    """Every certificate in the message is one that the validated path, or a known one, vouches for.

    The set of certificates is not signed, so a broken or foreign one among them would go unnoticed. A seal carries its
    own and those above it, without a gap, and no others.

    Raises:
        Objection: SIGNATURE_MALFORMED.
    """
    issuers = set(path) | set(known)
    for encoded in message.brought:
        check_certificate_form(encoded)
        if not is_vouched_for(encoded, issuers):
            raise malformed("It carries a certificate that nobody vouches for.")
    if message.is_seal and not _is_chain(message.brought):
        raise malformed("It carries a certificate that is neither its own nor one of those above.")


def _without(encoded: bytes, own: Iterable[bytes]) -> tuple[bytes, ...]:
    """A message around what is its own, with the lengths of that; empty where that does not stand there once.

    What is cut out is whole values; so who has the same rest, and values of the same length, has the same structure.
    """
    pieces = [encoded]
    lengths = []
    for value in own:
        found = [at for at, piece in enumerate(pieces) for _ in range(piece.count(value))] if value else []
        if len(found) != 1:
            return ()
        (at,) = found
        before, _, behind = pieces[at].partition(value)
        pieces[at : at + 1] = [before, behind]
        lengths.append(len(value).to_bytes(8))
    return (*lengths, *pieces)


def is_vouched_for(der: bytes, known: Collection[bytes]) -> bool:
    """Whether a certificate is known, soundly issued by a known one, or the root above a known one.

    Anybody can sign a certificate with the key in it. That of a root has also signed the certificate below.
    """
    if der in known or any(is_issued_by(der, issuer) for issuer in known):
        return True
    return is_issued_by(der, der) and any(is_issued_by(one, der) for one in known)


def _is_chain(certificates: Sequence[bytes]) -> bool:
    """Whether they lead upwards from the first one, in whatever order the others stand."""
    last, *others = certificates
    while issuer := next((one for one in others if is_issued_by(last, one)), None):
        others.remove(issuer)
        last = issuer
    return not others


@remembering.parts
def check_certificate_form(der: bytes) -> None:
    """A certificate is in the usual form; Objection SIGNATURE_MALFORMED where it is not."""
    certificate = asn1_certificate(der)
    check_form_of_signed(certificate, certificate["tbs_certificate"], certificate["signature_value"])


def check_form_of_signed(whole: core.Sequence, signed: core.Sequence, signature: core.BitString) -> None:
    """RFC 5280, 4.1.1 and 5.1.1: what of a certificate or list its signature does not cover is DER, and is no more."""
    algorithm = signed["signature"].dump()
    usual = element(SEQUENCE, signed.dump(), algorithm, octets_as_bits(signature.contents[1:]))
    if whole.dump() != usual:
        raise malformed("It carries a certificate or revocation list in an unusual form.")


def malformed(detail: str) -> Objection:
    """The objection to a message that holds what it must not."""
    return Objection(ReasonCode.SIGNATURE_MALFORMED, detail)


def _read(encoded: bytes, content_type: str, *, padded: bool) -> Message:
    try:
        message = _parse(encoded, padded=padded)
        _check_form_once(message, content_type)
    except Objection:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise malformed("It cannot be read.") from error
    return message


def _parse(encoded: bytes, *, padded: bool) -> Message:
    *_, header, content, trailer = parser.parse(encoded, strict=False)
    length = len(header) + len(content) + len(trailer)
    if any(encoded[length:]) if padded else len(encoded) > length:
        raise malformed("Something stands behind its end.")
    encoded = encoded[:length]
    info = cms.ContentInfo.load(encoded, strict=True)
    if info["content_type"].native != "signed_data":
        raise malformed("It is no signature.")
    signed_data = info["content"]
    if len(signed_data["signer_infos"]) != 1:
        raise malformed("It has not exactly one signer.")
    signer_info = extract_signer_info(signed_data)
    signer, *others = _certificates(signed_data, signer_info)
    return Message(encoded, signed_data, signer_info, signer, (signer, *others))


def _certificates(signed_data: cms.SignedData, signer_info: cms.SignerInfo) -> tuple[asn1_x509.Certificate, ...]:
    """All certificates, the signer's first.

    The library compares issuers by prepared names, which takes its time, to tell the signer's among those of the same
    serial number; where there is one only, and its issuer is the same to the byte, nothing is left to tell.
    """
    identifier, encoded = signer_info["sid"], list(elements(signed_data["certificates"].contents))
    if identifier.name == "issuer_and_serial_number" and all(one[0] == SEQUENCE for one in encoded):
        found = [asn1_certificate(one) for one in encoded]
        named = [one for one in found if one.serial_number == identifier.chosen["serial_number"].native]
        if len(named) == 1 and named[0].issuer.dump() == identifier.chosen["issuer"].dump():
            return (named[0], *(one for one in found if one is not named[0]))
    try:
        info = extract_certificate_info(signed_data)
    except ValueError as error:
        raise Objection(ReasonCode.NO_SEAL_CERTIFICATE) from error
    return (info.signer_cert, *info.other_certs)


_SOUND: Final[remembering.Precedents[str]] = remembering.Precedents()


def _check_form_once(message: Message, content_type: str) -> None:
    """As :func:`_check_form`, which looks at nothing but what like messages share, and at the time stamp of a seal."""
    likeness, signer = message.likeness, message.signer_info
    key = remembering.key_of(likeness, [content_type.encode()]) if likeness else b""
    unsigned = signer["unsigned_attrs"].contents if message.is_seal and signer["unsigned_attrs"] else b""
    if _SOUND.find(key) is not None and unsigned == b"".join(_written_stamps(signer)):
        return
    _check_form(message, content_type)
    if key:
        _SOUND.keep(key, content_type)


def _check_form(message: Message, content_type: str) -> None:
    """What the signature does not cover has one form only: there are these parts and no others, in DER."""
    signed_data, signer = message.signed_data, message.signer_info
    if signed_data["encap_content_info"]["content_type"].native != content_type or message.is_seal != (
        content_type == "data"
    ):
        raise malformed("It does not sign what it should.")
    if len(signed_data["certificates"]) != len(message.certificates):
        raise malformed("It carries data that nothing protects.")
    check_algorithm(signer["digest_algorithm"])
    check_algorithm(signer["signature_algorithm"])
    if not signer["signed_attrs"]:
        raise malformed("It signs no attributes.")
    _check_signed_attributes(signer["signed_attrs"])
    if message.encoded != _written_of_parts(message, content_type):
        raise malformed("It is not in DER, or holds something in a place that nothing protects.")


def _written_of_parts(message: Message, content_type: str) -> bytes:
    """The message in DER, of the parts that are checked by themselves (RFC 5652, 3, 5.1 and 5.3)."""
    signed_data, signer = message.signed_data, message.signer_info
    algorithm = signer["digest_algorithm"].dump()
    content = () if message.is_seal else (_explicit_octets(signed_data["encap_content_info"]["content"].contents),)
    certificates = [element(SEQUENCE, choice.chosen.contents) for choice in signed_data["certificates"]]
    lists = [choice.dump() for choice in message.revocation_data]
    if message.is_seal:  # X.690, 11.6; not every authority puts those of its time stamps in order
        certificates, lists = sorted(set(certificates)), sorted(set(lists))
    stamps = b"".join(_written_stamps(signer))
    named = message.signer["tbs_certificate"]
    signer_info = element(
        SEQUENCE,
        _VERSIONS["v1"],
        element(SEQUENCE, named["issuer"].dump(), named["serial_number"].dump()),
        algorithm,
        element(CONTEXT_0, signer["signed_attrs"].contents),
        signer["signature_algorithm"].dump(),
        element(OCTET_STRING, message.signature),
        *([element(CONTEXT_1, stamps)] if stamps else []),
    )
    whole = element(
        SEQUENCE,
        _VERSIONS[_expected_version(message, content_type)],
        element(SET, algorithm),
        element(SEQUENCE, _CONTENT_TYPES[content_type], *content),
        element(CONTEXT_0, *certificates),
        *([element(CONTEXT_1, *lists)] if lists else []),
        element(SET, signer_info),
    )
    return element(SEQUENCE, _SIGNED_DATA, element(CONTEXT_0, whole))


def _written_stamps(signer: cms.SignerInfo) -> Iterator[bytes]:
    """The attributes that nothing signs, if they are time stamps of a seal, of which there may be one."""
    for attribute in signer["unsigned_attrs"] or ():
        for stamp in attribute["values"]:
            yield element(SEQUENCE, _TIME_STAMP_TYPE, element(SET, stamp.dump()))


def _explicit_octets(content: bytes) -> bytes:
    return element(CONTEXT_0, element(OCTET_STRING, content))


def _check_signed_attributes(attributes: cms.CMSAttributes) -> None:
    """The library writes what it has parsed anew before it checks the signature: it has to come out as it came in."""
    anew = b"".join(sorted(map(_written_anew, elements(attributes.contents))))  # RFC 5652, 5.3: DER, a set in order
    if cms.CMSAttributes(contents=anew).dump()[1:] != attributes.dump()[1:]:  # but for the tag (RFC 5652, 5.4)
        raise malformed("What it signs holds something in a place that nothing protects.")


@remembering.parts
def _written_anew(attribute: bytes) -> bytes:
    parsed = cms.CMSAttribute.load(attribute, strict=True)
    _ = parsed.native  # parses everything
    return bytes(parsed.untag().dump())


def _expected_version(message: Message, content_type: str) -> str:
    """RFC 5652, 5.1."""
    if any(choice.name == "other" for choice in message.revocation_data):
        return "v5"
    return "v1" if content_type == "data" else "v3"


def check_algorithm(algorithm: algos.DigestAlgorithm | algos.SignedDigestAlgorithm) -> None:
    """An algorithm identifier is in DER, with no other parameters than the algorithm takes."""
    if algorithm.dump() not in spellings(algorithm.dump()):
        raise malformed("An algorithm is written in an unusual way, or has parameters it does not take.")


def _check_algorithms_of_seal(signer: cms.SignerInfo) -> None:
    """Sealing writes them in one of the ways that are allowed: otherwise one could be put in the place of another."""
    algorithms = (signer["digest_algorithm"].dump(), signer["signature_algorithm"].dump())
    if any(algorithm != spellings(algorithm)[0] for algorithm in algorithms):
        raise malformed("An algorithm is written in an unusual way.")
    if not names_its_digest(signer["signature_algorithm"]):
        raise malformed("Its signature algorithm does not name its digest.")


@remembering.parts
def asn1_certificate(der: bytes) -> asn1_x509.Certificate:
    """A certificate as the library reads it, once for all who ask of it; nobody may write to it."""
    return asn1_x509.Certificate.load(der, strict=True)


def attribute_values(attributes: cms.CMSAttributes, kind: str) -> Iterator[Any]:
    """The values of all attributes of one type."""
    for attribute in attributes:
        if attribute["type"].native == kind:
            yield from attribute["values"]


@remembering.parts
def is_issued_by(der: bytes, issuer: bytes) -> bool:
    """Whether the key of ``issuer`` signed a certificate, and their names agree."""
    try:
        x509.load_der_x509_certificate(der).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def digest_of(parts: Iterable[bytes | memoryview], algorithm: str) -> bytes:
    """The digest over ``parts``.

    Raises:
        Objection: WEAK_ALGORITHM where the algorithm is unknown.
    """
    try:
        digest = hashlib.new(algorithm, usedforsecurity=False)
    except ValueError as error:
        raise Objection(ReasonCode.WEAK_ALGORITHM) from error
    for part in parts:
        digest.update(part)
    return digest.digest()
