"""Keeping what was issued provable: nothing stamped twice, nothing lost, and what was stopped is settled."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from sealtool import batches
from sealtool.model import Level, PadesLevel, Verdict, Verification
from sealtool.planning import Scope
from sealtool.renewing import ExtensionReport
from sealtool.settings import load_settings
from sealtool.verification import load_trust, verify_certificate
from sealtool.workspace import Workspace
from tests.exports import write_plain_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, b1_by_test
from tests.pipeline.test_crashes import ended_by, in_a_child, killed_after, killed_at_step
from tests.pki.authorities import SEALED_AT
from tests.pki.sealed_files import seal, small_pdf
from tests.pki.timeline import FIRST_ENDS, SEAL_ENDS, SECOND_ENDS, Timeline

pytestmark = pytest.mark.long

A, B, C = PEOPLE[:3]
B1 = Scope((Level.B1,))


@pytest.fixture(scope="module")
def issued_once(quick_demo_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Two certificates at B-B; not to be touched."""
    folder = quick_demo_folder.copied_to(tmp_path_factory.mktemp("issued") / "work")
    folder.workspace.issue(write_plain_export(folder.path / "registry", (A, B), map(b1_by_test, (A, B))), B1)
    return folder


@pytest.fixture
def issued(issued_once: Folder, tmp_path: Path) -> Folder:
    """Two certificates at B-B."""
    return issued_once.copied_to(tmp_path / "work")


def judged(file: Path, folder: Folder) -> Verification:
    """As an auditor would who has nothing but the root."""
    return verify_certificate(
        file.read_bytes(), load_trust([folder.path / "pki" / "root.pem"]), now=folder.workspace.now()
    )


