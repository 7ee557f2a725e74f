"""What every command has in common, and the small ones."""

import errno
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealtool import press, publishing
from sealtool.errors import ExitCode, SealtoolError, SelfCheckError
from sealtool.model import CertificateOrder, PadesLevel, Verification
from sealtool.workspace import Workspace
from tests.pipeline.conftest import (
    PEOPLE,
    SMALL_SAMPLE,
    Folder,
    Write,
    as_somebody_who_may_not_read_everything,
    b1_by_test,
    call,
    dni,
    issue_b1,
)

A, B = PEOPLE[:2]


def _in_make_long(*case: object) -> object:
    """One more case of the same, with a process of its own."""
    return pytest.param(*case, marks=pytest.mark.long)


pytestmark = pytest.mark.usefixtures("no_configuration")


def test_the_program_and_the_module_are_the_same() -> None:
    program = subprocess.run([Path(sys.executable).with_name("sealtool"), "--help"], check=True, capture_output=True)
    module = subprocess.run([sys.executable, "-m", "sealtool", "--help"], check=True, capture_output=True)
    assert program.stdout == module.stdout
    assert b"issue" in program.stdout


@pytest.mark.parametrize("command", ["init", "check", "plan", "issue", "explain", "verify", "status"])
def test_every_command_explains_itself(command: str) -> None:
    outcome = call(command, "--help")
    assert outcome.code == 0
    assert "Usage: sealtool" in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["issue", "--level", "B7"],
        ["plan", "--nonsense"],
        ["verify"],
        ["verify", "not-there.pdf"],
    ],
)
def test_wrong_usage_exits_2_and_says_so_on_standard_error(arguments: list[str]) -> None:
    outcome = call(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Error" in outcome.err


@pytest.mark.parametrize(
    "options",
    [[], ["--all", "--level", "B1"], ["--level", "B1", "--area", "2"]],
    ids=["no level", "all and a level", "an area outside C2"],
)
def test_issue_takes_nothing_for_granted(folder: Folder, options: list[str]) -> None:
    outcome = folder.call("issue", *options, "--registry", SMALL_SAMPLE)
    assert outcome.code == 2
    assert folder.certificates == []


def test_without_a_configuration_the_user_learns_how_to_get_one() -> None:
    outcome = call("status")
    assert outcome.code == 3
    assert "sealtool init" in outcome.err


def test_a_mistake_in_the_configuration_names_the_key(folder: Folder) -> None:
    folder.configure("max_shrink = 0.10", 'max_shrink = "much"\nnonsense = 1')
    outcome = folder.call("status")
    assert outcome.code == 3
    assert "registry.max_shrink" in outcome.err
    assert "registry.nonsense: there is no such key" in outcome.err


def test_the_configuration_is_found_in_the_environment_and_in_the_folder(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALTOOL_CONFIG", str(folder.configuration))
    assert call("status").code == 0
    monkeypatch.delenv("SEALTOOL_CONFIG")
    monkeypatch.chdir(folder.path)
    assert call("status").code == 0


def test_a_configuration_that_was_named_and_is_not_there_is_no_other(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)
    outcome = call("--config", "elsewhere.toml", "status")
    assert outcome.code == 3
    assert "elsewhere.toml" in outcome.err


@pytest.mark.parametrize("arguments", [["status"], ["check", SMALL_SAMPLE], ["verify", SMALL_SAMPLE]])
def test_a_working_folder_that_is_gone_is_named(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[object]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    outcome = folder.call(*arguments)
    assert outcome.code == 3
    assert outcome.err.startswith("sealtool: The folder that this was called from is not there any more")


def test_a_folder_is_no_configuration(folder: Folder) -> None:
    outcome = call("--config", folder.path, "status")
    assert outcome.code == 3
    assert f"The configuration {folder.path} cannot be read: Is a directory." in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--config", "closed.toml", "status"], 3, "The configuration closed.toml cannot be read"),
        _in_make_long(["check", "closed"], 4, "the folder cannot be opened"),
        (["issue", "--level", "B1", "--registry", "closed"], 4, "the folder cannot be opened"),
        _in_make_long(["verify", "--trust", "closed.toml", "x.pdf"], 3, "so whom to trust is unknown"),
        (["verify", "--trust", "closed", "x.pdf"], 3, "so whom to trust is unknown"),
        _in_make_long(
            ["extend", "closed.toml", "closed"], 1, "0 files extended, 0 with nothing to do, 2 not extended."
        ),
        _in_make_long(["ledger", "restore", "closed.toml"], 5, "The backup closed.toml cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_may_not_be_read_is_no_wrong_usage(
    folder: Folder, tmp_path: Path, arguments: list[str], code: int, told: str
) -> None:
    (tmp_path / "x.pdf").touch()
    (tmp_path / "closed.toml").touch(mode=0)
    (tmp_path / "closed").mkdir(mode=0)
    command = [*as_somebody_who_may_not_read_everything(), sys.executable, "-m", "sealtool", *arguments]
    environment = {**os.environ, "SEALTOOL_CONFIG": str(folder.configuration)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, told in done.stdout + done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", SMALL_SAMPLE],
        ["plan", "--all", "--registry", SMALL_SAMPLE],
        ["explain", "10000000Z", "--registry", SMALL_SAMPLE],
        ["explain", "10000007K", "--registry", SMALL_SAMPLE],
        ["status"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_json_is_one_document_with_its_schema_and_nothing_else(folder: Folder, arguments: list[str]) -> None:
    outcome = folder.call(*arguments, "--json")
    assert outcome.json["schema"].startswith("sealtool.")


def test_wrong_usage_is_a_json_document_too() -> None:
    outcome = call("plan", "--level", "Z9", "--json")
    assert outcome.code == 2
    assert outcome.json["exit_code"] == 2


def test_an_error_is_a_json_document_too(folder: Folder, tmp_path: Path) -> None:
    outcome = folder.call("plan", "--registry", tmp_path / "nowhere", "--json")
    assert outcome.code == 4
    assert outcome.json["schema"] == "sealtool.error/1"
    assert outcome.json["exit_code"] == 4


# --- init ------------------------------------------------------------------------------------------------


def test_init_makes_a_private_folder_that_works(tmp_path: Path) -> None:
    assert call("init", tmp_path / "work").code == 0
    assert stat.S_IMODE((tmp_path / "work").stat().st_mode) == 0o700
    for name in ("sealtool.toml", "ledger.sqlite"):
        assert stat.S_IMODE((tmp_path / "work" / name).stat().st_mode) == 0o600
    assert Folder(tmp_path / "work").call("status").code == 0


def test_init_without_demo_says_what_is_missing_before_anything_is_sealed(tmp_path: Path) -> None:
    call("init", tmp_path / "work")
    outcome = Folder(tmp_path / "work").call("issue", "--level", "B1", "--registry", SMALL_SAMPLE)
    assert outcome.code == 3
    assert "trust.anchors" in outcome.err or "seal.pkcs12" in outcome.err


def test_what_init_says_to_call_next_can_be_called(tmp_path: Path, write_registry: Write) -> None:
    told = call("init", tmp_path / "la meva carpeta", "--demo").out
    command = shlex.split(told.partition("Next:")[2])[1:]
    assert call(*command[:-1], write_registry(PEOPLE[:1], [b1_by_test(PEOPLE[0])])).code == 0


def test_init_refuses_a_folder_that_has_a_configuration(folder: Folder) -> None:
    before = folder.configuration.read_bytes()
    assert call("init", folder.path, "--demo").code == 3
    assert folder.configuration.read_bytes() == before


def test_init_demo_keeps_its_keys_and_passphrases_private(folder: Folder) -> None:
    for path in (folder.path / "pki").iterdir():
        if path.suffix in {".p12", ".passphrase"} or "passphrase" in path.name:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- check and explain -----------------------------------------------------------------------------------


def test_check_needs_no_configuration() -> None:
    outcome = call("check", SMALL_SAMPLE)
    assert outcome.code == 1
    assert "31/02/2025" in outcome.out


def test_check_of_a_sound_export_exits_0(write_registry: Write) -> None:
    assert call("check", write_registry([A], [b1_by_test(A)])).code == 0


def test_explain_names_the_person_and_every_level(folder: Folder) -> None:
    outcome = folder.call("explain", "10000000-z", "--registry", SMALL_SAMPLE)
    assert outcome.code == 0
    assert "Maria Antònia Riutort de la Vall" in outcome.out
    for level in ("A1", "A2", "B1", "B2", "C1", "C2"):
        assert f"\n{level}: " in outcome.out


def test_explain_says_why_somebody_is_held(folder: Folder) -> None:
    outcome = folder.call("explain", "10000007K", "--registry", SMALL_SAMPLE)
    assert outcome.code == 1
    assert "31/02/2025" in outcome.out


def test_explain_of_a_stranger_is_wrong_usage(folder: Folder) -> None:
    assert folder.call("explain", "99999999R", "--registry", SMALL_SAMPLE).code == 2


@pytest.mark.parametrize("command", [("explain",), ("plan", "--person"), ("register", "--person")])
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_id_is_called_empty(folder: Folder, command: tuple[str, ...], empty: str) -> None:
    registry = () if "register" in command else ("--registry", SMALL_SAMPLE)
    outcome = folder.call(*command, empty, *registry)
    assert (outcome.code, "that is empty" in outcome.err) == (2, True)


# --- status ----------------------------------------------------------------------------------------------


def test_status_counts_what_was_issued(issued: Folder) -> None:
    facts = issued.call("status", "--json").json
    assert facts["certificates"] == [{"level": "B1", "state": "issued", "count": 2}]
    assert facts["runs"][0]["state"] == "finished"
    assert facts["needs_human"] == []


def test_status_says_when_an_issued_file_is_gone(issued: Folder) -> None:
    issued.certificates[0].unlink()
    outcome = issued.call("status")
    assert outcome.code == 1
    assert "missing" in outcome.out


def test_status_shows_the_runs_all_the_same_where_the_output_folder_cannot_be_read(
    issued: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: str, flags: int, *arguments: Any, **options: Any) -> int:
        if str(path).endswith(".json"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path, flags, *arguments, **options)

    monkeypatch.setattr(publishing.os, "open", refuse)
    outcome = issued.call("status", "--json")
    (found,) = outcome.json["needs_human"]
    assert (outcome.code, found["code"]) == (1, "OUTPUT_UNREADABLE")
    assert "Permission denied" in found["message"]
    assert "pending" not in found["message"]
    assert len(outcome.json["runs"]) == 1


def test_status_tells_who_is_held_once_however_many_levels_there_were_runs_for(
    quick_folder: Folder, write_registry: Write
) -> None:
    registry = write_registry([A, B], [b1_by_test(A), (B, "B1", "", "test", "2025-31-12", "R")])
    for level in ("A2", "B1", "B2"):
        assert quick_folder.call("issue", "--level", level, "--registry", registry).code == 1
    found = quick_folder.call("status", "--json").json
    assert [one["code"] for one in found["needs_human"]] == ["PEOPLE_HELD"]
    assert found["runs"][0]["run_id"] in found["needs_human"][0]["message"]


def test_status_shows_when_runs_started_by_the_clock_of_the_organisation(issued: Folder) -> None:
    issued.configure('timezone = "Europe/Madrid"', 'timezone = "Pacific/Kiritimati"')
    started = datetime.fromisoformat(issued.call("status", "--json").json["runs"][0]["started_at"])
    shown = issued.call("status").out
    assert "Started (Pacific/Kiritimati)" in shown
    assert f"{started + timedelta(hours=14):%Y-%m-%d %H:%M:%S}" in shown


# --- how a run ends --------------------------------------------------------------------------------------


def test_a_missing_seal_key_exits_6_and_the_next_run_goes_on(quick_folder: Folder, write_registry: Write) -> None:
    registry = write_registry([A], [b1_by_test(A)])
    key = next(quick_folder.path.glob("pki/seal*.p12"))
    key.rename(key.with_suffix(".away"))
    assert issue_b1(quick_folder, registry) == 6
    assert quick_folder.call("status").code == 1
    key.with_suffix(".away").rename(key)
    assert issue_b1(quick_folder, registry) == 0
    assert len(quick_folder.certificates) == 1


def test_an_unreachable_time_stamp_authority_exits_7_and_nothing_is_sealed_below_the_level(
    folder: Folder, write_registry: Write
) -> None:
    registry = write_registry([A], [b1_by_test(A)])
    text = folder.configuration.read_text(encoding="utf-8")
    demo = [line for line in text.splitlines() if line.startswith("demo_")]
    folder.configure("\n".join(demo), 'urls = ["http://127.0.0.1:9/tsa"]\ntimeout_seconds = 2\nretries = 0')
    assert issue_b1(folder, registry) == 7
    assert folder.certificates == []
    folder.configuration.write_text(text, encoding="utf-8")
    assert issue_b1(folder, registry) == 0
    assert len(folder.certificates) == 1


def test_a_removed_ledger_exits_5_and_nothing_is_issued_again(issued: Folder, write_registry: Write) -> None:
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B)])
    (issued.path / "ledger.sqlite").unlink()
    outcome = issued.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == 5
    assert len(issued.certificates) == 2
    assert "ledger restore" in outcome.err
    assert "ledger rebuild" in outcome.err
    assert "init" not in outcome.err


@pytest.mark.parametrize(
    ("by", "inherited"),
    [
        pytest.param(signal.SIGINT, "", id="Ctrl-C", marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, "", id="SIGTERM"),
        pytest.param(signal.SIGTERM, "trap '' INT; ", id="SIGTERM to a job in the background", marks=pytest.mark.long),
    ],
)
def test_an_interrupted_run_exits_130_and_the_next_goes_on(
    quick_folder: Folder, write_registry: Write, by: signal.Signals, inherited: str
) -> None:
    people = list(PEOPLE)
    registry = write_registry(people, map(b1_by_test, people))
    command = [sys.executable, "-m", "sealtool", "--config", str(quick_folder.configuration)]
    command += ["issue", "--level", "B1", "--registry", str(registry)]
    command = ["sh", "-c", f'{inherited}exec "$@"', "sh", *command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not quick_folder.certificates and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(by)
    _, told = process.communicate()
    assert process.returncode == 130
    error, ended = [json.loads(line) for line in told.splitlines()][-2:]
    assert error["message"].startswith("Interrupted")
    assert (ended["event"], ended["exit_code"]) == ("run_ended", 130)
    assert quick_folder.call("status", "--json").json["runs"][0]["state"] == "interrupted"
    with quick_folder.workspace.ledger() as ledger:
        assert ledger.sealed_documents() == ()
        assert len(ledger.issued_paths()) == len(quick_folder.certificates) < len(people)
    assert issue_b1(quick_folder, registry) == 0
    assert len(quick_folder.certificates) == len(people)


def test_a_bug_exits_70_with_one_plain_line_and_the_traceback_in_the_log(
    quick_folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise RuntimeError("something nobody thought of")

    monkeypatch.setattr(Workspace, "plan", bug)
    outcome = quick_folder.call("plan", "--registry", SMALL_SAMPLE)
    assert outcome.code == 70
    assert "Traceback" not in outcome.out + outcome.err
    assert "something nobody thought of" in (quick_folder.path / "sealtool.log").read_text(encoding="utf-8")


def test_what_our_own_verifier_refuses_is_not_published_and_the_others_are(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = write_registry([A, B], [b1_by_test(A), b1_by_test(B)])
    original = press.insist

    def stricter(order: CertificateOrder, verification: Verification, level: PadesLevel, certificate: str) -> None:
        level = PadesLevel.B_LTA if order.decision.person.person_id == A else level
        original(order, verification, level, certificate)

    with monkeypatch.context() as patch:
        patch.setattr(press, "insist", stricter)
        outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == 70
    assert "was not published" in outcome.out
    assert "SelfCheckError" in (quick_folder.path / "sealtool.log").read_text(encoding="utf-8")
    assert len(quick_folder.certificates) == 1
    assert issue_b1(quick_folder, registry) == 0
    assert len(quick_folder.certificates) == 2


def test_when_nothing_passes_the_run_stops_early(
    quick_folder: Folder, write_registry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = list(PEOPLE[:30])
    tried = 0

    def hopeless(*_: object) -> None:
        nonlocal tried
        tried += 1
        raise SelfCheckError("Never.")

    monkeypatch.setattr(press, "insist", hopeless)
    assert issue_b1(quick_folder, write_registry(people, map(b1_by_test, people))) == 70
    assert tried < len(people)


@pytest.mark.long
def test_a_lost_worker_is_no_bug_and_the_next_run_goes_on(quick_folder: Folder, write_registry: Write) -> None:
    quick_folder.configure("workers = 1", "workers = 2")
    people = [dni(number) for number in range(10_000_000, 10_000_200)]  # so that both always have something to do
    registry = write_registry(people, map(b1_by_test, people))
    command = [sys.executable, "-m", "sealtool", "--config", str(quick_folder.configuration)]
    command += ["issue", "--level", "B1", "--registry", str(registry)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not quick_folder.certificates and process.poll() is None:
        time.sleep(0.01)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    spawned = [pid for pid in workers if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(int(spawned[-1]), signal.SIGKILL)
    _, told = process.communicate()
    assert process.returncode == 130
    assert b"worker process was ended" in told
    assert issue_b1(quick_folder, registry) == 0
    assert len(quick_folder.certificates) == len(people)


def test_below_b_lt_without_revocation_lists_nothing_is_begun(quick_folder: Folder, write_registry: Write) -> None:
    quick_folder.configure('crls = ["pki/*.crl"]', "crls = []")
    assert issue_b1(quick_folder, write_registry([A], [b1_by_test(A)])) == 3
    assert quick_folder.call("status", "--json").json["runs"] == []


@pytest.mark.parametrize("command", ["issue", "plan"])
def test_somebody_whom_nobody_knows_is_wrong_usage(folder: Folder, command: str) -> None:
    outcome = folder.call(command, "--level", "B1", "--person", "99999999R", "--registry", SMALL_SAMPLE)
    assert outcome.code == 2
    assert "99999999R" in outcome.err


def test_every_error_has_an_exit_code_of_the_table() -> None:
    def kinds(base: type[SealtoolError]) -> list[type[SealtoolError]]:
        return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]

    assert {kind.exit_code for kind in kinds(SealtoolError)} <= set(ExitCode)


def test_output_that_nobody_reads_any_more_is_no_error(folder: Folder) -> None:
    command = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration), "check"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        process = subprocess.run(
            [*command, str(SMALL_SAMPLE), "--json"], stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert process.returncode == 1
    assert b"Traceback" not in process.stderr
    assert b"BrokenPipe" not in process.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        pytest.param(["status", "--json"], marks=pytest.mark.long),
        pytest.param(["--config", "nope.toml", "status", "--json"], marks=pytest.mark.long),
    ],
)
def test_output_that_cannot_be_written_is_said_in_plain_words(folder: Folder, arguments: list[str]) -> None:
    environment = {**os.environ, "SEALTOOL_CONFIG": str(folder.configuration)}
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "sealtool", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env=environment,
        )
    assert process.returncode == 3
    assert b"Traceback" not in process.stderr
    assert b"sealtool: " in process.stderr


def test_what_the_system_refuses_is_no_matter_of_the_output(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Workspace, "plan", refuse)
    outcome = folder.call("plan", "--registry", SMALL_SAMPLE)
    assert outcome.code == 3
    assert outcome.err.startswith("sealtool: The system refused what sealtool needs: Too many open files.")
    assert "in refuse" in (folder.path / "sealtool.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "closed"),
    [
        _in_make_long("status", ">&-"),
        _in_make_long("register", ">&-"),
        _in_make_long("issue --all --registry registry", "2>&-"),
        ("status", "<&- >&- 2>&-"),
    ],
)
def test_a_closed_stream_is_no_fault(folder: Folder, write_registry: Write, command: str, closed: str) -> None:
    write_registry([A], [])
    program = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration), *command.split()]
    process = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *program], capture_output=True, check=False)
    assert (process.returncode, process.stderr) == (0, b"")


