"""Issues what an export supports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealtool.issuing import IssueReport, Issuing
from sealtool.ledger import Ledger
from sealtool.planning import Plan, Scope
from sealtool.running import Edge
from sealtool.workspace.runs import edge_of, imprint_of, run_facts

if TYPE_CHECKING:
    from sealtool.press import Press
    from sealtool.workspace.front import Workspace


def issue(
    workspace: Workspace, folder: Path | None, scope: Scope, hooks: Mapping[str, Any], *, accept_shrink: bool
) -> tuple[Plan, IssueReport]:
    """As :meth:`Workspace.issue`."""
    with workspace.held_ledger() as ledger, workspace.pressing() as press:
        read = [workspace.read_for(scope, ledger, folder, accept_shrink=accept_shrink)]
        edge = edge_of(workspace, hooks)
        facts = run_facts(workspace, scope.as_words("issue"), read[0].sources)
        run = issuing(workspace, ledger, press, edge)
        # when all is decided the registry is let go: a run needs its memory for the manifest
        return run.run(lambda: workspace.plan(read.pop(), scope, ledger, press=press), facts)


def issuing(workspace: Workspace, ledger: Ledger, press: Callable[[], Press], edge: Edge) -> Issuing:
    """What issues, with a ledger that is held and a press."""
    return Issuing(
        ledger=ledger,
        output=workspace.output,
        press=press,
        edge=edge,
        imprint=imprint_of(workspace),
        one_file_per_language=workspace.settings.output.one_file_per_language,
    )
