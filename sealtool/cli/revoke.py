"""``sealtool revoke``: withdraws a certificate, with no successor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sealtool.cli.confirming import confirmed, grounds_of, grounds_options, show, show_what_is_asked
from sealtool.cli.console import show_json
from sealtool.cli.options import json_option, workspace_of_a_run
from sealtool.errors import ExitCode
from sealtool.ledger import CertificateState, CertificateStory

if TYPE_CHECKING:
    from sealtool.appeals import Revocation
    from sealtool.workspace import Workspace


@click.command("revoke")
@click.argument("certificate_id")
@grounds_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    certificate_id: str,
    reason: str,
    by: str,
    reference: str,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    """Withdraws the certificate with this id, with no successor.

    Its file is kept, and the manifest of this run says that it is revoked. No run issues another one, whatever the
    registry says: only `sealtool reissue` does, should a human decide so.
    """
    workspace, journal = workspace_of_a_run(ctx)
    grounds = grounds_of(reason, by, reference)
    story = workspace.propose_revocation(certificate_id, grounds)
    is_done = story.certificate.state is CertificateState.REVOKED and story.pending is None
    if not is_done and not _is_confirmed(story, yes=yes):
        show("Nothing was done.")
        return ExitCode.NEEDS_HUMAN
    revocation = workspace.revoke(story, grounds, on_event=journal.on_event)
    if as_json:
        show_json(revocation.as_json())
    else:
        _print(workspace, revocation)
    return ExitCode.DONE


def _is_confirmed(story: CertificateStory, *, yes: bool) -> bool:
    from sealtool.appeals import summary_of

    certificate = story.certificate
    area = f" area {certificate.area}" if certificate.area else ""
    items = summary_of(story)
    width = max(map(len, items))
    head = f"Certificate {certificate.certificate_id}, {certificate.level}{area}, {certificate.state}:"
    lines = [f"  {item.ljust(width)}  {value}".rstrip() for item, value in items.items()]
    show_what_is_asked("\n".join([head, "", *lines, ""]), yes=yes)
    return confirmed([f"Revoke {certificate.certificate_id}, with no successor?"], yes=yes)


def _print(workspace: Workspace, revocation: Revocation) -> None:
    certificate_id = revocation.story.certificate.certificate_id
    told = "was revoked already" if revocation.was_revoked else "is revoked"
    click.echo(f"Certificate {certificate_id} {told}. Its file stays where it is.")
    if revocation.report.manifest is not None:
        click.echo(f"Manifest, which says so: {workspace.output.root / revocation.report.manifest}")
