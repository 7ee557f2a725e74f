"""How a command ends: its exit code, and the one place where errors turn into words for a user."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from sealtool.errors import ExitCode, SealtoolError

_log_file: list[Path] = []


def log_to(path: Path) -> None:
    """Names the file for the details of failures, as soon as the configuration is known."""
    _log_file[:] = [path]


def ended_with(command: click.Command, arguments: Sequence[str]) -> int:
    """Runs the command line and returns the exit code. No traceback reaches the user."""
    as_json = "--json" in arguments
    try:
        outcome = command.main(list(arguments), prog_name="sealtool", standalone_mode=False)
        sys.stdout.flush()
    except SealtoolError as error:
        _tell(error.message, error.advice, error.exit_code, as_json=as_json)
        if error.exit_code is ExitCode.BUG:
            _log(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        _tell(
            "Interrupted. What was finished is recorded; the next run goes on.",
            "",
            ExitCode.INTERRUPTED,
            as_json=as_json,
        )
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the border: nothing but words may leave
        place = _log(error)
        _tell(
            "This is a fault of sealtool itself. What was published is recorded; nothing was lost.",
            f"Please report it with the details in {place}.",
            ExitCode.BUG,
            as_json=as_json,
        )
        return ExitCode.BUG
    return outcome if isinstance(outcome, int) else ExitCode.DONE


def _tell(message: str, advice: str, code: ExitCode, *, as_json: bool) -> None:
    click.echo(f"sealtool: {message}", err=True)
    if advice:
        click.echo(f"  {advice}", err=True)
    if as_json:
        document = {"schema": "sealtool.error/1", "exit_code": int(code), "message": message, "advice": advice}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))


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
