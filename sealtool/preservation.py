"""From sealed files to extended ones that our own verifier has passed. Publishes nothing and knows no ledger.

Each file is judged as it is, extended, and judged again: it must pass before and after, at B-LTA, and certify the same.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from sealtool.batches import in_batches
from sealtool.canonical import sha256_hex
from sealtool.errors import ExtensionError, SelfCheckError
from sealtool.model import PadesLevel, Reason, SealedPdf, Verdict, Verification
from sealtool.workers import call_in

_MAX_BYTES: Final = 32 * 1024 * 1024
"""What the verifier takes for a certificate; what is larger is not even read."""

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class RefusalCode(StrEnum):
    """Why a file was not extended, besides the reason codes of the verifier. Stable."""

    FILE_MISSING = "FILE_MISSING"
    NOT_A_REGULAR_FILE = "NOT_A_REGULAR_FILE"
    UNREADABLE = "UNREADABLE"
    NOT_ON_RECORD = "NOT_ON_RECORD"
    FILE_DIFFERS = "FILE_DIFFERS"
    NOTHING_GAINED = "NOTHING_GAINED"
    CANNOT_BE_EXTENDED = "CANNOT_BE_EXTENDED"
    EXTENSION_UNSOUND = "EXTENSION_UNSOUND"


class Extending(Protocol):
    """What this stage needs of the sealing stage."""

    async def prepare(self) -> datetime:
        """Does all that may fail before the first document; until when a time stamp given now can be judged."""

    async def aclose(self) -> None:
        """Lets go of connections."""

    async def extend(self, document: SealedPdf) -> SealedPdf:
        """Adds validation data and an archive time stamp, or raises."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may have to be extended.

    Attributes:
        path: of the file; no part of it leads through a link.
        name: what the report calls it.
        sha256: what has to be there; None where nobody knows.
    """

    path: Path
    name: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Extended:
    """A file that was extended, in memory, with the judgements before and after."""

    candidate: Candidate
    content: bytes
    before: Verification
    after: Verification


@dataclass(frozen=True, slots=True)
class Kept:
    """A file with which nothing had to be done."""

    candidate: Candidate
    provable_until: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was left as it is because something speaks against extending it."""

    candidate: Candidate
    reasons: tuple[Reason, ...]


