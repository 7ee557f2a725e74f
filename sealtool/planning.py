"""What a run would do: the registry's decisions held against the ledger. Pure; nothing is written here."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sealtool.canonical import decision_as_json, decision_fingerprint, named_decision_as_json, person_from_json
from sealtool.errors import UsageError
from sealtool.ledger import CertificateState, IssuedCertificate
from sealtool.model import (
    Area,
    Assessment,
    Decision,
    Level,
    Person,
    PersonId,
    PersonRecord,
    Problem,
    Registry,
)

SCHEMA: Final = "sealtool.plan/1"

NOTHING: Final = ""
"""In the place of a fingerprint: the registry supported no decision."""

Assess = Callable[[PersonRecord, Iterable[Level]], tuple[Assessment, ...]]
Key = tuple[str, str, int | None]
"""Person id, level and C2 area: what may have one certificate."""


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


class Action(StrEnum):
    """What a run does about a decision."""

    ISSUE = "issue"
    NONE = "none"
    CHANGED = "changed"
    """Issued, but the registry now says otherwise: a human decides on a reissue or a revocation."""
    LOST = "lost"
    """Issued, but the registry no longer supports it: a human decides."""
    REVOKED = "revoked"
    """A human withdrew it, and only a human issues another one, whatever the registry says."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What was asked for.

    Attributes:
        levels: the levels, in order.
        areas: at levels accredited by area, only these; None for all.
        people: only these; None for everybody.
    """

    levels: tuple[Level, ...]
    areas: frozenset[Area] | None = None
    people: frozenset[PersonId] | None = None

    def as_words(self, command: str) -> str:
        """The command and what it was asked for, with nobody named."""
        areas = [f"areas {' '.join(str(int(area)) for area in sorted(self.areas))}"] if self.areas else []
        people = [f"for {len(self.people)} people"] if self.people else []
        return " ".join([command, *self.levels, *areas, *people])

    def covers(self, level: str, area: int | None, person_id: PersonId) -> bool:
        """Whether a decision with these coordinates was asked for."""
        wanted_area = area is None or self.areas is None or area in self.areas
        return level in self.levels and wanted_area and (self.people is None or person_id in self.people)


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A decision and what happens to it. ``decision`` is None for ``lost``, ``on_record`` for a new one."""

    action: Action
    decision: Decision | None
    on_record: IssuedCertificate | None

    @property
    def key(self) -> Key:
        """What the entry is about."""
        if self.decision is not None:
            return key_of(self.decision)
        if self.on_record is None:
            raise AssertionError("an entry is about a decision, or about what is on record")
        return _key_on_record(self.on_record)

    def as_json(self) -> dict[str, Any]:
        """The entry as ``plan --json`` shows it; a lost decision as it was when it was issued."""
        if self.decision is not None:
            facts = decision_as_json(self.decision)
        else:
            facts = {key: value for key, value in self._recorded().items() if key != "person"}
        return {
            **facts,
            "action": str(self.action),
            "certificate_id": None if self.on_record is None else self.on_record.certificate_id,
            **({"upheld": True} if self.action is Action.NONE and self.is_upheld else {}),
            **({"changes": self.changes} if self.action is Action.CHANGED else {}),
        }

    @property
    def is_upheld(self) -> bool:
        """Whether somebody upheld what the certificate says against what the registry said then."""
        return self.on_record is not None and self.on_record.overruled is not None

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What a certificate says, and what it would say now, item by item."""
        if self.decision is None:
            return []
        was = items_of(self._recorded())
        now = items_of(named_decision_as_json(self.decision))
        return [
            {"item": item, "was": was.get(item), "is": now.get(item)}
            for item in {**was, **now}
            if was.get(item) != now.get(item)
        ]

    def _recorded(self) -> Mapping[str, Any]:
        return self.on_record.decision if self.on_record is not None else {}


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run would do, and whom it would leave alone and why."""

    scope: Scope
    entries: tuple[PlanEntry, ...]
    held: Mapping[str, tuple[int, ...]]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    assessments: tuple[tuple[PersonId, Assessment], ...]
    people: int
    """How many people were looked at."""
    unsupported_reservations: tuple[IssuedCertificate, ...] = ()
    """Ids set aside by a run that was stopped, for decisions that the registry no longer supports."""
    settled: frozenset[Key] = frozenset()
    """What humans decided against the registry: revoked, or upheld. The register keeps it as it is."""

    def having(self, action: Action) -> tuple[PlanEntry, ...]:
        """The entries with that action, in order."""
        return tuple(entry for entry in self.entries if entry.action is action)

    @property
    def open_questions(self) -> dict[str, int]:
        """What a human has to look at, counted."""
        return {
            "problems": len(self.problems),
            "held": len(self.held),
            "changed": len(self.having(Action.CHANGED)),
            "lost": len(self.having(Action.LOST)),
        }

    @property
    def needs_human(self) -> bool:
        """Whether somebody has to look at something before all is well."""
        return any(self.open_questions.values())

    def as_json(self) -> dict[str, Any]:
        """The document of ``plan --json``."""
        return {
            "schema": SCHEMA,
            "decisions": [entry.as_json() for entry in self.entries],
            **problems_as_json(self.held, self.problems, self.warnings),
        }


