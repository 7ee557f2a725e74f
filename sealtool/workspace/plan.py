"""Decides on an export what there is to certify, and what of it cannot be printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sealtool.accreditation import assess_levels
from sealtool.collecting import values_that_stay
from sealtool.doubts import Printing
from sealtool.ledger import Ledger
from sealtool.model import CertificateId, CertificateOrder, Decision, Language, Registry
from sealtool.planning import Plan, Scope, insist_on_known_people, make_plan
from sealtool.workspace import tasks

if TYPE_CHECKING:
    from sealtool.press import Press
    from sealtool.workspace.front import Workspace

_FOR_TRIAL: Final = CertificateId("00000-00000-00000-00000")


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
            printing=printing(workspace, press),
        )


def printing(
    workspace: Workspace, press: Callable[[], Press] | None = None, *, replaces: CertificateId | None = None
) -> Printing:
    """Tells which names cannot be printed. Fonts are looked at when it is first asked.

    Args:
        workspace: says how certificates are laid out.
        press: whose workers tell; None for this process.
        replaces: the certificate whose place another is to take, if any: pages name it.
    """
    options = workspace.rendering_options()

    def told(ask: Callable[..., Any], *arguments: object) -> Any:
        return ask(options, *arguments) if press is None else press().told(ask, options, *arguments)

    coverage = cache(lambda: told(tasks.coverage))

    read_back: set[str] = set()  # unusual letters of names that came out as they are
    tried: dict[tuple[object, ...], str] = {}

    def trial(decision: Decision) -> str:
        name = decision.person.full_name
        has_room, unusual = coverage().has_room(name), coverage().unusual_letters(name)
        if has_room and read_back.issuperset(unusual):
            return ""
        kind = (name,) if has_room else (name, decision.level, decision.area, decision.procedures)
        if kind not in tried:
            order = CertificateOrder(_FOR_TRIAL, decision, workspace.today(), tuple(Language), replaces)
            tried[kind] = told(tasks.trial, order)
            if not tried[kind]:
                read_back.update(unusual)
        return tried[kind]

    return Printing(lambda text: coverage().unprintable(text), trial)
