"""Whether a sealed file names an object is found as by looking at each of its references."""

from __future__ import annotations

import re
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic

from sealtool.verification.later_changes import _check_equal, _object_headers, _referred
from sealtool.verification.reasons import Objection

_SPACE = rb"(?:[\0\s]|%[^\r\n]*[\r\n])+"
_ALL = re.compile(rb"(?<![0-9])([0-9]+)" + _SPACE + rb"[0-9]+" + _SPACE + rb"R\b")
_PIECES = st.sampled_from(
    [b"1", b"14", b"140", b"0", b"00", b" ", b"\n", b"R", b"R ", b"%x\n", b" 0 R", b" 00 R/", b"\0"]
)


@given(st.lists(_PIECES, min_size=3, max_size=9).map(b"".join), st.sampled_from([1, 14, 140, 1400]))
def test_a_number_is_referred_to_where_it_is_among_all_references(text: bytes, number: int) -> None:
    every = {int(found) for found in _ALL.findall(text)}
    assert _referred(text, {number}) == _referred(text, {number, *range(2000, 2100)}) == {number} & every
    assert _referred(text, {1, 14, 140, 141, 1400}) == {1, 14, 140, 141, 1400} & every


def test_a_reference_is_found_however_it_is_written() -> None:
    assert _referred(b"/P 007%new\n0\0R>>", {7, 8}) == {7}
    assert not any(
        _referred(text, {7}) for text in (b"17 0 R", b"1007 0 R", b"77 0 R", b"7 0 Rx", b"7 0 obj", b"7", b"")
    )
    assert not _referred(b"7" * 5000 + b" 0 R", {7, 77})


def test_objects_behind_the_seal_are_found_where_they_are_and_none_in_the_values_of_time_stamps() -> None:
    sealed, first, second = b"1 0 obj", b"<00FF20>", b"<12>"
    content = sealed + b" 2 0 obj/Contents" + first + b"3 %" + b"\n0 obj" + second + b"4 0\0obj"
    stamps = [
        SimpleNamespace(gap=(content.index(value), content.index(value) + len(value))) for value in (first, second)
    ]
    layout: Any = SimpleNamespace(seal=SimpleNamespace(end=len(sealed)), time_stamps=stamps)
    found = [(header.offset, header.number) for header in _object_headers(content, layout)]
    assert found == [(content.index(begin), int(begin[:1])) for begin in (b"2 0", b"3 %", b"4 0")]


@pytest.mark.parametrize("generation", [0, 7])
def test_a_reference_to_another_generation_is_another_reference(generation: int) -> None:
    """Programs that find no such generation repair the file."""
    old, new = (
        generic.DictionaryObject({generic.pdf_name("/Pages"): generic.IndirectObject(2, of, None)})
        for of in (0, generation)
    )
    with pytest.raises(Objection, match="catalogue") if generation else nullcontext():
        _check_equal(old, new, frozenset(), "The catalogue")
