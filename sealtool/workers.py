"""The processes that lay certificates out and check them. The seal key never goes there."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from traceback import format_exception
from typing import Any, Final, ParamSpec, TypeVar

from sealtool.collecting import collect_seldom
from sealtool.errors import WorkerLostError

P = ParamSpec("P")
T = TypeVar("T")

_WORTH_A_WAIT: Final = 8
"""Pieces of work that it is worth to wait for, so as not to lay out a certificate of a new kind (some 15 times as long
as one of a known kind)."""
_WORTH_A_START: Final = 4
"""Pieces of work that have to wait for each process before another is started, which takes a second or two."""
_READY_AT_ONCE: Final = 2
_BUNDLE: Final = 8
_BUNDLES_ON_THEIR_WAY: Final = 2


async def call_in(executor: Executor, function: Callable[..., T], *arguments: object, near: Hashable = None) -> T:
    """The outcome of a function that runs in the executor.

    Args:
        executor: where it runs.
        function: to be called.
        arguments: its arguments.
        near: calls with the same value go to the same processes where that costs nobody a wait, as they can use what
            the others left there. None for those that are as well off anywhere.

    Raises:
        WorkerLostError: a worker process was ended from outside; most often the machine was out of memory.
    """
    with _in_our_words():
        return await asyncio.wrap_future(_submitted(executor, near, function, *arguments))


def result_of(executor: Executor, function: Callable[..., T], *arguments: object) -> T:
    """As :func:`call_in`, for callers without a running event loop."""
    with _in_our_words():
        return executor.submit(function, *arguments).result()


def begin(executor: Executor, function: Callable[..., object], *arguments: object, near: Hashable) -> None:
    """As :func:`call_in`, for what makes later calls shorter and nobody waits for; they find out what is wrong."""
    _submitted(executor, near, function, *arguments)


def _submitted(executor: Executor, near: Hashable, function: Callable[..., T], *arguments: object) -> Future[T]:
    if near is not None and isinstance(executor, _Processes):
        return executor.submit_near(near, function, *arguments)
    return executor.submit(function, *arguments)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except BrokenExecutor as error:
        raise WorkerLostError(
            "A worker process was ended from outside, as the system does when memory runs out. What was published is "
            "recorded; the rest is pending.",
            advice="Call again: the next run goes on. If it happens often, set run.workers to a smaller number.",
        ) from error


@contextmanager
def worker_processes(count: int, make_ready: Callable[[], object] | None = None) -> Iterator[Executor]:
    """An executor with ``count`` processes; for one, a thread of this process, which a second would only slow down.

    A process starts when the others have enough to do. With ``make_ready`` the first two start with the first piece of
    work, and get ready for more side by side; what it raises is for that work to find out.

    The processes are started afresh (no fork): they inherit neither the key nor the ledger. They end with
    this process, also when it is killed. They live as long as the executor: replacing them after so many tasks can
    leave work waiting for ever on Python 3.11.
    """
    if count == 1:
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield thread
        return
    executor = _Processes(count, make_ready)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class _Processes(Executor):
    """Processes that are started when there is work for them: most nights there is none, and even what looks after the
    semaphores of a pool would take longer than the rest of the run. Each has a queue of its own."""

    def __init__(self, count: int, make_ready: Callable[[], object] | None) -> None:
        self._count = count
        self._make_ready = make_ready
        self._queues: list[_Queue] = []
        self._familiar: dict[Hashable, list[_Queue]] = {}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hands work to the process that has least of it."""
        return self._least_busy().submit(fn, *args, **kwargs)

    def submit_near(self, near: Hashable, fn: Callable[..., T], *args: object) -> Future[T]:
        """Hands work to a process that had some like it, unless others have far less to do."""
        least_busy, familiar = self._least_busy(), self._familiar.setdefault(near, [])
        chosen = min(familiar, key=_Queue.length, default=least_busy)
        if chosen.length() > least_busy.length() + _WORTH_A_WAIT:
            chosen = least_busy
        if chosen not in familiar:
            familiar.append(chosen)
        return chosen.submit(fn, *args)

    def _least_busy(self) -> _Queue:
        if not self._queues:
            self._queues = [_Queue() for _ in range(self._count)]
            if self._make_ready is not None:
                for queue in self._queues[:_READY_AT_ONCE]:
                    queue.submit(self._make_ready)
        return min(self._queues, key=_Queue.length)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - of Executor
        """Ends the processes, if there are any, side by side."""
        if self._queues:
            with ThreadPoolExecutor(len(self._queues)) as threads:
                for queue in self._queues:
                    threads.submit(queue.shutdown, wait=wait, cancel_futures=cancel_futures)