def contents(folder: Folder) -> dict[str, bytes]:
    files = (path for path in (folder.path / "out").rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


def assert_in_order(folder: Folder) -> None:
    """Ledger, files and manifests tell one story."""
    assert folder.call("verify", folder.path / "out").code == 0
    assert folder.call("status").code == 0
    assert not list(folder.path.rglob(".sealtool-unfinished-*"))
    with folder.workspace.ledger() as ledger:
        assert ledger.broken_link() is None
        assert ledger.pending_renewals() == ()
        assert ledger.entries_without_manifest() == ()


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT"])
def test_what_was_issued_below_b_lta_is_extended_to_it(folder: Folder, registry: Path, level: str) -> None:
    folder.configure('level = "B-LTA"', f'level = "{level}"')
    folder.workspace.issue(registry, B1)
    before = {path: path.read_bytes() for path in folder.certificates}
    outcome = folder.call("extend", folder.path / "out", "--json")
    assert outcome.code == 0
    assert outcome.json["schema"] == "sealtool.extension/1"
    assert [(one["pades_level_before"], one["pades_level"]) for one in outcome.json["extended"]] == [
        (level, "B-LTA")
    ] * 2
    for path, content in before.items():
        assert path.read_bytes().startswith(content)
        assert judged(path, folder).pades_level is PadesLevel.B_LTA
    assert_in_order(folder)


def test_the_manifest_of_the_run_lists_the_renewed_documents_as_they_are_now(issued: Folder) -> None:
    report = issued.call("extend", issued.path / "out", "--json").json
    assert len(issued.manifests) == 2
    manifest = json.loads((issued.path / "out" / report["manifest"]).read_bytes())
    jsonschema.validate(manifest, json.loads((REPOSITORY / "docs/schemas/manifest-1.schema.json").read_bytes()))
    assert manifest["run"]["run_id"] == report["run_id"] > json.loads(issued.manifests[0].read_bytes())["run"]["run_id"]
    listed = {one["path"]: one for one in manifest["documents"]}
    for one in report["extended"]:
        entry = listed[one["path"]]
        assert entry["sha256"] == one["sha256"]
        assert entry["seal"]["pades_level"] == "B-LTA"
        assert datetime.fromisoformat(entry["provable_until"]) == datetime.fromisoformat(one["provable_until"])


def test_extending_again_stamps_nothing_twice(issued: Folder) -> None:
    issued.call("extend", issued.path / "out")
    files = contents(issued)
    outcome = issued.call("extend", issued.path / "out")
    assert outcome.code == 0
    assert outcome.out.count("Nothing to do") == 2
    assert contents(issued) == files


def test_a_destroyed_file_that_was_named_is_not_called_provable(issued: Folder) -> None:
    issued.call("extend", issued.path / "out")
    changed, sound = issued.certificates
    changed.write_bytes(b"whatever")
    root = issued.path / "out"
    for named in ([changed, sound], [root]):
        outcome = issued.call("extend", *named, "--json")
        assert outcome.code == 1
        assert [one["path"] for one in outcome.json["unchanged"]] == [str(sound.relative_to(root))]
        (refused,) = outcome.json["refused"]
        assert refused["path"] == str(changed.relative_to(root))
        assert [reason["code"] for reason in refused["reasons"]] == ["FILE_DIFFERS"]
    told = issued.call("extend", changed)
    assert (told.code, "Nothing to do" in told.out, "FILE_DIFFERS" in told.out) == (1, False, True)


def test_what_is_not_due_is_not_even_opened(issued: Folder) -> None:
    issued.call("extend", issued.path / "out")
    for path in issued.certificates:
        path.write_bytes(b"whatever")
    assert issued.call("extend", "--due", "1").code == 0


def test_each_language_of_a_certificate_is_a_document_of_its_own(quick_folder: Folder, registry: Path) -> None:
    quick_folder.configure("one_file_per_language = false", "one_file_per_language = true")
    quick_folder.workspace.issue(registry, B1)
    assert len(quick_folder.call("extend", quick_folder.path / "out", "--json").json["extended"]) == 4
    assert_in_order(quick_folder)


def test_without_a_path_or_due_it_is_asked_what_to_extend(issued: Folder) -> None:
    assert issued.call("extend").code == 2
    assert issued.call("extend", "--force", "--due").code == 2


def test_a_folder_without_a_pdf_is_no_success(issued: Folder, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = issued.call("extend", empty)
    assert outcome.code == 2
    assert "There is no PDF" in outcome.err


@pytest.mark.parametrize("days", ["soon", "-1", "40000"])
def test_due_takes_a_number_of_days(issued: Folder, days: str) -> None:
    assert issued.call("extend", f"--due={days}").code == 2


def test_the_run_is_on_record_with_its_figures(issued: Folder) -> None:
    issued.call("extend", issued.path / "out")
    run = issued.call("status", "--json").json["runs"][0]
    assert (run["command"], run["state"]) == ("extend 2 documents", "finished")
    assert run["counts"] == {"recovered": 0, "refused": 0, "renewed": 2}


# --- what runs out ----------------------------------------------------------------------------------------


class Years:
    """A working folder with the hierarchy of :class:`Timeline`, at the time a test sets."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.timeline = Timeline(folder.path / "pki")
        self.use("first", "tsa")
        if "renew_days = 90" in folder.configuration.read_text(encoding="utf-8"):
            folder.configure("renew_days = 90", "renew_days = 30")

    def use(self, key: str, as_what: str) -> None:
        for ending in ("p12", "passphrase"):
            shutil.copy(self.timeline.folder / f"{key}.{ending}", self.timeline.folder / f"{as_what}.{ending}")

    def on(self, moment: datetime) -> Workspace:
        self.timeline.at(moment)
        if moment > SEAL_ENDS:
            self.use("next-seal", "seal")  # of manifests; what it sealed before is judged by its own certificate
        return Workspace(load_settings(self.folder.configuration), os.environ, now=lambda: moment)

    def verdict(self, file: Path, moment: datetime) -> Verdict:
        return verify_certificate(file.read_bytes(), self.timeline.trust, now=moment).verdict


@pytest.fixture
def years(folder: Folder) -> Years:
    return Years(folder)


@pytest.fixture(scope="module")
def archived_once(issued_once: Folder, demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Two certificates at B-LTA, with a time stamp of the first authority; not to be touched."""
    folder = Folder(tmp_path_factory.mktemp("archived") / "work")
    shutil.copytree(demo_folder, folder.path)
    Years(folder).on(SEALED_AT).issue(issued_once.path / "registry", B1)
    return folder


@pytest.fixture
def archived(archived_once: Folder, tmp_path: Path) -> Years:
    """The same to work with."""
    copy = tmp_path / "archived"
    shutil.copytree(archived_once.path, copy)
    return Years(Folder(copy))


@pytest.mark.long
def test_due_is_what_runs_out_within_the_days_and_nothing_else(archived: Years) -> None:
    assert archived.on(FIRST_ENDS - timedelta(days=31)).extend([], due_days=30).renewed == []
    archived.use("second", "tsa")
    assert len(archived.on(FIRST_ENDS - timedelta(days=30)).extend([], due_days=30).renewed) == 2
    assert archived.on(FIRST_ENDS - timedelta(days=29)).extend([], due_days=30).renewed == []


@pytest.mark.long
def test_a_document_outlives_its_time_stamp_authority_where_it_was_renewed_in_time(archived: Years) -> None:
    left_alone = archived.folder.path / "left-alone.pdf"
    shutil.copy(archived.folder.certificates[0], left_alone)
    archived.use("second", "tsa")
    report = archived.on(FIRST_ENDS - timedelta(days=10)).extend([], due_days=30)
    assert {one.after.provable_until for one in report.renewed} == {SECOND_ENDS}
    afterwards = FIRST_ENDS + timedelta(days=1)
    assert archived.verdict(left_alone, afterwards) is Verdict.INDETERMINATE
    assert {archived.verdict(file, afterwards) for file in archived.folder.certificates} == {Verdict.PASSED}


def test_runs_of_one_second_are_told_apart_in_their_order(archived: Years) -> None:
    workspace = archived.on(SEALED_AT + timedelta(days=1))
    ids = [str(workspace.extend([], due_days=1).run_id) for _ in range(6)]
    assert ids == sorted(set(ids))


def test_another_time_stamp_of_an_authority_that_lasts_no_longer_is_not_made(archived: Years) -> None:
    files = contents(archived.folder)
    report = archived.on(FIRST_ENDS - timedelta(days=10)).extend([], due_days=30)
    assert nothing_gained(report)
    assert contents(archived.folder) == files


def nothing_gained(report: ExtensionReport) -> bool:
    return {reason.code for one in report.refused for reason in one.reasons} == {"NOTHING_GAINED"}


def test_force_stamps_what_is_far_from_due_once_where_that_gains_time(archived: Years) -> None:
    (first, second) = archived.folder.certificates
    before = first.read_bytes()
    workspace = archived.on(SEALED_AT + timedelta(days=1))
    assert nothing_gained(workspace.extend([first], force=True))
    assert first.read_bytes() == before

    archived.use("second", "tsa")
    workspace = archived.on(SEALED_AT + timedelta(days=1))
    (renewed,) = workspace.extend([first], force=True).renewed
    assert renewed.after.provable_until == SECOND_ENDS
    after = first.read_bytes()
    assert after.startswith(before)
    assert b"DocumentTimeStamp2" in after
    assert b"DocumentTimeStamp2" not in second.read_bytes()

    assert nothing_gained(workspace.extend([first], force=True))
    assert first.read_bytes() == after


@pytest.mark.long
def test_what_ran_out_is_refused_with_the_reason_of_the_verifier(archived: Years) -> None:
    archived.use("second", "tsa")
    report = archived.on(FIRST_ENDS + timedelta(days=1)).extend([], due_days=30)
    assert {reason.code for one in report.refused for reason in one.reasons} == {"TIME_STAMP_EXPIRED"}


def test_a_revoked_seal_that_nothing_proves_older_is_refused_and_others_go_on(years: Years, registry: Path) -> None:
    years.folder.configure('level = "B-LTA"', 'level = "B-B"')
    years.on(SEALED_AT).issue(registry, B1)
    archived = years.folder.path / "archived.pdf"
    archived.write_bytes(seal(small_pdf(), PadesLevel.B_T))  # by another seal certificate, which is not revoked
    copy = years.folder.path / "copy.pdf"
    shutil.copy(years.folder.certificates[0], copy)
    years.timeline.revoked["seal"] = SEALED_AT + timedelta(days=1)
    report = years.on(SEALED_AT + timedelta(days=2)).extend([copy, archived])
    assert [one.candidate.path for one in report.copies] == [archived]
    assert [[str(reason.code) for reason in one.reasons] for one in report.refused] == [["SEAL_CERTIFICATE_REVOKED"]]


def test_status_counts_by_month_what_runs_out_and_says_when_it_is_due(archived: Years) -> None:
    facts = archived.folder.call("status", "--json").json  # today is long after
    (month,) = facts["renewals"]
    assert (month["month"], month["documents"]) == (f"{FIRST_ENDS:%Y-%m}", 2)
    assert month["first"] == archived.folder.certificates[0].relative_to(archived.folder.path / "out").as_posix()
    (due,) = (finding["message"] for finding in facts["needs_human"] if finding["code"] == "RENEWAL_DUE")
    assert due.startswith("2 documents can be proven for less than 30 days")
    assert "extend --due" in due


def test_status_says_nothing_of_what_is_far_from_due(issued: Folder) -> None:
    outcome = issued.call("status")
    assert outcome.code == 0
    assert "Provable until" in outcome.out


def test_a_ledger_of_before_takes_the_end_of_the_seal_and_learns_better(years: Years, registry: Path) -> None:
    years.use("second", "tsa")
    years.on(SEALED_AT).issue(registry, B1)
    with years.on(SEALED_AT).ledger() as ledger, ledger._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE documents SET provable_until = NULL")
    workspace = years.on(SEAL_ENDS - timedelta(days=1))
    with workspace.ledger() as ledger:
        assert {one.provable_until for one in ledger.documents_on_record()} == {SEAL_ENDS}
    assert len(workspace.extend([], due_days=30).kept) == 2
    with workspace.ledger() as ledger:
        assert {one.provable_until for one in ledger.documents_on_record()} == {SECOND_ENDS}


# --- what is not the ledger's -----------------------------------------------------------------------------


def test_a_copy_elsewhere_is_extended_in_its_place_without_the_ledger(issued: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive" / "2026"
    archive.mkdir(parents=True)
    copy = archive / "copy.PDF"
    shutil.copy(issued.certificates[0], copy)
    copy.chmod(0o640)
    files = contents(issued)
    outcome = issued.call("extend", archive.parent)
    assert outcome.code == 0
    assert "another SHA-256" in outcome.out
    assert judged(copy, issued).pades_level is PadesLevel.B_LTA
    assert copy.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in archive.iterdir()] == ["copy.PDF"]
    assert contents(issued) == files
    assert len(issued.call("status", "--json").json["runs"]) == 1


def test_a_copy_needs_neither_ledger_nor_seal_key(issued: Folder, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pdf"
    shutil.copy(issued.certificates[0], copy)
    (issued.path / "ledger.sqlite").unlink()
    (issued.path / "pki" / "seal.p12").unlink()
    assert issued.call("extend", copy).code == 0
    assert judged(copy, issued).pades_level is PadesLevel.B_LTA


def test_links_are_not_followed(issued: Folder, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "link.pdf").symlink_to(issued.certificates[0])
    (archive / "folder").symlink_to(issued.path / "out")
    files = contents(issued)
    outcome = issued.call("extend", archive, "--json")
    assert outcome.code == 1
    assert [reason["code"] for one in outcome.json["refused"] for reason in one["reasons"]] == ["NOT_A_REGULAR_FILE"]
    assert contents(issued) == files


def test_a_document_replaced_by_a_link_is_refused(issued: Folder, tmp_path: Path) -> None:
    (first, _) = issued.certificates
    shutil.move(first, tmp_path / "moved.pdf")
    first.symlink_to(tmp_path / "moved.pdf")
    before = (tmp_path / "moved.pdf").read_bytes()
    outcome = issued.call("extend", "--due", "36500", "--json")
    assert [reason["code"] for one in outcome.json["refused"] for reason in one["reasons"]] == ["NOT_A_REGULAR_FILE"]
    assert first.is_symlink()
    assert (tmp_path / "moved.pdf").read_bytes() == before


def test_what_is_no_certificate_is_refused_with_reasons_and_the_others_go_on(issued: Folder, tmp_path: Path) -> None:
    (tmp_path / "not.pdf").write_bytes(b"%PDF-1.7 nothing")
    copy = tmp_path / "copy.pdf"
    shutil.copy(issued.certificates[0], copy)
    outcome = issued.call("extend", tmp_path / "not.pdf", copy, "--json")
    assert outcome.code == 1
    assert [one["path"] for one in outcome.json["extended"]] == [str(copy)]
    (refused,) = outcome.json["refused"]
    assert refused["reasons"]
    assert (tmp_path / "not.pdf").read_bytes() == b"%PDF-1.7 nothing"


def test_a_pdf_in_the_output_folder_that_the_ledger_does_not_know_is_refused(issued: Folder) -> None:
    stray = issued.path / "out" / "stray.pdf"
    shutil.copy(issued.certificates[0], stray)
    outcome = issued.call("extend", stray, "--json")
    assert outcome.code == 1
    assert [reason["code"] for one in outcome.json["refused"] for reason in one["reasons"]] == ["NOT_ON_RECORD"]
    assert stray.read_bytes() == issued.certificates[0].read_bytes()


def test_a_file_changed_behind_our_back_is_refused_and_the_others_go_on(issued: Folder) -> None:
    (first, second) = issued.certificates
    changed = seal(small_pdf(), PadesLevel.B_B)
    first.write_bytes(changed)
    outcome = issued.call("extend", issued.path / "out", "--json")
    assert outcome.code == 1
    assert [reason["code"] for one in outcome.json["refused"] for reason in one["reasons"]] == ["FILE_DIFFERS"]
    assert first.read_bytes() == changed
    assert judged(second, issued).pades_level is PadesLevel.B_LTA


def test_a_file_changed_while_it_was_extended_stops_the_run_and_is_left_alone(issued: Folder) -> None:
    (first, _) = issued.certificates

    def meddle(step: str) -> None:
        if step == "renewals announced":
            first.write_bytes(b"something else")

    with pytest.raises(Exception, match="is not the one that the ledger recorded"):
        issued.workspace.extend([first], on_step=meddle)
    assert first.read_bytes() == b"something else"
    assert issued.call("extend", "--due").code == 5


# --- services and crashes ---------------------------------------------------------------------------------


def test_an_authority_that_is_down_is_exit_7_and_nothing_changes(issued: Folder, free_port: int) -> None:
    text = issued.configuration.read_text(encoding="utf-8")
    start, end = text.index("[time_stamp]"), text.index("[revocation]")
    unreachable = f'[time_stamp]\nurls = ["http://127.0.0.1:{free_port}/"]\nretries = 0\n\n'
    issued.configuration.write_text(text[:start] + unreachable + text[end:], encoding="utf-8")
    files = contents(issued)
    outcome = issued.call("extend", issued.path / "out")
    assert outcome.code == 7
    assert contents(issued) == files


def test_without_a_seal_for_the_manifest_no_document_is_touched(issued: Folder) -> None:
    (issued.path / "pki" / "seal.p12").write_bytes(b"broken")
    files = contents(issued)
    assert issued.call("extend", issued.path / "out").code == 6
    assert contents(issued) == files


def test_what_was_renewed_before_a_run_had_to_stop_is_listed_all_the_same(
    issued: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)

    def interrupt(step: str) -> None:
        if step == "renewals confirmed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        issued.workspace.extend(issued.certificates, on_step=interrupt)
    levels = sorted(str(judged(path, issued).pades_level) for path in issued.certificates)
    assert "B-LTA" in levels
    assert issued.call("verify", issued.path / "out").code == 0


def test_a_run_that_stops_among_replacements_lists_each_file_as_it_is(issued: Folder) -> None:
    def interrupt(step: str) -> None:
        if step == "document replaced":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        issued.workspace.extend(issued.certificates, on_step=interrupt)
    levels = [judged(path, issued).pades_level for path in issued.certificates]
    assert levels.count(PadesLevel.B_LTA) == 1
    assert issued.call("verify", issued.path / "out").code == 0
    with issued.workspace.ledger() as ledger:
        assert ledger.pending_renewals() == ()


def assert_settled(folder: Folder) -> None:
    renewed, untouched = folder.certificates
    assert folder.call("extend", renewed).code == 0
    assert_in_order(folder)
    assert judged(renewed, folder).pades_level is PadesLevel.B_LTA
    assert [path.read_bytes().count(b"/DocTimeStamp") for path in (renewed, untouched)] == [1, 0]


@pytest.mark.long
def test_a_renewal_killed_between_any_two_steps_is_settled_by_the_next(issued: Folder, tmp_path: Path) -> None:
    steps: list[str] = []
    undisturbed = Folder(tmp_path / "undisturbed")
    shutil.copytree(issued.path, undisturbed.path)
    undisturbed.workspace.extend(undisturbed.certificates[:1], on_step=steps.append)
    assert len(steps) > 12
    for number in range(1, len(steps) + 1):
        folder = Folder(tmp_path / f"killed-{number}")
        shutil.copytree(issued.path, folder.path)
        die = killed_at_step(number)
        child = in_a_child(lambda: folder.workspace.extend(folder.certificates[:1], on_step=die))  # noqa: B023
        assert ended_by(child) == signal.SIGKILL, f"step {number} was never reached"
        assert_settled(folder)


@pytest.mark.long
@pytest.mark.parametrize("step", ["renewals announced", "document replaced", "renewals confirmed"])
def test_a_renewal_that_was_killed_is_settled_by_issuing_too(issued: Folder, step: str) -> None:
    die = killed_after(step)
    child = in_a_child(lambda: issued.workspace.extend(issued.certificates[:1], on_step=die))
    assert ended_by(child) == signal.SIGKILL
    issued.workspace.issue(issued.path / "registry", B1)
    assert_in_order(issued)
    assert_settled(issued)


def test_two_runs_at_once_are_one_too_many(issued: Folder) -> None:
    files = contents(issued)
    with issued.workspace.ledger() as ledger, ledger.exclusive():
        outcome = issued.call("extend", issued.path / "out")
    assert outcome.code == 5
    assert contents(issued) == files


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port of loopback where nobody listens, held so that nobody begins to."""
    import socket  # noqa: PLC0415

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
