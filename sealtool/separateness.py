"""That the log and the metrics go where nothing else is: both are written without a question, the metrics in the place
of whatever was there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from sealtool.settings import Settings, mistaken, named_paths

_LOG: Final = "run.log"
_METRICS: Final = "run.metrics"
_LEDGER: Final = "the ledger (ledger.url)"
_OUTPUT: Final = "output.folder"


@dataclass(frozen=True, slots=True)
class _Place:
    """Something of the installation: a file, or a folder with all that is in it.

    Attributes:
        name: as messages call it: the key of the configuration, most often.
    """

    name: str
    path: Path


def insist_on_separateness(settings: Settings, configuration: Path) -> None:
    """Refuses a configuration by which a log or metrics would be written into something else.

    Args:
        settings: with absolute paths.
        configuration: the file that they come from.

    Raises:
        ConfigurationError: ``run.log`` or ``run.metrics`` is a file that the configuration names for another purpose,
            or would lie in such a folder.
    """
    places = [*_named(settings), _Place("the configuration itself", configuration)]
    log = settings.run.log
    found = [_conflict(_LOG, log, places, settings, configuration)]
    if settings.run.metrics is not None:
        both = [*places, _Place(_LOG, log)]
        found.append(_conflict(_METRICS, settings.run.metrics, both, settings, configuration))
    if mistakes := list(filter(None, found)):
        raise mistaken(configuration, mistakes)


def _named(settings: Settings) -> Iterator[_Place]:
    """All files and folders that the configuration names, but for the two in question."""
    yield from (_Place(name, path) for name, path in named_paths(settings) if name not in {_LOG, _METRICS})
    yield from (_Place(_LEDGER, part) for part in settings.ledger_parts())


def _conflict(key: str, target: Path, places: list[_Place], settings: Settings, configuration: Path) -> str:
    """What is wrong with the place of a log or of metrics; empty where nothing is."""
    for place in places:
        if _is_same(target, place.path):
            return f"{key}: is also {place.name}, which it would spoil; name a file of its own"
        if _lies_in(target, place.path):
            if not _lies_in(configuration, place.path):
                return f"{key}: lies in {place.name}, where nothing else belongs; name a file outside of it"
            # A folder of trust, templates or an export that holds the configuration as well is not for these alone.
            if place.name == _OUTPUT:
                return (
                    f"{key}: lies in {_OUTPUT}, as the configuration does, and nothing belongs there but what is "
                    f'issued; give {_OUTPUT} a folder of its own, such as "out"'
                )
    if any(_matches(target, pattern) for pattern in settings.revocation.crls):
        return f"{key}: is also one of revocation.crls, which it would spoil; name a file of its own"
    return ""


def _matches(path: Path, pattern: str) -> bool:
    """Part by part, as the pattern is read elsewhere: a star goes over no slash."""
    wanted = Path(pattern).parts
    return len(wanted) == len(path.parts) and all(map(fnmatchcase, path.parts, wanted))


def _is_same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return one.samefile(other)  # by another name, or in other letters where case does not count
    except OSError:
        return False


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a file, or a link in its place, lies below a folder."""
    real = Path(os.path.realpath(folder))
    return any(Path(os.path.realpath(one)).is_relative_to(real) for one in (path, path.parent))
