"""The seal and the time stamps of a file as bytes: where they are and what they cover.

ISO 32000-2, 12.8.1 and EN 319 142-1, 5.3 and 5.5. What is judged here is judged on the raw bytes; the PDF
library only finds the dictionaries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import (
    DEFAULT_PURPOSE_LIMITS,
    DecodeLimits,
    DecodePurpose,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.reader import PdfFileReader

from sealtool.model import SEAL_FIELD_NAME
from sealtool.verification.objects import entries, lookup, resolve
from sealtool.verification.quick_reading import FileReader
from sealtool.verification.reasons import Objection, ReasonCode

_MIB = 1024 * 1024
MAX_BYTES = 32 * _MIB
"""Certificates stay under 1 MB; what is larger by far is not opened."""

# A few KB can unpack to a table of millions of objects, each of which the library keeps.
_DECODE_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=16 * _MIB),
    per_purpose={
        **DEFAULT_PURPOSE_LIMITS,
        DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_output_size=_MIB),
        DecodePurpose.OBJECT_STREAM: StreamDecodeLimits(max_output_size=4 * _MIB),
    },
    document_budget=DocumentDecodeBudget(base_allowance=64 * _MIB, max_ratio=4),
)
# Capital letters, as sealing writes them: otherwise changing their case would change the file and not its value.
_HEX_STRING = re.compile(rb"<[0-9A-F]+>")
_END_OF_FILE = re.compile(rb"startxref[\r\n]{1,2}[0-9]+[\r\n]{1,2}%%EOF(?:\r\n|\r|\n)?\Z")
_TAIL = 64
_BYTE_RANGE_NUMBERS = 4

SEAL_SUB_FILTER = "/ETSI.CAdES.detached"
TIME_STAMP_SUB_FILTER = "/ETSI.RFC3161"


@dataclass(frozen=True, slots=True)
class EmbeddedSignature:
    """A seal or document time stamp with a well-formed ByteRange.

    Attributes:
        field_number: object number of its field (and widget).
        message: the bytes of /Contents, padding included.
        gap: the half-open range of bytes that /Contents takes up; everything else before ``end`` is covered.
        end: how many bytes of the file it speaks for.
    """

    field_name: str
    field_number: int
    dictionary: generic.DictionaryObject
    message: bytes
    gap: tuple[int, int]
    end: int

    def covered(self, content: bytes) -> tuple[memoryview, memoryview]:
        """The two stretches of bytes that are covered."""
        view = memoryview(content)
        return view[: self.gap[0]], view[self.gap[1] : self.end]


@dataclass(frozen=True, slots=True)
class Layout:
    """A file whose signatures lie as they must.

    Attributes:
        whole: the file as it is.
        sealed: the file as it was when it was sealed: parsed from the sealed bytes alone, so that nothing
            behind the seal can have a part in it.
        time_stamps: the document time stamps, oldest first.
    """

    whole: FileReader
    sealed: FileReader
    seal: EmbeddedSignature
    time_stamps: tuple[EmbeddedSignature, ...]

    def let_go(self) -> None:
        """Lets go of what was read of the file: see :meth:`FileReader.let_go`."""
        self.whole.let_go()
        self.sealed.let_go()


def check_envelope(content: bytes) -> None:
    """A PDF begins with its header at byte 0 and ends with its end-of-file marker.

    Raises:
        Objection: NOT_A_PDF or TOO_LARGE.
    """
    if len(content) > MAX_BYTES:
        raise Objection(ReasonCode.TOO_LARGE, f"It has {len(content)} bytes.")
    if not content:
        raise Objection(ReasonCode.NOT_A_PDF, "The file is empty.")
    if not re.match(rb"%PDF-[12]\.[0-9][\r\n]", content):
        raise Objection(ReasonCode.NOT_A_PDF, "It does not begin with %PDF-.")


def read_layout(content: bytes) -> Layout:
    """Finds the one seal and the document time stamps behind it, and checks what they cover.

    Raises:
        Objection: the layout is not that of a certificate.
        Exception: whatever the PDF library raises on broken files.
    """
    whole = _open(content)
    signatures = [_signature(content, entry) for entry in _signature_fields(whole)]
    seals = [found for found in signatures if lookup(found.dictionary, "/Type", "/Sig") != "/DocTimeStamp"]
    if not seals:
        raise Objection(ReasonCode.NO_SEAL)
    # A signature dictionary that no field leads to would be an unjudged second seal for other programs.
    if len(seals) > 1 or content.count(b"/ByteRange") != len(signatures):
        raise Objection(ReasonCode.SEVERAL_SEALS)
    seal = seals[0]
    stamps = tuple(sorted((found for found in signatures if found is not seal), key=lambda found: found.end))
    _check_names(seal, stamps)
    _check_coverage(content, seal, stamps)
    sealed = whole if seal.end == len(content) else _open(content[: seal.end])
    _check_offsets(sealed, seal)
    return Layout(whole, sealed, seal, stamps)


def _open(content: bytes) -> FileReader:
    if not _END_OF_FILE.search(content[-_TAIL:]):
        raise Objection(
            ReasonCode.NOT_ENTIRE_FILE,
            "Its last bytes are not the end of a PDF: it was cut short, or something was appended.",
        )
    reader = FileReader(content, strict=True, decode_limits=_DECODE_LIMITS)
    if "/Encrypt" in reader.trailer:
        raise Objection(ReasonCode.ENCRYPTED)
    if reader.xrefs.hybrid_xrefs_present:
        # Hybrid files show different objects to different programs.
        raise Objection(ReasonCode.UNREADABLE, "It uses hybrid cross-references.")
    return reader


def _signature_fields(reader: PdfFileReader) -> list[tuple[int, generic.DictionaryObject]]:
    form = lookup(reader.root, "/AcroForm")
    if not isinstance(form, generic.DictionaryObject) or not lookup(form, "/Fields"):
        raise Objection(ReasonCode.NO_SEAL)
    if "/XFA" in form:
        raise Objection(ReasonCode.ACTIVE_CONTENT, "It holds an XFA form.")
    fields = []
    for reference in entries(form["/Fields"]):
        if not isinstance(reference, generic.IndirectObject):
            raise Objection(ReasonCode.SEAL_FIELD_UNEXPECTED, "There is a form field without a number of its own.")
        dictionary = resolve(reference)
        if lookup(dictionary, "/FT") != "/Sig" or "/Kids" in dictionary or "/Parent" in dictionary:
            raise Objection(ReasonCode.SEAL_FIELD_UNEXPECTED, "There is a form field that is no signature field.")
        if "/AA" in dictionary or "/A" in dictionary:
            raise Objection(ReasonCode.ACTIVE_CONTENT, "A signature field holds an action.")
        fields.append((reference.idnum, dictionary))
    return fields


def _signature(content: bytes, entry: tuple[int, generic.DictionaryObject]) -> EmbeddedSignature:
    number, field = entry
    dictionary = lookup(field, "/V")
    if not isinstance(dictionary, generic.DictionaryObject):
        raise Objection(ReasonCode.SEVERAL_SEALS, "There is a signature field with no signature in it.")
    gap, end = _byte_range(content, dictionary.raw_get("/ByteRange"))
    message = bytes.fromhex(content[gap[0] + 1 : gap[1] - 1].decode("ascii"))
    contents = dictionary.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW)
    if contents.original_bytes != message:
        raise Objection(ReasonCode.BYTE_RANGE_MALFORMED, "It leaves out something else than its own value.")
    return EmbeddedSignature(str(lookup(field, "/T", "")), number, dictionary, message, gap, end)


def _byte_range(content: bytes, array: Any) -> tuple[tuple[int, int], int]:
    numbers = [int(number) for number in array if isinstance(number, generic.NumberObject)]
    if not isinstance(array, generic.ArrayObject) or len(array) != len(numbers) or len(numbers) != _BYTE_RANGE_NUMBERS:
        raise Objection(ReasonCode.BYTE_RANGE_MALFORMED, "It is not four whole numbers.")
    start, before, resumed, after = numbers
    end = resumed + after
    if start != 0 or not 0 < before < resumed < end <= len(content) or after <= 0:
        raise Objection(ReasonCode.BYTE_RANGE_MALFORMED, "It does not run from the first byte around one gap.")
    gap = content[before:resumed]
    if not _HEX_STRING.fullmatch(gap) or len(gap) % 2:
        raise Objection(ReasonCode.BYTE_RANGE_MALFORMED, "What it leaves out is not one hexadecimal string.")
    return (before, resumed), end


def _check_names(seal: EmbeddedSignature, stamps: tuple[EmbeddedSignature, ...]) -> None:
    if seal.field_name != SEAL_FIELD_NAME:
        raise Objection(ReasonCode.SEAL_FIELD_UNEXPECTED, f"The seal's field is not called {SEAL_FIELD_NAME}.")
    if lookup(seal.dictionary, "/SubFilter") != SEAL_SUB_FILTER:
        raise Objection(ReasonCode.SUB_FILTER_UNEXPECTED)
    if len({seal.field_name, *(stamp.field_name for stamp in stamps)}) != 1 + len(stamps):
        raise Objection(ReasonCode.SEAL_FIELD_UNEXPECTED, "Two fields have the same name.")
    for stamp in stamps:
        if lookup(stamp.dictionary, "/SubFilter") != TIME_STAMP_SUB_FILTER:
            raise Objection(ReasonCode.SUB_FILTER_UNEXPECTED, "A document time stamp is not of ETSI.RFC3161.")


def _check_coverage(content: bytes, seal: EmbeddedSignature, stamps: tuple[EmbeddedSignature, ...]) -> None:
    if any(stamp.end <= seal.end for stamp in stamps):
        raise Objection(ReasonCode.CHANGED_AFTER_SEAL, "A document time stamp lies before the seal.")
    if max(found.end for found in (seal, *stamps)) != len(content):
        raise Objection(ReasonCode.NOT_ENTIRE_FILE, "Something stands behind it.")


def _check_offsets(sealed: PdfFileReader, seal: EmbeddedSignature) -> None:
    """No object of the sealed file may lie in what the seal leaves out, or behind it."""
    for revision in range(sealed.xrefs.total_revisions):
        offsets = (offset for _, offset in sealed.xrefs.get_xref_data(revision).standard_xrefs.values())
        if any(offset >= seal.end or seal.gap[0] <= offset < seal.gap[1] for offset in offsets):
            raise Objection(ReasonCode.BYTE_RANGE_MALFORMED, "An object lies outside of what is sealed.")
