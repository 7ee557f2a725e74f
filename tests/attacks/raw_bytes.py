"""Attacks on the bytes: behind the end, in the middle, cut off, or no PDF at all."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.crypt import StandardSecurityHandler
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from tests.attacks.catalogue import Attack, Group, OnIssued
from tests.attacks.workshop import BB, LTA, Workshop
from tests.fuzz import structures
from tests.pki.authorities import SEALED_AT, YEAR, Profile, issue
from tests.pki.sealed_files import small_pdf
from tests.pki.tampering import (
    certificates_of,
    contents_gap,
    flip,
    raw_update,
    with_certificates,
    with_certificates_turned_round,
)

_FORGED = b"<< /Length 44 >>\nstream\nBT /F1 40 Tf 72 600 Td (LEVEL C2) Tj ET        \nendstream"


# --- behind the end -------------------------------------------------------------------------


def _loose_object(content: bytes, _: Workshop) -> bytes:
    """No table leads to it; a reader that repairs the file finds it."""
    number = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum
    return content + b"%d 0 obj\n%s\nendobj\n" % (number, _FORGED)


def _broken_table(content: bytes, shop: Workshop) -> bytes:
    """The last table points nowhere, so that readers repair the file and take what they find last."""
    return _loose_object(content, shop) + b"startxref\n9999999\n%%EOF\n"


def _old_table(content: bytes, _: Workshop) -> bytes:
    """The last table is that of the file before it was sealed: the unsealed file, with the seal in its bytes."""
    start = PdfFileReader(io.BytesIO(content)).xrefs.get_startxref_for_revision(0)
    return content + b"startxref\n%d\n%%%%EOF\n" % start


def _zipped(content: bytes, _: Workshop) -> bytes:
    """At once a PDF and a ZIP archive."""
    archive = io.BytesIO(content)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(zipfile.ZipInfo("level.txt"), "LEVEL C2")
    return archive.getvalue()


_NOT_ENTIRE = ("NOT_ENTIRE_FILE",)
_MISLEADING = ("UNREADABLE", "NO_SEAL")  # another table is read, and leads to no seal
_APPENDED: dict[str, tuple[Callable[[bytes, Workshop], bytes], str, tuple[str, ...]]] = {
    "junk": (lambda content, _: content + b"junk", "A few bytes behind the end of the file.", _NOT_ENTIRE),
    "line end": (lambda content, _: content + b"\n", "An empty line behind the end of the file.", _NOT_ENTIRE),
    "second end of file": (lambda content, _: content + b"%%EOF\n", "A second %%EOF behind the end.", _NOT_ENTIRE),
    "NUL bytes": (lambda content, _: content + bytes(512), "NUL bytes up to the end of a disk sector.", _NOT_ENTIRE),
    "another PDF": (
        lambda content, _: content + small_pdf(),
        "A whole other, unsealed PDF behind the end.",
        _MISLEADING,
    ),
    "loose object": (_loose_object, "The text of the page once more, which no table lists.", _NOT_ENTIRE),
    "table that leads nowhere": (
        _broken_table,
        "The same, and a last table that makes readers repair the file.",
        _MISLEADING,
    ),
    "table of before": (_old_table, "A last line that leads to the table of before the seal.", _MISLEADING),
    "empty update": (
        lambda content, _: raw_update(content, [(2**16, b"null")]),
        "An update that changes nothing.",
        _NOT_ENTIRE,
    ),
    "ZIP archive": (_zipped, "The file is a PDF and a ZIP archive at once.", _NOT_ENTIRE),
}


# --- in place -------------------------------------------------------------------------------


def _in_gap(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    start, end = contents_gap(content)
    value = change(content[start:end])
    assert len(value) == end - start
    assert value != content[start:end]
    return content[:start] + value + content[end:]


def _sealed_text(content: bytes) -> int:
    """A byte of the first page's compressed text."""
    reader = PdfFileReader(io.BytesIO(content))
    data = reader.root["/Pages"]["/Kids"][0]["/Contents"].encoded_data
    return content.index(data) + len(data) // 2


def _other_case(value: bytes) -> bytes:
    return value.swapcase()


def _in_message(change: Callable[[bytes], bytes], which: int = 0) -> Callable[[bytes, Workshop], bytes]:
    """Another message in the place of the seal's (0) or the last time stamp's (-1)."""

    def changed(content: bytes, _: Workshop) -> bytes:
        message = change(structures.message_of(content, which))
        start, end = contents_gap(content, which)
        assert 2 * len(message) <= end - start - 2, "there is no room for it"
        return structures.with_message(content, message, which)

    return changed


