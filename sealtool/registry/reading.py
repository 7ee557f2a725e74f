"""The reading of an export from folder to registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from sealtool.errors import RegistryError
from sealtool.model import DirectGrant, Framework, Participation, PersonId, PersonRecord, Registry, SourceFile
from sealtool.registry.accreditations import read_accreditations
from sealtool.registry.cells import date_parser
from sealtool.registry.files import Export, open_export
from sealtool.registry.findings import Findings, shown
from sealtool.registry.layout import ACCREDITATIONS, LAYOUTS, PEOPLE, TRAINING
from sealtool.registry.month_first import month_first_dates
from sealtool.registry.options import RegistryOptions
from sealtool.registry.people import Roll, read_people
from sealtool.registry.table import Table, tokenise
from sealtool.registry.training import read_training


def read_registry(
    folder: Path,
    options: RegistryOptions,
    framework: Framework,
    *,
    today: date,
    previous_rows: Mapping[str, int] | None = None,
) -> Registry:
    """Read a registry export (documentation: "The registry export").

    Args:
        folder: holds ``people.csv``, ``training.csv`` and ``accreditations.csv``, one of the last two at
            least, and possibly ``SHA256SUMS``.
        options: encoding, further header names, tolerated loss of rows.
        framework: which codes, levels and procedures are well-formed under the law in force.
        today: the last day that is not in the future.
        previous_rows: rows of each file at the last run, by file name, to notice an export that was cut
            short; None to accept any size.

    Returns:
        Records, problems, held persons and warnings; the same whatever the order of the rows, but for line
        numbers and the titles of activities that have several.

    Raises:
        RegistryError: the export cannot be trusted as a whole; the message names every reason found.
    """
    previous = previous_rows or {}
    export = open_export(folder, previous)
    tables, sources, faults = _tokenise(export, options, previous)
    if faults:
        reasons = "\n".join(f"- {fault}" for fault in faults)
        raise RegistryError(
            f"The registry export in {shown(str(folder), limit=300)} cannot be read as a whole, so nothing can be "
            f"issued from it:\n{reasons}",
            advice="Put the export right, or make it again, and run the same command once more.",
        )
    return _read(tables, sources, framework, today)


def _tokenise(
    export: Export, options: RegistryOptions, previous: Mapping[str, int]
) -> tuple[dict[str, Table], tuple[SourceFile, ...], Sequence[str]]:
    tables: dict[str, Table] = {}
    sources: list[SourceFile] = []
    faults = list(export.faults)
    for layout in LAYOUTS:
        file = export.files.get(layout.file)
        if file is None:
            continue
        table, table_faults = tokenise(file.content, layout, options)
        faults += [f"{layout.file}: {fault}" for fault in table_faults]
        if table is None:
            continue
        tables[layout.file] = replace(table, open_column="") if export.is_vouched_for else table
        sources.append(SourceFile(file.name, file.sha256, table.rows))
        faults += _shrunk(table, previous.get(layout.file, 0), options.max_shrink)
    return tables, tuple(sources), faults


def _shrunk(table: Table, before: int, max_shrink: float) -> list[str]:
    # in decimals, as the configuration has it: 10 % of 1,000 rows are 100, not 99.999...
    least = before * (1 - Decimal(str(max_shrink)))
    if table.rows >= least:
        return []
    fault = (
        f"{table.file}: has {table.rows} rows, but {before} at the last run: more than {Decimal(str(max_shrink)):%} "
        "were lost, as when an export is cut short. If the registry really shrank, raise registry.max_shrink in the "
        "configuration, or run once with --accept-shrink."
    )
    return [fault]


def _read(tables: Mapping[str, Table], sources: tuple[SourceFile, ...], framework: Framework, today: date) -> Registry:
    findings = Findings()
    roll = read_people(tables[PEOPLE.file], findings)
    month_first = month_first_dates(tables)

    def day(file: str) -> Callable[[str], date]:
        return date_parser(today, month_first.get(file, ""))

    participations: Mapping[PersonId, tuple[Participation, ...]] = {}
    grants: Mapping[PersonId, tuple[DirectGrant, ...]] = {}
    if TRAINING.file in tables:
        participations = read_training(tables[TRAINING.file], roll, framework, day(TRAINING.file), findings)
    if ACCREDITATIONS.file in tables:
        grants = read_accreditations(tables[ACCREDITATIONS.file], roll, framework, day(ACCREDITATIONS.file), findings)
    held = findings.held()
    return Registry(
        records=_records(roll, participations, grants, held),
        held=held,
        problems=findings.problems(),
        warnings=findings.warnings(),
        sources=sources,
    )


def _records(
    roll: Roll,
    participations: Mapping[PersonId, tuple[Participation, ...]],
    grants: Mapping[PersonId, tuple[DirectGrant, ...]],
    held: Mapping[str, tuple[int, ...]],
) -> dict[PersonId, PersonRecord]:
    return {
        person_id: PersonRecord(person, participations.get(person_id, ()), grants.get(person_id, ()))
        for person_id, person in sorted(roll.people.items())
        if person_id not in held
    }
