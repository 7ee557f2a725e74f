"""Reading files that hold a secret: only where nobody else of the machine can read or exchange them."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from sealtool.errors import SealKeyError
from sealtool.privacy import is_open_to_others
from sealtool.regular_files import open_regular_file


def read_secret_file(path: Path, what: str, *, most: int = -1, private: bool = True) -> bytes:
    """The content of a file.

    Args:
        path: the file.
        what: it holds, for messages.
        most: bytes to read at most; negative for all.
        private: whether it has to be closed to other users.

    Raises:
        SealKeyError: it cannot be read, is no regular file, or is open to other users.
    """
    try:
        # the mode is asked of the opened file, so that nobody swaps the file between the two
        with open_regular_file(path) as stream:
            status = os.fstat(stream.fileno())
            if private and is_open_to_others(status, user=os.geteuid()):
                raise SealKeyError(
                    f"The file {path} with the {what} is open to other users of this machine "
                    f"(mode {stat.S_IMODE(status.st_mode):04o}), so it protects nothing.",
                    advice=f"Run: chmod 600 {shlex.quote(str(path))}. Change the secret if others may have read it.",
                )
            return stream.read(most)
    except OSError as error:
        raise SealKeyError(
            f"The {what} cannot be read from {path}: {error.strerror}.",
            advice="Check that the file exists and that the user of this process may read it.",
        ) from error
