"""The collector of cycles leaves values alone that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from sealtool.collecting import values_that_stay


@pytest.fixture(autouse=True)
def _nothing_set_apart() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_the_collector_rests_while_they_are_made_and_leaves_them_alone_afterwards() -> None:
    with values_that_stay():
        with values_that_stay():
            assert not gc.isenabled()
        assert not gc.isenabled()
        made: list[list[int]] = [[] for _ in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(made)


def test_what_was_set_apart_is_searched_again_when_the_next_are_made() -> None:
    with values_that_stay():
        pass
    with values_that_stay():
        assert gc.get_freeze_count() == 0


def test_where_there_is_no_collector_none_is_started() -> None:
    gc.disable()
    try:
        with values_that_stay():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
