"""Arguments that nobody gives on purpose: each is answered in a sentence."""

import os
from pathlib import Path

import pytest

from sealtool.errors import ExitCode
from tests.pipeline.conftest import Folder

TOO_LONG = "x" * 5000
NO_TEXT = os.fsdecode(b"\xff\xfe")


@pytest.mark.parametrize("command", ["register --output", "report --output", "ledger backup"])
def test_a_name_that_is_too_long_for_a_file(quick_folder: Folder, command: str) -> None:
    outcome = quick_folder.call(*command.split(), TOO_LONG)
    assert outcome.code == ExitCode.CONFIGURATION
    assert "File name too long" in outcome.err


def test_a_backup_without_a_name(quick_folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    outcome = quick_folder.call("ledger", "backup", "")
    assert outcome.code == ExitCode.CONFIGURATION
    assert "The backup . cannot be written" in outcome.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["register", "plan"])
def test_a_person_whose_id_is_no_text(quick_folder: Folder, command: str) -> None:
    registry = ("--registry", Path(__file__).parents[2] / "samples" / "registry-small") if command == "plan" else ()
    outcome = quick_folder.call(command, "--person", f"{NO_TEXT}1R", *registry)
    assert outcome.code == ExitCode.USAGE
    assert "has the id ??1R" in outcome.err
