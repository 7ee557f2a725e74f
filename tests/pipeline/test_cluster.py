"""Workers on other machines, played by real Dask workers on this one: same results, nothing lost, nobody believed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from sealtool.cluster import ClusterOptions, cluster_workers
from sealtool.cluster.likeness import program_likeness
from sealtool.errors import UntrustworthyWorkersError, WorkerLostError
from sealtool.model import CertificateId, CertificateOrder, Decision, Language, Level
from sealtool.planning import Scope
from sealtool.workspace import Workspace
from tests.dask_cluster import DaskCluster, dask_cluster
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, Write, b1_by_test
from tests.pki.hostile_files import table_of_entries_of_no_width

pytestmark = pytest.mark.long

TODAY = date(2026, 5, 1)
B1 = Scope((Level.B1,))
LIAR = str(Path(__file__).with_name("lying_worker.py"))


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running


@pytest.fixture
def registry(write_registry: Write) -> Path:
    return write_registry(PEOPLE[:24], [b1_by_test(person) for person in PEOPLE[:24]])


@pytest.fixture
def impatient(quick_folder: Folder) -> Folder:
    with quick_folder.configuration.open("a", encoding="utf-8") as file:
        file.write("\n[cluster]\ntimeout_seconds = 10\n")
    return quick_folder


def at(folder: Folder, cluster: DaskCluster) -> Workspace:
    return folder.workspace.with_cluster(cluster.address)


def issue(workspace: Workspace, registry: Path, on_step: Callable[[str], None] = lambda _: None) -> None:
    workspace.issue(registry, B1, on_step=on_step)


def insist_on_one_each(folder: Folder, people: int) -> None:
    """Every person has one certificate, which passes, and no file is there that the ledger does not know."""
    with folder.workspace.ledger() as ledger:
        issued = [one for one in ledger.certificates_on_record((Level.B1,)) if one.state == "issued"]
    assert len({one.person_id for one in issued}) == len(issued) == people
    assert len(folder.certificates) == people
    assert folder.call("verify", folder.path / "out").code == 0
    assert folder.call("status").code == 0


# --- the same ---------------------------------------------------------------------------------------


def test_decisions_and_certificates_are_those_of_a_run_on_this_machine(
    quick_folder: Folder, two_workers: DaskCluster, registry: Path
) -> None:
    b1 = ("--registry", registry, "--level", "B1", "--json")
    planned = quick_folder.call("plan", *b1).json["decisions"]
    outcome = quick_folder.call("issue", *b1, "--cluster", two_workers.address)
    assert outcome.code == 0, outcome.err
    decided = [{**one, "certificate_id": None} for one in outcome.json["decisions"]]
    assert decided == [{**one, "certificate_id": None} for one in planned]
    assert outcome.json["counts"]["issued"] == 24
    insist_on_one_each(quick_folder, 24)
    again = quick_folder.call("issue", *b1)
    assert (again.code, again.json["counts"]["issued"]) == (0, 0)


def test_unsealed_pages_have_the_bytes_of_those_laid_out_here(
    quick_folder: Folder, two_workers: DaskCluster, registry: Path
) -> None:
    with at(quick_folder, two_workers).pressing() as give, quick_folder.workspace.ledger() as ledger:
        press = give()
        plan = quick_folder.workspace.plan(quick_folder.workspace.read_registry(registry), B1, ledger)
        orders = [order_for(one.decision) for one in plan.entries if one.decision is not None]
        theirs = [press.executor.submit(press.lay_out, order) for order in orders[:8]]
        assert [one.result() for one in theirs] == [press.lay_out(order) for order in orders[:8]]


def order_for(decision: Decision) -> CertificateOrder:
    return CertificateOrder(CertificateId(f"C-{decision.person.person_id}"), decision, TODAY, tuple(Language))


def test_verify_says_the_same_of_every_file(quick_folder: Folder, two_workers: DaskCluster, registry: Path) -> None:
    issue(quick_folder.workspace, registry)
    out = quick_folder.path / "out"
    changed, cut, *_ = quick_folder.certificates
    changed.write_bytes(changed.read_bytes().replace(b"%%EOF", b"%%EOG", 1))
    cut.write_bytes(cut.read_bytes()[:-100])
    (out / "2026").mkdir(exist_ok=True)
    (out / "2026" / "stray.pdf").write_bytes(table_of_entries_of_no_width())
    (out / "2026" / "note.txt").write_text("nobody listed me", encoding="utf-8")
    arguments = ("verify", out, "--time-limit", 5, "--memory-limit", 8192, "--json")
    here, there = quick_folder.call(*arguments), quick_folder.call(*arguments, "--cluster", two_workers.address)
    assert (there.code, there.json) == (here.code, here.json)
    assert here.json["summary"]["PASSED"] == 23  # 22 certificates and the manifest


# --- the key ----------------------------------------------------------------------------------------


def test_neither_key_nor_passphrase_nor_key_file_is_ever_sent(
    quick_folder: Folder, two_workers: DaskCluster, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = everything_sent(monkeypatch)
    issue(at(quick_folder, two_workers), registry)
    insist_on_one_each(quick_folder, 24)
    traffic = b"".join(sent)
    assert all(person.encode() in traffic for person in PEOPLE[:24]), "it was not everything"
    for secret in secrets_of(quick_folder):
        assert secret not in traffic


def everything_sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Whatever this process writes to connections of Dask, as it is before it is compressed."""
    from distributed.comm import tcp  # noqa: PLC0415 - what has no library for clusters skips nothing but this

    sent: list[bytes] = []
    to_frames = tcp.to_frames

    async def and_keep(message: Any, **options: Any) -> Any:
        frames = await to_frames(message, **{**options, "context": {"compression": None}})
        sent.extend(map(bytes, frames))
        return frames

    monkeypatch.setattr(tcp, "to_frames", and_keep)
    return sent


