"""The decision that a certificate certifies, in full, from the record inside it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sealtool.model import Area, CoveredArea, Decision, Level, Person, PersonId, Procedure
from sealtool.verification.content import read_content
from sealtool.verification.layout import read_layout


def certified_decision(content: bytes) -> Decision:
    """What a certificate says, as it was decided; the evidence, which no certificate holds, is empty.

    Args:
        content: of a file that :func:`~sealtool.verification.verify_certificate` has passed. Of another one it may
            raise anything, and nothing that it says may be believed.

    Raises:
        ValueError: the record lacks a part.
    """
    (record,) = read_content(read_layout(content).sealed, -1, lambda _: None).records
    try:
        return _decision(json.loads(record))
    except (KeyError, TypeError) as error:
        raise ValueError(f"the record is not complete ({error})") from error


def _decision(record: dict[str, Any]) -> Decision:
    person = record["person"]
    return Decision(
        person=Person(
            PersonId(person["person_id"]), person["given_name"], person["first_surname"], person["second_surname"]
        ),
        level=Level(record["level"]),
        area=None if record["area"] is None else Area(record["area"]),
        accredited_on=date.fromisoformat(record["accredited_on"]),
        procedures=tuple(map(Procedure, record["procedures"])),
        areas=tuple(
            CoveredArea(Area(one["area"]), date.fromisoformat(one["covered_on"]), Procedure(one["procedure"]))
            for one in record["areas"]
        ),
        rules_version=record["rules_version"],
    )
