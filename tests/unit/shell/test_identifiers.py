import os
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealtool.identifiers import (
    _check_character,
    is_run_id,
    new_certificate_id,
    new_run_id,
    parse_certificate_id,
    start_of_run,
)

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SEEDS = st.integers(0, 2**32)


def made_from(seed: int) -> str:
    return new_certificate_id(random.Random(seed).randbytes)  # noqa: S311 - repeatable on purpose


def test_the_check_character_is_that_of_iso_7064_mod_37_36() -> None:
    # A12425GABC1234002 with the check character M is the worked example of the Global Release Identifier standard
    assert parse_certificate_id("A1242-5GABC-12340-02M") is None  # of another length
    assert _check_character("A12425GABC1234002") == "M"


@settings(derandomize=True, max_examples=50, deadline=None)
@given(SEEDS)
def test_an_id_is_four_groups_of_five_and_parses_to_itself(seed: int) -> None:
    certificate_id = made_from(seed)
    assert re.fullmatch(r"([0-9A-Z]{5}-){3}[0-9A-Z]{5}", certificate_id)
    assert parse_certificate_id(certificate_id) == certificate_id


@settings(derandomize=True, max_examples=50, deadline=None)
@given(SEEDS, st.integers(0, 19), st.sampled_from(CHARACTERS))
def test_any_single_mistyped_character_is_noticed(seed: int, place: int, other: str) -> None:
    compact = made_from(seed).replace("-", "")
    mistyped = compact[:place] + other + compact[place + 1 :]
    assert (parse_certificate_id(mistyped) is None) == (mistyped != compact)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(SEEDS, st.integers(0, 18))
def test_neighbours_that_changed_places_are_noticed(seed: int, place: int) -> None:
    compact = made_from(seed).replace("-", "")
    swapped = compact[:place] + compact[place + 1] + compact[place] + compact[place + 2 :]
    assert (parse_certificate_id(swapped) is None) == (swapped != compact)


@pytest.mark.parametrize("form", [str.lower, lambda one: one.replace("-", ""), lambda one: one.replace("-", " ")])
def test_people_may_type_an_id_as_they_like(form: object) -> None:
    certificate_id = made_from(1)
    assert callable(form)
    assert parse_certificate_id(form(certificate_id)) == certificate_id


def test_ids_do_not_repeat() -> None:
    assert len({new_certificate_id(os.urandom) for _ in range(1000)}) == 1000


@settings(derandomize=True, max_examples=50, deadline=None)
@given(SEEDS)
def test_no_character_of_an_id_is_mistaken_for_another_on_the_telephone(seed: int) -> None:
    assert not set(made_from(seed)) & set("ILOU")


def test_run_ids_sort_by_time() -> None:
    now = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    ids = [new_run_id(now + timedelta(seconds=seconds), os.urandom) for seconds in range(3)]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    "text", ["20260302T030405Z-00000", "20260302T030405Z-000000.valide", "valide", "", "２0260302T030405Z-000000"]
)
def test_what_is_no_run_id_is_not_taken_for_one(text: str) -> None:
    assert is_run_id(new_run_id(datetime(2026, 3, 2, tzinfo=UTC), os.urandom))
    assert not is_run_id(text)


def test_a_run_id_tells_its_second() -> None:
    now = datetime(2026, 3, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert start_of_run(new_run_id(now, os.urandom)) == now.replace(microsecond=0)
