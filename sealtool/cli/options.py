"""The options that several commands share, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealtool.cli.ending import log_to
from sealtool.errors import ConfigurationError, UsageError
from sealtool.model import Area, Level, PersonId
from sealtool.person_ids import canonical_id

if TYPE_CHECKING:
    from sealtool.cli.journal import Journal
    from sealtool.planning import Scope
    from sealtool.settings import Settings
    from sealtool.workspace import Workspace


class _LevelType(click.ParamType[str]):
    """A level of the MRCDD, in either letter case."""

    name = "level"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The level in capitals; a usage error for anything else."""
        if value.upper() not in set(Level):
            self.fail(f"'{value}' is none of {', '.join(Level)}.", param, ctx)
        return value.upper()


LEVELS = _LevelType()

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")

registry_option = click.option(
    "--registry",
    type=click.Path(path_type=Path, file_okay=False, readable=False),
    metavar="DIR",
    help="The folder with the registry export. Default: registry.folder of the configuration.",
)

accept_shrink_option = click.option(
    "--accept-shrink", is_flag=True, help="Go on although a file lost more rows than the configuration allows."
)

cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Workers of a Dask scheduler, tls://host:port; `local` for this machine alone. Default: cluster.address of "
    "the configuration.",
)


def scope_options(*, all_by_default: bool) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """--level, --area, --all and --person, handed to the command as one ``scope``.

    Args:
        all_by_default: whether a call that names no level means every level.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def with_scope(
            *arguments: Any,
            levels: tuple[str, ...],
            areas: tuple[int, ...],
            people: tuple[str, ...],
            all_levels: bool,
            **options: Any,
        ) -> int:
            every = all_levels or (all_by_default and not levels)
            if all_levels and levels:
                raise UsageError("--all and --level exclude each other.", advice="Leave one of them out.")
            return command(
                *arguments, scope=_scope(levels, areas, people, every_level=every, named_all=all_levels), **options
            )

        for option in _SCOPE_OPTIONS:
            with_scope = option(with_scope)
        return with_scope

    return decorate


_SCOPE_OPTIONS = (
    click.option("--person", "people", multiple=True, metavar="ID", help="Only this DNI or NIE. Repeatable."),
    click.option("--all", "all_levels", is_flag=True, help="Every level."),
    click.option(
        "--area", "areas", multiple=True, type=click.IntRange(1, 6), help="At C2, this area only. Repeatable."
    ),
    click.option(
        "--level", "levels", multiple=True, type=LEVELS, metavar="LEVEL", help="Only this level, A1 to C2. Repeatable."
    ),
)


def _scope(
    levels: tuple[str, ...], areas: tuple[int, ...], people: tuple[str, ...], *, every_level: bool, named_all: bool
) -> Scope:
    if not every_level and not levels:
        raise UsageError(
            "Which level? Certificates are legal acts, so nothing is taken for granted.",
            advice="Add --level B1 (repeatable), or --all for every level.",
        )
    if not named_all:
        insist_on_c2_for_areas(levels, areas)
    from sealtool.planning import Scope

    return Scope(
        levels=tuple(level for level in Level if every_level or level in levels),
        areas=frozenset(map(Area, areas)) or None,
        people=frozenset(map(canonical_person_id, people)) or None,
    )


def insist_on_c2_for_areas(levels: Sequence[str], areas: Sequence[int]) -> None:
    """UsageError where areas were named without the one level that is accredited area by area."""
    if areas and str(Level.C2) not in levels:
        raise UsageError("--area means something at C2 only.", advice="Add --level C2, or leave --area out.")


def canonical_person_id(text: str) -> PersonId:
    """A DNI or NIE as people type it, in the form the registry's reader gives it.

    Raises:
        UsageError: there is nothing in it.
    """
    person_id = canonical_id(text.encode(errors="replace").decode())  # bytes that are no text are nobody's
    if not person_id:
        raise UsageError("An id of a person was given that is empty.", advice="Give a DNI or NIE, with its letter.")
    return PersonId(person_id)


def working_folder() -> Path:
    """The folder that the command was called from.

    Raises:
        ConfigurationError: it was removed meanwhile.
    """
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigurationError(
            "The folder that this was called from is not there any more, so no path leads anywhere from it.",
            advice="Change to a folder that is there, and call again.",
        ) from error


def workspace_of(ctx: click.Context, *, tell_exposures: bool = True) -> Workspace:
    """The workspace of the configuration that counts.

    Args:
        ctx: of the command.
        tell_exposures: say on standard error what of the installation is open to other users.

    Raises:
        ConfigurationError: there is none, or it has mistakes.
    """
    from sealtool.exposure import remedy, told
    from sealtool.separateness import insist_on_separateness
    from sealtool.settings import find_configuration, load_settings
    from sealtool.workspace import Workspace

    path = find_configuration(ctx.obj, environ=os.environ, folder=working_folder())
    if path is None:
        raise ConfigurationError(
            "There is no configuration: neither --config nor $SEALTOOL_CONFIG names one, and there is no sealtool.toml "
            "here or in /etc/sealtool.",
            advice="Make a working folder with `sealtool init DIR` and call from inside it.",
        )
    settings = load_settings(path)
    insist_on_separateness(settings, path)
    log_to(settings.run.log)
    workspace = Workspace(settings, _environment(ctx, settings), configuration=path)
    if tell_exposures and (exposed := workspace.exposures()):
        click.echo(f"sealtool: {told(exposed)}\n  {remedy(exposed)}", err=True)
    return workspace


def _environment(ctx: click.Context, settings: Settings) -> Mapping[str, str]:
    """The environment, of which this process alone keeps the variables with secrets, for as long as the command runs:
    workers, and whatever else it starts, inherit none of them.
    """
    environ = dict(os.environ)
    secret = {name: environ[name] for source in settings.secret_sources() if (name := source.env or "") in environ}
    for name in secret:
        del os.environ[name]
    ctx.call_on_close(lambda: os.environ.update(secret))
    return environ


def workspace_of_a_run(ctx: click.Context) -> tuple[Workspace, Journal]:
    """The workspace of the configuration that counts, and what follows the command until it has ended.

    Raises:
        ConfigurationError: there is no configuration, or it has mistakes.
    """
    from sealtool.cli.journal import CommandEvent, Journal
    from sealtool.exposure import remedy, told

    journal = Journal(ctx.command_path.partition(" ")[2])
    workspace = workspace_of(ctx, tell_exposures=False)
    journal.follow(workspace)
    if exposed := workspace.exposures():
        journal.warn(CommandEvent.OPEN_TO_OTHERS, told(exposed), remedy(exposed))
    return workspace, journal


def workspace_or_defaults(ctx: click.Context) -> Workspace:
    """The workspace of the configuration that counts, of the defaults where there is none: to read an export, encoding
    and header names are all that a configuration could add.

    Raises:
        ConfigurationError: there is one, and it has mistakes.
    """
    from sealtool.settings import Settings, find_configuration
    from sealtool.workspace import Workspace

    if find_configuration(ctx.obj, environ=os.environ, folder=working_folder()) is None:
        return Workspace(Settings(), os.environ)
    return workspace_of(ctx)
