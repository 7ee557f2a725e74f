"""Paths and links that lead elsewhere: in the ledger, in a backup of it, in the output folder. Nothing goes there."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sealtool.errors import ExitCode
from tests.pipeline.conftest import PEOPLE, Folder, Write, b1_by_test

A, B = PEOPLE[:2]


@pytest.fixture
def elsewhere(issued: Folder) -> Path:
    """The certificate again, where nothing of ours belongs."""
    folder = issued.path.parent / "elsewhere"
    folder.mkdir()
    (folder / "x.pdf").write_bytes(issued.certificates[0].read_bytes())
    return folder


HOSTILE = ["../../elsewhere/x.pdf", "{elsewhere}/x.pdf", "2026/../../../elsewhere/x.pdf"]


@pytest.mark.parametrize("path", HOSTILE, ids=["up", "absolute", "up in the middle"])
def test_a_ledger_that_names_a_file_elsewhere_has_nothing_read_or_written_there(
    issued: Folder, elsewhere: Path, path: str
) -> None:
    before = (elsewhere / "x.pdf").read_bytes()
    with closing(sqlite3.connect(issued.path / "ledger.sqlite")) as connection, connection:
        connection.execute(
            "UPDATE documents SET path = ? WHERE path LIKE ?",
            (path.format(elsewhere=elsewhere), f"%{issued.certificates[0].name}"),
        )

    exported = issued.call("export", "--eni", issued.path.parent / "eni")
    extended = issued.call("extend", "--due", "3650")

    assert exported.code == ExitCode.CONFIGURATION
    assert "leads out of the output folder" in exported.err
    assert extended.code == ExitCode.LEDGER
    assert list((issued.path.parent / "eni").iterdir()) == []
    assert [file.name for file in elsewhere.iterdir()] == ["x.pdf"]
    assert (elsewhere / "x.pdf").read_bytes() == before
    assert issued.call("ledger", "verify").code == ExitCode.LEDGER


def test_a_backup_that_was_given_another_path_is_not_restored_with_its_hash_put_right(
    issued: Folder, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.jsonl"
    assert issued.call("ledger", "backup", backup).code == 0
    lines = backup.read_bytes().splitlines(keepends=True)
    path = issued.certificates[0].relative_to(issued.path / "out").as_posix()
    forged = [line.replace(path.encode(), b"../../elsewhere/x.pdf") for line in lines[:-1]]
    assert forged != lines[:-1]
    end = json.loads(lines[-1]) | {"sha256": hashlib.sha256(b"".join(forged)).hexdigest()}
    backup.write_bytes(b"".join(forged) + json.dumps(end).encode() + b"\n")
    ledger = (issued.path / "ledger.sqlite").read_bytes()

    outcome = issued.call("ledger", "restore", backup)

    assert outcome.code == ExitCode.LEDGER
    assert (issued.path / "ledger.sqlite").read_bytes() == ledger


@pytest.mark.parametrize("name", ["year", "level", "manifests"])
def test_a_folder_that_was_exchanged_for_a_link_stops_the_run_and_nothing_lands_behind_it(
    quick_folder: Folder, write_registry: Write, name: str
) -> None:
    year = quick_folder.workspace.today().year
    place = quick_folder.path / "out" / {"year": str(year), "level": f"{year}/B1", "manifests": "manifests"}[name]
    elsewhere = quick_folder.path.parent / "elsewhere"
    (elsewhere / "B1").mkdir(parents=True)
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(elsewhere)
    registry = write_registry([A], [b1_by_test(A)])

    outcome = quick_folder.call("issue", "--level", "B1", "--registry", registry)

    assert outcome.code == ExitCode.CONFIGURATION
    assert f"{place.name} is a link" in outcome.err
    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []
    place.unlink()
    assert quick_folder.call("issue", "--level", "B1", "--registry", registry).code == 0
    assert len(quick_folder.certificates) == 1
    assert quick_folder.call("verify", quick_folder.path / "out").code == 0


def test_a_certificate_that_was_exchanged_for_a_link_is_neither_exported_nor_taken_for_it(
    issued: Folder, elsewhere: Path
) -> None:
    certificate = issued.certificates[0]
    certificate.unlink()
    certificate.symlink_to(elsewhere / "x.pdf")

    exported = issued.call("export", "--eni", issued.path.parent / "eni", "--json")
    verified = issued.call("verify", issued.path / "out", "--json")
    (issued.path / "ledger.sqlite").rename(issued.path / "lost")
    rebuilt = issued.call("ledger", "rebuild", "--from", issued.path / "out")

    assert exported.code == ExitCode.NEEDS_HUMAN
    assert "is not the file that was issued" in exported.out
    assert verified.code == ExitCode.NEEDS_HUMAN
    assert "NOT_A_REGULAR_FILE" in verified.out
    assert rebuilt.code == ExitCode.LEDGER
    assert not (issued.path / "ledger.sqlite").exists()


def test_a_manifest_that_was_exchanged_for_a_link_is_not_followed(issued: Folder, elsewhere: Path) -> None:
    (manifest,) = issued.manifests
    manifest.rename(elsewhere / manifest.name)
    manifest.symlink_to(elsewhere / manifest.name)
    assert issued.call("status").code == ExitCode.LEDGER
    found = issued.call("ledger", "verify", "--json")
    assert found.code == ExitCode.LEDGER
    assert "MANIFEST_UNREADABLE" in found.out


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        ('"sqlite:///ledger.sqlite"', '"sqlite:///circle"', ExitCode.LEDGER),
        ('folder = "out"', 'folder = "circle"', ExitCode.CONFIGURATION),
        ("[rendering]", '[rendering]\ntemplates = "circle"', ExitCode.CONFIGURATION),
    ],
)
def test_links_that_lead_round_in_a_circle_are_told_in_words(
    quick_folder: Folder, write_registry: Write, was: str, now: str, code: ExitCode
) -> None:
    (quick_folder.path / "circle").symlink_to("circle")
    quick_folder.configure(was, now)
    assert quick_folder.call("issue", "--level", "B1", "--registry", write_registry([A], [b1_by_test(A)])).code == code


@pytest.mark.parametrize("command", [("register", "--output"), ("export", "--eni"), ("preview", "--output")])
def test_nothing_is_written_to_links_that_lead_round_in_a_circle(issued: Folder, command: tuple[str, str]) -> None:
    circle = issued.path / "circle"
    circle.symlink_to("circle")
    assert issued.call(*command, circle).code in {ExitCode.USAGE, ExitCode.CONFIGURATION}
    assert circle.is_symlink()
