"""What seals and archive time stamps need, gathered once for many in flight: from the authorities in their order, and
from who is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from sealtool.errors import SealtoolError
from sealtool.sealing.material import MATERIAL_LIFETIME
from sealtool.sealing.time_stamps import CheckedTimeStamper, TimeStampAuthority, TimeStampError


class Material(Protocol):
    """What was gathered."""

    @property
    def stamper(self) -> CheckedTimeStamper | None:
        """Of the authority it was gathered with, None where without one."""

    def serves_at(self, moment: datetime) -> bool:
        """Whether it may still be used at ``moment``."""


T = TypeVar("T")
MaterialT = TypeVar("MaterialT", bound=Material)


class Supply(Generic[MaterialT]):
    """Hands out material to work with. One object an event loop.

    Args:
        authorities: in order of preference; one that fails is passed over for some minutes.
        gather: makes material with the client of an authority, or without one.
        clock: the present, aware.
    """

    def __init__(
        self,
        authorities: Sequence[TimeStampAuthority],
        gather: Callable[[CheckedTimeStamper | None], Awaitable[MaterialT]],
        clock: Callable[[], datetime],
    ) -> None:
        self.authorities = tuple(authorities)
        self._gather = gather
        self._clock = clock
        self._gathered: dict[bool, MaterialT] = {}
        self._gathering = asyncio.Lock()
        self._passed_over: dict[str, datetime] = {}
        self._failures = 0
        self._last_failure: SealtoolError | None = None

    async def aclose(self) -> None:
        """Let go of connections to the authorities."""
        for authority in self.authorities:
            await authority.aclose()

    async def material(self, *, stamped: bool = True) -> MaterialT:
        """What there is, or what can be gathered.

        Raises:
            SealtoolError: what ``gather`` raises; TimeStampError where none of the authorities will do.
        """
        return await self._material(stamped, self._failures)

    async def work_with(self, work: Callable[[MaterialT], Awaitable[T]], *, stamped: bool = True) -> T:
        """Do some work, and again from the gathering where a time stamp failed in the middle.

        Raises:
            SealtoolError: as :meth:`material`, or what the work raises.
        """
        failures = self._failures
        for _ in self.authorities:
            material = await self._material(stamped, failures)
            try:
                return await work(material)
            except TimeStampError:
                self._pass_over(material)
        return await work(await self._material(stamped, failures))

    async def _material(self, stamped: bool, failures: int) -> MaterialT:  # noqa: FBT001 - private
        # A gathering that failed since there were so many failures counts for this work, too: many in flight would ask
        # all services again, one after the other.
        async with self._gathering:
            if self._last_failure is not None and self._failures > failures:
                raise self._last_failure
            material = self._gathered.get(stamped)
            if material is not None and material.serves_at(self._clock()):
                return material
            try:
                material = await (self._from_an_authority() if stamped else self._gather(None))
            except SealtoolError as failure:
                self._failures += 1
                self._last_failure = failure
                raise
            self._gathered[stamped] = material
            return material

    def _pass_over(self, material: MaterialT) -> None:
        for stamped in [kind for kind, gathered in self._gathered.items() if gathered is material]:
            del self._gathered[stamped]
            if material.stamper is not None:
                self._passed_over[material.stamper.name] = self._clock()

    async def _from_an_authority(self) -> MaterialT:
        failures: list[TimeStampError] = []
        for authority in sorted(self.authorities, key=self._is_passed_over):
            try:
                return await self._gather(authority.stamper(self._clock))
            except TimeStampError as failure:
                self._passed_over[authority.name] = self._clock()
                failures.append(failure)
        if len(failures) == 1:
            raise failures[0]
        raise TimeStampError(
            " ".join(dict.fromkeys(failure.message for failure in failures)), advice=failures[0].advice
        )

    def _is_passed_over(self, authority: TimeStampAuthority) -> bool:
        failed = self._passed_over.get(authority.name)
        return failed is not None and self._clock() - failed < MATERIAL_LIFETIME
