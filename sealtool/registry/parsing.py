"""Parsing a column: each distinct text once, then back to the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from sealtool.registry.cells import CellFault
from sealtool.registry.table import Table

Value = TypeVar("Value")
Item = TypeVar("Item")
Positions = npt.NDArray[np.int64]

NO_VALUE = -1
"""Stands in :attr:`ParsedColumn.value_of` for a cell that could not be read."""


@dataclass(frozen=True, slots=True)
class ParsedColumn(Generic[Value]):
    """One column, read.

    Attributes:
        name: its canonical name.
        texts: its distinct raw texts.
        text_of: for each row, which of them.
        values: its distinct values.
        value_of: for each row, which of them, or :data:`NO_VALUE`.
        faults: what is wrong, by raw text. A faulty cell may have a value all the same.
    """

    name: str
    texts: Sequence[str]
    text_of: Positions
    values: Sequence[Value]
    value_of: Positions
    faults: Mapping[int, str]

    def text(self, row: int) -> str:
        """The raw text of a row."""
        return self.texts[int(self.text_of[row])]

    def value(self, row: int) -> Value:
        """The value of a row that has one."""
        return self.values[int(self.value_of[row])]

    def values_at(self, rows: Positions) -> list[Value]:
        """The values of rows that have one, in the order given."""
        return [self.values[number] for number in self.value_of[rows].tolist()]

    def faulty_rows(self) -> Positions:
        """The rows whose cell is broken, in order."""
        return np.flatnonzero(np.isin(self.text_of, list(self.faults)))


def parse_column(table: Table, name: str, parse: Callable[[str], Value]) -> ParsedColumn[Value]:
    """Read one column of a table.

    Args:
        table: the file.
        name: canonical name of the column.
        parse: takes a raw text; raises CellFault.
    """
    cells = table.frame[name].cat
    texts: list[str] = cells.categories.tolist()
    numbers: dict[object, int] = {}
    values: list[Value] = []
    numbers_of_texts: list[int] = []
    faults: dict[int, str] = {}
    for code, text in enumerate(texts):
        try:
            parsed: tuple[Any, ...] = (parse(text),)
        except CellFault as fault:
            faults[code] = fault.reason
            parsed = fault.parsed
        number = NO_VALUE
        for value in parsed:
            number = numbers.setdefault(value, len(values))
            if number == len(values):
                values.append(value)
        numbers_of_texts.append(number)
    text_of = cells.codes.to_numpy().astype(np.int64)
    number_of_text = np.array(numbers_of_texts, dtype=np.int64)
    return ParsedColumn(name, texts, text_of, values, number_of_text[text_of], faults)


def value_order(column: ParsedColumn[Value], number: Callable[[Value], int]) -> Positions:
    """For each row a number made of its value, :data:`NO_VALUE` where it has none.

    Args:
        column: the column.
        number: makes a number, 0 or more, of a value.
    """
    numbers = np.array([*map(number, column.values), NO_VALUE], dtype=np.int64)
    return numbers[column.value_of]


def ranks(column: ParsedColumn[Value], key: Callable[[Value], Any]) -> Positions:
    """For each row the rank of its value among those of the column; rows without a value get any rank.

    Args:
        column: the column.
        key: the order of its values.
    """
    keys = list(map(key, column.values))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    rank = np.full(len(order) + 1, NO_VALUE, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[column.value_of]


def distinct_rows(keys: Sequence[Positions], rows: Positions) -> tuple[Positions, Positions]:
    """The distinct combinations of some keys among some rows, in order of the keys.

    Args:
        keys: for each row of the table a number; the first key sorts first.
        rows: the rows in question, in ascending order.

    Returns:
        For each combination the first row that has it, and for each of ``rows`` which combination it has.
    """
    frame = pd.DataFrame({number: key[rows] for number, key in enumerate(keys)})
    combination = frame.groupby(list(frame.columns), sort=True).ngroup().to_numpy().astype(np.int64)
    return rows[first_places(combination)], combination


def first_places(numbers: Positions) -> Positions:
    """Where each number from 0 to the highest stands first; behind the last place where it does not stand."""
    first = np.full(int(numbers.max(initial=NO_VALUE)) + 1, len(numbers), dtype=np.int64)
    np.minimum.at(first, numbers, np.arange(len(numbers)))
    return first


def group_by_person(persons: Positions, items_of: Positions, items: Sequence[Item]) -> dict[int, tuple[Item, ...]]:
    """The distinct items of each person, in the order of ``items``.

    Args:
        persons: for each row, whose it is.
        items_of: for each row, which of ``items`` it holds.
        items: distinct values, shared by all whom they concern.
    """
    # one number for each pair, so that one pass sorts them
    count = max(len(items), 1)
    pairs = np.sort(persons * count + items_of)
    owners, numbers = np.divmod(pairs[np.flatnonzero(np.diff(pairs, prepend=-1))], count)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = np.append(starts, len(owners))[1:]
    own = [items[number] for number in numbers.tolist()]
    return {
        owner: tuple(own[start:end])
        for owner, start, end in zip(owners[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)
    }
