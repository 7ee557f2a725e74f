"""The quick way to read objects says what the library says, and leaves the file where the library does."""

from __future__ import annotations

import gc
import io
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic, xref
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from sealtool.model import PadesLevel
from sealtool.verification import Trust, quick_reading, verify_certificate
from sealtool.verification.quick_reading import FileContent, FileReader
from tests.pki.authorities import NOW

_SPACES = st.sampled_from([b"", b" ", b"\n", b"\r\n", b"\0\f\t ", b"% note\n"])
_LEAVES = st.one_of(
    st.sampled_from([b"/Name", b"/A#20B", b"/", b"/a.b_c-d+e~", b"/\xc3\xa9", b"true", b"null", b"nul"]),
    st.sampled_from([b"0", b"12", b"-3", b"+4", b"1.50", b"-.5", b"4.", b"1-2", b"12 0 R", b"0 0 R", b"7  1 R"]),
    st.sampled_from([b"()", b"(a)", b"(a(b)c)", b"(\\050\\051)", b"(\\1)", b"(\\777)", b"(a\\\nb)", b"(\\n\\q)"]),
    st.sampled_from([b"<>", b"<0A>", b"<0a1>", b"<0 1>", b"<g>", b"<FEFF00E9>", b"(\xfe\xff\x00\xe9)", b"<", b"("]),
    st.integers(-(10**12), 10**12).map(lambda number: str(number).encode()),
    st.binary(max_size=4),
)


def _joined(*pieces: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*pieces).map(b"".join)


def _nested(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    names = st.sampled_from([b"/A", b"/B", b"/Length", b"/#41", b"A"])
    entry = _joined(_SPACES, names, _SPACES, inner, _SPACES)
    array = st.lists(_joined(_SPACES, inner, st.just(b" ")), max_size=4).map(b"".join)
    dictionary = st.lists(entry, max_size=4).map(b"".join)
    return st.one_of(
        _joined(st.just(b"["), array, st.sampled_from([b"]", b" ]", b""])),
        _joined(st.just(b"<<"), dictionary, st.sampled_from([b">>", b" >>", b">", b""])),
    )


_OBJECTS = st.recursive(_LEAVES, _nested, max_leaves=12)
_BEHIND = st.sampled_from([b"", b" ", b"\nendobj", b" stream\nabc\nendstream", b"stream\r\nab", b"% s", b"]", b" 0 R "])


def _nothing(*_: object) -> None:
    raise PdfError("there is no other object")


_OTHERS = SimpleNamespace(strict=True, get_object=_nothing)
"""The file around an object that is read by itself."""


def _told(found: Any) -> Any:
    """All that is known of an object."""
    known = (type(found), found.container_ref)
    if isinstance(found, generic.StreamObject):
        return (*known, dict.__repr__(found), found.encoded_data)
    if isinstance(found, dict):
        return (*known, [(_told(key), _told(found.raw_get(key))) for key in found])
    if isinstance(found, list):
        return (*known, [_told(found.raw_get(index)) for index in range(len(found))])
    if isinstance(found, generic.IndirectObject):
        return (*known, found.reference)
    return known if isinstance(found, generic.NullObject) else (*known, getattr(found, "original_bytes", repr(found)))


def _outcome(stream: io.BytesIO, holder: generic.Reference) -> object:
    try:
        found = generic.read_object(stream, holder)
    except (PdfError, ValueError, KeyError, ArithmeticError, TypeError, OSError) as error:
        return type(error)
    return _told(found), stream.tell()


@given(st.sampled_from([b"", b"x", b"<<"]), _OBJECTS, _BEHIND)
@example(b"", b"<</A(\\1)>>", b"")
@example(b"", b"<</A(a\\10b)/B(\\)\\\\)>>", b"")
def test_the_quick_way_and_the_library_agree(before: bytes, text: bytes, behind: bytes) -> None:
    holder = generic.Reference(1, 0, _OTHERS)
    outcomes = []
    for kind in (FileContent, io.BytesIO):
        stream = kind(before + text + behind + b"\n")  # the library never comes back from a comment without an end
        stream.seek(len(before))
        outcomes.append(_outcome(stream, holder))
    assert outcomes[0] == outcomes[1]


def test_a_plain_object_is_not_read_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_reading, "_read_dictionary_slowly", lambda *_: pytest.fail("read slowly"))
    holder = generic.Reference(1, 0, _OTHERS)
    content = b"<< /A [1 2.5 (x\\051) <00ff7> true null 3 0 R] /B << /C /D >> >> "
    found = generic.read_object(FileContent(content), holder)
    assert found["/A"][2] == "x)"
    assert found["/A"][3].original_bytes == b"\x00\xff\x70"


