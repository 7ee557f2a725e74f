"""``sealtool reissue``: a new certificate in the place of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.confirming import confirmed, grounds_of, grounds_options, show, show_what_is_asked
from sealtool.cli.console import exit_code, progress, show_json
from sealtool.cli.ending import log_failure
from sealtool.cli.options import json_option, registry_option, workspace_of_a_run
from sealtool.errors import ExitCode, UsageError
from sealtool.ledger import CertificateState

if TYPE_CHECKING:
    from sealtool.appeals import Proposal, Reissue
    from sealtool.cli.journal import Journal
    from sealtool.workspace import Workspace

_NONE = "—"


@click.command("reissue")
@click.argument("certificate_id")
@grounds_options
@registry_option
@click.option(
    "--accredited-on",
    metavar="DATE",
    help="The day that was upheld, where the registry has another one, or does not support the level at all.",
)
@click.option("--given-name", metavar="NAME", help="As it was upheld, where the registry has another one.")
@click.option("--first-surname", metavar="NAME", help="Likewise.")
@click.option("--second-surname", metavar="NAME", help="Likewise; may be empty.")
@click.option("--again", is_flag=True, help="Also where the new certificate would say the same.")
@json_option
@click.pass_context
def command(  # noqa: PLR0917 - a command has as many parameters as options
    ctx: click.Context,
    /,
    certificate_id: str,
    reason: str,
    by: str,
    reference: str,
    registry: Path | None,
    *,
    yes: bool,
    again: bool,
    as_json: bool,
    **given: str | None,
) -> int:
    """Issues a new certificate that supersedes the one with this id.

    It says what the registry says today, and what was upheld on appeal where that is given here. You see before and
    after and confirm. The old certificate stays in force until the new one is published; its file is kept.
    """
    workspace, journal = workspace_of_a_run(ctx)
    upheld = workspace.upheld(given)
    proposal = workspace.propose_reissue(certificate_id, registry, grounds_of(reason, by, reference), upheld)
    if not proposal.is_done and not _is_confirmed(proposal, journal, yes=yes, again=again):
        show("Nothing was done.")
        return ExitCode.NEEDS_HUMAN
    with progress("Reissuing", shown=journal.is_for_people) as on_progress:
        reissue = workspace.reissue(proposal, on_progress=on_progress, on_event=journal.on_event)
    if as_json:
        show_json(reissue.as_json())
    else:
        _print(workspace, reissue)
    for failure in reissue.report.failures:
        log_failure(failure.error)
    if any(failure.error.exit_code is ExitCode.BUG for failure in reissue.report.failures):
        return ExitCode.BUG
    return exit_code(needs_human=bool(reissue.report.failures) or reissue.certificate_id is None)


def _is_confirmed(proposal: Proposal, journal: Journal, *, yes: bool, again: bool) -> bool:
    from sealtool.cli.journal import CommandEvent

    show_what_is_asked(_before_and_after(proposal), yes=yes)
    certificate = proposal.story.certificate
    questions = []
    if odd := "; ".join(proposal.oddities):
        journal.warn(
            CommandEvent.UNUSUAL_NAME,
            f"The name on the new certificate is unusual: {odd}.",
            "If it is not meant so, correct it in the registry or in the options of this call.",
        )
        questions.append(f"The name is unusual: {odd}. Is it meant so?")
    if early := proposal.early_day:
        journal.warn(
            CommandEvent.UNUSUAL_DAY,
            f"The day on the new certificate is unusual: {early}.",
            "If it is not meant so, call again with the right --accredited-on.",
        )
        questions.append(f"The day is unusual: {early}. Is it meant so?")
    if certificate.state is CertificateState.REVOKED:
        questions.append(f"Certificate {certificate.certificate_id} was revoked. Is the level to be certified again?")
    if proposal.is_same and not again:
        if yes:
            raise UsageError(
                f"The new certificate would say what {certificate.certificate_id} says already. Nothing was done.",
                advice="If another one is meant all the same, add --again.",
            )
        questions.append("The new certificate would say the same. Is another one meant all the same?")
    questions.append(f"Supersede {certificate.certificate_id} by this certificate?")
    return confirmed(questions, yes=yes)


def _before_and_after(proposal: Proposal) -> str:
    """Side by side, with what is different marked."""
    certificate = proposal.story.certificate
    rows = [("", "before", "after", "")]
    for one in proposal.items:
        sign = "" if one["was"] == one["is"] else "changed"
        told = f"{sign}, upheld against the registry" if one["upheld"] else sign
        rows.append((one["item"], one["was"] or _NONE, one["is"] or _NONE, told))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    area = f" area {certificate.area}" if certificate.area else ""
    head = f"Certificate {certificate.certificate_id}, {certificate.level}{area}, {certificate.state}:"
    return "\n".join([head, "", *(f"  {line.rstrip()}" for line in lines), ""])


def _print(workspace: Workspace, reissue: Reissue) -> None:
    report = reissue.report
    old = reissue.proposal.certificate_id
    if reissue.certificate_id is not None:
        click.echo(f"Certificate {reissue.certificate_id} has taken the place of {old}.")
    for new, before in report.reissued.items():
        if before != old:
            click.echo(f"A reissue that was stopped before is done, too: {new} in the place of {before}.")
    for failure in report.failures:
        click.echo(f"Could not be made, and stays pending: {failure.certificate_id}  {failure.error}")
    if report.manifest is not None:
        click.echo(f"Manifest, which lists both: {workspace.output.root / report.manifest}")
