"""Log and metrics never cost anybody a file, whatever the configuration says of where they go."""

import json
import os
from pathlib import Path

import pytest

from sealtool.errors import ExitCode
from tests.pipeline.conftest import PEOPLE, Folder, Outcome, Write, b1_by_test

OURS = "# HELP sealtool_info Always 1; the version that wrote this file."


def issue(folder: Folder, write_registry: Write) -> Outcome:
    people = PEOPLE[2:3]
    return folder.call("issue", "--level", "B1", "--registry", write_registry(people, [b1_by_test(people[0])]))


def with_metrics(folder: Folder, place: str) -> Path:
    folder.configure("[run]\n", f'[run]\nmetrics = "{place}"\n')
    return folder.path / place


@pytest.mark.parametrize("place", ["ledger.sqlite", "pki/seal.p12", "sealtool.toml", "out/m.prom"])
def test_metrics_in_the_place_of_something_of_the_installation_are_refused_before_anything_is_done(
    issued: Folder, write_registry: Write, place: str
) -> None:
    target = with_metrics(issued, place)
    before = {path: path.read_bytes() for path in issued.path.rglob("*") if path.is_file()}
    outcome = issue(issued, write_registry)
    assert outcome.code == ExitCode.CONFIGURATION
    assert "run.metrics: " in outcome.err
    assert {path: path.read_bytes() for path in issued.path.rglob("*") if path.is_file()} == before
    assert target.exists() is (target in before)


@pytest.mark.parametrize(
    "content",
    [
        b"# HELP other_metric\n",  # nearest to ours
        b"\xff",
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in (b"%PDF-1.7\n", b"SQLite format 3\0", b"other_metric 1\n", b"\0")
        ),
    ],
)
def test_metrics_never_take_the_place_of_a_file_of_something_else(
    quick_folder: Folder, write_registry: Write, content: bytes
) -> None:
    target = with_metrics(quick_folder, "notes")
    target.write_bytes(content)
    outcome = issue(quick_folder, write_registry)
    assert outcome.code == ExitCode.DONE
    (told,) = (line for line in map(json.loads, outcome.err.splitlines()) if line["event"] == "metrics_not_written")
    assert "is there already, and it is no file of metrics" in told["message"]
    assert target.read_bytes() == content


def test_a_pipe_in_the_place_of_metrics_is_not_waited_for(quick_folder: Folder, write_registry: Write) -> None:
    os.mkfifo(with_metrics(quick_folder, "m.prom"))
    outcome = issue(quick_folder, write_registry)
    assert outcome.code == ExitCode.DONE
    assert "is no regular file" in outcome.err


@pytest.mark.parametrize("content", ["", f"{OURS}\nof a parser no line\n"])
def test_metrics_take_the_place_of_an_empty_file_and_of_their_own_however_damaged(
    quick_folder: Folder, write_registry: Write, content: str
) -> None:
    target = with_metrics(quick_folder, "m.prom")
    target.write_text(content, encoding="utf-8")
    assert issue(quick_folder, write_registry).code == ExitCode.DONE
    assert target.read_text(encoding="utf-8").startswith(OURS)
    assert 'sealtool_last_run_exit_code{command="issue"} 0.0' in target.read_text(encoding="utf-8")


def fail(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.setattr("sealtool.standing._open_questions", lambda *_, **__: 1 / 0)
    outcome = folder.call("status")
    assert outcome.code == ExitCode.BUG
    return outcome


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"SQLite format 3\0", b"-----BEGIN PRIVATE KEY-----\n", b"\0"])
def test_nothing_is_added_to_a_file_that_is_no_log_and_the_details_go_to_one_of_their_own(
    quick_folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log = quick_folder.path / "sealtool.log"
    log.write_bytes(content)
    outcome = fail(quick_folder, monkeypatch)
    assert log.read_bytes() == content
    (own,) = tmp_path.glob("sealtool-*.log")
    assert str(own) in outcome.err
    assert "ZeroDivisionError" in own.read_text(encoding="utf-8")


def test_a_pipe_in_the_place_of_the_log_is_not_waited_for(
    quick_folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    os.mkfifo(quick_folder.path / "sealtool.log")
    fail(quick_folder, monkeypatch)
    (own,) = tmp_path.glob("sealtool-*.log")
    assert "ZeroDivisionError" in own.read_text(encoding="utf-8")


def test_the_log_goes_on_where_it_ended(quick_folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(quick_folder, monkeypatch)
    fail(quick_folder, monkeypatch)
    assert (quick_folder.path / "sealtool.log").read_text(encoding="utf-8").count("ZeroDivisionError") == 2


@pytest.mark.parametrize(
    "lost", [b"\n", b"\xef\xbb\xbf", b"half of an entry\n  of before\n2026-03-02T09:00:00+00:00 an entry\n"]
)
def test_a_log_that_lost_its_beginning_goes_on(
    quick_folder: Folder, monkeypatch: pytest.MonkeyPatch, lost: bytes
) -> None:
    fail(quick_folder, monkeypatch)
    log = quick_folder.path / "sealtool.log"
    log.write_bytes(lost.removesuffix(b"an entry\n") + log.read_bytes())
    fail(quick_folder, monkeypatch)
    assert log.read_text(encoding="utf-8").count("ZeroDivisionError") == 2
