"""Certificates of one kind, laid out once: what differs from person to person is set anew, line by line.

Two certificates of the same kind (level, procedures, languages, day of issue …) differ in a handful of short
texts. A stencil keeps the painted file of a specimen and, for an order, sets just the lines whose text differs, in
the place, font and size they have on the specimen. It fills in only what cannot move anything else: a text alone in
its line that needs no more room than there is. Whatever it cannot do it leaves to the layout engine; what it does has
the very bytes that the engine would have written.

This module reaches into WeasyPrint's boxes and streams, which may change from one release to the next; it is the only
one that does. So whoever cuts a stencil proves it on a second specimen before using it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from hashlib import md5
from html import unescape
from typing import Any, Final

from sealtool.rendering.archive import lightened
from sealtool.rendering.assembly import Assembly
from sealtool.rendering.engine import (
    Document,
    LineBox,
    Matrix,
    Object,
    PageStream,
    TextBox,
    baseline_of,
    create_layout,
    draw_first_line,
    line_size,
)
from sealtool.rendering.wording import WordedPage

ALPHABET: Final = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz 0123456789 .,:;·'’-–—()/«»ªº "  # noqa: RUF001
    "ÀÁÈÉÍÏÒÓÚÜÇÑ àáèéíïòóúüçñ ÂÄÊËÎÔÖ âäêëîôö fi fl ff fj ti tt ft Th Qu l·l L·L Q, "
    "fà fá fâ fä fã få fă fè fé fê fë fì fí fî fï fò fó fô fö fõ fø fù fú fû fü fb fh fk ÌÙÝ ìùýÿ ŐŰ őű "
    "ÃÅÆÐÕØÞß ãåæðõøþ ĂĄĆČĐĘĞİŁŃŘŚŞȘŠȚŹŻŽ ăąćčđęğıłńřśşșšțźżž șt"
)
"""What names in Catalan and Spanish are written with, and those of other languages of Europe; with the glyphs that some
letters have together (the control letter of a DNI and the comma behind it are one). Every certificate's fonts hold it,
so that all of a kind have the same fonts."""

_TAGS = re.compile(r"(<[^>]*>)")
_GLYPHS = re.compile(rb"<([0-9a-f]+)>")
_PLACED_CHOSEN_SHOWN = 3  # the operators of a text in one font: its position, its font, its glyphs
_HEX_DIGITS = 4  # of one glyph
_TEXTS_KEPT = 64  # of each line
_FACE = (
    "font_family",
    "font_weight",
    "font_style",
    "font_stretch",
    "font_kerning",
    "font_feature_settings",
    "font_variant_ligatures",
    "font_variant_position",
    "font_variant_caps",
    "font_variant_numeric",
    "font_variant_alternates",
    "font_variant_east_asian",
)
"""The properties that decide on the glyphs of a text."""


class NotFillableError(Exception):
    """What only the layout engine can do; never leaves this room."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A text alone in its line, with the room there is for it in CSS pixels."""

    box: TextBox
    text: str
    room: float


@dataclass(frozen=True, slots=True)
class _Slot:
    """A line that can be set anew.

    Attributes:
        place: the operator that shows its glyphs, as an index into the operators of the page.
        font: the operator that chooses font and size.
        glyphs: those it may be set in: the alphabet, and what the specimen has in this line.
        shape: height and baseline of the line, in CSS pixels.
        shown: what was set here before: many have the same day.
    """

    line: _Line
    place: int
    font: bytes
    glyphs: frozenset[bytes]
    shape: tuple[float, float]
    shown: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Sheet:
    """One page of the specimen: its markup taken apart, its lines, the stream that paints it, and what is in there."""

    tags: list[str]
    texts: list[list[str]]
    lines: list[_Line]
    stream: Any
    operators: list[bytes]
    slots: dict[str, _Slot | None] = field(default_factory=dict)


def hold_alphabet(document: Document) -> frozenset[bytes]:
    """Put the whole alphabet into every font of a document that was laid out and not yet painted.

    Returns:
        The glyphs, each behind the name of its font.
    """
    faces: dict[tuple[Any, ...], Any] = {}
    for page in document.pages:
        for box in page._page_box.descendants(placeholders=True):  # noqa: SLF001 - see the module's docstring
            if isinstance(box, TextBox):
                faces.setdefault(tuple(_hashable(box.style[name]) for name in _FACE), box)
    glyphs: set[bytes] = set()
    for box in faces.values():
        _, *operators = _drawn(document, box, ALPHABET, _shaped(box, ALPHABET)[0])
        for chosen, shown in zip(operators[::2], operators[1::2], strict=False):
            glyphs |= _glyphs_of(chosen, shown)
    return frozenset(glyphs)


