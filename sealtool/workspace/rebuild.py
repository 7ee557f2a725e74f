"""Writes a lost ledger anew."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealtool.ledger import Found
from sealtool.publishing import OutputFolder
from sealtool.rebuilding import OutputReader, rebuild
from sealtool.workers import worker_processes
from sealtool.workspace import tasks
from sealtool.workspace.runs import edge_of, run_facts

if TYPE_CHECKING:
    from sealtool.workspace.front import Workspace


def rebuild_ledger(workspace: Workspace, folder: Path, hooks: Mapping[str, Any]) -> Found:
    """As :meth:`Workspace.rebuild_ledger`."""
    edge = edge_of(workspace, hooks)
    with worker_processes(workspace.settings.run.worker_count) as executor:
        reader = OutputReader(
            output=OutputFolder(folder),
            executor=executor,
            judge=partial(tasks.judge_certificate, workspace.trust_in_own_output, workspace.now()),
            judge_seal=partial(tasks.judge_seal, workspace.trust_in_own_output, workspace.now()),
            on_progress=edge.on_progress,
        )
        return rebuild(workspace.keeping, reader, edge, run_facts(workspace, "ledger rebuild"))
