"""What a run leaves for machines: one JSON object a line on standard error, and figures for Prometheus (ADR 0014).

A person at a terminal gets words and a progress bar instead. Nothing here names anybody: the facts come from
:class:`~sealtool.running.RunEvent`, and the words of an error from ``words_for_logs``.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import click
from pythonjsonlogger.json import JsonFormatter

from sealtool.cli.ending import Ending, watch_the_end
from sealtool.errors import ExitCode, SealtoolError, without_numbers
from sealtool.running import RunEvent
from sealtool.workspace import Workspace


class CommandEvent(StrEnum):
    """What the command line adds to what a run tells of itself."""

    ERROR = "error"
    OPEN_TO_OTHERS = "open_to_others"
    UNUSUAL_NAME = "unusual_name"
    UNUSUAL_DAY = "unusual_day"
    METRICS_NOT_WRITTEN = "metrics_not_written"
    LIBRARY_MESSAGE = "library_message"


_OUR_LOGGER: Final = "sealtool"
_WARNINGS: Final = frozenset(
    {
        RunEvent.CERTIFICATE_FAILED,
        RunEvent.DOCUMENT_REFUSED,
        RunEvent.COPY_REFUSED,
        CommandEvent.OPEN_TO_OTHERS,
        CommandEvent.UNUSUAL_NAME,
        CommandEvent.UNUSUAL_DAY,
        CommandEvent.METRICS_NOT_WRITTEN,
    }
)


class Journal:
    """Follows one command that changes something, from its first line to its exit code.

    Args:
        command: its name.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._began = time.monotonic()
        self._workspace: Workspace | None = None
        self._about_the_run: dict[str, Any] = {}
        self._issued: dict[str, int] = {}
        self._counts: Mapping[str, int] = {}
        self._is_json = not sys.stderr.isatty()
        logging.lastResort = None  # which prints what libraries warn of
        if self._is_json:
            _log_as_json()
        watch_the_end(self)

    def follow(self, workspace: Workspace) -> None:
        """Takes what the configuration says about logs and metrics, as soon as it is known."""
        self._workspace = workspace
        wanted = workspace.settings.run.log_format
        is_json = not sys.stderr.isatty() if wanted == "auto" else wanted == "json"
        if is_json is not self._is_json:
            self._is_json = is_json
            _log_as_json() if is_json else _log_no_more()

    def warn(self, event: CommandEvent, message: str, advice: str) -> None:
        """Tells of something that does not stop the run: in a line of the log, or in words to whoever watches."""
        self._write(event, {"message": without_numbers(message), "advice": without_numbers(advice)})
        if self.is_for_people:
            click.echo(f"sealtool: {message}\n  {advice}", err=True)

    @property
    def is_for_people(self) -> bool:
        """Whether words and a progress bar may go to standard error."""
        return not self._is_json

    def on_event(self, event: RunEvent, facts: Mapping[str, Any]) -> None:
        """What a run tells of itself."""
        match event:
            case RunEvent.RUN_BEGUN:
                self._about_the_run = {"run_id": facts["run_id"]}
            case RunEvent.RUN_ENDED:  # how it ended is known only when its exit code is
                self._counts = facts["counts"]
                return
            case RunEvent.CERTIFICATE_ISSUED:
                self._issued[facts["certified"]] = self._issued.get(facts["certified"], 0) + 1
        self._write(event, facts)

    # --- the end of the command, as the place tells it where every command ends ---------------------------

    def told(self, ending: Ending) -> bool:
        """Tells of an error; whether that was all that has to be said on standard error.

        Wrong usage stays in words: no run began, and somebody has to correct a command line.
        """
        if not self._is_json or ending.code is ExitCode.USAGE:
            return False
        facts = {
            "error": ending.kind,
            "exit_code": int(ending.code),
            "message": without_numbers(ending.discreet or ending.message),
            "advice": without_numbers(ending.advice),
        }
        self._write(CommandEvent.ERROR, facts, level=logging.ERROR)
        return True

    def ended(self, code: int) -> None:
        """Writes the last line, and the metrics."""
        if code == ExitCode.USAGE:
            _log_no_more()
            return
        duration = time.monotonic() - self._began
        facts = {"exit_code": int(code), "duration_seconds": round(duration, 3), "counts": self._counts}
        has_failed = code not in {ExitCode.DONE, ExitCode.NEEDS_HUMAN}
        try:
            self._write_metrics(code, duration)
        finally:
            self._write(RunEvent.RUN_ENDED, facts, level=logging.ERROR if has_failed else logging.INFO)
            _log_no_more()

    def _write_metrics(self, code: int, duration: float) -> None:
        if self._workspace is None or self._workspace.settings.run.metrics is None:
            return
        from sealtool.metrics import RunFigures, write_metrics

        figures = RunFigures(self._command, code, duration, self._counts, self._issued)
        try:
            write_metrics(self._workspace.settings.run.metrics, figures, self._workspace.figures, self._workspace.now())
        except SealtoolError as error:
            self._write(CommandEvent.METRICS_NOT_WRITTEN, {"message": without_numbers(error.message)})
            if self.is_for_people:
                click.echo(f"sealtool: The metrics were not written: {error.message}", err=True)

    def _write(self, event: StrEnum, facts: Mapping[str, Any], *, level: int = logging.INFO) -> None:
        if not self._is_json:
            return
        if event in _WARNINGS:
            level = logging.WARNING
        about = {"command": self._command, **self._about_the_run, **facts}
        logging.getLogger(_OUR_LOGGER).log(level, str(event), extra={"facts": about})


def _log_as_json() -> None:
    _log_no_more()  # a second command of this process, as in tests
    lines = _Lines(sys.stderr)
    lines.setFormatter(_Formatter(json_ensure_ascii=False))
    logging.getLogger(_OUR_LOGGER).setLevel(logging.INFO)
    logging.getLogger().addHandler(lines)  # of all loggers: what libraries say must not get past it


def _log_no_more() -> None:
    root = logging.getLogger()
    for lines in [one for one in root.handlers if isinstance(one, _Lines)]:
        root.removeHandler(lines)


class _Lines(logging.StreamHandler[Any]):
    """Our lines, and of libraries what they warn of."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        return record.name == _OUR_LOGGER or record.levelno >= logging.WARNING

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - of logging
        """A log that nobody can write any more is no reason to stop a run, and none for a traceback."""


class _Formatter(JsonFormatter):
    """When, how bad, what, and the facts. Of what a library says only which one it was: its words may quote what it was
    given, also those of an exception.
    """

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:  # noqa: ARG002 - of the base
        """The fields of a line, in the order in which somebody reads them."""
        is_ours = record.name == _OUR_LOGGER
        moment = datetime.fromtimestamp(record.created, UTC)
        log_data["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log_data["level"] = record.levelname
        log_data["event"] = record.msg if is_ours else str(CommandEvent.LIBRARY_MESSAGE)
        log_data.update(record.__dict__["facts"] if is_ours else {"logger": record.name})
