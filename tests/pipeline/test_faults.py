"""What breaks around a run, in each kind of database: nothing is lost, doubled or torn, and the next run goes on."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sealtool import batches
from sealtool.errors import ExitCode, LedgerError, LedgerLockedError, OutputError, SealKeyError, SealtoolError
from sealtool.model import Level
from sealtool.planning import Action, Scope
from sealtool.publishing import OutputFolder
from sealtool.workspace import Workspace
from tests.ledgers import postgresql_place
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test
from tests.pipeline.test_crashes import assert_like_an_undisturbed_run
from tests.postgresql import Cluster, throw_away_cluster

A, B = PEOPLE[:2]
B1 = Scope((Level.B1,))

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _one_certificate_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)  # more steps to fail between


def at(step: str, work: Callable[[], object]) -> Callable[[str], None]:
    """Does the work once, right after the first step of that name."""
    done: list[str] = []

    def on_step(name: str) -> None:
        if name == step and not done:
            done.append(name)
            work()

    return on_step


def assert_the_next_run_goes_on(folder: Folder, registry: Path) -> None:
    folder.workspace.issue(registry, B1)
    assert_like_an_undisturbed_run(folder, [A, B])
    assert folder.call("ledger", "verify").code == 0


# --- disks ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """What writes on gets an error from the system, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_under_the_output_folder_leaves_no_torn_file(any_folder: Folder, registry: Path) -> None:
    limit = contextlib.ExitStack()
    full = at("hashes recorded", lambda: limit.enter_context(files_no_longer_than(20_000)))
    with limit, pytest.raises(SealtoolError) as told:
        any_folder.workspace.issue(registry, B1, on_step=full)
    assert told.value.exit_code in {ExitCode.CONFIGURATION, ExitCode.LEDGER}
    assert any_folder.certificates == []
    assert not list(any_folder.path.rglob(".sealtool-unfinished-*"))
    assert_the_next_run_goes_on(any_folder, registry)


def test_a_file_that_cannot_be_written_in_the_middle_of_a_run_costs_nothing_and_says_so(
    quick_folder: Folder, registry: Path
) -> None:
    def refused() -> None:
        raise OutputError("A file cannot be written.", advice="Call again.")

    with pytest.raises(
        OutputError, match=r"be written\. What was not published stays pending\. .*The next run goes on"
    ):
        quick_folder.workspace.issue(registry, B1, on_step=at("hashes recorded", refused))


@pytest.mark.parametrize("step", ["run begun", "file published"])
def test_a_full_disk_under_an_sqlite_ledger_stops_the_run_in_plain_words(
    quick_folder: Folder, registry: Path, step: str
) -> None:
    ledger = quick_folder.path / "ledger.sqlite-wal"
    limit = contextlib.ExitStack()

    def fill() -> None:
        limit.enter_context(files_no_longer_than(ledger.stat().st_size))

    with limit, pytest.raises(SealtoolError) as told:
        quick_folder.workspace.issue(registry, B1, on_step=at(step, fill))
    assert told.value.exit_code in {ExitCode.CONFIGURATION, ExitCode.LEDGER}
    assert_the_next_run_goes_on(quick_folder, registry)


def test_an_output_folder_on_a_full_file_system_ends_with_exit_3(
    quick_folder: Folder, registry: Path, tmp_path: Path
) -> None:
    """The real thing where this process may mount one: a file system of a few pages."""
    mount = tmp_path / "small"
    mount.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True)  # noqa: PLW1510
    if mounted.returncode:
        pytest.skip("this process may not mount a file system; the limit on files is tried above")
    try:
        quick_folder.configure('folder = "out"', f'folder = "{mount}/out"')
        outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
        assert (outcome.code, "No space left" in outcome.err) == (ExitCode.CONFIGURATION, True)
        assert not [path for path in mount.rglob("*") if path.is_file()]
        subprocess.run(["mount", "-o", "remount,size=64m", str(mount)], check=True)
        assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
        assert len(list(mount.glob("out/*/*/*.pdf"))) == 2
        assert quick_folder.call("verify", mount / "out").code == 0
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_read_only_output_folder_stops_the_run_before_anything_is_decided(
    any_folder: Folder, registry: Path, tmp_path: Path
) -> None:
    out = any_folder.path / "out"
    mounted = subprocess.run(["mount", "--bind", "-o", "ro", str(out), str(out)], capture_output=True)  # noqa: PLW1510
    if mounted.returncode:
        if os.geteuid() == 0:
            pytest.skip("nothing is read-only for root, and this process may not mount a file system")
        out.chmod(0o500)
    try:
        outcome = any_folder.call("issue", "--level", "B1", "--registry", registry)
    finally:
        if mounted.returncode:
            out.chmod(0o700)
        else:
            subprocess.run(["umount", str(out)], check=True)
    assert outcome.code == ExitCode.CONFIGURATION
    with any_folder.workspace.ledger() as ledger:
        assert ledger.head()[0] == 0
    assert_the_next_run_goes_on(any_folder, registry)


