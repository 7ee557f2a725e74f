"""``sealtool report``: the certificates in numbers, as a page or as JSON."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import show_json
from sealtool.cli.options import json_option, workspace_of
from sealtool.errors import ExitCode, UsageError
from sealtool.replacing import insist_on_replaceable

if TYPE_CHECKING:
    from sealtool.reporting.figures import Export, Figures
    from sealtool.workspace import Workspace


@click.command("report")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the page goes. Takes the place of an earlier one, and of no other file.",
)
@click.option(
    "--from", "since", metavar="DAY", help="Only what was issued from this day on (2026-01-31 or 31/01/2026)."
)
@click.option("--to", "until", metavar="DAY", help="Only what was issued up to this day.")
@click.option(
    "--registry",
    type=click.Path(path_type=Path, file_okay=False, readable=False),
    metavar="DIR",
    help="The export whose problems are counted. Default: registry.folder of the configuration; where there is none, "
    "the last run tells how many people were held.",
)
@click.option(
    "--publish", is_flag=True, help="For everybody: counts are rounded to multiples of 5, because one can be somebody."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    output: Path | None,
    since: str | None,
    until: str | None,
    registry: Path | None,
    *,
    publish: bool,
    as_json: bool,
) -> int:
    """Counts certificates: by level, procedure, area and month, how long they took, who is held and why.

    Writes one page to read, print and publish, with no personal data in it, or the same numbers as JSON. Reads only; a
    run may go on meanwhile.
    """
    if output is None and not as_json:
        raise UsageError("Where is the page to go?", advice="Add --output FILE, or --json for the numbers alone.")
    first, last = _day(since, "--from"), _day(until, "--to")
    if first and last and first > last:
        raise UsageError(f"--from {first} is after --to {last}, so nothing could be counted.", advice="Swap them.")
    from sealtool.reporting.figures_page import figures_page, is_earlier_page

    workspace = workspace_of(ctx)
    if output is not None:
        workspace.insist_on_elsewhere(output)
        insist_on_replaceable(output, is_earlier_page, "page that was written by `sealtool report`")
    found = _figures(workspace, registry, first, last, for_everybody=publish)
    if output is not None:
        from sealtool.publishing import write_in_place

        write_in_place(output, [figures_page(found)])
        click.echo(f"The report is in {output}.", err=True)
    if as_json:
        show_json(found.as_json())
    return ExitCode.DONE


def _day(text: str | None, option: str) -> date | None:
    """Read as the days of the registry are, and of `reissue`; but a year may be asked for before it is over."""
    from sealtool.registry import read_given_day

    return None if text is None else read_given_day(text, option, today=date.max)


def _figures(
    workspace: Workspace, registry: Path | None, since: date | None, until: date | None, *, for_everybody: bool
) -> Figures:
    from sealtool.reporting.figures import figures, last_run

    with workspace.ledger() as ledger:
        statistics = ledger.statistics(since=since, until=until)
        newest = last_run(ledger.newest_complete_run())
    found = figures(
        statistics,
        made_at=workspace.now().astimezone(workspace.timezone),
        since=since,
        until=until,
        export=_export(workspace, registry),
        last_run=newest,
    )
    return found.for_everybody() if for_everybody else found


def _export(workspace: Workspace, folder: Path | None) -> Export | None:
    """What the export holds people by: the one that was named, or else the configured one."""
    if folder is None and workspace.settings.registry.folder is None:
        return None
    from sealtool.reporting.figures import export_of

    registry = workspace.read_registry(folder)
    return export_of(len(registry.held), registry.problems)