def test_no_possessive_quantifier_stands_behind_a_group() -> None:
    # Python 3.11 before 3.11.5 matches with them what it must not (python/cpython#106052); Debian 12 has 3.11.2.
    sources = Path(quick_reading.__file__).parent.glob("*.py")
    assert [path.name for path in sources if re.search(r"(?<!\\)\)[*+?]\+|\(\?>", path.read_text("utf-8"))] == []


def test_what_is_not_plain_is_tried_once_and_not_in_each_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    whole = quick_reading._whole

    def noting(content: bytes, at: int, holder: generic.Reference) -> object:
        tried.append(at)
        return whole(content, at, holder)

    monkeypatch.setattr(quick_reading, "_whole", noting)
    content = b"[" * 20 + b"% a note\n" + b"]" * 20
    generic.read_object(FileContent(content), generic.Reference(1, 0, _OTHERS))
    assert tried == [0]


@pytest.mark.parametrize("level", [PadesLevel.B_B, PadesLevel.B_LTA])
def test_every_object_of_a_sealed_file_is_the_one_that_the_library_reads(
    sealed_tagged: dict[PadesLevel, bytes], level: PadesLevel
) -> None:
    content = sealed_tagged[level]
    quick, slow = FileReader(content), PdfFileReader(io.BytesIO(content))
    numbers = range(1, int(slow.trailer["/Size"]))
    assert len(numbers) > 50
    for number in numbers:
        ours, theirs = (_objects(reader, number) for reader in (quick, slow))
        assert ours == theirs, number
    for revision in range(slow.xrefs.total_revisions):
        ours, theirs = (vars(reader.xrefs.get_xref_data(revision)) for reader in (quick, slow))
        assert ours == theirs, revision


def _objects(reader: PdfFileReader, number: int) -> object:
    try:
        found = reader.get_object(generic.Reference(number, 0, reader))
    except PdfError as error:
        return str(error)
    return _without_readers(_told(found))


def _without_readers(told: Any) -> Any:
    if isinstance(told, generic.Reference):
        return told.idnum, told.generation
    return [_without_readers(one) for one in told] if isinstance(told, tuple | list) else told


# --- tables of cross-references ----------------------------------------------------------------------


@given(
    widths=st.lists(st.integers(0, 9), min_size=2, max_size=4),
    index=st.none() | st.lists(st.integers(0, 4), max_size=6),
    size=st.integers(0, 6),
    content=st.binary(max_size=40),
    strict=st.booleans(),
)
def test_a_table_says_what_the_library_reads_in_it(
    widths: list[int], index: list[int] | None, size: int, content: bytes, *, strict: bool
) -> None:
    assert _entries(_table_of(widths, index, size, content), xref.parse_xref_stream, strict=strict) == _entries(
        _table_of(widths, index, size, content), quick_reading._parse_slowly, strict=strict
    )


