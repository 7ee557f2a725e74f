"""The CMS message of a seal or time stamp, and all of it that no signature protects.

RFC 5652, EN 319 142-1 section 6.3, RFC 3161. The library checks what is signed. What is not signed must then
either be checked by itself or be fixed to one form: otherwise bytes could change without anybody noticing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, parser, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko.sign.ades import cades_asn1  # noqa: F401 - registers the CAdES attributes with asn1crypto
from pyhanko.sign.general import extract_certificate_info, extract_signer_info

from sealtool.verification import remembering
from sealtool.verification.reasons import Objection, ReasonCode

_NULL = b"\x05\x00"
# The tags of the children of each structure, in DER (RFC 5652). The parser skips what it does not expect; so a
# changed tag would hide a part of the message instead of breaking it.
_CONTENT_INFO = b"\x06\xa0"
_SIGNED_DATA = b"\x02\x31\x30\xa0\x31"
_SIGNED_DATA_WITH_LISTS = b"\x02\x31\x30\xa0\xa1\x31"
_SIGNER_INFO = b"\x02\x30\x30\xa0\x30\x04"
_UNSIGNED = b"\xa1"
_ISSUER_AND_SERIAL = b"\x30\x02"
_ATTRIBUTE = b"\x06\x31"
_SIGNED_OBJECT = b"\x30\x30\x03"  # a certificate or a revocation list
_ALGORITHM_PARTS = 2
_SIGNATURE_TIME_STAMP = "signature_time_stamp_token"


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message of the only form that is accepted: one signer, whose certificate is inside.

    Attributes:
        encoded: the message as it stands in the file, without padding.
        certificates: all that are inside, the signer's first.
    """

    encoded: bytes
    signed_data: cms.SignedData
    signer_info: cms.SignerInfo
    signer: asn1_x509.Certificate
    certificates: tuple[asn1_x509.Certificate, ...]

    @property
    def digest_name(self) -> str:
        """The digest algorithm, in the spelling of hashlib."""
        return str(self.signer_info["digest_algorithm"]["algorithm"].native)

    @property
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

    @property
    def revocation_data(self) -> tuple[cms.RevocationInfoChoice, ...]:
        """Everything in the place of revocation data: see :mod:`sealtool.verification.revocation_data`."""
        return tuple(self.signed_data["crls"] or ())

    @property
    def time_stamp_info(self) -> tsp.TSTInfo:
        """What a time stamp says."""
        return self.signed_data["encap_content_info"]["content"].parsed

    @property
    def stamped_at(self) -> datetime:
        """When a time stamp was given, aware, UTC."""
        moment: datetime = self.time_stamp_info["gen_time"].native
        return moment


def read_seal(encoded: bytes, *, may_hold_revocation_data: bool = False) -> Message:
    """The message of a seal: content outside of it, the signer's certificate named in what is signed.

    Args:
        encoded: DER.
        may_hold_revocation_data: whether revocation lists and OCSP responses may stand in it, as in a detached seal,
            which has no other place for them (EN 319 122-1, 6.3). Nothing signs them there but their issuers: see
            :mod:`sealtool.verification.revocation_data`.

    Raises:
        Objection: SIGNATURE_MALFORMED or NO_SEAL_CERTIFICATE.
    """
    message = _read(encoded, "data", detached=True)
    if message.revocation_data and not may_hold_revocation_data:
        raise malformed("It carries data that nothing protects.")
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
    message = _read(encoded, "tst_info", detached=False)
    if message.signer_info["unsigned_attrs"]:
        raise malformed("A time stamp carries attributes that nothing protects.")
    if not isinstance(message.time_stamp_info, tsp.TSTInfo):
        raise malformed("A time stamp does not say what it stamps.")
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
    """Every certificate in the message is on the validated path or soundly issued by a known one.

    The set of certificates is not signed, so a broken one among them would go unnoticed.

    Raises:
        Objection: SIGNATURE_MALFORMED.
    """
    on_path = set(path)
    issuers = on_path | set(known)
    for certificate in message.certificates:
        check_certificate_form(certificate)
        der = certificate.dump()
        if der not in issuers and not any(is_issued_by(der, issuer) for issuer in (*issuers, der)):
            raise malformed("It carries a certificate that nobody vouches for.")


def check_certificate_form(certificate: asn1_x509.Certificate) -> None:
    """A certificate is in the usual form; Objection SIGNATURE_MALFORMED where it is not."""
    check_form_of_signed(certificate, certificate["tbs_certificate"], certificate["signature_value"])


def check_form_of_signed(whole: core.Sequence, signed: core.Sequence, signature: core.BitString) -> None:
    """RFC 5280, 4.1.1 and 5.1.1: the two parts of a certificate or list that its signature does not cover."""
    outer, inner = whole["signature_algorithm"], signed["signature"]
    if signature.contents[0] or outer.dump() != inner.dump() or shape(whole) != _SIGNED_OBJECT:
        raise malformed("It carries a certificate or revocation list in an unusual form.")


def malformed(detail: str) -> Objection:
    """The objection to a message that holds what it must not."""
    return Objection(ReasonCode.SIGNATURE_MALFORMED, detail)


