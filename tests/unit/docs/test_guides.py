"""The guides are true: what they show exists, what exists they show, and their examples run."""

import ast
import configparser
import contextlib
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from sealtool import metrics
from sealtool.auditing import EXPLANATIONS, FileReason
from sealtool.checkup import CHECK_NAMES
from sealtool.cli import main
from sealtool.cli.ending import ended_with
from sealtool.cli.journal import CommandEvent
from sealtool.cli.options import LEVELS
from sealtool.errors import ExitCode, SealtoolError
from sealtool.founding import found_workspace
from sealtool.ledger import FindingCode
from sealtool.model import Framework, Level, Verdict
from sealtool.preservation import RefusalCode
from sealtool.registry import cells
from sealtool.registry.cells import CellFault
from sealtool.registry.layout import ACCREDITATIONS, LAYOUTS, PEOPLE, TRAINING, Layout
from sealtool.reporting.text import text_lines
from sealtool.running import RunEvent
from sealtool.settings import SYSTEM_CONFIG, Settings, load_settings
from sealtool.standing import FindingCode as StandingCode
from sealtool.standing import json_schema as status_schema
from sealtool.verification import appraisal
from sealtool.verification.reasons import REASONS
from sealtool.workspace import Workspace, utc_now
from tests.unit.reporting.examples import passed, report

REPOSITORY = Path(__file__).parents[3]
OPERATOR = (REPOSITORY / "docs" / "operator.md").read_text(encoding="utf-8")
AUDITOR = (REPOSITORY / "docs" / "auditor.md").read_text(encoding="utf-8")
ADMINISTRATOR = (REPOSITORY / "docs" / "administrator.md").read_text(encoding="utf-8")
MESSAGES = (REPOSITORY / "docs" / "messages.md").read_text(encoding="utf-8")
GUIDES = ("docs/operator.md", "docs/auditor.md", "docs/administrator.md", "docs/messages.md", "SECURITY.md")
PAGES = {
    name: (REPOSITORY / name).read_text(encoding="utf-8")
    for name in (*GUIDES, "README.md", "samples/README.md", "certs/README.md")
}
SYSTEMD = REPOSITORY / "samples" / "systemd"
CRON = REPOSITORY / "samples" / "cron" / "sealtool"


