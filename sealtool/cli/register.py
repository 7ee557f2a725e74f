"""``sealtool register``: the register of accreditations, as CSV or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.options import LEVELS, canonical_person_id, json_option, workspace_of
from sealtool.errors import ExitCode, UsageError
from sealtool.model import Level
from sealtool.publishing import write_in_place
from sealtool.registering import STATES, Form, chosen, is_earlier_export
from sealtool.replacing import insist_on_replaceable

if TYPE_CHECKING:
    from sealtool.workspace import Workspace


@click.command("register")
@click.option("--level", "levels", multiple=True, type=LEVELS, metavar="LEVEL", help="Only this level. Repeatable.")
@click.option("--person", "people", multiple=True, metavar="ID", help="Only this DNI or NIE. Repeatable.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    help="Only certificates in this state, or `none` for what has no certificate. Repeatable.",
)
@click.option("--masked", is_flag=True, help="For published lists: four digits of each DNI or NIE, what is in force.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Not to the terminal.")
@click.option("--no-bom", is_flag=True, help="CSV without the mark by which spreadsheets know UTF-8.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    levels: tuple[str, ...],
    people: tuple[str, ...],
    states: tuple[str, ...],
    output: Path | None,
    *,
    masked: bool,
    no_bom: bool,
    as_json: bool,
) -> int:
    """Exports the register: each person's levels, the areas with their days and procedures, and the certificates.

    CSV with semicolons, or JSON. Reads only; a run may go on meanwhile. The file names people by DNI or NIE: it is
    personal data.
    """
    workspace = workspace_of(ctx)
    form = Form(as_json=as_json, masked=masked, byte_order_mark=not no_bom)
    wanted = states or (("issued",) if masked else STATES)
    if output is not None:
        workspace.insist_on_elsewhere(output)
        insist_on_replaceable(output, is_earlier_export, "register that was exported here")
    pieces = _pieces(workspace, form, levels, people, wanted)
    if output is None:
        _pour(pieces)
    else:
        write_in_place(output, pieces)
        click.echo(f"The register is in {output}.", err=True)
    return ExitCode.DONE


def _pieces(
    workspace: Workspace, form: Form, levels: Iterable[str], people: Iterable[str], states: Iterable[str]
) -> Iterable[bytes]:
    asked = frozenset(map(canonical_person_id, people)) or None
    chosen_levels = [level for level in Level if level in set(levels)] or list(Level)
    with workspace.ledger() as ledger:
        if asked is not None:
            _insist_on_known({entry.person_id for entry in ledger.register_entries(list(Level), asked)}, asked)
        yield from form.write(chosen(ledger.register_entries(chosen_levels, asked), states))


def _insist_on_known(known: Iterable[str], asked: Iterable[str]) -> None:
    if unknown := sorted(set(asked) - set(known)):
        raise UsageError(
            f"Nobody in the register has the id {', '.join(unknown)}.", advice="Check the DNI or NIE, with its letter."
        )


def _pour(pieces: Iterable[bytes]) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.writelines(pieces)
    sys.stdout.buffer.flush()
