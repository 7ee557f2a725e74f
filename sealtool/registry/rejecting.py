"""Rejecting rows, and holding whom they name: the same way in every file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sealtool.model import PersonId, Problem
from sealtool.registry.findings import Findings, shown
from sealtool.registry.identity import lost_zeros
from sealtool.registry.layout import FREE_TEXTS
from sealtool.registry.parsing import NO_VALUE, ParsedColumn, Positions, first_places
from sealtool.registry.table import MisfitRow, Table

_OPEN_END: Final = (
    "is where the file ends, with no end of line behind it, as where an export was cut short: a part may be missing. "
    "Export it again, with an end behind each line, or with SHA256SUMS beside it"
)


class RowCheck:
    """Which rows of a table are sound.

    Args:
        table: the file.
        ids: its column of persons.
        persons_meant: whom a raw id may mean.
        findings: where problems and warnings go.
    """

    def __init__(
        self,
        table: Table,
        ids: ParsedColumn[PersonId],
        persons_meant: Callable[[str], tuple[str, ...]],
        findings: Findings,
    ) -> None:
        self._table = table
        self._ids = ids
        self._persons_meant = persons_meant
        self._findings = findings
        self._meant: dict[int, tuple[str, ...]] = {}
        self.sound: npt.NDArray[np.bool_] = np.ones(len(table.frame), dtype=np.bool_)

    def persons(self, row: int) -> tuple[str, ...]:
        """Everybody a row names, or may name."""
        code = int(self._ids.text_of[row])
        if code not in self._meant:
            self._meant[code] = self._persons_meant(self._ids.texts[code])
        return self._meant[code]

    def reject(self, row: int, column: ParsedColumn[Any], reason: str) -> None:
        """Reject one row for one of its cells; ``reason`` completes the sentence «This …» about the cell."""
        self.sound[row] = False
        message = f"This {reason}."
        problem = Problem(self._table.file, self.line(row), column.name, shown(column.text(row)), message)
        self._findings.reject(problem, self.persons(row))

    def reject_cells(self, columns: Sequence[ParsedColumn[Any]]) -> None:
        """Reject every row that has a broken cell in one of the columns, once for each of them."""
        for column in columns:
            for row in column.faulty_rows().tolist():
                self.reject(row, column, column.faults[int(column.text_of[row])])
            if column.name == self._table.open_column and column.name not in FREE_TEXTS:
                self.reject(len(self.sound) - 1, column, _OPEN_END)

    def reject_rows(self, rows: Positions, column: ParsedColumn[Any], reason: Callable[[int], str]) -> None:
        """Reject rows for what a column says together with another."""
        for row in rows.tolist():
            self.reject(row, column, reason(row))

    def reject_misfits(self, persons_in: Callable[[MisfitRow, int], tuple[str, ...]]) -> None:
        """Reject the rows with a wrong number of cells."""
        for misfit in self._table.misfits:
            message = f"The row has {len(misfit.cells)} where the header has {self._table.width} cells."
            problem = Problem(self._table.file, misfit.line, "", shown(" | ".join(misfit.cells)), message)
            self._findings.reject(problem, persons_in(misfit, self._table.person_position))

    def reject_unknown_persons(self, known: frozenset[PersonId]) -> None:
        """Reject the rows of persons who are not in people.csv: nobody knows what to call them."""
        unknown = [number for number, person_id in enumerate(self._ids.values) if person_id not in known]
        rows = np.flatnonzero(np.isin(self._ids.value_of, unknown))
        self.reject_rows(rows, self._ids, lambda _: "is not in people.csv, so there is no name to certify")

    def warn_of_lost_zeros(self) -> None:
        """Warn of ids whose leading zeros had to be given back, once for each text that lacks them."""
        rows, counts = first_places(self._ids.text_of), np.bincount(self._ids.text_of)
        numbers = self._ids.value_of[rows]
        for text, number, row, count in zip(
            self._ids.texts, numbers.tolist(), rows.tolist(), counts.tolist(), strict=True
        ):
            if number == NO_VALUE or not lost_zeros(text, self._ids.values[number]):
                continue
            others = f", on {count} rows in all" if count > 1 else ""
            message = (
                f"The id lost leading zeros and was read as {self._ids.value(row)}{others}: spreadsheets take them for "
                "numbers. Export the column as text."
            )
            problem = Problem(self._table.file, self.line(row), "person_id", shown(self._ids.text(row)), message)
            self._findings.warn(problem)

    def line(self, row: int) -> int:
        """The line a row starts on, the header being 1."""
        return int(self._table.lines[row])
