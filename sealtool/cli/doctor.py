"""``sealtool doctor``: the check of an installation, before it matters."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from sealtool.cli.console import counted, note, show_json
from sealtool.cli.options import json_option, workspace_of
from sealtool.errors import ExitCode

if TYPE_CHECKING:
    from sealtool.checkup import CheckUp

_COLOURS: Final = {"ok": "green", "warning": "yellow", "problem": "red"}
_WIDTH: Final = 100


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Leave out what asks other services.")
@json_option
@click.pass_context
def command(ctx: click.Context, *, offline: bool, as_json: bool) -> int:
    """Checks the installation: libraries, fonts, key, seal certificate, trust, time stamps, ledger, permissions.

    Every part is looked at by itself, whatever is wrong with another. Seals nothing and leaves nothing behind.
    """
    workspace = workspace_of(ctx, tell_exposures=False)  # a finding of its own
    note("Looking at the installation …")
    check_up = workspace.check_up(offline=offline)
    if as_json:
        show_json(_as_json(check_up))
    else:
        _print(check_up)
    return ExitCode(check_up.exit_code)


def _as_json(check_up: CheckUp) -> dict[str, object]:
    return {
        "schema": "sealtool.doctor/1",
        "findings": [
            {"name": one.name, "state": str(one.state), "message": one.message, "advice": one.advice}
            for one in check_up.findings
        ],
        "left_out": list(check_up.left_out),
        "summary": _summary(check_up),
    }


def _summary(check_up: CheckUp) -> dict[str, int]:
    from sealtool.checkup import State

    return {str(state): check_up.count(state) for state in State}


def _print(check_up: CheckUp) -> None:
    margin = 10 + max(len(one.name) for one in check_up.findings)
    for one in check_up.findings:
        state = click.style(f"{one.state:8}", fg=_COLOURS[one.state])
        lines = _wrapped(one.message, margin) + (_wrapped(f"→ {one.advice}", margin) if one.advice else [])
        click.echo(f"{state}{one.name:{margin - 8}}{lines[0]}")
        for line in lines[1:]:
            click.echo(f"{'':{margin}}{line}")
    if check_up.left_out:
        click.echo(f"\nLeft out, because they ask other services: {', '.join(check_up.left_out)}.")
    counts = _summary(check_up)
    warnings = counted(counts["warning"], "warning", "warnings")
    problems = counted(counts["problem"], "problem", "problems")
    click.echo(f"\n{counts['ok']} of {len(check_up.findings)} are well; {warnings}, {problems}.")


def _wrapped(text: str, margin: int) -> list[str]:
    return textwrap.wrap(text, _WIDTH - margin, break_long_words=False, break_on_hyphens=False) or [""]
