"""SIGKILL at any moment, then the same command: the same certificates, each once, no file torn."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sealtool import batches
from sealtool.model import Level
from sealtool.planning import Scope
from tests.ledgers import postgresql_place
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test
from tests.postgresql import Cluster

A, B, C = PEOPLE[:3]
B1 = Scope((Level.B1,))


@pytest.fixture(autouse=True)
def _one_certificate_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)  # more steps to die between


def in_a_child(work: Callable[[], object]) -> int:
    """Runs the work in a forked process and returns its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must not go on as a second pytest
            os._exit(99)
        os._exit(0)
    return child


PATIENCE = 30
"""Seconds. A fork of a process with threads may stand still for ever; then it is killed there: a crash, too."""


def ended_by(child: int) -> int:
    """The signal that ended a child, 0 where it ended by itself without an error."""
    deadline = time.monotonic() + PATIENCE
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
            break
        time.sleep(0.005)
    status = ended[1]
    assert os.waitstatus_to_exitcode(status) in {0, -signal.SIGKILL}
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def killed_at_step(number: int) -> Callable[[str], None]:
    """Counts the steps of a run and pulls the plug right after that one."""
    passed = 0

    def on_step(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_step


def killed_after(name: str) -> Callable[[str], None]:
    """Pulls the plug right after the first step of that name."""

    def on_step(step: str) -> None:
        if step == name:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_step


def assert_like_an_undisturbed_run(folder: Folder, people: Sequence[str], files_each: int = 1) -> None:
    with folder.workspace.ledger() as ledger:
        issued = ledger.certificates_on_record([Level.B1])
        known = {folder.path / "out" / path for path in ledger.issued_paths()}
        assert ledger.broken_link() is None
    assert sorted((one.person_id, str(one.state)) for one in issued) == [(person, "issued") for person in people]
    assert set(folder.certificates) == known
    assert len(known) == len(people) * files_each
    listed = [
        folder.path / "out" / entry["path"]
        for manifest in folder.manifests
        for entry in json.loads(manifest.read_bytes())["documents"]
    ]
    assert sorted(listed) == folder.certificates
    assert not list(folder.path.rglob(".sealtool-unfinished-*"))
    assert folder.call("verify", folder.path / "out").code == 0
    assert folder.call("status").code == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("people", "files_each"), [((A, B), 1), ((A,), 2)], ids=["two people", "a file for each language"]
)
def test_a_run_killed_between_any_two_steps_is_completed_by_the_next(
    quick_folder: Folder, write_registry: Write, tmp_path: Path, people: tuple[str, ...], files_each: int
) -> None:
    registry = write_registry(people, map(b1_by_test, people))
    if files_each == 2:
        quick_folder.configure("one_file_per_language = false", "one_file_per_language = true")
    steps: list[str] = []
    undisturbed = Folder(tmp_path / "undisturbed")
    shutil.copytree(quick_folder.path, undisturbed.path)
    undisturbed.workspace.issue(registry, B1, on_step=steps.append)
    assert_like_an_undisturbed_run(undisturbed, people, files_each)
    assert len(steps) > 20
    for number in range(1, len(steps) + 1):
        folder = Folder(tmp_path / f"killed-{number}")
        shutil.copytree(quick_folder.path, folder.path)
        die = killed_at_step(number)
        child = in_a_child(lambda: folder.workspace.issue(registry, B1, on_step=die))  # noqa: B023 - used at once
        assert ended_by(child) == signal.SIGKILL, f"step {number} was never reached"
        folder.workspace.issue(registry, B1)
        assert_like_an_undisturbed_run(folder, people, files_each)


@pytest.mark.long
def test_a_run_whose_ledger_is_on_a_server_is_completed_when_it_was_killed_between_any_two_steps(
    quick_folder: Folder, registry: Path, cluster: Cluster, empty_ledger: str, tmp_path: Path
) -> None:
    """Here it is the server that lets go of the hold."""

    def copy(name: str) -> Folder:
        folder = Folder(tmp_path / name)
        shutil.copytree(quick_folder.path, folder.path)
        folder.configure('url = "sqlite:///ledger.sqlite"', postgresql_place(cluster, empty_ledger).toml)
        return folder

    steps: list[str] = []
    copy("undisturbed").workspace.issue(registry, B1, on_step=steps.append)
    assert len(steps) > 20
    for number in range(1, len(steps) + 1):
        folder, die = copy(f"killed-{number}"), killed_at_step(number)
        child = in_a_child(lambda: folder.workspace.issue(registry, B1, on_step=die))  # noqa: B023 - used at once
        assert ended_by(child) == signal.SIGKILL, f"step {number} was never reached"
        wait_for_the_hold_to_end(folder)
        folder.workspace.issue(registry, B1)
        assert_like_an_undisturbed_run(folder, [A, B])
        assert folder.call("ledger", "verify").code == 0


