"""The signed messages of PAdES seals. What is the same in all of one run is put together by the library once.

Two seals of one key and profile differ in the digest of the document, the signature, and the time stamp. The library
builds and encodes every message from its parts, certificates included, which takes most of the time of a seal. A mould
keeps the encoded parts of a first message, one on trial without a signature, and puts all others together of them: the
very bytes that the library would have written, which is proved on the first message itself before the mould is used.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from asn1crypto import cms
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, Signer
from pyhanko.sign.timestamps import TimeStamper

from sealtool.sealing.cades import cades_attributes, trial_message
from sealtool.sealing.moulds import MessageMould
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.signatures import digest_of


@dataclass(slots=True)
class SealMessages:
    """Makes the messages of one signer's seals, as DER.

    Attributes:
        signer: signs; where its key is kept does not matter.
        profile: of every seal.
    """

    signer: Signer
    profile: SealingProfile
    _mould: MessageMould | None = field(default=None, init=False)
    _has_tried: bool = field(default=False, init=False)
    _trying: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def seal_of(self, document_digest: bytes, stamper: TimeStamper | None) -> bytes:
        """The message that seals a document with this digest; with a time stamp, where there is a stamper.

        Raises:
            SealKeyError: the key does not sign.
            TimeStampError: the authority does not stamp.
        """
        if not self._has_tried:
            await self._try(stamper)
        if self._mould is None:
            return bytes((await self.plainly(document_digest, stamper)).dump())
        algorithm = self.profile.digest.value
        signature = await self.signer.async_sign_raw(self._mould.to_be_signed(document_digest), algorithm)
        if stamper is None:
            return self._mould.filled(document_digest, signature)
        token = await stamper.async_timestamp(digest_of(signature, algorithm), algorithm)
        return self._mould.filled(document_digest, signature, token=token.dump())

    async def _try(self, stamper: TimeStamper | None) -> None:
        """Takes the mould, once for all seals in flight."""
        async with self._trying:
            if not self._has_tried:
                nothing = digest_of(b"", self.profile.digest.value)
                trial = await trial_message(self.signer, self.profile, stamper, nothing)
                self._mould, self._has_tried = MessageMould.of(trial, nothing), True

    async def plainly(self, document_digest: bytes, stamper: TimeStamper | None) -> cms.ContentInfo:
        """The same message, put together by the library from beginning to end: the reference for the mould."""
        return await self.signer.async_sign(
            document_digest,
            self.profile.digest.value,
            use_pades=True,
            timestamper=stamper,
            signed_attr_settings=PdfCMSSignedAttributes(cades_signed_attrs=cades_attributes(self.profile)),
        )