# --- servers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fragile() -> Iterator[Cluster]:
    """A server that tests may stop."""
    with throw_away_cluster() as running:
        yield running


@pytest.mark.parametrize(
    ("step", "mode"),
    [("certificates reserved", "fast"), ("hashes recorded", "immediate"), ("file published", "immediate")],
)
def test_a_database_that_goes_away_in_the_middle_of_a_run(
    quick_folder: Folder, registry: Path, fragile: Cluster, step: str, mode: str
) -> None:
    """Stopped in order, and as a loss of power would stop it."""
    place = postgresql_place(fragile, fragile.database_with_ledger())
    quick_folder.configure('url = "sqlite:///ledger.sqlite"', place.toml)
    with pytest.raises(LedgerError, match="cannot be used"):
        quick_folder.workspace.issue(registry, B1, on_step=at(step, lambda: fragile.stop(mode)))
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert outcome.code == ExitCode.LEDGER
    fragile.start()
    assert_the_next_run_goes_on(quick_folder, registry)


@pytest.mark.parametrize("step", ["certificates reserved", "file published"])
def test_a_full_disk_under_the_server_stops_the_run_and_the_next_goes_on(
    quick_folder: Folder, registry: Path, fragile: Cluster, step: str
) -> None:
    """PostgreSQL takes a limit on the size of files for a disk that is full, and ends as it does then."""
    place = postgresql_place(fragile, fragile.database_with_ledger())
    quick_folder.configure('url = "sqlite:///ledger.sqlite"', place.toml)
    with pytest.raises(LedgerError, match="cannot be used"):
        quick_folder.workspace.issue(registry, B1, on_step=at(step, fragile.fill_its_disk))
    fragile.wait_for_its_end()
    fragile.start()
    assert_the_next_run_goes_on(quick_folder, registry)


@pytest.mark.parametrize("replaced", [False, True], ids=["taken away", "replaced"])
@pytest.mark.parametrize("step", ["certificates reserved", "hashes recorded", "manifest announced"])
def test_an_sqlite_ledger_that_is_taken_away_in_the_middle_stops_the_run(
    quick_folder: Folder, registry: Path, step: str, replaced: bool
) -> None:
    """The system lets a process write on in a file that has no name any more, and nobody would ever read it."""
    ledger, away = quick_folder.path / "ledger.sqlite", quick_folder.path / "away"

    def take_away() -> None:
        away.mkdir()
        for part in quick_folder.path.glob("ledger.sqlite*"):
            part.rename(away / part.name)
        if replaced:
            shutil.copy(away / ledger.name, ledger)

    with pytest.raises(LedgerError, match="taken away or replaced"):
        quick_folder.workspace.issue(registry, B1, on_step=at(step, take_away))
    ledger.unlink(missing_ok=True)
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == ExitCode.LEDGER
    for part in away.iterdir():
        part.rename(quick_folder.path / part.name)
    assert_the_next_run_goes_on(quick_folder, registry)


def test_of_two_machines_that_start_at_once_one_runs(any_folder: Folder, registry: Path) -> None:
    ready, codes = threading.Barrier(2), []

    def start() -> None:
        ready.wait()
        try:
            any_folder.workspace.issue(registry, B1)
            codes.append(0)
        except LedgerLockedError as error:
            codes.append(error.exit_code)

    machines = [threading.Thread(target=start) for _ in range(2)]
    for machine in machines:
        machine.start()
    for machine in machines:
        machine.join()
    assert sorted(codes) in ([0, 5], [0, 0])  # both, where one was through before the other looked
    assert_like_an_undisturbed_run(any_folder, [A, B])


def test_a_run_that_lost_its_hold_to_another_writes_no_more(
    quick_folder: Folder, registry: Path, cluster: Cluster, empty_ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as on two machines, whose file system does not tell one of what the other one holds
    monkeypatch.setattr(OutputFolder, "held", lambda _: contextlib.nullcontext())
    place = postgresql_place(cluster, empty_ledger)
    quick_folder.configure('url = "sqlite:///ledger.sqlite"', place.toml)

    def lose_it_to_another() -> None:
        place.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        quick_folder.workspace.issue(registry, B1)

    with pytest.raises(LedgerError):
        quick_folder.workspace.issue(registry, B1, on_step=at("certificates reserved", lose_it_to_another))
    assert_like_an_undisturbed_run(quick_folder, [A, B])
    assert quick_folder.call("ledger", "verify").code == 0


def test_a_password_that_is_not_where_it_should_be_is_a_matter_of_configuration(
    quick_folder: Folder, registry: Path, cluster: Cluster, empty_ledger: str
) -> None:
    place = postgresql_place(cluster, empty_ledger)
    quick_folder.configure('url = "sqlite:///ledger.sqlite"', f'{place.toml}\npassword = {{ file = "secret" }}')
    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)
    assert (outcome.code, "password of the ledger's database" in outcome.err) == (ExitCode.CONFIGURATION, True)
    (quick_folder.path / "secret").write_text("whatever\n", encoding="utf-8")
    (quick_folder.path / "secret").chmod(0o600)
    assert quick_folder.call("doctor", "--json", "--offline").json["summary"]["problem"] == 0
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0


