"""What a certificate is to say anew: what the registry says today, and what was upheld on appeal against it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date

from sealtool.canonical import decision_fingerprint, person_as_json
from sealtool.model import CoveredArea, Decision, Person
from sealtool.planning import NOTHING


@dataclass(frozen=True, slots=True)
class Upheld:
    """What the Commission upheld, given by hand; None for what is left to the registry.

    Attributes:
        accredited_on: the day the level (at C2, the area) was obtained. Where the registry does not support it at all,
            this is what upholds it.
        second_surname: empty for none.
    """

    accredited_on: date | None = None
    given_name: str | None = None
    first_surname: str | None = None
    second_surname: str | None = None

    @property
    def names(self) -> Mapping[str, str]:
        """The parts of the name that were given."""
        parts = ("given_name", "first_surname", "second_surname")
        return {part: value for part in parts if (value := getattr(self, part)) is not None}


@dataclass(frozen=True, slots=True)
class Content:
    """What a certificate is to say.

    Attributes:
        upheld: the items in which it says something else than the registry.
        overruled: fingerprint of what the registry says instead, empty for nothing; None where it says the same.
    """

    decision: Decision
    upheld: tuple[str, ...] = ()
    overruled: str | None = None


def content_of(registry: Decision | None, person: Person, recorded: Decision, upheld: Upheld) -> Content | None:
    """What the certificate is to say, None where nothing supports it.

    Args:
        registry: what the registry supports today; None for nothing.
        person: as the registry names them today, or else as the certificate does.
        recorded: what the certificate says now; its areas stand where the registry has none.
        upheld: what was given by hand.
    """
    if registry is None and upheld.accredited_on is None:
        return None
    base = registry or replace(recorded, person=person)
    decision = replace(base, person=_named(base.person, upheld))
    if upheld.accredited_on is not None:
        decision = _accredited(decision, upheld.accredited_on)
    if registry is not None and decision_fingerprint(registry) == decision_fingerprint(decision):
        return Content(registry)
    named = {part: getattr(person, part) for part in upheld.names}
    items = [part for part, value in upheld.names.items() if named[part] != value]
    if registry is None or registry.accredited_on != decision.accredited_on:
        items.insert(0, "accredited_on")
    return Content(decision, tuple(items), NOTHING if registry is None else decision_fingerprint(registry))


def _named(person: Person, upheld: Upheld) -> Person:
    named = {**person_as_json(person), **upheld.names}
    return Person(person.person_id, named["given_name"], named["first_surname"], named["second_surname"])


def _accredited(decision: Decision, day: date) -> Decision:
    """The decision with another day. A level is accredited on the day of its last area (Annex 1, fifth, 7), so the last
    ones move with it, and none may be later."""
    last = max(covered.covered_on for covered in decision.areas)

    def moved(covered: CoveredArea) -> CoveredArea:
        return covered._replace(covered_on=day) if covered.covered_on == last or covered.covered_on > day else covered

    return replace(decision, accredited_on=day, areas=tuple(map(moved, decision.areas)))


OPTIONS: Mapping[str, str] = {part.name: f"--{part.name.replace('_', '-')}" for part in fields(Upheld)}
"""The option that gives each part."""
