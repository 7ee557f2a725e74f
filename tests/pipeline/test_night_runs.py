"""What nobody watches: a log of JSON lines, metrics, a status for monitoring, and nights on which nothing happens."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import shutil
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sealtool import press
from sealtool.cli.journal import CommandEvent
from sealtool.identifiers import parse_certificate_id
from sealtool.running import RunEvent
from tests.exports import write_export
from tests.pipeline.conftest import PEOPLE, REPOSITORY, Folder, Outcome, Write, b1_by_test

pytestmark = pytest.mark.long

A, B, C, D, E = PEOPLE[:5]
NAMES = {
    A: ("Wenceslada", "Quirofontes", "Xarriu"),
    B: ("Ildefonsina", "Brugarolas", "Vellfreu"),
    C: ("Teodomira", "Escandalles", "Zumarrieta"),
    D: ("Gundemara", "Pfandlspeu", "Oxtotlaní"),
    E: ("山田", "Kirishima", "Sakuradani"),
}


@dataclass(frozen=True)
class Night:
    """A folder and an export whose people have names like nobody's."""

    folder: Folder
    registry: Path

    def write(self, grants: Iterable[Sequence[str]], *, people: Iterable[str] = NAMES) -> None:
        write_export(self.registry, [(person, *NAMES[person]) for person in people], grants)

    @property
    def command(self) -> list[object]:
        return ["issue", "--level", "B1", "--registry", self.registry, "--accept-shrink"]

    def issue(self, *options: str) -> Outcome:
        """In this process, with no terminal anywhere."""
        return self.folder.call(*self.command, *options)

    def issue_as_a_program(self) -> Outcome:
        return program(self.folder, *self.command)

    def assert_nobody_is_named(self, *texts: str) -> None:
        personal = {*NAMES, *(person[:8] for person in NAMES), *(part for name in NAMES.values() for part in name)}
        for text in texts:
            assert [one for one in personal if one.casefold() in text.casefold()] == []
        for path in self.folder.path.rglob("*"):
            assert [one for one in personal if one in str(path.relative_to(self.folder.path))] == []
            if path.is_file() and path.suffix not in {".pdf", ".sqlite", ".sqlite-wal", ".html"}:
                content = path.read_bytes().decode("utf-8", "replace").casefold()
                assert [one for one in personal if one.casefold() in content] == [], path


