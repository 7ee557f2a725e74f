"""The CMS message of a seal or time stamp, and all of it that no signature protects.

RFC 5652, EN 319 142-1 section 6.3, RFC 3161. The library checks what is signed. What is not signed must then
either be checked by itself or be fixed to one form: otherwise bytes could change without anybody noticing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, parser, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko.sign.ades import cades_asn1  # noqa: F401 - registers the CAdES attributes with asn1crypto
from pyhanko.sign.general import extract_certificate_info, extract_signer_info

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
_SIGNATURE_TIME_STAMP = "signature_time_stamp_token"


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message of the only form that is accepted: one signer, whose certificate is inside."""

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
        return tuple(choice.chosen.dump() for choice in self.signed_data["crls"] or ())

    @property
    def time_stamp_info(self) -> tsp.TSTInfo:
        """What a time stamp says."""
        return self.signed_data["encap_content_info"]["content"].parsed

    @property
    def stamped_at(self) -> datetime:
        """When a time stamp was given, aware, UTC."""
        moment: datetime = self.time_stamp_info["gen_time"].native
        return moment


def read_seal(encoded: bytes, *, may_hold_lists: bool = False) -> Message:
    """The message of a seal: content outside of it, the signer's certificate named in what is signed.

    Args:
        encoded: DER.
        may_hold_lists: whether revocation lists may stand in it, as in a detached seal, which has no other place
            for them (EN 319 122-1, 6.3). Nothing signs them there but their issuers: see
            :func:`check_revocation_lists`.

    Raises:
        Objection: SIGNATURE_MALFORMED or NO_SEAL_CERTIFICATE.
    """
    message = _read(encoded, "data", detached=True)
    if message.revocation_lists and not may_hold_lists:
        raise _malformed("It carries data that nothing protects.")
    if not any(True for _ in _attribute(message.signer_info["signed_attrs"], "signing_certificate_v2")):
        # EN 319 142-1, 6.3 (f): without it the certificate could be exchanged for another of the same key.
        raise _malformed("What is signed does not name the certificate.")
    unsigned = message.signer_info["unsigned_attrs"]
    kinds = [attribute["type"].native for attribute in unsigned] if unsigned else []
    if kinds not in ([], [_SIGNATURE_TIME_STAMP]):
        raise _malformed("It carries attributes that nothing protects.")
    return message


def read_time_stamp(encoded: bytes) -> Message:
    """The message of a time stamp token (RFC 3161, 2.4.2).

    Raises:
        Objection: SIGNATURE_MALFORMED or NO_SEAL_CERTIFICATE.
    """
    message = _read(encoded, "tst_info", detached=False)
    if message.signer_info["unsigned_attrs"] or message.revocation_lists:
        raise _malformed("A time stamp carries attributes that nothing protects.")
    if not isinstance(message.time_stamp_info, tsp.TSTInfo):
        raise _malformed("A time stamp does not say what it stamps.")
    return message


def signature_time_stamp(seal: Message) -> Message | None:
    """The time stamp on the seal's signature value, where there is one.

    Raises:
        Objection: there is one and it is malformed.
    """
    unsigned = seal.signer_info["unsigned_attrs"]
    tokens = list(_attribute(unsigned, _SIGNATURE_TIME_STAMP)) if unsigned else []
    if len(tokens) > 1:
        raise _malformed("It carries several time stamps.")
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
        _check_certificate_form(certificate)
        der = certificate.dump()
        if der not in issuers and not any(_issued(der, issuer) for issuer in (*issuers, der)):
            raise _malformed("It carries a certificate that nobody vouches for.")


def check_revocation_lists(message: Message, issuers: Iterable[bytes]) -> None:
    """Every revocation list in the message is soundly signed by one of the issuers, and in the usual form.

    Raises:
        Objection: SIGNATURE_MALFORMED.
    """
    known = [x509.load_der_x509_certificate(der) for der in issuers]
    for choice in message.signed_data["crls"] or ():
        if choice.name != "crl":
            raise _malformed("It carries revocation data of another kind than lists.")
        _check_form_of_signed(choice.chosen, choice.chosen["tbs_cert_list"], choice.chosen["signature"])
        if not any(_listed(choice.chosen.dump(), issuer) for issuer in known):
            raise _malformed("It carries a revocation list that nobody vouches for.")


def _check_certificate_form(certificate: asn1_x509.Certificate) -> None:
    _check_form_of_signed(certificate, certificate["tbs_certificate"], certificate["signature_value"])