def make_plan(
    registry: Registry,
    scope: Scope,
    on_record: Iterable[IssuedCertificate],
    *,
    assess: Assess,
    printing: Printing,
) -> Plan:
    """Holds what the registry supports against what the ledger knows.

    Args:
        registry: the export as it was read.
        scope: what was asked for.
        on_record: the newest certificate of each person, level and area.
        assess: the law.
        printing: which names cannot be printed.
    """
    records = [
        record for person_id, record in registry.records.items() if scope.people is None or person_id in scope.people
    ]
    assessments = [(record.person.person_id, one) for record in records for one in assess(record, scope.levels)]
    decisions = [
        decision
        for _, assessment in assessments
        for decision in assessment.decisions
        if scope.covers(decision.level, decision.area, decision.person.person_id)
    ]
    everything: dict[Key, IssuedCertificate] = {_key_on_record(one): one for one in on_record}
    known = {key: one for key, one in everything.items() if scope.covers(one.level, one.area, one.person_id)}
    every = [(decision, _entry(decision, known)) for decision in decisions]
    # Also what a stopped run reserved: since then the registry, the fonts or the templates may have changed.
    to_be_made = [decision for decision, entry in every if entry.action is Action.ISSUE]
    decided = {key_of(decision) for decision in decisions}

    def is_supported(one: IssuedCertificate) -> bool:
        record = registry.records.get(PersonId(one.person_id))
        found = () if record is None else assess(record, [Level(one.level)])
        return any(_key_on_record(one) == key_of(decision) for each in found for decision in each.decisions)

    # Of people whom nobody asked for, the registry is only looked up where a name is the same.
    perhaps_lost = [
        one
        for key, one in everything.items()
        if key not in decided and _is_lost(one) and one.person_id not in registry.held
    ]
    doubts = [
        *_unprintable_names(to_be_made, printing),
        *_known_by_another_id(to_be_made, perhaps_lost, is_supported),
    ]
    held, problems = _hold(registry, doubts)
    entries = [entry for decision, entry in every if decision.person.person_id not in held]
    unsupported = [one for key, one in known.items() if key not in decided and one.person_id not in held]
    entries += [PlanEntry(Action.LOST, None, one) for one in unsupported if _is_lost(one)]
    return Plan(
        scope=scope,
        entries=tuple(sorted(entries, key=_order)),
        held=_in_scope(held, scope),
        problems=problems,
        warnings=(*_perhaps_one_person(every), *registry.warnings),
        assessments=tuple(pair for pair in assessments if pair[0] not in held),
        people=len(records),
        unsupported_reservations=tuple(one for one in unsupported if one.state is CertificateState.RESERVED),
        settled=frozenset(key for key, one in everything.items() if _is_settled(one)),
    )


def insist_on_known_people(registry: Registry, scope: Scope, on_record: Iterable[IssuedCertificate]) -> None:
    """Makes sure that whoever was asked for by id exists: a mistyped id must not look like a person without levels.

    Raises:
        UsageError: neither the registry nor the ledger knows somebody.
    """
    known = {*registry.records, *registry.held, *(one.person_id for one in on_record)}
    if unknown := sorted((scope.people or frozenset()) - known):
        raise UsageError(
            f"Nobody in the registry has the id {', '.join(unknown)}.", advice="Check the DNI or NIE, with its letter."
        )