def program(folder: Folder, *arguments: object) -> Outcome:
    """The program itself, with no terminal anywhere."""
    command = [sys.executable, "-m", "sealtool", "--config", str(folder.configuration), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return Outcome(done.returncode, done.stdout, done.stderr)


def lines(err: str) -> list[dict[str, Any]]:
    """Every line of a log, each of which has to be a JSON object."""
    return [json.loads(line) for line in err.splitlines()]


def events(err: str) -> list[str]:
    return [line["event"] for line in lines(err)]


@pytest.fixture
def night(quick_folder: Folder, tmp_path: Path) -> Night:
    night = Night(quick_folder, tmp_path / "registry")
    night.write([b1_by_test(A), b1_by_test(B)], people=(A, B))
    quick_folder.configure("[run]\n", '[run]\nmetrics = "sealtool.prom"\n')
    return night


def with_template(night: Night, line: str) -> None:
    """A template of one's own, with a line that fails for one person alone."""
    shutil.copytree(REPOSITORY / "templates", night.folder.path / "templates")
    page = night.folder.path / "templates" / "ca" / "certificate.html"
    page.write_text(page.read_text(encoding="utf-8").replace("{% set title", f"{line}\n{{% set title", 1), "utf-8")
    night.folder.configure("[rendering]\n", '[rendering]\ntemplates = "templates"\n')


# --- the log ----------------------------------------------------------------------------------------------


def test_a_run_tells_what_it_did_line_by_line(night: Night) -> None:
    outcome = night.issue_as_a_program()
    assert outcome.code == 0
    begun, first, second, written, ended = lines(outcome.err)
    assert [one["event"] for one in (begun, first, second, written, ended)] == [
        "run_begun",
        "certificate_issued",
        "certificate_issued",
        "manifest_written",
        "run_ended",
    ]
    assert {one["run_id"] for one in lines(outcome.err)} == {night.folder.manifests[0].stem}
    assert {first["certificate_id"], second["certificate_id"]} == {path.stem for path in night.folder.certificates}
    assert (first["certified"], begun["asked_for"]) == ("B1", "issue B1")
    assert (ended["exit_code"], ended["counts"]["issued"]) == (0, 2)
    assert ended["duration_seconds"] > 0
    for line in lines(outcome.err):
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() is not None
        assert line["level"] == "INFO"
        assert line["command"] == "issue"


def test_standard_output_has_the_document_alone_and_standard_error_the_log(night: Night) -> None:
    outcome = night.issue("--json")
    assert outcome.json["schema"] == "sealtool.issue/1"
    assert events(outcome.err)[-1] == "run_ended"


def test_an_error_is_a_line_of_the_log_with_what_to_do(night: Night) -> None:
    (night.folder.path / "pki" / "seal.p12").unlink()
    outcome = night.issue()
    *_, error, ended = lines(outcome.err)
    assert (outcome.code, error["event"], error["error"], error["level"]) == (6, "error", "SealKeyError", "ERROR")
    assert "seal.p12" in error["message"]
    assert error["advice"]
    assert (ended["event"], ended["exit_code"], ended["run_id"]) == ("run_ended", 6, error["run_id"])


def test_before_a_configuration_is_found_the_log_is_json_already(tmp_path: Path) -> None:
    outcome = program(Folder(tmp_path), "issue", "--all")
    assert (outcome.code, events(outcome.err)) == (3, ["error", "run_ended"])


def test_wrong_usage_is_told_in_words(night: Night) -> None:
    outcome = night.issue("--person", PEOPLE[40])
    assert outcome.code == 2
    assert outcome.err.startswith("sealtool: Nobody in the registry has the id")
    assert not (night.folder.path / "sealtool.prom").exists()


def test_in_text_a_run_says_nothing_but_what_went_wrong(night: Night) -> None:
    night.folder.configure("[run]\n", '[run]\nlog_format = "text"\n')
    assert night.issue().err == ""
    (night.folder.path / "out" / "manifests").rename(night.folder.path / "elsewhere")
    (night.folder.path / "ledger.sqlite").unlink()
    assert night.issue().err.startswith("sealtool: There is no ledger")


@pytest.mark.parametrize(("log_format", "is_json"), [("auto", False), ("json", True)])
def test_at_a_terminal_people_get_words_unless_the_configuration_says_json(
    night: Night, log_format: str, is_json: bool
) -> None:
    night.folder.configure("[run]\n", f'[run]\nlog_format = "{log_format}"\n')
    (night.folder.path / "ledger.sqlite").unlink()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sealtool", "--config", str(night.folder.configuration), "issue", "--level", "B1"]
    done = subprocess.run(
        [*command, "--registry", str(night.registry)], stdout=subprocess.DEVNULL, stderr=theirs, check=False
    )
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 5
    assert ("\nsealtool: There is no ledger" in told) is not is_json
    assert ('"event": "error"' in told) is is_json
    assert ("run_ended" in told) is is_json


def test_what_libraries_say_is_told_without_their_words(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    original = press.insist

    def talkative(*arguments: Any) -> None:
        logging.getLogger("some.library").warning("I was given %s", "Wenceslada")
        original(*arguments)

    monkeypatch.setattr(press, "insist", talkative)
    outcome = night.issue()
    said = [line for line in lines(outcome.err) if line["event"] == "library_message"]
    assert [one["logger"] for one in said] == ["some.library"] * 2
    night.assert_nobody_is_named(outcome.err)


def test_a_reissue_and_a_revocation_are_told_by_ids_alone(night: Night) -> None:
    night.issue()
    night.write([b1_by_test(A, day="2025-06-01"), b1_by_test(B)], people=(A, B))
    said = night.folder.call("plan", "--level", "B1", "--registry", night.registry, "--json").json
    old, other = (one["certificate_id"] for one in said["decisions"])
    given = ["--registry", night.registry, "--yes", "--json"]
    reissued = night.folder.call("reissue", old, "--reason", "Upheld", *given)
    (superseded,) = (line for line in lines(reissued.err) if line["event"] == "certificate_superseded")
    assert superseded["certificate_id"] == old
    assert superseded["successor"] == reissued.json["certificate_id"]
    revoked = night.folder.call("revoke", other, "--reason", "Withdrawn", "--yes")
    assert events(revoked.err) == ["run_begun", "certificate_revoked", "manifest_written", "run_ended"]
    night.assert_nobody_is_named(reissued.err, revoked.err)


def test_renewals_are_told_by_path_and_copies_by_id_alone(
    folder: Folder, tmp_path: Path, write_registry: Write
) -> None:
    folder.configure('level = "B-LTA"', 'level = "B-LT"')
    assert folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)])).code == 0
    copy = tmp_path / "Wenceslada Quirofontes.pdf"
    shutil.copy(folder.certificates[0], copy)
    outcome = folder.call("extend", folder.path / "out", copy)
    renewed, copied = (line for line in lines(outcome.err) if line["event"] in {"document_renewed", "copy_extended"})
    assert renewed["path"] == folder.certificates[0].relative_to(folder.path / "out").as_posix()
    assert renewed["certificate_id"] == copied["certificate_id"] == folder.certificates[0].stem
    assert "Wenceslada" not in outcome.err


