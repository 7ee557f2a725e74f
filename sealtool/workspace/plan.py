"""Decides on an export what there is to certify, and what of it cannot be printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sealtool.accreditation import assess_levels
from sealtool.collecting import values_that_stay
from sealtool.ledger import Ledger
from sealtool.model import Registry
from sealtool.planning import Plan, Scope, insist_on_known_people, make_plan
from sealtool.workspace import tasks

if TYPE_CHECKING:
    from sealtool.press import Press
    from sealtool.workspace.front import Workspace


def read_for(
    workspace: Workspace, scope: Scope, ledger: Ledger, folder: Path | None, *, accept_shrink: bool
) -> Registry:
    """As :meth:`Workspace.read_for`."""
    with values_that_stay():
        previous_rows = None if accept_shrink else ledger.last_row_counts()
        registry = workspace.read_registry(folder, previous_rows=previous_rows)
    insist_on_known_people(registry, scope, ledger.certificates_on_record(scope.levels))
    return registry


def plan(
    workspace: Workspace, registry: Registry, scope: Scope, ledger: Ledger, press: Callable[[], Press] | None
) -> Plan:
    """As :meth:`Workspace.plan`."""
    with values_that_stay():
        return make_plan(
            registry,
            scope,
            ledger.certificates_on_record(scope.levels),
            assess=lambda record, levels: assess_levels(record, workspace.rules, levels),
            unprintable=unprintable(workspace, press),
        )


def unprintable(workspace: Workspace, press: Callable[[], Press] | None = None) -> Callable[[str], tuple[str, ...]]:
    """Tells the characters of a name that cannot be printed. Fonts are looked at when it is first asked.

    Args:
        workspace: says how certificates are laid out.
        press: whose workers tell; None for this process.
    """
    options = workspace.rendering_options()
    ask = tasks.coverage if press is None else lambda options: press().told(tasks.coverage, options)
    coverage = cache(lambda: ask(options))
    return lambda text: coverage().unprintable(text)
