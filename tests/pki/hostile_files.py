"""Files made to hold up whoever opens them. None of them is sealed; what they cost is the point."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

_CATALOGUE = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>%s>>"
_SEAL = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 10 20 30]/Contents<%s>>>"


def _document(changes: Mapping[int, bytes]) -> bytes:
    """A small file with a signature field, and whatever is to be different in it."""
    objects = {
        1: _CATALOGUE % b"",
        2: b"<</Type/Pages/Kids[4 0 R]/Count 1>>",
        3: b"<</FT/Sig/T(Seal)/V 5 0 R>>",
        4: b"<</Type/Page/Parent 2 0 R>>",
        5: _SEAL % b"00",
        **changes,
    }
    out = bytearray(b"%PDF-1.7\n")
    offsets = {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = max(objects) + 1
    entries = (
        b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00000 f \n"
        for number in range(1, size)
    )
    return bytes(out) + _table(len(out), size, b"".join(entries))


def _table(start: int, size: int, entries: bytes, trailer: bytes = b"") -> bytes:
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return head + entries + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)


def deep_arrays() -> bytes:
    return _document({1: _CATALOGUE % (b"/X" + b"[" * 200_000 + b"]" * 200_000)})


def deep_dictionaries() -> bytes:
    return _document({1: _CATALOGUE % (b"/X" + b"<</A" * 200_000 + b" 0" + b">>" * 200_000)})


def table_that_leads_to_itself() -> bytes:
    content = _document({})
    start = content.rindex(b"xref\n0 ")
    return content.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start)


def thousands_of_tables() -> bytes:
    out = bytearray(_document({}))
    previous = out.rindex(b"xref\n0 ")
    for _ in range(2000):
        start = len(out)
        out += b"xref\n0 0\ntrailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (previous, start)
        previous = start
    return bytes(out)


def table_that_counts_too_far() -> bytes:
    return b"%PDF-1.7\nxref\n0 4000000000\ntrailer\n<</Size 1/Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def table_of_millions_in_a_few_kilobytes() -> bytes:
    """16 KB that unpack to four million objects: 18 seconds and 750 MiB, where nothing bounds the table."""
    return _packed_table(zlib.compress(b"\x00" * (16 * 1024 * 1024 - 16), 9), b"[1 2 1]", 4_194_300)


def table_of_entries_of_no_width() -> bytes:
    return _packed_table(zlib.compress(b"\x00" * 16), b"[0 0 0]", 900_000_000)


def _packed_table(packed: bytes, widths: bytes, count: int) -> bytes:
    head = b"1 0 obj\n<</Type/XRef/Size %d/W%s/Index[0 %d]/Root 1 0 R/Filter/FlateDecode/Length %d>>stream\n"
    start = b"%PDF-1.7\n"
    return (
        start
        + head % (count, widths, count, len(packed))
        + packed
        + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(start)
    )


def pages_in_a_circle() -> bytes:
    return _document({2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"})


def object_that_is_itself() -> bytes:
    return _document({1: b"1 0 R"})


def objects_that_lead_to_each_other() -> bytes:
    chain = {number: b"%d 0 R" % (number + 1) for number in range(6, 20_000)}
    return _document({1: _CATALOGUE % b"", 3: b"6 0 R", **chain})


def a_hundred_thousand_objects() -> bytes:
    return _document(dict.fromkeys(range(6, 100_000), b"0"))


def a_hundred_thousand_fields() -> bytes:
    return _document({1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[" + b"3 0 R " * 100_000 + b"]>>>>"})


def a_hundred_thousand_pages() -> bytes:
    return _document({2: b"<</Type/Pages/Kids[" + b"4 0 R " * 100_000 + b"]/Count 1>>"})


def thousands_of_annotations() -> bytes:
    return _document({4: b"<</Type/Page/Annots[" + b"<</Subtype/Link>>" * 20_000 + b"]>>"})


def a_seal_of_a_megabyte() -> bytes:
    return _document({5: _SEAL % (b"00" * 1_000_000)})


HOSTILE: tuple[Callable[[], bytes], ...] = (
    deep_arrays,
    deep_dictionaries,
    table_that_leads_to_itself,
    thousands_of_tables,
    table_that_counts_too_far,
    table_of_millions_in_a_few_kilobytes,
    table_of_entries_of_no_width,
    pages_in_a_circle,
    object_that_is_itself,
    objects_that_lead_to_each_other,
    a_hundred_thousand_objects,
    a_hundred_thousand_fields,
    a_hundred_thousand_pages,
    thousands_of_annotations,
    a_seal_of_a_megabyte,
)
