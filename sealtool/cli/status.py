"""``sealtool status``: runs, certificates by state, what needs a human."""

from __future__ import annotations

from typing import Any

import click

from sealtool.cli.console import exit_code, show_json, table
from sealtool.cli.options import json_option, workspace_of
from sealtool.ledger import CertificateState, Ledger, RunState
from sealtool.workspace import Workspace

_RUNS_SHOWN = 5


@click.command("status")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> int:
    """Shows the last runs, how many certificates there are in each state, and what needs a human.

    Also checks that every file the ledger knows is there, and that the ledger's chain of events is whole.
    """
    workspace = workspace_of(ctx)
    with workspace.ledger() as ledger:
        facts = _facts(workspace, ledger)
    if as_json:
        show_json(facts)
    else:
        _print(facts)
    return exit_code(needs_human=bool(facts["needs_human"]))


def _facts(workspace: Workspace, ledger: Ledger) -> dict[str, Any]:
    counts = ledger.counts_by_level_and_state()
    runs = ledger.last_runs(_RUNS_SHOWN)
    sequence, head = ledger.head()
    return {
        "schema": "sealtool.status/1",
        "runs": [
            {
                "run_id": run.run_id,
                "command": run.command,
                "state": str(run.state),
                "started_at": run.started_at,
                "finished_at": run.finished_at,
                "counts": dict(run.counts),
            }
            for run in runs
        ],
        "certificates": [{"level": level, "state": str(state), "count": count} for level, state, count in counts],
        "ledger": {"events": sequence, "head": head},
        "needs_human": _needs_human(workspace, ledger, counts),
    }


def _needs_human(
    workspace: Workspace, ledger: Ledger, counts: tuple[tuple[str, CertificateState, int], ...]
) -> list[str]:
    findings = []
    if broken := ledger.broken_link():
        findings.append(f"The ledger was changed outside sealtool: {broken}. Restore it from a backup.")
    missing = [one.path for one in ledger.all_documents() if _is_missing(workspace, one.path, one.state)]
    if missing:
        findings.append(
            f"{len(missing)} issued files are missing from {workspace.output.root}, first {missing[0]}. "
            "Restore them from a backup."
        )
    pending = sum(count for _, state, count in counts if state in {CertificateState.RESERVED, CertificateState.SEALED})
    last = ledger.last_runs(1)
    if pending:
        findings.append(f"{pending} certificates are pending: the next `sealtool issue` takes them up.")
    if last and last[0].state in {RunState.FAILED, RunState.INTERRUPTED}:
        findings.append(f"The last run {last[0].run_id} ended {last[0].state}: look at its message and run it again.")
    return findings


def _is_missing(workspace: Workspace, path: str, state: CertificateState) -> bool:
    return state is not CertificateState.SEALED and not (workspace.output.root / path).is_file()


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
    click.echo()
    for finding in facts["needs_human"]:
        click.echo(f"Needs a human: {finding}")
    if not facts["needs_human"]:
        click.echo("Nothing needs a human.")
