"""A command imports what it uses: no measure of time, which depends on the machine, but the modules that are there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from pydantic_core import SchemaError

from sealtool.cli import main
from sealtool.cli.ending import ended_with

HEAVY = {
    *("aiohttp", "alembic", "asn1crypto", "cryptography", "jinja2", "numpy", "pandas", "pydantic", "pyhanko"),
    *("pypdfium2", "sqlalchemy", "sqlalchemy.dialects.postgresql", "weasyprint", "asyncio", "importlib.metadata"),
    "zoneinfo",
}
COMMANDS = main.list_commands(click.Context(main))
_ASK = """
import sys
from sealtool.cli import main
from sealtool.cli.ending import ended_with
code = ended_with(main, sys.argv[1:])
sys.stderr.write("\\n".join(sys.modules))
sys.exit(code)
"""


# each in a copy of a process that has the list of commands and no command yet
_ASK_EACH_FOR_HELP = """
import os, sys
from sealtool.cli import main
from sealtool.cli.ending import ended_with
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        code = ended_with(main, [name, "--help"])
        sys.stderr.write(f"{name} {code} {' '.join(sys.modules)}\\n")
        sys.stderr.flush()
        os._exit(0)
    os.waitpid(child, 0)
"""


def _imported(*arguments: str, expected: int = 0) -> set[str]:
    done = subprocess.run([sys.executable, "-c", _ASK, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stderr
    return set(done.stderr.split("\n"))


def _are_missing(modules: Collection[str], imported: Collection[str]) -> bool:
    return not set(modules) & set(imported)


def test_the_list_of_commands_imports_no_command_and_no_library() -> None:
    imported = _imported("--help")
    assert _are_missing(HEAVY, imported), HEAVY & imported
    assert _are_missing({f"sealtool.cli.{name}" for name in COMMANDS}, imported)


@pytest.fixture(scope="module")
def imported_for_help() -> dict[str, list[str]]:
    """Exit code of its help and the modules imported then, of each command by its name."""
    arguments = [sys.executable, "-c", _ASK_EACH_FOR_HELP, *COMMANDS]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return {name: rest for name, *rest in map(str.split, done.stderr.splitlines())}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_no_library(imported_for_help: dict[str, list[str]], name: str) -> None:
    code, *modules = imported_for_help[name]
    imported = set(modules)
    assert code == "0"
    assert f"sealtool.cli.{name}" in imported
    assert _are_missing(HEAVY, imported), HEAVY & imported


def test_status_reads_configuration_and_ledger_and_imports_nothing_for_anything_else(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    assert _imported("init", str(folder))
    imported = _imported("--config", str(folder / "sealtool.toml"), "status")
    needed = {"pydantic", "sqlalchemy", "asyncio", "importlib.metadata", "zoneinfo"}
    assert needed - {"importlib.metadata"} <= imported
    assert _are_missing(HEAVY - needed, imported), (HEAVY - needed) & imported


def test_the_list_says_of_commands_what_they_say_themselves() -> None:
    context = click.Context(main)
    listed, own = click.HelpFormatter(width=1000), click.HelpFormatter(width=1000)
    main.format_commands(context, listed)
    click.Group.format_commands(main, context, own)
    assert listed.getvalue() == own.getvalue()


@pytest.mark.parametrize("arguments", [[], ["ledger"]])
def test_no_sentence_of_the_list_is_cut_off_at_80_columns(arguments: list[str]) -> None:
    shown = CliRunner().invoke(main, [*arguments, "--help"], terminal_width=80).output
    assert "..." not in shown.partition("Commands:")[2]
    assert max(map(len, shown.splitlines())) <= 80


def test_a_shell_is_offered_the_commands_that_begin_so() -> None:
    context = click.Context(main)
    own = click.Group.shell_complete(main, context, "")
    assert [vars(item) for item in main.shell_complete(context, "")] == [vars(item) for item in own]
    completion = ShellComplete(main, {}, "sealtool", "_SEALTOOL_COMPLETE")
    assert [item.value for item in completion.get_completions([], "re")] == ["reissue", "revoke", "register", "report"]
    assert [item.value for item in completion.get_completions([], "--c")] == ["--config"]


def test_a_shell_that_asks_is_answered() -> None:
    asked = {"_SEALTOOL_COMPLETE": "bash_complete", "COMP_WORDS": "sealtool verify --tr", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "sealtool"], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["plain,--trust"]


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
def test_what_ends_the_program_while_it_loads_ends_it_without_a_word(by: str) -> None:
    done = subprocess.run([sys.executable, "-c", _END_WHILE_LOADING, by], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


_END_WHILE_LOADING = """
import signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "click":
            signal.raise_signal(signal.Signals[sys.argv[1]])
sys.meta_path.insert(0, Finder())
from sealtool.__main__ import run
run()
"""


def test_what_interrupts_a_library_while_it_runs_a_text_ends_the_program_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_INTERRUPT_A_TEXT, encoding="utf-8")
    paths = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "sealtool", "--config", str(tmp_path / "none.toml"), "status"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.startswith("sealtool: Interrupted. What was finished is recorded")


_INTERRUPT_A_TEXT = """
import sys
class Finder:
    def find_spec(self, name, *_):
        if name == "pydantic":
            exec("import signal; signal.raise_signal(signal.SIGINT)")
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("words", ["", "Error building validator:\n  KeyboardInterrupt: "])
def test_an_interrupt_that_a_library_puts_into_an_error_of_its_own_is_no_fault_of_the_program(words: str) -> None:
    @click.command()
    def command() -> None:
        raise SchemaError(words) if words else KeyboardInterrupt

    assert ended_with(command, []) == 130


def test_no_compiler_is_called_to_find_the_libraries_of_the_layout_engine() -> None:
    program = """
import sys
sys.addaudithook(lambda event, arguments: event == "subprocess.Popen" and sys.exit(str(arguments[1])))
from sealtool.rendering.engine import has_fast_font_subsetting
sys.exit(0 if has_fast_font_subsetting() else "the subsetter was not found")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
