"""Reading files that the configuration names: a pipe in the place of one would be waited for, a device has no end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

_MOST: Final = 64 * 1024 * 1024
"""Bytes of the largest file that the configuration may name: national revocation lists have some tens of millions."""


class NoRegularFileError(OSError):
    """A pipe, a device or a socket is in the place of a file."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "it is no regular file")


def open_regular_file(path: Path) -> BinaryIO:
    """Opens a regular file for reading. Links are followed.

    Raises:
        OSError: the system refuses; ``strerror`` says why.
        NoRegularFileError: it is none.
    """
    _insist_on_regular(path.stat())  # before it is opened: opening a device may already do something
    return open(path, "rb", opener=_open_without_waiting)


def is_handed_down(path: Path) -> bool:
    """Whether a path is that of a pipe which whoever called holds open, as `<(…)` of a shell is: it has an end."""
    return Path(os.path.realpath(path)).name.startswith("pipe:[")


def read_regular_file(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: as :func:`open_regular_file`, or it is too large.
    """
    with open_regular_file(path) as stream:
        content = stream.read(_MOST + 1)
    if len(content) > _MOST:
        raise OSError(errno.EFBIG, f"it has more than {_MOST} bytes")
    return content


def _open_without_waiting(name: str, flags: int) -> int:
    # a pipe put in the place of the file between the two looks would wait for a writer
    descriptor = os.open(name, flags | os.O_NONBLOCK)
    try:
        _insist_on_regular(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _insist_on_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise NoRegularFileError


def real_path(path: Path) -> Path:
    """Where links lead from a path, whether anything is there or not.

    Links that lead to each other in a circle stay as they are, and whatever opens them says so: ``Path.resolve`` raises
    an error that is none of the system's.
    """
    return Path(os.path.realpath(path))
