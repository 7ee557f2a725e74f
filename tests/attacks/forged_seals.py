"""Attacks on the seal's dictionary: universal signature forgery and signature wrapping."""

from __future__ import annotations

import io
from collections.abc import Callable

from pyhanko.pdf_utils.reader import PdfFileReader

from tests.attacks.catalogue import Attack, Group, OnIssued
from tests.attacks.workshop import BB, LTA, Workshop
from tests.pki.tampering import contents_gap, raw_update, stamped, with_byte_range, with_contents_of

_FORGED = b"<< /Length 44 >>\nstream\nBT /F1 40 Tf 72 600 Td (LEVEL C2) Tj ET        \nendstream"


# --- universal signature forgery: the dictionary says too little, or too much ---------------


def _written(old: bytes, new: bytes) -> Callable[[bytes, Workshop], bytes]:
    """An entry of the seal's dictionary, written over in place."""

    def change(content: bytes, _: Workshop) -> bytes:
        start = content.index(b"/Contents <")
        end = content.index(b"endobj", start)
        dictionary = content[start:end]
        assert dictionary.count(old) == 1, old
        return content[:start] + dictionary.replace(old, new.ljust(len(old))) + content[end:]

    return change


def _range_written(text: bytes) -> Callable[[bytes, Workshop], bytes]:
    """Something else in the place of the ByteRange's array."""

    def change(content: bytes, _: Workshop) -> bytes:
        start = content.index(b"[", content.index(b"/ByteRange"))
        end = content.index(b"/Type", start)
        assert len(text) < end - start
        return content[:start] + text.ljust(end - start - 1) + content[end - 1 :]

    return change


def _ranged(change: Callable[[list[int]], list[int]]) -> Callable[[bytes, Workshop], bytes]:
    return lambda content, _: with_byte_range(content, change)


def _valued(fill: Callable[[int], bytes]) -> Callable[[bytes, Workshop], bytes]:
    def change(content: bytes, _: Workshop) -> bytes:
        start, end = contents_gap(content)
        value = fill(end - start)
        assert len(value) == end - start
        return content[:start] + value + content[end:]

    return change


def _of_another(content: bytes, shop: Workshop) -> bytes:
    return with_contents_of(content, shop.others[BB] if content == shop.issued[BB] else shop.others[LTA])


