"""Judging files on other machines: read here, judged there, each in a process of its own with the same limits.

Manifests are judged here in any case: what they say decides on all the others. And so is a share of the files, which
nobody can foresee: a worker that says something else than this machine ends the audit.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from sealtool.auditing.certificates import JudgeCertificate
from sealtool.chambers import Chambers, GivenUp, Limits, Outcome, Task
from sealtool.errors import UntrustworthyWorkersError
from sealtool.model import Verification

LEAST_CHECKED: Final = 3
"""So many files are judged here as well, however few there are."""


class Elsewhere(Protocol):
    """Workers on other machines."""

    places: int

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As that of an executor."""

    def everywhere(self, function: Callable[[], object]) -> None:
        """Calls a function once in each of them that is there; raises nothing, and comes to an end in any case."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far workers are believed.

    Attributes:
        workers: they.
        own_checks: the share of files that are judged here as well, 0 to 1.
        sample: so many of the first so many numbers, which nobody can foresee.
    """

    workers: Elsewhere
    own_checks: float
    sample: Callable[[range, int], list[int]]


@dataclass(frozen=True, slots=True)
class DistantChambers:
    """Stands in the place of :class:`~sealtool.chambers.Chambers` where certificates are judged.

    Attributes:
        judge: importable in the workers.
        own: the chambers of this machine.
    """

    distance: Distance
    judge: JudgeCertificate
    limits: Limits
    own: Chambers[Any]

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[tuple[int, Outcome]]:
        """The outcome of each task with its number, as they come in. However it ends, no process stays there.

        Raises:
            WorkerLostError: scheduler or workers are gone.
            UntrustworthyWorkersError: a worker says something else than this machine.
        """
        asked = list(tasks)
        judges = _FarJudges(self.distance.workers, partial(_judge_in_chamber, self.judge, self.limits))
        said: dict[int, Outcome] = {}
        try:
            with ThreadPoolExecutor(4 * self.distance.workers.places) as readers:
                going = {readers.submit(task.function, judges, *task.arguments): n for n, task in enumerate(asked)}
                try:
                    for future in as_completed(going):
                        said[going[future]] = future.result()
                        yield going[future], said[going[future]]
                finally:
                    readers.shutdown(wait=False, cancel_futures=True)
        finally:  # no call is on its way any more, so that none starts a process again
            self.distance.workers.everywhere(leave_chambers)
        chosen = self.distance.sample(range(len(asked)), self._how_many(len(asked)))
        for n, outcome in self.own.outcomes(asked[number] for number in chosen):
            _insist_on_agreement(said[chosen[n]], outcome)

    def _how_many(self, files: int) -> int:
        return min(files, max(LEAST_CHECKED, round(files * self.distance.own_checks)))


@dataclass(frozen=True, slots=True)
class _FarJudges:
    """Those that tasks are handed: a certificate is sent to where it is judged."""

    workers: Elsewhere
    judge: Callable[[bytes, str | None], Outcome]

    def certificate(self, content: bytes, sha256: str | None) -> Outcome:
        """What the worker says, also that it was given up."""
        outcome = self.workers.submit(self.judge, content, sha256).result()
        if not isinstance(outcome, GivenUp):
            _insist_on_content(outcome, content)
        return outcome


def _insist_on_content(outcome: object, content: bytes) -> None:
    """The judgement is of the file that was sent."""
    digest = hashlib.sha256(content).hexdigest()
    if not isinstance(outcome, Verification) or outcome.sha256 != digest:
        raise _contradiction(digest)


def _insist_on_agreement(theirs: Outcome, own: Outcome) -> None:
    """Two machines come to one judgement; only time and memory may be scarcer on one of them."""
    if not isinstance(theirs, GivenUp) and not isinstance(own, GivenUp) and theirs != own:
        raise _contradiction(own.sha256)


def _contradiction(sha256: str) -> UntrustworthyWorkersError:
    return UntrustworthyWorkersError(
        f"A worker of the cluster judged a file as something else than it is (its SHA-256 is {sha256}), so nothing "
        "that the cluster said counts.",
        advice="Verify with --cluster local, and find out who runs programs on the workers.",
    )


# What runs in the workers.

_chambers: dict[int, tuple[JudgeCertificate, Limits, Chambers[JudgeCertificate]]] = {}
"""One for each thread, kept from file to file."""


def _judge_in_chamber(judge: JudgeCertificate, limits: Limits, content: bytes, sha256: str | None) -> Outcome:
    with _allowed_to_start_processes():
        ((_, outcome),) = _chamber(judge, limits).outcomes([Task(_judge, (content, sha256))])
    return outcome


def _judge(judge: JudgeCertificate, content: bytes, sha256: str | None) -> Verification:
    return judge(content, sha256)


def _chamber(judge: JudgeCertificate, limits: Limits) -> Chambers[JudgeCertificate]:
    thread = threading.get_ident()
    kept = _chambers.get(thread)
    if kept is None or kept[:2] != (judge, limits):
        if kept is not None:
            kept[2].__exit__(None, None, None)
        kept = _chambers[thread] = (judge, limits, Chambers(judge, count=1, limits=limits))
    return kept[2]


def leave_chambers() -> None:
    """Ends the processes of an audit that is over."""
    while _chambers:
        _, (_, _, chambers) = _chambers.popitem()
        chambers.__exit__(None, None, None)


@contextmanager
def _allowed_to_start_processes() -> Iterator[None]:
    """Dask starts its workers as daemons, which may not have children, for they could outlive them. Ours do not."""
    configuration = multiprocessing.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
    was_daemon = configuration.get("daemon", False)
    configuration["daemon"] = False
    try:
        yield
    finally:
        configuration["daemon"] = was_daemon
