"""The record inside a certificate: JSON of the schema ``sealtool.record/1``, read strictly."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from sealtool.model import CertifiedArea, CertifiedFacts, Level, Procedure
from sealtool.verification.reasons import Objection, ReasonCode

RECORD_SCHEMA = "sealtool.record/1"
MAX_RECORD_BYTES = 256 * 1024
_AREAS = range(1, 7)


def read_record(records: tuple[bytes, ...]) -> CertifiedFacts:
    """What the certificate certifies.

    Raises:
        Objection: RECORD_MISSING, RECORD_AMBIGUOUS or RECORD_UNREADABLE.
    """
    if not records:
        raise Objection(ReasonCode.RECORD_MISSING)
    if len(records) > 1:
        raise Objection(ReasonCode.RECORD_AMBIGUOUS)
    if len(records[0]) > MAX_RECORD_BYTES:
        raise _unreadable("it is too long")
    try:
        record = json.loads(records[0].decode("utf-8"), object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _unreadable("it is not JSON in UTF-8 with every key once") from error
    if not isinstance(record, dict) or record.get("schema") != RECORD_SCHEMA:
        raise _unreadable(f"it does not say that it is {RECORD_SCHEMA}")
    return _facts(record)


def _facts(record: dict[str, Any]) -> CertifiedFacts:
    level, area, person = record.get("level"), record.get("area"), record.get("person")
    if level not in {known.value for known in Level}:
        raise _unreadable("its level is none of the framework")
    if area is not None and (type(area) is not int or area not in _AREAS):
        raise _unreadable("its area is none of the framework")
    if not isinstance(person, dict):
        raise _unreadable("it names nobody")
    names = [_text(person, key) for key in ("given_name", "first_surname")]
    second = person.get("second_surname", "")
    if not isinstance(second, str):
        raise _unreadable("second_surname is not text")
    return CertifiedFacts(
        certificate_id=_text(record, "certificate_id"),
        level=str(level),
        area=area,
        person_id=_text(person, "person_id"),
        full_name=" ".join(name for name in (*names, second) if name),
        accredited_on=_day(record, "accredited_on"),
        issued_on=_day(record, "issued_on"),
        procedures=tuple(_procedure(each) for each in _list(record, "procedures")),
        areas=tuple(map(_area, _list(record, "areas"))),
        rules_version=_text(record, "rules_version"),
        replaces=None if "replaces" not in record else _text(record, "replaces"),
    )


def _area(entry: Any) -> CertifiedArea:
    if not isinstance(entry, dict):
        raise _unreadable("one of its areas is none")
    number = entry.get("area")
    if type(number) is not int or number not in _AREAS:
        raise _unreadable("one of its areas is none of the framework")
    return CertifiedArea(number, _day(entry, "covered_on"), _procedure(entry.get("procedure")))


def _procedure(value: Any) -> str:
    if not isinstance(value, str) or value not in set(Procedure):
        raise _unreadable("one of its procedures is none of the rules")
    return str(value)


def _list(values: dict[str, Any], key: str) -> list[Any]:
    value = values.get(key)
    if not isinstance(value, list) or not 0 < len(value) <= len(_AREAS):
        raise _unreadable(f"{key} is missing, or no list of one to six")
    return value


def _unreadable(why: str) -> Objection:
    return Objection(ReasonCode.RECORD_UNREADABLE, f"What is wrong: {why}.")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise _unreadable(f"{key} is missing or not text")
    return value


def _day(values: dict[str, Any], key: str) -> str:
    value = _text(values, key)
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise _unreadable(f"{key} is not a day") from error
