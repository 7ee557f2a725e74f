"""``sealtool explain``: why somebody has, or lacks, each level."""

from __future__ import annotations

from pathlib import Path

import click

from sealtool.cli.console import exit_code, problem_line, show_json
from sealtool.cli.options import LEVELS, canonical_person_id, json_option, registry_option, workspace_or_defaults
from sealtool.errors import UsageError
from sealtool.model import Level, Registry


@click.command("explain")
@click.argument("person_id")
@registry_option
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=LEVELS,
    metavar="LEVEL",
    help="Only this level, A1 to C2. Repeatable.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context, person_id: str, registry: Path | None, levels: tuple[str, ...], *, as_json: bool
) -> int:
    """Explains, level by level and area by area, what somebody has obtained and what is missing.

    Decides as `plan` does, from the registry alone; the ledger is not asked. Needs no configuration
    where --registry names the export.
    """
    from sealtool.accreditation import explain, render_text

    workspace = workspace_or_defaults(ctx)
    reading = workspace.read_registry(registry)
    wanted = canonical_person_id(person_id)
    asked = tuple(level for level in Level if not levels or level in levels)
    record = reading.records.get(wanted)
    if record is None:
        return _explain_absence(reading, wanted, as_json=as_json)
    explanations = [explain(record, workspace.rules, level) for level in asked]
    if as_json:
        show_json(
            {
                "schema": "sealtool.explanation/1",
                "person_id": wanted,
                "held": [],
                "levels": [one.to_json() for one in explanations],
            }
        )
    else:
        click.echo(f"{record.person.full_name} ({wanted})\n")
        click.echo("\n\n".join(render_text(one) for one in explanations))
    return exit_code(needs_human=False)


def _explain_absence(reading: Registry, person_id: str, *, as_json: bool) -> int:
    """Whoever is held has no decisions to explain, but problems to put right."""
    if person_id not in reading.held:
        raise UsageError(
            f"Nobody in the registry has the id {person_id}.", advice="Check the DNI or NIE, with its letter."
        )
    problems = [reading.problems[index] for index in reading.held[person_id]]
    if as_json:
        show_json(
            {
                "schema": "sealtool.explanation/1",
                "person_id": person_id,
                "held": [problem_line(problem) for problem in problems],
                "levels": [],
            }
        )
    else:
        click.echo(f"{person_id} is held: nothing is decided about them until the registry is put right.")
        for problem in problems:
            click.echo(f"  {problem_line(problem)}")
    return exit_code(needs_human=True)
