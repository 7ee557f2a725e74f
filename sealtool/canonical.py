"""Canonical JSON, and the domain's values in it: the form that is hashed, chained, sealed and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sealtool.model import Area, CoveredArea, Decision, Level, Person, PersonId, Procedure

Key = tuple[str, str, int | None]
"""Person id, level and C2 area: what may have one certificate."""

# json.dumps would make one of these for each call
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: object) -> str:
    """One text for one value: keys sorted, no insignificant white space, no escapes but JSON's own.

    Raises:
        ValueError: for NaN and infinities, which JSON does not know.
        TypeError: for values that are not JSON's.
    """
    return _CANONICAL.encode(value)


def sha256_hex(content: bytes | str) -> str:
    """SHA-256 in lower-case hexadecimal; text is hashed as UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def person_as_json(person: Person) -> dict[str, str]:
    """The person as a certificate names them."""
    return {
        "person_id": person.person_id,
        "given_name": person.given_name,
        "first_surname": person.first_surname,
        "second_surname": person.second_surname,
    }


def decision_as_json(decision: Decision) -> dict[str, Any]:
    """The decision as ``plan --json`` shows it, without the action."""
    return {
        "person_id": decision.person.person_id,
        "level": str(decision.level),
        "area": None if decision.area is None else int(decision.area),
        "accredited_on": decision.accredited_on.isoformat(),
        "procedures": [str(procedure) for procedure in decision.procedures],
        "areas": [
            {
                "area": int(covered.area),
                "covered_on": covered.covered_on.isoformat(),
                "procedure": str(covered.procedure),
                "evidence": list(covered.evidence),
            }
            for covered in decision.areas
        ],
    }


def named_decision_as_json(decision: Decision) -> dict[str, Any]:
    """The decision as the ledger keeps it: with the person as ``person``."""
    return {**decision_as_json(decision), "person": person_as_json(decision.person)}


def person_from_json(person: Mapping[str, str]) -> Person:
    """:func:`person_as_json`, read back."""
    names = (person["given_name"], person["first_surname"], person["second_surname"])
    return Person(PersonId(person["person_id"]), *names)


def decision_from_json(facts: Mapping[str, Any], rules_version: str) -> Decision:
    """:func:`named_decision_as_json`, read back."""
    return Decision(
        person=person_from_json(facts["person"]),
        level=Level(facts["level"]),
        area=None if facts["area"] is None else Area(facts["area"]),
        accredited_on=date.fromisoformat(facts["accredited_on"]),
        procedures=tuple(map(Procedure, facts["procedures"])),
        areas=tuple(
            CoveredArea(
                Area(one["area"]),
                date.fromisoformat(one["covered_on"]),
                Procedure(one["procedure"]),
                tuple(one["evidence"]),
            )
            for one in facts["areas"]
        ),
        rules_version=rules_version,
    )


def key_of(decision: Decision) -> Key:
    """What a decision is about."""
    return (decision.person.person_id, str(decision.level), None if decision.area is None else int(decision.area))


def decision_fingerprint(decision: Decision) -> str:
    """SHA-256 over all that a certificate certifies: who, what, when and how.

    Two decisions with the same fingerprint would yield the same certificate. The evidence and the version
    of the rules are left out: a certificate stays right when another activity turns out to support it.
    """
    facts = named_decision_as_json(decision)
    for covered in facts["areas"]:
        del covered["evidence"]
    return sha256_hex(canonical_json(facts))
