"""How a command ends: its exit code, and the one place where errors turn into words for a user."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TextIO

import click

from sealtool.cli.console import note
from sealtool.errors import ExitCode, SealtoolError, without_numbers

_OF_WRITING: Final = frozenset({errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC})
"""What goes wrong with a stream that is written to."""

_INTERRUPT: Final = KeyboardInterrupt.__name__

_log_file: list[Path] = []
_watchers: list[Watcher] = []


class Watcher(Protocol):
    """Whoever wants to know how a command ends."""

    def told(self, ending: Ending) -> bool:
        """Tells of an error in a way of its own; whether it did, so that no words are needed."""

    def ended(self, code: int) -> None:
        """Is told the exit code, when everything else is done."""


def watch_the_end(watcher: Watcher) -> None:
    """Names whoever wants to know how the command that is running ends."""
    _watchers[:] = [watcher]


def log_to(path: Path) -> None:
    """Names the file for the details of failures, as soon as the configuration is known."""
    _log_file[:] = [path]


def ended_with(command: click.Command, arguments: Sequence[str]) -> int:
    """Runs the command line and returns the exit code. No traceback reaches the user."""
    _watchers.clear()
    code = _exit_code(command, arguments)
    for watcher in _watchers:
        try:
            watcher.ended(code)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the work is done, and its exit code tells how
            _log(error)
    return code


def _exit_code(command: click.Command, arguments: Sequence[str]) -> int:
    try:
        outcome = _outcome(command, arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. What was not told cannot be called done.
        _silence(sys.stdout)
        return ExitCode.NEEDS_HUMAN
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return _told(Ending(error.format_message(), "", ExitCode.USAGE, in_words=False), arguments)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the border: nothing but words may leave
        return _told(_ending_of(error), arguments)
    return outcome if isinstance(outcome, int) else ExitCode.DONE


def _outcome(command: click.Command, arguments: Sequence[str]) -> object:
    """What the command returns.

    Without click's own ``main``, which ends the process where a reader has gone, before any watcher is told, and
    answers Ctrl-C with an empty line, also in a log.
    """
    try:
        with command.make_context("sealtool", list(arguments)) as context:
            return command.invoke(context)
    except click.exceptions.Exit as done:  # --help and --version have done all there is to do
        return done.exit_code


@dataclass(frozen=True)
class Ending:
    """What the user is told.

    Attributes:
        in_words: False where somebody else has said it already.
        kind: of the error, for machines.
        discreet: the message for logs, where it is another one.
    """

    message: str
    advice: str
    code: ExitCode
    in_words: bool = True
    kind: str = ""
    discreet: str = ""


def _ending_of(error: BaseException) -> Ending:
    kind = type(error).__name__
    match error:
        case SealtoolError():
            log_failure(error)
            return Ending(error.message, error.advice, error.exit_code, kind=kind, discreet=error.discreet)
        case _ if _is_interrupt(error):
            message = "Interrupted. What was finished is recorded; the next run goes on."
            return Ending(message, "", ExitCode.INTERRUPTED, kind="Interrupted")
        case OSError(filename=None, strerror=str(why), errno=number) if number in _OF_WRITING:
            # Every stage puts its own into words, so this one is about the output itself.
            _silence(sys.stdout)
            message = f"The output cannot be written: {why}."
            return Ending(message, "Check where standard output goes.", ExitCode.CONFIGURATION, kind=kind)
        case OSError(filename=None, strerror=str(why)):
            message = f"The system refused what sealtool needs: {why}. What was published is recorded."
            advice = f"Look whether memory, processes or open files have run out; the details are in {_log(error)}."
            return Ending(message, advice, ExitCode.CONFIGURATION, kind=kind)
        case _:
            message = "This is a fault of sealtool itself. What was published is recorded; nothing was lost."
            return Ending(message, f"Please report it with the details in {_log(error)}.", ExitCode.BUG, kind=kind)


def _is_interrupt(error: BaseException) -> bool:
    # the library of the configuration puts a Ctrl-C that comes while it loads into an error of its own, as words
    return isinstance(error, KeyboardInterrupt) or (type(error).__name__ == "SchemaError" and _INTERRUPT in str(error))


def log_failure(error: SealtoolError) -> None:
    """Keeps the details of an error that is, or may be, a fault of the program."""
    if error.exit_code is ExitCode.BUG:
        _log(error)


def _told(ending: Ending, arguments: Sequence[str]) -> ExitCode:
    """Tells the user how it ended, as well as that is still possible; returns the code."""
    try:
        if ending.in_words and not any(watcher.told(ending) for watcher in _watchers):
            note("", shown=ending.code is ExitCode.INTERRUPTED)  # below the ^C that a terminal shows
            click.echo(f"sealtool: {ending.message}", err=True)
            if ending.advice:
                click.echo(f"  {ending.advice}", err=True)
        if "--json" in arguments:
            document = {"schema": "sealtool.error/1", **error_as_json(ending.message, ending.advice, ending.code)}
            click.echo(json.dumps(document, ensure_ascii=False, indent=2))
            sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
    return ending.code


def error_as_json(message: str, advice: str, code: ExitCode) -> dict[str, object]:
    """An error for machines, wherever one is told."""
    return {"exit_code": int(code), "message": message, "advice": advice}


def _silence(stream: TextIO) -> None:
    """Python must not complain at exit about a stream that cannot be flushed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


_FRAME: Final = re.compile(r'^[ |]*File "')
_SOURCE: Final = re.compile(r"^[ |]{4,}")
_QUOTED: Final = re.compile(r"(?<!\w)'[^']*'|\"[^\"]+\"|“[^”]*”|«[^»]*»")


def without_values(details: str) -> str:
    """A traceback in which no message repeats a value: whoever reports a fault sends it to others.

    Files, lines and source stay. In messages, what is in quotation marks is left out, and what may be a DNI or NIE.
    """
    lines = []
    in_frame = False
    for line in details.splitlines():
        in_frame = bool(_FRAME.match(line)) or (in_frame and bool(_SOURCE.match(line)))
        lines.append(line if in_frame else without_numbers(_QUOTED.sub("'…'", line)))
    return "\n".join([*lines, ""])


_ENTRY: Final = re.compile(rb"^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\dT", re.MULTILINE)
"""How entries of a log of ours begin: with their moment."""
_ENOUGH: Final = 64 * 1024
"""Bytes within which one begins: a log may have lost its beginning."""


def _log(error: BaseException) -> Path:
    """Appends the details of a failure to the log; to a file of its own where there is none to write."""
    details = without_values("".join(traceback.format_exception(error)))
    entry = f"{datetime.now(UTC).isoformat(timespec='seconds')} {details}\n"
    for path in _log_file:
        try:
            if _append(path, entry):
                return path
        except OSError:
            continue
    descriptor, name = tempfile.mkstemp(prefix="sealtool-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        log.write(entry)
    return Path(name)


def _append(path: Path, entry: str) -> bool:
    """Adds to a log, which only its owner can read; False where another file is there: it is left as it is."""
    with open(path, "a", encoding="utf-8", opener=_open_privately) as log:
        if stat.S_ISREG(os.fstat(log.fileno()).st_mode):
            with path.open("rb") as there:
                if (beginning := there.read(_ENOUGH)) and not _ENTRY.search(beginning):
                    return False
        log.write(entry)
    return True


def _open_privately(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK, 0o600)  # a pipe that nobody reads would wait for a reader
