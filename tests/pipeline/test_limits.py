"""One file costs a reason, never the audit: files that hold up, eat, or break whoever opens them, among good ones."""

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from sealtool.auditing import Audit, Auditing, Judges
from sealtool.auditing.files import MAX_BYTES
from sealtool.chambers import Chambers, Limits, Task
from sealtool.errors import WorkerLostError
from sealtool.model import Verdict
from sealtool.workspace.tasks import judge_certificate, judge_seal
from tests.exports import write_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, b1_by_test, call
from tests.pipeline.judges import MisbehavingJudge
from tests.pki.hostile_files import HOSTILE, table_of_entries_of_no_width

PATIENT = Limits(seconds=60, memory=512)
HUNGRY = Limits(seconds=60, memory=256)
SHORT = Limits(seconds=1.5, memory=512)


@pytest.fixture(scope="session")
def good(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with one certificate of each level of the seal that matters here: none is changed by a test."""
    place = tmp_path_factory.mktemp("limits")
    folder = Folder(place / "work")
    shutil.copytree(demo_folder, folder.path)
    people = PEOPLE[:3]
    named = [(person, "Persona", "Fictícia", "") for person in people]
    registry = write_export(place / "registry", named, map(b1_by_test, people))
    assert folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    return folder


@pytest.fixture
def mixed(good: Folder, tmp_path: Path) -> Path:
    """A plain folder with the good certificates in it, for others to be laid beside."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number, certificate in enumerate(good.certificates):
        shutil.copy(certificate, folder / f"good-{number}.pdf")
    return folder


@pytest.fixture
def judge(good: Folder, tmp_path: Path) -> MisbehavingJudge:
    workspace = good.workspace
    return MisbehavingJudge(partial(judge_certificate, workspace.trust, workspace.now()), tmp_path / "diary")


def audit(folder: Path, judge: MisbehavingJudge, limits: Limits, *, processes: int = 2) -> Audit:
    return Auditing(Judges(judge, judge), processes, limits).run([folder])


def codes(audit: Audit) -> dict[str, list[str]]:
    return {one.path.name: [str(reason.code) for reason in one.verification.reasons] for one in audit.files}


def messages(audit: Audit) -> dict[str, str]:
    return {one.path.name: " ".join(reason.message for reason in one.verification.reasons) for one in audit.files}


GOOD: dict[str, list[str]] = {"good-0.pdf": [], "good-1.pdf": [], "good-2.pdf": []}


@pytest.mark.parametrize(
    "misdeed", ["COMPUTE", *(pytest.param(one, marks=pytest.mark.long) for one in ("WAIT", "REFUSE"))]
)
def test_a_file_that_is_never_judged_to_the_end_is_given_up_and_the_others_pass(
    mixed: Path, judge: MisbehavingJudge, misdeed: str
) -> None:
    (mixed / "a.pdf").write_text(f"%{misdeed}\n", encoding="utf-8")
    audited = audit(mixed, judge, SHORT)
    assert codes(audited) == GOOD | {"a.pdf": ["TOO_COSTLY"]}
    assert "1.5 s" in messages(audited)["a.pdf"]
    assert audited.summary == {"PASSED": 3, "FAILED": 0, "INDETERMINATE": 1}
    assert not audited.passed


def test_a_file_that_took_its_time_is_not_tried_again(mixed: Path, judge: MisbehavingJudge) -> None:
    (mixed / "a.pdf").write_text("%WAIT\n", encoding="utf-8")
    audit(mixed, judge, SHORT)
    assert sum(begins.startswith("%WAIT") for _, begins in judge.entries()) == 1


@pytest.mark.parametrize("processes", [pytest.param(1, marks=pytest.mark.long), 3])
def test_as_many_hanging_files_as_processes_hold_nothing_up(
    mixed: Path, judge: MisbehavingJudge, processes: int
) -> None:
    hanging = [f"a{number}.pdf" for number in range(processes)]
    for name in hanging:
        (mixed / name).write_text("%WAIT\n", encoding="utf-8")
    audited = audit(mixed, judge, SHORT, processes=processes)
    assert codes(audited) == GOOD | {name: ["TOO_COSTLY"] for name in hanging}


@pytest.mark.long
@pytest.mark.parametrize("misdeed", ["EAT", "CRUMBS", "STARVE"])
def test_a_file_that_eats_memory_is_given_up_and_the_others_pass(
    mixed: Path, judge: MisbehavingJudge, misdeed: str
) -> None:
    (mixed / "good-1a.pdf").write_text(f"%{misdeed}\n", encoding="utf-8")
    audited = audit(mixed, judge, HUNGRY, processes=1)
    assert codes(audited) == GOOD | {"good-1a.pdf": ["TOO_COSTLY"]}
    assert "256 MiB" in messages(audited)["good-1a.pdf"]


def test_a_file_that_ran_out_of_memory_behind_others_gets_a_process_of_its_own_first(
    mixed: Path, judge: MisbehavingJudge
) -> None:
    (mixed / "good-1a.pdf").write_text("%EAT\n", encoding="utf-8")
    audit(mixed, judge, PATIENT, processes=1)
    tried = [number for number, begins in judge.entries() if begins.startswith("%EAT")]
    others = {number for number, begins in judge.entries() if not begins.startswith("%EAT")}
    assert len(tried) == 2
    assert tried[0] in others
    assert tried[1] not in others


@pytest.mark.parametrize(
    ("misdeed", "told"),
    [("BREAK", "SIGSEGV"), ("KILLED", "SIGKILL, as when memory runs out"), ("LEAVE", "exit code 3")],
)
def test_a_file_that_breaks_its_process_down_costs_only_itself(
    mixed: Path, judge: MisbehavingJudge, misdeed: str, told: str
) -> None:
    (mixed / "good-1a.pdf").write_text(f"%{misdeed}\n", encoding="utf-8")
    audited = audit(mixed, judge, PATIENT)
    assert codes(audited) == GOOD | {"good-1a.pdf": ["VERIFIER_CRASHED"]}
    assert told in messages(audited)["good-1a.pdf"]
    assert sum(begins.startswith(f"%{misdeed}") for _, begins in judge.entries()) == 2


@pytest.mark.parametrize(("misdeed", "code"), [("RECURSE", "TOO_COSTLY"), ("RAISE", "VERIFIER_CRASHED")])
def test_what_a_judge_raises_is_said_of_its_file(mixed: Path, judge: MisbehavingJudge, misdeed: str, code: str) -> None:
    (mixed / "a.pdf").write_text(f"%{misdeed}\n", encoding="utf-8")
    assert codes(audit(mixed, judge, PATIENT)) == GOOD | {"a.pdf": [code]}


@pytest.mark.long
def test_a_manifest_that_is_never_judged_to_the_end_vouches_for_nothing(
    good: Folder, judge: MisbehavingJudge, tmp_path: Path
) -> None:
    shutil.copytree(good.path / "out", tmp_path / "out")
    (manifest,) = (tmp_path / "out" / "manifests").glob("*.json")
    manifest.write_text("%WAIT\n", encoding="utf-8")
    audited = audit(tmp_path / "out", judge, Limits(seconds=2, memory=512))
    told = codes(audited)
    assert told.pop(manifest.name) == ["TOO_COSTLY"]
    assert all("NOT_IN_MANIFEST" in reasons for reasons in told.values())


class UnreachableJudge(MisbehavingJudge):
    """One that cannot even be handed to a process."""

    def __reduce__(self) -> tuple[object, ...]:
        return (int, ("not a number",))


def test_where_no_process_can_be_started_nothing_is_said_of_any_file(mixed: Path, tmp_path: Path) -> None:
    with keeping_a_second_thread(), pytest.raises(WorkerLostError, match="not complete"):
        audit(mixed, UnreachableJudge(None, tmp_path / "diary"), PATIENT)


@contextmanager
def keeping_a_second_thread() -> Iterator[None]:
    """A process with more than one thread is not forked."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_program_with_threads_judges_alike(mixed: Path, judge: MisbehavingJudge) -> None:
    (mixed / "a.pdf").write_text("%BREAK\n", encoding="utf-8")
    with keeping_a_second_thread():
        assert codes(audit(mixed, judge, PATIENT)) == GOOD | {"a.pdf": ["VERIFIER_CRASHED"]}


def test_outcomes_bear_the_numbers_of_their_tasks_and_none_is_left_out() -> None:
    with Chambers(10, count=3, limits=PATIENT) as chambers:
        outcomes = dict(chambers.outcomes([Task(divmod, (number,)) for number in range(1, 60)]))
    assert outcomes == {number - 1: divmod(10, number) for number in range(1, 60)}


def test_no_process_outlives_an_audit(mixed: Path, judge: MisbehavingJudge) -> None:
    (mixed / "a.pdf").write_text("%REFUSE\n", encoding="utf-8")
    audit(mixed, judge, SHORT)
    assert not any(_is_alive(number) for number, _ in judge.entries())


def _is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# --- the program, interrupted ----------------------------------------------------------------------

_PROGRAM = """
    import signal
    import sys
    from functools import partial
    from pathlib import Path
    from sealtool.auditing import Auditing, Judges
    from sealtool.chambers import Limits
    from tests.pipeline.judges import MisbehavingJudge

    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be inherited ignored; the program does so, too
    judge = MisbehavingJudge(None, Path(sys.argv[2]))
    Auditing(Judges(judge, judge), 2, Limits(seconds=float(sys.argv[3]))).run([Path(sys.argv[1])])
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("misdeed", ["COMPUTE", "REFUSE"])
def test_no_process_outlives_a_program_that_was_ended(tmp_path: Path, end: signal.Signals, misdeed: str) -> None:
    folder, diary = tmp_path / "folder", tmp_path / "diary"
    folder.mkdir()
    for name in ("a.pdf", "b.pdf"):
        (folder / name).write_text(f"%{misdeed}\n", encoding="utf-8")
    arguments = [sys.executable, "-c", textwrap.dedent(_PROGRAM), str(folder), str(diary), "60"]
    with subprocess.Popen(arguments, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as program:
        _wait_until(lambda: diary.exists() and diary.read_text(encoding="utf-8").count("\n") == 2)
        program.send_signal(end)
        program.wait(timeout=30)
    at_work = [json.loads(line)[0] for line in diary.read_text(encoding="utf-8").splitlines()]
    _wait_until(lambda: not any(map(_is_alive, at_work)))


def test_ctrl_c_is_left_to_the_program_also_while_a_process_starts() -> None:
    arguments = [sys.executable, "-c", textwrap.dedent(_PRESS_CTRL_C)]
    done = subprocess.run(
        arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False, start_new_session=True
    )
    assert (done.stdout, done.stderr) == ("[(0, (3, 1))]\n", "")


_PRESS_CTRL_C = """
    import os
    import signal
    import threading
    import time
    from sealtool.chambers import Chambers, Limits, Task

    def press_it():
        while True:
            os.killpg(0, signal.SIGINT)
            time.sleep(0.01)

    signal.signal(signal.SIGINT, lambda *_: None)
    threading.Thread(target=press_it, daemon=True).start()  # a second thread, so that no process is forked from here
    with Chambers(10, count=1, limits=Limits()) as chambers:
        print(list(chambers.outcomes([Task(divmod, (3,))])))
"""


def _wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- hostile files ---------------------------------------------------------------------------------


@pytest.mark.long
def test_files_made_to_hold_up_an_audit_cost_a_reason_each_and_good_ones_beside_them_pass(
    good: Folder, mixed: Path
) -> None:
    for make in HOSTILE:
        (mixed / f"{make.__name__}.pdf").write_bytes(make())
    with (mixed / "sparse.pdf").open("wb") as sparse:
        sparse.truncate(200_000_000)
    workspace = good.workspace
    judges = Judges(
        partial(judge_certificate, workspace.trust, workspace.now()),
        partial(judge_seal, workspace.trust, workspace.now()),
    )
    audited = Auditing(judges, 2, Limits(seconds=10, memory=256)).run([mixed])
    verdicts = {one.path.stem: one.verification.verdict for one in audited.files}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.PASSED} == {"good-0", "good-1", "good-2"}
    told = codes(audited)
    assert told["sparse.pdf"] == ["TOO_LARGE"]
    assert told["deep_arrays.pdf"] == ["TOO_COSTLY"]
    # what is left of a process that runs out of memory cannot always say so
    assert told["table_of_entries_of_no_width.pdf"] in (["TOO_COSTLY"], ["VERIFIER_CRASHED"])
    # bounded by what it unpacks to, long before memory or time run out
    assert told["table_of_millions_in_a_few_kilobytes.pdf"] == ["UNREADABLE"]
    assert all(told[f"{make.__name__}.pdf"] for make in HOSTILE)


def test_a_sparse_file_of_many_gigabytes_is_not_read(good: Folder, mixed: Path) -> None:
    with (mixed / "sparse.pdf").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert MAX_BYTES < 1 << 40
    outcome = good.call("verify", mixed, "--json")
    assert outcome.json["summary"] == {"PASSED": 3, "FAILED": 0, "INDETERMINATE": 1}


# --- the command -----------------------------------------------------------------------------------


def test_the_limits_of_the_command_are_those_of_its_options(good: Folder, mixed: Path) -> None:
    hostile = mixed / "hostile.pdf"
    hostile.write_bytes(table_of_entries_of_no_width())
    outcome = good.call("verify", hostile, "--time-limit", "1", "--json")
    assert outcome.code == 1
    assert "more than 1 s." in outcome.json["files"][0]["reasons"][0]["message"]


@pytest.mark.parametrize("option", [("--time-limit", "0"), ("--memory-limit", "255")])
def test_a_limit_that_no_certificate_could_keep_is_refused(good: Folder, option: tuple[str, str]) -> None:
    assert call("verify", good.certificates[0], *option).code == 2


@pytest.mark.long
def test_nothing_that_a_broken_process_says_reaches_the_user(good: Folder, mixed: Path) -> None:
    (mixed / "hostile.pdf").write_bytes(table_of_entries_of_no_width())
    command = [sys.executable, "-m", "sealtool", "--config", str(good.configuration), "verify", str(mixed)]
    done = subprocess.run([*command, "--memory-limit", "256"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "more than 256 MiB" in done.stdout
    assert done.stdout.splitlines()[-1] == "4 files: 3 PASSED, 0 FAILED, 1 INDETERMINATE"
