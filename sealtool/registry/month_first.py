"""Dates with slashes of which an export leaves in doubt which number is the month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from sealtool.registry.cells import MONTHS, slashed_numbers
from sealtool.registry.layout import ACCREDITATIONS, TRAINING
from sealtool.registry.table import Table

_DATES: Final = {TRAINING.file: ("start_date", "end_date", "completed_on"), ACCREDITATIONS.file: ("granted_on",)}
_DAYS_ONLY: Final = range(13, 32)
"""Numbers that are a day and no month."""


def month_first_dates(tables: Mapping[str, Table]) -> dict[str, str]:
    """For each file whose dates such as 03/04/2025 are in doubt, a date such as 03/27/2025 that has the month first.

    A program that writes one date so writes all of them so, in all of its files. A file in which some date can only be
    read with the day first is of no such program: the other date is a slip.

    Args:
        tables: the files of an export, by name.
    """
    found = {file: _evidence(tables[file], columns) for file, columns in _DATES.items() if file in tables}
    month_first = {file: one for file, (one, has_day_first) in found.items() if one and not has_day_first}
    for file, (one, has_day_first) in found.items():
        if month_first and not one and not has_day_first:
            month_first[file] = next(iter(month_first.values()))
    return month_first


def _evidence(table: Table, columns: tuple[str, ...]) -> tuple[str, bool]:
    """A date that has the month first, empty where there is none; and whether another can only have the day first."""
    slashed = {text: numbers for text in _texts(table, columns) if (numbers := slashed_numbers(text)) is not None}
    month_first = (text.strip() for text, (one, other) in slashed.items() if one in MONTHS and other in _DAYS_ONLY)
    return next(month_first, ""), any(one in _DAYS_ONLY and other in MONTHS for one, other in slashed.values())


def _texts(table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    return chain.from_iterable(table.frame[column].cat.categories for column in columns)
