"""Signed messages (CMS) put together of the parts of one that the library built (ADR 0018).

Two seals of one key and profile, and two time stamps of one authority, differ in what they are over, the signature, and
the time stamp on it. Everything else is encoded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asn1crypto import cms, core

_OCTET_STRING: Final = 0x04
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_LONG_FORM: Final = 0x80
_SIGNATURE_TIME_STAMP: Final = cms.CMSAttributeType("signature_time_stamp_token").dump()


@dataclass(frozen=True, slots=True)
class MessageMould:
    """The encoded parts that all messages have in common (RFC 5652, 5.1 to 5.3).

    Attributes:
        content_type: of the message: signed data.
        before_content: version and digest algorithms.
        signed_type: of what is signed.
        certificates: of the message.
        before_attributes: version, signer identifier and digest algorithm of the only signer.
        before_digest, behind_digest: the signed attributes around the digest of what is signed, which has the same
            length in all, so that their order (DER, by their encoding) is the same too.
        signature_algorithm: of the signer.
    """

    content_type: bytes
    before_content: bytes
    signed_type: bytes
    certificates: bytes
    before_attributes: bytes
    before_digest: bytes
    behind_digest: bytes
    signature_algorithm: bytes

    @classmethod
    def of(cls, message: cms.ContentInfo, digest: bytes) -> MessageMould | None:
        """The mould of a message; None where another one could not be made of its parts.

        Args:
            message: as the library built it.
            digest: of what it signs.
        """
        encoded = message.dump()
        parsed = cms.ContentInfo.load(encoded)
        data = parsed["content"]
        (signer,) = data["signer_infos"]
        content = data["encap_content_info"]
        attributes = signer["signed_attrs"].contents
        if attributes.count(digest) != 1:
            return None
        before_digest, behind_digest = attributes.split(digest)
        mould = cls(
            content_type=parsed["content_type"].dump(),
            before_content=_parts(data, "version", "digest_algorithms"),
            signed_type=content["content_type"].dump(),
            certificates=data["certificates"].dump(),
            before_attributes=_parts(signer, "version", "sid", "digest_algorithm"),
            before_digest=before_digest,
            behind_digest=behind_digest,
            signature_algorithm=signer["signature_algorithm"].dump(),
        )
        stamps = [each for each in signer["unsigned_attrs"] or () if each["type"].dump() == _SIGNATURE_TIME_STAMP]
        again = mould.filled(
            digest,
            signer["signature"].native,
            content=None if content["content"] is core.VOID else bytes(content["content"]),
            token=stamps[0]["values"][0].dump() if stamps else None,
        )
        return mould if again == encoded else None

    def to_be_signed(self, digest: bytes) -> bytes:
        """The signed attributes of another message, as they are signed (RFC 5652, 5.4)."""
        return _der(_SET, self.before_digest, digest, self.behind_digest)

    def filled(
        self, digest: bytes, signature: bytes, *, content: bytes | None = None, token: bytes | None = None
    ) -> bytes:
        """A whole message.

        Args:
            digest: of what is signed.
            signature: over the signed attributes.
            content: what is signed, where it stands in the message.
            token: the time stamp on the signature.
        """
        stamp = b"" if token is None else _der(_SEQUENCE, _SIGNATURE_TIME_STAMP, _der(_SET, token))
        signer = _der(
            _SEQUENCE,
            self.before_attributes,
            _der(_CONTEXT_0, self.before_digest, digest, self.behind_digest),
            self.signature_algorithm,
            _der(_OCTET_STRING, signature),
            _der(_CONTEXT_1, stamp) if stamp else b"",
        )
        held = b"" if content is None else _der(_CONTEXT_0, _der(_OCTET_STRING, content))
        signed = _der(_SEQUENCE, self.signed_type, held)
        data = _der(_SEQUENCE, self.before_content, signed, self.certificates, _der(_SET, signer))
        return _der(_SEQUENCE, self.content_type, _der(_CONTEXT_0, data))


def _parts(value: cms.SignedData | cms.SignerInfo, *names: str) -> bytes:
    return b"".join(value[name].dump() for name in names)


def _der(tag: int, *contents: bytes) -> bytes:
    """An element of DER (X.690, 8.1 and 10.1: the shortest definite form of length)."""
    content = b"".join(contents)
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content
