"""``sealtool issue``: decides, renders, seals, records, writes the manifest."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import (
    counted,
    exit_code,
    note,
    plan_table,
    progress,
    show_json,
    show_open_questions,
)
from sealtool.cli.ending import log_failure
from sealtool.cli.options import (
    accept_shrink_option,
    cluster_option,
    json_option,
    registry_option,
    scope_options,
    workspace_of,
    workspace_of_a_run,
)
from sealtool.cli.plan import show_plan
from sealtool.errors import ExitCode

if TYPE_CHECKING:
    from sealtool.issuing import IssueReport
    from sealtool.planning import Plan, PlanEntry, Scope
    from sealtool.workspace import Workspace


@click.command("issue")
@registry_option
@scope_options(all_by_default=False)
@accept_shrink_option
@cluster_option
@click.option("--dry-run", is_flag=True, help="Only show what would be done: the same as `sealtool plan`.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    registry: Path | None,
    *,
    scope: Scope,
    accept_shrink: bool,
    cluster: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Issues a sealed certificate for every decision that has none yet.

    Call it as often as you like: each person, level and C2 area gets one certificate. Whatever stops a run, the next
    one goes on.
    """
    if dry_run:
        return show_plan(workspace_of(ctx), registry, scope, accept_shrink=accept_shrink, as_json=as_json)
    workspace, journal = workspace_of_a_run(ctx)
    if cluster is not None:
        workspace = workspace.with_cluster(cluster)
    note(f"Reading the registry and deciding ({', '.join(scope.levels)}) …", shown=journal.is_for_people)
    with progress("Issuing", shown=journal.is_for_people) as on_progress:
        plan, report = workspace.issue(
            registry, scope, accept_shrink=accept_shrink, on_progress=on_progress, on_event=journal.on_event
        )
    if as_json:
        show_json(_as_json(plan, report))
    else:
        _print(workspace, plan, report)
    for failure in report.failures:
        log_failure(failure.error)
    if any(failure.error.exit_code is ExitCode.BUG for failure in report.failures):
        return ExitCode.BUG
    return exit_code(needs_human=plan.needs_human or bool(report.failures))


def _as_json(plan: Plan, report: IssueReport) -> dict[str, object]:
    return {
        "schema": "sealtool.issue/1",
        "run_id": report.run_id,
        "counts": report.counts(),
        "issued": [*report.recovered, *report.issued],
        "failed": [{"certificate_id": one.certificate_id, "message": str(one.error)} for one in report.failures],
        "manifest": report.manifest,
        **{key: value for key, value in plan.as_json().items() if key != "schema"},
        "decisions": [_with_certificate(entry, report) for entry in plan.entries],
    }


def _with_certificate(entry: PlanEntry, report: IssueReport) -> dict[str, object]:
    """The decision as planned, with the certificate that was made for it."""
    from sealtool.canonical import key_of

    facts = entry.as_json()
    if entry.decision is not None:
        facts["certificate_id"] = report.reserved.get(key_of(entry.decision), facts["certificate_id"])
    return facts


def _print(workspace: Workspace, plan: Plan, report: IssueReport) -> None:
    if report.found_nothing_new:
        _print_nothing_new(plan)
        return
    click.echo(plan_table(plan, issue_header="Issued now", issued=Counter(report.issued.values())))
    if report.recovered:
        click.echo(
            f"Of an earlier run that was stopped, {counted(len(report.recovered), 'certificate', 'certificates')} "
            "had been published already; they are recorded now."
        )
    for new, old in report.reissued.items():
        click.echo(f"A reissue that was stopped is done now: {new} has taken the place of {old}.")
    show_open_questions(plan)
    if report.failures:
        click.echo("\nCould not be made; they stay pending:")
        for failure in report.failures:
            click.echo(f"  {failure.certificate_id}  {failure.error}")
    if report.manifest is not None:
        click.echo(f"\nCertificates and manifest: {workspace.output.root}")
        click.echo(f"Manifest of this run:      {workspace.output.root / report.manifest}")


def _print_nothing_new(plan: Plan) -> None:
    """A line for whoever watches, and none in a file that nobody has to read."""
    from sealtool.planning import Action

    if plan.needs_human or sys.stdout.isatty():
        issued = counted(len(plan.having(Action.NONE)), "certificate is", "certificates are")
        click.echo(f"Nothing new: {issued} issued already.")
    show_open_questions(plan)
