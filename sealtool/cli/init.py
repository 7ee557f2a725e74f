"""``sealtool init``: a new working folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--demo", is_flag=True, help="Add a throw-away seal and time stamp authority, to try everything offline.")
def command(folder: Path, *, demo: bool) -> int:
    """Makes a working folder: configuration, empty ledger, output folder.

    A folder that has a configuration already is left alone.
    """
    from sealtool.founding import found_workspace
    from sealtool.workspace import utc_now

    configuration = found_workspace(folder, demo=demo, now=utc_now())
    click.echo(f"Made {folder}: configuration, an empty ledger and an output folder.")
    if demo:
        click.echo("Its seal is a throw-away one for demonstrations: what it seals has no legal value.")
    else:
        click.echo(f"Now name the seal key, the time stamp authority and the trust anchors in {configuration}.")
    click.echo(f"\nNext:  sealtool --config {shlex.quote(str(configuration))} plan --registry YOUR-EXPORT")
    return 0
