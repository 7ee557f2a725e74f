"""What stays on record for ever names nobody."""

import pytest

from sealtool.discretion import insist_on_discretion, insist_on_sound_texts
from sealtool.errors import UsageError
from sealtool.model import Person, PersonId

HOLDER = Person(PersonId("12345678Z"), "Maria del Mar", "Gómez", "de la Peña")
FOREIGNER = Person(PersonId("X0012345R"), "Zoë", "Li")


def refused(text: str, person: Person = HOLDER) -> bool:
    try:
        insist_on_discretion({"--reason": text}, [person], officials={})
    except UsageError as error:
        return text not in error.message
    return False


@pytest.mark.parametrize(
    "text",
    [
        "12345678Z",
        "about 12.345.678-z",
        "number 12 345 678",
        "of 99999999R, who is somebody else",
        "X1234567L",
        "the case of Gómez",
        "the case of GOMEZ",
        "Peña's appeal",
        "asked by maria",
        "mar is a name here",
    ],
)
def test_numbers_and_names_are_refused_however_they_are_written(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "Resolució de la Comissió del 27 d'octubre",
        "GOIB-E-2026/1234567",
        "Marvellous gomezian margin",
        "wrong area: 1234 hours",
        "7K3M9-PQ2XA-0DV4T-8HJ5C was issued on a wrong row",
    ],
)
def test_other_words_and_numbers_are_not(text: str) -> None:
    assert not refused(text)


def test_a_number_without_the_zeros_that_spreadsheets_eat_is_noticed_where_it_is_long_enough() -> None:
    assert refused("row of 12345", replace_id("00123456A")) is False
    assert refused("row of 123456", replace_id("00123456A"))


def replace_id(person_id: str) -> Person:
    return Person(PersonId(person_id), "Bel", "Bosch")


def test_names_too_short_to_tell_anything_are_let_through() -> None:
    assert not refused("what li said", FOREIGNER)
    assert refused("what zoe said", FOREIGNER)


def test_an_official_may_share_part_of_the_name_but_not_all_of_it() -> None:
    insist_on_discretion({}, [HOLDER], officials={"--by": "Maria Gómez"})
    with pytest.raises(UsageError, match="the name of the holder"):
        insist_on_discretion({}, [HOLDER], officials={"--by": "Maria del Mar Gomez de la Pena"})
    with pytest.raises(UsageError, match="DNI"):
        insist_on_discretion({}, [HOLDER], officials={"--by": "12345678Z"})


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\u2028b", "a\u202eb", "x" * 501])
def test_a_text_is_one_readable_line(text: str) -> None:
    with pytest.raises(UsageError, match="--reason"):
        insist_on_sound_texts({"--reason": text})


def test_the_longest_text_is_taken() -> None:
    insist_on_sound_texts({"--reason": "x" * 500})
