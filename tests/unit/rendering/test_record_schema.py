"""The record inside a certificate is of the published schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from sealtool.model import Area, CertificateOrder, Language, Level, Procedure
from sealtool.rendering import certificate_record

OrderFactory = Callable[..., CertificateOrder]
SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "schemas" / "record-1.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA, format_checker=FormatChecker())


@pytest.mark.parametrize(
    "kind",
    [
        {"level": Level.A1, "procedures": (Procedure.TRAINING,)},
        {"level": Level.C1, "procedures": tuple(Procedure)},
        {"level": Level.C2, "area": Area.ASSESSMENT_AND_FEEDBACK},
        {"languages": (Language.SPANISH,), "person_id": "X1234567L"},
    ],
)
def test_a_record_is_of_its_schema(
    validator: Draft202012Validator, make_order: OrderFactory, kind: dict[str, Any]
) -> None:
    validator.validate(json.loads(certificate_record(make_order(**kind))))


def test_the_schema_knows_every_level_procedure_and_language() -> None:
    assert SCHEMA["properties"]["level"]["enum"] == list(Level)
    assert SCHEMA["$defs"]["procedure"]["enum"] == list(Procedure)
    assert SCHEMA["properties"]["languages"]["items"]["enum"] == list(Language)


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_a_record_without_one_of_its_parts_is_not_of_the_schema(
    validator: Draft202012Validator, make_order: OrderFactory, key: str
) -> None:
    record = json.loads(certificate_record(make_order()))
    del record[key]
    assert not validator.is_valid(record)


def test_a_record_with_a_part_that_nobody_knows_is_not_of_the_schema(
    validator: Draft202012Validator, make_order: OrderFactory
) -> None:
    record = json.loads(certificate_record(make_order()))
    record["person"]["telephone"] = "971 000 000"
    assert not validator.is_valid(record)
