"""A real Dask scheduler with real workers on loopback, as `dask scheduler` and `dask worker` start them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
_PATIENCE = 60


@dataclass
class DaskCluster:
    """Processes of this test alone.

    Attributes:
        folder: for their files and logs.
        address: of the scheduler.
    """

    folder: Path
    options: tuple[str, ...] = ()
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_scheduler(self, protocol: str = "tcp") -> None:
        facts = self.folder / "scheduler.json"
        where = ("--host", "127.0.0.1", "--port", "0", "--protocol", protocol, "--no-dashboard")
        self.scheduler = self._start("scheduler", *where, "--scheduler-file", str(facts), *self.options)
        self.address = json.loads(_written(facts))["address"]

    def add_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Without a nanny, so that its process is the worker and nobody starts it anew."""
        number = len(self.workers)
        usual = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--no-nanny", "--name", f"w{number}")
        place = ("--local-directory", str(self.folder))
        worker = self._start("worker", self.address, *usual, *place, *self.options, *options)
        self.workers.append(worker)
        return worker

    def log(self) -> str:
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGKILL)
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore"}
        log = self.folder / f"{arguments[0]}-{len(self.workers)}.log"
        with log.open("wb") as output:
            return subprocess.Popen(
                [str(Path(sys.executable).parent / "dask"), *arguments],
                env=environment,
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


def _written(path: Path) -> str:
    """The content of a file that is about to be written."""
    deadline = time.monotonic() + _PATIENCE
    while not path.exists() or not (text := path.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, "the scheduler did not start"
        time.sleep(0.05)
    return text


@contextlib.contextmanager
def dask_cluster(
    folder: Path, workers: Sequence[tuple[str, ...]] = ((), ()), *, protocol: str = "tcp", options: tuple[str, ...] = ()
) -> Iterator[DaskCluster]:
    """A scheduler and workers, each with options of its own; ended with the block, by their ids."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, options)
    try:
        cluster.start_scheduler(protocol)
        for each in workers:
            cluster.add_worker(*each)
        yield cluster
    finally:
        cluster.close()