def test_the_last_line_counts_copies_too(night: Night, tmp_path: Path) -> None:
    copies = [tmp_path / name for name in ("one.pdf", "two.pdf")]
    for copy in copies:
        copy.write_bytes(b"%PDF-1.7\n")
    outcome = night.folder.call("extend", *copies)
    told = lines(outcome.err)
    assert [line["event"] for line in told] == ["copy_refused", "copy_refused", "run_ended"]
    assert (told[-1]["exit_code"], told[-1]["counts"]["refused"], told[-1]["counts"]["copies"]) == (1, 2, 0)


# --- nobody is named --------------------------------------------------------------------------------------


def test_a_night_with_all_that_can_go_wrong_names_nobody(night: Night) -> None:
    night.write([b1_by_test(A), b1_by_test(B), b1_by_test(C)], people=(A, B, C))
    first = night.issue_as_a_program()
    night.write(
        [
            b1_by_test(A, day="2025-06-01"),  # changed
            b1_by_test(C),  # B is lost
            b1_by_test(E),  # a name that the fonts lack
            (D, "B1", "", "test", "2025-31-12", "Gundemara Pfandlspeu"),  # held
        ]
    )
    second = night.issue_as_a_program()
    assert (first.code, second.code) == (0, 1)
    counts = lines(second.err)[-1]["counts"]
    assert {name: counts[name] for name in ("changed", "lost", "held", "problems")} == {
        "changed": 1,
        "lost": 1,
        "held": 2,
        "problems": 2,
    }
    assert "2025-31-12" in second.out  # the report is for whoever has to act
    night.assert_nobody_is_named(first.err, second.err)
    assert len(list((night.folder.path / "out" / "manifests").iterdir())) == 3


@pytest.mark.parametrize(
    ("line", "code", "kind"),
    [
        ('{% set broken = ({}[full_name] ~ "") if "Wenceslada" in full_name else "" %}', 3, "TemplateError"),
        (
            '{% set full_name = (full_name ~ " ") * 400 if "Wenceslada" in full_name else full_name %}',
            1,
            "TooLongError",
        ),
    ],
    ids=["a template that quotes", "a name that fits no page"],
)
def test_a_certificate_that_cannot_be_laid_out_names_nobody(night: Night, line: str, code: int, kind: str) -> None:
    with_template(night, line)
    outcome = night.issue()
    assert (outcome.code, len(night.folder.certificates) < 2) == (code, True)
    assert kind in [one.get("error") for one in lines(outcome.err)]
    night.assert_nobody_is_named(outcome.err)
    with night.folder.workspace.ledger() as ledger:
        night.assert_nobody_is_named(json.dumps(dict(ledger.last_runs(1)[0].counts)))


def test_a_wrong_passphrase_names_nobody(night: Night) -> None:
    next(night.folder.path.glob("pki/seal*passphrase*")).write_text("Wenceslada-1\n", encoding="utf-8")
    outcome = night.issue()
    assert outcome.code == 6
    assert "Wenceslada" not in outcome.err


