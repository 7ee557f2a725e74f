"""A long search for exports that the reader does not survive (`make fuzz`)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

pytestmark = pytest.mark.fuzz


def _load() -> ModuleType:
    # the test folders are no packages
    path = Path(__file__).parents[1] / "unit" / "registry" / "hostile_exports.py"
    spec = importlib.util.spec_from_file_location("hostile_exports_long", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hostile: Any = _load()
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