_MALFORMED = ("BYTE_RANGE_MALFORMED",)
_FORGERIES: dict[str, tuple[Callable[[bytes, Workshop], bytes], str, tuple[str, ...]]] = {
    "no ByteRange": (_written(b"/ByteRange", b"/ByteRongo"), "There is no ByteRange.", ("UNREADABLE", "SEVERAL_SEALS")),
    "ByteRange null": (_range_written(b"null"), "The ByteRange is null.", ("UNREADABLE",)),
    "ByteRange a number": (_range_written(b"0"), "The ByteRange is a single number.", ("UNREADABLE",)),
    "ByteRange empty": (_ranged(lambda _: []), "The ByteRange has no numbers.", _MALFORMED),
    "ByteRange of three": (_ranged(lambda r: r[:3]), "The ByteRange has three numbers.", _MALFORMED),
    "ByteRange of six": (
        _ranged(lambda r: [0, r[1], r[2], 10, r[2] + 20, r[3] - 20]),
        "The ByteRange leaves two gaps.",
        _MALFORMED,
    ),
    "ByteRange negative": (_ranged(lambda r: [0, -r[1], r[2], r[3]]), "A length is negative.", _MALFORMED),
    "ByteRange of zeros": (_ranged(lambda _: [0, 0, 0, 0]), "The ByteRange covers nothing.", _MALFORMED),
    "ByteRange not from zero": (
        _ranged(lambda r: [1, r[1] - 1, *r[2:]]),
        "It leaves out the first byte.",
        _MALFORMED,
    ),
    "ByteRange overlapping": (_ranged(lambda r: [0, r[2], r[1], r[3]]), "Its parts overlap.", _MALFORMED),
    "ByteRange without a gap": (_ranged(lambda r: [0, r[1], r[1], r[3]]), "Its parts touch.", _MALFORMED),
    "ByteRange past the end": (_ranged(lambda r: [*r[:3], r[3] + 999]), "It ends behind the file.", _MALFORMED),
    "ByteRange with a wider gap": (
        _ranged(lambda r: [0, r[1] - 9, r[2] + 9, r[3] - 9]),
        "The gap is wider than the value.",
        _MALFORMED,
    ),
    "ByteRange huge": (
        _ranged(lambda r: [0, r[1], r[2], 2**63]),
        "A length of more than 63 bits.",
        _MALFORMED,
    ),
    "ByteRange short": (
        _ranged(lambda r: [*r[:3], r[3] - 30]),
        "It ends before the file does.",
        ("NOT_ENTIRE_FILE", "BYTE_RANGE_MALFORMED"),
    ),
    "no Contents": (_written(b"/Contents", b"/Contempt"), "The seal has no value.", ("UNREADABLE",)),
    "Contents null": (
        _valued(b"null".ljust),
        "The value of the seal is null.",
        (*_MALFORMED, "UNREADABLE"),
    ),
    "Contents empty": (_valued(b"<>".ljust), "The value is an empty string.", _MALFORMED),
    "Contents of zeros": (
        _valued(lambda size: b"<" + b"0" * (size - 2) + b">"),
        "The value is nothing but zeros.",
        ("SIGNATURE_MALFORMED",),
    ),
    "Contents a short zero": (
        _valued(b"<00>".ljust),
        "The value is one zero byte.",
        _MALFORMED,
    ),
    "Contents random": (
        _valued(lambda size: b"<" + (b"30820100" * size)[: size - 2] + b">"),
        "The value is no message.",
        ("SIGNATURE_MALFORMED",),
    ),
    "Contents of another certificate": (
        _of_another,
        "The value of another certificate's seal is put in.",
        ("DIGEST_MISMATCH", "TIME_STAMP_INVALID"),
    ),
    "no SubFilter": (
        _written(b"/SubFilter", b"/SubFlower"),
        "The format of the seal is not named.",
        ("SUB_FILTER_UNEXPECTED",),
    ),
    "another SubFilter": (
        _written(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1"),
        "The seal is said to be of an old format.",
        ("SUB_FILTER_UNEXPECTED",),
    ),
    "unknown SubFilter": (
        _written(b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detaches"),
        "The format of the seal is none.",
        ("SUB_FILTER_UNEXPECTED",),
    ),
    "no Filter": (_written(b"/Filter", b"/Falter"), "The handler of the seal is not named.", ("DIGEST_MISMATCH",)),
    "no Type": (
        _written(b"/Type /Sig\n", b"/Tope /Sig\n"),
        "It is not said that it is a seal.",
        ("DIGEST_MISMATCH", "TIME_STAMP_INVALID"),
    ),
    "seal as a time stamp": (
        _written(b"/Type /Sig\n/Filter /Adobe.PPKLite", b"/Type /DocTimeStamp/Filter /A"),
        "The seal is said to be a document time stamp.",
        ("NO_SEAL",),
    ),
    "no DocMDP": (
        _written(b"/Reference", b"/Referonce"),
        "The seal no longer says that it permits no changes.",
        ("DIGEST_MISMATCH",),
    ),
}


def _redefined(change: Callable[[bytes], bytes]) -> Callable[[bytes, Workshop], bytes]:
    """The seal's dictionary once more in an update, changed: the sealed bytes stay as they are."""

    def forged(content: bytes, _: Workshop) -> bytes:
        reader = PdfFileReader(io.BytesIO(content))
        field = reader.root["/AcroForm"]["/Fields"][0]
        start = content.rindex(b" 0 obj", 0, content.index(b"/Contents <"))
        body = content[start + len(b" 0 obj") : content.index(b"endobj", start)].strip()
        return raw_update(content, [(field.raw_get("/V").idnum, change(body))])

    return forged


_REDEFINED = {
    "redefined without ByteRange": lambda body: body.replace(b"/ByteRange", b"/ByteRongo"),
    "redefined without Contents": lambda body: body.replace(b"/Contents", b"/Contempt"),
    "redefined as it was": lambda body: body,
    "redefined as null": lambda _: b"null",
}


# --- signature wrapping: what is sealed is moved aside --------------------------------------


def _naive(content: bytes, _: Workshop) -> bytes:
    """The second part moves back; the ByteRange in it is corrected to match."""
    _, end = contents_gap(content)
    inserted = b"\n6 0 obj\n" + _FORGED + b"\nendobj\n"
    moved = content[:end] + inserted + content[end:]
    return with_byte_range(moved, lambda r: [0, r[1], r[2] + len(inserted), r[3]])


def _wrapped(content: bytes, *, padded: bool) -> bytes:
    """A new dictionary for the seal stands in front of the moved second part, and covers the two parts as before.

    With padding, a forged table lies where the last, sealed line of the file says that the table is; without, the
    forged table comes at the end, behind the moved part.
    """
    reader = PdfFileReader(io.BytesIO(content))
    before, resumed = contents_gap(content)
    field = reader.root["/AcroForm"]["/Fields"][0]
    text = reader.root["/Pages"]["/Kids"][0].raw_get("/Contents").idnum
    seal = field.raw_get("/V").idnum
    table = reader.last_startxref
    dictionary = content[resumed : content.index(b"endobj", resumed)]
    tail = dictionary[dictionary.index(b"/Type") :]
    size = 60_000

    def inserted(length: int) -> tuple[bytes, dict[int, int]]:
        places = {text: resumed + len(b"\n")}
        out = b"\n%d 0 obj\n%s\nendobj\n" % (text, _FORGED)
        places[seal] = resumed + len(out)
        new = (before, resumed + length, len(content) - resumed)
        out += b"%d 0 obj\n<< /Contents %s" % (seal, content[before:resumed])
        out += b"\n/ByteRange [0 %d %d %d]\n%s\nendobj\n" % (*new, tail)
        return out, places

    body, places = inserted(size)
    assert len(body) < size
    if padded:
        # the table lies where the sealed last line looks for it, ahead of the objects
        lines = _table(reader, places, moved=size, behind=resumed)
        head = b"".ljust(max(table - resumed, 1))
        shift = len(head) + len(lines)
        places = {number: place + shift for number, place in places.items()}
        lines = _table(reader, places, moved=size, behind=resumed)
        block = (head + lines + body).ljust(size)
        return content[:resumed] + block + content[resumed:]
    moved = content[:resumed] + body.ljust(size) + content[resumed:]
    start = len(moved)
    return moved + _table(reader, places, moved=size, behind=resumed) + b"startxref\n%d\n%%%%EOF\n" % start


def _table(reader: PdfFileReader, places: dict[int, int], *, moved: int, behind: int) -> bytes:
    """A classic table of the sealed revision, with the forged objects and the moved ones in their new places."""
    last = reader.xrefs.total_revisions - 1
    section = {number: place for number, (_, place) in reader.xrefs.get_xref_data(last).standard_xrefs.items()}
    section = {number: place + moved if place >= behind else place for number, place in section.items()} | places
    lines = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % entry for entry in sorted(section.items()))
    previous = reader.xrefs.get_startxref_for_revision(last - 1)
    entries = (int(reader.trailer["/Size"]), reader.root_ref.idnum, previous)
    return lines + b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\n" % entries


_WRAPPINGS = {
    "second part moved": (_naive, "The second part is moved and the ByteRange follows it; a text stands between."),
    "wrapped with padding": (
        lambda content, _: _wrapped(content, padded=True),
        "A second dictionary for the seal lies in the gap, with a table where the sealed last line looks for it.",
    ),
    "wrapped without padding": (
        lambda content, _: _wrapped(content, padded=False),
        "A second dictionary for the seal lies in the gap; a new table stands at the end.",
    ),
}


def attacks() -> list[Attack]:
    found: list[Attack] = []
    forgery = OnIssued(Group.FORGERY, (), (BB,))
    for name, (change, description, codes) in _FORGERIES.items():
        found += forgery(name, description, change, *codes)
    redefined = OnIssued(Group.FORGERY, ("NOT_ENTIRE_FILE", "UNREADABLE", "SEVERAL_SEALS", "BYTE_RANGE_MALFORMED"))
    for name, body in _REDEFINED.items():
        found += redefined(name, "An update defines the seal's dictionary anew.", _redefined(body))
    found += OnIssued(Group.FORGERY, ("CHANGED_AFTER_SEAL", "SEVERAL_SEALS"), (LTA,))(
        "redefined as it was, stamped",
        "An update defines the seal's dictionary anew; a time stamp covers it.",
        lambda content, shop: stamped(_redefined(lambda body: body)(content, shop), shop.stamper),
    )
    wrapping = OnIssued(Group.WRAPPING, ("BYTE_RANGE_MALFORMED", "SEVERAL_SEALS", "UNREADABLE"), (BB,))
    for name, (make, description) in _WRAPPINGS.items():
        found += wrapping(name, description, make)
    return found
