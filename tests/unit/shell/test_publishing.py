import contextlib
import errno
import os
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sealtool.canonical import sha256_hex
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


@pytest.mark.parametrize("path", ["../x.pdf", "/tmp/x.pdf", "a/../../x.pdf", "a\0/x.pdf"])  # noqa: S108 - must be refused
def test_nothing_is_written_read_or_removed_outside_the_folder(output: OutputFolder, path: str) -> None:
    with pytest.raises(OutputError, match="leads out"):
        output.publish(path, b"content")
    for act in (output.read, output.sha256, output.withdraw, output.secure):
        with pytest.raises(OutputError, match="leads out"):
            act(path)


@pytest.mark.parametrize("linked", ["2026", "2026/B1"])
def test_a_folder_that_is_a_link_leads_nowhere(output: OutputFolder, tmp_path: Path, linked: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "B1").mkdir(parents=True)
    for folder in (elsewhere, elsewhere / "B1"):
        (folder / "x.pdf").write_bytes(b"content")
    (output.root / linked).parent.mkdir(parents=True)
    (output.root / linked).symlink_to(elsewhere)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*.pdf")}

    for act in (
        lambda: output.publish("2026/B1/new.pdf", b"content"),
        lambda: output.replace("2026/B1/x.pdf", b"other", replaces=sha256_hex(b"content")),
        lambda: output.withdraw("2026/B1/x.pdf"),
        lambda: output.read("2026/B1/x.pdf"),
    ):
        with pytest.raises(OutputError, match=r"is a link or no folder\. No link is followed"):
            act()

    assert {path: path.read_bytes() for path in elsewhere.rglob("*.pdf")} == before


def test_a_folder_that_becomes_a_link_while_a_file_is_written_leads_nowhere(
    output: OutputFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, folder = tmp_path / "elsewhere", output.root / "2026"
    elsewhere.mkdir()
    fsync = os.fsync

    def exchange_it(descriptor: int) -> None:
        fsync(descriptor)
        if folder.exists() and list(folder.glob(".sealtool-unfinished-*")) and not folder.is_symlink():
            folder.rename(tmp_path / "aside")
            folder.symlink_to(elsewhere)

    monkeypatch.setattr(os, "fsync", exchange_it)
    output.publish("2026/x.pdf", b"content")

    assert folder.is_symlink()
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in (tmp_path / "aside").iterdir()] == ["x.pdf"]


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    OutputFolder(tmp_path / "out").publish("2026/x.pdf", b"content")
    assert (tmp_path / "disk/2026/x.pdf").read_bytes() == b"content"


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "socket", "folder"])
def test_what_is_no_file_is_neither_read_nor_overwritten(output: OutputFolder, tmp_path: Path, kind: str) -> None:
    output.prepare()
    target, elsewhere = output.root / "x.pdf", tmp_path / "elsewhere.pdf"
    match kind:
        case "link":
            elsewhere.write_bytes(b"content")
            target.symlink_to(elsewhere)
        case "dangling link":
            target.symlink_to(elsewhere)
        case "pipe":
            os.mkfifo(target)
        case "socket":
            with contextlib.chdir(output.root), socket.socket(socket.AF_UNIX) as listening:
                listening.bind("x.pdf")
        case "folder":
            target.mkdir()

    for act in (
        lambda: output.read("x.pdf"),
        lambda: output.publish("x.pdf", b"content"),
        lambda: output.replace("x.pdf", b"new", replaces=sha256_hex(b"content")),
    ):
        with pytest.raises(LedgerInconsistentError):
            act()
    assert os.path.lexists(target)
    assert elsewhere.exists() == (kind == "link")


def test_leftovers_are_not_looked_for_behind_links(output: OutputFolder, tmp_path: Path) -> None:
    output.prepare()
    (tmp_path / ".sealtool-unfinished-0123").touch()
    (output.root / "2026").symlink_to(tmp_path)
    output.remove_leftovers()
    assert (tmp_path / ".sealtool-unfinished-0123").exists()


def test_a_failed_write_leaves_nothing_behind(output: OutputFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    output.root.mkdir()
    with pytest.raises(OutputError, match="No space left"):
        output.publish("x.pdf", b"content")
    assert files_in(output) == []


@pytest.mark.parametrize("closed", ["2026", "2026/B1", "manifests"])
def test_a_folder_that_cannot_be_looked_into_is_no_empty_one(
    output: OutputFolder, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    output.publish("2026/B1/x.pdf", b"content")
    output.publish("manifests/20260131T031500Z-7dbca8.json", b"{}")
    scandir = os.scandir

    def refuse(folder: str) -> Iterator[os.DirEntry[str]]:
        if folder == str(output.root / closed):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(OutputError, match=f"{closed} cannot be written or read: Permission denied"):
        output.documents(), output.manifests()


def test_where_nothing_was_issued_yet_there_is_nothing(output: OutputFolder) -> None:
    assert (output.documents(), output.manifests()) == (frozenset(), [])


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


def test_a_file_is_replaced_in_one_step_and_keeps_its_permissions(output: OutputFolder) -> None:
    output.publish("2026/B1/x.pdf", b"content")
    (output.root / "2026/B1/x.pdf").chmod(0o640)
    output.replace("2026/B1/x.pdf", b"content and more", replaces=sha256_hex(b"content"))
    replaced = output.root / "2026/B1/x.pdf"
    assert replaced.read_bytes() == b"content and more"
    assert stat.S_IMODE(replaced.stat().st_mode) == 0o640
    assert files_in(output) == ["x.pdf"]


@pytest.mark.parametrize("present", [b"other", None], ids=["another file", "no file"])
def test_only_the_file_that_was_expected_is_replaced(output: OutputFolder, present: bytes | None) -> None:
    output.prepare()
    if present is not None:
        output.publish("x.pdf", present)
    with pytest.raises(LedgerInconsistentError):
        output.replace("x.pdf", b"new", replaces=sha256_hex(b"content"))
    assert files_in(output) == ([] if present is None else ["x.pdf"])
    assert output.sha256("x.pdf") == (None if present is None else sha256_hex(present))


def test_a_link_is_not_replaced_and_not_followed(output: OutputFolder, tmp_path: Path) -> None:
    output.prepare()
    elsewhere = tmp_path / "elsewhere.pdf"
    elsewhere.write_bytes(b"content")
    (output.root / "x.pdf").symlink_to(elsewhere)
    with pytest.raises(LedgerInconsistentError):
        output.replace("x.pdf", b"new", replaces=sha256_hex(b"content"))
    assert elsewhere.read_bytes() == b"content"
    assert (output.root / "x.pdf").is_symlink()


def test_two_that_replace_one_file_at_once_do_not_overwrite_each_other(
    output: OutputFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    output.publish("x.pdf", b"content")
    before, both_there = sha256_hex(b"content"), threading.Barrier(2)
    rename = os.rename

    def slowly(path: str, target: str, **folders: int) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both_there.wait(0.2)  # the other would get as far as this, if it were let
        rename(path, target, **folders)

    monkeypatch.setattr(os, "rename", slowly)

    def replace(content: bytes) -> bool:
        try:
            output.replace("x.pdf", content, replaces=before)
        except LedgerInconsistentError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(replace, [b"one", b"two"])) == [False, True]


def test_a_failed_replacement_leaves_what_was_there(output: OutputFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    output.publish("x.pdf", b"content")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        output.replace("x.pdf", b"new", replaces=sha256_hex(b"content"))
    assert (output.root / "x.pdf").read_bytes() == b"content"
    assert files_in(output) == ["x.pdf"]
