"""What a run would do: the registry's decisions held against the ledger. Pure; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sealtool.canonical import Key, decision_as_json, decision_fingerprint, key_of, named_decision_as_json
from sealtool.doubts import Printing, known_by_another_id, perhaps_one_person, unprintable_names
from sealtool.errors import UsageError
from sealtool.ledger import CertificateState, IssuedCertificate
from sealtool.model import (
    Area,
    Assessment,
    Decision,
    Level,
    PersonId,
    PersonRecord,
    Problem,
    Registry,
)

SCHEMA: Final = "sealtool.plan/1"

NOTHING: Final = ""
"""In the place of a fingerprint: the registry supported no decision."""

Assess = Callable[[PersonRecord, Iterable[Level]], tuple[Assessment, ...]]


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
    """Those of the registry."""
    perhaps_one_person: tuple[Problem, ...]
    """People to be certified who may have another id besides. Nobody is held for it."""
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
            **problems_as_json(self.held, self.problems, (*self.perhaps_one_person, *self.warnings)),
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
        *unprintable_names(to_be_made, printing),
        *known_by_another_id(to_be_made, perhaps_lost, is_supported),
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
        warnings=registry.warnings,
        perhaps_one_person=tuple(perhaps_one_person(to_be_made, decisions)),
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


def _in_scope(held: Mapping[str, tuple[int, ...]], scope: Scope) -> dict[str, tuple[int, ...]]:
    if scope.people is None:
        return dict(held)
    return {person_id: indices for person_id, indices in held.items() if person_id in scope.people}


def items_of(decision: Mapping[str, Any]) -> dict[str, str]:
    """What a certificate says, flat: one text for each item. The evidence is none of it."""
    areas = {f"area {one['area']}": f"{one['covered_on']} by {one['procedure']}" for one in decision["areas"]}
    procedures = ", ".join(decision["procedures"])
    return {**decision["person"], "accredited_on": decision["accredited_on"], "procedures": procedures, **areas}


def _key_on_record(one: IssuedCertificate) -> Key:
    return (one.person_id, one.level, one.area)


def _order(entry: PlanEntry) -> tuple[str, str, int]:
    person_id, level, area = entry.key
    return (level, person_id, area or 0)
