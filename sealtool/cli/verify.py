"""``sealtool verify``: judges sealed files, folders or a manifest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import click

from sealtool.auditing import Audit, Auditing, FileJudgement
from sealtool.cli.console import counted, exit_code, progress, show_json
from sealtool.cli.options import json_option, workspace_of
from sealtool.errors import ConfigurationError, UsageError
from sealtool.model import Verdict
from sealtool.settings import Settings, TrustSettings, find_configuration, load_settings
from sealtool.workers import worker_processes
from sealtool.workspace import Workspace, judge_certificate, judge_seal

_FEW = 8
"""Up to so many files are judged in this process, since starting others would take longer, and shown one by one."""


@click.command("verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, readable=False, path_type=Path))
@click.option(
    "--trust",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PEM",
    help="Certificates of the authorities to trust, and revocation lists: a file or a folder. Repeatable. Default: "
    "the configuration's.",
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
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    anchors: tuple[Path, ...],
    organizations: tuple[str, ...],
    workers: int | None,
    *,
    as_json: bool,
) -> int:
    """Judges sealed files by ETSI EN 319 102-1, strictly: files, folders of them, or a manifest and all it lists.

    Needs no ledger and no network. Trust never comes from the file itself.
    """
    workspace = _workspace(ctx, anchors, organizations)
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


def _workspace(ctx: click.Context, anchors: tuple[Path, ...], organizations: tuple[str, ...]) -> Workspace:
    """Who is trusted: what the options say, and where they are silent, the configuration.

    An auditor needs no configuration where --trust says whom to trust; whose seals count is taken from it if it is
    there, because to trust every customer of a public authority is never what somebody wants by leaving out an option.
    """
    if not all(map(str.strip, organizations)):
        raise UsageError(
            "--organization is empty, so no seal could count.",
            advice="Name an organizationIdentifier: VATES-S0711001H.",
        )
    path = find_configuration(ctx.obj, environ=os.environ, folder=Path.cwd())
    if not anchors:
        if path is None:
            raise ConfigurationError(
                "Whom to trust? Trust never comes from the sealed file itself.",
                advice="Name the certificates of the issuing authorities with --trust FILE-OR-FOLDER.",
            )
        configured = workspace_of(ctx)
        if not organizations:
            return configured
        trust = configured.settings.trust.model_copy(update={"organizations": organizations})
        return Workspace(configured.settings.model_copy(update={"trust": trust}), os.environ)
    if not organizations and path is not None:
        organizations = _configured_organizations(path)
    return Workspace(Settings(trust=TrustSettings(anchors=anchors, organizations=organizations)), os.environ)


def _configured_organizations(path: Path) -> tuple[str, ...]:
    try:
        return load_settings(path).trust.organizations
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message,
            advice=f"{error.advice} With --organization besides --trust, no configuration is read.",
        ) from error


def _print(audit: Audit) -> None:
    """A few files one by one; of many, those that did not pass, with what they have in common said once."""
    if len(audit.files) <= _FEW:
        for judgement in audit.files:
            _print_one(judgement)
    else:
        faulty = [one for one in audit.files if one.verification.verdict is not Verdict.PASSED]
        for _, alike in groupby(sorted(faulty, key=_finding), key=_finding):
            _print_alike(list(alike))
    summary = ", ".join(f"{count} {verdict}" for verdict, count in audit.summary.items())
    click.echo(f"{counted(len(audit.files), 'file', 'files')}: {summary}")


def _finding(judgement: FileJudgement) -> tuple[str, tuple[tuple[str, str], ...]]:
    reasons = judgement.verification.reasons
    return _verdict(judgement), tuple((str(reason.code), reason.message) for reason in reasons)


def _print_alike(judgements: Sequence[FileJudgement]) -> None:
    if len(judgements) == 1:
        _print_one(judgements[0])
        return
    _line(f"{_verdict(judgements[0])}  {len(judgements)} files:")
    _print_reasons(judgements[0])
    for judgement in judgements:
        _line(f"  {_shown(judgement)}")


def _print_one(judgement: FileJudgement) -> None:
    one = judgement.verification
    _line(f"{_verdict(judgement)}  {_shown(judgement)}")
    if one.certificate is not None and one.verdict is Verdict.PASSED:
        area = f", area {one.certificate.area}" if one.certificate.area else ""
        _line(
            f"    certifies: level {one.certificate.level}{area}, {one.certificate.full_name}, "
            f"{one.certificate.person_id}, accredited on {one.certificate.accredited_on}, "
            f"issued on {one.certificate.issued_on}, certificate {one.certificate.certificate_id}"
        )
    if one.seal is not None and one.sealed_at is not None:
        level = f", {one.pades_level}" if one.pades_level else ""
        _line(f"    seal: {one.seal.subject}; {one.sealed_at:%Y-%m-%d %H:%M:%S} UTC{level}")
    _print_reasons(judgement)


def _print_reasons(judgement: FileJudgement) -> None:
    for reason in judgement.verification.reasons:
        _line(f"    {reason.code}: {reason.message}")


def _verdict(judgement: FileJudgement) -> str:
    one = judgement.verification
    return str(one.verdict) + (f" ({one.sub_indication})" if one.sub_indication else "")


def _shown(judgement: FileJudgement) -> str:
    here = f"{Path.cwd()}{os.sep}"
    return judgement.shown_path.removeprefix(here)


def _line(text: str) -> None:
    """One line, whatever the names in it hold: a line break or an escape sequence could forge a verdict."""
    click.echo("".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text))