# --- reading a guide ------------------------------------------------------------------------------


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its rank or a higher one."""
    marks = heading.split(maxsplit=1)[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(marks)}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no section {heading!r}"
    return found[1]


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of every table with that header line."""
    found: list[list[str]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line == header:
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                found.append([cell.strip() for cell in row.strip("|").split(" | ")])
    assert found, f"there is no table {header!r}"
    return found


def words(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@dataclass(frozen=True)
class Block:
    page: str
    content: str
    runs: bool

    @property
    def lines(self) -> list[str]:
        return [line for line in self.content.replace("\\\n", " ").splitlines() if line.strip()]


def blocks(page: str, language: str) -> list[Block]:
    fenced = re.findall(rf"^(<!-- runs -->\n)?```{language}\n(.*?)^```", PAGES[page], re.DOTALL | re.MULTILINE)
    return [Block(page, content, bool(marked)) for marked, content in fenced]


def arguments_of(line: str) -> list[str] | None:
    """The arguments of the last call of sealtool in a line of shell, None where there is none."""
    tokens = shlex.split(line, comments=True)
    calls = [number for number, token in enumerate(tokens) if token.rsplit("/", 1)[-1] == "sealtool"]
    if not calls:
        return None
    arguments = tokens[calls[-1] + 1 :]
    end = next((n for n, token in enumerate(arguments) if re.fullmatch(r"[|;&<>]+|[12]>.*", token)), len(arguments))
    return [token.rstrip(";") for token in arguments[:end]]


# --- the command line -----------------------------------------------------------------------------

COMMANDS = main.list_commands(click.Context(main))


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def check_usage(arguments: list[str]) -> None:
    """Raises click.UsageError where a command line names what is not there; paths need not exist."""
    context = click.Context(main, info_name="sealtool")
    _, rest, _ = main.make_parser(context).parse_args(list(arguments))
    if not rest:
        return
    if rest[0] not in COMMANDS:
        raise click.UsageError(f"no such command: {rest[0]}")
    inner, rest = command(rest[0]), rest[1:]
    if isinstance(inner, click.Group):
        if not rest or rest[0] not in inner.commands:
            raise click.UsageError(f"no such command: {rest[:1]}")
        inner, rest = inner.commands[rest[0]], rest[1:]
    values, left, _ = inner.make_parser(click.Context(inner)).parse_args(list(rest))
    if left:
        raise click.UsageError(f"too many arguments: {left}")
    for param in inner.params:
        value = values.get(str(param.name))
        if isinstance(param, click.Argument) and param.required and param.value_is_missing(value):
            raise click.UsageError(f"{param.name} is missing")
        if isinstance(param.type, type(LEVELS) | click.types.IntParamType):
            for one in value if isinstance(value, list | tuple) else [value] if value is not None else []:
                param.type.convert(one, param, None)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_every_argument_and_option_and_no_other(name: str) -> None:
    text = section(OPERATOR, f"### `{name}`").partition("\n#### ")[0]
    shown = {words(row[0])[0] for header in _OPTION_HEADERS if header in text for row in rows(text, header)}
    expected = {
        param.opts[0] if isinstance(param, click.Option) else param.make_metavar(click.Context(command(name)))
        for param in command(name).params
    }
    assert {one.split()[0] for one in shown} == {re.sub(r"^\[|\W+$", "", one) for one in expected}


GROUPED = [
    f"{name} {inner}" for name in COMMANDS if isinstance(command(name), click.Group) for inner in command(name).commands
]


@pytest.mark.parametrize("name", GROUPED)
def test_every_command_of_a_group_is_documented_likewise(name: str) -> None:
    group, _, inner = name.partition(" ")
    text = section(OPERATOR, f"#### `{name}`")
    shown = {words(row[0])[0] for header in _OPTION_HEADERS if header in text for row in rows(text, header)}
    found = command(group).commands[inner]
    expected = {
        param.opts[0] if isinstance(param, click.Option) else param.make_metavar(click.Context(found))
        for param in found.params
    }
    assert {one.split()[0] for one in shown} == {re.sub(r"^\[|\W+$", "", one) for one in expected}


def test_no_command_of_a_group_is_documented_that_is_not_there() -> None:
    assert re.findall(r"^#### `(\w+ \w+)`$", section(OPERATOR, "## Commands"), re.MULTILINE) == GROUPED


def test_every_finding_about_a_ledger_is_documented_and_no_other() -> None:
    table = rows(section(ADMINISTRATOR, "## Examine"), "| finding | meaning | what to do |")
    assert [words(row[0])[0] for row in table] == list(FindingCode)


def test_the_configuration_of_a_ledger_on_a_server_is_valid() -> None:
    for block in blocks("docs/administrator.md", "toml"):
        Settings.model_validate(tomllib.loads(block.content))


_OPTION_HEADERS = ("| argument or option | meaning |", "| option | meaning |")


def test_no_command_is_documented_that_is_not_there() -> None:
    assert re.findall(r"^### `(\w+)`$", section(OPERATOR, "## Commands"), re.MULTILINE) == COMMANDS


def test_the_options_of_the_program_itself_are_documented() -> None:
    text = section(OPERATOR, "## Commands").split("###")[0]
    for option in ("--config", "--version", "--help", "-h"):
        assert re.search(rf"`[^`]*{option}\b", text)
        assert option in main.get_help(click.Context(main)) or option == "-h"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_shown_would_be_understood(page: str) -> None:
    for block in blocks(page, "console"):
        for line in block.lines:
            arguments = arguments_of(line) if "sealtool" in line and not block.content.startswith("flock") else None
            if arguments:
                try:
                    check_usage(arguments)
                except click.UsageError as error:
                    pytest.fail(f"{page}: {line}\n{error.format_message()}")


@pytest.mark.parametrize("page", GUIDES)
def test_no_section_has_two_commands_write_the_same_backup_which_is_never_replaced(page: str) -> None:
    for text in re.split(r"^## ", PAGES[page], flags=re.MULTILINE):
        written = re.findall(r"^sealtool ledger (?:backup|migrate) (\S+)", text, re.MULTILINE)
        assert len(set(written)) == len(written), text.partition("\n")[0]


def test_the_judgement_shown_has_every_line_that_a_certificate_gets() -> None:
    (shown,) = blocks("docs/auditor.md", "text")
    lines = list(text_lines(report(passed()).audit, Path("/archive")))
    labels = re.compile(r"^    ([a-z ]+):", re.MULTILINE)
    assert labels.findall(shown.content) == labels.findall("\n".join(lines))


@pytest.mark.parametrize(
    "line",
    [
        "sealtool reissue",
        "sealtool withdraw X",
        "sealtool plan --nonsense",
        "sealtool issue --level B7",
        "sealtool check",
        "sealtool status now",
        "sealtool ledger",
        "sealtool ledger burn",
        "sealtool ledger backup",
        "sudo -u sealtool /opt/sealtool/bin/sealtool verify out --workers many > report",
    ],
)
def test_a_command_line_that_would_not_be_understood_is_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        check_usage(arguments_of(line) or [])


def test_every_exit_code_is_documented_and_no_other() -> None:
    shown = [int(row[0]) for row in rows(OPERATOR, "| exit | meaning | what to do |")]
    assert shown == sorted(ExitCode)


# --- messages -------------------------------------------------------------------------------------


def said_on_exit(code: ExitCode) -> list[str]:
    """What is said of an exit code: the words of messages that do not change."""
    (part,) = re.findall(rf"^## Exit {int(code)}: .*?(?=^## )", MESSAGES, re.DOTALL | re.MULTILINE)
    return [words(row[0])[0] for row in rows(part, "| message | meaning | what to do |")]


@cache
def raised() -> list[tuple[type[SealtoolError], str]]:
    """Every message of an error in the program, with an ellipsis for what is put into it."""
    return list(_raised())


def _raised() -> Iterator[tuple[type[SealtoolError], str]]:
    kinds = {kind.__name__: kind for kind in _kinds_of(SealtoolError)}
    for file in sorted((REPOSITORY / "sealtool").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in (node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]])
                )
                if re.search(r"\w", text):
                    yield kinds[node.func.id], text


