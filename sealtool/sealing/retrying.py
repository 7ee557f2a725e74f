"""Asking again where that may help: with growing pauses, and once for all who wait for the same service."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_PAUSE = 30.0
"""Seconds. A service that asks for more (Retry-After) is not asked again: another one may be up."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask again, and after how long.

    Attributes:
        retries: how often after the first time.
        backoff_seconds: about how long to wait before the first retry; each further wait is twice as long.
        sleep: waits for so many seconds.
        random: a number from 0 to 1. It spreads the retries of many machines over time.
    """

    retries: int = 2
    backoff_seconds: float = 1.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: Callable[[], float] = secrets.SystemRandom().random

    async def pause(self, retry: int, at_least: float) -> None:
        """Wait before a retry (0 for the first one)."""
        backoff = self.backoff_seconds * 2.0**retry * (0.5 + self.random())
        await self.sleep(min(max(backoff, at_least), LONGEST_PAUSE))


ONE_TRY = Patience(retries=0)
"""For services that cannot be better a second later."""


class Retrying(Generic[T]):
    """Calls one service for any number of callers at a time. What fails for all of them is retried by one of them.

    Args:
        patience: how often, and after how long.
        wait_after: fault -> seconds to wait at least before a retry can help, None where none can.
    """

    def __init__(self, patience: Patience, wait_after: Callable[[Exception], float | None]) -> None:
        self._patience = patience
        self._wait_after = wait_after
        self._lock = asyncio.Lock()
        self._recoveries = 0
        self._given_up: Exception | None = None

    async def call(self, once: Callable[[], Awaitable[T]]) -> T:
        """The result of ``once``, or of a retry.

        Raises:
            Exception: the last fault; from then on, at once for every caller: the service is given up.
        """
        for _ in range(1 + self._patience.retries):
            if self._given_up is not None:
                raise self._given_up
            recoveries = self._recoveries
            try:
                return await once()
            except Exception as fault:
                wait = self._wait_after(fault)
                if wait is None:
                    raise
                last = fault
            async with self._lock:
                if recoveries == self._recoveries:
                    return await self._recover(once, last, wait)
        raise last

    async def _recover(self, once: Callable[[], Awaitable[T]], fault: Exception, wait: float) -> T:
        if self._given_up is not None:
            raise self._given_up
        for retry in range(self._patience.retries):
            if wait > LONGEST_PAUSE:
                break
            await self._patience.pause(retry, wait)
            try:
                result = await once()
            except Exception as again:
                further = self._wait_after(again)
                if further is None:
                    raise
                fault, wait = again, further
            else:
                self._recoveries += 1
                return result
        self._given_up = fault
        raise fault
