"""The press of a configuration: what lays certificates out, seals them and checks them, here and in the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from random import SystemRandom
from typing import TYPE_CHECKING

from sealtool.errors import ConfigurationError
from sealtool.model import PadesLevel, UnsealedPdf, Verification
from sealtool.workers import worker_processes
from sealtool.workspace import tasks
from sealtool.workspace.cluster import workers_of_a_press
from sealtool.workspace.trust import insist_on_anchors

if TYPE_CHECKING:
    from sealtool.cluster import ClusterExecutor
    from sealtool.press import Press
    from sealtool.workspace.front import Workspace

_IN_FLIGHT, _IN_FLIGHT_STAMPED = 16, 32  # certificates for each worker; a time stamp is waited for


@contextmanager
def pressing(workspace: Workspace) -> Iterator[Callable[[], Press]]:
    """As :meth:`Workspace.pressing`."""
    settings, options = workspace.settings, workspace.rendering_options()
    with (
        worker_processes(settings.run.worker_count, partial(tasks.renderer, options)) as executor,
        ExitStack() as connected,
    ):
        own = press_of(workspace, executor)
        if settings.cluster.address is None:
            yield own
            return

        def distant() -> Press:
            cluster = workers_of_a_press(workspace, UnsealedPdf, Verification)
            return distant_press(workspace, own(), connected.enter_context(cluster))

        yield cache(distant)


def press_of(workspace: Workspace, executor: Executor) -> Callable[[], Press]:
    """Gives the press when it is first needed: a run that finds nothing new loads neither trust nor libraries.

    Raises, right here:
        ConfigurationError: what is configured cannot be enough to check our own output.
    """
    settings = workspace.settings
    insist_on_anchors(settings.trust.anchors)
    level = settings.seal.level
    if not level.carries_validation_data and not settings.revocation.crls:
        raise ConfigurationError(
            f"At {level} a certificate carries no revocation data, so the check of our own output needs "
            "revocation lists, and none are configured.",
            advice="Set revocation.crls, or seal at B-LT or B-LTA.",
        )
    return cache(partial(_set_up, workspace, executor))


def _set_up(workspace: Workspace, executor: Executor) -> Press:
    from sealtool.press import Press
    from sealtool.rendering.facts import kind_of

    trust, now, options = workspace.trust_in_the_press, workspace.now, workspace.rendering_options()
    level = workspace.settings.seal.level
    each = _IN_FLIGHT if level is PadesLevel.B_B else _IN_FLIGHT_STAMPED
    return Press(
        executor=executor,
        lay_out=partial(tasks.lay_out, options),
        kind=kind_of,
        get_ready=partial(tasks.get_ready, options),
        check=partial(tasks.check, trust, now),
        check_detached=lambda content, seal: tasks.judge_seal(trust, now(), content, seal),
        sealing=workspace.sealer,
        level=level,
        in_flight=workspace.settings.run.worker_count * each,
        timezone=workspace.timezone,
    )


def distant_press(workspace: Workspace, press: Press, cluster: ClusterExecutor) -> Press:
    """The press with the workers of a cluster, of which nothing is believed without proof."""
    from sealtool.distant_press import DistantPress

    return DistantPress(
        executor=cluster,
        lay_out=press.lay_out,
        kind=press.kind,
        get_ready=press.get_ready,
        check=press.check,
        check_detached=press.check_detached,
        sealing=press.sealing,
        level=press.level,
        in_flight=4 * cluster.places,
        timezone=press.timezone,
        own=press.executor,
        judge=partial(tasks.judge_certificate, workspace.trust_in_the_press),
        now=workspace.now,
        own_checks=workspace.settings.cluster.own_checks,
        draw=SystemRandom().random,
    )
