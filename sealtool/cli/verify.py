"""``sealtool verify``: judges sealed files, folders or a manifest."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from sealtool.auditing import Audit, Auditing, FileJudgement
from sealtool.cli.console import counted, exit_code, progress, show_json
from sealtool.cli.options import json_option, workspace_of
from sealtool.errors import ConfigurationError
from sealtool.model import Verdict
from sealtool.settings import Settings, TrustSettings, find_configuration
from sealtool.workers import worker_processes
from sealtool.workspace import Workspace, judge_certificate, judge_seal

_FEW = 8
"""Up to so many files are judged in this process: starting others would take longer."""


@click.command("verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--trust",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PEM",
    help="Certificates of the authorities to trust: a PEM file or a folder. Repeatable. Default: the configuration's.",
)
@click.option("--workers", type=click.IntRange(0, 256), default=None, help="Processes; 0 for one each core.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, paths: tuple[Path, ...], anchors: tuple[Path, ...], workers: int | None, *, as_json: bool
) -> int:
    """Judges sealed files by ETSI EN 319 102-1, strictly: files, folders of them, or a manifest and all it lists.

    Needs no ledger and no network. Trust never comes from the file itself.
    """
    workspace = _workspace(ctx, anchors)
    trust, now = workspace.trust, workspace.now()
    count = workers or workspace.settings.run.worker_count
    many = len(paths) > _FEW or any(path.is_dir() or path.suffix == ".json" for path in paths)
    with worker_processes(count if many else 1) as executor, progress("Verifying") as on_progress:
        audit = Auditing(
            executor=executor,
            judge_certificate=partial(judge_certificate, trust, now),
            judge_seal=partial(judge_seal, trust, now),
            in_flight=4 * count,
            on_progress=on_progress,
        ).run(paths)
    if as_json:
        show_json(audit.as_json())
    else:
        _print(audit)
    return exit_code(needs_human=not audit.passed)


def _workspace(ctx: click.Context, anchors: tuple[Path, ...]) -> Workspace:
    """An auditor needs no configuration where --trust says whom to trust."""
    if anchors:
        return Workspace(Settings(trust=TrustSettings(anchors=anchors)), os.environ)
    if find_configuration(ctx.obj, environ=os.environ, folder=Path.cwd()) is None:
        raise ConfigurationError(
            "Whom to trust? Trust never comes from the sealed file itself.",
            advice="Name the certificates of the issuing authorities with --trust FILE-OR-FOLDER.",
        )
    return workspace_of(ctx)


def _print(audit: Audit) -> None:
    alone = len(audit.files) <= _FEW
    for judgement in audit.files:
        if alone or judgement.verification.verdict is not Verdict.PASSED:
            _print_one(judgement)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in audit.summary.items())
    click.echo(f"{counted(len(audit.files), 'file', 'files')}: {summary}")


def _print_one(judgement: FileJudgement) -> None:
    one = judgement.verification
    verdict = str(one.verdict) + (f" ({one.sub_indication})" if one.sub_indication else "")
    click.echo(f"{verdict}  {_shown(judgement.path)}")
    if one.certificate is not None and one.verdict is Verdict.PASSED:
        area = f", area {one.certificate.area}" if one.certificate.area else ""
        click.echo(
            f"    certifies: level {one.certificate.level}{area}, {one.certificate.full_name}, "
            f"{one.certificate.person_id}, accredited on {one.certificate.accredited_on}, "
            f"issued on {one.certificate.issued_on}, certificate {one.certificate.certificate_id}"
        )
    if one.seal is not None and one.sealed_at is not None:
        level = f", {one.pades_level}" if one.pades_level else ""
        click.echo(f"    seal: {one.seal.subject}; {one.sealed_at:%Y-%m-%d %H:%M:%S} UTC{level}")
    for reason in one.reasons:
        click.echo(f"    {reason.code}: {reason.message}")


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