def secrets_of(folder: Folder) -> list[bytes]:
    seal = folder.workspace.settings.seal
    assert seal.pkcs12 is not None
    assert seal.passphrase is not None
    assert seal.passphrase.file is not None
    passphrase = seal.passphrase.file.read_bytes().strip()
    content = seal.pkcs12.read_bytes()
    key = load_pkcs12(content, passphrase).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    number = key.private_numbers().private_value
    return [passphrase, content[:64], number.to_bytes(key.key_size // 8), str(number).encode()]


# --- workers that end -------------------------------------------------------------------------------


def killing(*workers: subprocess.Popen[bytes], after: int) -> Callable[[str], None]:
    """Kills workers when so many certificates have been laid out."""
    laid_out = 0

    def on_step(name: str) -> None:
        nonlocal laid_out
        laid_out += name == "certificate laid out"
        if laid_out == after:
            for worker in workers:
                worker.send_signal(signal.SIGKILL)

    return on_step


def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    impatient: Folder, registry: Path, tmp_path: Path
) -> None:
    with dask_cluster(tmp_path / "dask") as cluster:
        one, other = cluster.workers
        issue(at(impatient, cluster), registry, killing(one, after=8))
        assert one.wait() == -signal.SIGKILL
        assert other.poll() is None
    insist_on_one_each(impatient, 24)


def test_where_every_worker_is_killed_the_run_ends_plainly_and_the_next_one_completes_it(
    impatient: Folder, registry: Path, tmp_path: Path
) -> None:
    with dask_cluster(tmp_path / "dask") as cluster:
        with pytest.raises(WorkerLostError, match="cluster was lost") as lost:
            issue(at(impatient, cluster), registry, killing(*cluster.workers, after=8))
        assert lost.value.exit_code == 130
        cluster.add_worker()
        issue(at(impatient, cluster), registry)
    insist_on_one_each(impatient, 24)


def test_where_the_scheduler_is_killed_the_run_ends_plainly_and_goes_on_without_a_cluster(
    impatient: Folder, registry: Path, tmp_path: Path
) -> None:
    with dask_cluster(tmp_path / "dask") as cluster:
        assert cluster.scheduler is not None
        with pytest.raises(WorkerLostError, match="cluster was lost"):
            issue(at(impatient, cluster), registry, killing(cluster.scheduler, after=8))
    issue(impatient.workspace, registry)
    insist_on_one_each(impatient, 24)


def test_a_scheduler_that_stands_still_with_its_connections_open_is_lost_like_one_that_is_gone(tmp_path: Path) -> None:
    with dask_cluster(tmp_path / "dask", ((),)) as cluster:
        assert cluster.scheduler is not None
        options = ClusterOptions(cluster.address, timeout_seconds=5.0)
        with cluster_workers(options, program_likeness, (dict,), alone=False) as workers:
            assert workers.submit(program_likeness).result(timeout=60)
            cluster.scheduler.send_signal(signal.SIGSTOP)
            with pytest.raises(WorkerLostError, match="cluster was lost"):
                workers.submit(program_likeness).result(timeout=30)


def test_workers_that_stand_still_from_the_start_are_lost(tmp_path: Path) -> None:
    with dask_cluster(tmp_path / "dask", ((),)) as cluster:
        patient = ClusterOptions(cluster.address, timeout_seconds=30.0)
        with cluster_workers(patient, program_likeness, (dict,), alone=False) as workers:
            assert workers.workers == 1
        cluster.workers[0].send_signal(signal.SIGSTOP)
        impatient = ClusterOptions(cluster.address, timeout_seconds=2.0)
        with (
            pytest.raises(WorkerLostError, match="did not answer, before the work began"),
            cluster_workers(impatient, program_likeness, (dict,), alone=False),
        ):
            pass


# --- workers that lie -------------------------------------------------------------------------------


@pytest.fixture
def liars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A cluster whose only worker tells one kind of lie."""

    def start(lie: str) -> Any:
        monkeypatch.setenv("SEALTOOL_TEST_LIE", lie)
        monkeypatch.setenv("SEALTOOL_TEST_MARK", str(tmp_path / "mark"))
        return dask_cluster(tmp_path / "dask", [("--preload", LIAR)])

    return start


def test_pages_of_another_level_are_not_sealed(impatient: Folder, registry: Path, liars: Callable[[str], Any]) -> None:
    sealed: list[str] = []
    with liars("level") as cluster, pytest.raises(UntrustworthyWorkersError, match="laid it out as something else"):
        issue(at(impatient, cluster), registry, sealed.append)
    assert "certificate sealed" not in sealed
    assert not impatient.certificates
    assert not impatient.manifests
    issue(impatient.workspace, registry)
    insist_on_one_each(impatient, 24)


def test_false_facts_about_a_seal_reach_no_manifest(
    impatient: Folder, registry: Path, liars: Callable[[str], Any]
) -> None:
    with liars("issuer") as cluster, pytest.raises(UntrustworthyWorkersError, match="judged it as something else"):
        issue(at(impatient, cluster), registry)
    assert not impatient.certificates
    issue(impatient.workspace, registry)
    insist_on_one_each(impatient, 24)


def test_a_worker_cannot_run_a_program_beside_the_key(
    impatient: Folder, registry: Path, liars: Callable[[str], Any], tmp_path: Path
) -> None:
    with liars("program") as cluster, pytest.raises(UntrustworthyWorkersError, match="no worker of sealtool sends"):
        issue(at(impatient, cluster), registry)
    assert not (tmp_path / "mark").exists()
    assert not impatient.certificates


def test_an_audit_believes_no_worker_that_says_something_else_than_this_machine(
    impatient: Folder, registry: Path, liars: Callable[[str], Any]
) -> None:
    issue(impatient.workspace, registry)
    with liars("issuer") as cluster:
        outcome = impatient.call("verify", impatient.path / "out", "--cluster", cluster.address)
    assert outcome.code == 3
    assert "nothing that the cluster said counts" in outcome.err
    assert outcome.out == ""


def test_an_audit_that_failed_leaves_no_process_on_a_worker(
    impatient: Folder, registry: Path, liars: Callable[[str], Any]
) -> None:
    issue(impatient.workspace, registry)
    with liars("content") as cluster:
        outcome = impatient.call("verify", impatient.path / "out", "--cluster", cluster.address)
        (worker,) = cluster.workers
        beside = children(worker.pid)  # what processes are started by, and what looks after their resources
        assert beside
        assert not [child for helper in beside for child in children(helper)]
    assert outcome.code == 3
    assert "nothing that the cluster said counts" in outcome.err


def children(process: int) -> list[int]:
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for one in threads for child in (one / "children").read_text(encoding="ascii").split()]


# --- on the way -------------------------------------------------------------------------------------


def test_traffic_to_other_machines_is_protected_and_another_authority_does_not_count(
    quick_folder: Folder, registry: Path, tmp_path: Path
) -> None:
    cluster_files, other_files = (tls_files(tmp_path / name) for name in ("cluster", "other"))
    options = ("--tls-ca-file", cluster_files[0], "--tls-cert", cluster_files[0], "--tls-key", cluster_files[1])
    with dask_cluster(tmp_path / "dask", [()], protocol="tls", options=options) as cluster:
        assert cluster.address.startswith("tls://")
        b1 = ("issue", "--level", "B1", "--registry", registry, "--cluster", cluster.address)
        text = quick_folder.configuration.read_text(encoding="utf-8")
        for files, code in ((other_files, 3), (cluster_files, 0)):
            section = f'[cluster]\nca = "{files[0]}"\ncertificate = "{files[0]}"\nkey = "{files[1]}"\n'
            quick_folder.configuration.write_text(f"{text}\n{section}timeout_seconds = 10\n", encoding="utf-8")
            assert quick_folder.call(*b1).code == code
        anchors = [("--trust", quick_folder.path / "pki" / name) for name in ("root.pem", "root.crl", "issuing.crl")]
        trust = [word for pair in anchors for word in pair]
        verify = ("verify", quick_folder.path / "out", *trust, "--cluster", cluster.address)
        assert quick_folder.call(*verify).code == 0
    insist_on_one_each(quick_folder, 24)


def tls_files(folder: Path) -> tuple[str, str]:
    """A certificate that is its own authority, and its key."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cluster")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "certificate.pem").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(folder / "certificate.pem"), str(folder / "key.pem")


