"""accreditations.csv: what was granted by a procedure other than training."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from sealtool.model import DirectGrant, Framework, PersonId
from sealtool.registry import cells
from sealtool.registry.findings import Findings
from sealtool.registry.parsing import distinct_rows, group_by_person, parse_column, ranks, value_order
from sealtool.registry.people import Roll
from sealtool.registry.rejecting import RowCheck
from sealtool.registry.table import Table


def read_accreditations(
    table: Table, roll: Roll, framework: Framework, day: Callable[[str], date], findings: Findings
) -> dict[PersonId, tuple[DirectGrant, ...]]:
    """Read accreditations.csv; what is wrong with it goes to ``findings``.

    Args:
        table: its cells.
        roll: who is in people.csv.
        framework: whose procedures they are.
        day: reads a date.
        findings: what is wrong is added to them.

    Returns:
        The grants of each person that stand on sound rows, by day, level, area, procedure and reference.
    """
    ids = parse_column(table, "person_id", roll.read_id)
    level = parse_column(table, "level", cells.parse_level)
    area = parse_column(table, "area", cells.parse_area)
    procedure = parse_column(table, "procedure", cells.parse_procedure)
    granted_on = parse_column(table, "granted_on", day)
    reference = parse_column(table, "reference", cells.parse_reference)

    check = RowCheck(table, ids, roll.persons_meant, findings)
    check.reject_misfits(roll.persons_in)
    check.reject_cells([ids, level, area, procedure, granted_on, reference])
    check.reject_unknown_persons(roll.known)
    check.warn_of_lost_zeros()

    readable = np.flatnonzero((level.value_of >= 0) & (procedure.value_of >= 0))
    pairs, pair_of_row = distinct_rows([level.value_of, procedure.value_of], readable)
    lawful = np.array(
        [
            procedure.value(row) in framework.direct_procedures.get(level.value(row), frozenset())
            for row in pairs.tolist()
        ],
        dtype=np.bool_,
    )
    check.reject_rows(
        readable[~lawful[pair_of_row]], procedure, lambda row: f"is none by which {level.value(row)} can be granted"
    )
    needs_area = value_order(level, lambda value: int(value in framework.levels_by_area)) == 1
    names_none = value_order(area, lambda value: int(value is None)) == 1
    check.reject_rows(
        np.flatnonzero(needs_area & names_none),
        area,
        lambda row: f"is empty, but {level.value(row)} is accredited area by area, so one has to be named",
    )

    rows = np.flatnonzero(check.sound)
    # in the order in which a person's grants are to stand
    keys = [
        ranks(granted_on, date.toordinal),
        ranks(level, str),
        ranks(area, lambda value: value or 0),
        ranks(procedure, str),
        ranks(reference, str),
    ]
    distinct, item_of_row = distinct_rows(keys, rows)
    items = [
        DirectGrant(
            level.value(row), area.value(row), procedure.value(row), granted_on.value(row), reference.value(row)
        )
        for row in distinct.tolist()
    ]
    grouped = group_by_person(ids.value_of[rows], item_of_row, items)
    return {ids.values[person]: grants for person, grants in grouped.items()}
