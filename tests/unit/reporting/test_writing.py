"""A report appears whole or not at all, for its owner, and never over another file."""

import errno
import os
import stat
from pathlib import Path

import pytest

from sealtool.errors import OutputError, UsageError
from sealtool.reporting.writing import insist_on_new, write_new


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        write_new(tmp_path / "report.html", b"content")
    finally:
        os.umask(previous)
    assert (tmp_path / "report.html").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_another_file_is_never_replaced(tmp_path: Path) -> None:
    target = tmp_path / "certificate.pdf"
    target.write_bytes(b"sealed")
    for refuse in (lambda: insist_on_new(target), lambda: write_new(target, b"report")):
        with pytest.raises(UsageError, match="is there already"):
            refuse()
    assert target.read_bytes() == b"sealed"
    assert [one.name for one in tmp_path.iterdir()] == ["certificate.pdf"]


def test_a_dangling_link_is_something_that_has_the_name(tmp_path: Path) -> None:
    (tmp_path / "report").symlink_to("elsewhere")
    with pytest.raises(UsageError):
        insist_on_new(tmp_path / "report")


def test_where_there_is_no_folder_that_is_said_before_anything_is_judged(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        insist_on_new(tmp_path / "nowhere" / "report")


def test_a_file_system_without_hard_links_gets_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_new(tmp_path / "report", b"content")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"content"]
    with pytest.raises(UsageError):
        write_new(tmp_path / "report", b"other")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="No space left"):
        write_new(tmp_path / "report", b"content")
    assert list(tmp_path.iterdir()) == []
