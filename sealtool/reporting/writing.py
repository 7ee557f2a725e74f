"""Writing a report: whole or not at all, for its owner's eyes, and never over another file."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Final

from sealtool.errors import OutputError, UsageError

_MODE: Final = 0o600
_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def insist_on_new(path: Path) -> None:
    """A report must not take the place of a certificate that a slip of the hand has named.

    Raises:
        UsageError: something has that name, or there is no folder to hold it.
    """
    if os.path.lexists(path):
        raise UsageError(
            f"{path} is there already, and a report never replaces another file.",
            advice="Name a file that is not there, or move that one away.",
        )
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} for the report.", advice="Make it, or name another one.")


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, so that it appears whole under its name.

    Raises:
        UsageError: something has that name by now.
        OutputError: the file system refuses.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(unfinished, "xb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _give_name(unfinished, path)
    except OSError as error:
        raise OutputError(
            f"The report {path} cannot be written: {error.strerror or type(error).__name__}.",
            advice="Check free space and permissions, then call again.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _give_name(unfinished: Path, path: Path) -> None:
    try:
        path.hardlink_to(unfinished)  # unlike a rename, it fails where the name is taken
    except FileExistsError:
        insist_on_new(path)
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        insist_on_new(path)
        unfinished.rename(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _MODE)