def test_a_plain_table_is_not_read_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_reading, "_parse_slowly", lambda *_: pytest.fail("read slowly"))
    table = _table_of([1, 2, 1], [0, 1, 3, 2], 5, bytes([0, 0, 0, 255, 1, 1, 2, 0, 2, 0, 7, 1]))
    kinds = [(entry.idnum, entry.location) for entry in xref.parse_xref_stream(table)]
    assert kinds == [(0, None), (3, 258), (4, xref.ObjStreamRef(7, 1))]


@given(
    widths=st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(0, 3)),
    many=st.integers(1, 4),
    more=st.integers(0, 3),
    seed=st.randoms(use_true_random=False),
    strict=st.booleans(),
)
def test_a_section_made_of_a_whole_table_is_the_one_that_the_library_makes_row_by_row(
    widths: tuple[int, int, int], many: int, more: int, seed: random.Random, *, strict: bool
) -> None:
    rows = [[*seed.choices(range(4), [1, 3, 3, 1]), *seed.choices((0, 1, 255), k=7)] for _ in range(many + more)]
    content = b"".join(bytes([0] * (widths[0] - 1) + row[: sum(widths) - widths[0] + 1]) for row in rows)
    index = [0, many, many + 1, more]
    quickly, slowly = (
        _section(parse(_table_of(list(widths), index, 9, content), strict), strict=strict)
        for parse in (xref.parse_xref_stream, quick_reading._parse_slowly)
    )
    assert quickly == slowly


def _section(entries: Iterable[xref.XRefEntry], *, strict: bool) -> tuple[object, dict[str, object]]:
    section = xref.XRefSectionData()
    try:
        highest = section.process_entries(entries, strict)
    except (PdfError, AssertionError) as error:
        return type(error), {}
    return highest, vars(section)


def test_a_plain_section_is_not_made_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_reading, "_process_slowly", lambda *_: pytest.fail("made slowly"))
    table = _table_of([1, 2, 1], [0, 1, 3, 2], 5, bytes([0, 0, 0, 255, 1, 1, 2, 0, 2, 0, 7, 1]))
    _, section = _section(xref.parse_xref_stream(table), strict=True)
    assert section["standard_xrefs"] == {3: (0, 258)}
    assert section["xrefs_in_objstm"] == {4: xref.ObjStreamRef(7, 1)}


class _Reader(FileReader):
    """A reader of nothing: only its kind matters here."""

    def __init__(self) -> None:
        pass


def _table_of(widths: list[int], index: list[int] | None, size: int, content: bytes) -> generic.StreamObject:
    entries = {"/W": _numbers(widths), "/Size": generic.NumberObject(size)}
    if index is not None:
        entries["/Index"] = _numbers(index)
    table = generic.StreamObject(entries, stream_data=content)
    table.container_ref = generic.Reference(1, 0, _Reader())
    return table


def _numbers(numbers: list[int]) -> generic.ArrayObject:
    return generic.ArrayObject(map(generic.NumberObject, numbers))


def _entries(
    table: generic.StreamObject, parse: Callable[..., Iterable[xref.XRefEntry]], *, strict: bool
) -> tuple[list[xref.XRefEntry], type[Exception] | None]:
    found: list[xref.XRefEntry] = []
    try:
        found.extend(parse(table, strict))
    except (PdfError, ValueError, AssertionError, IndexError) as error:
        return found, type(error)
    return found, None


@pytest.mark.parametrize("level", [pytest.param(PadesLevel.B_B, marks=pytest.mark.long), PadesLevel.B_LTA])
def test_nothing_of_a_file_stays_when_it_was_judged(
    sealed_tagged: dict[PadesLevel, bytes], trust: Trust, level: PadesLevel
) -> None:
    gc.collect()
    gc.disable()  # which would find circles, some time
    try:
        before = _file_contents()
        verify_certificate(sealed_tagged[level], trust, now=NOW)
        assert _file_contents() <= before
    finally:
        gc.enable()


def _file_contents() -> set[int]:
    return {id(one) for one in gc.get_objects() if type(one) is FileContent}
