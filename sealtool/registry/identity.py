"""DNI and NIE: their canonical form, and whom a broken one may mean."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sealtool.model import PersonId
from sealtool.person_ids import canonical_id, compact_id
from sealtool.registry.cells import CellFault, required

# the remainder of the number divided by 23 picks the control letter
_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_NIE_DIGITS: Final = str.maketrans("XYZ", "012")
_WHOLE: Final = re.compile(r"(?P<number>[0-9XYZ][0-9]{7})(?P<letter>[A-Z])")
_FULL_LENGTH: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[XYZxyz][ .-]?)?(?:[0-9]\.?){7,8}[ .-]?[A-Za-z](?![0-9A-Za-z])", re.ASCII
)
"""What may be an id in the middle of other text: nothing that would have to be padded."""


def parse_person_id(text: str) -> PersonId:
    """The canonical form: nine characters, upper case, leading zeros given back.

    Raises:
        CellFault: it is empty, has another shape, or the wrong letter.
    """
    match = _WHOLE.fullmatch(canonical_id(required(text)))
    if match is None:
        raise CellFault("is neither a DNI (8 digits and a letter) nor a NIE (X, Y or Z, 7 digits and a letter)")
    number = match["number"]
    letter = _LETTERS[int(number.translate(_NIE_DIGITS)) % len(_LETTERS)]
    if letter != match["letter"]:
        raise CellFault(f"does not add up: the control letter of {number} is {letter}")
    return PersonId(f"{number}{letter}")


def lost_zeros(text: str, person_id: PersonId) -> bool:
    """Whether leading zeros had to be given back, which spreadsheets take away."""
    return text != person_id and len(compact_id(text)) < len(person_id)


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
