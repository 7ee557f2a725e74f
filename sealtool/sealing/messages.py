"""The signed messages of PAdES seals. What is the same in all of one run is put together by the library once.

Two seals of one key and profile differ in the digest of the document, the signature, and the time stamp. The library
builds and encodes every message from its parts, certificates included, which takes most of the time of a seal. A mould
keeps the encoded parts of the first message and puts the others together of them: the very bytes that the library would
have written, which is proved on the first message itself before the mould is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from asn1crypto import cms
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, Signer
from pyhanko.sign.timestamps import TimeStamper

from sealtool.sealing.cades import cades_attributes
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.signatures import digest_of

_OCTET_STRING, _SEQUENCE, _SET = 0x04, 0x30, 0x31
_CONTEXT_0, _CONTEXT_1 = 0xA0, 0xA1
_LONG_FORM = 0x80
_SIGNATURE_TIME_STAMP = cms.CMSAttributeType("signature_time_stamp_token").dump()


@dataclass(slots=True)
class SealMessages:
    """Makes the messages of one signer's seals, as DER.

    Attributes:
        signer: signs; where its key is kept does not matter.
        profile: of every seal.
    """

    signer: Signer
    profile: SealingProfile
    _mould: _Mould | None = field(default=None, init=False)

    async def seal_of(self, document_digest: bytes, stamper: TimeStamper | None) -> bytes:
        """The message that seals a document with this digest; with a time stamp, where there is a stamper.

        Raises:
            SealKeyError: the key does not sign.
            TimeStampError: the authority does not stamp.
        """
        if self._mould is None:
            message = await self.plainly(document_digest, stamper)
            self._mould = _Mould.of(message, document_digest)
            return bytes(message.dump())
        algorithm = self.profile.digest.value
        attributes = self._mould.signed_attributes(document_digest)
        signature = await self.signer.async_sign_raw(_der(_SET, attributes), algorithm)
        if stamper is None:
            return self._mould.filled(attributes, signature, None)
        token = await stamper.async_timestamp(digest_of(signature, algorithm), algorithm)
        return self._mould.filled(attributes, signature, token.dump())

    async def plainly(self, document_digest: bytes, stamper: TimeStamper | None) -> cms.ContentInfo:
        """The same message, put together by the library from beginning to end: the reference for the mould."""
        return await self.signer.async_sign(
            document_digest,
            self.profile.digest.value,
            use_pades=True,
            timestamper=stamper,
            signed_attr_settings=PdfCMSSignedAttributes(cades_signed_attrs=cades_attributes(self.profile)),
        )


@dataclass(frozen=True, slots=True)
class _Mould:
    """The encoded parts that all messages have in common (RFC 5652, 5.1 and 5.3).

    Attributes:
        content_type: of the message: signed data.
        before_signers: version, digest algorithms, content and certificates.
        before_attributes: version, signer identifier and digest algorithm of the only signer.
        before_digest, behind_digest: the signed attributes around the digest of the document, which has the same length
            in all, so that their order (DER, by their encoding) is the same too.
        signature_algorithm: of the signer.
    """

    content_type: bytes
    before_signers: bytes
    before_attributes: bytes
    before_digest: bytes
    behind_digest: bytes
    signature_algorithm: bytes

    @classmethod
    def of(cls, message: cms.ContentInfo, document_digest: bytes) -> _Mould | None:
        """The mould of a message; None where another one could not be made of its parts."""
        encoded = message.dump()
        parsed = cms.ContentInfo.load(encoded)
        data = parsed["content"]
        (signer,) = data["signer_infos"]
        attributes = signer["signed_attrs"].contents
        if attributes.count(document_digest) != 1:
            return None
        before_digest, behind_digest = attributes.split(document_digest)
        mould = cls(
            content_type=parsed["content_type"].dump(),
            before_signers=_parts(data, "version", "digest_algorithms", "encap_content_info", "certificates"),
            before_attributes=_parts(signer, "version", "sid", "digest_algorithm"),
            before_digest=before_digest,
            behind_digest=behind_digest,
            signature_algorithm=signer["signature_algorithm"].dump(),
        )
        stamps = [each for each in signer["unsigned_attrs"] or () if each["type"].dump() == _SIGNATURE_TIME_STAMP]
        token = stamps[0]["values"][0].dump() if stamps else None
        again = mould.filled(mould.signed_attributes(document_digest), signer["signature"].native, token)
        return mould if again == encoded else None

    def signed_attributes(self, document_digest: bytes) -> bytes:
        """The signed attributes of another message, without tag and length."""
        return self.before_digest + document_digest + self.behind_digest

    def filled(self, signed_attributes: bytes, signature: bytes, token: bytes | None) -> bytes:
        """A whole message."""
        signer = _der(
            _SEQUENCE,
            self.before_attributes,
            _der(_CONTEXT_0, signed_attributes),
            self.signature_algorithm,
            _der(_OCTET_STRING, signature),
            b"" if token is None else _der(_CONTEXT_1, _der(_SEQUENCE, _SIGNATURE_TIME_STAMP, _der(_SET, token))),
        )
        data = _der(_SEQUENCE, self.before_signers, _der(_SET, signer))
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
