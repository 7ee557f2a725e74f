"""What is written is for its owner alone, whatever the umask; what is open to others is told, and never changed."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealtool.errors import ExitCode
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test, call

pytestmark = pytest.mark.long

A = PEOPLE[0]


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(path): stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.rglob("*"))}


def assert_private(*folders: Path) -> None:
    for folder in folders:
        for path, mode in modes(folder).items():
            assert mode & 0o077 == 0, f"{path}: {mode:04o}"


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("_umask")
def test_everything_that_is_written_is_for_its_owner_alone(tmp_path: Path, write_registry: Write) -> None:
    work, elsewhere = tmp_path / "in" / "between" / "work", tmp_path / "elsewhere"
    elsewhere.mkdir(0o700)
    registry = write_registry([A], [b1_by_test(A)])
    assert call("init", work, "--demo").code == 0
    folder = Folder(work)
    folder.configure("workers = 0", "workers = 1")
    assert_private(tmp_path / "in")

    assert folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert folder.call("register", "--output", elsewhere / "register.csv").code == 0
    assert folder.call("export", "--eni", elsewhere / "eni").code == 0
    assert folder.call("ledger", "backup", elsewhere / "backup.jsonl").code == 0
    reports = ("--html", elsewhere / "report.html", "--etsi", elsewhere / "report.xml")
    assert folder.call("verify", work / "out", *reports).code == 0
    (certificate,) = folder.certificates
    revoked = folder.call("revoke", certificate.stem, "--reason", "a test", "--yes")
    assert revoked.code == 0, revoked.err
    (work / "ledger.sqlite").rename(work / "lost")
    assert folder.call("ledger", "restore", elsewhere / "backup.jsonl").code == ExitCode.LEDGER  # it lacks the end
    assert folder.call("ledger", "rebuild", "--from", work / "out").code == 0

    assert_private(tmp_path / "in", elsewhere)
    assert revoked.err.count("Open to other users") == 0


@pytest.mark.usefixtures("_umask")
def test_the_log_of_a_fault_is_for_its_owner_alone(quick_folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealtool.standing._open_questions", lambda *_, **__: 1 / 0)
    assert quick_folder.call("status").code == ExitCode.BUG
    assert stat.S_IMODE((quick_folder.path / "sealtool.log").stat().st_mode) == 0o600


OPEN = {
    "the ledger": ("ledger.sqlite", 0o640),
    "the lock, which whoever reads it can hold": ("ledger.sqlite.lock", 0o644),
    "an earlier ledger": ("ledger.sqlite.before-20260101T000000Z-000000", 0o604),
    "the output folder": ("out", 0o750),
    "the log": ("sealtool.log", 0o644),
    "a configuration that others can change": ("sealtool.toml", 0o664),
    "a folder whose files others can exchange": ("", 0o770),
    "whom to trust, by others": ("pki/root.pem", 0o646),
    "a registry export that all can read": ("export", 0o755),
    "templates that others can change": ("templates", 0o775),
}


@pytest.fixture
def closed(quick_folder: Folder) -> Folder:
    """A folder with all there can be in it, open to nobody."""
    quick_folder.configure('# folder = "/srv/registry-export"', 'folder = "export"')
    quick_folder.configure("[rendering]", '[rendering]\ntemplates = "templates"')
    for name in ("export", "templates"):
        (quick_folder.path / name).mkdir(0o700)
    for name, _ in OPEN.values():
        if not (quick_folder.path / name).exists():
            (quick_folder.path / name).touch(0o600)
    assert "Open to other users" not in quick_folder.call("status").err
    return quick_folder


@pytest.mark.parametrize(("name", "mode"), OPEN.values(), ids=OPEN)
def test_what_is_open_to_others_is_told_once_and_the_command_shown_closes_it(
    closed: Folder, name: str, mode: int
) -> None:
    path = closed.path / name
    path.chmod(mode)

    outcome = closed.call("status", "--json")

    assert outcome.err.count("Open to other users of this machine") == 1
    assert f"({path}, mode {mode:04o})" in outcome.err
    assert outcome.json["schema"] == "sealtool.status/1"
    assert stat.S_IMODE(path.stat().st_mode) == mode, "nothing is changed by itself"
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("  Unless it is so on purpose, run: ")]
    subprocess.run(["sh", "-c", line.partition("run: ")[2]], check=True)
    assert "Open to other users" not in closed.call("status").err


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_the_parts_of_a_ledger_that_is_open_are_looked_at(closed: Folder, ending: str) -> None:
    part = closed.path / f"ledger.sqlite{ending}"
    part.touch(0o600)
    assert closed.workspace.exposures() == ()
    part.chmod(0o644)
    assert [one.path for one in closed.workspace.exposures()] == [part]


def test_what_all_may_read_and_nobody_change_is_not_told(closed: Folder) -> None:
    (closed.path / "sealtool.toml").chmod(0o644)
    (closed.path / "pki" / "root.pem").chmod(0o644)
    (closed.path / "templates").chmod(0o755)
    (closed.path / "export").chmod(0o750)
    closed.path.chmod(0o755)
    assert "Open to other users" not in closed.call("status").err


def test_doctor_tells_it_as_a_finding_and_not_a_second_time(closed: Folder) -> None:
    (closed.path / "out").chmod(0o755)
    outcome = closed.call("doctor", "--offline")
    assert "Open to other users" not in outcome.err
    assert outcome.out.count("Open to other users") == 1


def test_a_path_with_a_space_is_closed_by_the_command_shown(closed: Folder) -> None:
    moved = closed.path.with_name("the work")
    closed.path.rename(moved)
    (moved / "out").chmod(0o755)
    outcome = Folder(moved).call("status")
    assert shlex.quote(str(moved / "out")) in outcome.err


def test_a_seal_key_that_is_open_to_others_seals_nothing(quick_folder: Folder, write_registry: Write) -> None:
    (quick_folder.path / "pki" / "seal.p12").chmod(0o644)
    registry = write_registry([A], [b1_by_test(A)])
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == ExitCode.SEAL_KEY
    assert "chmod 600" in outcome.err
    assert quick_folder.certificates == []
