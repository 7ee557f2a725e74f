"""``sealtool ledger``: keeping the ledger for ten years."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import TellingGroup, counted, progress, show_json
from sealtool.cli.options import json_option, workspace_of, workspace_of_a_run
from sealtool.errors import ExitCode

if TYPE_CHECKING:
    from sealtool.keeping import Examination
    from sealtool.workspace import Workspace

_SHOWN = 40


@click.group("ledger", cls=TellingGroup)
def command() -> None:
    """Keeps the ledger: makes, examines, copies, restores, migrates and rebuilds it."""


@command.command("create")
@click.pass_context
def create(ctx: click.Context) -> int:
    """Makes a first, empty ledger where ledger.url says: for PostgreSQL, since `init` makes SQLite ones."""
    _workspace_of_the_owner(ctx).keeping.create()
    click.echo("Made an empty ledger.")
    return ExitCode.DONE


@command.command("verify")
@json_option
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool) -> int:
    """Follows every event of the ledger, holds all tables against them, and both against the manifests."""
    workspace = workspace_of(ctx)
    examination = workspace.keeping.verify()
    if as_json:
        show_json(examination.as_json())
    else:
        _print(examination)
    return ExitCode.LEDGER if examination.findings else ExitCode.DONE


@command.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def backup(ctx: click.Context, file: Path) -> int:
    """Copies the ledger into a new FILE, as it is at one moment, also while a run goes on."""
    made = workspace_of(ctx).keeping.back_up(file)
    click.echo(f"Wrote {file}: {counted(made.rows, 'row', 'rows')}, up to event {made.sequence}.")
    return ExitCode.DONE


@command.command("restore")
@click.argument("file", type=click.Path(exists=True, readable=False, path_type=Path, dir_okay=False))
@click.pass_context
def restore(ctx: click.Context, file: Path) -> int:
    """Puts the ledger of a backup in its place again.

    Only one that is whole, that fits the manifests and the documents of the output folder, and that lacks no event of
    the ledger that is there now. What was there is kept under another name.
    """
    restored = _workspace_of_the_owner(ctx).keeping.restore(file)
    backup = restored.backup
    click.echo(f"Restored {counted(backup.rows, 'row', 'rows')}, up to event {backup.sequence}.")
    if restored.kept:
        click.echo(f"The ledger that was there before is kept: {restored.kept}")
    return ExitCode.DONE


@command.command("migrate")
@click.argument("backup_file", metavar="BACKUP", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def migrate(ctx: click.Context, backup_file: Path) -> int:
    """Brings a ledger that an earlier sealtool made up to date, after writing a backup to the new file BACKUP."""
    version, made = _workspace_of_the_owner(ctx).keeping.migrate(backup_file)
    if made is None:
        click.echo(f"Nothing to do: the ledger has version {version} already. No backup was written.")
    else:
        click.echo(f"The ledger of version {version} is up to date now. As it was before, it is in {backup_file}.")
    return ExitCode.DONE


@command.command("rebuild")
@click.option(
    "--from",
    "folder",
    required=True,
    type=click.Path(exists=True, readable=False, path_type=Path, file_okay=False, resolve_path=True),
    metavar="DIR",
    help="The output folder, with its manifests.",
)
@click.pass_context
def rebuild(ctx: click.Context, folder: Path) -> int:
    """Writes a lost ledger anew from the manifests and the sealed files, where there is no backup.

    Every one of them has to pass our own verifier, and none may be missing.
    """
    workspace, journal = workspace_of_a_run(ctx)
    workspace.insist_on_the_owner()
    with progress("Judging", shown=journal.is_for_people) as on_progress:
        found = workspace.rebuild_ledger(folder, on_progress=on_progress, on_event=journal.on_event)
    certificates = counted(len(found.certificates), "certificate", "certificates")
    manifests = counted(len(found.manifests), "manifest", "manifests")
    click.echo(f"Rebuilt the ledger: {certificates}, from {manifests}. What no file says is not in it: see the guide.")
    return ExitCode.DONE


def _workspace_of_the_owner(ctx: click.Context) -> Workspace:
    workspace = workspace_of(ctx)
    workspace.insist_on_the_owner()
    return workspace


def _print(examination: Examination) -> None:
    click.echo(
        f"{counted(examination.events, 'event', 'events')}, head {examination.head[:16]}…, held against "
        f"{counted(examination.manifests, 'manifest', 'manifests')}."
    )
    if examination.rebuilt is not None:
        click.echo(
            f"Rebuilt at {examination.rebuilt['at'][:19]} from the manifest of run {examination.rebuilt['manifest']}: "
            f"of what happened up to event {examination.rebuilt['ledger_sequence']}, no more is on record than that."
        )
    for one in examination.findings[:_SHOWN]:
        about = f" [{one.certificate_id}]" if one.certificate_id and one.certificate_id not in one.message else ""
        click.echo(f"  {one.code}: {one.message}{about}")
    if len(examination.findings) > _SHOWN:
        click.echo(f"  … and {len(examination.findings) - _SHOWN} more: --json lists them all.")
    if examination.findings:
        click.echo(f"{counted(len(examination.findings), 'finding', 'findings')}: this is not what sealtool left.")
    else:
        click.echo("Nothing speaks against it.")
