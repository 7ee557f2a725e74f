"""How many workers a sealing host can keep up with: `PYTHONPATH=. python tools/bench_cluster.py`.

Starts a scheduler and two workers on this machine, which share its cores with the host. So what counts are
milliseconds of processor time for each certificate; the rates are those of this machine, busy with everything at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from sealtool.distant_press import DistantPress
from sealtool.founding import found_workspace
from sealtool.model import CertificateId, CertificateOrder, PadesLevel, Person, PersonId, SealedPdf
from sealtool.press import Press
from sealtool.rendering.facts import specimen
from sealtool.settings import load_settings
from sealtool.workspace import Workspace, utc_now
from tests.dask_cluster import DaskCluster, dask_cluster

LEVELS = ("B-B", "B-LTA")


def measure(count: int = 100, levels: Iterable[str] = LEVELS) -> dict[str, Any]:
    """Rates and costs of a cluster, for each level of the seal.

    Args:
        count: certificates to measure with.
        levels: of PAdES.
    """
    with tempfile.TemporaryDirectory() as name, dask_cluster(Path(name) / "dask", [()]) as cluster:
        return {level: _measured(Path(name) / level, level, count, cluster) for level in levels}


def _measured(folder: Path, level: str, count: int, cluster: DaskCluster) -> dict[str, Any]:
    workspace = _workspace(folder, level)
    orders = list(_orders(count))
    with workspace.pressing() as give:
        host, sealed = _host(give(), orders)
    rates, traffic = _rates(workspace, cluster, orders, sealed)
    worker = host["lay_out"] + host["check"]
    proof = host["lay_out"] + host["check"] * workspace.settings.cluster.own_checks
    sealing = host["seal"] + traffic
    return {
        "bytes": {"sealed": sum(len(one.content) for one in sealed) // count},
        "ms_of_a_worker": {"lay_out": host["lay_out"], "check": host["check"], "together": round(worker, 1)},
        "ms_of_the_host": {"seal": host["seal"], "traffic": traffic, "prove": round(proof, 1)},
        "per_second": {**rates, "sealed_by_one_core_of_the_host": round(1000 / sealing, 1)},
        "workers_at_the_limit": {
            "proofs_on_other_cores_of_the_host": ceil(worker / sealing),
            "host_with_one_core": ceil(worker / (sealing + proof)),
        },
    }


def _workspace(folder: Path, level: str) -> Workspace:
    found_workspace(folder, demo=True, now=utc_now())
    settings = load_settings(folder / "sealtool.toml")
    changes = {
        "seal": settings.seal.model_copy(update={"level": PadesLevel(level)}),
        "run": settings.run.model_copy(update={"workers": 1}),  # the processor time of this process is all there is
    }
    return Workspace(settings.model_copy(update=changes), os.environ)


def _orders(count: int) -> Iterator[CertificateOrder]:
    """Certificates of one kind, of invented people."""
    like = specimen()
    for number in range(count):
        person = Person(PersonId(f"{number:08d}T"), f"Ain{'a' * (1 + number % 7)}", "Llinatge", "Segon")
        decision = replace(like.decision, person=person)
        yield replace(like, certificate_id=CertificateId(f"BENCH-{number:06d}"), decision=decision)


def _host(press: Press, orders: Sequence[CertificateOrder]) -> tuple[dict[str, float], list[SealedPdf]]:
    """Milliseconds of processor time for each certificate, one after the other in this process; and the files."""
    press.lay_out(orders[0])
    pages, lay_out = _timed(lambda: [press.lay_out(order) for order in orders])
    sealer = press.sealing()

    async def seal() -> list[SealedPdf]:
        return [await sealer.seal(one) for one in pages]

    with asyncio.Runner() as runner:
        runner.run(sealer.prepare())
        sealed, sealing = _timed(lambda: runner.run(seal()))
        runner.run(sealer.aclose())
    press.check(sealed[0].content)
    _, check = _timed(lambda: [press.check(one.content) for one in sealed])
    return {"lay_out": lay_out, "seal": sealing, "check": check}, sealed


def _rates(
    workspace: Workspace, cluster: DaskCluster, orders: Sequence[CertificateOrder], sealed: Sequence[SealedPdf]
) -> tuple[dict[str, float], float]:
    """What one worker and two get done in a second, and what sending and receiving costs this process (ms)."""
    rates: dict[str, float] = {}
    traffic = 0.0
    for workers in (1, 2):
        while len(cluster.workers) < workers:
            cluster.add_worker()
        with _connected(workspace, cluster, workers) as press:
            now = workspace.now()
            for what, function, arguments in (
                ("laid_out", press.lay_out, [(order,) for order in orders]),
                ("checked", press.judge, [(now, one.content, None) for one in sealed]),
            ):
                _all(press.executor, function, arguments[:8])  # now each worker has what it needs
                began, spent = time.perf_counter(), time.process_time()
                _all(press.executor, function, arguments)
                rates[f"{what}_by_{workers}"] = round(len(arguments) / (time.perf_counter() - began), 1)
                traffic += (time.process_time() - spent) / len(arguments) * 1000 / 2
    return rates, round(traffic, 1)


@contextmanager
def _connected(workspace: Workspace, cluster: DaskCluster, workers: int) -> Iterator[DistantPress]:
    """With so many workers, of which the newest may still be starting."""
    while True:
        with workspace.with_cluster(cluster.address).pressing() as give:
            press = give()
            if isinstance(press, DistantPress) and press.in_flight >= 4 * workers:
                yield press
                return
        time.sleep(0.2)


def _all(executor: Executor, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> None:
    for future in [executor.submit(function, *each) for each in arguments]:
        future.result()


def _timed(work: Callable[[], list[Any]]) -> tuple[list[Any], float]:
    spent = time.process_time()
    results = work()
    return results, round((time.process_time() - spent) / len(results) * 1000, 1)


if __name__ == "__main__":
    json.dump(measure(*map(int, sys.argv[1:2])), sys.stdout, indent=2)
    print()
