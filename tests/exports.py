"""Registry exports in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def write_export(folder: Path, people: Iterable[Sequence[str]], grants: Iterable[Sequence[str]]) -> Path:
    """Writes an export, over the one that may be there.

    Args:
        folder: where, made if it is not there.
        people: id, given name, first and second surname.
        grants: person, level, area, procedure, day and reference.

    Returns:
        The folder.
    """
    folder.mkdir(exist_ok=True)
    _write(folder / "people.csv", "person_id;given_name;first_surname;second_surname", people)
    _write(folder / "accreditations.csv", "person_id;level;area;procedure;granted_on;reference", grants)
    return folder


def write_plain_export(
    folder: Path, people: Iterable[str], grants: Iterable[Sequence[str]], names: Sequence[str] = ()
) -> Path:
    """The same for people by their ids, whose names matter to nobody, or the first given names do."""
    rows = [
        (person, names[index] if index < len(names) else f"Persona {index}", "Fictícia", "")
        for index, person in enumerate(people)
    ]
    return write_export(folder, rows, grants)


def _write(file: Path, header: str, rows: Iterable[Sequence[str]]) -> None:
    file.write_text("\n".join([header, *map(";".join, rows), ""]), encoding="utf-8")
