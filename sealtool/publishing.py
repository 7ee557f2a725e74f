"""Putting files where people will find them: whole or not at all, and for nobody else to read."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sealtool.errors import LedgerInconsistentError, OutputError
from sealtool.model import RunId

MANIFESTS: Final = "manifests"
"""The folder of manifests inside the output folder."""

_UNFINISHED: Final = ".sealtool-unfinished-"
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def manifest_path(run_id: RunId) -> str:
    """Where the manifest of a run is, below the output folder."""
    return f"{MANIFESTS}/{run_id}.json"


class OutputFolder:
    """The folder of certificates and manifests. Paths are relative to it, with forward slashes.

    Every method raises OutputError where the file system refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def publish(self, path: str, content: bytes) -> None:
        """Writes a file so that it appears whole under its name, and stays after a loss of power.

        A file that is there with the same content is left alone.

        Raises:
            LedgerInconsistentError: another file has that name. It is left as it is.
        """
        target = self._inside(path)
        present = self.sha256(path)
        if present is not None:
            if present != hashlib.sha256(content).hexdigest():
                raise unexpected_file(target)
            return
        with _in_our_words(target):
            _make_folder(target.parent)
            _write_whole(target, [content])

    def replace(self, path: str, content: bytes, *, replaces: str) -> None:
        """Puts a file into the place of the present one, in one step: at any moment one of the two is there, whole.

        Args:
            path: of the file, which keeps its name.
            content: what will be there.
            replaces: SHA-256 of what has to be there now.

        Raises:
            LedgerInconsistentError: something else is there, or nothing. It is left as it is.
        """
        replace_file(self._inside(path), content, replaces=replaces)

    def read(self, path: str) -> bytes | None:
        """A published file, None where there is none."""
        target = self._inside(path)
        with _in_our_words(target):
            try:
                return target.read_bytes()
            except FileNotFoundError:
                return None

    def sha256(self, path: str) -> str | None:
        """SHA-256 of a published file, None where there is none."""
        content = self.read(path)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def withdraw(self, path: str) -> None:
        """Removes a file that was never announced as issued, for good."""
        target = self._inside(path)
        with _in_our_words(target):
            target.unlink()
            _sync_folder(target.parent)

    def secure(self, path: str) -> None:
        """Makes sure that the name of a file that is there outlasts a loss of power."""
        target = self._inside(path)
        with _in_our_words(target):
            _sync_folder(target.parent)

    def exists(self) -> bool:
        """Whether the folder is there at all."""
        return self.root.is_dir()

    def documents(self) -> frozenset[str]:
        """The paths of all sealed documents that are there."""
        with _in_our_words(self.root):
            return frozenset(path.relative_to(self.root).as_posix() for path in self.root.glob("*/*/*.pdf"))

    def newest_manifest(self) -> Path | None:
        """The newest manifest, None before the first; their names sort by time."""
        with _in_our_words(self.root):
            return max((self.root / MANIFESTS).glob("*.json"), default=None)

    def remove_leftovers(self) -> None:
        """Removes what a killed run had begun to write. Call with the ledger held: a living run writes there."""
        with _in_our_words(self.root):
            for leftover in self.root.rglob(f"{_UNFINISHED}*"):
                leftover.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Makes the folder, and finds out now whether files can be written, before anything is decided."""
        with _in_our_words(self.root):
            _make_folder(self.root)
            probe = self.root / f"{_UNFINISHED}{secrets.token_hex(8)}"
            probe.touch(FILE_MODE)
            probe.unlink()

    def _inside(self, path: str) -> Path:
        target = self.root / path
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise OutputError(f"The path {path} leads out of the output folder {self.root}. Nothing was written there.")
        return target


def unexpected_file(target: Path) -> LedgerInconsistentError:
    """The error for a file that is not the one the ledger knows under that name."""
    return LedgerInconsistentError(
        f"The file {target} is not the one that the ledger recorded under this name. It was left as it is.",
        advice="Find out who wrote it: compare it with a backup, then put the right file back or move this one away.",
    )


def replace_file(target: Path, content: bytes, *, replaces: str) -> None:
    """Puts a file into the place of another, with its permissions, wherever that is: see :meth:`OutputFolder.replace`.

    Two processes that replace files of one folder wait for each other, so that neither overwrites what the other wrote.

    Raises:
        LedgerInconsistentError: what is there has another SHA-256 than ``replaces``, or is no file. It is left alone.
        OutputError: the file system refuses.
    """
    with _in_our_words(target), _folder_to_ourselves(target.parent):
        if target.is_symlink() or not target.is_file():
            raise unexpected_file(target)
        if hashlib.sha256(target.read_bytes()).hexdigest() != replaces:
            raise unexpected_file(target)
        _write_whole(target, [content], mode=stat.S_IMODE(target.stat().st_mode))


def write_in_place(target: Path, pieces: Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """Writes a file of any size, piece by piece, which takes the place of the present one in one step, or not at all.

    Raises:
        OutputError: the file system refuses.
    """
    with _in_our_words(target):
        _write_whole(target, pieces, mode=mode)


def _write_whole(target: Path, pieces: Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """The file appears under its name with all of its content, or not at all, and stays after a loss of power."""
    unfinished = target.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        with open(unfinished, "xb", opener=_private) as file:
            file.writelines(pieces)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


@contextlib.contextmanager
def _folder_to_ourselves(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)


def _make_folder(folder: Path) -> None:
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
        _sync_folder(missing.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _in_our_words(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written or read: {error.strerror or error}. What was not published stays pending.",
            advice="Check free space and permissions, then call again: the next run goes on.",
        ) from error
