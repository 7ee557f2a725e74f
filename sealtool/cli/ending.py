"""How a command ends: its exit code, and the one place where errors turn into words for a user."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from sealtool.errors import ExitCode, SealtoolError

_log_file: list[Path] = []


def log_to(path: Path) -> None:
    """Names the file for the details of failures, as soon as the configuration is known."""
    _log_file[:] = [path]


def ended_with(command: click.Command, arguments: Sequence[str]) -> int:
    """Runs the command line and returns the exit code. No traceback reaches the user."""
    try:
        outcome = command.main(list(arguments), prog_name="sealtool", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. What was not told cannot be called done.
        _silence(sys.stdout)
        return ExitCode.NEEDS_HUMAN
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return _told(_Ending(error.format_message(), "", ExitCode.USAGE, in_words=False), arguments)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the border: nothing but words may leave
        return _told(_ending_of(error), arguments)
    return outcome if isinstance(outcome, int) else ExitCode.DONE


@dataclass(frozen=True)
class _Ending:
    """What the user is told; ``in_words`` is False where somebody else has said it already."""

    message: str
    advice: str
    code: ExitCode
    in_words: bool = True


def _ending_of(error: BaseException) -> _Ending:
    match error:
        case SealtoolError():
            log_failure(error)
            return _Ending(error.message, error.advice, error.exit_code)
        case KeyboardInterrupt() | click.Abort():
            message = "Interrupted. What was finished is recorded; the next run goes on."
            return _Ending(message, "", ExitCode.INTERRUPTED)
        case OSError(filename=None, strerror=str(why)):
            # Every stage puts its own into words, so this one is about the output itself.
            _silence(sys.stdout)
            message = f"The output cannot be written: {why}."
            return _Ending(message, "Check where standard output goes.", ExitCode.CONFIGURATION)
        case _:
            message = "This is a fault of sealtool itself. What was published is recorded; nothing was lost."
            return _Ending(message, f"Please report it with the details in {_log(error)}.", ExitCode.BUG)


def log_failure(error: SealtoolError) -> None:
    """Keeps the details of an error that is, or may be, a fault of the program."""
    if error.exit_code is ExitCode.BUG:
        _log(error)


def _told(ending: _Ending, arguments: Sequence[str]) -> ExitCode:
    """Tells the user how it ended, as well as that is still possible; returns the code."""
    try:
        if ending.in_words:
            click.echo(f"sealtool: {ending.message}", err=True)
            if ending.advice:
                click.echo(f"  {ending.advice}", err=True)
        if "--json" in arguments:
            document = {
                "schema": "sealtool.error/1",
                "exit_code": int(ending.code),
                "message": ending.message,
                "advice": ending.advice,
            }
            click.echo(json.dumps(document, ensure_ascii=False, indent=2))
            sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
    return ending.code


def _silence(stream: TextIO | None) -> None:
    """Python must not complain at exit about a stream that cannot be flushed."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _log(error: BaseException) -> Path:
    """Appends the details of a failure to the log; to a file of its own where there is none to write."""
    details = "".join(traceback.format_exception(error))
    entry = f"{datetime.now(UTC).isoformat(timespec='seconds')} {details}\n"
    for path in _log_file:
        try:
            with open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as log:
                log.write(entry)
        except OSError:
            continue
        return path
    descriptor, name = tempfile.mkstemp(prefix="sealtool-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        log.write(entry)
    return Path(name)