def _kinds_of(kind: type[SealtoolError]) -> Iterator[type[SealtoolError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _kinds_of(inner)


def is_in(shown: str, message: str) -> bool:
    """Whether the parts of ``shown`` stand in the message, one behind the other."""
    behind = 0
    for part in shown.split("…"):
        if (at := message.find(part, behind)) < 0:
            return False
        behind = at + len(part)
    return True


def test_every_message_of_an_error_is_documented_under_its_exit_code() -> None:
    messages = raised()
    assert len(messages) > 150
    missing = [
        f"{kind.exit_code}: {message}"
        for kind, message in messages
        if not any(is_in(shown, message) for shown in said_on_exit(kind.exit_code))
    ]
    assert missing == []


@pytest.mark.parametrize("code", [code for code in ExitCode if code is not ExitCode.DONE])
def test_no_message_is_documented_that_nothing_says(code: ExitCode) -> None:
    assert [
        shown for shown in said_on_exit(code) if not any(is_in(shown, one) for one in strings_of_the_program())
    ] == []


@cache
def strings_of_the_program() -> list[str]:
    files = (REPOSITORY / "sealtool").rglob("*.py")
    return [text for file in files for text in _strings_of(ast.parse(file.read_text(encoding="utf-8")))]


def _strings_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values):
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in values)
            case ast.Constant(str(text)):
                yield text


# --- the configuration ----------------------------------------------------------------------------


