"""What a plan finds doubtful where the registry reads well: names that no page would show, one person with two ids."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from sealtool.canonical import decision_fingerprint, key_of, person_from_json
from sealtool.ledger import IssuedCertificate
from sealtool.model import Decision, Person, PersonId, Problem


@dataclass(frozen=True, slots=True)
class Printing:
    """What can be told of a name before it is printed.

    Attributes:
        unprintable: the characters of a text that the certificate's fonts cannot print.
        trial: why the pages of a decision's certificate would not show it as it is, in a sentence or two; empty where
            they would.
    """

    unprintable: Callable[[str], tuple[str, ...]]
    trial: Callable[[Decision], str]


def unprintable_names(decisions: Iterable[Decision], printing: Printing) -> Iterator[tuple[str, Problem]]:
    """Names that would not come out as they are: an empty box on a sealed document misnames somebody."""
    sound: dict[PersonId, bool] = {}
    for decision in decisions:
        person = decision.person
        if person.person_id not in sound:
            gaps = list(_gaps(person, printing))
            sound[person.person_id] = not gaps
            yield from ((person.person_id, gap) for gap in gaps)
        if sound[person.person_id] and (why := printing.trial(decision)):
            sound[person.person_id] = False
            yield person.person_id, _misprinted_name(decision, why)


def _gaps(person: Person, printing: Printing) -> Iterator[Problem]:
    for column, value in _names(person):
        if missing := printing.unprintable(value):
            yield _unprintable_name(person, column, value, missing)


def known_by_another_id(
    decisions: Collection[Decision],
    perhaps_lost: Iterable[IssuedCertificate],
    is_supported: Callable[[IssuedCertificate], bool],
) -> Iterator[tuple[str, Problem]]:
    """Decisions that may repeat a certificate which the registry does not support any more, of somebody so called.

    A NIE becomes a DNI one day, and with it a name may get other accents or a second surname: to issue anew would
    double the certificate.
    """
    bare = cache(_bare)

    def bare_name(person: Person) -> tuple[str, ...]:
        return tuple(bare(name) for _, name in _names(person))

    wanted = {key_of(decision)[1:] for decision in decisions}
    by_name_and_level: dict[tuple[object, ...], list[IssuedCertificate]] = {}
    for one in perhaps_lost:
        if (one.level, one.area) in wanted:
            name = bare_name(person_from_json(one.decision["person"]))
            by_name_and_level.setdefault((name[:2], one.level, one.area), []).append(one)
    for decision in decisions if by_name_and_level else ():
        person, (_, level, area) = decision.person, key_of(decision)
        name = bare_name(person)
        for one in by_name_and_level.get((name[:2], level, area), ()):
            theirs = person_from_json(one.decision["person"])
            is_alike = (
                bare_name(theirs) == name or decision_fingerprint(replace(decision, person=theirs)) == one.fingerprint
            )
            if is_alike and not is_supported(one):
                yield person.person_id, _other_id(person, one)


def perhaps_one_person(to_be_made: Collection[Decision], decisions: Iterable[Decision]) -> Iterator[Problem]:
    """What is to be certified although, on the same evidence, it is decided of somebody of one name with another id.

    It is no more than a warning: two people of one name may have passed one test.

    Args:
        to_be_made: what is to be certified; each is one of the others, too.
        decisions: all, also those that are certified already.
    """
    alike: dict[tuple[str, date], list[Decision]] = {}
    for one in decisions if to_be_made else ():
        alike.setdefault((one.person.full_name, one.accredited_on), []).append(one)
    told: set[PersonId] = set()
    for decision in to_be_made:
        person = decision.person
        others = [
            one.person
            for one in alike[person.full_name, decision.accredited_on]
            if one.person.person_id != person.person_id and (one.level, one.areas) == (decision.level, decision.areas)
        ]
        if others and person.person_id not in told:
            told.add(person.person_id)
            yield _perhaps_the_same(decision, others[0])


def _perhaps_the_same(decision: Decision, other: Person) -> Problem:
    return Problem(
        file="people.csv",
        line=decision.person.line,
        column="person_id",
        value=decision.person.person_id,
        message=f"Somebody else of this name, {other.person_id} on line {other.line}, has {decision.level} since the "
        "same day, on the same evidence. If this is one person with two ids, one of the two certificates is one too "
        "many: take one of the ids out of the registry before they are issued.",
    )


def _bare(name: str) -> str:
    """A name without case, accents, spaces and marks: two offices may write them otherwise."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", name).casefold() if mark.isalpha())


def _other_id(person: Person, one: IssuedCertificate) -> Problem:
    return Problem(
        file="people.csv",
        line=person.line,
        column="person_id",
        value=person.person_id,
        message=f"The certificate {one.certificate_id} is what would be issued here, or one like it with another id: "
        f"{one.person_id}, for whom the registry does not support it any more. If this is the same person, a second "
        "certificate would double the first: revoke that one, and the next run issues it with the new id. If these are "
        "two people, uphold that one: `reissue` with its day as --accredited-on, and --again.",
    )


def _names(person: Person) -> tuple[tuple[str, str], ...]:
    return (
        ("given_name", person.given_name),
        ("first_surname", person.first_surname),
        ("second_surname", person.second_surname),
    )


def _unprintable_name(person: Person, column: str, value: str, missing: tuple[str, ...]) -> Problem:
    characters = ", ".join(f"'{character}' (U+{ord(character):04X})" for character in missing)
    return Problem(
        file="people.csv",
        line=person.line,
        column=column,
        value=value,
        message=f"The certificate's fonts have no glyph for {characters}, so the name would be printed with gaps. "
        "Ask for the name in Latin letters, or configure fonts that have these characters.",
    )


def _misprinted_name(decision: Decision, why: str) -> Problem:
    def is_likelier(part: tuple[str, str]) -> tuple[bool, int]:
        return any(map(unicodedata.combining, part[1])), len(part[1])

    column, value = max(_names(decision.person), key=is_likelier)
    return Problem(
        file="people.csv",
        line=decision.person.line,
        column=column,
        value=value,
        message=f"The name cannot be printed as it stands: a certificate of {decision.level} was made for trial. {why} "
        "Have the name written in a shorter or plainer way, or give the templates more room.",
    )