def problems_as_json(
    held: Mapping[str, Collection[int]], problems: Collection[Problem], warnings: Collection[Problem]
) -> dict[str, Any]:
    """The part of a JSON document that says whom a run leaves alone, and why."""
    return {
        "held": [{"person_id": person_id, "problems": list(indices)} for person_id, indices in held.items()],
        "problems": [_problem_as_json(problem) for problem in problems],
        "warnings": [_problem_as_json(warning) for warning in warnings],
    }


def _problem_as_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "value": problem.value,
        "message": problem.message,
    }


def _entry(decision: Decision, known: Mapping[Key, IssuedCertificate]) -> PlanEntry:
    on_record = known.get(key_of(decision))
    match on_record and on_record.state:
        case None | CertificateState.RESERVED | CertificateState.SEALED:
            action = Action.ISSUE
        case CertificateState.ISSUED if on_record and not _is_as_decided(on_record, decision_fingerprint(decision)):
            action = Action.CHANGED
        case CertificateState.REVOKED:
            action = Action.REVOKED
        case _:
            action = Action.NONE
    return PlanEntry(action, decision, on_record)


def _is_as_decided(on_record: IssuedCertificate, fingerprint: str) -> bool:
    """Whether the registry says what the certificate says, or what somebody has overruled already."""
    return fingerprint in {on_record.fingerprint, on_record.overruled}


def _is_lost(one: IssuedCertificate) -> bool:
    """Whether nobody has yet decided that it holds although the registry does not support it."""
    return one.state is CertificateState.ISSUED and one.overruled != NOTHING


def _is_settled(one: IssuedCertificate) -> bool:
    return one.state is CertificateState.REVOKED or one.overruled is not None


def _hold(
    registry: Registry, doubts: Iterable[tuple[str, Problem]]
) -> tuple[dict[str, tuple[int, ...]], tuple[Problem, ...]]:
    """Whom the registry holds, and for which problems, with those about whom there is a doubt of the plan's own."""
    held, problems = dict(registry.held), list(registry.problems)
    for person_id, problem in doubts:
        held[person_id] = (*held.get(person_id, ()), len(problems))
        problems.append(problem)
    return dict(sorted(held.items())), tuple(problems)


def _unprintable_names(decisions: Iterable[Decision], printing: Printing) -> Iterator[tuple[str, Problem]]:
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


def _known_by_another_id(
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


def _perhaps_one_person(every: Iterable[tuple[Decision, PlanEntry]]) -> Iterator[Problem]:
    """Certificates that would say, on the same evidence, what that of somebody of one name with another id says.

    It is no more than a warning: two people of one name may have passed one test.
    """
    alike: dict[tuple[str, date], list[tuple[Decision, PlanEntry]]] = {}
    for decision, entry in every:
        alike.setdefault((decision.person.full_name, decision.accredited_on), []).append((decision, entry))
    told: set[PersonId] = set()
    for group in alike.values():
        for decision, entry in group if len(group) > 1 else ():
            others = [
                other
                for other, _ in group
                if other.person.person_id != decision.person.person_id
                and (other.level, other.areas) == (decision.level, decision.areas)
            ]
            if others and entry.action is Action.ISSUE and decision.person.person_id not in told:
                told.add(decision.person.person_id)
                yield _perhaps_the_same(decision, others[0].person)


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


def _in_scope(held: Mapping[str, tuple[int, ...]], scope: Scope) -> dict[str, tuple[int, ...]]:
    if scope.people is None:
        return dict(held)
    return {person_id: indices for person_id, indices in held.items() if person_id in scope.people}


def items_of(decision: Mapping[str, Any]) -> dict[str, str]:
    """What a certificate says, flat: one text for each item. The evidence is none of it."""
    areas = {f"area {one['area']}": f"{one['covered_on']} by {one['procedure']}" for one in decision["areas"]}
    procedures = ", ".join(decision["procedures"])
    return {**decision["person"], "accredited_on": decision["accredited_on"], "procedures": procedures, **areas}


def key_of(decision: Decision) -> Key:
    """What a decision is about."""
    return (decision.person.person_id, str(decision.level), None if decision.area is None else int(decision.area))


def _key_on_record(one: IssuedCertificate) -> Key:
    return (one.person_id, one.level, one.area)


def _order(entry: PlanEntry) -> tuple[str, str, int]:
    person_id, level, area = entry.key
    return (level, person_id, area or 0)
