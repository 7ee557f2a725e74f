"""A small sound export to break in one place at a time."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sealtool.errors import RegistryError
from sealtool.model import Area, Framework, Level, Problem, Procedure, Registry
from sealtool.registry import RegistryOptions, read_registry

TODAY = date(2026, 11, 22)
ANA, BIEL, CLARA, NIE = "10000000Z", "10000001S", "10000002Q", "X1234567L"

PERSON = {"person_id": ANA, "given_name": "Ana", "first_surname": "Pons", "second_surname": "Vila"}
PARTICIPATION = {
    "person_id": ANA,
    "activity_id": "ACT-1",
    "title": "Aula digital",
    "modality": "course",
    "hours": "30",
    "start_date": "2024-01-10",
    "end_date": "2024-03-10",
    "completed_on": "2024-03-20",
    "role": "participant",
    "origin": "organised",
    "indicators": "2.1.B1.2 3.1.A2.1",
}
GRANT = {
    "person_id": ANA,
    "level": "B1",
    "area": "2",
    "procedure": "test",
    "granted_on": "2024-05-01",
    "reference": "EXP-1",
}
HEADERS = {"people.csv": PERSON, "training.csv": PARTICIPATION, "accreditations.csv": GRANT}


def _framework() -> Framework:
    test, degree, observation = Procedure.TEST, Procedure.DEGREE, Procedure.OBSERVATION
    evidence, external = Procedure.EVIDENCE, Procedure.EXTERNAL
    return Framework(
        competences=dict(zip(Area, (5, 3, 4, 3, 3, 5), strict=True)),
        direct_procedures={
            **dict.fromkeys((Level.A1, Level.A2), frozenset({test, degree, external})),
            **dict.fromkeys((Level.B1, Level.B2), frozenset({test, observation, external})),
            **dict.fromkeys((Level.C1, Level.C2), frozenset({observation, evidence, external})),
        },
        levels_by_area=frozenset({Level.C2}),
    )


@dataclass
class Export:
    """Writes an export and reads it. Files exist once they have a row or a text."""

    folder: Path
    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    delimiter: str = ";"
    encoding: str = "utf-8"

    def person(self, person_id: str = ANA, **cells: str) -> Export:
        return self._row("people.csv", {**PERSON, "person_id": person_id, **cells})

    def participation(self, person_id: str = ANA, **cells: str) -> Export:
        return self._row("training.csv", {**PARTICIPATION, "person_id": person_id, **cells})

    def grant(self, person_id: str = ANA, **cells: str) -> Export:
        return self._row("accreditations.csv", {**GRANT, "person_id": person_id, **cells})

    def _row(self, name: str, row: dict[str, str]) -> Export:
        self.rows.setdefault(name, []).append(row)
        self.write(name, self.text(name).encode(self.encoding))
        return self

    def text(self, name: str) -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\n")
        writer.writerow(HEADERS[name])
        writer.writerows(row.values() for row in self.rows.get(name, []))
        return out.getvalue()

    def write(self, name: str, content: str | bytes) -> Export:
        data = content.encode(self.encoding) if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return self

    def change(self, name: str, old: str, new: str) -> Export:
        text = (self.folder / name).read_bytes().decode(self.encoding)
        assert old in text
        return self.write(name, text.replace(old, new))

    def append(self, name: str, *lines: str) -> Export:
        text = (self.folder / name).read_bytes().decode(self.encoding)
        return self.write(name, text + "".join(f"{line}\n" for line in lines))

    def sums(self, *names: str, form: str = "{digest}  {name}") -> Export:
        lines = [
            form.format(digest=hashlib.sha256((self.folder / name).read_bytes()).hexdigest(), name=name)
            for name in names
        ]
        return self.write("SHA256SUMS", "\n".join(lines) + "\n")

    def read(self, previous_rows: Mapping[str, int] | None = None, **options: Any) -> Registry:
        return read_registry(
            self.folder, RegistryOptions(**options), _framework(), today=TODAY, previous_rows=previous_rows
        )

    def refusal(self, previous_rows: Mapping[str, int] | None = None, **options: Any) -> str:
        """The message with which the export is refused as a whole."""
        with pytest.raises(RegistryError) as caught:
            self.read(previous_rows, **options)
        assert caught.value.advice
        return caught.value.message

    def problem(self, **options: Any) -> Problem:
        """The only problem of the export."""
        (problem,) = self.read(**options).problems
        return problem


@pytest.fixture
def empty(tmp_path: Path) -> Export:
    """An export with nothing in it."""
    return Export(tmp_path)


@pytest.fixture
def export(empty: Export) -> Export:
    """A sound export: Ana and Biel in one activity, a grant for Ana."""
    empty.person().person(BIEL, given_name="Biel")
    empty.participation().participation(BIEL)
    return empty.grant()
