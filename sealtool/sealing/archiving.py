"""The archive time stamp: validation data and a document time stamp behind all there is, in one revision."""

from __future__ import annotations

from io import BytesIO

from asn1crypto import cms
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper, PreSignValidationStatus
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import DocumentSecurityStore

from sealtool.sealing.cades import room_for_document_stamp
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.time_stamps import CheckedTimeStamper
from sealtool.sealing.updates import Prepared, prepared_by_library
from sealtool.sealing.writing import SealWriter

TIME_STAMP_FIELD_NAME = "DocumentTimeStamp"
"""Field of the document time stamp at B-LTA; those that renew it are numbered from 2."""

TIME_STAMP_FIELD_DESCRIPTION = "Segell de temps / Sello de tiempo"
"""What a screen reader says of it (``/TU``; PDF/UA-1, 7.18.1)."""


class _Nobody(TimeStamper):
    """Stamps with nothing: what the library writes is the document as it was, with the room for a token."""

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """No bytes at all."""
        del message_digest, md_algorithm
        return b""


async def stamp_document(
    content: bytes, stamper: CheckedTimeStamper, validation: PreSignValidationStatus, profile: SealingProfile
) -> bytes:
    """EN 319 142-1, 5.4.3 and 5.5: validation data and archive time stamp in one revision behind everything.

    Args:
        content: a sealed document; the revision is written behind it.
        stamper: stamps it.
        validation: see :func:`ready_to_be_stamped`.
        profile: tells the digest algorithm.

    Raises:
        TimeStampError: the authority gave no usable time stamp.
    """
    room = await room_for_document_stamp(profile, stamper)
    return await stamped(await ready_to_be_stamped(content, validation, profile, room), stamper, profile)


async def ready_to_be_stamped(
    content: bytes, validation: PreSignValidationStatus, profile: SealingProfile, room: int
) -> Prepared:
    """The document with all of that revision but the token. Waits for nobody.

    Args:
        content: a sealed document.
        validation: what the document has to hold about everything before the new time stamp, and, because whoever
            judges has to know it too, about the authority of the new one. What it holds already is not added again.
        profile: tells the digest algorithm.
        room: hexadecimal characters for the token.
    """
    output = BytesIO(content)
    writer = SealWriter(output)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        paths=validation.validation_paths,
        ocsps=validation.ocsps_to_embed,
        crls=validation.crls_to_embed,
    )
    document_stamper = PdfTimeStamper(
        _Nobody(),  # type: ignore[no-untyped-call]
        field_name=_free_field_name(writer),
        readable_field_name=TIME_STAMP_FIELD_DESCRIPTION,
    )
    await document_stamper.async_timestamp_pdf(writer, profile.digest.value, bytes_reserved=room, in_place=True)
    return prepared_by_library(output.getvalue(), len(content))


async def stamped(prepared: Prepared, stamper: CheckedTimeStamper, profile: SealingProfile) -> bytes:
    """The document with its token.

    Raises:
        TimeStampError: the authority gave no usable time stamp.
        SigningError: the token is longer than the room for it.
    """
    algorithm = profile.digest.value
    token = await stamper.async_timestamp(prepared.digest(algorithm), algorithm)
    prepared.fill(token.dump())
    return bytes(prepared.content)


def _free_field_name(writer: SealWriter) -> str:
    taken = {str(field.get_object().get("/T")) for field in writer.root["/AcroForm"]["/Fields"]}
    number = 1
    name = TIME_STAMP_FIELD_NAME
    while name in taken:
        number += 1
        name = f"{TIME_STAMP_FIELD_NAME}{number}"
    return name
