"""From the bytes of one CSV file to a table of cells, every row with the line it starts on.

The csv module does the splitting, in its strict mode: it alone tells physical lines, field counts and
quotes exactly. Cells go straight into pandas categoricals, each distinct text kept once, so that a
million rows stay small and each distinct text is parsed once.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sealtool.registry.findings import shown
from sealtool.registry.identity import digits_of
from sealtool.registry.layout import Layout
from sealtool.registry.options import RegistryOptions

_DELIMITERS: Final = (";", ",", "\t")
_CHUNK_ROWS: Final = 1_000
"""Few enough for the cells of a chunk to stay in the cache of the processor."""
_REPORTED: Final = 10
_DIGITS_OF_A_ROW: Final = 6
"""No name of a column has so many."""
_LINE_BREAK: Final = re.compile(rb"\r\n|\r|\n")
_CLOSING: Final = (b"\n", b"\r", b'"')
"""What a file that was not cut ends with: the end of a line, or of a quoted cell."""
_SOMETHING: Final = re.compile(rb"\S")
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class MisfitRow:
    """A row with too few or too many cells: which cell is which nobody can say."""

    line: int
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """All cells, one a line."""
        return "\n".join(self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of one file.

    Attributes:
        file: name of the file.
        frame: one categorical column of raw texts for each canonical column.
        lines: for each row of the frame, the line it starts on, the header being 1.
        misfits: the rows that are not in the frame because they have the wrong number of cells.
        width: the number of cells of the header.
        person_position: which cell, counted from 0, holds the person's id.
        open_column: the column in which the file ends with no end of its last row; empty where there is one, or in a
            misfit.
    """

    file: str
    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    misfits: tuple[MisfitRow, ...]
    width: int
    person_position: int
    open_column: str = ""

    @property
    def rows(self) -> int:
        """All rows that are not empty, misfits among them."""
        return len(self.frame) + len(self.misfits)


_Record = tuple[int, int, list[str]]
"""First and last line of a row, and its cells."""


