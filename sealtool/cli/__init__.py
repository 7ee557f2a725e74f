"""The command line: parse, call, print, exit code. No decision lives here.

Each command has a module of its own, imported when it is called.
"""

from __future__ import annotations

import importlib
import io
import signal
import sys
import warnings
from pathlib import Path
from typing import Final

import click

from sealtool import __version__
from sealtool.cli.ending import ended_with
from sealtool.privacy import forbid_core_dumps

_COMMANDS: Final = (
    *("init", "check", "plan", "issue", "explain", "verify", "reissue", "revoke", "register", "extend", "export"),
    *("status", "preview", "doctor", "ledger"),
)


class _Commands(click.Group):
    """A group that imports a command only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sealtool.cli.{cmd_name}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The configuration. Default: $SEALTOOL_CONFIG, ./sealtool.toml, /etc/sealtool/sealtool.toml.",
)
@click.version_option(__version__, prog_name="sealtool")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Issues sealed certificates of teachers' digital competence.

    \b
    First steps:
      sealtool init FOLDER --demo          a working folder with a throw-away seal
      sealtool check REGISTRY              what is wrong with a registry export
      sealtool plan --registry REGISTRY    what issuing would do; writes nothing
      sealtool issue --level B1 --registry REGISTRY
      sealtool verify out
    """  # noqa: D301 - the backspace is click's mark for a paragraph that keeps its lines
    ctx.obj = config


def run() -> None:
    """The program: runs a command and ends the process with its exit code.

    SIGTERM, which systemd sends to stop a service, is taken for Ctrl-C: the run ends in order, and the next goes on.
    """
    forbid_core_dumps()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries think of an odd certificate is told by the verdict
    # A job in the background inherits an ignored SIGINT, and would ignore both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(ended_with(main, sys.argv[1:]))