class _Queue:
    """One process, and the work that waits for it.

    Each way to a process and back costs threads and locks, so what comes while it is busy goes there in one bundle.
    """

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(
            max_workers=1, mp_context=multiprocessing.get_context("spawn"), initializer=start_worker
        )
        self._far_end: Connection = self._pool._call_queue._reader  # type: ignore[attr-defined]  # noqa: SLF001
        self._lock = threading.Lock()
        self._waiting: deque[_Call] = deque()
        self._on_their_way: list[list[_Call]] = []
        self._is_started = False
        self._broken: BrokenExecutor | None = None

    def length(self) -> int:
        """How much work is not done, with that of starting."""
        going = sum(map(len, self._on_their_way))
        return len(self._waiting) + going + (0 if self._is_started else _WORTH_A_START)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hands work to the process."""
        future: Future[T] = Future()
        with self._lock:
            self._is_started = True
            self._waiting.append(_Call(future, partial(fn, *args, **kwargs)))
        self._send()
        return future

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        """Ends the process."""
        if cancel_futures:
            with self._lock:
                given_up, self._waiting = self._waiting, deque()
            for call in given_up:
                call.future.cancel()
                call.future.set_running_or_notify_cancel()  # tells whoever waits for it
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _send(self) -> None:
        """Sends what waits, unless enough is on its way: one bundle being worked on, and the next behind it."""
        with self._lock:
            bundle: list[_Call] = []
            while self._waiting and len(bundle) < _BUNDLE and len(self._on_their_way) < _BUNDLES_ON_THEIR_WAY:
                call = self._waiting.popleft()
                if call.future.set_running_or_notify_cancel():
                    bundle.append(call)
            if not bundle:
                return
            self._on_their_way.append(bundle)
        # Without our lock, and never to a pool that broke: from 3.12.1 on, Python tells of that with a lock held that
        # submitting needs.
        try:
            if self._broken is not None:
                raise self._broken
            with out_of_reach_of_ctrl_c():
                arriving = self._pool.submit(_outcomes, [call.work for call in bundle])
        except RuntimeError as error:  # it broke, or was shut down
            arriving = Future()
            arriving.set_exception(error)
        arriving.add_done_callback(partial(self._arrived, bundle))

    def _arrived(self, bundle: list[_Call], outcomes: Future[list[_Outcome]]) -> None:
        error = BrokenExecutor() if outcomes.cancelled() else outcomes.exception()
        with self._lock:
            self._on_their_way.remove(bundle)
            if isinstance(error, BrokenExecutor):
                self._broken = error
        self._send()
        if error is not None:
            # Before 3.11.5 Python waits for ever for a lost process to read what it is being sent, for this process
            # can read it, too (python/cpython#94777).
            self._far_end.close()
            for call in bundle:
                call.future.set_exception(error)
            return
        for call, outcome in zip(bundle, outcomes.result(), strict=True):
            if outcome.error is None:
                call.future.set_result(outcome.value)
            else:
                outcome.error.__cause__ = _InWorkerError(outcome.where)
                call.future.set_exception(outcome.error)


@dataclass(frozen=True, slots=True)
class _Call:
    """A piece of work, and the future that waits for it."""

    future: Future[Any]
    work: Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a piece of work: a value, or an error with the traceback it had in the worker."""

    value: object = None
    error: BaseException | None = None
    where: str = ""


class _InWorkerError(Exception):
    """The traceback of an error, as it was in the worker."""


def _outcomes(bundle: Sequence[Callable[[], object]]) -> list[_Outcome]:
    """Does the work of a bundle, in the worker; no piece of it stands in the way of the next."""
    outcomes = []
    for work in bundle:
        try:
            outcomes.append(_Outcome(work()))
        except BaseException as error:  # noqa: BLE001 - whoever called for it gets it
            outcomes.append(_Outcome(error=error, where="".join(format_exception(error))))
    return outcomes


@contextmanager
def out_of_reach_of_ctrl_c() -> Iterator[None]:
    """A process that is started within hears of no Ctrl-C before it calls :func:`start_worker`, and none after.

    It takes Python a good part of a second to get there, and Ctrl-C meanwhile would be a traceback in the log.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_worker() -> None:
    """What a worker process does first: it ends with its parent, leaves Ctrl-C to it, and keeps libraries quiet.

    What they say would go to the standard error of the parent, which is a log: it may quote what is being laid out.
    """
    # Ctrl-C reaches the whole process group; only the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a forked worker inherits what its parent takes it for
    collect_seldom()
    logging.lastResort = None
    warnings.simplefilter("ignore")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot tell its workers; they would wait for ever for work that never comes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
