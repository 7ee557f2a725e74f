"""What is looked at: a configuration, and ways to load what it names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sealtool.errors import SealtoolError
from sealtool.exposure import Exposure
from sealtool.settings import Settings

if TYPE_CHECKING:
    from sealtool.accreditation import Rules
    from sealtool.cluster import ClusterExecutor
    from sealtool.ledger import Ledger
    from sealtool.rendering import RenderingOptions
    from sealtool.sealing import RevocationSources, SealingProfile, SealKey, TimeStampAuthority

T = TypeVar("T")


class Prepared(Protocol):
    """What is needed of a sealer: that it gets ready."""

    async def prepare(self) -> None:
        """Does all that may fail before the first document."""

    async def aclose(self) -> None:
        """Lets go of connections."""


@dataclass(frozen=True)
class Installation:
    """An installation to look at. The callables load what the configuration names, and raise as `issue` would.

    Attributes:
        settings: the configuration, with absolute paths.
        now: the clock.
        rules: the version of the law that decides.
        open_ledger: the ledger, as `issue` opens it.
        rendering: how certificates are laid out.
        profile: what seals look like.
        seal_key: the key of the seal; asks for its passphrase where that is typed.
        sealer: of that key.
        revocation: where news of revoked certificates comes from.
        authorities: the time stamp authorities, new objects at each call.
        exposures: what other users of the machine can read or change.
        cluster: connects to the workers of the configured cluster, and does not wait long for them.
    """

    settings: Settings
    now: Callable[[], datetime]
    rules: Callable[[], Rules]
    open_ledger: Callable[[], AbstractContextManager[Ledger]]
    rendering: Callable[[], RenderingOptions]
    profile: Callable[[], SealingProfile]
    seal_key: Callable[[], SealKey]
    sealer: Callable[[SealKey], Prepared]
    revocation: Callable[[], RevocationSources]
    authorities: Callable[[], Sequence[TimeStampAuthority]]
    exposures: Callable[[], Sequence[Exposure]]
    cluster: Callable[[], AbstractContextManager[ClusterExecutor]]


class Once(Generic[T]):
    """Loads something the first time it is asked for, and remembers that it could not: a PIN is tried once."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._loaded: list[T] = []
        self._failed: SealtoolError | None = None

    def __call__(self) -> T:
        """What was loaded; raises again what hindered it."""
        if self._failed is not None:
            raise self._failed
        if not self._loaded:
            try:
                self._loaded.append(self._load())
            except SealtoolError as error:
                self._failed = error
                raise
        return self._loaded[0]

    def or_none(self) -> T | None:
        """The same, None where it cannot be loaded."""
        try:
            return self()
        except SealtoolError:
            return None
