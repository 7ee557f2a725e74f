"""What a record says about the certificate before it."""

import json
from typing import Any

import pytest

from sealtool.verification.reasons import Objection, ReasonCode
from sealtool.verification.record import read_record

RECORD: dict[str, Any] = {
    "schema": "sealtool.record/1",
    "certificate_id": "7K3M9-PQ2XA-0DV4T-8HJ5C",
    "level": "B1",
    "area": None,
    "accredited_on": "2025-03-12",
    "issued_on": "2025-10-27",
    "procedures": ["test"],
    "areas": [{"area": 1, "covered_on": "2025-03-12", "procedure": "test"}],
    "rules_version": "2025-10-27",
    "person": {"person_id": "10000000Z", "given_name": "Aina", "first_surname": "Fictícia", "second_surname": ""},
}


def read(**more: Any) -> str | None:
    return read_record((json.dumps({**RECORD, **more}).encode(),)).replaces


def test_a_first_certificate_names_none() -> None:
    assert read() is None


def test_the_certificate_that_was_replaced_is_told() -> None:
    assert read(replaces="8K3M9-PQ2XA-0DV4T-8HJ5C") == "8K3M9-PQ2XA-0DV4T-8HJ5C"


@pytest.mark.parametrize("value", [None, "", 7, ["8K3M9"]])
def test_what_is_no_text_makes_the_record_unreadable(value: object) -> None:
    with pytest.raises(Objection) as caught:
        read(replaces=value)
    assert caught.value.code is ReasonCode.RECORD_UNREADABLE
