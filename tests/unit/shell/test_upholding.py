"""What a reissued certificate says: the registry's word, and what was upheld against it."""

from dataclasses import replace
from datetime import date

import pytest

from sealtool.canonical import decision_fingerprint, decision_from_json, named_decision_as_json
from sealtool.model import Area, CoveredArea, Decision, Level, Person, PersonId, Procedure
from sealtool.planning import NOTHING
from sealtool.upholding import Upheld, content_of

PERSON = Person(PersonId("10000000P"), "Aina", "Fictícia", "i Nova")
EARLY, MIDDLE, LATE = date(2025, 1, 10), date(2025, 2, 10), date(2025, 3, 10)
REGISTRY = Decision(
    person=PERSON,
    level=Level.B1,
    area=None,
    accredited_on=LATE,
    procedures=(Procedure.TRAINING, Procedure.TEST),
    areas=tuple(
        CoveredArea(area, day, Procedure.TRAINING, ("ACT-1",))
        for area, day in zip(Area, (EARLY, EARLY, MIDDLE, MIDDLE, LATE, LATE), strict=True)
    ),
    rules_version="2025-10-27",
)
RECORDED = replace(REGISTRY, person=replace(PERSON, given_name="Ana"))


def days(decision: Decision) -> list[date]:
    return [covered.covered_on for covered in decision.areas]


def test_where_nothing_was_upheld_the_registry_is_certified() -> None:
    content = content_of(REGISTRY, PERSON, RECORDED, Upheld())
    assert content is not None
    assert (content.decision, content.upheld, content.overruled) == (REGISTRY, (), None)


def test_an_earlier_day_moves_every_area_that_would_be_later() -> None:
    content = content_of(REGISTRY, PERSON, RECORDED, Upheld(accredited_on=date(2025, 2, 1)))
    assert content is not None
    assert content.decision.accredited_on == date(2025, 2, 1)
    assert days(content.decision) == [EARLY, EARLY, *[date(2025, 2, 1)] * 4]
    assert (content.upheld, content.overruled) == (("accredited_on",), decision_fingerprint(REGISTRY))


def test_a_later_day_moves_the_areas_obtained_last_and_no_other() -> None:
    content = content_of(REGISTRY, PERSON, RECORDED, Upheld(accredited_on=date(2025, 4, 1)))
    assert content is not None
    assert days(content.decision) == [EARLY, EARLY, MIDDLE, MIDDLE, *[date(2025, 4, 1)] * 2]


@pytest.mark.parametrize("day", [EARLY, date(2024, 12, 31), MIDDLE, date(2025, 4, 1)])
def test_the_day_of_the_level_is_always_the_day_of_its_last_area(day: date) -> None:
    content = content_of(REGISTRY, PERSON, RECORDED, Upheld(accredited_on=day))
    assert content is not None
    assert max(days(content.decision)) == content.decision.accredited_on == day


def test_what_the_registry_says_anyway_was_not_upheld_against_it() -> None:
    content = content_of(REGISTRY, PERSON, RECORDED, Upheld(accredited_on=LATE, given_name="Aina"))
    assert content is not None
    assert (content.upheld, content.overruled) == ((), None)


def test_without_the_registry_only_a_day_upholds_a_level() -> None:
    assert content_of(None, PERSON, RECORDED, Upheld(given_name="Aina")) is None
    content = content_of(None, PERSON, RECORDED, Upheld(accredited_on=LATE))
    assert content is not None
    assert content.decision == replace(RECORDED, person=PERSON)
    assert (content.upheld, content.overruled) == (("accredited_on",), NOTHING)


def test_an_upheld_name_may_take_a_surname_away() -> None:
    content = content_of(REGISTRY, PERSON, RECORDED, Upheld(second_surname=""))
    assert content is not None
    assert content.decision.person.full_name == "Aina Fictícia"
    assert content.upheld == ("second_surname",)


def test_a_decision_is_read_back_as_it_was_written() -> None:
    facts = named_decision_as_json(REGISTRY)
    assert decision_from_json(facts, "2025-10-27") == REGISTRY
    c2 = replace(REGISTRY, level=Level.C2, area=Area(3), areas=REGISTRY.areas[2:3], accredited_on=MIDDLE)
    facts = named_decision_as_json(c2)
    assert decision_from_json(facts, "2025-10-27") == c2
