import os
import stat
from pathlib import Path

import pytest

from sealtool.errors import LedgerInconsistentError, OutputError
from sealtool.publishing import OutputFolder


@pytest.fixture
def output(tmp_path: Path) -> OutputFolder:
    return OutputFolder(tmp_path / "out")


def files_in(output: OutputFolder) -> list[str]:
    return [path.name for path in output.root.rglob("*") if path.is_file()]


def test_a_file_is_published_whole_and_for_nobody_else(output: OutputFolder) -> None:
    output.publish("2026/B1/x.pdf", b"content")
    published = output.root / "2026/B1/x.pdf"
    assert published.read_bytes() == b"content"
    assert stat.S_IMODE(published.stat().st_mode) == 0o600
    assert stat.S_IMODE(published.parent.stat().st_mode) == 0o700


def test_publishing_the_same_again_is_harmless(output: OutputFolder) -> None:
    output.publish("x.pdf", b"content")
    output.publish("x.pdf", b"content")
    assert files_in(output) == ["x.pdf"]


def test_another_file_of_that_name_is_never_overwritten(output: OutputFolder) -> None:
    output.publish("x.pdf", b"content")
    with pytest.raises(LedgerInconsistentError):
        output.publish("x.pdf", b"other")
    assert (output.root / "x.pdf").read_bytes() == b"content"


@pytest.mark.parametrize("path", ["../x.pdf", "/tmp/x.pdf", "a/../../x.pdf"])  # noqa: S108 - must be refused
def test_nothing_is_written_outside_the_folder(output: OutputFolder, path: str) -> None:
    with pytest.raises(OutputError, match="leads out"):
        output.publish(path, b"content")


def test_a_failed_write_leaves_nothing_behind(output: OutputFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    output.root.mkdir()
    with pytest.raises(OutputError, match="No space left"):
        output.publish("x.pdf", b"content")
    assert files_in(output) == []


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(output: OutputFolder) -> None:
    output.publish("2026/B1/x.pdf", b"content")
    (output.root / "2026/B1/.sealtool-unfinished-0123").write_bytes(b"half")
    output.remove_leftovers()
    assert files_in(output) == ["x.pdf"]


def test_the_hash_of_a_missing_file_is_none(output: OutputFolder) -> None:
    assert output.sha256("x.pdf") is None


def test_a_withdrawn_file_is_gone(output: OutputFolder) -> None:
    output.publish("2026/B1/x.pdf", b"content")
    output.withdraw("2026/B1/x.pdf")
    assert files_in(output) == []
