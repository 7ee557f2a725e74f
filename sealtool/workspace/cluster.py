"""The workers of the configured cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from sealtool.model import Verification
from sealtool.settings import ClusterSettings
from sealtool.workspace import tasks

if TYPE_CHECKING:
    from sealtool.auditing import Distance
    from sealtool.cluster import ClusterExecutor
    from sealtool.workspace.front import Workspace


@contextmanager
def workers_of(
    settings: ClusterSettings,
    *results: type,
    likeness: Callable[[], Mapping[str, str]] | None = None,
    alone: bool,
    at_most_seconds: float = inf,
) -> Iterator[ClusterExecutor]:
    """Connects with them.

    Args:
        settings: where they are.
        results: the types that functions may return.
        likeness: in what they have to be like this process; None for program and libraries.
        alone: whether calls must not run beside each other in one process.
        at_most_seconds: to wait for them, where the configuration would wait longer.

    Raises:
        ConfigurationError: they cannot be used.
        WorkerLostError: they answered, and then no more.
    """
    from sealtool.cluster import ClusterOptions, cluster_workers
    from sealtool.cluster.likeness import program_likeness
    from sealtool.cluster.options import Credentials

    files = (settings.ca, settings.certificate, settings.key)
    credentials = Credentials(*map(Path, filter(None, files))) if settings.is_protected else None
    patience = min(settings.timeout_seconds, at_most_seconds)
    options = ClusterOptions(settings.address or "", credentials, patience)
    with cluster_workers(options, likeness or program_likeness, results, alone=alone) as executor:
        yield executor


@contextmanager
def workers_of_a_press(workspace: Workspace, *results: type, at_most_seconds: float = inf) -> Iterator[ClusterExecutor]:
    """The same for what is issued: they have to lay out as this process does, too.

    Raises:
        As :func:`workers_of`.
    """
    likeness = partial(tasks.likeness, workspace.rendering_options())
    settings = workspace.settings.cluster
    with workers_of(settings, *results, likeness=likeness, alone=True, at_most_seconds=at_most_seconds) as executor:
        yield executor


@contextmanager
def distance(settings: ClusterSettings) -> Iterator[Distance | None]:
    """The same for audits; None where there is no cluster.

    Raises:
        As :func:`workers_of`.
    """
    from sealtool.auditing import Distance
    from sealtool.chambers import GivenUp

    if settings.address is None:
        yield None
        return
    with workers_of(settings, Verification, GivenUp, alone=False) as workers:
        yield Distance(workers, settings.own_checks, SystemRandom().sample)