def keys_of(model: type[BaseModel], prefix: str = "", opened: set[type] | None = None) -> Iterator[tuple[str, Any]]:
    """Every key with its field; a table that stands in two places is opened at the first."""
    opened = set() if opened is None else opened
    for name, field in model.model_fields.items():
        inner = next(_models(field.annotation), None)
        if inner is None or prefix:
            yield f"{prefix}{name}", field
        if inner is not None and inner not in opened:
            opened.add(inner)
            yield from keys_of(inner, f"{prefix}{name}.", opened)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for one in getattr(annotation, "__args__", (annotation,)):
        if inspect.isclass(one) and issubclass(one, BaseModel):
            yield one


def as_toml(field: Any) -> str:
    if field.is_required():
        return "required"
    match field.get_default(call_default_factory=True):
        case None:
            return "none"
        case bool() as truth:
            return str(truth).lower()
        case StrEnum() | str() | Path() as text:
            return f'"{text}"'
        case tuple() as texts:
            return json.dumps(texts)
        case other:
            return str(other)


def test_every_configuration_key_is_documented_with_its_default_and_no_other() -> None:
    table = {words(key)[0]: default.strip("`") for key, default, _ in rows(OPERATOR, "| key | default | meaning |")}
    assert table == {key: as_toml(field) for key, field in keys_of(Settings)}


def test_every_configuration_shown_is_valid_and_together_they_show_every_key() -> None:
    shown: set[str] = set()
    for block in blocks("docs/operator.md", "toml"):
        raw = tomllib.loads(block.content)
        Settings.model_validate(raw)
        shown |= set(_paths(raw))
    for key, _ in keys_of(Settings):
        alternative = key in {"seal.passphrase.env", "seal.passphrase.prompt"}
        assert alternative or key in shown, f"no example sets {key}"


