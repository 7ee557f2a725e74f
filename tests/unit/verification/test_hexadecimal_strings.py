"""The quick way to read a hexadecimal string says what the library says, and leaves the stream where it does."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError

from sealtool.verification.hexadecimal import FileContent

_TEXTS = st.text("0123456789abcdefABCDEF", max_size=40).map(lambda text: f"<{text}>".encode())
_HOSTILE = st.lists(
    st.sampled_from([b"<", b">", b"0", b"aF", b"9", b" ", b"\0", b"\r\n", b"%", b"g", b"\xff", b"(", b"<<"]),
    max_size=12,
).map(lambda pieces: b"<" + b"".join(pieces))


def _outcome(stream: io.BytesIO) -> object:
    try:
        found = generic.read_hex_string_from_stream(stream)
    except PdfReadError as error:
        return type(error), str(error)
    return type(found), found.original_bytes, stream.tell()


@given(st.one_of(_TEXTS, _HOSTILE), st.binary(max_size=8), st.binary(max_size=8))
def test_the_quick_way_and_the_library_agree(text: bytes, before: bytes, behind: bytes) -> None:
    quick, slow = FileContent(before + text + behind), io.BytesIO(before + text + behind)
    quick.seek(len(before))
    slow.seek(len(before))
    assert _outcome(quick) == _outcome(slow)


def test_a_plain_string_is_not_read_character_by_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealtool.verification.hexadecimal._read_slowly", lambda _: pytest.fail("read slowly"))
    assert generic.read_hex_string_from_stream(FileContent(b"<00ff7>")).original_bytes == b"\x00\xff\x70"
