"""The archive time stamp: validation data and a document time stamp behind all there is, in one revision."""

from __future__ import annotations

from io import BytesIO

from pyhanko.sign.signers.pdf_signer import PdfTimeStamper, PreSignValidationStatus
from pyhanko.sign.validation import DocumentSecurityStore

from sealtool.sealing.cades import room_for_document_stamp
from sealtool.sealing.profile import SealingProfile
from sealtool.sealing.time_stamps import CheckedTimeStamper
from sealtool.sealing.writing import SealWriter

TIME_STAMP_FIELD_NAME = "DocumentTimeStamp"
"""Field of the document time stamp at B-LTA; those that renew it are numbered from 2."""

TIME_STAMP_FIELD_DESCRIPTION = "Segell de temps / Sello de tiempo"
"""What a screen reader says of it (``/TU``; PDF/UA-1, 7.18.1)."""


async def stamp_document(
    output: BytesIO, stamper: CheckedTimeStamper, validation: PreSignValidationStatus, profile: SealingProfile
) -> None:
    """EN 319 142-1, 5.4.3 and 5.5: validation data and archive time stamp in one revision behind everything.

    Args:
        output: a sealed document; the revision is written behind it.
        stamper: stamps it.
        validation: what the document has to hold about everything before the new time stamp, and, because whoever
            judges has to know it too, about the authority of the new one. What it holds already is not added again.
        profile: tells the digest algorithm.

    Raises:
        TimeStampError: the authority gave no usable time stamp. ``output`` is then of no use.
    """
    writer = SealWriter(output)
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        paths=validation.validation_paths,
        ocsps=validation.ocsps_to_embed,
        crls=validation.crls_to_embed,
    )
    document_stamper = PdfTimeStamper(
        stamper, field_name=_free_field_name(writer), readable_field_name=TIME_STAMP_FIELD_DESCRIPTION
    )
    await document_stamper.async_timestamp_pdf(
        writer,
        profile.digest.value,
        bytes_reserved=await room_for_document_stamp(profile, stamper),
        in_place=True,
    )


def _free_field_name(writer: SealWriter) -> str:
    taken = {str(field.get_object().get("/T")) for field in writer.root["/AcroForm"]["/Fields"]}
    number = 1
    name = TIME_STAMP_FIELD_NAME
    while name in taken:
        number += 1
        name = f"{TIME_STAMP_FIELD_NAME}{number}"
    return name
