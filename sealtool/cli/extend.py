"""``sealtool extend``: keeps sealed files provable with validation data and a fresh archive time stamp."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import counted, exit_code, progress, show_json
from sealtool.cli.options import json_option, workspace_of_a_run
from sealtool.errors import UsageError

if TYPE_CHECKING:
    from sealtool.preservation import Extended, Refused
    from sealtool.renewing import ExtensionReport
    from sealtool.workspace import Workspace

_CONFIGURED = "configured"
_LONGEST = 36500
_SHOWN = 12


@click.command("extend")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, readable=False, path_type=Path))
@click.option(
    "--due",
    type=str,
    is_flag=False,
    flag_value=_CONFIGURED,
    default=None,
    metavar="[DAYS]",
    help="Every document of the ledger that runs out within so many days. Default: run.renew_days.",
)
@click.option("--force", is_flag=True, help="Also files at B-LTA that are far from running out, if it gains time.")
@json_option
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], due: str | None, *, force: bool, as_json: bool) -> int:
    """Extends sealed files to B-LTA, and gives those at B-LTA another archive time stamp before the last one runs out.

    PATHS are files or folders: documents of the ledger in the output folder, or copies elsewhere. Needs no seal key but
    for the manifest that lists renewed documents anew. Nothing that was there is lost: each file grows at its end.
    """
    if not paths and due is None:
        raise UsageError(
            "Extend what? Neither a path nor --due was given.",
            advice="Name files or folders, or call with --due for every document that runs out soon.",
        )
    if force and due is not None:
        raise UsageError("--force and --due exclude each other.", advice="Name what is to be extended by its path.")
    workspace, journal = workspace_of_a_run(ctx)
    days = None if due is None else _days(due, workspace)
    with progress("Extending", shown=journal.is_for_people) as on_progress:
        report = workspace.extend(paths, due_days=days, force=force, on_progress=on_progress, on_event=journal.on_event)
    if as_json:
        show_json(report.as_json())
    else:
        _print(workspace, report)
    return exit_code(needs_human=bool(report.refused))


def _days(due: str, workspace: Workspace) -> int:
    if due == _CONFIGURED:
        return workspace.settings.run.renew_days
    if not due.isdecimal() or int(due) > _LONGEST:
        raise UsageError(
            f"--due was given '{due}', which is no number of days up to {_LONGEST:,}.",
            advice="Write --due alone for run.renew_days, or --due 120. A path goes before it.",
        )
    return int(due)


def _print(workspace: Workspace, report: ExtensionReport) -> None:
    _print_extended("Renewed", report.renewed)
    _print_extended("Extended in its place", report.copies)
    if report.copies:
        click.echo("Copies have another SHA-256 now than the one that manifests list.")
    if report.recovered:
        documents = counted(len(report.recovered), "document", "documents")
        click.echo(f"Of an earlier run that was stopped, {documents} had been renewed already; they are recorded now.")
    if len(report.kept) <= _SHOWN:
        for kept in report.kept:
            click.echo(f"Nothing to do: {kept.candidate.name} is provable until {kept.provable_until:%Y-%m-%d}")
    _print_refused(report.refused)
    if report.manifest is not None:
        click.echo(f"Manifest of this run: {workspace.output.root / report.manifest}")
    if report.found_nothing and not sys.stdout.isatty():
        return  # most nights: nobody has to read a file that says so
    extended = counted(len(report.renewed) + len(report.copies), "file", "files")
    click.echo(f"{extended} extended, {len(report.kept)} with nothing to do, {len(report.refused)} not extended.")


def _print_extended(how: str, files: Sequence[Extended]) -> None:
    for one in files[:_SHOWN]:
        click.echo(
            f"{how}: {one.candidate.name}, {one.before.pades_level} -> {one.after.pades_level}, provable until "
            f"{one.after.provable_until:%Y-%m-%d}"
        )
    if len(files) > _SHOWN:
        click.echo(f"  … and {len(files) - _SHOWN} more: --json lists them all.")


def _print_refused(files: Sequence[Refused]) -> None:
    if files:
        click.echo("\nNot extended, and left as they are:")
    for one in files:
        click.echo(f"  {one.candidate.name}")
        for reason in one.reasons:
            click.echo(f"      {reason.code}: {reason.message}")
