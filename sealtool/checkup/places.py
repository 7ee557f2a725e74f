"""Where things are kept: the export, the ledger, what was issued. Looked at without leaving a trace."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sealtool.checkup.findings import Finding, ok, problem, warning
from sealtool.checkup.installation import Installation
from sealtool.continuity import broken_continuity, missing_files
from sealtool.errors import LedgerError, LedgerInconsistentError, OutputError, RegistryError, SealtoolError
from sealtool.exposure import other_owners, remedy, told, user_name
from sealtool.ledger import Ledger
from sealtool.ledger.opening import SCHEMA_HEAD
from sealtool.publishing import OutputFolder, folders_of_a_run
from sealtool.replacing import insist_on_place_for_metrics

REGISTRY: Final = "registry"
LEDGER: Final = "ledger"
LOCK: Final = "lock"
CONTINUITY: Final = "ledger-and-output"
OUTPUT_FOLDER: Final = "output-folder"
LOG_AND_METRICS: Final = "log-and-metrics"
PERMISSIONS: Final = "permissions"

LITTLE_SPACE: Final = 1024**3
"""Bytes: some five thousand certificates."""

_EXPORT = ("people.csv", "training.csv", "accreditations.csv")


def registry(installation: Installation) -> Finding:
    """Whether the configured export can be read. What is in it is the affair of `sealtool check`."""
    folder = installation.settings.registry.folder
    if folder is None:
        return ok(REGISTRY, "No folder is configured: every call names it with --registry.")
    try:
        there = [name for name in os.listdir(folder) if name in _EXPORT]  # noqa: PTH208 - its errors name the folder
        for name in there:
            with (folder / name).open("rb") as file:
                file.read(1)
    except OSError as error:
        raise RegistryError(
            f"The registry export {error.filename or folder} cannot be read: {error.strerror or error}.",
            advice="Check registry.folder, and that the user of sealtool may read it.",
        ) from error
    if "people.csv" not in there:
        raise RegistryError(
            f"The registry export {folder} has no people.csv.",
            advice="Check registry.folder, and whatever brings the export there.",
        )
    return ok(REGISTRY, f"{', '.join(sorted(there))} in {folder} can be read; `sealtool check` tells what is in them.")


# --- the ledger -----------------------------------------------------------------------------------


def ledger(installation: Installation) -> Finding:
    """Whether the ledger opens, is of this version, and nobody has changed its history."""
    with installation.open_ledger() as opened:
        opened.insist_on_write_access()
        if broken := opened.broken_link() or opened.contradiction():
            raise LedgerInconsistentError(
                f"The ledger was changed outside sealtool: {broken}.", advice="Restore it from a backup."
            )
        events, _ = opened.head()
        return ok(LEDGER, f"{opened.name}: version {SCHEMA_HEAD}, a whole chain of {events:,} events.")


def lock(installation: Installation) -> Finding:
    """Whether a run holds the ledger now. The lock file of an SQLite ledger is not made where there is none."""
    file = installation.settings.ledger_file
    if file is None:
        with installation.open_ledger() as opened:
            return _held() if opened.is_held() else _free()
    path = file.with_name(f"{file.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return _free()
    except OSError as error:
        return warning(
            LOCK,
            f"The lock file {path} cannot be opened: {error.strerror}. No run could hold it.",
            "Give the user of sealtool the right to read and write it.",
        )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _held()
    finally:
        os.close(descriptor)
    return _free()


def _held() -> Finding:
    return warning(LOCK, "A run holds the ledger now; another one would end with exit code 5.", "Wait for its end.")


def _free() -> Finding:
    return ok(LOCK, "No run holds the ledger.")


def continuity(installation: Installation) -> Finding:
    """Whether ledger and output folder tell one story."""
    output = OutputFolder(installation.settings.output.folder)
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(installation.open_ledger())
        except LedgerError:
            said = "Not looked at, because the ledger is not ready."
            return warning(CONTINUITY, said, "See what is said of the ledger.")
        if finding := broken_continuity(opened, output):
            return problem(CONTINUITY, finding)
        return _missing_files(opened, output)


def _missing_files(opened: Ledger, output: OutputFolder) -> Finding:
    documents, manifests = missing_files(opened, output)
    if missing := [*documents, *manifests]:
        return warning(
            CONTINUITY,
            f"Of the issued files and manifests, {len(missing)} are missing from {output.root}, first {missing[0]}.",
            "Restore them from a backup.",
        )
    if strays := _strays(opened, output):
        return warning(
            CONTINUITY,
            f"In {output.root} there is what sealtool did not put there: {len(strays)} in all, first {strays[0]}. "
            "Auditors are told so.",
            "Move it away: only what was issued, and manifests, belong there.",
        )
    issued = len(opened.issued_paths())
    return ok(CONTINUITY, f"Every one of {issued:,} issued files is there, and no other.")


def _strays(opened: Ledger, output: OutputFolder) -> list[str]:
    present = output.everything()  # before the ledger is asked, which knows of a file before it appears
    announced = {path for one in opened.unconfirmed_manifests() for path in one.files}
    return sorted(present - opened.document_paths() - opened.manifest_files() - announced)


# --- the output folder ----------------------------------------------------------------------------


def output_folder(installation: Installation) -> Finding:
    """Whether files can be written where they belong, and whether there is room."""
    folder = installation.settings.output.folder
    place = next(each for each in (folder, *folder.parents) if each.exists())
    today = installation.now().astimezone(ZoneInfo(installation.settings.run.timezone)).date()
    for each in (place, *(folder / name for name in folders_of_a_run(today) if (folder / name).exists())):
        _insist_on_writing(each)
    free = shutil.disk_usage(place).free
    room = f"{_size(free)} are free"
    if free < LITTLE_SPACE:
        return warning(OUTPUT_FOLDER, f"{folder}: only {room}.", "Make room: a run that fills the disk stops there.")
    there = "can be written" if place == folder else "is not there yet and can be made"
    return ok(OUTPUT_FOLDER, f"{folder} {there}; {room}.")


def _size(number: int) -> str:
    """So many bytes, in a unit in which they are not nothing."""
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"


def _insist_on_writing(place: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=place) as trial:  # a file without a name: nothing of it is ever seen
            trial.write(b"\0")
            trial.flush()
    except OSError as error:
        raise OutputError(
            f"Nothing can be written in the output folder {place}: {error.strerror or error}.",
            advice="Check output.folder, its permissions and its disk.",
        ) from error


def log_and_metrics(installation: Installation) -> Finding:
    """Whether what a run leaves for others to read can be written where it is wanted."""
    run = installation.settings.run
    troubles = [
        f"{key}: {trouble}"
        for key, path in (("run.log", run.log), ("run.metrics", run.metrics))
        if path is not None and (trouble := _trouble_with(path.parent))
    ]
    if not troubles and run.metrics is not None:
        try:
            insist_on_place_for_metrics(run.metrics)
        except SealtoolError as error:
            return warning(LOG_AND_METRICS, f"run.metrics: {error.message} A run goes on without it.", error.advice)
    if troubles:
        return warning(
            LOG_AND_METRICS,
            f"{'; '.join(troubles)}. A run goes on without it.",
            "Make the folder for the user of sealtool, or correct the configuration.",
        )
    return ok(LOG_AND_METRICS, "Log and metrics can be written." if run.metrics else "The log can be written.")


def _trouble_with(folder: Path) -> str:
    if not folder.is_dir():
        return f"there is no folder {folder}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"nothing can be written in {folder}"


def permissions(installation: Installation) -> Finding:
    """Whether others can read or change what is not theirs, and whether what it writes belongs to whoever calls."""
    if exposed := installation.exposures():
        return warning(PERMISSIONS, told(exposed), remedy(exposed))
    caller = user_name(os.geteuid())
    if strangers := other_owners(installation.settings):
        return warning(
            PERMISSIONS,
            f"This check runs as {caller}, but files of the installation belong to "
            f"{' and '.join(strangers)}: it cannot tell what that user may do.",
            f"Call it as that user: sudo -u {strangers[0]} sealtool doctor",
        )
    return ok(PERMISSIONS, f"Nothing of it is open to other users than {caller}.")
