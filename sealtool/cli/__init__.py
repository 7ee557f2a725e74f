"""The command line: parse, call, print, exit code. No decision lives here.

Each command has a module of its own, imported when it is called.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from sealtool.cli.console import TellingGroup
from sealtool.cli.ending import ended_with
from sealtool.collecting import collect_seldom
from sealtool.errors import ExitCode
from sealtool.privacy import forbid_core_dumps

_COMMANDS: Final = {
    "init": "Makes a working folder: configuration, empty ledger, output folder.",
    "check": "Reads a registry export and lists every problem in it.",
    "plan": "Shows what `issue` would do, and what changed against the ledger.",
    "issue": "Issues a sealed certificate for every decision that has none yet.",
    "explain": "Explains, level by level and area by area, what somebody has obtained and what is missing.",
    "verify": "Judges sealed files by ETSI EN 319 102-1, strictly: files, folders of them, or a manifest and all it "
    "lists.",
    "reissue": "Issues a new certificate that supersedes the one with this id.",
    "revoke": "Withdraws the certificate with this id, with no successor.",
    "register": "Exports the register: each person's levels, the areas with their days and procedures, and the "
    "certificates.",
    "report": "Counts certificates: by level, procedure, area and month, how long they took, who is held and why.",
    "extend": "Extends sealed files to B-LTA, and gives those at B-LTA another archive time stamp before the last one "
    "runs out.",
    "export": "Writes every document that was ever issued as an electronic document of the Spanish administration "
    "(ENI).",
    "status": "Shows the last runs, the certificates by state, when their proof runs out, and what needs a human.",
    "preview": "Lays out certificates of invented people, watermarked and without a seal, and a contact sheet of all "
    "pages.",
    "doctor": "Checks the installation: libraries, fonts, key, seal certificate, trust, time stamps, ledger, "
    "permissions.",
    "ledger": "Keeps the ledger: makes, examines, copies, restores, migrates and rebuilds it.",
}
"""In the order of the help, with what it says of each: the first sentence of the command's own."""


class _Commands(TellingGroup):
    """A group that imports a command only when it is called, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sealtool.cli.{cmd_name}").command
        return command

    def first_sentence(self, ctx: click.Context, cmd_name: str) -> str:
        del ctx
        return _COMMANDS[cmd_name]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        fitting = [name for name in _COMMANDS if name.startswith(incomplete)]
        return [
            *(CompletionItem(name, help=_cut_short(name)) for name in fitting),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


def _cut_short(name: str) -> str:
    return click.Command(name, help=_COMMANDS[name]).get_short_help_str()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="The configuration. Default: $SEALTOOL_CONFIG, ./sealtool.toml, /etc/sealtool/sealtool.toml.",
)
@click.version_option(package_name="sealtool", prog_name="sealtool")
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
    if os.environ.get("_SEALTOOL_COMPLETE"):
        main(prog_name="sealtool")  # a shell asks what may come next; click answers and ends the process
    codes: list[int] = []
    atexit.register(_leave_as_interrupted, codes)  # before all others, so that it is called after them
    _open_closed_streams()
    forbid_core_dumps()
    collect_seldom()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries think of an odd certificate is told by the verdict
    # Nobody put them there for this program, and to look for them takes as long as to read the configuration.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # A job in the background inherits an ignored SIGINT, and would ignore both.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    codes.append(ended_with(main, sys.argv[1:]))
    sys.exit(codes[0])


def _leave_as_interrupted(codes: list[int]) -> None:
    """Ends an interrupted program with its exit code. Python would end it by the signal where the Ctrl-C came while a
    text was run as a program, which libraries do to make classes while they load, whoever caught it since.
    """
    if ExitCode.INTERRUPTED in codes:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(ExitCode.INTERRUPTED)


def _open_closed_streams() -> None:
    """A standard stream that the caller closed leads nowhere. Otherwise the next file that is opened would get its
    number, also in the processes of work, and with it what is meant for the stream: that file may be the ledger.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - open as long as the program
            os.set_inheritable(nowhere.fileno(), True)  # noqa: FBT003 - of the library
            setattr(sys, name, nowhere)
