"""DNI and NIE: their canonical form, and whom a broken one may mean."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sealtool.model import PersonId
from sealtool.registry.cells import CellFault, required

# the remainder of the number divided by 23 picks the control letter
_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_NIE_DIGIT: Final = {"X": "0", "Y": "1", "Z": "2"}
_SHAPE: Final = re.compile(r"(?P<prefix>[XYZ]?)(?P<number>[0-9]{1,8})(?P<letter>[A-Z])")
_SEPARATORS: Final = re.compile(r"[\s.-]")
_FULL_LENGTH: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[XYZxyz][ .-]?)?(?:[0-9]\.?){7,8}[ .-]?[A-Za-z](?![0-9A-Za-z])", re.ASCII
)
"""What may be an id in the middle of other text: nothing that would have to be padded."""


def _compact(text: str) -> str:
    bare = _SEPARATORS.sub("", text)
    # upper() turns some letters of other alphabets into A to Z; those are no part of an id
    return bare.upper() if bare.isascii() else bare


def parse_person_id(text: str) -> PersonId:
    """The canonical form: nine characters, upper case, leading zeros given back.

    Raises:
        CellFault: it is empty, has another shape, or the wrong letter.
    """
    compact = _compact(required(text))
    match = _SHAPE.fullmatch(compact)
    digits = 7 if match and match["prefix"] else 8
    if match is None or len(match["number"]) > digits:
        raise CellFault("is neither a DNI (8 digits and a letter) nor a NIE (X, Y or Z, 7 digits and a letter)")
    number = match["number"].zfill(digits)
    letter = _LETTERS[int(_NIE_DIGIT.get(match["prefix"], "") + number) % len(_LETTERS)]
    if letter != match["letter"]:
        raise CellFault(f"does not add up: the control letter of {match['prefix']}{number} is {letter}")
    return PersonId(f"{match['prefix']}{number}{letter}")


def lost_zeros(text: str, person_id: PersonId) -> bool:
    """Whether leading zeros had to be given back, which spreadsheets take away."""
    return text != person_id and len(_compact(text)) < len(person_id)


def digits_of(text: str) -> str:
    """The number in a text, without leading zeros: what a wrong or lost letter leaves intact.

    Empty where there is no digit at all.
    """
    number = "".join(filter(str.isdigit, text if text.isascii() else unicodedata.normalize("NFKC", text)))
    if not number.isascii():
        number = "".join(str(unicodedata.digit(mark)) for mark in number)
    return number.lstrip("0") or number[:1]


def ids_within(text: str) -> tuple[PersonId, ...]:
    """Every sound id that stands somewhere in a text at its full length."""
    found = []
    for candidate in _FULL_LENGTH.findall(text):
        try:
            person_id = parse_person_id(candidate)
        except CellFault:
            continue
        if not lost_zeros(candidate, person_id):
            found.append(person_id)
    return tuple(found)
