"""``sealtool preview``: what certificates look like, for template authors."""

from __future__ import annotations

from pathlib import Path

import click

from sealtool.cli.console import counted, show_json
from sealtool.cli.options import LEVELS, insist_on_c2_for_areas, json_option, workspace_or_defaults
from sealtool.errors import ExitCode, OutputError
from sealtool.model import Area, Language, Level

CONTACT_SHEET = "contact-sheet.png"


@click.command("preview")
@click.option("--level", "levels", multiple=True, type=LEVELS, metavar="LEVEL", help="Only this level. Repeatable.")
@click.option("--area", "areas", multiple=True, type=click.IntRange(1, 6), help="At C2, this area only. Repeatable.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice([str(language) for language in Language]),
    help="One file in this language alone. Repeatable. Default: as the configuration prints certificates.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("preview"),
    metavar="DIR",
    help="Where the files go; earlier previews there are replaced. Default: preview.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    levels: tuple[str, ...],
    areas: tuple[int, ...],
    languages: tuple[str, ...],
    output: Path,
    as_json: bool,
) -> int:
    """Lays out certificates of invented people, watermarked and without a seal, and a contact sheet of all pages.

    Without options: every level and every C2 area, with short and long names and all procedures of the level. Uses the
    templates of the configuration, or the packaged ones where there is none; needs no registry, no ledger and no key.
    """
    from sealtool.rendering.preview import contact_sheet

    insist_on_c2_for_areas(levels, areas)
    workspace = workspace_or_defaults(ctx)
    workspace.insist_on_elsewhere(output)
    shown = workspace.previews(
        [Level(level) for level in levels] or list(Level),
        [Area(area) for area in areas] or list(Area),
        [(Language(language),) for language in languages],
    )
    files = {f"{one.name}.pdf": one.content for one in shown} | {CONTACT_SHEET: contact_sheet(shown)}
    _write(output, files)
    if as_json:
        show_json({"schema": "sealtool.preview/1", "folder": str(output), "files": sorted(files)})
    else:
        click.echo(f"{counted(len(shown), 'preview', 'previews')} in {output}; all pages: {output / CONTACT_SHEET}")
    return ExitCode.DONE


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"The previews cannot be written to {folder}: {error.strerror or error}.",
            advice="Name another folder with --output.",
        ) from error