def test_an_export_without_a_header_is_refused_without_repeating_its_row(night: Night) -> None:
    people = night.registry / "people.csv"
    people.write_text(people.read_text(encoding="utf-8").partition("\n")[2], encoding="utf-8")
    outcome = night.issue()
    assert outcome.code == 4
    assert "people.csv" in outcome.err
    night.assert_nobody_is_named(outcome.err)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(f"no place for 'Wenceslada Quirofontes' ({A})"),
        KeyError("Wenceslada"),
        ValueError(f'could not convert "Quirofontes", {A[:8]}'),
        ExceptionGroup("several", [KeyError("Wenceslada"), OSError(f"about {A}")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_bug_leaves_its_traceback_in_the_log_file_without_the_values_it_quotes(
    night: Night, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"while {NAMES[B][0]!r} was checked") from error

    monkeypatch.setattr(press, "insist", broken)
    outcome = night.issue()
    assert outcome.code == 70
    details = (night.folder.path / "sealtool.log").read_text(encoding="utf-8")
    assert type(error).__name__ in details
    assert re.search(r'File ".*test_night_runs.py", line \d+, in broken', details)
    assert "raise RuntimeError" in details
    night.assert_nobody_is_named(outcome.err)


# --- a night with nothing new -----------------------------------------------------------------------------

_WATCHED = textwrap.dedent("""
    import json, os, sys
    from pathlib import Path
    from sealtool.cli import main
    from sealtool.cli.ending import ended_with

    code = ended_with(main, sys.argv[1:])
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    print(json.dumps({"code": code, "modules": sorted(sys.modules), "children": children}))
""")
HEAVY = {
    "weasyprint",
    "jinja2",
    "fontTools",
    "pyhanko",
    "cryptography",
    "sealtool.sealing",
    "sealtool.rendering.engine",
}


@pytest.mark.long
@pytest.mark.parametrize("arguments", [["issue", "--level", "B1"], ["extend", "--due"]], ids=lambda one: one[0])
def test_with_nothing_new_no_key_no_layout_and_no_process_is_needed(night: Night, arguments: list[str]) -> None:
    night.folder.configure("workers = 1", "workers = 2")
    night.folder.configure('level = "B-B"', 'level = "B-LTA"')
    assert night.issue().code == 0
    for secret in [*night.folder.path.glob("pki/*.p12"), *night.folder.path.glob("pki/*passphrase*")]:
        secret.unlink()
    given = [*arguments, "--registry", str(night.registry)] if arguments[0] == "issue" else arguments
    command = [sys.executable, "-c", _WATCHED, "--config", str(night.folder.configuration), *given]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)  # and nothing else was written there
    assert (seen["code"], seen["children"]) == (0, [])
    assert HEAVY & set(seen["modules"]) == set()
    assert events(done.stderr) == ["run_begun", "run_ended"]
    assert len(night.folder.manifests) == 1


@pytest.mark.long
def test_the_watch_over_a_quiet_night_would_notice_work(night: Night) -> None:
    night.folder.configure("workers = 1", "workers = 2")
    command = [sys.executable, "-c", _WATCHED, "--config", str(night.folder.configuration), "issue", "--level", "B1"]
    done = subprocess.run([*command, "--registry", str(night.registry)], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {"pyhanko", "sealtool.sealing"} <= set(seen["modules"])
    assert seen["children"]  # what looks after the semaphores of the pool outlives it


def test_what_stays_open_is_told_every_night_and_no_table_of_nothing(night: Night) -> None:
    night.write([b1_by_test(A), (D, "B1", "", "test", "2025-31-12", "R")], people=(A, D))
    night.issue()
    again = night.issue()
    assert again.code == 1
    assert "Nothing new: 1 certificate is issued already." in again.out
    assert "2025-31-12" in again.out
    assert "Already issued" not in again.out


# --- metrics ----------------------------------------------------------------------------------------------


def metrics(night: Night) -> dict[tuple[str, ...], float]:
    """Name and labels of every sample, in order of label, with its value."""
    text = (night.folder.path / "sealtool.prom").read_text(encoding="utf-8")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_say_what_a_run_did_and_what_there_is(night: Night) -> None:
    before = datetime.now().timestamp()  # noqa: DTZ005
    night.issue()
    found = metrics(night)
    assert found["sealtool_last_run_exit_code", "issue"] == 0
    assert found["sealtool_last_run_count", "issue", "issued"] == 2
    assert found["sealtool_last_run_issued", "issue", "B1"] == 2
    assert found["sealtool_certificates", "B1", "issued"] == 2
    assert found["sealtool_certificates_pending",] == 0
    assert found["sealtool_documents_due_for_renewal",] == 0
    assert found["sealtool_last_run_timestamp_seconds", "issue"] >= before
    assert found["sealtool_last_success_timestamp_seconds", "issue"] >= before
    assert found["sealtool_last_run_duration_seconds", "issue"] > 0
    assert found["sealtool_next_renewal_timestamp_seconds",] > before
    assert found["sealtool_seal_certificate_expiry_timestamp_seconds",] > before
    assert stat.S_IMODE((night.folder.path / "sealtool.prom").stat().st_mode) == 0o644


def test_a_failed_run_leaves_metrics_too_and_the_last_success_stays(night: Night) -> None:
    night.issue()
    succeeded = metrics(night)["sealtool_last_success_timestamp_seconds", "issue"]
    night.write([b1_by_test(A), b1_by_test(B), b1_by_test(C)], people=(A, B, C))
    key = night.folder.path / "pki" / "seal.p12"
    key.unlink()
    assert night.issue().code == 6
    found = metrics(night)
    assert found["sealtool_last_run_exit_code", "issue"] == 6
    assert found["sealtool_last_success_timestamp_seconds", "issue"] == succeeded
    assert found["sealtool_last_run_timestamp_seconds", "issue"] > succeeded
    assert found["sealtool_certificates_pending",] == 1


def test_a_run_that_never_began_leaves_metrics_without_those_of_the_ledger(night: Night) -> None:
    (night.folder.path / "ledger.sqlite").unlink()
    assert night.issue().code == 5
    found = metrics(night)
    assert found["sealtool_last_run_exit_code", "issue"] == 5
    assert not [name for name, *_ in found if "certificates" in name or "success" in name]


def test_a_run_whose_report_nobody_reads_any_more_has_a_last_line_and_metrics_too(night: Night) -> None:
    night.write([], people=(A,))
    command = [sys.executable, "-m", "sealtool", "--config", str(night.folder.configuration), *map(str, night.command)]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run([*command, "--json"], stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert events(done.stderr) == ["run_begun", "run_ended"]
    assert metrics(night)["sealtool_last_run_exit_code", "issue"] == 1


def test_what_another_command_said_of_itself_stays(night: Night) -> None:
    night.issue()
    assert night.folder.call("extend", "--due").code == 0
    found = metrics(night)
    assert found["sealtool_last_run_count", "issue", "issued"] == 2
    assert found["sealtool_last_run_count", "extend", "renewed"] == 0


def test_metrics_that_cannot_be_written_are_told_and_change_no_exit_code(night: Night) -> None:
    night.folder.configure("sealtool.prom", "nowhere/sealtool.prom")
    outcome = night.issue()
    assert outcome.code == 0
    (told,) = (line for line in lines(outcome.err) if line["event"] == "metrics_not_written")
    assert (told["level"], "nowhere" in told["message"]) == ("WARNING", True)


# --- status for monitoring --------------------------------------------------------------------------------

STATUS_SCHEMA = json.loads((REPOSITORY / "docs" / "schemas" / "status-1.schema.json").read_bytes())


def status(night: Night) -> dict[str, Any]:
    facts: dict[str, Any] = night.folder.call("status", "--json").json
    jsonschema.Draft202012Validator(STATUS_SCHEMA).validate(facts)
    return facts


def test_status_follows_its_published_schema_from_the_first_day_on(night: Night) -> None:
    jsonschema.Draft202012Validator.check_schema(STATUS_SCHEMA)
    facts = status(night)
    assert (facts["newest"], facts["next_renewal"], facts["seal_certificate_valid_until"]) == ({}, None, None)
    night.issue()
    night.folder.call("extend", "--due")
    facts = status(night)
    assert facts["needs_human"] == []
    assert (facts["pending"], facts["due_for_renewal"], facts["running"]) == (0, 0, False)
    assert (facts["newest"]["issue"]["state"], facts["newest"]["extend"]["state"]) == ("finished", "finished")
    assert facts["newest"]["issue"]["counts"]["issued"] == 2
    assert 0 <= facts["newest"]["issue"]["age_seconds"] < 600
    assert facts["next_renewal"]["path"].endswith(".pdf")


def test_status_has_a_code_for_each_thing_that_needs_a_human(night: Night) -> None:
    night.issue()
    night.write([b1_by_test(A, day="2025-06-01"), (D, "B1", "", "test", "2025-31-12", "R")], people=(A, D))
    night.issue()
    night.write([b1_by_test(A), b1_by_test(B), b1_by_test(C)], people=(A, B, C))
    (night.folder.path / "pki" / "seal.p12").unlink()
    night.issue()
    night.folder.certificates[0].unlink()
    assert {one["code"] for one in status(night)["needs_human"]} == {
        "FILES_MISSING",
        "CERTIFICATES_PENDING",
        "RUN_STOPPED",
        "PEOPLE_HELD",
        "CERTIFICATES_CONTESTED",
    }


def test_the_names_of_events_are_those_of_the_log_and_ids_are_ids(night: Night) -> None:
    told = lines(night.issue().err)
    assert {line["event"] for line in told} <= {*RunEvent, *CommandEvent}
    assert all(parse_certificate_id(line["certificate_id"]) for line in told if "certificate_id" in line)
