"""``sealtool check``: what is wrong with an export."""

from __future__ import annotations

from pathlib import Path

import click

from sealtool.cli.console import counted, exit_code, show_json, show_problems
from sealtool.cli.options import json_option, workspace_or_defaults


@click.command("check")
@click.argument("registry", type=click.Path(path_type=Path, file_okay=False, readable=False))
@json_option
@click.pass_context
def command(ctx: click.Context, registry: Path, *, as_json: bool) -> int:
    """Reads a registry export and lists every problem in it.

    Decides nothing, writes nothing and needs no configuration; where there is one, its encoding and header names
    are used.
    """
    from sealtool.planning import problems_as_json

    workspace = workspace_or_defaults(ctx)
    reading = workspace.read_registry(registry)
    if as_json:
        show_json(
            {
                "schema": "sealtool.check/1",
                "files": [{"name": one.name, "sha256": one.sha256, "rows": one.rows} for one in reading.sources],
                "people": len(reading.records),
                **problems_as_json(reading.held, reading.problems, reading.warnings),
            }
        )
    else:
        for source in reading.sources:
            click.echo(f"{source.name}: {counted(source.rows, 'row', 'rows')}")
        click.echo(f"{counted(len(reading.records), 'person', 'people')} without problems, {len(reading.held)} held.")
        show_problems(reading.problems, title="Problems: whoever they name is held", most=None)
        show_problems(reading.warnings, title="Warnings: read as meant, nobody is held", most=None)
    return exit_code(needs_human=bool(reading.problems))
