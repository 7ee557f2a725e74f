"""Putting files where people will find them: whole or not at all, and for nobody else to read.

No link below the output folder is followed, by whomever and whenever it was put there: each folder on the way is opened
in the one before it, and files are made, read and renamed in the folder that was opened.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Final

from sealtool.errors import LedgerInconsistentError, LedgerLockedError, OutputError
from sealtool.identifiers import is_run_id
from sealtool.model import Level, RunId
from sealtool.regular_files import real_path

MANIFESTS: Final = "manifests"
"""The folder of manifests inside the output folder."""

_UNFINISHED: Final = ".sealtool-unfinished-"
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600

_AS_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a pipe in the place of a file would wait for a writer
_TO_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def manifest_path(run_id: RunId) -> str:
    """Where the manifest of a run is, below the output folder."""
    return f"{MANIFESTS}/{run_id}.json"


def _is_manifest(path: str) -> bool:
    name = path.removeprefix(f"{MANIFESTS}/")
    return name.endswith(".json") and is_run_id(name.removesuffix(".json"))


def folders_of_a_run(today: date) -> tuple[str, ...]:
    """Where a run of this day may write, below the output folder."""
    return (MANIFESTS, f"{today.year}", *(f"{today.year}/{level}" for level in Level))


class OutputFolder:
    """The folder of certificates and manifests. Paths are relative to it, with forward slashes.

    Every method raises OutputError where the file system refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def publish(self, path: str, content: bytes, *, secured: bool = True) -> None:
        """Writes a file so that it appears whole under its name, and stays after a loss of power.

        A file that is there with the same content is left alone.

        Args:
            path: of the file.
            content: all of it.
            secured: whether its name is made to stay as well; otherwise :meth:`secure` is to be called for one file of
                the folder when all are there.

        Raises:
            LedgerInconsistentError: another file has that name. It is left as it is.
        """
        target = self._inside(path)
        with _in_our_words(target), self._folder_of(path, make=True) as folder:
            with contextlib.suppress(FileNotFoundError):
                if _read(folder, target)[0] != content:
                    raise unexpected_file(target)
                return
            _write_whole(folder, target.name, [content], secured=secured)

    def replace(self, path: str, content: bytes, *, replaces: str) -> None:
        """Puts a file into the place of the present one, in one step: at any moment one of the two is there, whole.

        Args:
            path: of the file, which keeps its name.
            content: what will be there.
            replaces: SHA-256 of what has to be there now.

        Raises:
            LedgerInconsistentError: something else is there, or nothing. It is left as it is.
        """
        target = self._inside(path)
        with _in_our_words(target), self._folder_of(path) as folder:
            _replace(folder, target, content, replaces)

    def read(self, path: str) -> bytes | None:
        """A published file, None where there is none.

        Raises:
            LedgerInconsistentError: a link, a pipe or something else that is no file has that name.
        """
        target = self._inside(path)
        with _in_our_words(target):
            try:
                with self._folder_of(path) as folder:
                    return _read(folder, target)[0]
            except FileNotFoundError:
                return None

    def sha256(self, path: str) -> str | None:
        """SHA-256 of a published file, None where there is none."""
        content = self.read(path)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def withdraw(self, path: str) -> None:
        """Removes a file that was never announced as issued, for good."""
        target = self._inside(path)
        with _in_our_words(target), self._folder_of(path) as folder:
            os.unlink(target.name, dir_fd=folder)
            os.fsync(folder)

    def secure(self, path: str) -> None:
        """Makes sure that the name of a file that is there outlasts a loss of power."""
        target = self._inside(path)
        with _in_our_words(target), self._folder_of(path) as folder:
            os.fsync(folder)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder against another run: with another ledger it would issue into it what this one issues.

        Nothing is held where there is no folder yet, or the file system cannot.

        Raises:
            LedgerLockedError: another run has it.
        """
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                folder = os.open(self.root, _AS_FOLDER)
                stack.callback(os.close, folder)
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise LedgerLockedError(
                        f"Another run of sealtool writes into {self.root}, and two runs at once could issue a "
                        "certificate twice. Nothing was done.",
                        advice="Wait for it to end and call again. If it is of another configuration with another "
                        "ledger, give each ledger an output folder of its own (output.folder).",
                    ) from error
            yield

    def exists(self) -> bool:
        """Whether the folder is there at all."""
        return self.root.is_dir()

    def insist_on_elsewhere(self, target: Path) -> None:
        """Refuses a place for something else that is this folder, or lies below it.

        Raises:
            OutputError: it is, or does.
        """
        if real_path(target).is_relative_to(real_path(self.root)):
            raise OutputError(
                f"{target} lies in the output folder, where auditors, and the next run, would take what is written "
                "for foreign files. Nothing was written.",
                advice="Name a place outside of it.",
            )

    def documents(self) -> frozenset[str]:
        """The paths of all sealed documents that are there."""
        years = _folders_in(str(self.root))
        levels = [level for year in years for level in _folders_in(year)]
        files = (one.path for level in levels for one in _entries_of(level))
        # what relative_to would say, which takes longer than to look into the folders
        return frozenset(path.removeprefix(f"{self.root}/") for path in files if path.endswith(".pdf"))

    def manifests(self) -> list[str]:
        """The paths of all manifests that are there, the newest last: their names are run ids, which sort by time."""
        return sorted(filter(_is_manifest, self.beside_manifests()))

    def beside_manifests(self) -> frozenset[str]:
        """The paths of all that is in the folder of manifests: them, their seals and tables, and whatever else."""
        return frozenset(f"{MANIFESTS}/{one.name}" for one in _entries_of(str(self.root / MANIFESTS)))

    def everything(self) -> frozenset[str]:
        """The paths of all that is there and no folder, but for what a killed run had begun to write."""
        found = []
        for folder, folders, names in os.walk(self.root):
            links = [name for name in folders if os.path.islink(f"{folder}/{name}")]  # noqa: PTH114 - as walk has it
            found += [f"{folder}/{name}" for name in (*names, *links) if not name.startswith(_UNFINISHED)]
        return frozenset(path.removeprefix(f"{self.root}/") for path in found)

    def remove_leftovers(self) -> None:
        """Removes what a killed run had begun to write. Call with the ledger held: a living run writes there."""
        with _in_our_words(self.root):
            for _, _, names, folder in os.fwalk(self.root):
                for name in names:
                    if name.startswith(_UNFINISHED):
                        _remove(folder, name)

    def prepare(self, *below: str) -> None:
        """Makes the folder, and finds out now whether files can be written, before anything is decided.

        Args:
            below: folders in it that will be written in, where they are there already.
        """
        with _in_our_words(self.root):
            make_folder(self.root)
        for name in (".", *below):
            probe = f"{_UNFINISHED}{secrets.token_hex(8)}"
            in_words = _in_our_words(self.root / name)
            with in_words, contextlib.suppress(FileNotFoundError), self._folder_of(f"{name}/{probe}") as folder:
                os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE, dir_fd=folder))
                os.unlink(probe, dir_fd=folder)

    def insist_on_permission(self, *below: str) -> None:
        """Finds out what :meth:`prepare` would, as far as that can be told without writing anything.

        Args:
            below: folders in it that will be written in, where they are there already.
        """
        place = next(each for each in (self.root, *self.root.parents) if each.exists())
        for folder in (place, *(self.root / name for name in below)):
            with _in_our_words(folder), contextlib.suppress(FileNotFoundError):
                if folder.stat() and not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _inside(self, path: str) -> Path:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path:
            raise OutputError(
                f"The path {path!r} leads out of the output folder {self.root}. Nothing was written or read there."
            )
        return self.root / path

    @contextlib.contextmanager
    def _folder_of(self, path: str, *, make: bool = False) -> Iterator[int]:
        """The folder that a file is in, opened step by step. The output folder itself may be a link: it is named so."""
        if make:
            make_folder(self.root)
        folder = os.open(self.root, _AS_FOLDER)
        try:
            for name in PurePosixPath(path).parent.parts:
                outer, folder = folder, _step_into(folder, name, self.root, make=make)
                os.close(outer)
            yield folder
        finally:
            os.close(folder)


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
    with _in_our_words(target), _opened(target.parent) as folder:
        _replace(folder, target, content, replaces)


def write_in_place(target: Path, pieces: Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """Writes a file of any size, piece by piece, which takes the place of the present one in one step, or not at all.

    Raises:
        OutputError: the file system refuses.
    """
    with _in_our_words(target), _opened(target.parent) as folder:
        _write_whole(folder, target.name, pieces, mode=mode)


def make_folder(folder: Path) -> None:
    """Makes a folder and all that are missing above it, for nobody else, to outlast a loss of power.

    Raises:
        OSError: the file system refuses.
    """
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
        with _opened(missing.parent) as outer:
            os.fsync(outer)


# --- in an opened folder --------------------------------------------------------------------------


def _replace(folder: int, target: Path, content: bytes, replaces: str) -> None:
    fcntl.flock(folder, fcntl.LOCK_EX)  # until the folder is closed
    try:
        present, mode = _read(folder, target)
    except FileNotFoundError:
        raise unexpected_file(target) from None
    if hashlib.sha256(present).hexdigest() != replaces:
        raise unexpected_file(target)
    _write_whole(folder, target.name, [content], mode=mode)


def _read(folder: int, target: Path) -> tuple[bytes, int]:
    """The content of a regular file, and its mode."""
    try:
        descriptor = os.open(target.name, _TO_READ, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link, a socket
            raise unexpected_file(target) from error
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise unexpected_file(target)
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(), stat.S_IMODE(status.st_mode)
    finally:
        os.close(descriptor)


def _write_whole(
    folder: int, name: str, pieces: Iterable[bytes], *, mode: int = FILE_MODE, secured: bool = True
) -> None:
    """The file appears under its name with all of its content, or not at all, and stays after a loss of power."""
    unfinished = f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        with open(unfinished, "xb", opener=lambda path, flags: os.open(path, flags, FILE_MODE, dir_fd=folder)) as file:
            file.writelines(pieces)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _remove(folder, unfinished)
        raise
    if secured:
        os.fsync(folder)


def _remove(folder: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _entries_of(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds, nothing where it is not there. One that cannot be looked into is no empty one."""
    with _in_our_words(Path(folder)):
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except FileNotFoundError:
            return []


def _folders_in(folder: str) -> list[str]:
    with _in_our_words(Path(folder)):
        return [one.path for one in _entries_of(folder) if one.is_dir()]


def _make_inside(folder: int, name: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, FOLDER_MODE, dir_fd=folder)
        os.fsync(folder)


def _step_into(folder: int, name: str, root: Path, *, make: bool) -> int:
    try:
        return os.open(name, _AS_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        _make_inside(folder, name)
        return _step_into(folder, name, root, make=False)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
            raise
        raise OutputError(
            f"In the output folder {root}, {name} is a link or no folder. No link is followed there, so that nothing "
            "is written or read elsewhere.",
            advice="Find out who put it there, and put a real folder in its place. To use another disk, mount it.",
        ) from error


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, _AS_FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _in_our_words(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written or read: {error.strerror or error}.",
            advice="Check the path, free space and permissions, then call again.",
        ) from error
