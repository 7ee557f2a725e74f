"""Dates with slashes of which a file leaves in doubt which number is the month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from sealtool.registry.cells import slashed_numbers
from sealtool.registry.findings import shown
from sealtool.registry.parsing import ParsedColumn
from sealtool.registry.rejecting import RowCheck

_MONTHS: Final = range(1, 13)
_DAYS_ONLY: Final = range(13, 32)
"""Numbers that are a day and no month."""


def reject_month_first(columns: Sequence[ParsedColumn[date]], check: RowCheck) -> None:
    """Reject dates such as 03/04/2025 in a file where another, such as 03/27/2025, has the month first.

    A program that writes one date so writes all of them so. Where some date can only be read with the day first, the
    file is of no such program, and the other date a slip.

    Args:
        columns: all dates of the file.
        check: of the file.
    """
    texts = dict.fromkeys(text for column in columns for text in column.texts)
    slashed = {text: numbers for text in texts if (numbers := slashed_numbers(text)) is not None}
    month_first = [text for text, (one, other) in slashed.items() if one in _MONTHS and other in _DAYS_ONLY]
    if not month_first or any(one in _DAYS_ONLY and other in _MONTHS for one, other in slashed.values()):
        return
    reason = f"may have the month first, as '{shown(month_first[0].strip())}' has: write it as 2025-10-27"
    doubtful = {text for text, (one, other) in slashed.items() if one in _MONTHS and other in _MONTHS and one != other}
    for column in columns:
        codes = [code for code, text in enumerate(column.texts) if text in doubtful]
        check.reject_rows(np.flatnonzero(np.isin(column.text_of, codes)), column, lambda _: reason)
