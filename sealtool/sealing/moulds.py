"""Signed messages (CMS) put together of the parts of one that the library built (ADR 0018).

Two seals of one key and profile, and two time stamps of one authority, differ in what they are over, the signature, and
the time stamp on it. Everything else is encoded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asn1crypto import cms, core

from sealtool.sealing.der import CONTEXT_0, CONTEXT_1, OCTET_STRING, SEQUENCE, SET, content_of, element

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
        return element(SET, self.before_digest, digest, self.behind_digest)

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
        stamp = b"" if token is None else element(SEQUENCE, _SIGNATURE_TIME_STAMP, element(SET, token))
        signer = element(
            SEQUENCE,
            self.before_attributes,
            element(CONTEXT_0, self.before_digest, digest, self.behind_digest),
            self.signature_algorithm,
            element(OCTET_STRING, signature),
            element(CONTEXT_1, stamp) if stamp else b"",
        )
        held = b"" if content is None else element(CONTEXT_0, element(OCTET_STRING, content))
        signed = element(SEQUENCE, self.signed_type, held)
        data = element(SEQUENCE, self.before_content, signed, self.certificates, element(SET, signer))
        return element(SEQUENCE, self.content_type, element(CONTEXT_0, data))

    def likely_parts(self, message: bytes) -> tuple[bytes, bytes]:
        """What is signed, which stands in the message, and the signature of a message that looks like this mould's.

        Whether it is one is for the caller to see: it is, if it comes out again where these parts are filled in.

        Raises:
            ValueError: it does not even look like one.
        """
        content = message.index(self.signed_type) + len(self.signed_type)
        signature = message.rindex(self.signature_algorithm) + len(self.signature_algorithm)
        return content_of(content_of(message[content:])), content_of(message[signature:])


def _parts(value: cms.SignedData | cms.SignerInfo, *names: str) -> bytes:
    return b"".join(value[name].dump() for name in names)