def _rsa_of_any_digest(message: bytes) -> bytes:
    """``sha256WithRSAEncryption`` and ``rsaEncryption`` differ in one byte."""
    (signer,) = cms.ContentInfo.load(message)["content"]["signer_infos"]
    assert signer["signature_algorithm"]["algorithm"].native == "sha256_rsa"
    algorithm, signed = signer["signature_algorithm"].dump(), signer["signed_attrs"].contents
    return message.replace(signed + algorithm, signed + algorithm.replace(b"\x01\x01\x0b", b"\x01\x01\x01"))


def _with_a_certificate_of_anybody(message: bytes) -> bytes:
    """One that vouches for itself, with a text of the forger's."""
    profile = Profile("LEVEL C2", SEALED_AT, SEALED_AT + YEAR, ("digital_signature",))
    forged = issue(profile, ec.generate_private_key(ec.SECP256R1()), None, 0x7C01)
    return with_certificates(message, [*certificates_of(message), forged.der])


_UNPROTECTED: dict[str, tuple[Callable[[bytes, Workshop], bytes], str, tuple[str, ...]]] = {
    "one bit of the page": (
        lambda content, _: flip(content, _sealed_text(content)),
        "One bit of the page's text is turned.",
        ("DIGEST_MISMATCH", "UNREADABLE"),
    ),
    "one bit of the header": (
        lambda content, _: flip(content, content.index(b"\n") + 2, 0x10),
        "One bit of the comment behind the header is turned.",
        ("DIGEST_MISMATCH",),
    ),
    "space in the value": (
        lambda content, _: _in_gap(content, lambda value: value[:-3] + b"  >"),
        "White space in the unprotected value of the seal.",
        ("BYTE_RANGE_MALFORMED",),
    ),
    "comment in the value": (
        lambda content, _: _in_gap(content, lambda value: value[:-9] + b">%hidden\n"),
        "The value of the seal ends early; a comment fills the place.",
        ("BYTE_RANGE_MALFORMED",),
    ),
    "letters in another case": (
        lambda content, _: _in_gap(content, _other_case),
        "The hexadecimal digits of the seal in the other case.",
        ("BYTE_RANGE_MALFORMED",),
    ),
    "padding used": (
        lambda content, _: _in_gap(content, lambda value: value[:-5] + b"0BAD>"),
        "Something is hidden in the padding behind the seal's value.",
        ("SIGNATURE_MALFORMED",),
    ),
    "length in another form": (
        _in_message(structures.with_long_length),
        "The length of the seal's message has a zero in front (BER).",
        ("SIGNATURE_MALFORMED",),
    ),
    "certificates in another order": (
        _in_message(with_certificates_turned_round),
        "The certificates in the seal's message change places.",
        ("SIGNATURE_MALFORMED",),
    ),
    "algorithm of another name": (
        _in_message(_rsa_of_any_digest),
        "The algorithm of the seal no longer names its digest: one byte, and the signature is as good.",
        ("SIGNATURE_MALFORMED",),
    ),
    "value as a text": (
        lambda content, _: _in_gap(content, lambda value: b"(" + value[1:-1] + b")"),
        "The value of the seal as a text string in place of hexadecimal digits.",
        ("BYTE_RANGE_MALFORMED", "UNREADABLE"),
    ),
}


# --- broken ---------------------------------------------------------------------------------


def _cut(share: float) -> Callable[[bytes, Workshop], bytes]:
    return lambda content, _: content[: int(len(content) * share)]


def _to_before_the_seal(content: bytes, _: Workshop) -> bytes:
    return content[: content.index(b"%%EOF") + len(b"%%EOF\n")]


def _encrypted(content: bytes, _: Workshop) -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(content)))
    writer.security_handler = handler = StandardSecurityHandler.build_from_pw("", "", encrypt_metadata=True)
    writer._assign_security_handler(handler)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _inside_another(content: bytes, _: Workshop) -> bytes:
    """The sealed file as an attachment of an unsealed one that shows something else."""
    from tests.pki.sealed_files import Attachment, record_attachment  # noqa: PLC0415

    return small_pdf((record_attachment(level="C2"), Attachment("sealed.pdf", content)))


def _middle_missing(content: bytes, _: Workshop) -> bytes:
    at = _sealed_text(content)
    return content[:at] + content[at + 100 :]