class _RefusalError(Exception):
    """Something speaks against extending a file; caught in this module, where it becomes a value."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


Outcome = Extended | Kept | Refused

Check = Callable[[bytes], Verification]


@dataclass(frozen=True, slots=True)
class Checks:
    """What our own verifier says of a file. Both are importable in the processes that judge.

    Attributes:
        on_all: on all that is configured.
        alone: with no revocation lists but those inside the file.
    """

    on_all: Check
    alone: Check


@dataclass(frozen=True, slots=True)
class Need:
    """Which files need another archive time stamp.

    Attributes:
        due_until: a file at B-LTA that is provable beyond this moment is left alone.
        force: extend it all the same, where another time stamp lasts longer than the last one.
    """

    due_until: datetime
    force: bool = False

    def is_met_by(self, level: str | None, provable_until: datetime) -> bool:
        """Whether a file of this level has all it needs: a lower level is always extended."""
        return not self.force and level == PadesLevel.B_LTA and provable_until > self.due_until


@dataclass(slots=True)
class Preservation:
    """Extends files, ``in_flight`` at a time.

    Attributes:
        executor: where files are judged.
        checks: gives the checks; called only where there is a file to be judged.
        extending: makes the extender; called once, and only when there is a file for it.
        need: which files are extended.
        in_flight: how many files are worked on at a time.
        on_step: told the name of each step when it is done.
    """

    executor: Executor
    checks: Callable[[], Checks]
    extending: Callable[[], Extending]
    need: Need
    in_flight: int
    on_step: Callable[[str], None] = lambda _: None
    _extender: Extending | None = None
    _stamps_end: datetime = field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))

    async def extend(
        self, candidates: Iterable[Candidate], hand_on: Callable[[Sequence[Extended]], None]
    ) -> list[Kept | Refused]:
        """Extends what needs it, and hands it on in batches, whatever happens.

        Returns:
            The files that were not extended.

        Raises:
            SealtoolError: what stopped everything: a service, or the output.
        """
        others: list[Kept | Refused] = []

        def sort(outcome: Outcome) -> Extended | None:
            if isinstance(outcome, Extended):
                return outcome
            others.append(outcome)
            return None

        await in_batches(map(self._extend_one, candidates), self.in_flight, sort, hand_on)
        return others

    async def prepare(self) -> Extending:
        """The extender, made and asked when it is first needed.

        Raises:
            SealtoolError: a service cannot be reached, or means are missing.
        """
        if self._extender is None:
            self._extender = self.extending()
        self._stamps_end = await self._extender.prepare()
        return self._extender

    async def aclose(self) -> None:
        """Lets go of connections."""
        if self._extender is not None:
            await self._extender.aclose()

    async def _extend_one(self, candidate: Candidate) -> Outcome:
        try:
            return await self._judged_and_extended(candidate)
        except _RefusalError as refusal:
            return Refused(candidate, refusal.reasons)

    async def _judged_and_extended(self, candidate: Candidate) -> Extended | Kept:
        content = await asyncio.to_thread(_read, candidate)
        before = await call_in(self.executor, self.checks().on_all, content)
        if before.verdict is not Verdict.PASSED or before.provable_until is None:
            raise _RefusalError(*before.reasons)
        if self.need.is_met_by(before.pades_level, before.provable_until):
            return Kept(candidate, before.provable_until)
        extended = await self._extended(content, before, before.provable_until)
        after = await call_in(self.executor, self.checks().alone, extended)
        self.on_step("document checked")
        if objection := _objection(content, extended, before, after):
            raise _RefusalError(Reason(RefusalCode.EXTENSION_UNSOUND, objection), *after.reasons)
        return Extended(candidate, extended, before, after)

    async def _extended(self, content: bytes, before: Verification, provable_until: datetime) -> bytes:
        extender = await self.prepare()
        if before.pades_level is PadesLevel.B_LTA and self._stamps_end <= provable_until:
            raise _refusal(RefusalCode.NOTHING_GAINED, _gained_nothing(self._stamps_end))
        try:
            extended = await extender.extend(SealedPdf(content, before.pages or 0))
        except ExtensionError as error:
            raise _refusal(RefusalCode.CANNOT_BE_EXTENDED, str(error)) from error
        except SelfCheckError as error:
            raise _refusal(RefusalCode.EXTENSION_UNSOUND, str(error)) from error
        self.on_step("document extended")
        return extended.content


def _objection(content: bytes, extended: bytes, before: Verification, after: Verification) -> str:
    """What is wrong with an extended file, empty where nothing is."""
    if after.verdict is not Verdict.PASSED or after.pades_level is not PadesLevel.B_LTA:
        return f"What came out is {after.verdict} at {after.pades_level or 'no level'}, and was thrown away."
    if after.certificate != before.certificate or not extended.startswith(content):
        return "What came out does not hold what was there before, and was thrown away."
    return ""


def left_alone(candidate: Candidate, provable_until: datetime) -> Kept | Refused:
    """A file with which nothing has to be done, as far as its record tells, if it is the one on record."""
    try:
        _read(candidate)
    except _RefusalError as refusal:
        return Refused(candidate, refusal.reasons)
    return Kept(candidate, provable_until)


def _read(candidate: Candidate) -> bytes:
    """The content of a regular file that is what it has to be. No link is followed."""
    try:
        with open(candidate.path, "rb", opener=lambda name, _: os.open(name, _FLAGS)) as file:
            _insist_on_regular(os.fstat(file.fileno()))
            content = file.read()
    except FileNotFoundError as error:
        raise _refusal(RefusalCode.FILE_MISSING, "It is not there. Restore it from a backup.") from error
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR}:
            raise _refusal(RefusalCode.NOT_A_REGULAR_FILE, "It is a link, a folder or a device.") from error
        raise _refusal(RefusalCode.UNREADABLE, f"It cannot be read: {error.strerror or error}.") from error
    if candidate.sha256 is not None and sha256_hex(content) != candidate.sha256:
        raise _refusal(
            RefusalCode.FILE_DIFFERS,
            "It is not the file that the ledger recorded under this name. Find out who changed it: compare it with a "
            "backup, and put the right file back.",
        )
    return content


def _insist_on_regular(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise _refusal(RefusalCode.NOT_A_REGULAR_FILE, "It is a folder, a pipe, a socket or a device.")
    if facts.st_size > _MAX_BYTES:
        raise _refusal(RefusalCode.UNREADABLE, f"It has {facts.st_size} bytes, and no certificate is so large.")


def _gained_nothing(end: datetime) -> str:
    return (
        f"The certificates of the time stamp authority run out on {end:%Y-%m-%d}, no later than those behind the last "
        "archive time stamp, so another one would prove nothing more. Configure an authority that lasts longer."
    )


def _refusal(code: RefusalCode, message: str) -> _RefusalError:
    return _RefusalError(Reason(code, message))
