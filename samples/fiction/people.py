"""Fictitious people: ids counted upwards with the check letter that belongs to them, names put together at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fiction.dice import Dice, Urn

CHECK_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
FIRST_DNI = 10_100_000
FIRST_NIE = 1_000
"""The hand-written small sample lies below both, so that both can go through one ledger."""
LAST_DNI = 19_899_999
FIRST_DNI_WITH_ZERO = 1_000_000
"""DNIs that begin with a zero, which spreadsheets eat."""
UNREGISTERED_DNI = 19_900_000
UNREGISTERED_NIE = 9_900_000
"""From here on: ids that are well formed but stand in no people.csv."""

_SHARE_OF_NIE = 0.06
_SHARE_OF_LEADING_ZERO = 0.02
_NIE_LETTERS = "XYZ"


def check_letter(number: int) -> str:
    """The letter that belongs to a DNI number (for a NIE, with X, Y, Z read as 0, 1, 2)."""
    return CHECK_LETTERS[number % 23]


def dni(number: int) -> str:
    """A DNI in canonical form."""
    return f"{number:08d}{check_letter(number)}"


def nie(prefix: str, number: int) -> str:
    """A NIE in canonical form."""
    return f"{prefix}{number:07d}{check_letter(_NIE_LETTERS.index(prefix) * 10_000_000 + number)}"


def with_wrong_letter(person_id: str) -> str:
    """The same id with a check letter that does not belong to it."""
    right = CHECK_LETTERS.index(person_id[-1])
    return person_id[:-1] + CHECK_LETTERS[(right + 1) % 23]


def carelessly_written(person_id: str, dice: Dice) -> str:
    """The same id as a tired hand or a spreadsheet would leave it; what it means stays beyond doubt."""
    body, letter = person_id[:-1], person_id[-1]
    ways = [person_id.lower(), f"{body}-{letter}"]
    if body.isdigit():
        ways.append(f"{body[:2]}.{body[2:5]}.{body[5:]}-{letter}")
    return dice.pick(ways)


@dataclass(frozen=True, slots=True)
class FictitiousPerson:
    """Somebody who does not exist."""

    person_id: str
    given_name: str
    first_surname: str
    second_surname: str
    island: str

    @property
    def row(self) -> list[str]:
        """The fields of people.csv, with one more that sealtool ignores."""
        return [self.person_id, self.given_name, self.first_surname, self.second_surname, self.island]


class People:
    """An endless supply of different people, in an order that depends on the seed alone."""

    def __init__(self, words: Mapping[str, Sequence[str]], dice: Dice, expected: int) -> None:
        self._dice = dice
        self._words = words
        self._dni = FIRST_DNI
        self._zero = FIRST_DNI_WITH_ZERO
        self._nie = dict.fromkeys(_NIE_LETTERS, FIRST_NIE)
        # Wide gaps as in life, but always room for everybody.
        self._stride = max(1, min(400, (LAST_DNI - FIRST_DNI) // max(1, expected)))
        self._surnames: Urn[str] = Urn(
            [
                ("surnames", 70),
                ("surnames_spanish", 22),
                ("surnames_particle", 4),
                ("surnames_hyphen", 2),
                ("surnames_foreign", 1.5),
                ("surnames_long", 0.5),
            ]
        )

    def next(self) -> FictitiousPerson:
        """Somebody new."""
        dice = self._dice
        island = dice.pick(self._words["islands"])
        if dice.chance(_SHARE_OF_NIE):
            return self._foreigner(island)
        return FictitiousPerson(
            self._next_dni(),
            dice.pick(self._words["given"]),
            self._surname(),
            self._second_surname(),
            island,
        )

    def _foreigner(self, island: str) -> FictitiousPerson:
        dice = self._dice
        prefix = dice.pick(_NIE_LETTERS)
        self._nie[prefix] += dice.between(1, self._stride)
        return FictitiousPerson(
            nie(prefix, self._nie[prefix]),
            dice.pick(self._words["given_foreign"]),
            dice.pick(self._words["surnames_foreign"]),
            dice.pick(self._words["surnames_foreign"]) if dice.chance(0.2) else "",
            island,
        )

    def _next_dni(self) -> str:
        if self._dice.chance(_SHARE_OF_LEADING_ZERO):
            self._zero += self._dice.between(1, self._stride)
            return dni(self._zero)
        self._dni += self._dice.between(1, self._stride)
        return dni(self._dni)

    def _surname(self) -> str:
        return self._dice.pick(self._words[self._surnames.draw(self._dice)])

    def _second_surname(self) -> str:
        if self._dice.chance(0.015):
            return ""
        particle = "i " if self._dice.chance(0.03) else ""
        return particle + self._surname()