# --- workers that differ ----------------------------------------------------------------------------


def test_a_worker_with_other_templates_is_refused_by_name(impatient: Folder, registry: Path, tmp_path: Path) -> None:
    own = tmp_path / "templates"
    own.mkdir()
    packaged = REPOSITORY / "templates" / "certificate.css"
    (own / "certificate.css").write_text(packaged.read_text(encoding="utf-8") + "\n/* new */\n", encoding="utf-8")
    impatient.configure("[rendering]", f'[rendering]\ntemplates = "{own}"')
    with dask_cluster(tmp_path / "dask") as cluster:
        issue(at(impatient, cluster), registry)  # the worker has read its templates now
        (own / "certificate.css").write_text(packaged.read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-m", "sealtool", "--config", str(impatient.configuration), "issue", "--all"]
        there = ["--registry", str(registry), "--cluster", cluster.address]
        outcome = subprocess.run([*command, *there], capture_output=True, text=True, check=False)
    assert outcome.returncode == 3
    assert "is not like this machine" in outcome.stderr
    assert "templates (here " in outcome.stderr


def test_a_worker_without_sealtool_is_refused(impatient: Folder, registry: Path, tmp_path: Path) -> None:
    blocker = tmp_path / "blocker.py"
    blocker.write_text("import sys\nsys.modules['sealtool'] = None\n", encoding="utf-8")
    with dask_cluster(tmp_path / "dask", [("--preload", str(blocker))]) as cluster:
        outcome = impatient.call("issue", "--all", "--registry", registry, "--cluster", cluster.address)
    assert outcome.code == 3
    assert "cannot run this sealtool" in outcome.err


def test_a_scheduler_without_workers_is_refused(impatient: Folder, registry: Path, tmp_path: Path) -> None:
    impatient.configure("timeout_seconds = 10\n", "timeout_seconds = 1\n")
    with dask_cluster(tmp_path / "dask", []) as cluster:
        outcome = impatient.call("issue", "--all", "--registry", registry, "--cluster", cluster.address)
    assert outcome.code == 3
    assert "has no worker" in outcome.err
