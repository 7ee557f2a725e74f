"""The one tree of errors that may reach a user.

Every error says what went wrong and where, why it matters, and what to do. The exit codes are part of
the tool's interface (see the operator's guide); scripts rely on them.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import ClassVar, Final


class ExitCode(IntEnum):
    """What the process returns. Designed, documented and tested as an interface."""

    DONE = 0
    NEEDS_HUMAN = 1
    USAGE = 2
    CONFIGURATION = 3
    REGISTRY = 4
    LEDGER = 5
    SEAL_KEY = 6
    SERVICE_UNREACHABLE = 7
    BUG = 70
    INTERRUPTED = 130


class SealtoolError(Exception):
    """Base of every error a user may see.

    Args:
        message: what went wrong, where, and why it matters: full sentences in plain English.
        advice: what to do about it; empty only where nothing can be done.
        discreet: the message for logs, where ``message`` repeats the words of others (a template, a library) that may
            name somebody.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, advice: str = "", discreet: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.discreet = discreet

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries with the worker pool; keyword-only arguments need this.
        return (_rebuild, (type(self), self.message, self.advice, self.discreet))

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


def _rebuild(kind: type[SealtoolError], message: str, advice: str, discreet: str) -> SealtoolError:
    return kind(message, advice=advice, discreet=discreet)


_NUMBERS: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[XYZxyz][ .-]?)?(?:[0-9]\.?){7,8}(?:[ .-]?[A-Za-z])?(?![0-9A-Za-z])", re.ASCII
)


def without_numbers(text: str) -> str:
    """The text with whatever may be a DNI or NIE taken out, with or without its letter."""
    return _NUMBERS.sub("…", text)


def words_for_logs(error: BaseException) -> str:
    """What is kept of an error for years, or read by others than the caller: it names nobody.

    Of an error that is none of ours only the kind: its words are those of a library, and may quote what it was given.
    """
    if not isinstance(error, SealtoolError):
        return type(error).__name__
    return without_numbers(f"{error.discreet or error.message} {error.advice}".strip())


class UsageError(SealtoolError):
    """The command was called in a way that means nothing."""

    exit_code = ExitCode.USAGE


class ConfigurationError(SealtoolError):
    """The configuration is missing, unreadable or contradicts itself."""

    exit_code = ExitCode.CONFIGURATION


class UntrustworthyWorkersError(ConfigurationError):
    """A worker of a cluster returned what cannot be right; nothing of it was sealed or published."""


class RulesError(ConfigurationError):
    """A parameter file of the law is missing or malformed."""


class TemplateError(ConfigurationError):
    """A template or one of its resources cannot be used."""


class RegistryError(SealtoolError):
    """The registry export cannot be read as a whole. Nothing may be issued from it."""

    exit_code = ExitCode.REGISTRY


class LedgerError(SealtoolError):
    """The ledger cannot be opened, or says something that cannot be true."""

    exit_code = ExitCode.LEDGER


class LedgerLockedError(LedgerError):
    """Another run holds the ledger."""


class LedgerInconsistentError(LedgerError):
    """Ledger and published files contradict each other; a human has to look."""


class SealKeyError(SealtoolError):
    """The seal key or its certificate cannot be used."""

    exit_code = ExitCode.SEAL_KEY


class ServiceUnreachableError(SealtoolError):
    """A time stamp authority or revocation service did not answer as it must."""

    exit_code = ExitCode.SERVICE_UNREACHABLE


class OutputError(SealtoolError):
    """A file could not be written where it belongs."""

    exit_code = ExitCode.CONFIGURATION


class WorkerLostError(SealtoolError):
    """A worker process was ended from outside. The next run goes on."""

    exit_code = ExitCode.INTERRUPTED


class NotConfirmedError(SealtoolError):
    """A human was asked, and left without an answer. Nothing was done."""

    exit_code = ExitCode.INTERRUPTED


class RenderingError(SealtoolError):
    """A certificate does not fit its page, or cannot be laid out. Only this one waits for a human."""

    exit_code = ExitCode.NEEDS_HUMAN


class ExtensionError(SealtoolError):
    """A sealed file cannot be given another archive time stamp. Only this one waits for a human."""

    exit_code = ExitCode.NEEDS_HUMAN


class AppealError(SealtoolError):
    """A certificate cannot be replaced or withdrawn as things are. Nothing was done; a human has to look."""

    exit_code = ExitCode.NEEDS_HUMAN


class SelfCheckError(SealtoolError):
    """Our own verifier refused our own output. It was not published."""

    exit_code = ExitCode.BUG
