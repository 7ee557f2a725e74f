"""Extends sealed files, so that they can be proven for longer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealtool.errors import UsageError
from sealtool.ledger import DocumentOnRecord
from sealtool.listing import RunSeal
from sealtool.preservation import Checks, Need, Preservation
from sealtool.renewing import ExtensionReport, Renewing, chosen_documents, extend_copies, find_files
from sealtool.running import Edge, Recording
from sealtool.workers import worker_processes
from sealtool.workspace import tasks
from sealtool.workspace.presses import press_of
from sealtool.workspace.runs import edge_of, imprint_of, run_facts
from sealtool.workspace.trust import insist_on_anchors

if TYPE_CHECKING:
    from sealtool.sealing import Extender
    from sealtool.workspace.front import Workspace


def extend(
    workspace: Workspace, paths: Sequence[Path], hooks: Mapping[str, Any], *, due_days: int | None, force: bool
) -> ExtensionReport:
    """As :meth:`Workspace.extend`."""
    settings = workspace.settings
    found = find_files(paths, settings.output.folder)
    if not found and due_days is None:
        raise UsageError(
            f"There is no PDF in {', '.join(map(str, paths))}, so nothing was extended.",
            advice="Name a sealed PDF or a folder that holds some, or call with --due.",
        )
    report, edge = ExtensionReport(refused=list(found.refused)), edge_of(workspace, hooks)
    days = timedelta(days=settings.run.renew_days if due_days is None else due_days)
    with worker_processes(settings.run.worker_count) as executor, asyncio.Runner() as runner:
        preservation = _preservation(workspace, executor, Need(workspace.now() + days, force), edge)
        try:
            if found.documents or due_days is not None:
                _renew(workspace, runner, preservation, found.documents, due_days, report, edge)
            extend_copies(runner, preservation, found.copies, report, edge)
        finally:
            runner.run(preservation.aclose())
    return report


def _renew(  # noqa: PLR0913, PLR0917 - what one run needs
    workspace: Workspace,
    runner: asyncio.Runner,
    preservation: Preservation,
    names: tuple[str, ...],
    due_days: int | None,
    report: ExtensionReport,
    edge: Edge,
) -> None:
    command = f"extend {len(names)} documents" if due_days is None else f"extend --due {due_days}"
    with workspace.held_ledger() as ledger:
        seal = RunSeal(runner, press_of(workspace, preservation.executor))

        def choose() -> list[DocumentOnRecord]:
            named = chosen_documents(ledger.documents_on_record(), names, report) if names else []
            if due_days is None:
                return named
            due = ledger.documents_on_record(until=preservation.need.due_until)
            return list({one.path: one for one in (*named, *due)}.values())

        recording = Recording(ledger, workspace.output, edge)
        renewing = Renewing(recording, imprint_of(workspace), preservation, seal)
        try:
            renewing.run(runner, choose, run_facts(workspace, command), report)
        finally:
            seal.close()


def _preservation(workspace: Workspace, executor: Executor, need: Need, edge: Edge) -> Preservation:
    insist_on_anchors(workspace.settings.trust.anchors)

    @cache
    def checks() -> Checks:
        trust = workspace.trust_in_own_output
        # At B-LTA a file must stand on its own: that check gets no revocation lists but those inside it.
        alone = replace(trust, revocation_lists=())
        return Checks(
            on_all=partial(tasks.check, trust, workspace.now), alone=partial(tasks.check, alone, workspace.now)
        )

    def extender() -> Extender:  # nothing of sealing is loaded before something has to be extended
        return workspace.seal.extender()

    return Preservation(
        executor=executor,
        checks=checks,
        extending=extender,
        need=need,
        in_flight=4 * workspace.settings.run.worker_count,
        on_step=edge.on_step,
    )
