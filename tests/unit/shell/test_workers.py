"""Work goes to processes that are there, and that had some like it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from sealtool.errors import WorkerLostError
from sealtool.workers import _Queue, begin, call_in, result_of, worker_processes


def process_after(seconds: float) -> int:
    """Which process this is, after some work."""
    time.sleep(seconds)
    return os.getpid()


def end_at_once() -> None:
    os._exit(1)


def refuse() -> None:
    raise ValueError("not ready")


@pytest.fixture
def three() -> Iterator[Executor]:
    with worker_processes(3) as executor:
        yield executor


def processes(executor: Executor, calls: int, near: object = None, seconds: float = 0.0) -> list[int]:
    async def work() -> list[int]:
        return await asyncio.gather(*(call_in(executor, process_after, seconds, near=near) for _ in range(calls)))

    return asyncio.run(work())


def test_one_worker_is_a_thread_of_this_process() -> None:
    with worker_processes(1) as executor:
        assert result_of(executor, process_after, 0.0) == os.getpid()
        assert set(processes(executor, 3, near="a kind")) == {os.getpid()}


def test_a_little_work_starts_one_process(three: Executor) -> None:
    assert len(set(processes(three, 4))) == 1
    assert os.getpid() not in processes(three, 1)


def test_much_work_starts_all_and_goes_to_the_least_busy(three: Executor) -> None:
    found = processes(three, 30, seconds=0.01)
    assert len(set(found)) == 3


def test_what_is_alike_goes_to_the_process_that_knows_it_unless_others_have_far_less_to_do(three: Executor) -> None:
    processes(three, 30, seconds=0.01)  # all are there
    kinds = {kind: set(processes(three, 6, near=kind, seconds=0.01)) for kind in ("one", "another", "a third")}
    assert all(len(where) == 1 for where in kinds.values())
    assert set(processes(three, 6, near="one")) == kinds["one"]
    assert len(set(processes(three, 60, near="one", seconds=0.01))) == 3


def test_two_get_ready_with_the_first_piece_of_work_and_what_is_not_ready_says_so_itself() -> None:
    with worker_processes(3, make_ready=refuse) as executor:
        assert result_of(executor, process_after, 0.0) != os.getpid()
        assert len(set(processes(executor, 5, seconds=0.05))) == 2


def test_an_error_is_that_of_its_piece_of_work_alone_and_says_where_it_was(three: Executor) -> None:
    async def work() -> list[object]:
        calls = [call_in(three, refuse if number == 5 else os.getpid, near="a kind") for number in range(20)]
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(work())
    error = outcomes.pop(5)
    assert isinstance(error, ValueError)
    assert "in refuse" in str(error.__cause__)
    assert all(isinstance(outcome, int) for outcome in outcomes)


def test_what_waits_when_all_ends_is_given_up() -> None:
    with worker_processes(2) as executor:
        waiting = [executor.submit(process_after, 0.05) for _ in range(40)]
        executor.shutdown(wait=False, cancel_futures=True)
        done, not_done = wait(waiting, timeout=30)
    assert not not_done
    assert any(one.cancelled() for one in done)
    begin(executor, process_after, 0.0, near="a kind")  # nobody waits for it


def test_a_process_that_is_lost_while_much_is_on_its_way_to_it_is_waited_for_by_nobody() -> None:
    # In a process of its own, which could be waited for in vain: before 3.11.5 it was Python's fault.
    done = subprocess.run(
        [sys.executable, "-c", _LOSE_A_WORKER], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "lost\n", done.stderr


_LOSE_A_WORKER = """
import os, signal, time
from concurrent.futures import BrokenExecutor
from sealtool.workers import result_of, worker_processes

if __name__ == "__main__":
    with worker_processes(2) as executor:
        lost = result_of(executor, os.getpid)
        first = executor.submit(time.sleep, 60)
        while not first.running():
            time.sleep(0.01)
        calls = [executor.submit(len, bytes(1_000_000)) for _ in range(40)]
        time.sleep(0.5)  # until no more goes into the pipe
        os.kill(lost, signal.SIGKILL)
        try:
            first.result()
        except BrokenExecutor:
            print("lost")
"""


def test_ctrl_c_is_left_to_the_parent_also_while_a_process_starts() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PRESS_CTRL_C], capture_output=True, text=True, check=False, start_new_session=True
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


_PRESS_CTRL_C = """
import os, signal, time
from sealtool.workers import worker_processes

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)
    with worker_processes(2) as executor:
        call = executor.submit(os.getpid)
        while not call.done():
            os.killpg(0, signal.SIGINT)
            time.sleep(0.01)
        call.result()
    print("done")
"""


class _StrictPool(ThreadPoolExecutor):
    """Calls back with a lock held when it breaks, as Python's does from 3.12.1 on, and must not be asked then."""

    def __init__(self) -> None:
        super().__init__(1)
        self.lock = threading.Lock()
        self.submitted: list[Future[Any]] = []

    def submit(self, *_arguments: Any, **_named: Any) -> Future[Any]:
        assert self.lock.acquire(timeout=1), "it would wait for ever"
        self.lock.release()
        self.submitted.append(Future())
        return self.submitted[-1]


def test_a_pool_that_broke_is_handed_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = _StrictPool()
    queue = _Queue()
    queue.shutdown(wait=True, cancel_futures=True)
    monkeypatch.setattr(queue, "_pool", pool)
    calls = [queue.submit(process_after, 0.0) for _ in range(40)]
    with pool.lock:
        for bundle in pool.submitted:
            bundle.set_exception(BrokenProcessPool())
    assert all(isinstance(call.exception(timeout=1), BrokenProcessPool) for call in calls)
    late = queue.submit(process_after, 0.0)
    assert isinstance(late.exception(timeout=1), BrokenProcessPool)


def test_a_process_that_is_ended_from_outside_is_told_in_plain_words(three: Executor) -> None:
    with pytest.raises(WorkerLostError, match="ended from outside"):
        result_of(three, end_at_once)
    with pytest.raises(WorkerLostError, match="ended from outside"):
        asyncio.run(call_in(three, process_after, 0.0, near="a kind"))