class Stencil:
    """The file of a specimen, ready to be filled in for other orders of the same kind.

    Args:
        document: the specimen as it was laid out.
        file: its objects (``pydyf.PDF``), complete and not yet written.
        pages: its wording.
        identifier: of the specimen, as its metadata have it.
        alphabet: the glyphs that its fonts hold for certain.

    Attributes:
        document: the specimen, whose fonts can be looked at.

    Raises:
        NotFillableError: it is built in a way that cannot be filled in.
    """

    def __init__(
        self, document: Document, file: Any, pages: Sequence[WordedPage], identifier: str, alphabet: frozenset[bytes]
    ) -> None:
        self.document = document
        self._alphabet = alphabet
        self._wording = [(page.title, page.office, page.language) for page in pages]
        self._identifier = identifier.encode()
        objects = list(file.objects)
        by_reference = {each.reference: each for each in objects}
        streams = [by_reference[by_reference[page]["Contents"]] for page in file.page_references]
        self._sheets = [
            _Sheet(*_taken_apart(page), list(_lone_texts(laid_out._page_box)), stream, _encoded(stream))  # noqa: SLF001 - see above
            for page, laid_out, stream in zip(pages, document.pages, streams, strict=True)
        ]
        self._metadata = by_reference[file.catalog["Metadata"]]
        self._attachment = next(each for each in objects if _is_embedded_file(each))
        changing = {each.number for each in (*streams, self._metadata, self._attachment)}
        if b"".join(self._metadata.stream).count(self._identifier) != 1:
            raise NotFillableError("the metadata do not name the certificate exactly once")
        staying = (each for each in objects if each.number not in changing and each.free != "f")
        if any(self._identifier in each.data for each in staying):
            raise NotFillableError("the certificate is named where nobody would change it")
        self._assembly = Assembly(file, changing)

    def fill_in(self, identifier: str, pages: Sequence[WordedPage], record: bytes) -> bytes:
        """The file of another order.

        Raises:
            NotFillableError: only the engine can lay it out.
        """
        if [(page.title, page.office, page.language) for page in pages] != self._wording:
            raise NotFillableError("its metadata differ")
        metadata = b"".join(self._metadata.stream).replace(self._identifier, identifier.encode())
        changed = {
            self._metadata.number: _restreamed(self._metadata, [metadata]),
            self._attachment.number: _restreamed(self._attachment, [record], _described(self._attachment, record)),
        }
        for sheet, page in zip(self._sheets, pages, strict=True):
            changed[sheet.stream.number] = _restreamed(sheet.stream, [b"\n".join(self._operators(sheet, page))])
        return self._assembly.file(changed)

    def _operators(self, sheet: _Sheet, page: WordedPage) -> list[bytes]:
        tags, texts = _taken_apart(page)
        if tags != sheet.tags:
            raise NotFillableError("its page is built in another way")
        operators = list(sheet.operators)
        for old, new in _differences(sheet.texts, texts):
            if old not in sheet.slots:
                sheet.slots[old] = self._slot(sheet, old)
            slot = sheet.slots[old]
            if slot is None:
                raise NotFillableError("a text that differs does not stand alone in its line")
            if (shown := slot.shown.get(new)) is None:
                shown = self._shown(slot, new)
                if len(slot.shown) < _TEXTS_KEPT:
                    slot.shown[new] = shown
            operators[slot.place] = shown
        return operators

    def _slot(self, sheet: _Sheet, text: str) -> _Slot | None:
        found = [line for line in sheet.lines if line.text == text]
        if len(found) != 1:
            return None
        line = found[0]
        layout, shape, _ = _shaped(line.box, text)
        drawn = _drawn(self.document, line.box, text, layout)
        operators = sheet.operators
        if len(drawn) != _PLACED_CHOSEN_SHOWN or operators.count(drawn[0]) != 1:
            return None
        start = operators.index(drawn[0])
        # the font is not chosen again where the text before is set in it, too
        place = next((at for at in (start + 1, start + 2) if operators[at] == drawn[2]), None)
        if place is None:
            return None
        return _Slot(line, place, drawn[1], self._alphabet | _glyphs_of(drawn[1], drawn[2]), shape)

    def _shown(self, slot: _Slot, text: str) -> bytes:
        layout, shape, width = _shaped(slot.line.box, text)
        if shape != slot.shape or width > slot.line.room:
            raise NotFillableError("a text needs more room than there is")
        drawn = _drawn(self.document, slot.line.box, text, layout)
        if len(drawn) != _PLACED_CHOSEN_SHOWN or drawn[1] != slot.font:
            raise NotFillableError("a text needs more than one font")
        if not _glyphs_of(drawn[1], drawn[2]) <= slot.glyphs:
            raise NotFillableError("a text needs a glyph outside of the alphabet")
        return drawn[2]


