"""Reading files that hold a secret: only where nobody else of the machine can read or exchange them."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from sealtool.errors import SealKeyError
from sealtool.privacy import is_open_to_others
from sealtool.regular_files import is_handed_down, open_regular_file


def read_secret_file(path: Path, what: str, *, most: int = -1, private: bool = True) -> bytes:
    """The content of a file.

    Args:
        path: the file.
        what: it holds, for messages.
        most: bytes to read at most; negative for all.
        private: whether it has to be closed to other users.

    Raises:
        SealKeyError: it cannot be read, is open to other users, or is neither a regular file nor a pipe that a shell
            holds open: such a secret is on no disk.
    """
    try:
        # the mode is asked of the opened file, so that nobody swaps the file between the two
        with path.open("rb") if is_handed_down(path) else open_regular_file(path) as stream:
            status = os.fstat(stream.fileno())
            if private and stat.S_ISREG(status.st_mode) and is_open_to_others(status, user=os.geteuid()):
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