def _paths(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        yield f"{prefix}{name}"
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from _paths(one, f"{prefix}{name}.")


@pytest.mark.parametrize("source", ["env", "file", "credential", "prompt"])
def test_every_passphrase_source_shown_is_valid(source: str) -> None:
    table = section(OPERATOR, "## The passphrase of the seal")
    (shown,) = [one for one in words(table) if one.startswith(f"passphrase = {{ {source} ")]
    Settings.model_validate({"seal": tomllib.loads(shown)})


# --- the export -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.file)
def test_every_column_of_an_export_is_documented_in_order_and_no_other(layout: Layout) -> None:
    table = rows(section(OPERATOR, f"### {layout.file}"), "| column | type | may be empty |")
    assert tuple(words(row[0])[0] for row in table) == layout.columns


def test_every_built_in_header_name_is_documented_and_no_other() -> None:
    built_in: dict[str, set[str]] = {}
    for layout in LAYOUTS:
        for column, others in layout.headers.items():
            built_in.setdefault(column, set()).update(others)
    shown = rows(section(OPERATOR, "### Header names"), "| column | Catalan | Spanish |")
    assert {words(row[0])[0]: {*words(row[1]), *words(row[2])} for row in shown} == built_in


@pytest.mark.parametrize("layout", [PEOPLE, TRAINING, ACCREDITATIONS], ids=lambda layout: layout.file)
def test_every_header_name_shown_is_read_as_its_column(layout: Layout) -> None:
    for column, catalan, spanish in rows(section(OPERATOR, "### Header names"), "| column | Catalan | Spanish |"):
        name = words(column)[0]
        if name in layout.columns:
            headers = [name, name.upper(), *words(catalan), *words(spanish)]
            assert layout.meanings(headers, {}) == [name] * len(headers)


def test_every_word_of_an_export_is_documented_and_read_as_shown() -> None:
    parsers: dict[str, tuple[Callable[[str], StrEnum], Mapping[Any, tuple[str, ...]]]] = {
        "modality": (cells.parse_modality, cells._MODALITIES),
        "role": (cells.parse_role, cells._ROLES),
        "origin": (cells.parse_origin, cells._ORIGINS),
        "procedure": (cells.parse_procedure, cells._PROCEDURES),
    }
    shown: dict[str, dict[str, set[str]]] = {column: {} for column in parsers}
    for column, value, catalan, spanish in rows(OPERATOR, "| column | value | Catalan | Spanish |"):
        name, word = words(column)[0], words(value)[0]
        shown[name][word] = {*words(catalan), *words(spanish)}
        for other in (word, *shown[name][word]):
            assert parsers[name][0](other.upper()) == word
    for name, (_, vocabulary) in parsers.items():
        assert {word: others | {word} for word, others in shown[name].items()} == {
            str(word): {*others, str(word)} for word, others in vocabulary.items()
        }


def test_the_dates_and_hours_shown_are_read_and_a_word_without_its_accent_is_not() -> None:
    parse = cells.date_parser(date(2026, 1, 1))
    assert parse("2025-10-27") == parse("27/10/2025")
    assert parse("1/9/2023") == date(2023, 9, 1)
    assert [str(cells.parse_hours(text)) for text in ("30", "7.5", "7,5")] == ["30", "7.5", "7.5"]
    with pytest.raises(CellFault):
        cells.parse_procedure("titulacio")


@pytest.fixture(scope="module")
def framework() -> Framework:
    return Workspace(Settings(), {}).rules.framework


def test_the_procedures_of_each_level_are_those_of_the_law(framework: Framework) -> None:
    shown = {
        Level(level): set(words(row[1]))
        for row in rows(OPERATOR, "| level | procedures |")
        for level in row[0].split(", ")
    }
    assert shown == {level: set(map(str, found)) for level, found in framework.direct_procedures.items()}


# --- reasons --------------------------------------------------------------------------------------

_REASON_HEADER = "| code | verdict | sub-indication | meaning | what to do |"


def test_every_reason_code_is_documented_with_its_verdict_and_no_other() -> None:
    shown = {words(row[0])[0]: (row[1], words(row[2])[0]) for row in rows(AUDITOR, _REASON_HEADER)}
    of_files = {str(code): (str(Verdict.INDETERMINATE), one.sub_indication) for code, one in EXPLANATIONS.items()}
    of_seals = {str(code): (str(one.verdict), one.sub_indication) for code, one in REASONS.items()}
    assert shown == of_files | of_seals
    assert EXPLANATIONS.keys() == set(FileReason)


def test_every_sub_indication_is_documented_and_every_verdict() -> None:
    shown = {words(row[0])[0]: row[1] for row in rows(AUDITOR, "| sub-indication | verdict | meaning |")}
    for row in rows(AUDITOR, _REASON_HEADER):
        assert shown[words(row[2])[0]] == row[1]
    said = re.findall(r'sub_indication(?: or |=)"([A-Z_]+)"', inspect.getsource(appraisal))
    said += [one.sub_indication for one in EXPLANATIONS.values()]
    assert len(said) >= 3
    assert set(said) <= shown.keys()
    assert {row[0] for row in rows(AUDITOR, "| verdict | meaning | what to do |")} == {str(one) for one in Verdict}


def test_every_finding_of_doctor_is_documented_in_the_order_of_the_report_and_no_other() -> None:
    text = section(OPERATOR, "### `doctor`")
    shown = [words(row[0])[0] for row in rows(text, "| finding | what is looked at | where it is wrong |")]
    assert shown == list(CHECK_NAMES)


# --- the rest -------------------------------------------------------------------------------------


def test_every_debian_package_is_explained() -> None:
    needed = [
        line
        for line in (REPOSITORY / "tools" / "debian-packages.txt").read_text(encoding="utf-8").split("\n")
        if line and not line.startswith("#")
    ]
    shown = [name for row in rows(OPERATOR, "| package | what for |") for name in words(row[0])]
    assert shown == needed


@pytest.mark.parametrize("page", GUIDES)
def test_every_link_of_a_guide_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        path, _, anchor = target.partition("#")
        if path.startswith("https:"):
            continue
        file = (REPOSITORY / page).parent / path if path else REPOSITORY / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
            assert anchor in slugs, target


def test_every_refusal_of_a_renewal_is_documented_and_no_other() -> None:
    table = rows(section(OPERATOR, "## Keeping what was issued provable"), "| refusal | meaning | what to do |")
    assert [words(row[0])[0] for row in table] == list(RefusalCode)


def test_every_event_of_the_log_is_documented_and_no_other() -> None:
    table = rows(section(OPERATOR, "## Every night"), "| event | when | with |")
    assert [words(row[0])[0] for row in table] == [*RunEvent, *CommandEvent]


def test_every_code_of_status_is_documented_and_no_other() -> None:
    table = rows(section(OPERATOR, "### `status`"), "| code | meaning | what to do |")
    assert [words(row[0])[0] for row in table] == list(StandingCode)


def test_every_metric_is_documented_and_no_other() -> None:
    table = rows(section(OPERATOR, "## Every night"), "| metric | labels | meaning |")
    written = re.findall(r'"(sealtool_[a-z_]+)"', inspect.getsource(metrics))
    assert [words(row[0])[0] for row in table] == list(dict.fromkeys(["sealtool_info", *written]))


def test_the_published_schema_of_status_is_that_of_the_code() -> None:
    published = json.loads((REPOSITORY / "docs" / "schemas" / "status-1.schema.json").read_text(encoding="utf-8"))
    assert published == status_schema(), "run: make schemas"


def test_the_configuration_of_a_server_moves_to_etc_and_what_is_written_stays(tmp_path: Path) -> None:
    (install,) = (one for one in blocks("docs/operator.md", "console") if "adduser" in one.content)
    etc, var = tmp_path / "etc", tmp_path / "var"
    etc.mkdir()
    found_workspace(var, demo=False, now=utc_now())
    for line in install.lines:
        if line.startswith(("sed ", "rm ")):
            moved = line.replace("/var/lib/sealtool", str(var)).replace("/etc/sealtool", str(etc))
            subprocess.run(["sh", "-c", moved], check=True)
    settings = load_settings(etc / "sealtool.toml")
    written = (settings.ledger_file, settings.output.folder, settings.run.log)
    assert written == (var / "ledger.sqlite", var / "out", var / "sealtool.log")
    assert not (var / "sealtool.toml").exists()


def test_documents_and_samples_have_one_place_for_the_configuration_of_a_server() -> None:
    everything = [*PAGES.values(), CRON.read_text("utf-8"), (SYSTEMD / "sealtool.service").read_text("utf-8")]
    named = {path for text in everything for path in re.findall(r"SEALTOOL_CONFIG=(/\S+)|--config (/etc\S+)", text)}
    places = {"".join(path).rpartition("/")[0] for path in named}
    assert places == {str(SYSTEM_CONFIG.parent)}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in SYSTEMD.iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/sealtool/bin/sealtool", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "sealtool" in line] == []


def test_the_service_takes_held_people_for_a_normal_night_and_its_credential_is_the_documented_one() -> None:
    unit = configparser.RawConfigParser(strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(SYSTEMD / "sealtool.service", encoding="utf-8")
    service = dict(unit["Service"])
    assert service["SuccessExitStatus"].split() == [str(int(ExitCode.NEEDS_HUMAN)), str(int(ExitCode.INTERRUPTED))]
    never_again = {int(code) for code in service["RestartPreventExitStatus"].split()}
    tried_again = {ExitCode.DONE, ExitCode.NEEDS_HUMAN, ExitCode.SERVICE_UNREACHABLE, ExitCode.INTERRUPTED}
    assert never_again == set(ExitCode) - tried_again
    name = service["LoadCredential"].split(":")[0]
    assert f'passphrase = {{ credential = "{name}" }}' in OPERATOR
    arguments = arguments_of(service["ExecStart"])
    assert arguments is not None
    check_usage(arguments)


def _cron_lines() -> list[str]:
    """The one for issuing, and the one for renewing."""
    return [line for line in CRON.read_text(encoding="utf-8").splitlines() if re.match(r"[0-9*]", line)]


@pytest.mark.parametrize("number", [0, 1], ids=["issue", "extend"])
def test_the_cron_line_is_one_that_cron_and_sealtool_understand(number: int) -> None:
    *times, user, shell = _cron_lines()[number].split(maxsplit=6)
    assert len(times) == 5
    assert user == "sealtool"
    assert "%" not in shell
    call = re.search(r"(/\S+/sealtool .*?) >", shell)
    assert call
    check_usage(arguments_of(call[1]) or [])


@pytest.mark.parametrize(
    ("number", "code", "mail"),
    [*((0, code, code > 1) for code in (0, 1, 3, 7, 70)), (1, 0, False), (1, 1, True), (1, 7, True)],
)
def test_the_cron_line_sends_a_mail_only_where_somebody_has_to_act(
    tmp_path: Path, number: int, code: int, mail: bool
) -> None:
    program = tmp_path / "sealtool"
    program.write_text(f"#!/bin/sh\necho 12345678Z is held\necho '{{}}' >&2\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    shell = _cron_lines()[number].split(maxsplit=6)[6].replace("/opt/sealtool/bin", str(tmp_path))
    shell = shell.replace("/var/log/sealtool", str(tmp_path))
    outcome = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=False)
    assert bool(outcome.stdout) is mail
    assert "12345678Z" not in outcome.stdout
    assert (tmp_path / "log.jsonl").read_text(encoding="utf-8") == "{}\n"
    (report,) = tmp_path.glob("last-*.txt")
    assert report.stat().st_mode & 0o077 == 0
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o077 == 0


# --- the examples that run ------------------------------------------------------------------------


@dataclass(frozen=True)
class Session:
    """A folder in which the examples run in order, as at one terminal."""

    folder: Path
    environment: dict[str, str]

    def run(self, block: Block) -> None:
        if all(re.match(r"(sealtool|export) ", line) and "|" not in line for line in block.lines):
            for line in block.lines:
                self._run_here(line)
            return
        environment = {**os.environ, **self.environment, "LC_ALL": "C.UTF-8"}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        script = f"set -euo pipefail\n{block.content}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block.page}:\n{block.content}\n{done.stdout}\n{done.stderr}"

    def _run_here(self, line: str) -> None:
        """In this process: starting Python anew for each line would take most of the time."""
        if line.startswith("export "):
            name, value = line.removeprefix("export ").split("=", 1)
            self.environment[name] = value.replace("$PWD", str(self.folder))
            return
        expected = re.search(r"# exit (\d+)", line)
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.delenv("SEALTOOL_CONFIG", raising=False)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with CliRunner().isolation() as (out, err, _):
                code = ended_with(main, shlex.split(line, comments=True)[1:])
                said = out.getvalue().decode() + err.getvalue().decode()
        assert code == (int(expected[1]) if expected else 0), f"{line}\n{said}"
        if " init " in line:
            self._work_in_one_process()

    def _work_in_one_process(self) -> None:
        configuration = self.folder / "work" / "sealtool.toml"
        text = configuration.read_text(encoding="utf-8")
        configuration.write_text(text.replace("workers = 0 ", "workers = 1 "), encoding="utf-8")


def session_with_samples(folder: Path) -> Session:
    shutil.copytree(REPOSITORY / "samples" / "registry-small", folder / "samples" / "registry-small")
    return Session(folder, {})


@pytest.mark.long
def test_the_first_run_and_all_that_builds_on_it_run_as_they_stand(tmp_path: Path) -> None:
    """One test, because all of them work on what the first run has issued."""
    session = session_with_samples(tmp_path)
    first, *others = [block for page in GUIDES for block in blocks(page, "console") if block.runs]
    session.run(first)
    assert len(list((tmp_path / "work" / "out").glob("*/A2/*.pdf"))) == 10
    assert {block.page for block in others} == {"docs/operator.md", "docs/auditor.md", "docs/administrator.md"}
    for block in others:
        session.run(block)


@pytest.mark.long
def test_what_the_readme_shows_runs_as_it_stands(tmp_path: Path) -> None:
    session = session_with_samples(tmp_path)
    (shown,) = [block for block in blocks("README.md", "console") if block.runs]
    assert len(shown.lines) > 10
    session.run(shown)
