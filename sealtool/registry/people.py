"""people.csv: who there is, and whom an id, sound or broken, may mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sealtool.model import Person, PersonId, Problem
from sealtool.registry.cells import CellFault, name_oddity, parse_name, parse_optional_name
from sealtool.registry.findings import Findings, shown
from sealtool.registry.identity import digits_of, ids_within, parse_person_id
from sealtool.registry.parsing import ParsedColumn, parse_column
from sealtool.registry.rejecting import RowCheck
from sealtool.registry.table import MisfitRow, Table

_NAMES: Final[Mapping[str, Callable[[str], str]]] = {
    "given_name": parse_name,
    "first_surname": parse_name,
    "second_surname": parse_optional_name,
}


@dataclass(frozen=True)
class Roll:
    """Everybody in people.csv.

    Attributes:
        people: those whose row is sound, by id.
        known: all whose id stands in the file, also in a row with other faults.
    """

    people: Mapping[PersonId, Person]
    known: frozenset[PersonId]

    @cached_property
    def _by_digits(self) -> Mapping[str, tuple[PersonId, ...]]:
        """The known ids by their number, letters apart."""
        by_digits: dict[str, tuple[PersonId, ...]] = {}
        for person_id in sorted(self.known):
            digits = digits_of(person_id)
            by_digits[digits] = (*by_digits.get(digits, ()), person_id)
        return by_digits

    def read_id(self, text: str) -> PersonId:
        """The id in a cell, as :func:`parse_person_id`, which leaves an id that is known as it stands.

        Raises:
            CellFault: there is none.
        """
        return PersonId(text) if text in self.known else parse_person_id(text)

    def persons_meant(self, text: str) -> tuple[str, ...]:
        """Everybody whom the id in a cell may mean.

        A sound id that is known means that person. Any other stands for itself as far as it can be read, and
        for everybody with the same digits: a wrong or lost letter is the likeliest mistake.
        """
        if not text.strip():
            return ()
        try:
            own: str = self.read_id(text)
        except CellFault:
            own = shown(text.strip())
        if own in self.known:
            return (own,)
        return tuple(dict.fromkeys((own, *self._by_digits.get(digits_of(text), ()))))

    def persons_in(self, misfit: MisfitRow, position: int) -> tuple[str, ...]:
        """Everybody whom a row with a wrong number of cells may mean, wherever the id has slipped to."""
        sound = _ids_in(misfit)
        in_place = misfit.cells[position] if position < len(misfit.cells) else ""
        candidates = sound if ids_within(in_place) else (in_place, *sound)
        return tuple(dict.fromkeys(person for text in candidates for person in self.persons_meant(text)))


@dataclass(frozen=True, slots=True)
class _Entry:
    """The names of one row, whose id is sound."""

    line: int
    names: tuple[str, ...]


def read_people(table: Table, findings: Findings) -> Roll:
    """Read people.csv; what is wrong with it goes to ``findings``."""
    ids = parse_column(table, "person_id", parse_person_id)
    names = [parse_column(table, column, parse) for column, parse in _NAMES.items()]
    known = {*ids.values, *(found for row in table.misfits for found in _ids_in(row))}
    people: dict[PersonId, Person] = {}
    roll = Roll(people, frozenset(known))  # whom a row may mean is asked before all people are read
    check = RowCheck(table, ids, roll.persons_meant, findings)
    check.reject_misfits(roll.persons_in)
    check.reject_cells([ids, *names])
    check.warn_of_lost_zeros()
    sound, lines = check.sound.tolist(), table.lines.tolist()
    for person_id, rows in _rows_by_person(ids).items():
        if len(rows) > 1:
            _compare(person_id, [_entry(table, names, row) for row in rows], table.file, findings)
        if all(sound[row] for row in rows):
            given_name, first_surname, second_surname = (column.value(rows[0]) for column in names)
            people[person_id] = Person(person_id, given_name, first_surname, second_surname, line=lines[rows[0]])
    _warn_of_odd_names(table, names, check, findings)
    return roll


def _ids_in(misfit: MisfitRow) -> tuple[PersonId, ...]:
    """Every sound id in a row: a whole cell, which may have lost its zeros, or within other text."""
    cells = []
    for cell in misfit.cells:
        with suppress(CellFault):
            cells.append(parse_person_id(cell))
    return tuple(dict.fromkeys((*cells, *ids_within(misfit.text))))


def _rows_by_person(ids: ParsedColumn[PersonId]) -> dict[PersonId, list[int]]:
    rows: dict[PersonId, list[int]] = {}
    for row, number in enumerate(ids.value_of.tolist()):
        if number >= 0:
            rows.setdefault(ids.values[number], []).append(row)
    return rows


def _entry(table: Table, names: list[ParsedColumn[str]], row: int) -> _Entry:
    # raw texts, so that rows are compared even where a name was refused
    return _Entry(int(table.lines[row]), tuple(column.text(row).strip() for column in names))


def _compare(person_id: PersonId, entries: list[_Entry], file: str, findings: Findings) -> None:
    first = entries[0]
    reported = {first.names}
    for entry in entries[1:]:
        if entry.names == first.names:
            message = f"repeats line {first.line}. It was counted once."
            findings.warn(Problem(file, entry.line, "person_id", person_id, f"The row {message}"))
        elif entry.names not in reported:
            reported.add(entry.names)
            differing = [
                column for column, mine, other in zip(_NAMES, first.names, entry.names, strict=True) if mine != other
            ]
            message = (
                f"The same person stands on line {first.line} with another {', '.join(differing)}. Which row is "
                "right is for the registry to say; the person is held until one of them is gone."
            )
            findings.reject(Problem(file, entry.line, "person_id", person_id, message), (person_id,))


def _warn_of_odd_names(table: Table, names: list[ParsedColumn[str]], check: RowCheck, findings: Findings) -> None:
    for column in names:
        odd = {number: oddity for number, name in enumerate(column.values) if (oddity := name_oddity(name))}
        if not odd:
            continue
        for row, number in enumerate(column.value_of.tolist()):
            if number in odd and check.sound[row]:
                message = f"The {column.name} {odd[number]}."
                value = shown(column.text(row))
                findings.warn(Problem(table.file, int(table.lines[row]), column.name, value, message))
