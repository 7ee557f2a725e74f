"""``sealtool verify``: judges sealed files, folders or a manifest."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sealtool.cli.console import exit_code, note, progress, show_json
from sealtool.cli.options import cluster_option, json_option, working_folder, workspace_of
from sealtool.errors import ConfigurationError, SealtoolError, UsageError

if TYPE_CHECKING:
    from sealtool.auditing import Audit
    from sealtool.reporting.report import Report
    from sealtool.workspace import Workspace


@click.command("verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, readable=False, path_type=Path))
@click.option(
    "--trust",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, readable=False, path_type=Path),
    metavar="FILE",
    help="Certificates of the authorities to trust, revocation lists, and EU trusted lists with the certificates of "
    "their signers: a file or a folder. Repeatable. Default: the configuration's.",
)
@click.option(
    "--organization",
    "organizations",
    multiple=True,
    metavar="ID",
    help="Only seals of this organisation count: its organizationIdentifier, VATES-S0711001H. Repeatable. Default: "
    "the configuration's, if there is one.",
)
@click.option("--workers", type=click.IntRange(0, 256), default=None, help="Processes; 0 for one each core.")
@click.option(
    "--time-limit",
    type=click.IntRange(1, 86_400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="A file that takes longer to judge is given up and does not pass.",
)
@click.option(
    "--memory-limit",
    type=click.IntRange(256, 1_048_576),
    default=1024,
    show_default=True,
    metavar="MIB",
    help="The same for a file that takes more memory.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Writes a page to read, print and keep. Holds personal data; never replaces a file.",
)
@click.option(
    "--etsi",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Writes a validation report of ETSI TS 119 102-2 (XML). Never replaces a file.",
)
@cluster_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    anchors: tuple[Path, ...],
    organizations: tuple[str, ...],
    workers: int | None,
    time_limit: int,
    memory_limit: int,
    page: Path | None,
    etsi: Path | None,
    cluster: str | None,
    as_json: bool,
) -> int:
    """Judges sealed files by ETSI EN 319 102-1, strictly: files, folders of them, or a manifest and all it lists.

    Needs no ledger and no network. Trust never comes from the file itself. Where the configuration says whom to trust,
    and its ledger is there, records are compared with it, too.
    """
    from sealtool.auditing import Auditing, Judges
    from sealtool.chambers import Limits
    from sealtool.reporting.text import text_lines
    from sealtool.reporting.writing import insist_on_new
    from sealtool.workspace.tasks import judge_certificate, judge_seal

    for file in filter(None, (page, etsi)):
        insist_on_new(file)
    workspace = _workspace(ctx, anchors, organizations)
    for file in filter(None, (page, etsi)):
        workspace.insist_on_elsewhere(file)
    if cluster is not None:
        workspace = _with_cluster(ctx, workspace, cluster)
    trust, now = workspace.trust, workspace.now()
    with progress("Verifying") as on_progress, workspace.distance() as distance:
        audit = Auditing(
            Judges(partial(judge_certificate, trust, now), partial(judge_seal, trust, now)),
            processes=workers or workspace.settings.run.worker_count,
            limits=Limits(time_limit, memory_limit),
            on_progress=on_progress,
            distance=distance,
        ).run(paths)
    if not anchors:
        audit = _compared(audit, workspace)
    if page is not None or etsi is not None:
        _write_reports(_report(audit, paths, workspace, now), page, etsi)
    if as_json:
        show_json(audit.as_json())
    else:
        for line in text_lines(audit, working_folder()):
            click.echo(line)
    return exit_code(needs_human=not audit.passed)


def _with_cluster(ctx: click.Context, workspace: Workspace, address: str) -> Workspace:
    """With the workers of a cluster; what protects the way to it stands in the configuration, also with --trust."""
    from sealtool.settings import LOCAL, find_configuration, load_settings
    from sealtool.workspace import Workspace

    path = find_configuration(ctx.obj, environ=os.environ, folder=working_folder())
    if address != LOCAL and path is not None:
        cluster = load_settings(path).cluster
        workspace = Workspace(workspace.settings.model_copy(update={"cluster": cluster}), os.environ)
    return workspace.with_cluster(address)


def _compared(audit: Audit, workspace: Workspace) -> Audit:
    """With what the configured ledger says; without, where it cannot be asked."""
    from sealtool.auditing.ledgers import compared_with

    try:
        with workspace.ledger() as ledger:
            return compared_with(audit, ledger)
    except SealtoolError as error:
        note(f"Not compared with the ledger: {error.message}")
        return audit


def _report(audit: Audit, paths: tuple[Path, ...], workspace: Workspace, judged_at: datetime) -> Report:
    from sealtool import __version__
    from sealtool.auditing import decodable
    from sealtool.reporting.report import Report, anchors_of

    trust = workspace.trust
    return Report(
        audit=audit,
        asked=tuple(map(decodable, paths)),
        judged_at=judged_at,
        tool_version=__version__,
        anchors=anchors_of(trust.anchors),
        organizations=trust.organizations,
        by_trusted_lists=bool(trust.services),
    )


def _write_reports(report: Report, page: Path | None, etsi: Path | None) -> None:
    from sealtool.reporting.writing import write_new

    if page is not None:
        from sealtool.reporting.page import html_page

        write_new(page, html_page(report))
    if etsi is not None:
        from sealtool.reporting.etsi import etsi_report

        write_new(etsi, etsi_report(report))


def _workspace(ctx: click.Context, anchors: tuple[Path, ...], organizations: tuple[str, ...]) -> Workspace:
    """Who is trusted: what the options say, and where they are silent, the configuration.

    An auditor needs no configuration where --trust says whom to trust; whose seals count is taken from it if it is
    there, because to trust every customer of a public authority is never what somebody wants by leaving out an option.
    """
    from sealtool.settings import Settings, TrustSettings, find_configuration
    from sealtool.workspace import Workspace

    if not all(map(str.strip, organizations)):
        raise UsageError(
            "--organization is empty, so no seal could count.",
            advice="Name an organizationIdentifier: VATES-S0711001H.",
        )
    path = find_configuration(ctx.obj, environ=os.environ, folder=working_folder())
    if not anchors:
        if path is None:
            raise ConfigurationError(
                "Whom to trust? Trust never comes from the sealed file itself.",
                advice="Name the certificates of the issuing authorities, or an EU trusted list and the certificate of "
                "its signer, with --trust FILE-OR-FOLDER.",
            )
        configured = workspace_of(ctx)
        if not organizations:
            return configured
        trust = configured.settings.trust.model_copy(update={"organizations": organizations})
        return replace(configured, settings=configured.settings.model_copy(update={"trust": trust}))
    if not organizations and path is not None:
        organizations = _configured_organizations(path)
    return Workspace(Settings(trust=TrustSettings(anchors=anchors, organizations=organizations)), os.environ)


def _configured_organizations(path: Path) -> tuple[str, ...]:
    from sealtool.settings import load_settings

    try:
        return load_settings(path).trust.organizations
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message,
            advice=f"{error.advice} With --organization besides --trust, no configuration is read.",
        ) from error
