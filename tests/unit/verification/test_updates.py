"""What was added behind a seal is read where it is written in the usual form, and refused in any other."""

from __future__ import annotations

import pytest

from sealtool.verification.quick_reading import FileContent, FileReader
from sealtool.verification.reasons import Objection
from sealtool.verification.updates import Update, read_updates

_SEALED = b"%PDF-1.7\n"
_STREAM = b"<< /Length 7 >>\nstream\nendobj \nendstream"
_TRAILER = b"<< /Size 9 /Root 1 0 R /Prev 7 /ID [<00> <01>] >>"


def _update(
    *objects: tuple[int, bytes],
    keyword: bytes = b"xref\n",
    table: bytes | None = None,
    trailer: bytes = b"trailer\n" + _TRAILER,
    end: bytes = b"\nstartxref\n%d\n%%%%EOF\n",
) -> bytes:
    """A file with an update: objects as they are given, one line of the table for each."""
    content, places = _SEALED, []
    for number, body in objects:
        places.append((number, len(content)))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    lines = b"".join(b"%d 1\n%010d 00000 n \n" % place for place in places) if table is None else table
    return content + keyword + lines + trailer + (end % len(content) if b"%d" in end else end)


def _read(content: bytes) -> list[Update]:
    reader = FileReader.__new__(FileReader)  # the files here have nothing but updates
    reader.stream = FileContent(content)
    return list(read_updates(reader, len(_SEALED)))


def test_objects_table_and_trailer_are_read() -> None:
    content = _update((4, b"<< /A [1 (x) <00> 2 0 R] >>"), (8, _STREAM))
    (update,) = _read(content)
    assert update.offsets == {4: content.index(b"4 0 obj"), 8: content.index(b"8 0 obj")}
    assert (update.table_at, update.trailer["/Size"]) == (content.index(b"xref"), 9)


def test_several_updates_are_read_one_after_the_other() -> None:
    first = _update((4, b"[1]"))
    table = b"5 1\n%010d 00000 n \n" % len(first)
    second = (
        b"5 0 obj\r\n<< >>\r\nendobj\r\nxref\r\n"
        + table
        + b"trailer\r\n"
        + _TRAILER
        + b"\r\nstartxref\r\n%d\r\n%%%%EOF"
    )
    content = first + second % (len(first) + second.index(b"xref"))
    assert [set(update.offsets) for update in _read(content)] == [{4}, {5}]


def test_the_head_of_the_free_list_may_be_listed() -> None:
    head = b"0 1\n0000000000 65535 f \n"
    content = _update((4, b"[1]"), table=head + b"4 1\n%010d 00000 n \n" % len(_SEALED))
    assert len(_read(content)) == 1


@pytest.mark.parametrize(
    "content",
    [
        _update((4, b"<< /A 1 >% >>\n>>")),
        _update((4, b"<< /A 1 % note\n>>")),
        _update((4, b"<< /A#42 1 >>")),
        _update((4, b"<< /A 1 /A 2 >>")),
        _update((4, b"12")),
        _update((4, b"[1]"), (4, b"[1]")),
        _update((4, b"<< /Length 6 >>\nstream\nendobj \nendstream")),
        _update((4, b"<< /Length 5 0 R >>\nstream\nendobj \nendstream")),
        _update((4, b"<< /Length -1 >>\nstream\n\nendstream")),
        _update((4, b"[1]\nendobj\n<< /Root 5 0 R >>")),
        _update((4, b"[1]"), keyword=b"xref!\n"),
        _update((4, b"[1]"), keyword=b"% note\nxref\n"),
        _update((4, b"[1]"), table=b"+4 1\n%010d 00000 n \n" % len(_SEALED)),
        _update((4, b"[1]"), table=b"4 1\n%010d 00000 n\n" % len(_SEALED)),
        _update((4, b"[1]"), table=b"4 1\n%010d 00001 n \n" % len(_SEALED)),
        _update((4, b"[1]"), table=b"4 1\n%010d 00000 n \n" % (len(_SEALED) + 1)),
        _update((4, b"[1]"), table=b"5 1\n%010d 00000 n \n" % len(_SEALED)),
        _update((4, b"[1]"), table=b""),
        _update((4, b"[1]"), table=b"4 1\n%010d 00000 n \n" % len(_SEALED) * 2),
        _update((4, b"[1]"), table=b"0 1\n0000000007 65535 f \n4 1\n%010d 00000 n \n" % len(_SEALED)),
        _update((4, b"[1]"), table=b"4 1\n%010d 00000 n \n7 1\n0000000000 00000 f \n" % len(_SEALED)),
        _update((4, b"[1]"), trailer=b"trailer\n[1]"),
        _update((4, b"[1]"), trailer=b"trailer\n" + _TRAILER + b"\ntrailer\n" + _TRAILER),
        _update((4, b"[1]"), trailer=b"trailer\n" + _TRAILER.replace(b"/Prev", b"/XRefStm 8 /Prev")),
        _update((4, b"[1]"), end=b"\nstartxref\n7\n%%EOF\n"),
        _update((4, b"[1]"), end=b"\nstartxref\n%d\n%%%%EOF\n<< >>"),
        _update((4, b"[1]"), end=b"\nstartxref\n+%d\n%%%%EOF\n"),
        _update((4, b"[1]"), end=b"\n"),
    ],
)
def test_any_other_form_is_refused(content: bytes) -> None:
    """Programs read it differently, or repair it, each in a way of its own."""
    with pytest.raises(Objection):
        _read(content)
