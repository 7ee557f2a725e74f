"""``sealtool export``: what was issued, for the archive."""

from __future__ import annotations

from pathlib import Path

import click

from sealtool.cli.console import counted, exit_code, show_json
from sealtool.cli.options import json_option, workspace_of


@click.command("export")
@click.option(
    "--eni",
    "target",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder for one XML file a document, in the exchange format of the ENI. What is there is left alone, "
    "and replaced where its document was renewed.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, *, target: Path, as_json: bool) -> int:
    """Writes every document that was ever issued as an electronic document of the Spanish administration (ENI).

    Each XML file holds the sealed PDF and its minimum metadata. Superseded and withdrawn certificates are among them. A
    document that is missing, or is not the file that was issued, is named and left out.
    """
    report = workspace_of(ctx).export_eni(target)
    if as_json:
        show_json(
            {
                "schema": "sealtool.export/1",
                "folder": str(target),
                "written": report.written,
                "unchanged": report.unchanged,
                "needs_human": report.findings,
            }
        )
    else:
        there = f", {report.unchanged} unchanged" if report.unchanged else ""
        click.echo(f"{counted(len(report.written), 'document', 'documents')} exported to {target}{there}")
        for finding in report.findings:
            click.echo(f"  {finding}")
    return exit_code(needs_human=bool(report.findings))