def _check_form_of_signed(whole: core.Sequence, signed: core.Sequence, signature: core.BitString) -> None:
    """RFC 5280, 4.1.1 and 5.1.1: the two parts of a certificate or list that its signature does not cover."""
    outer, inner = whole["signature_algorithm"], signed["signature"]
    if signature.contents[0] or outer.dump() != inner.dump() or _shape(whole) != _SIGNED_OBJECT:
        raise _malformed("It carries a certificate or revocation list in an unusual form.")


def _malformed(detail: str) -> Objection:
    return Objection(ReasonCode.SIGNATURE_MALFORMED, detail)


def _read(encoded: bytes, content_type: str, *, detached: bool) -> Message:
    try:
        message = _parse(encoded)
        _check_form(message, content_type, detached=detached)
    except Objection:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise _malformed("It cannot be read.") from error
    return message


def _parse(encoded: bytes) -> Message:
    *_, header, content, trailer = parser.parse(encoded, strict=False)
    length = len(header) + len(content) + len(trailer)
    if any(encoded[length:]):
        raise _malformed("Something stands behind its end.")
    info = cms.ContentInfo.load(encoded[:length], strict=True)
    if info["content_type"].native != "signed_data" or _shape(info) != _CONTENT_INFO:
        raise _malformed("It is no signature.")
    signed_data = info["content"]
    if len(signed_data["signer_infos"]) != 1:
        raise _malformed("It has not exactly one signer.")
    signer_info = extract_signer_info(signed_data)
    try:
        found = extract_certificate_info(signed_data)
    except ValueError as error:
        raise Objection(ReasonCode.NO_SEAL_CERTIFICATE) from error
    return Message(signed_data, signer_info, found.signer_cert, (found.signer_cert, *found.other_certs))


def _check_form(message: Message, content_type: str, *, detached: bool) -> None:
    """What the signature does not cover has one form only."""
    signed_data, signer = message.signed_data, message.signer_info
    unsigned = list(signer["unsigned_attrs"]) if signer["unsigned_attrs"] else []
    if (
        _shape(signed_data) not in {_SIGNED_DATA, _SIGNED_DATA_WITH_LISTS}
        or _shape(signer) != (_SIGNER_INFO + _UNSIGNED if unsigned else _SIGNER_INFO)
        or _shape(signer["sid"].chosen) != _ISSUER_AND_SERIAL
        or any(_shape(attribute) != _ATTRIBUTE for attribute in unsigned)
    ):
        raise _malformed("It holds something in a place that nothing protects.")
    content = signed_data["encap_content_info"]
    if content["content_type"].native != content_type or (content["content"] is core.VOID) != detached:
        raise _malformed("It does not sign what it should.")
    expected = "v1" if content_type == "data" else "v3"  # RFC 5652, 5.1
    if signed_data["version"].native != expected or signer["version"].native != "v1":
        raise _malformed("It is of another version.")
    if len(signed_data["certificates"]) != len(message.certificates):
        raise _malformed("It carries data that nothing protects.")
    digests = [algorithm.dump() for algorithm in signed_data["digest_algorithms"]]
    if digests != [signer["digest_algorithm"].dump()]:
        raise _malformed("It names other algorithms than it uses.")
    identifier = signer["sid"]
    if identifier.name != "issuer_and_serial_number":
        raise _malformed("It does not name its certificate by issuer and serial number.")
    if identifier.chosen["issuer"].dump() != message.signer.issuer.dump():
        raise _malformed("It names another issuer than its certificate.")
    _check_parameters(signer["digest_algorithm"])
    _check_parameters(signer["signature_algorithm"])
    if not signer["signed_attrs"]:
        raise _malformed("It signs no attributes.")


def _check_parameters(algorithm: algos.DigestAlgorithm | algos.SignedDigestAlgorithm) -> None:
    """Absent or NULL (RFC 5754, 2); RSASSA-PSS has real ones, which the check of the signature uses."""
    parameters = algorithm["parameters"]
    if algorithm["algorithm"].native != "rsassa_pss" and parameters is not core.VOID and parameters.dump() != _NULL:
        raise _malformed("An algorithm has parameters it does not take.")


def _shape(value: core.Asn1Value) -> bytes:
    """The tags of a structure's children, as they stand in the file."""
    contents, position, tags = value.contents, 0, bytearray()
    while position < len(contents):
        tags.append(contents[position])
        position += parser.peek(contents[position:])
    return bytes(tags)


def _attribute(attributes: cms.CMSAttributes, kind: str) -> Iterator[Any]:
    for attribute in attributes:
        if attribute["type"].native == kind:
            yield from attribute["values"]


def _issued(der: bytes, issuer: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(der).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _listed(der: bytes, issuer: x509.Certificate) -> bool:
    listing = x509.load_der_x509_crl(der)
    try:
        sound = listing.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return sound and listing.issuer == issuer.subject
