"""What every run is given that writes in the ledger: its edge, its facts, and what its manifest says of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sealtool
from sealtool.ledger import RunFacts
from sealtool.listing import Imprint
from sealtool.model import SourceFile
from sealtool.running import Edge

if TYPE_CHECKING:
    from sealtool.workspace.front import Workspace


def edge_of(workspace: Workspace, hooks: Mapping[str, Any]) -> Edge:
    """The world of a run.

    Args:
        workspace: whose clock and calendar count.
        hooks: those of :class:`~sealtool.running.Edge`.
    """
    return Edge(now=workspace.now, timezone=workspace.timezone, random_bytes=os.urandom, **hooks)


def run_facts(workspace: Workspace, command: str, sources: tuple[SourceFile, ...] = ()) -> RunFacts:
    """What the ledger keeps of a run: the command, and the files of the export."""
    return RunFacts(
        command=command,
        tool_version=sealtool.__version__,
        rules_version=workspace.rules.version,
        rules_sha256=workspace.rules.sha256,
        sources=sources,
    )


def imprint_of(workspace: Workspace) -> Imprint:
    """What a manifest says that is of the configuration."""
    settings = workspace.settings
    return Imprint(
        tool_version=sealtool.__version__,
        valide_address=settings.valide.address,
        valide_expected_verdict=settings.valide.expected_verdict,
        eni_organ=settings.eni.organ,
    )
