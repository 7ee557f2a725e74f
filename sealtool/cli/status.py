"""``sealtool status``: runs, certificates by state, what needs a human."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from sealtool.cli.console import counted, exit_code, show_json, table
from sealtool.cli.options import json_option, workspace_of
from sealtool.errors import ExitCode
from sealtool.ledger import RunState, RunSummary
from sealtool.model import Level

if TYPE_CHECKING:
    from sealtool.ledger import Ledger
    from sealtool.workspace import Workspace

_RUNS_SHOWN = 5
_MONTHS_SHOWN = 6
_RUNS_REMEMBERED = 400
"""More than a year of nights."""


@click.command("status")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> int:
    """Shows the last runs, the certificates by state, when their proof runs out, and what needs a human.

    Also checks that every file the ledger knows is there, that the chain of events in the ledger is whole, and that it
    fits the manifests.
    """
    workspace = workspace_of(ctx)
    with workspace.ledger() as ledger:
        inconsistencies = _inconsistencies(workspace, ledger)
        findings = inconsistencies or _missing_files(workspace, ledger)
        facts = _facts(workspace, ledger, findings)
    if as_json:
        show_json(facts)
    else:
        _print(facts)
    return ExitCode.LEDGER if inconsistencies else exit_code(needs_human=bool(facts["needs_human"]))


def _facts(workspace: Workspace, ledger: Ledger, findings: list[str]) -> dict[str, Any]:
    counts = ledger.counts_by_level_and_state()
    runs = ledger.last_runs(_RUNS_SHOWN)
    running = ledger.is_held()
    sequence, head = ledger.head()
    return {
        "schema": "sealtool.status/1",
        "runs": [
            {
                "run_id": run.run_id,
                "command": run.command,
                "state": str(_state(run, running=running)),
                "started_at": run.started_at,
                "finished_at": run.finished_at,
                "counts": dict(run.counts),
            }
            for run in runs
        ],
        "certificates": [{"level": level, "state": str(state), "count": count} for level, state, count in counts],
        "renewals": [
            {"month": one.month, "documents": one.documents, "first": one.first} for one in ledger.renewals_by_month()
        ],
        "ledger": {"events": sequence, "head": head},
        "needs_human": [
            *findings,
            *_open_questions(ledger, runs, running=running),
            *_due_renewals(workspace, ledger),
        ],
    }


def _due_renewals(workspace: Workspace, ledger: Ledger) -> list[str]:
    """What runs out soon: afterwards no time stamp can bring it back."""
    days = workspace.settings.run.renew_days
    due = ledger.documents_on_record(until=workspace.now() + timedelta(days=days))
    if not due:
        return []
    first = due[0]
    documents = counted(len(due), "document", "documents")
    finding = (
        f"{documents} can be proven for less than {days} days, the first until {first.provable_until:%Y-%m-%d} "
        f"({first.path}). What ran out cannot be renewed any more, so call `sealtool extend --due` before."
    )
    return [finding]


def _state(run: RunSummary, *, running: bool) -> RunState:
    """A run that never ended is over all the same when nobody holds the ledger."""
    return RunState.INTERRUPTED if run.state is RunState.RUNNING and not running else run.state


def _inconsistencies(workspace: Workspace, ledger: Ledger) -> list[str]:
    """What says that ledger and output folder are not, or no longer, what sealtool left."""
    from sealtool.continuity import broken_continuity

    findings = []
    if broken := ledger.broken_link():
        findings.append(f"The ledger was changed outside sealtool: {broken}. Restore it from a backup.")
    elif finding := broken_continuity(ledger, workspace.output):
        findings.append(str(finding))
    return findings


def _missing_files(workspace: Workspace, ledger: Ledger) -> list[str]:
    missing = sorted(ledger.issued_paths() - workspace.output.documents())
    if not missing:
        return []
    where = f"{workspace.output.root}, first {missing[0]}"
    return [f"Of the issued files, {len(missing)} are missing from {where}. Restore them from a backup."]


def _open_questions(ledger: Ledger, runs: tuple[RunSummary, ...], *, running: bool) -> list[str]:
    """What waits for somebody, although nothing is broken."""
    questions = []
    pending = ledger.pending_count()
    if pending and not running:
        waiting = counted(pending, "certificate is", "certificates are")
        questions.append(f"{waiting} pending: an `issue` for the same levels and people takes them up.")
    if not runs:
        return questions
    last = runs[0]
    if _state(last, running=running) in {RunState.FAILED, RunState.INTERRUPTED}:
        why = last.counts.get("message") or "it was ended from outside."
        questions.append(f"The last run, {last.run_id} ({last.command}), was stopped before its end: {why}")
    for run in _newest_for_each_level(ledger):
        questions += _left_open(run)
    return questions


def _newest_for_each_level(ledger: Ledger) -> list[RunSummary]:
    """The newest finished runs for everybody that together cover all levels there were: what one of them left open is
    not settled by a later run for one person, or for another level."""
    found: dict[str, RunSummary] = {}
    for run in ledger.last_runs(_RUNS_REMEMBERED):
        words = run.command.split()
        if run.state is RunState.FINISHED and "for" not in words and "areas" not in words:
            for level in set(words) & set(Level):
                found.setdefault(level, run)
    return list({run.run_id: run for run in found.values()}.values())


def _left_open(run: RunSummary) -> list[str]:
    counts = run.counts
    left = []
    if counts.get("held"):
        held = counted(counts["held"], "person was", "people were")
        left.append(
            f"At the run {run.run_id} {held} held by problems of the registry ({counts['problems']}): "
            "`sealtool check` lists them."
        )
    if contested := counts.get("changed", 0) + counts.get("lost", 0):
        certificates = counted(contested, "issued certificate", "issued certificates")
        left.append(
            f"At the run {run.run_id} the registry contradicted {certificates}: `sealtool plan` lists them, and a "
            "human decides."
        )
    return left


def _print(facts: dict[str, Any]) -> None:
    click.echo(
        table(
            ("Run", "State", "Started", "Issued"),
            [
                (run["run_id"], run["state"], run["started_at"][:19].replace("T", " "), run["counts"].get("issued", ""))
                for run in facts["runs"]
            ],
        )
        if facts["runs"]
        else "No run yet."
    )
    if facts["certificates"]:
        click.echo()
        rows = [(one["level"], one["state"], f"{one['count']:,}") for one in facts["certificates"]]
        click.echo(table(("Level", "State", "Certificates"), rows))
    if facts["renewals"]:
        click.echo()
        months = facts["renewals"][:_MONTHS_SHOWN]
        rows = [(one["month"], f"{one['documents']:,}", one["first"]) for one in months]
        click.echo(table(("Provable until", "Documents", "First"), rows))
        if len(months) < len(facts["renewals"]):
            click.echo(f"… and {len(facts['renewals']) - len(months)} months more: --json lists them all.")
    click.echo()
    for finding in facts["needs_human"]:
        click.echo(f"Needs a human: {finding}")
    if not facts["needs_human"]:
        click.echo("Nothing needs a human.")
