"""Many pieces of work at a time in one event loop, and their outcomes handed on in batches, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")
F = TypeVar("F")

BATCH: Final = 16
"""Outcomes that are handed on together: what a crash costs is the work on so many."""


async def in_batches(
    work: Iterable[Coroutine[Any, Any, T]],
    at_once: int,
    sort: Callable[[T], F | None],
    hand_on: Callable[[Sequence[F]], None],
) -> None:
    """Does all the work, ``at_once`` pieces at a time.

    An error lets no new work begin; what is going on is finished, and what is finished is handed on, before it is
    raised. Cancelling leaves off what is going on, and hands on what is finished.

    Args:
        work: made ready one by one, when there is room for it.
        at_once: how many pieces are worked on at a time.
        sort: tells what of an outcome is to be handed on; None for nothing. What it raises is an error like any other.
        hand_on: gets the outcomes, :data:`BATCH` at a time and the rest at the end.

    Raises:
        BaseException: what a piece of work raised, or ``sort``.
    """
    waiting, going = iter(work), set[asyncio.Task[T]]()
    finished: list[F] = []
    stopped: BaseException | None = None
    try:
        while True:
            while stopped is None and len(going) < at_once and (piece := next(waiting, None)) is not None:
                going.add(asyncio.create_task(piece))
            if not going:
                break
            done, going = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
            stopped = _sorted_out(done, sort, finished) or stopped
            while len(finished) >= BATCH:
                batch, finished = finished[:BATCH], finished[BATCH:]
                hand_on(batch)
    except asyncio.CancelledError:
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        hand_on(finished)
        raise
    hand_on(finished)
    if stopped is not None:
        raise stopped


def _sorted_out(
    done: Iterable[asyncio.Task[T]], sort: Callable[[T], F | None], finished: list[F]
) -> BaseException | None:
    """Puts each outcome in its place; returns an error that has to stop everything."""
    stopped = None
    for task in done:
        if (error := task.exception()) is not None:
            stopped = error
            continue
        try:
            outcome = sort(task.result())
        except Exception as error:  # noqa: BLE001 - it is raised when what is finished has been handed on
            stopped = error
            continue
        if outcome is not None:
            finished.append(outcome)
    return stopped
