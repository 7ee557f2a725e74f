"""Processes in which files are judged: one file at a time in each, and each within limits of time and memory.

A file may have been made to hold up whoever opens it, or to break the program. So each is judged in a process that
can be lost: what happens to it is said of the file that it held, and of no other.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from sealtool.errors import WorkerLostError
from sealtool.privacy import forbid_core_dumps
from sealtool.workers import out_of_reach_of_ctrl_c, start_worker

Judges = TypeVar("Judges")

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB
_LOADED_BEFOREHAND: Final = ["sealtool.verification", "sealtool.auditing", "sealtool.workspace.tasks", "sealtool.cli"]
_START_SECONDS: Final = 120
_LOOK_SECONDS: Final = 0.5
_SLACK: Final = 64
"""KiB: a process that has less left, and still has no answer, will have none."""
_READY: Final = "ready"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. A certificate takes less than a tenth of a second and some 20 MiB.

    Attributes:
        seconds: from the moment a process takes it up.
        memory: MiB of data of the process that judges it, the program itself (about 60 MiB) included.
    """

    seconds: float = 60
    memory: int = 1024


class Cause(Enum):
    """Why a file was given up."""

    TOO_COSTLY = auto()
    CRASHED = auto()


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A file was not judged to the end; ``detail`` is one sentence, or empty."""

    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True)
class Task:
    """A function that can be imported, to be called with the judges and these arguments."""

    function: Callable[..., Any]
    arguments: tuple[object, ...]


Outcome = Any | GivenUp


_Context = ForkContext | ForkServerContext


def _context() -> _Context:
    """A fork copies one thread only, and whatever lock another one holds for ever."""
    if len(os.listdir("/proc/self/task")) == 1:  # noqa: PTH208 - a list of names is all there is to it
        return multiprocessing.get_context("fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED_BEFOREHAND)
    # It is started with the first process, else, and lets Ctrl-C in again when it is.
    resource_tracker.ensure_running()
    return context


class Chambers(Generic[Judges]):
    """A number of processes, started when there is work and ended with the block.

    They are forked, from this process where it has one thread, which takes no time, and otherwise from one that has
    loaded the program and nothing else. So whoever opens them must not hold a key or the ledger.

    Args:
        judges: handed to each process once, and to every task first.
        count: how many processes at most.
    """

    def __init__(self, judges: Judges, *, count: int, limits: Limits) -> None:
        self._judges = judges
        self._count = count
        self._limits = limits
        self._context = _context()
        self._chambers: list[_Chamber] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[tuple[int, Outcome]]:
        """The outcome of each task with its number, as they come in.

        A task whose process was lost is tried once more when all others are done, in a new process and alone: the
        system may have ended the wrong one. So is one that ran out of memory where earlier ones may have filled it.

        Raises:
            WorkerLostError: processes cannot even be started.
        """
        suspects: list[tuple[int, Task]] = []
        numbered = list(enumerate(tasks))
        for number, task, outcome in self._share_out(numbered):
            if isinstance(outcome, _Lost) and outcome.may_be_innocent:
                suspects.append((number, task))
            else:
                yield number, _settled(outcome)
        for suspect in suspects:
            self._clear()
            for number, _, outcome in self._share_out([suspect]):
                yield number, _settled(outcome)

    def _share_out(self, numbered: Iterable[tuple[int, Task]]) -> Iterator[tuple[int, Task, Any]]:
        waiting = deque(numbered)
        self._hand_out(waiting)
        while any(chamber.number is not None for chamber in self._chambers):
            answers = [self._answer(chamber) for chamber in self._next()]
            self._hand_out(waiting)  # before anybody looks at the answers: no process is to wait for that
            yield from answers

    def _hand_out(self, waiting: deque[tuple[int, Task]]) -> None:
        while waiting and (chamber := self._free()) is not None:
            chamber.take_up(*waiting.popleft(), self._limits)

    def _answer(self, chamber: _Chamber) -> tuple[int, Task, Any]:
        number, task = chamber.held
        outcome = chamber.outcome(self._limits)
        if isinstance(outcome, _Lost):
            self._chambers.remove(chamber)
            chamber.close()
        return number, task, outcome

    def _free(self) -> _Chamber | None:
        for chamber in self._chambers:
            if chamber.number is None:
                return chamber
        if len(self._chambers) >= self._count:
            return None
        chamber = _Chamber(self._context, self._judges, self._limits)
        self._chambers.append(chamber)
        chamber.insist_on_ready()
        return chamber

    def _next(self) -> list[_Chamber]:
        """Those that have an answer, are lost, or are not to be waited for any more; none where all just take time."""
        busy = [chamber for chamber in self._chambers if chamber.number is not None]
        patience = min(chamber.deadline for chamber in busy) - time.monotonic()
        heard = wait([chamber.channel for chamber in busy], timeout=min(max(0, patience), _LOOK_SECONDS))
        return [chamber for chamber in busy if chamber.channel in heard or chamber.is_overdue(self._limits)]

    def _clear(self) -> None:
        """Nothing of value is lost: whatever they hold can be judged again."""
        for chamber in self._chambers:
            chamber.close()
        self._chambers.clear()


@dataclass(frozen=True, slots=True)
class _Lost:
    """Why a process is not to be used again."""

    cause: Cause
    detail: str
    may_be_innocent: bool


class _Chamber:
    """One process, as seen from outside."""

    def __init__(self, context: _Context, judges: object, limits: Limits) -> None:
        self.channel, inner = context.Pipe()
        self.number: int | None = None
        self._task: Task | None = None
        self.deadline = 0.0
        self._look_again = 0.0
        self._was_full = False
        self._is_first = True
        self._process: BaseProcess = context.Process(target=_sit, args=(inner, judges, limits), daemon=True)
        with out_of_reach_of_ctrl_c():
            self._process.start()
        inner.close()

    @property
    def held(self) -> tuple[int, Task]:
        """What it works on."""
        if self.number is None or self._task is None:
            raise AssertionError("an idle chamber was asked what it holds")
        return self.number, self._task

    def take_up(self, number: int, task: Task, limits: Limits) -> None:
        """Hands over a task; its time begins now."""
        self.number, self._task, self._was_full = number, task, False
        now = time.monotonic()
        self.deadline, self._look_again = now + limits.seconds, now + _LOOK_SECONDS
        with contextlib.suppress(OSError):  # it was ended while it was idle: that shows as the end of its answers
            self.channel.send(task)

    def insist_on_ready(self) -> None:
        """Waits for the process to be there.

        Raises:
            WorkerLostError: it is not.
        """
        with contextlib.suppress(EOFError, OSError):
            if self.channel.poll(_START_SECONDS) and self.channel.recv() == _READY:
                return
        raise WorkerLostError(
            "No process could be started to judge files, so the audit is not complete and nothing is said.",
            advice="Check that memory and processes are to be had, or raise --memory-limit; then call again.",
        )

    def is_overdue(self, limits: Limits) -> bool:
        """Whether it has had its time, or was out of memory twice running, so that it does nothing but ask for more.

        Python itself may do that for ever: where it cannot even make the number that it needs to leave a block, it
        tries again.
        """
        now = time.monotonic()
        if now < self._look_again:
            return self.deadline <= now
        self._look_again = now + _LOOK_SECONDS
        was_full, self._was_full = self._was_full, self._data() + _SLACK >= limits.memory * _KIB
        return self.deadline <= now or (was_full and self._was_full)

    def _data(self) -> int:
        """KiB of what RLIMIT_DATA bounds; 0 where the process is gone."""
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii", errors="replace")
            if found := re.search(r"^VmData:\s*([0-9]+) kB$", status, re.MULTILINE):
                return int(found[1])
        return 0

    def outcome(self, limits: Limits) -> Any:
        """What became of the task: its value, GivenUp, or _Lost, after which the process is to be ended."""
        try:
            if not self.channel.poll():
                if self.deadline <= time.monotonic():
                    return _Lost(Cause.TOO_COSTLY, f"It took more than {limits.seconds:g} s.", may_be_innocent=False)
                return _out_of_memory(limits, is_first=self._is_first)
            outcome = self.channel.recv()
        except (EOFError, OSError):
            return self._loss(limits)
        self.number = self._task = None
        self._is_first = False
        return outcome

    def _loss(self, limits: Limits) -> _Lost:
        """Why the process ended by itself."""
        self._process.join(_START_SECONDS)
        code = self._process.exitcode or 0
        if -code == signal.SIGXCPU:
            return _Lost(Cause.TOO_COSTLY, f"It took more than {limits.seconds:g} s.", may_be_innocent=False)
        told = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        if -code == signal.SIGKILL:
            told += ", as when memory runs out"
        return _Lost(Cause.CRASHED, f"It ended with {told}.", may_be_innocent=True)

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self.channel.close()
        self._process.kill()
        self._process.join()
        self._process.close()


def _out_of_memory(limits: Limits, *, is_first: bool) -> _Lost:
    return _Lost(Cause.TOO_COSTLY, f"It took more than {limits.memory} MiB of memory.", may_be_innocent=not is_first)


def _settled(outcome: Any) -> Outcome:
    return GivenUp(outcome.cause, outcome.detail) if isinstance(outcome, _Lost) else outcome


# --- inside ------------------------------------------------------------------------------------------


def _sit(channel: Connection, judges: object, limits: Limits) -> None:
    """Answers one task after the other, until nobody asks any more."""
    start_worker()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries think of an odd certificate is told by the verdict
    forbid_core_dumps()
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory * _MIB, limits.memory * _MIB))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the last words of a process that breaks down are for nobody
    channel.send(_READY)
    is_first = True
    while True:
        try:
            task: Task = channel.recv()
        except EOFError:
            return
        _bound_processor_time(limits.seconds)
        outcome = _attempt(task, judges, limits, is_first=is_first)
        channel.send(outcome)
        if isinstance(outcome, _Lost):
            return
        is_first = False


def _bound_processor_time(seconds: float) -> None:
    """The system ends this process if it computes on when nobody is left who could."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    until = int(spent.ru_utime + spent.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _attempt(task: Task, judges: object, limits: Limits, *, is_first: bool) -> Any:
    try:
        return task.function(judges, *task.arguments)
    except (MemoryError, SystemError):  # the second is what C code makes of the first
        pass  # until the end of this block the error holds on to what filled the memory, and there is none for words
    except RecursionError:
        return GivenUp(Cause.TOO_COSTLY, "It is nested too deeply.")
    except Exception as error:  # noqa: BLE001 - judges answer with a verdict; what else comes is said of this file alone
        return GivenUp(Cause.CRASHED, f"({type(error).__name__})")
    gc.collect()
    return _out_of_memory(limits, is_first=is_first)
