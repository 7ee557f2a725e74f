"""Looking into folders and opening files that an enemy may have prepared.

No link is followed and nothing but a regular file is opened: a pipe would wait for ever, and what a link shows
today it need not show tomorrow. Paths are absolute and real (:func:`os.path.realpath`) where they were named by
the user; below them, a path that is not real leads through a link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sealtool.auditing.reasons import FileReason

MAX_BYTES: Final = 64 * 1024 * 1024
"""Twice what the verifier takes for a certificate: what is larger is not even read."""

LINK: Final = "It is a link, or is reached through one."
SPECIAL: Final = "It is a folder, a pipe, a socket or a device."
# O_NONBLOCK: a pipe put in the place of the file between the two looks would wait for a writer
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileRefusedError(Exception):
    """A file was not read; caught in this room, where it becomes a judgement."""

    def __init__(self, code: FileReason, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def read_file(path: Path, *, most: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most ``most`` bytes.

    Raises:
        FileRefusedError: it is not there, is no regular file, is too large, or cannot be read.
    """
    if os.path.realpath(path) != str(path):
        raise FileRefusedError(FileReason.NOT_A_REGULAR_FILE, LINK)
    try:
        _insist_on_regular(os.lstat(path), most)  # before it is opened: opening a device may already do something
        with open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS)) as file:
            return file.read(_insist_on_regular(os.fstat(file.fileno()), most))
    except OSError as error:
        raise _refused(error) from error


def _insist_on_regular(facts: os.stat_result, most: int) -> int:
    """The size."""
    if not stat.S_ISREG(facts.st_mode):
        raise FileRefusedError(FileReason.NOT_A_REGULAR_FILE, LINK if stat.S_ISLNK(facts.st_mode) else SPECIAL)
    if facts.st_size > most:
        raise FileRefusedError(FileReason.TOO_LARGE, f"It has {facts.st_size} bytes.")
    return facts.st_size


def _refused(error: OSError) -> FileRefusedError:
    if isinstance(error, FileNotFoundError):
        return FileRefusedError(FileReason.FILE_MISSING)
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
        return FileRefusedError(FileReason.NOT_A_REGULAR_FILE, LINK)
    return FileRefusedError(FileReason.UNREADABLE, because(error))


def because(error: OSError) -> str:
    """Why the system refused, without the path: its name may hold anything."""
    return f"The system says: {error.strerror or type(error).__name__}."


@dataclass(slots=True)
class Listing:
    """What lies in a folder and all folders below it.

    Attributes:
        files: regular files.
        links: symbolic links, to whatever.
        specials: pipes, sockets, devices.
        unreadable: folders that could not be looked into, with the reason.
    """

    files: set[Path] = field(default_factory=set)
    links: set[Path] = field(default_factory=set)
    specials: set[Path] = field(default_factory=set)
    unreadable: dict[Path, str] = field(default_factory=dict)

    def __or__(self, other: Listing) -> Listing:
        return Listing(
            self.files | other.files,
            self.links | other.links,
            self.specials | other.specials,
            self.unreadable | other.unreadable,
        )


def list_folders(folders: Iterable[Path]) -> Listing:
    """Looks into the folders, however deep, and follows no link."""
    listing = Listing()
    waiting = list(folders)
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                waiting += [Path(entry.path) for entry in entries if _note(entry, listing)]
        except OSError as error:
            listing.unreadable[folder] = because(error)
    return listing


def _note(entry: os.DirEntry[str], listing: Listing) -> bool:
    """Puts an entry in its place; true for a folder, which is still to be looked into."""
    if entry.is_dir(follow_symlinks=False):
        return True
    if entry.is_symlink():
        listing.links.add(Path(entry.path))
    elif entry.is_file(follow_symlinks=False):
        listing.files.add(Path(entry.path))
    else:
        listing.specials.add(Path(entry.path))
    return False
