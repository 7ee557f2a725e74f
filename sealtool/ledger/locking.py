"""One run at a time: a lock that the operating system takes back from a process that died."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sealtool.errors import LedgerError, LedgerLockedError

PATIENCE_SECONDS: Final = 1.0
"""How long a ledger is waited for that is held: whoever only looks whether it is holds it for a moment."""

_PAUSE_SECONDS: Final = 0.02


def attempts(*, patient: bool) -> Iterator[None]:
    """One for each time that a lock should be tried: once, and again for as long as there is patience."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if patient else 0)
    yield
    while time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        yield


@contextmanager
def exclusive_file_lock(path: Path, *, beside: Path, patient: bool) -> Iterator[int]:
    """Holds an exclusive ``flock`` on a file beside the ledger for as long as the block runs.

    Args:
        path: of the file, which is made where it is not there.
        beside: the ledger, to whose owner the file belongs also where root was the first to look, as with ``status``.
        patient: whether to wait for a moment where it is held.

    Yields:
        The open file. Once it is not the one at that path any more (:func:`is_at`), the lock keeps nobody out.

    Raises:
        LedgerLockedError: another process holds it.
        LedgerError: the file cannot be made.
    """
    tried = (_locked(path, beside) for _ in attempts(patient=patient))
    descriptor = next((one for one in tried if one is not None), None)
    if descriptor is None:
        raise LedgerLockedError(
            f"Another run of sealtool holds the ledger (lock file {path}{_holder(path)}), and two runs "
            "at once could issue a certificate twice. Nothing was done.",
            advice="Wait for it to end and call again.",
        )
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one that has this path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _locked(path: Path, beside: Path) -> int | None:
    """The file, open and locked; None where another process has locked it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(
            f"The lock file {path} cannot be opened: {error.strerror or error}.",
            advice="Give the user that runs sealtool write access to that folder.",
        ) from error
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            ledger = beside.stat()
            os.fchown(descriptor, ledger.st_uid, ledger.st_gid)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if is_at(path, descriptor):
        return descriptor
    os.close(descriptor)  # somebody removed it before it was locked: whoever comes next would lock another one
    return _locked(path, beside)


def _holder(path: Path) -> str:
    try:
        text = path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
    return f", process {text}" if text.isdigit() else ""
