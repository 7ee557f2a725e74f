"""One run at a time: a lock that the operating system takes back from a process that died."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sealtool.errors import LedgerError, LedgerLockedError

PATIENCE_SECONDS: Final = 1.0
"""How long a ledger is waited for that is held: whoever only looks whether it is holds it for a moment."""

_PAUSE_SECONDS: Final = 0.02


def taken(take: Callable[[], bool], *, patient: bool) -> bool:
    """Tries to take a lock, and again for as long as there is patience; says whether it was taken."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if patient else 0)
    while not take():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


@contextmanager
def exclusive_file_lock(path: Path, *, beside: Path, patient: bool) -> Iterator[None]:
    """Holds an exclusive ``flock`` on a file beside the ledger for as long as the block runs.

    Args:
        path: of the file, which is made where it is not there.
        beside: the ledger, to whose owner the file belongs also where root was the first to look, as with ``status``.

    Raises:
        LedgerLockedError: another process holds it.
        LedgerError: the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(
            f"The lock file {path} cannot be opened: {error.strerror or error}.",
            advice="Give the user that runs sealtool write access to that folder.",
        ) from error
    try:
        if os.geteuid() == 0:
            with contextlib.suppress(OSError):
                ledger = beside.stat()
                os.fchown(descriptor, ledger.st_uid, ledger.st_gid)
        if not taken(lambda: _locked(descriptor), patient=patient):
            raise LedgerLockedError(
                f"Another run of sealtool holds the ledger (lock file {path}{_holder(descriptor)}), and two runs "
                "at once could issue a certificate twice. Nothing was done.",
                advice="Wait for it to end and call again.",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f", process {text}" if text.isdigit() else ""
