"""The processes that lay certificates out and check them. The seal key never goes there."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sealtool.errors import WorkerLostError

T = TypeVar("T")


async def call_in(executor: Executor, function: Callable[..., T], *arguments: object) -> T:
    """The outcome of a function that runs in the executor.

    Raises:
        WorkerLostError: a worker process was ended from outside; most often the machine was out of memory.
    """
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
    except BrokenExecutor as error:
        raise WorkerLostError(
            "A worker process was ended from outside, as the system does when memory runs out. What was published is "
            "recorded; the rest is pending.",
            advice="Call again: the next run goes on. If it happens often, set run.workers to a smaller number.",
        ) from error


@contextmanager
def worker_processes(count: int) -> Iterator[Executor]:
    """An executor with ``count`` processes; for one, a thread of this process, which a second would only slow down.

    The processes are started afresh (no fork): they inherit neither the key nor the ledger. They end with
    this process, also when it is killed. They live as long as the executor: replacing them after so many tasks can
    leave work waiting for ever on Python 3.11.
    """
    if count == 1:
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield thread
        return
    executor = ProcessPoolExecutor(
        max_workers=count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_worker,
    )
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def start_worker() -> None:
    """What a worker process does first: it ends with its parent, and leaves Ctrl-C to it."""
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