_BROKEN: dict[str, tuple[Callable[[bytes, Workshop], bytes], str, tuple[str, ...]]] = {
    "empty": (lambda *_: b"", "A file of no bytes.", ("NOT_A_PDF",)),
    "text file": (lambda *_: b"LEVEL C2\n", "A text, called a PDF.", ("NOT_A_PDF",)),
    "web page": (lambda *_: b"<!DOCTYPE html><title>LEVEL C2</title>", "A web page, called a PDF.", ("NOT_A_PDF",)),
    "header only": (lambda *_: b"%PDF-1.7\n%%EOF\n", "A header and an end, nothing between.", ("NOT_ENTIRE_FILE",)),
    "cut to a hundredth": (_cut(0.01), "All but the first hundredth is missing.", ("NOT_ENTIRE_FILE",)),
    "cut in half": (_cut(0.5), "The second half is missing.", ("NOT_ENTIRE_FILE",)),
    "cut in the seal": (_cut(0.85), "It ends in the middle of the seal's value.", ("NOT_ENTIRE_FILE",)),
    "last byte missing": (
        lambda content, _: content[:-1],
        "The last byte is missing.",
        ("BYTE_RANGE_MALFORMED", "NOT_ENTIRE_FILE"),
    ),
    "last line missing": (
        lambda content, _: content[: content.rindex(b"%%EOF")],
        "The last line is missing.",
        ("NOT_ENTIRE_FILE",),
    ),
    "cut back to before the seal": (_to_before_the_seal, "The seal is cut off.", ("NO_SEAL",)),
    "hole": (
        _middle_missing,
        "A hundred bytes in the middle are missing.",
        ("BYTE_RANGE_MALFORMED", "UNREADABLE", "NOT_ENTIRE_FILE"),
    ),
    "byte before the header": (lambda content, _: b"\n" + content, "A byte stands before the header.", ("NOT_A_PDF",)),
    "script before the header": (
        lambda content, _: b"#!/bin/sh\necho C2\nexit\n" + content,
        "The file is a script and a PDF at once.",
        ("NOT_A_PDF",),
    ),
    "image before the header": (
        lambda content, _: b"GIF89a" + content,
        "The file is a picture and a PDF at once.",
        ("NOT_A_PDF",),
    ),
    "line ends converted": (
        lambda content, _: re.sub(rb"(?<!\r)\n", b"\r\n", content),
        "Line ends are converted, as transfers in text mode do.",
        ("BYTE_RANGE_MALFORMED", "UNREADABLE", "NOT_ENTIRE_FILE", "NOT_A_PDF"),
    ),
    "encrypted": (_encrypted, "The file is encrypted with an empty password.", ("ENCRYPTED",)),
    "inside another PDF": (_inside_another, "The sealed file is attached to an unsealed one.", ("NO_SEAL",)),
}


_IN_LAST_STAMP: dict[str, tuple[Callable[[bytes, Workshop], bytes], str]] = {
    "time stamp's length in another form": (
        _in_message(structures.with_long_length, -1),
        "The length of the archive time stamp has a zero in front (BER); nothing covers it.",
    ),
    "time stamp without a length": (
        _in_message(structures.with_indefinite_length, -1),
        "The archive time stamp has no length but a mark at its end (BER).",
    ),
    "certificate in the time stamp": (
        _in_message(_with_a_certificate_of_anybody, -1),
        "The archive time stamp carries a certificate more, which vouches for itself and could say anything.",
    ),
}


def attacks() -> list[Attack]:
    found: list[Attack] = []
    appended = OnIssued(Group.APPENDED, ())
    for name, (change, description, codes) in _APPENDED.items():
        found += appended(name, description, change, *codes)
    unprotected = OnIssued(Group.UNPROTECTED, ())
    for name, (change, description, codes) in _UNPROTECTED.items():
        found += unprotected(name, description, change, *codes)
    last = OnIssued(Group.UNPROTECTED, ("SIGNATURE_MALFORMED",), (LTA,))
    for name, (change, description) in _IN_LAST_STAMP.items():
        found += last(name, description, change)
    broken = OnIssued(Group.BROKEN, (), (BB,))
    for name, (change, description, codes) in _BROKEN.items():
        found += broken(name, description, change, *codes)
    archived = OnIssued(Group.BROKEN, ("NOT_ENTIRE_FILE",), (LTA,))
    found += archived("cut in the archive time stamp", "It ends inside the archive time stamp.", _cut(0.93))
    return found
