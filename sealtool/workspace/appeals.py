"""Replaces and withdraws certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealtool.appeals import Grounds, Proposal, Proposing, Reissue, Reissuing, Revocation, Revoking
from sealtool.issuing import Issuing
from sealtool.ledger import CertificateStory
from sealtool.model import Level, Registry
from sealtool.planning import Plan, Scope
from sealtool.registry import read_given_day, read_given_name
from sealtool.upholding import OPTIONS, Upheld
from sealtool.workers import worker_processes
from sealtool.workspace.issue import issuing
from sealtool.workspace.plan import printing
from sealtool.workspace.presses import press_of
from sealtool.workspace.runs import edge_of, run_facts

if TYPE_CHECKING:
    from sealtool.workspace.front import Workspace


def read_upheld(workspace: Workspace, given: Mapping[str, str | None]) -> Upheld:
    """As :meth:`Workspace.upheld`."""
    given = dict(given)
    day = given.pop("accredited_on", None)
    names = {
        part: None if text is None else read_given_name(text, OPTIONS[part], may_be_empty=part == "second_surname")
        for part, text in given.items()
    }
    accredited_on = None if day is None else read_given_day(day, OPTIONS["accredited_on"], today=workspace.today())
    return Upheld(accredited_on, **names)


def propose_reissue(
    workspace: Workspace, certificate_id: str, folder: Path | None, grounds: Grounds, upheld: Upheld
) -> Proposal:
    """As :meth:`Workspace.propose_reissue`."""
    with workspace.ledger() as ledger:

        def read(story: CertificateStory) -> tuple[Registry, Plan]:
            certificate = story.certificate
            scope = Scope((Level(certificate.level),), people=frozenset({certificate.person_id}))
            registry = workspace.read_for(scope, ledger, folder, accept_shrink=False)
            return registry, workspace.plan(registry, scope, ledger)

        proposing = Proposing(
            ledger=ledger,
            read=read,
            printing=lambda replaced: printing(workspace, replaces=replaced),
            earliest=min(workspace.rules.origin_floors.values()),
        )
        return proposing.propose(certificate_id, grounds, upheld)


def reissue(workspace: Workspace, proposal: Proposal, hooks: Mapping[str, Any]) -> Reissue:
    """As :meth:`Workspace.reissue`."""
    facts = run_facts(workspace, f"reissue {proposal.certificate_id}", proposal.registry.sources)
    with _carrying_out(workspace, hooks) as carrying_out:
        return Reissuing(carrying_out).run(proposal, facts)


def revoke(workspace: Workspace, story: CertificateStory, grounds: Grounds, hooks: Mapping[str, Any]) -> Revocation:
    """As :meth:`Workspace.revoke`."""
    with _carrying_out(workspace, hooks) as carrying_out:
        facts = run_facts(workspace, f"revoke {story.certificate.certificate_id}")
        return Revoking(carrying_out).run(story, grounds, facts)


@contextmanager
def _carrying_out(workspace: Workspace, hooks: Mapping[str, Any]) -> Iterator[Issuing]:
    with workspace.held_ledger() as ledger, worker_processes(1) as executor:
        yield issuing(workspace, ledger, press_of(workspace, executor), edge_of(workspace, hooks))
