"""``sealtool status``: runs, certificates by state, what needs a human."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import exit_code, show_json, table
from sealtool.cli.options import json_option, workspace_of
from sealtool.errors import ExitCode

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sealtool.standing import Standing

_MONTHS_SHOWN = 6


@click.command("status")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> int:
    """Shows the last runs, the certificates by state, when their proof runs out, and what needs a human.

    Also checks that every file the ledger knows is there, that the chain of events in the ledger is whole, and that it
    fits the manifests.
    """
    workspace = workspace_of(ctx)
    standing = workspace.standing()
    if as_json:
        show_json(standing.as_json())
    else:
        _print(standing, workspace.timezone)
    return ExitCode.LEDGER if standing.is_inconsistent else exit_code(needs_human=bool(standing.needs_human))


def _print(standing: Standing, timezone: ZoneInfo) -> None:
    click.echo(
        table(
            ("Run", "State", f"Started ({timezone.key})", "Issued"),
            [
                (run.run_id, run.state, _local(run.started_at, timezone), run.counts.get("issued", ""))
                for run in standing.runs
            ],
        )
        if standing.runs
        else "No run yet."
    )
    if standing.certificates:
        click.echo()
        rows = [(one.level, str(one.state), f"{one.count:,}") for one in standing.certificates]
        click.echo(table(("Level", "State", "Certificates"), rows))
    if standing.renewals:
        click.echo()
        months = standing.renewals[:_MONTHS_SHOWN]
        rows = [(one.month, f"{one.documents:,}", one.first) for one in months]
        click.echo(table(("Provable until", "Documents", "First"), rows))
        if len(months) < len(standing.renewals):
            click.echo(f"… and {len(standing.renewals) - len(months)} months more: --json lists them all.")
    click.echo()
    for finding in standing.needs_human:
        click.echo(f"Needs a human: {finding.message}")
    if not standing.needs_human:
        click.echo("Nothing needs a human.")


def _local(moment: str, timezone: ZoneInfo) -> str:
    """A moment in UTC by the clock of the organisation."""
    return f"{datetime.fromisoformat(moment).astimezone(timezone):%Y-%m-%d %H:%M:%S}"
