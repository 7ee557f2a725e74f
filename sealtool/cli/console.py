"""What a person sees: tables, problems, progress. Results go to standard output, the rest to standard error."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from sealtool.errors import ExitCode

if TYPE_CHECKING:
    from sealtool.model import Problem
    from sealtool.planning import Plan, PlanEntry

PROBLEMS_SHOWN: Final = 12

_ROWS_SPREAD: Final = 20
"""A JSON list that is longer has each of its items in one line."""

_LONGEST_SENTENCE: Final = 1000

_ROW_BREAK: Final = ",\n    "
_compact = json.JSONEncoder(ensure_ascii=False).encode


class TellingGroup(click.Group):
    """A group whose help has the whole first sentence of each command, and not as much of it as fits in a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.first_sentence(ctx, name)) for name in self.list_commands(ctx)])

    def first_sentence(self, ctx: click.Context, cmd_name: str) -> str:
        """What the command says of itself."""
        command = self.get_command(ctx, cmd_name)
        return "" if command is None else command.get_short_help_str(_LONGEST_SENTENCE)


def show_json(document: Mapping[str, Any]) -> None:
    """The one JSON document of a command: to be read by people too, and in no time where it is a hundred megabytes."""
    click.echo("{", nl=False)
    for number, (key, value) in enumerate(document.items()):
        click.echo(f"{',' if number else ''}\n  {json.dumps(key)}: ", nl=False)
        if isinstance(value, list | tuple) and len(value) > _ROWS_SPREAD:
            # the library's fast encoder knows no indentation: a line for each row
            click.echo(f"[\n    {_ROW_BREAK.join(map(_compact, value))}\n  ]", nl=False)
        else:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  "), nl=False)
    click.echo("\n}")


def note(text: str, *, shown: bool = True) -> None:
    """A line for a person who watches, on standard error; nothing where nobody does."""
    if shown and sys.stderr.isatty():
        click.echo(text, err=True)


def table(header: Sequence[str], rows: Collection[Sequence[object]]) -> str:
    """A plain table: the first column to the left, the others to the right."""
    cells = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def plan_table(plan: Plan, *, issue_header: str, issued: Mapping[str, int] | None = None) -> str:
    """How many decisions there are of each kind, by level."""
    from sealtool.planning import Action

    count = Counter((entry.key[1], entry.action) for entry in plan.entries)
    shown = [Action.NONE, Action.CHANGED, Action.LOST]
    header = ["Level", issue_header, "Already issued", "Changed", "No longer supported"]
    if plan.having(Action.REVOKED):
        shown.append(Action.REVOKED)
        header.append("Revoked")
    rows = []
    for level in plan.scope.levels:
        new = count[level, Action.ISSUE] if issued is None else issued.get(level, 0)
        rows.append((str(level), new, *(count[level, action] for action in shown)))
    return table(header, rows)


def problem_line(problem: Problem) -> str:
    """A problem in one line: where, what, why."""
    place = f"{problem.file} line {problem.line}" + (f", {problem.column}" if problem.column else "")
    value = f" “{problem.value}”" if problem.value else ""
    return f"{place}{value}: {problem.message}"


def show_problems(problems: Collection[Problem], *, title: str, most: int | None = PROBLEMS_SHOWN) -> None:
    """The problems on standard output; past ``most``, how many more there are."""
    if not problems:
        return
    click.echo(f"\n{title} ({len(problems)}):")
    shown = list(problems)[:most]
    for problem in shown:
        click.echo(f"  {problem_line(problem)}")
    if len(shown) < len(problems):
        click.echo(f"  … and {len(problems) - len(shown)} more: `sealtool check` lists them all.")


def show_open_questions(plan: Plan) -> None:
    """Whom a plan leaves alone and why, and what a human has to decide."""
    from sealtool.planning import Action

    if plan.held:
        click.echo(
            f"\nHeld: {counted(len(plan.held), 'person', 'people')} named by problems of the registry. Nothing is "
            "issued to them until it is put right."
        )
    show_problems(plan.problems, title="Problems")
    show_problems(plan.perhaps_one_person, title="Perhaps one person with two ids", most=None)
    changed, lost = plan.having(Action.CHANGED), plan.having(Action.LOST)
    if changed or lost:
        click.echo("\nIssued, but the registry now says otherwise; a human decides whether to reissue or revoke:")
        for entry in (*changed, *lost):
            certificate = entry.on_record.certificate_id if entry.on_record else ""
            facts = entry.as_json()
            area = f" area {facts['area']}" if facts["area"] else ""
            click.echo(f"  {certificate}  {facts['person_id']}  {facts['level']}{area}  {entry.action}")
            for change in entry.changes:
                click.echo(f"      {change['item']}: {change['was']} -> {change['is']}")
            click.echo(f"      {_remedy(entry)}")
    if revoked := plan.having(Action.REVOKED):
        click.echo("\nRevoked by a human; whatever the registry says, only `sealtool reissue` issues another one:")
        for entry in revoked:
            facts = entry.as_json()
            area = f" area {facts['area']}" if facts["area"] else ""
            click.echo(f"  {facts['certificate_id']}  {facts['person_id']}  {facts['level']}{area}")


def _remedy(entry: PlanEntry) -> str:
    """The command that carries out what a human may decide."""
    from sealtool.planning import Action

    certificate = entry.on_record.certificate_id if entry.on_record else ""
    command = "reissue" if entry.action is Action.CHANGED else "revoke"
    return f'If the registry is right: sealtool {command} {certificate} --reason "…"'


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def exit_code(*, needs_human: bool) -> ExitCode:
    """What a command that did its work returns."""
    return ExitCode.NEEDS_HUMAN if needs_human else ExitCode.DONE


@contextmanager
def progress(label: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error when that is a terminal; silent otherwise."""
    if not shown or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    bars: list[Any] = []

    def advance(done: int, total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True))
            bars[0].__enter__()
        bars[0].update(done - bars[0].pos)

    try:
        yield advance
    finally:
        if bars:
            bars[0].__exit__(None, None, None)