class _Codes(dict[str, int]):
    """Numbers texts in order of appearance; looking one up is enough."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


def tokenise(content: bytes, layout: Layout, options: RegistryOptions) -> tuple[Table | None, list[str]]:
    """Split a file into cells.

    Returns:
        The table, None where there is none to be had, and all that is wrong with the file as a whole.
    """
    faults = _faults_of_bytes(content, options)
    if faults and b"\0" in content:
        return None, faults
    if not _SOMETHING.search(content.removeprefix(codecs.BOM_UTF8)):
        return None, ["the file is empty: it has not even a header."]
    try:
        delimiter = _find_delimiter(content, layout, options)
        table = _read_table(content, delimiter, layout, options, faults)
    except UnicodeDecodeError:
        return None, [*faults, _explain_undecodable(content, options.encoding)]
    return table, faults


# --- bytes ------------------------------------------------------------------------------------


def _faults_of_bytes(content: bytes, options: RegistryOptions) -> list[str]:
    faults = []
    if (offset := content.find(b"\0")) >= 0:
        hint = " It looks like UTF-16: save it as UTF-8." if content.startswith(_UTF16_MARKS) else ""
        faults.append(f"a NUL byte stands at byte offset {offset}, line {_line_at(content, offset)}.{hint}")
    elif content.count(b'"') % 2:
        lines = [n for n, line in enumerate(_LINE_BREAK.split(content), start=1) if line.count(b'"') % 2]
        places = ", ".join(map(str, lines[:_REPORTED])) + (", …" if len(lines) > _REPORTED else "")
        faults.append(
            f"the number of quotation marks is odd, so one is missing or too many, and rows may have run into each "
            f"other; look at line {places}."
        )
    if options.encoding == "windows-1252" and not content.isascii() and _decodes(content, "utf-8"):
        # every UTF-8 file also reads as Windows-1252, with its accents mangled
        faults.append(
            "the configuration says windows-1252, but the file is UTF-8, and names would come out mangled. Set "
            'registry.encoding = "utf-8".'
        )
    return faults


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _line_at(content: bytes, offset: int) -> int:
    return len(_LINE_BREAK.findall(content[:offset])) + 1


def _explain_undecodable(content: bytes, encoding: str) -> str:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        place = f"byte offset {error.start}, line {_line_at(content, error.start)}"
        fault = f"the byte 0x{content[error.start]:02X} at {place} is not {encoding}, so names cannot be read."
        if encoding == "utf-8" and _decodes(content, "windows-1252"):
            fault += (
                ' The file may be Windows-1252: export it as UTF-8, or set registry.encoding = "windows-1252" if all '
                "files are."
            )
        return fault
    return f"the file is not {encoding}."


def _lines(content: bytes, options: RegistryOptions) -> Iterator[str]:
    # not by the codec utf-8-sig: it swallows the first bytes of a mark at the end of a file without a word
    text = content.removeprefix(codecs.BOM_UTF8) if options.encoding == "utf-8" else content
    # newline="" hands line ends through as they are, so that the csv module counts physical lines
    return io.TextIOWrapper(io.BytesIO(text), encoding=options.encoding, errors="strict", newline="")


# --- records ----------------------------------------------------------------------------------


def _records(content: bytes, delimiter: str, options: RegistryOptions) -> Iterator[_Record]:
    reader = csv.reader(_lines(content, options), delimiter=delimiter, quotechar='"', strict=True)
    start = 1
    try:
        for cells in reader:
            end = reader.line_num
            yield start, end, cells
            start = end + 1
    except csv.Error as error:
        raise _BrokenCsvError(start, max(reader.line_num, start), shown(str(error))) from None


class _BrokenCsvError(Exception):
    """What the csv module refuses in a row."""

    def __init__(self, start: int, end: int, reason: str) -> None:
        super().__init__(start, end, reason)
        lines = f"line {start}" if start == end else f"lines {start} to {end}"
        self.fault = (
            f"{lines}: the row cannot be split into cells ({reason}); often a quotation mark is wrong or left open."
        )


def _find_delimiter(content: bytes, layout: Layout, options: RegistryOptions) -> str:
    """The delimiter by which the header yields most of the columns; the first where none yields any."""

    def known_columns(delimiter: str) -> int:
        try:
            _, _, header = next(_records(content, delimiter, options))
        except _BrokenCsvError:
            return -1
        return len({*layout.meanings(header, options.aliases)} - {None})

    return max(_DELIMITERS, key=known_columns)


def _read_table(
    content: bytes, delimiter: str, layout: Layout, options: RegistryOptions, faults: list[str]
) -> Table | None:
    records = _records(content, delimiter, options)
    try:
        start, end, header = next(records)
        if start != end:
            faults += _explain_swallowed([(start, end)])
        positions = _positions(header, layout, options, faults)
        # without the columns the rows mean nothing, but their quotes can still be told to be broken
        intake = _Intake(positions, len(header), delimiter)
        intake.take(records, faults)
    except _BrokenCsvError as error:
        faults.append(error.fault)
        return None
    if len(positions) < len(layout.columns):
        return None
    is_open = intake.ends_in_row and not content.endswith(_CLOSING)
    last_column = next((column for column, position in positions.items() if position == len(header) - 1), "")
    return Table(
        layout.file,
        intake.frame(),
        intake.lines(),
        tuple(intake.misfits),
        len(header),
        positions["person_id"],
        open_column=last_column if is_open else "",
    )


def _positions(header: Sequence[str], layout: Layout, options: RegistryOptions, faults: list[str]) -> dict[str, int]:
    meanings = layout.meanings(header, options.aliases)
    positions: dict[str, int] = {}
    for position, column in enumerate(meanings):
        if column is None:
            continue
        if column in positions:
            both = f"'{shown(header[positions[column]])}' and '{shown(header[position])}'"
            faults.append(f"the headers {both} both mean {column}; leave one of them out.")
            continue
        positions[column] = position
    missing = [column for column in layout.columns if column not in positions]
    if not "".join(header).strip():
        faults.append("the first line, where the header has to be, is empty.")
    elif missing:
        found = shown(", ".join(cell.strip() for cell in header), limit=300)
        if any(len(digits_of(cell)) >= _DIGITS_OF_A_ROW for cell in header):
            # What is wrong with a file as a whole goes into logs, so it repeats no row of it.
            found = "what seems to be a row, and is not shown because a row names somebody"
        faults.append(
            f"missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; the header has: {found}. Export "
            "the column, or give its header a meaning under registry.aliases in the configuration."
        )
    return positions


class _Intake:
    """Takes records in and keeps each distinct text of a column once."""

    def __init__(self, positions: dict[str, int], width: int, delimiter: str) -> None:
        self._positions = positions
        self._width = width
        self._delimiter = delimiter
        self._codes = {column: _Codes() for column in positions}
        self._chunks: dict[str, list[npt.NDArray[np.int32]]] = {column: [] for column in positions}
        self._lines: list[npt.NDArray[np.int64]] = []
        self.misfits: list[MisfitRow] = []
        self.ends_in_row = False

    def take(self, records: Iterable[_Record], faults: list[str]) -> None:
        rows: list[list[str]] = []
        lines: list[int] = []
        swallowed: list[tuple[int, int]] = []
        ends_in_row = False
        for start, end, cells in records:
            ends_in_row = False
            if start != end and self._has_swallowed_rows(cells):
                swallowed.append((start, end))
            elif not (cells and cells[0].strip()) and not "".join(cells).strip():
                continue
            elif len(cells) != self._width:
                self.misfits.append(MisfitRow(start, tuple(cells)))
            else:
                rows.append(cells)
                lines.append(start)
                ends_in_row = True
            if len(rows) == _CHUNK_ROWS:
                self._store(rows, lines)
                rows, lines = [], []
        self._store(rows, lines)
        self.ends_in_row = ends_in_row
        faults += _explain_swallowed(swallowed)

    def _has_swallowed_rows(self, cells: list[str]) -> bool:
        if len(cells) != self._width:
            return True
        # an opening quote in one row and a closing one in the same column of a later row leave the count
        # right; the cell between them then holds at least as many delimiters as a row has
        return any(cell.count(self._delimiter) >= self._width - 1 for cell in cells if "\n" in cell or "\r" in cell)

    def _store(self, rows: list[list[str]], lines: list[int]) -> None:
        if not rows:
            return
        transposed = list(zip(*rows, strict=True))
        for column, position in self._positions.items():
            codes = map(self._codes[column].__getitem__, transposed[position])
            self._chunks[column].append(np.fromiter(codes, dtype=np.int32, count=len(rows)))
        self._lines.append(np.array(lines, dtype=np.int64))

    def frame(self) -> pd.DataFrame:
        columns: dict[str, object] = {
            column: pd.Categorical.from_codes(
                np.concatenate([np.empty(0, dtype=np.int32), *self._chunks[column]]),
                categories=pd.Index([*self._codes[column]], dtype=object),
            )
            for column in self._positions
        }
        return pd.DataFrame(columns)

    def lines(self) -> npt.NDArray[np.int64]:
        return np.concatenate([np.empty(0, dtype=np.int64), *self._lines])


def _explain_swallowed(swallowed: Sequence[tuple[int, int]]) -> list[str]:
    faults = [
        f"lines {start} to {end}: a quotation mark is left open, and one cell runs over several rows."
        for start, end in swallowed[:_REPORTED]
    ]
    if len(swallowed) > _REPORTED:
        faults.append(f"and {len(swallowed) - _REPORTED} more cells that run over several rows.")
    return faults
