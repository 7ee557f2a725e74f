"""A long search for exports that the reader does not survive (`make fuzz`)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.unit.registry import hostile_exports as hostile

pytestmark = pytest.mark.fuzz


_LONG = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}


@given(files=hostile.arbitrary_files, options=hostile.options)
@settings(max_examples=5_000, **_LONG)
def test_arbitrary_bytes_are_read_or_refused(files: dict[str, bytes], options: Any) -> None:
    hostile.check_invariants(hostile.read(files, options))


@given(files=hostile.mutated_files(), options=hostile.options)
@settings(max_examples=5_000, **_LONG)
def test_damaged_exports_are_read_or_refused(files: dict[str, bytes], options: Any) -> None:
    hostile.check_invariants(hostile.read(files, options))


@given(change=hostile.one_broken_row())
@settings(max_examples=2_000, **_LONG)
def test_one_broken_row_never_changes_the_records_of_others(change: tuple[str, list[str], list[str]]) -> None:
    hostile.check_that_others_are_untouched(*change)