def _is_embedded_file(candidate: Any) -> bool:
    return getattr(candidate, "extra", {}).get("Type") == "/EmbeddedFile"


def _restreamed(original: Any, content: list[bytes], extra: Any = None) -> bytes:
    """The data of a stream with other content."""
    changed = copy(original)
    changed.stream = content
    changed.extra = original.extra if extra is None else extra
    return bytes(changed.data)


def _encoded(stream: Any) -> list[bytes]:
    """The operators of a page, as they are written one below the other."""
    return [
        each.data if isinstance(each, Object) else each if isinstance(each, bytes) else each.encode("ascii")
        for each in stream.stream
    ]


def _described(attachment: Any, record: bytes) -> Any:
    """ISO 32000-2, 7.11.4: size and checksum of an embedded file."""
    extra = copy(attachment.extra)
    extra["Params"] = copy(extra["Params"])
    extra["Params"]["Size"] = len(record)
    extra["Params"]["CheckSum"] = f"<{md5(record, usedforsecurity=False).hexdigest()}>"
    return extra


def _taken_apart(page: WordedPage) -> tuple[list[str], list[list[str]]]:
    """Tags, and the lines of text between them."""
    parts = _TAGS.split(str(page.markup))
    return parts[1::2], [unescape(part).split("\n") for part in parts[::2]]


def _differences(old: list[list[str]], new: list[list[str]]) -> Iterator[tuple[str, str]]:
    for before, after in zip(old, new, strict=True):
        if before == after:
            continue
        if len(before) != len(after):
            raise NotFillableError("a text has another number of lines")
        for one, other in zip(before, after, strict=True):
            if one == other:
                continue
            if " ".join(other.split()) != other:
                raise NotFillableError("a text has white space of its own")
            yield one, other


def _lone_texts(page_box: Any) -> Iterator[_Line]:
    for block in page_box.descendants(placeholders=True):
        for line in getattr(block, "children", ()):
            if isinstance(line, LineBox) and len(line.children) == 1 and isinstance(line.children[0], TextBox):
                box = line.children[0]
                yield _Line(box, box.text, block.content_box_x() + block.width - box.position_x)


def _shaped(box: TextBox, text: str) -> tuple[Any, tuple[float, float], float]:
    """The text shaped in the style of a box, with height and baseline of its line, and its width."""
    layout = create_layout(text, box.style, None, None, box.justification_spacing)
    line, further = layout.get_first_line()
    if further is not None:
        raise NotFillableError("a text has more than one line")
    width, height = line_size(line, box.style)
    return layout, (height, baseline_of(layout)), width


def _drawn(document: Document, box: TextBox, text: str, layout: Any) -> list[bytes]:
    """The operators that paint a text in the place of a box."""
    stream = PageStream(document.fonts, (0, 0, 0, 0), {}, {}, None, {}, None)
    standing_in = copy(box)
    standing_in.text, standing_in.pango_layout = text, layout
    place = Matrix(d=-1, e=box.position_x, f=box.position_y + box.baseline)
    draw_first_line(stream, standing_in, "clip", "none", place)
    return [lightened(each) for each in stream.stream]


def _glyphs_of(chosen: bytes, shown: bytes) -> set[bytes]:
    font = chosen.split()[0]
    return {
        font + run[at : at + _HEX_DIGITS] for run in _GLYPHS.findall(shown) for at in range(0, len(run), _HEX_DIGITS)
    }


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
