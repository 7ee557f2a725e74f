"""What commands ask that carry out a human's decision: who, why, and whether it is meant."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from sealtool.errors import NotConfirmedError, UsageError

if TYPE_CHECKING:
    from sealtool.appeals import Grounds


def grounds_options(command: Callable[..., int]) -> Callable[..., int]:
    """--reason, --by, --file and --yes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--reason", required=True, metavar="TEXT", help="Why, in one line. It stays on record, so it names nobody."
    ),
    click.option("--by", default="", metavar="WHO", help="Who decided: an office or a name. Default: you."),
    click.option(
        "--file", "reference", default="", metavar="REFERENCE", help="The file of the case, such as an entry number."
    ),
    click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal."),
)


def grounds_of(reason: str, by: str, reference: str) -> Grounds:
    """The grounds as they go on record, with the user of the system who calls."""
    from sealtool.appeals import Grounds

    return Grounds(reason=reason.strip(), called_by=_caller(), decided_by=by.strip(), reference=reference.strip())


def _caller() -> str:
    """As the system knows the process; the environment can say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def confirmed(questions: Sequence[str], *, yes: bool) -> bool:
    """Whether somebody at a terminal says yes to every question, or has said so beforehand.

    Raises:
        UsageError: nobody has, and nobody can be asked.
        NotConfirmedError: somebody was asked, and pressed Ctrl-C or Ctrl-D.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "This has to be confirmed, and there is no terminal to ask at. Nothing was done.",
            advice="Look at what would change, above; then add --yes.",
        )
    try:
        return all(click.confirm(question, err=True) for question in questions)
    except click.Abort as error:
        raise NotConfirmedError("Interrupted before it was confirmed. Nothing was done.") from error


def show(text: str) -> None:
    """What is asked about, on standard error: standard output has the result."""
    click.echo(text, err=True)


def show_what_is_asked(text: str, *, yes: bool) -> None:
    """What a certificate says, or would say, for whoever is asked about it.

    It names the holder. So where nobody is asked, and standard error leads to a log, nothing is shown.
    """
    if not yes or sys.stderr.isatty():
        show(text)
