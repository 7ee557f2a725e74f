"""The processes that lay certificates out and check them. The seal key never goes there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

TASKS_PER_PROCESS: Final = 1000
"""Layout leaks a little memory with each document, so processes are replaced now and then."""


@contextmanager
def worker_processes(count: int) -> Iterator[Executor]:
    """An executor with ``count`` processes; for one, a thread of this process, which a second would only slow down.

    The processes are started afresh (no fork): they inherit neither the key nor the ledger. They end with
    this process, also when it is killed.
    """
    if count == 1:
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield thread
        return
    executor = ProcessPoolExecutor(
        max_workers=count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        max_tasks_per_child=TASKS_PER_PROCESS,
    )
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Ctrl-C reaches the whole process group; only the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with_parent() -> None:
    """A killed parent cannot tell its workers; they would wait for ever for work that never comes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
