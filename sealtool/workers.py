"""The processes that lay certificates out and check them. The seal key never goes there."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from sealtool.errors import WorkerLostError

P = ParamSpec("P")
T = TypeVar("T")


async def call_in(executor: Executor, function: Callable[..., T], *arguments: object) -> T:
    """The outcome of a function that runs in the executor.

    Raises:
        WorkerLostError: a worker process was ended from outside; most often the machine was out of memory.
    """
    with _in_our_words():
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)


def result_of(executor: Executor, function: Callable[..., T], *arguments: object) -> T:
    """As :func:`call_in`, for callers without a running event loop."""
    with _in_our_words():
        return executor.submit(function, *arguments).result()


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

    With ``make_ready`` all processes start with the first piece of work, and get ready for more side by side. What it
    raises is for that work to find out.

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
    """A pool of processes that is made when there is work for it: most nights there is none, and even the process that
    looks after the semaphores of a pool would take longer than the rest of the run."""

    def __init__(self, count: int, make_ready: Callable[[], object] | None) -> None:
        self._count = count
        self._make_ready = make_ready
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hands work to the pool."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=self._count,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=start_worker,
            )
            if self._make_ready is not None:
                for _ in range(self._count):  # a process is started for each piece of work that finds none idle
                    self._pool.submit(self._make_ready)
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - of Executor
        """Ends the processes, if there are any."""
        if self._pool is not None:
            self._pool.shutdown(wait, cancel_futures=cancel_futures)


def start_worker() -> None:
    """What a worker process does first: it ends with its parent, leaves Ctrl-C to it, and keeps libraries quiet.

    What they say would go to the standard error of the parent, which is a log: it may quote what is being laid out.
    """
    logging.lastResort = None
    warnings.simplefilter("ignore")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Ctrl-C reaches the whole process group; only the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a forked worker inherits what its parent takes it for


def _end_with_parent() -> None:
    """A killed parent cannot tell its workers; they would wait for ever for work that never comes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
