"""Ways to spoil a sealed file: each function takes one that would pass and returns one that must not."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import timestamps

from sealtool.sealing.writing import SealWriter

_BYTE_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")


def incremental_update(content: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """An update as an editor would save it, behind the seal; the description of the document stays as it was."""
    writer = SealWriter(io.BytesIO(content))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def raw_update(
    content: bytes,
    objects: Iterable[tuple[int, bytes]],
    *,
    root: int | None = None,
    generation: int = 0,
    trailer: bytes = b"",
    unlisted: bytes = b"",
) -> bytes:
    """An update byte by byte, with a classic table; of two objects of one number the later one is listed.

    Args:
        objects: numbers and bodies.
        root: number of the catalogue, where it is to be another one.
        generation: of every object in it.
        trailer: further entries of the trailer.
        unlisted: put before the table, and not listed in it.
    """
    reader = PdfFileReader(io.BytesIO(content))
    out = bytearray(content)
    places: dict[int, int] = {}
    for number, body in objects:
        places[number] = len(out)
        out += b"%d %d obj\n%s\nendobj\n" % (number, generation, body)
    out += unlisted
    start = len(out)
    out += b"xref\n"
    for number, place in sorted(places.items()):
        out += b"%d 1\n%010d %05d n \n" % (number, place, generation)
    size = max(int(reader.trailer["/Size"]), *(number + 1 for number in places), 0)
    root = root or reader.root_ref.idnum
    out += b"trailer\n<< /Size %d /Root %d 0 R /Prev %d /ID [<00> <01>]" % (size, root, reader.last_startxref)
    if "/Info" in reader.trailer:
        out += b" /Info %d 0 R" % reader.trailer.raw_get("/Info").idnum
    out += b" %s >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, start)
    return bytes(out)


def with_store(
    content: bytes, lists: Iterable[bytes] = (), responses: Iterable[bytes] = (), certificates: Iterable[bytes] = ()
) -> bytes:
    """Validation data (DSS) in an update, in place of those that are there."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        kinds = {"/CRLs": lists, "/OCSPs": responses, "/Certs": certificates}
        writer.root[pdf_name("/DSS")] = generic.DictionaryObject(
            {
                pdf_name(kind): generic.ArrayObject(
                    [writer.add_object(generic.StreamObject(stream_data=one)) for one in data]
                )
                for kind, data in kinds.items()
            }
        )
        writer.update_root()

    return incremental_update(content, change)


def stamped(content: bytes, stamper: timestamps.TimeStamper, *, digest: str = "sha256") -> bytes:
    """A document time stamp over everything: what a forger can buy from any trusted authority."""
    from pyhanko.sign.signers import PdfTimeStamper  # noqa: PLC0415 - slow to import, used by few tests

    return (
        PdfTimeStamper(stamper)
        .timestamp_pdf(  # type: ignore[no-any-return]
            SealWriter(io.BytesIO(content)), md_algorithm=digest
        )
        .getvalue()
    )


def replace_page_text(content: bytes) -> bytes:
    """Shows another level on the first page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        text = b"BT /F1 12 Tf 72 720 Td (LEVEL C2, page 1) Tj ET"
        page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=text))
        writer.update_container(page)

    return incremental_update(content, change)


def overwrite_page_text(content: bytes) -> bytes:
    """Replaces the object that holds the first page's text: no dictionary on the way to it changes."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        stream = writer.root["/Pages"]["/Kids"][0]["/Contents"]
        stream._data = b"BT /F1 12 Tf 72 720 Td (LEVEL C2, page 1) Tj ET"
        stream._encoded_data = None
        writer.update_container(stream)

    return incremental_update(content, change)


def add_annotation(content: bytes) -> bytes:
    """Lays a text over the first page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        entries = {"/Type": pdf_name("/Annot"), "/Subtype": pdf_name("/FreeText"), "/Contents": "LEVEL C2"}
        annotation = generic.DictionaryObject(
            {pdf_name(key): generic.pdf_string(v) if key == "/Contents" else v for key, v in entries.items()}
        )
        annotation[pdf_name("/Rect")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 500, 500)))
        page["/Annots"].append(writer.add_object(annotation))
        writer.update_container(page["/Annots"])

    return incremental_update(content, change)


def add_open_action(content: bytes) -> bytes:
    """Runs a script when the file is opened."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        script = {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.pdf_string("app.alert(1)")}
        writer.root[pdf_name("/OpenAction")] = generic.DictionaryObject(script)
        writer.update_root()

    return incremental_update(content, change)


def rename_document(content: bytes) -> bytes:
    """Gives the document the title of another level, which readers show in their window."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        title = generic.DictionaryObject({pdf_name("/Title"): generic.pdf_string("LEVEL C2")})
        writer.set_info(writer.add_object(title))

    return incremental_update(content, change)


def with_unlisted_place(content: bytes) -> bytes:
    """Lists an object of an unsealed file at a place that lies behind its end."""
    count = int(re.findall(rb"xref\n0 (\d+)\n", content)[0])
    content = content.replace(b"xref\n0 %d\n" % count, b"xref\n0 %d\n" % (count + 1), 1)
    content = content.replace(b"/Size %d" % count, b"/Size %d" % (count + 1), 1)
    return content.replace(b"trailer", b"0009999999 00000 n \ntrailer", 1)


def with_byte_range(content: bytes, change: Callable[[list[int]], list[int]]) -> bytes:
    """Rewrites the last ByteRange in place."""
    match = list(_BYTE_RANGE.finditer(content))[-1]
    numbers = change([int(number) for number in match.groups()])
    text = b"/ByteRange [%s]" % b" ".join(b"%d" % number for number in numbers)
    room = len(match.group(0)) + 24
    assert not content[match.end() : match.start() + room].strip()
    return content[: match.start()] + text.ljust(room) + content[match.start() + room :]


def contents_gap(content: bytes, which: int = 0) -> tuple[int, int]:
    """Where the value of a seal (0) or of a later time stamp stands in the file, brackets included."""
    numbers = [int(number) for number in list(_BYTE_RANGE.finditer(content))[which].groups()]
    return numbers[1], numbers[2]


def with_contents_of(content: bytes, other: bytes) -> bytes:
    """Puts another file's seal value in."""
    (start, end), (other_start, other_end) = contents_gap(content), contents_gap(other)
    value = other[other_start + 1 : other_end - 1]
    return content[: start + 1] + value[: end - start - 2].ljust(end - start - 2, b"0") + content[end - 1 :]


def certificates_of(message: bytes) -> list[bytes]:
    """The certificates in a message, as they stand in it."""
    return [choice.chosen.dump() for choice in cms.ContentInfo.load(message)["content"]["certificates"]]


def with_certificates(message: bytes, certificates: Iterable[bytes]) -> bytes:
    """The same message with these certificates, in the order of DER."""
    changed = cms.ContentInfo.load(message)
    changed["content"]["certificates"] = [
        cms.CertificateChoices(name="certificate", value=asn1_x509.Certificate.load(each)) for each in certificates
    ]
    return bytes(changed.dump())


def with_certificates_turned_round(message: bytes) -> bytes:
    """The same message with its certificates in the other order."""
    certificates = certificates_of(message)
    assert len(certificates) > 1
    return message.replace(b"".join(certificates), b"".join(reversed(certificates)))


def flip(content: bytes, position: int, mask: int = 0x01) -> bytes:
    return content[:position] + bytes([content[position] ^ mask]) + content[position + 1 :]
