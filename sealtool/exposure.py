"""What of an installation other users of the machine can read or change.

Files that hold a secret are refused where they are read; of all else the user is told, with the command that closes
it, and nothing is changed: that a group may read what was issued can be meant.
"""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealtool.privacy import is_open_to_others
from sealtool.regular_files import real_path
from sealtool.settings import Settings

_ANY: Final = stat.S_IRWXG | stat.S_IRWXO
_CHANGING: Final = stat.S_IWGRP | stat.S_IWOTH

_CLOSE: Final = "chmod go="
_CLOSE_ALL_BELOW: Final = "chmod -R go="
_CLOSE_TO_STRANGERS: Final = "chmod -R o="
_KEEP_FROM_CHANGING: Final = "chmod go-w"


@dataclass(frozen=True, slots=True)
class Exposure:
    """A file or folder that other users can read or change.

    Attributes:
        what: it is.
        mode: its permissions.
        cure: the command that takes them away, without the path.
    """

    what: str
    path: Path
    mode: int
    cure: str


def exposures(settings: Settings, configuration: Path | None) -> tuple[Exposure, ...]:
    """Everything that is more open than it should be, by the modes of files and folders alone.

    Args:
        settings: names the places.
        configuration: the file that they come from, None where there is none.
    """
    found: dict[Path, Exposure] = {}
    for one in (*_secrets(settings), *_personal_data(settings), *_what_decides(settings, configuration)):
        found.setdefault(one.path, one)
    return tuple(found.values())


def other_owners(settings: Settings) -> list[str]:
    """The users that ledger and output folder belong to, but for the one that calls."""
    found = filter(None, map(_status, (settings.ledger_file, settings.output.folder)))
    return sorted(user_name(owner) for owner in {status.st_uid for status in found} - {os.geteuid()})


def user_name(number: int) -> str:
    """The name of a user; the number where it has none here."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def told(exposed: Sequence[Exposure]) -> str:
    """One sentence that names them all."""
    listed = "; ".join(f"the {one.what} ({one.path}, mode {one.mode:04o})" for one in exposed)
    return f"Open to other users of this machine: {listed}."


def remedy(exposed: Sequence[Exposure]) -> str:
    """The commands that close them, and when not to call them."""
    commands: dict[str, str] = {}
    for one in exposed:
        commands[one.cure] = f"{commands.get(one.cure, one.cure)} {shlex.quote(str(one.path))}"
    return f"Unless it is so on purpose, run: {'; '.join(commands.values())}"


def _secrets(settings: Settings) -> Iterator[Exposure]:
    files = [(source.file, "secret of the configuration") for source in settings.secret_sources()]
    keys = (
        (settings.seal.pkcs12, "seal key"),
        (settings.time_stamp.demo_pkcs12, "time stamp key"),
        (settings.cluster.key, "key for the cluster"),
    )
    for path, what in (*keys, *files):
        status = _status(path)
        if path is not None and status is not None and is_open_to_others(status, user=os.geteuid()):
            yield _exposure(what, path, status, _CLOSE)


def _personal_data(settings: Settings) -> Iterator[Exposure]:
    yield from _open("output folder", settings.output.folder, _CLOSE_ALL_BELOW)  # with it closed, all in it is
    if settings.ledger_file is not None:
        for path in _parts_of_ledger(settings.ledger_file):
            yield from _open("ledger", path, _CLOSE)
    yield from _open("log", settings.run.log, _CLOSE)
    # whoever writes the export shares a group with us; the rest of the world has nothing to look for in it
    yield from _open("registry export", settings.registry.folder, _CLOSE_TO_STRANGERS, rights=stat.S_IRWXO)


def _what_decides(settings: Settings, configuration: Path | None) -> Iterator[Exposure]:
    """What may be read by all, but whoever can change it decides what is sealed, how it looks, or who is trusted."""
    ledger = settings.ledger_file
    steering = [
        ("configuration", configuration),
        ("folder of the configuration", configuration and real_path(configuration).parent),
        ("folder of the ledger", ledger and ledger.parent),
        ("folder of the output folder", real_path(settings.output.folder).parent),
        ("template folder", settings.rendering.templates),
        *(("trust", path) for path in (*settings.trust.anchors, *settings.trust.lists)),
    ]
    for what, path in steering:
        yield from _open(what, path, _KEEP_FROM_CHANGING, rights=_CHANGING)


def _parts_of_ledger(ledger: Path) -> list[Path]:
    """The file, its newest part, its lock, and earlier ledgers beside it."""
    try:
        names = sorted(os.listdir(ledger.parent))  # noqa: PTH208 - the names alone
    except OSError:
        return []
    return [ledger.with_name(name) for name in names if name.startswith(ledger.name)]


def _open(what: str, path: Path | None, cure: str, *, rights: int = _ANY) -> Iterator[Exposure]:
    status = _status(path)
    if path is None or status is None or not status.st_mode & rights:
        return
    if rights == _CHANGING and stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return  # as /tmp: others can add to it, but take nothing away
    yield _exposure(what, path, status, cure)


def _exposure(what: str, path: Path, status: os.stat_result, cure: str) -> Exposure:
    return Exposure(what, path, stat.S_IMODE(status.st_mode), cure)


def _status(path: Path | None) -> os.stat_result | None:
    try:
        return None if path is None else path.stat()
    except OSError:
        return None  # what is not there, or cannot be seen, is the affair of whoever needs it