def wait_for_the_hold_to_end(folder: Folder) -> None:
    """The server notices at once that a client on the same machine is dead, but not before it is."""
    deadline = time.monotonic() + PATIENCE
    with folder.workspace.ledger() as ledger:
        while ledger.is_held():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.mark.long
def test_a_run_killed_again_and_again_at_random_moments_gets_there(quick_folder: Folder, write_registry: Write) -> None:
    people = list(PEOPLE[:40])
    registry = write_registry(people, map(b1_by_test, people))
    moments = random.Random(20251027)  # noqa: S311 - a repeatable test, no secret
    kills = 0
    for _ in range(40):
        child = in_a_child(lambda: quick_folder.workspace.issue(registry, B1))
        time.sleep(moments.uniform(0.05, 0.3))
        os.kill(child, signal.SIGKILL)
        if ended_by(child) == 0:
            break
        kills += 1
    assert kills > 2
    quick_folder.workspace.issue(registry, B1)
    assert_like_an_undisturbed_run(quick_folder, people)


@pytest.mark.long
def test_the_program_itself_with_its_worker_processes_can_be_killed(folder: Folder, write_registry: Write) -> None:
    folder.configure("workers = 1", "workers = 2")
    people = list(PEOPLE)
    registry = write_registry(people, map(b1_by_test, people))
    command = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration)]
    command += ["issue", "--level", "B1", "--registry", str(registry)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not folder.certificates and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < len(folder.certificates) < len(people)
    subprocess.run(command, check=True, capture_output=True)
    assert_like_an_undisturbed_run(folder, people)


def test_a_decision_that_lost_its_support_before_it_was_sealed_is_never_issued(
    quick_folder: Folder, registry: Path, write_registry: Write
) -> None:
    die = killed_after("certificates reserved")
    assert ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die))) == signal.SIGKILL
    quick_folder.workspace.issue(write_registry([A, B], [b1_by_test(A)], name="later"), B1, accept_shrink=True)
    assert_like_an_undisturbed_run(quick_folder, [A])


def test_a_decision_corrected_before_it_was_sealed_is_issued_as_corrected(
    quick_folder: Folder, registry: Path, write_registry: Write
) -> None:
    die = killed_after("certificates reserved")
    assert ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die))) == signal.SIGKILL
    corrected = write_registry([A, B], [b1_by_test(A, day="2025-06-01"), b1_by_test(B)], name="corrected")
    quick_folder.workspace.issue(corrected, B1)
    plan = quick_folder.call("plan", "--level", "B1", "--registry", corrected, "--json").json
    assert [(one["accredited_on"], one["action"]) for one in plan["decisions"]] == [
        ("2025-06-01", "none"),
        ("2025-03-12", "none"),
    ]


def test_a_decision_that_became_doubtful_before_it_was_sealed_holds_the_person(
    quick_folder: Folder, registry: Path, write_registry: Write
) -> None:
    die = killed_after("certificates reserved")
    assert ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die))) == signal.SIGKILL
    later = write_registry([A, B], [b1_by_test(A), b1_by_test(B)], names=["Aina", "山田"], name="later")
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", later, "--json")
    assert (outcome.code, len(outcome.json["issued"]), outcome.json["failed"]) == (1, 1, [])
    assert outcome.json["held"] == [{"person_id": B, "problems": [0]}]


def test_what_was_reserved_is_not_issued_where_another_id_has_it_already(
    quick_folder: Folder, write_registry: Write
) -> None:
    foreign = "X1234567L"
    names = ["Aina", "Aina"]
    both = write_registry([foreign, A], [b1_by_test(foreign)], names=names)
    quick_folder.workspace.issue(both, B1)
    both = write_registry([foreign, A], [b1_by_test(foreign), b1_by_test(A)], names=names)
    die = killed_after("certificates reserved")
    assert ended_by(in_a_child(lambda: quick_folder.workspace.issue(both, B1, on_step=die))) == signal.SIGKILL
    one = write_registry([A], [b1_by_test(A)], names=names, name="one")
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", one, "--accept-shrink", "--json")
    assert (outcome.code, outcome.json["issued"]) == (1, [])
    assert foreign in outcome.json["problems"][0]["message"]


def test_a_foreign_file_under_a_certificates_name_stops_the_run_and_is_left_alone(
    quick_folder: Folder, registry: Path
) -> None:
    die = killed_after("hashes recorded")
    assert ended_by(in_a_child(lambda: quick_folder.workspace.issue(registry, B1, on_step=die))) == signal.SIGKILL
    with quick_folder.workspace.ledger() as ledger:
        (document, *_) = ledger.sealed_documents()
    foreign = quick_folder.path / "out" / document.path
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"something else")
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == 5
    assert document.path in outcome.err
    assert foreign.read_bytes() == b"something else"


def test_a_second_run_at_the_same_time_says_so_and_exits_5(any_folder: Folder, registry: Path) -> None:
    with any_folder.workspace.ledger() as ledger, ledger.exclusive():
        outcome = any_folder.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == 5
    assert "Another run" in outcome.err
    assert any_folder.certificates == []