# --- keys, clocks, exports ------------------------------------------------------------------------


def test_a_key_that_is_taken_away_in_the_middle_leaves_the_rest_pending(any_folder: Folder, registry: Path) -> None:
    key = any_folder.path / "pki" / "seal.p12"
    away = at("certificates reserved", lambda: key.rename(key.with_name("away.p12")))
    with pytest.raises(SealKeyError):
        any_folder.workspace.issue(registry, B1, on_step=away)
    assert any_folder.certificates == []
    assert any_folder.call("status").code == ExitCode.NEEDS_HUMAN
    key.with_name("away.p12").rename(key)
    assert_the_next_run_goes_on(any_folder, registry)


def test_a_time_stamp_authority_that_is_down_leaves_everything_pending(any_folder: Folder, registry: Path) -> None:
    before = any_folder.configuration.read_text(encoding="utf-8")
    demo = [line for line in before.splitlines() if line.startswith("demo_")]
    any_folder.configure("\n".join(demo), 'urls = ["http://127.0.0.1:9/tsa"]\nretries = 0')
    any_folder.configure('level = "B-B"', 'level = "B-T"')
    outcome = any_folder.call("issue", "--level", "B1", "--registry", registry)
    assert (outcome.code, any_folder.certificates) == (ExitCode.SERVICE_UNREACHABLE, [])
    any_folder.configuration.write_text(before, encoding="utf-8")
    assert_the_next_run_goes_on(any_folder, registry)


def test_sigterm_lets_the_run_end_in_order(any_folder: Folder, write_registry: Write) -> None:
    people = list(PEOPLE)
    registry = write_registry(people, map(b1_by_test, people))
    command = [sys.executable, "-m", "sealtool", "--config", str(any_folder.configuration)]
    command += ["issue", "--level", "B1", "--registry", str(registry)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not any_folder.certificates and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == ExitCode.INTERRUPTED
    with any_folder.workspace.ledger() as ledger:
        assert ledger.sealed_documents() == ()
        assert len(ledger.issued_paths()) == len(any_folder.certificates) < len(people)
    any_folder.workspace.issue(registry, B1)
    assert_like_an_undisturbed_run(any_folder, people)


@pytest.mark.parametrize(("back", "refused"), [(timedelta(minutes=4), False), (timedelta(minutes=6), True)])
def test_a_clock_that_was_set_back_behind_the_ledger_stops_the_run(
    any_folder: Folder, registry: Path, back: timedelta, refused: bool
) -> None:
    usual = any_folder.workspace
    usual.issue(registry, Scope((Level.B1,), people=frozenset({A})))  # type: ignore[arg-type]
    with usual.ledger() as ledger:
        head, last = ledger.head(), ledger.last_event_at()
    assert last is not None
    late = Workspace(usual.settings, os.environ, now=lambda: last - back)
    with pytest.raises(LedgerError, match="clock") if refused else contextlib.nullcontext():
        late.issue(registry, B1)
    with usual.ledger() as ledger:
        assert (ledger.head() == head) is refused
    assert len(any_folder.certificates) == (1 if refused else 2)


def test_an_export_that_is_replaced_while_the_run_works_is_not_read_again(
    any_folder: Folder, registry: Path, write_registry: Write
) -> None:
    other = write_registry([A, B], [b1_by_test(A, day="2025-06-01")], name="other")

    def replace() -> None:
        for file in other.iterdir():
            shutil.copy(file, registry / file.name)

    before = {path.name: path.read_bytes() for path in registry.iterdir()}
    any_folder.workspace.issue(registry, B1, on_step=at("run begun", replace))
    assert (registry / "accreditations.csv").read_bytes() != before["accreditations.csv"]
    assert_like_an_undisturbed_run(any_folder, [A, B])
    for name, content in before.items():
        (registry / name).write_bytes(content)
    workspace = any_folder.workspace
    with workspace.ledger() as ledger:
        plan = workspace.plan(workspace.read_for(B1, ledger, registry, accept_shrink=False), B1, ledger)
    assert len(plan.having(Action.NONE)) == 2