def test_the_number_of_a_closed_stream_goes_to_no_other_file() -> None:
    program = [sys.executable, "-c", _WHAT_WORKERS_INHERIT]
    shell = ["sh", "-c", '"$@" <&- 2>&-', "sh", *program]
    assert subprocess.run(shell, stdout=subprocess.PIPE, text=True, check=True).stdout == "/dev/null /dev/null\n"


_WHAT_WORKERS_INHERIT = """
import subprocess, sys
from sealtool.cli import _open_closed_streams
_open_closed_streams()
links = "echo $(readlink /proc/self/fd/0) $(readlink /proc/self/fd/2)"
subprocess.run(["sh", "-c", links], check=True)
"""


def test_a_terminal_that_knows_no_unicode_is_no_fault() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = subprocess.run(
        [sys.executable, "-m", "sealtool", "check", str(SMALL_SAMPLE)],
        capture_output=True,
        check=False,
        env=environment,
    )
    assert process.returncode == 1
    assert b"31/02/2025" in process.stdout


def test_the_check_document_says_what_was_read(write_registry: Write) -> None:
    document = json.loads(call("check", write_registry([A], [b1_by_test(A)]), "--json").out)
    assert [(one["name"], one["rows"]) for one in document["files"]] == [("people.csv", 1), ("accreditations.csv", 1)]
