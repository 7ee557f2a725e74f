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

from sealtool.sealing.asn1 import CONTEXT_0, CONTEXT_1, OCTET_STRING, SEQUENCE, SET, der, parts_of
from sealtool.sealing.cades import cades_attributes
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.signatures import digest_of

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
        signature = await self.signer.async_sign_raw(der(SET, attributes), algorithm)
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
            before_signers=parts_of(data, "version", "digest_algorithms", "encap_content_info", "certificates"),
            before_attributes=parts_of(signer, "version", "sid", "digest_algorithm"),
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
        signer = der(
            SEQUENCE,
            self.before_attributes,
            der(CONTEXT_0, signed_attributes),
            self.signature_algorithm,
            der(OCTET_STRING, signature),
            b"" if token is None else der(CONTEXT_1, der(SEQUENCE, _SIGNATURE_TIME_STAMP, der(SET, token))),
        )
        data = der(SEQUENCE, self.before_signers, der(SET, signer))
        return der(SEQUENCE, self.content_type, der(CONTEXT_0, data))