def _read(encoded: bytes, content_type: str, *, detached: bool) -> Message:
    try:
        message = _parse(encoded)
        _check_form(message, content_type, detached=detached)
    except Objection:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise malformed("It cannot be read.") from error
    return message


def _parse(encoded: bytes) -> Message:
    *_, header, content, trailer = parser.parse(encoded, strict=False)
    length = len(header) + len(content) + len(trailer)
    if any(encoded[length:]):
        raise malformed("Something stands behind its end.")
    encoded = encoded[:length]
    info = cms.ContentInfo.load(encoded, strict=True)
    if info["content_type"].native != "signed_data" or shape(info) != _CONTENT_INFO:
        raise malformed("It is no signature.")
    _check_explicit(info)
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
    identifier, choices = signer_info["sid"], signed_data["certificates"]
    if identifier.name == "issuer_and_serial_number" and all(choice.name == "certificate" for choice in choices):
        found = [choice.chosen.untag() for choice in choices]
        named = [one for one in found if one.serial_number == identifier.chosen["serial_number"].native]
        if len(named) == 1 and named[0].issuer.dump() == identifier.chosen["issuer"].dump():
            return (named[0], *(one for one in found if one is not named[0]))
    try:
        info = extract_certificate_info(signed_data)
    except ValueError as error:
        raise Objection(ReasonCode.NO_SEAL_CERTIFICATE) from error
    return (info.signer_cert, *info.other_certs)


def _check_form(message: Message, content_type: str, *, detached: bool) -> None:
    """What the signature does not cover has one form only."""
    signed_data, signer = message.signed_data, message.signer_info
    unsigned = list(signer["unsigned_attrs"]) if signer["unsigned_attrs"] else []
    if (
        shape(signed_data) not in {_SIGNED_DATA, _SIGNED_DATA_WITH_LISTS}
        or shape(signer) != (_SIGNER_INFO + _UNSIGNED if unsigned else _SIGNER_INFO)
        or shape(signer["sid"].chosen) != _ISSUER_AND_SERIAL
        or any(shape(attribute) != _ATTRIBUTE or len(attribute["values"]) != 1 for attribute in unsigned)
    ):
        raise malformed("It holds something in a place that nothing protects.")
    content = signed_data["encap_content_info"]
    if content["content_type"].native != content_type or (content["content"] is core.VOID) != detached:
        raise malformed("It does not sign what it should.")
    if not detached:
        _check_explicit(content)
    if signed_data["version"].native != _expected_version(message, content_type) or signer["version"].native != "v1":
        raise malformed("It is of another version.")
    if len(signed_data["certificates"]) != len(message.certificates):
        raise malformed("It carries data that nothing protects.")
    digests = [algorithm.dump() for algorithm in signed_data["digest_algorithms"]]
    if digests != [signer["digest_algorithm"].dump()]:
        raise malformed("It names other algorithms than it uses.")
    identifier = signer["sid"]
    if identifier.name != "issuer_and_serial_number":
        raise malformed("It does not name its certificate by issuer and serial number.")
    if identifier.chosen["issuer"].dump() != message.signer.issuer.dump():
        raise malformed("It names another issuer than its certificate.")
    check_parameters(signer["digest_algorithm"])
    check_parameters(signer["signature_algorithm"])
    if not signer["signed_attrs"]:
        raise malformed("It signs no attributes.")
    _check_signed_attributes(signer["signed_attrs"])


def _check_signed_attributes(attributes: cms.CMSAttributes) -> None:
    """The library writes what it has parsed anew before it checks the signature: it has to come out as it came in."""
    anew = b"".join(sorted(map(_written_anew, _elements(attributes.contents))))  # RFC 5652, 5.3: DER, a set in order
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


def check_parameters(algorithm: algos.DigestAlgorithm | algos.SignedDigestAlgorithm) -> None:
    """Absent or NULL (RFC 5754, 2); RSASSA-PSS has real ones, which the check of the signature uses."""
    parameters = algorithm["parameters"]
    if len(shape(algorithm)) > _ALGORITHM_PARTS:
        raise malformed("An algorithm has more than its parameters.")
    if algorithm["algorithm"].native != "rsassa_pss" and parameters is not core.VOID and parameters.dump() != _NULL:
        raise malformed("An algorithm has parameters it does not take.")


def _check_explicit(structure: core.Sequence) -> None:
    """Type and content stand alone, and the content is one element: the parser would pass over a second."""
    if shape(structure) != _CONTENT_INFO:
        raise malformed("It holds something in a place that nothing protects.")
    kind = parser.peek(structure.contents)
    tagged = parser.parse(structure.contents[kind:], strict=True)[4]
    if parser.peek(tagged) != len(tagged):
        raise malformed("It holds something in a place that nothing protects.")


def shape(value: core.Asn1Value) -> bytes:
    """The tags of a structure's children, as they stand in the file."""
    return bytes(child[0] for child in _elements(value.contents))


def _elements(contents: bytes) -> Iterator[bytes]:
    """The children of a structure, as they stand in the file."""
    position = 0
    while position < len(contents):
        length = parser.peek(contents[position:])
        yield contents[position : position + length]
        position += length


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
