"""A short, repeatable search for exports that the reader does not survive; the long one is tests/fuzz."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealtool.model import DirectGrant
from tests.unit.registry import hostile_exports as hostile

_SHORT = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}


def test_the_sound_export_has_no_problem() -> None:
    registry = hostile.read_sound()
    assert len(registry.records) == 6
    assert (registry.problems, registry.warnings) == ((), ())


@given(files=hostile.arbitrary_files, options=hostile.options)
@settings(max_examples=100, **_SHORT)
def test_arbitrary_bytes_are_read_or_refused(files: dict[str, bytes], options: Any) -> None:
    hostile.check_invariants(hostile.read(files, options))


@given(files=hostile.mutated_files(), options=hostile.options)
@settings(max_examples=80, **_SHORT)
def test_damaged_exports_are_read_or_refused(files: dict[str, bytes], options: Any) -> None:
    hostile.check_invariants(hostile.read(files, options))


@given(change=hostile.one_broken_row())
@settings(max_examples=50, **_SHORT)
def test_one_broken_row_never_changes_the_records_of_others(change: tuple[str, list[str], list[str]]) -> None:
    hostile.check_that_others_are_untouched(*change)


@given(st.sampled_from(["people.csv", "training.csv", "accreditations.csv"]), st.data())
@settings(max_examples=20, **_SHORT)
def test_repeating_any_row_changes_no_record(name: str, data: st.DataObject) -> None:
    rows = {file: list(lines) for file, lines in hostile.SOUND.items()}
    rows[name].append(data.draw(st.sampled_from(rows[name][1:])))
    after = hostile.read({file: hostile.as_csv(lines) for file, lines in rows.items()})
    assert after.records == hostile.read_sound().records


@pytest.mark.parametrize(
    "name", ["people.csv", pytest.param("training.csv", marks=pytest.mark.long), "accreditations.csv"]
)
def test_a_file_cut_anywhere_never_gives_a_record_of_what_was_not_there(name: str) -> None:
    files = {file: hostile.as_csv(rows) for file, rows in hostile.SOUND.items()}
    before = hostile.read_sound().records
    last_row = files[name].rstrip(b"\n").rindex(b"\n")
    for at in [*range(0, last_row, 97), *range(last_row, len(files[name]))]:
        registry = hostile.read({**files, name: files[name][:at]})
        hostile.check_invariants(registry)
        for person_id, record in ({} if registry is None else registry.records).items():
            assert record.person == before[person_id].person
            assert {_decisive(one) for one in record.grants} <= {_decisive(one) for one in before[person_id].grants}
            assert set(record.participations) <= set(before[person_id].participations)


def _decisive(grant: DirectGrant) -> tuple[object, ...]:
    return (grant.level, grant.area, grant.procedure, grant.granted_on)
