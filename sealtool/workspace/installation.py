"""The installation that a configuration describes, for whoever looks after it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sealtool.checkup import Installation
from sealtool.workspace.cluster import workers_of_a_press

if TYPE_CHECKING:
    from sealtool.workspace.front import Workspace

_PATIENCE: Final = 10.0
"""Seconds to wait for the workers of a cluster: a look is no run."""


def installation_of(workspace: Workspace) -> Installation:
    """What there is to look at."""
    seal = workspace.seal
    return Installation(
        settings=workspace.settings,
        now=workspace.now,
        rules=lambda: workspace.rules,
        open_ledger=workspace.ledger,
        rendering=workspace.rendering_options,
        profile=seal.profile,
        seal_key=seal.key,
        sealer=seal.sealer_of,
        revocation=seal.revocation_sources,
        authorities=seal.time_stamp_authorities,
        exposures=workspace.exposures,
        cluster=partial(workers_of_a_press, workspace, at_most_seconds=_PATIENCE),
    )
