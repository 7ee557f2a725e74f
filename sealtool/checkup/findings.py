"""What a check finds, and how checks are carried out: all of them, whatever one of them runs into."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sealtool.errors import ExitCode, SealtoolError


class State(StrEnum):
    """How a part of the installation is."""

    OK = "ok"
    WARNING = "warning"
    """It works now; somebody should look at it, or it could not be looked at."""
    PROBLEM = "problem"
    """`issue` would stop, or make something that does not pass."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of one part of the installation.

    Attributes:
        name: of the check; part of the tool's interface.
        state: how it is.
        message: a sentence or two.
        advice: what to do about it; empty where all is well.
        exit_code: what `issue` would end with; means something for problems only.
    """

    name: str
    state: State
    message: str
    advice: str = ""
    exit_code: ExitCode = ExitCode.NEEDS_HUMAN


def ok(name: str, message: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, message)


def warning(name: str, message: str, advice: str) -> Finding:
    """It works now, and somebody should look at it."""
    return Finding(name, State.WARNING, message, advice)


def problem(name: str, error: SealtoolError) -> Finding:
    """It does not work; in the words that `issue` would use."""
    return Finding(name, State.PROBLEM, error.message, error.advice, error.exit_code)


@dataclass(frozen=True, slots=True)
class Check:
    """One look at one part of the installation.

    Attributes:
        name: of its finding.
        look: does it; may raise a SealtoolError, which then is the problem found.
        asks_services: whether it needs others to answer: a time stamp authority, an OCSP responder, a signing service.
    """

    name: str
    look: Callable[[], Finding]
    asks_services: bool = False


@dataclass(frozen=True, slots=True)
class CheckUp:
    """All findings, in the order of the checks.

    Attributes:
        findings: one for each check that was carried out.
        left_out: names of those that were not.
    """

    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]

    def count(self, state: State) -> int:
        """How many findings are so."""
        return sum(finding.state is state for finding in self.findings)

    @property
    def exit_code(self) -> ExitCode:
        """0 when all is well; the code of `issue` when all problems have the same; otherwise 1."""
        codes = {finding.exit_code for finding in self.findings if finding.state is State.PROBLEM}
        if len(codes) == 1:
            return codes.pop()
        return ExitCode.NEEDS_HUMAN if codes or self.count(State.WARNING) else ExitCode.DONE


def examine(checks: Iterable[Check], *, offline: bool) -> CheckUp:
    """Carries the checks out, each by itself.

    Args:
        checks: in the order in which they are reported.
        offline: leave out those that ask services.
    """
    findings, left_out = [], []
    for check in checks:
        if offline and check.asks_services:
            left_out.append(check.name)
        else:
            findings.append(_carried_out(check))
    return CheckUp(tuple(findings), tuple(dict.fromkeys(left_out)))


def _carried_out(check: Check) -> Finding:
    try:
        return check.look()
    except SealtoolError as error:
        return problem(check.name, error)
    except Exception as error:  # noqa: BLE001 - whatever one check runs into, the others are made
        return Finding(
            check.name,
            State.PROBLEM,
            f"This could not be looked at, which is a fault of sealtool itself ({type(error).__name__}: {error}).",
            "Please report it.",
            ExitCode.BUG,
        )
