"""The bytes of an export: each file is read once, and what was hashed is what is parsed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealtool.registry.findings import shown
from sealtool.registry.layout import ACCREDITATIONS, LAYOUTS, PEOPLE, SUMS_FILE, TRAINING

_SUMS_LINE: Final = re.compile(r"(?P<digest>[0-9A-Fa-f]{64}) [ *](?P<name>.+)")
_COPY: Final = re.compile(
    rf"(?P<stem>{'|'.join(layout.file.removesuffix('.csv') for layout in LAYOUTS)})"
    r" ?(?:\([0-9]+\)|[-–] ?(?:copy|copia|còpia)(?: ?\([0-9]+\))?|\((?:copy|copia|còpia)\))\.csv",  # noqa: RUF001
    re.IGNORECASE,
)
"""As browsers and file managers name a second file, in English, Catalan and Spanish."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file of the export, whole."""

    name: str
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Export:
    """What stands in the folder.

    Attributes:
        files: the CSV files that could be read, by name.
        faults: what is wrong with the folder as a whole, a sentence or two each.
        is_vouched_for: whether ``SHA256SUMS`` stands beside them; what differs from it is among the faults.
    """

    files: Mapping[str, ExportFile]
    faults: tuple[str, ...]
    is_vouched_for: bool = False


def open_export(folder: Path, previous_rows: Mapping[str, int]) -> Export:
    """Read the files of an export and check them against ``SHA256SUMS`` where it stands beside them.

    Args:
        folder: where the export lies.
        previous_rows: rows of each file at the last run; a file named there must not be missing.
    """
    try:
        present = sorted(os.listdir(folder))  # noqa: PTH208 - the names alone, as they are
    except (OSError, ValueError) as error:
        return Export({}, (f"the folder cannot be opened: {_why(error)}.",))
    faults: list[str] = []
    files: dict[str, ExportFile] = {}
    for name in (layout.file for layout in LAYOUTS if layout.file in present):
        try:
            content = _read_regular_file(folder / name)
        except (OSError, ValueError) as error:
            faults.append(f"{name}: cannot be read: {_why(error)}.")
        else:
            files[name] = ExportFile(name, content, hashlib.sha256(content).hexdigest())
    faults += _missing_files(present, previous_rows)
    faults += _misnamed_files(present)
    faults += _copies(present)
    is_vouched_for = SUMS_FILE in present
    if is_vouched_for:
        faults += _compare_sums(folder, files)
    return Export(files, tuple(faults), is_vouched_for)


def _read_regular_file(path: Path) -> bytes:
    # without O_NONBLOCK a named pipe would keep a nightly run waiting for ever
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(descriptor)


def _why(error: OSError | ValueError) -> str:
    return shown((isinstance(error, OSError) and error.strerror) or str(error))


def _missing_files(present: list[str], previous_rows: Mapping[str, int]) -> list[str]:
    faults = []
    lost = [name for name in sorted(previous_rows) if name not in present]
    faults += [
        f"{shown(name)}: the file is missing, but the last run read {previous_rows[name]} rows from it. Bring it back"
        + ("." if name == PEOPLE.file else ", or, if the registry no longer has it, run once with --accept-shrink.")
        for name in lost
    ]
    if PEOPLE.file not in present and PEOPLE.file not in lost:
        faults.append(f"{PEOPLE.file}: the file is missing, so nobody's name is known.")
    if TRAINING.file not in present and ACCREDITATIONS.file not in present:
        faults.append(f"{TRAINING.file} and {ACCREDITATIONS.file}: both are missing, and one is needed.")
    return faults


def _misnamed_files(present: list[str]) -> list[str]:
    """Files that would be left out without a word, with all they say, for the sake of a capital letter or a space."""
    expected = {name.casefold(): name for name in (*(layout.file for layout in LAYOUTS), SUMS_FILE)}
    return [
        f"{shown(name)}: the name has to be {wanted}, in the same letter case and with no space around it."
        for name in present
        if (wanted := expected.get(name.strip().casefold(), name)) != name
    ]


def _copies(present: list[str]) -> list[str]:
    """Files that a browser or a file manager named anew because there was one already: either may be the newer one."""
    return [
        f"{shown(name)}: stands beside {original}, as a second download or a copy of it does, and nobody can tell "
        "which of them is meant. Leave the right one there, under its name, and take the other away."
        for name in present
        if (found := _COPY.fullmatch(name)) and (original := f"{found['stem'].casefold()}.csv") in present
    ]


def _compare_sums(folder: Path, files: Mapping[str, ExportFile]) -> list[str]:
    try:
        text = _read_regular_file(folder / SUMS_FILE).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        return [f"{SUMS_FILE}: cannot be read: {_why(error)}."]
    listed, faults = _parse_sums(text)
    faults += [f"{SUMS_FILE}: {name} is not listed, so nothing vouches for it." for name in files if name not in listed]
    for name, digest in listed.items():
        try:
            found = (
                files[name].sha256 if name in files else hashlib.sha256(_read_regular_file(folder / name)).hexdigest()
            )
        except (OSError, ValueError) as error:
            faults.append(f"{SUMS_FILE}: {shown(name)} is listed but cannot be read: {_why(error)}.")
            continue
        if found != digest:
            faults.append(
                f"{shown(name)}: its SHA-256 is {found}, but {SUMS_FILE} says {digest}; one of the two was changed or "
                "cut on the way."
            )
    return faults


def _parse_sums(text: str) -> tuple[dict[str, str], list[str]]:
    """Hash by file name (GNU coreutils' ``sha256sum`` format), and what is malformed."""
    listed: dict[str, str] = {}
    faults: list[str] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if not line.strip():
            continue
        match = _SUMS_LINE.fullmatch(line)
        name = match["name"].removeprefix("./") if match else ""
        # a name is one in the folder: the list must not make us read elsewhere
        if match is None or name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name:
            faults.append(f"{SUMS_FILE}: line {number} is not of the form 'hash  name': {shown(line)}")
            continue
        digest = match["digest"].lower()
        if listed.setdefault(name, digest) != digest:
            faults.append(f"{SUMS_FILE}: line {number} gives {shown(name)} a second, different hash.")
    return listed, faults
