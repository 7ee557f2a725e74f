"""``sealtool plan``: what ``issue`` would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import exit_code, plan_table, show_json, show_open_questions, show_problems
from sealtool.cli.ending import error_as_json
from sealtool.cli.options import (
    accept_shrink_option,
    json_option,
    registry_option,
    scope_options,
    workspace_of,
)

if TYPE_CHECKING:
    from sealtool.model import Decision
    from sealtool.planning import Plan, Scope
    from sealtool.workspace import Workspace


@click.command("plan")
@registry_option
@scope_options(all_by_default=True)
@accept_shrink_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    registry: Path | None,
    *,
    scope: Scope,
    accept_shrink: bool,
    as_json: bool,
) -> int:
    """Shows what `issue` would do, and what changed against the ledger. Writes nothing.

    Without --level, every level is planned. It says so where ledger or output folder would stop `issue` before that.
    """
    return show_plan(workspace_of(ctx), registry, scope, accept_shrink=accept_shrink, as_json=as_json)


def show_plan(workspace: Workspace, registry: Path | None, scope: Scope, *, accept_shrink: bool, as_json: bool) -> int:
    """Makes a plan, prints it and returns the exit code."""
    from sealtool.collecting import values_that_stay

    with values_that_stay():
        with workspace.ledger() as ledger:
            reading = workspace.read_for(scope, ledger, registry, accept_shrink=accept_shrink)
            plan = workspace.plan(reading, scope, ledger)
            obstacle = workspace.obstacle(ledger)
        document = plan.as_json() if as_json else {}
        if obstacle is not None:
            click.echo(f"sealtool: `issue` would stop at this: {obstacle.message}\n  {obstacle.advice}", err=True)
            document["obstacle"] = error_as_json(obstacle.message, obstacle.advice, obstacle.exit_code)
        if as_json:
            show_json(document)
        else:
            _print(plan)
    return exit_code(needs_human=plan.needs_human)


def _line(one: Decision) -> str:
    level = f"{one.level} area {int(one.area)}" if one.area else str(one.level)
    return f"issue  {one.person.person_id}  {level}  accredited on {one.accredited_on}  by {', '.join(one.procedures)}"


def _print(plan: Plan) -> None:
    from sealtool.planning import Action

    lines = [_line(entry.decision) for entry in plan.having(Action.ISSUE) if entry.decision is not None]
    click.echo("\n".join([*lines, ""]))
    click.echo(plan_table(plan, issue_header="To issue"))
    show_open_questions(plan)
    show_problems(plan.warnings, title="Warnings")
