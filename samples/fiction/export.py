"""Writing the files of an export: line by line, counted and hashed on the way, in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PEOPLE_COLUMNS = ("person_id", "given_name", "first_surname", "second_surname")
TRAINING_COLUMNS = (
    "person_id",
    "activity_id",
    "title",
    "modality",
    "hours",
    "start_date",
    "end_date",
    "completed_on",
    "role",
    "origin",
    "indicators",
)
ACCREDITATION_COLUMNS = ("person_id", "level", "area", "procedure", "granted_on", "reference")
_ACCREDITATION_HEADERS = ("DNI/NIE", "Nivell", "Àrea", "Procediment", "Data de concessió", "Referència")
"""The same columns under Catalan names, as one of the source systems calls them."""

_LINES_A_WRITE = 4096


class ExportFile:
    """One CSV file in the making.

    Attributes:
        line: the number of the line written last; the header is line 1.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, separator: str, newline: str = "\n", bom: bool) -> None:
        self.name = path.name
        self.separator = separator
        self.line = 0
        self._newline = newline
        self._waiting: list[str] = ["\ufeff"] if bom else []
        self._sha256 = hashlib.sha256()
        self._file = path.open("wb")
        self.write_row(columns)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._file.close()

    def write_row(self, fields: Iterable[str]) -> None:
        """Write one row, quoting what has to be quoted and nothing else."""
        self.write_line(self.separator.join([self.quoted(field) for field in fields]))

    def write_line(self, line: str) -> None:
        """Write one line that is quoted already."""
        self.line += 1
        self._waiting.append(line + self._newline)
        if len(self._waiting) >= _LINES_A_WRITE:
            self._flush()

    def quoted(self, field: str) -> str:
        """The field as it has to stand in this file."""
        if self.separator in field or '"' in field:
            return '"' + field.replace('"', '""') + '"'
        return field

    @property
    def sha256(self) -> str:
        """Hash of all that was written, in hexadecimal; ask only when the file is closed."""
        return self._sha256.hexdigest()

    def _flush(self) -> None:
        content = "".join(self._waiting).encode()
        self._waiting.clear()
        self._sha256.update(content)
        self._file.write(content)


class Export:
    """The three files of an export, each in its own dialect, as such exports come, and their SHA256SUMS."""

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        """Open the files.

        Args:
            folder: made when it is not there; files of the same names are replaced.
            plain: one tidy dialect for all files and no column more than needed, for reading by eye.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        if plain:
            self.people = ExportFile(folder / "people.csv", PEOPLE_COLUMNS, separator=";", bom=False)
            self.training = ExportFile(folder / "training.csv", TRAINING_COLUMNS, separator=";", bom=False)
            self.accreditations = ExportFile(
                folder / "accreditations.csv", ACCREDITATION_COLUMNS, separator=";", bom=False
            )
            return
        # A spreadsheet's own way of saving: byte order mark, semicolons, CR LF.
        self.people = ExportFile(
            folder / "people.csv", (*PEOPLE_COLUMNS, "illa"), separator=";", newline="\r\n", bom=True
        )
        self.training = ExportFile(folder / "training.csv", TRAINING_COLUMNS, separator=",", bom=False)
        self.accreditations = ExportFile(
            folder / "accreditations.csv", (*_ACCREDITATION_HEADERS, "Observacions"), separator="\t", bom=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        files = (self.accreditations, self.people, self.training)
        for file in files:
            file.__exit__(kind, error, trace)
        if kind is None:
            sums = "".join(f"{file.sha256}  {file.name}\n" for file in files)
            (self._folder / "SHA256SUMS").write_text(sums, encoding="utf-8", newline="\n")
